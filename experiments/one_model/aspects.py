# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""What a model makes at other sizes and shapes than those it was trained on: the scores of each size, and their floor.

python experiments/one_model/aspects.py --n 48 --out runs/aspects

Pairs of things that training never showed together, half as large as the frame's shorter side, as in
first_light/evaluate.py. All sizes are sampled by the few programs that they share.
"""

import dataclasses
import json
import os
from pathlib import Path

import numpy as np
import tyro
from PIL import Image
from rich.progress import track

from vidgen.compilation import enable_compilation_cache
from vidgen.eval.alignment import Scores, draw_cases, read_clips, score_readings
from vidgen.sample.export import contact_sheet
from vidgen.sample.pipeline import load_pipeline
from vidgen.worlds.render import render
from vidgen.worlds.scene import FIRST_LIGHT_ON_GRID
from vidgen.worlds.sprites import FIRST_LIGHT

SIZES = ((64, 64), (48, 48), (80, 80), (96, 96), (96, 48), (48, 96), (96, 64), (64, 96))
FIRST = 5
"""Clips of a size on its sheet."""
BATCH = 8


@dataclasses.dataclass(frozen=True)
class Options:
    """The model ("default" or a folder), n prompts a size, the sizes as WxH (all if none), and where to."""

    model: str = "default"
    n: int = 48
    sizes: tuple[str, ...] = ()
    out: Path = Path("runs/aspects")
    seed: int = 0


def main(options: Options) -> None:
    """Prints a row a size, and writes report.json and sheets. Raises ValueError where n is no multiple of a batch."""
    if options.n < BATCH or options.n % BATCH:
        raise ValueError(f"n is {options.n}; give a multiple of {BATCH}")
    enable_compilation_cache()
    options.out.mkdir(parents=True, exist_ok=True)
    pipeline, workers = load_pipeline(options.model), os.cpu_count() or 1
    asked = [tuple(int(side) for side in size.split("x")) for size in options.sizes] or SIZES
    scenes = dataclasses.replace(FIRST_LIGHT_ON_GRID, objects=(2, 2), object_weights=None, split="heldout")
    report: dict[str, dict[str, dict]] = {}
    print("| size | named concept found | sign of motion, where found | left or right, where both found |")
    print("|---|---|---|---|")
    for width, height in asked:
        cases = draw_cases(dataclasses.replace(scenes, width=width, height=height), options.n, options.seed)
        prompts = [case.prompt for case in cases]
        clips = np.concatenate(
            [
                pipeline.generate(
                    prompts[at : at + BATCH], frames=scenes.frames, width=width, height=height, seed=options.seed + at
                )
                for at in track(range(0, options.n, BATCH), description=f"{width}x{height}")
            ]
        )
        Image.fromarray(contact_sheet(list(clips[:FIRST]), prompts[:FIRST], scale=2)).save(
            options.out / f"{width}x{height}.png"
        )
        kinds = {"model": clips, "true renders": np.stack([render(case.scene) for case in cases])}
        scores = {
            kind: score_readings(list(read_clips(list(made), FIRST_LIGHT, workers)), cases, FIRST_LIGHT)
            for kind, made in kinds.items()
        }
        report[f"{width}x{height}"] = {kind: one.to_dict() for kind, one in scores.items()}
        cells = " | ".join(_cell(scores, name) for name in ("identity", "motion", "relation"))
        print(f"| {width}x{height} | {cells} |", flush=True)
        (options.out / "report.json").write_text(json.dumps({"n": options.n, "sizes": report}, indent=2) + "\n")


def _cell(scores: dict[str, Scores], name: str) -> str:
    ours, floor = (getattr(scores[kind], name) for kind in ("model", "true renders"))
    return f"{ours}, n {ours.n} (true renders {100 * floor.value:.1f} %)"


if __name__ == "__main__":
    main(tyro.cli(Options, description=__doc__))
