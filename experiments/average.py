# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The mean of the weights of runs of which each went on from the one before: what the last one learned, and less of
what it forgot (WiSE-FT, arXiv 2109.01903; model soups, arXiv 2203.05482).

python experiments/average.py --runs runs/one_stories runs/one_paced runs/one_shapes --out runs/one_average
"""

import dataclasses
import shutil
from pathlib import Path

import jax
import numpy as np
import tyro

from vidgen.weights.safetensors import load_params, save_params


@dataclasses.dataclass(frozen=True)
class Options:
    """runs: folders of runs, two or more; all but the transformer and the text encoder is the last one's. out: a folder
    that can be bundled as a run can.
    """

    runs: tuple[Path, ...]
    out: Path


def mean(trees: list[dict]) -> dict:
    """The mean of trees of parameters, float32. Raises ValueError where they differ in names or shapes."""
    shapes = [jax.tree.map(np.shape, tree) for tree in trees]
    if any(shape != shapes[0] for shape in shapes):
        raise ValueError(
            "the runs' networks have different shapes: give runs of which each went on from the one before"
        )
    return jax.tree.map(lambda *leaves: np.mean([np.asarray(one, np.float32) for one in leaves], axis=0), *trees)


def main(options: Options) -> None:
    """Writes OUT/model. Raises ValueError where there is nothing to be averaged."""
    if len(options.runs) < 2:
        raise ValueError(f"--runs has {len(options.runs)}; give two or more")
    models = [run / "model" for run in options.runs]
    read = [load_params(model / "dit.safetensors") for model in models]
    shutil.copytree(models[-1], options.out / "model", dirs_exist_ok=True)
    averaged = mean([params for params, _ in read])
    save_params(options.out / "model" / "dit.safetensors", averaged, "float16", read[-1][1])


if __name__ == "__main__":
    main(tyro.cli(Options, description=__doc__))
