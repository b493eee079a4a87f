# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""How often the whole thing is in view in clips of models trained by framing.py and framing_square.py.

python experiments/one_model/framing_score.py --seeds 0 1 2
"""

import dataclasses
import json
from pathlib import Path

import numpy as np
import tyro
from rich.progress import track

from vidgen.compilation import enable_compilation_cache
from vidgen.config import load_experiment
from vidgen.sample.pipeline import load_pipeline
from vidgen.worlds.captions import caption
from vidgen.worlds.detect import Detection, DetectorConfig, build_detector
from vidgen.worlds.render import render
from vidgen.worlds.scene import SceneConfig

KINDS = {"native": "framing", "square": "framing_square"}
"""Of models, with the experiments by which their runs are called."""
SIZES = {"square": (48, 48), "wide": (96, 48), "tall": (48, 96)}
EDGE = 0.5
"""Pixels: a box that comes nearer to the frame's edge is taken to be cut by it."""
BATCH = 16


@dataclasses.dataclass(frozen=True)
class Options:
    """runs: where the folders of runs lie. seeds: of them. n: prompts a size. out: the figures, as JSON."""

    runs: Path = Path("runs")
    seeds: tuple[int, ...] = (0, 1, 2)
    n: int = 96
    out: Path = Path("runs/framing.json")


def in_view(frames: list[list[Detection]], name: str, width: int, height: int) -> bool | None:
    """Whether the thing's whole box is inside in each frame that it is found in; None where it is found in none."""
    boxes = [one.box for found in frames for one in found if one.name == name]
    inside = [x0 >= EDGE and y0 >= EDGE and x1 <= width - EDGE and y1 <= height - EDGE for x0, y0, x1, y1 in boxes]
    return all(inside) if inside else None


def share(clips: np.ndarray, names: list[str], concepts: tuple[str, ...]) -> dict[str, float]:
    """Shares of clips with the whole thing in view, of those where it is found, and of all with it found at all."""
    detector = build_detector(DetectorConfig(concepts=concepts, objects=1, sizes=(0.35, 0.65)))
    height, width = clips.shape[2:4]
    seen = [in_view(detector(clip, follow=True), name, width, height) for clip, name in zip(clips, names, strict=True)]
    found = [one for one in seen if one is not None]
    return {"whole": float(np.mean(found)) if found else float("nan"), "found": len(found) / len(seen)}


def main(options: Options) -> None:
    """Prints a row a kind of model and size: floors, means over seeds and their standard errors, and the verdict."""
    enable_compilation_cache()
    config = load_experiment(Path(__file__).with_name("framing.py"))
    scenes: SceneConfig = config.data[0].scenes
    concepts = scenes.concepts or ()
    figures: dict[str, dict[str, list[dict[str, float]]]] = {}
    for kind, run in KINDS.items():
        for size, (width, height) in SIZES.items():
            drawn = [dataclasses.replace(scenes, width=width, height=height).draw(10_000 + i) for i in range(options.n)]
            names, prompts = [one.objects[0].concept for one in drawn], [caption(one, 0) for one in drawn]
            if kind == "native":
                floor = np.stack([render(one) for one in drawn])
                figures.setdefault("true renders", {})[size] = [share(floor, names, concepts)]
            for seed in options.seeds:
                pipeline = load_pipeline(options.runs / f"{run}_{seed}" / "model")
                starts = track(range(0, options.n, BATCH), description=f"{kind} {seed} {size}")
                clips = [
                    pipeline.generate(
                        prompts[at : at + BATCH],
                        frames=scenes.frames,
                        width=width,
                        height=height,
                        seed=at,
                        shared=False,
                    )
                    for at in starts
                ]
                figures.setdefault(kind, {}).setdefault(size, []).append(share(np.concatenate(clips), names, concepts))
    options.out.write_text(json.dumps(figures, indent=2) + "\n")
    print("| trained | clips | whole thing in view, where found | found |\n|---|---|---|---|")
    for kind, sizes in figures.items():
        for size, of_seeds in sizes.items():
            print(f"| {kind} | {size} | {_spread(of_seeds, 'whole')} | {_spread(of_seeds, 'found')} |")
    (native, native_error), (square, square_error) = (_mean(figures[kind]["square"], "whole") for kind in KINDS)
    passed = native - square > 2 * (native_error + square_error)
    print(
        f"\nThe rule of framing.py is {'met' if passed else 'not met'}: {native:.3f} against {square:.3f} on squares."
    )


def _mean(of_seeds: list[dict[str, float]], name: str) -> tuple[float, float]:
    values = np.array([one[name] for one in of_seeds])
    return float(values.mean()), float(values.std(ddof=1) / len(values) ** 0.5) if len(values) > 1 else 0.0


def _spread(of_seeds: list[dict[str, float]], name: str) -> str:
    mean, error = _mean(of_seeds, name)
    return f"{100 * mean:.1f} %" + (f" ± {100 * error:.1f}" if len(of_seeds) > 1 else "")


if __name__ == "__main__":
    main(tyro.cli(Options, description=__doc__))
