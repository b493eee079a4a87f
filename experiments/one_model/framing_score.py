# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""How often the whole thing is in view in clips of models trained by framing.py and framing_square.py.

python experiments/one_model/framing_score.py --seeds 0 1 2 --out runs/framing

Beside the models stand the weights that both went on from, true renders, and two controls that must score low: the
middle squares of true wide and tall renders, which are what the square models saw. Of these the scene knows what is cut
off, so that the measure itself is measured.
"""

import dataclasses
import functools
import json
import os
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import tyro
from PIL import Image
from rich.progress import track

from vidgen.compilation import enable_compilation_cache
from vidgen.config import load_experiment
from vidgen.sample.export import contact_sheet
from vidgen.sample.pipeline import load_pipeline
from vidgen.train.dit import DiTTraining
from vidgen.worlds.captions import caption
from vidgen.worlds.detect import Detection, DetectorConfig, build_detector
from vidgen.worlds.fitting import Pose, bounds
from vidgen.worlds.render import render
from vidgen.worlds.scene import Scene, SceneConfig
from vidgen.worlds.sprites import load_atlas
from vidgen.worlds.truth import ground_truth

KINDS = {"before": "", "native": "framing_", "square": "framing_square_"}
"""Of models, with how their runs are called before the seed; the weights before are those that ship."""
SIDE = 64
BEYOND = 2.0
"""Pixels of a thing of 32 that may lie beyond the frame's edge: how exactly a pose is found."""
BATCH = 16


@dataclasses.dataclass(frozen=True)
class Options:
    """runs: where the folders of runs lie. seeds: of them. n: prompts a size, a multiple of 16. out: a folder."""

    runs: Path = Path("runs")
    seeds: tuple[int, ...] = (0, 1, 2)
    n: int = 96
    out: Path = Path("runs/framing")


def inside(box: tuple[float, float, float, float], width: int, height: int) -> bool:
    """Whether a thing's box lies in a frame but for what a pose may be wrong by."""
    x0, y0, x1, y1 = box
    return min(x0, y0, width - x1, height - y1) >= -BEYOND


def outline(found: Detection) -> tuple[float, float, float, float]:
    """The box of all of the thing, in the frame or not."""
    return bounds(Pose(load_atlas().index(found.name), found.flip, found.x, found.y, found.size, found.angle))


def in_view(clip: np.ndarray, name: str, concepts: tuple[str, ...]) -> bool | None:
    """Whether all of the thing is in view in each frame that it is found in; None where it is found in none."""
    detector = build_detector(DetectorConfig(concepts=concepts, objects=1, sizes=(0.35, 0.65)))
    height, width = clip.shape[1:3]
    frames = detector(clip, follow=True)
    whole = [inside(outline(one), width, height) for found in frames for one in found if one.name == name]
    return all(whole) if whole else None


def share(clips: np.ndarray, names: list[str], concepts: tuple[str, ...], workers: ProcessPoolExecutor) -> dict:
    """Shares of clips with all of the thing in view, of those where it is found ("whole") and of all ("shown"), and
    of clips with it found at all.
    """
    seen = list(workers.map(functools.partial(in_view, concepts=concepts), clips, names))
    found = [one for one in seen if one is not None]
    whole = float(np.mean(found)) if found else float("nan")
    return {"whole": whole, "shown": seen.count(True) / len(seen), "found": len(found) / len(seen), "seen": seen}


def scene_kinds(config: DiTTraining) -> dict[str, SceneConfig]:
    """The scenes of each size: those of training, and squares in which things do what they do in either."""
    wide, _, tall, _ = (data.scenes for data in config.data)
    both = tuple(dict.fromkeys((*wide.motions, *tall.motions)))
    return {"square": dataclasses.replace(wide, width=SIDE, height=SIDE, motions=both), "wide": wide, "tall": tall}


def middle(clips: np.ndarray) -> np.ndarray:
    """The middle squares of clips [N, F, H, W, C]."""
    height, width = clips.shape[2:4]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    return clips[:, :, top : top + side, left : left + side]


def agreement(seen: list[bool | None], scenes: list[Scene]) -> float:
    """How often the measure says of middle squares what the scenes know, of those in which the thing is found."""
    right = []
    for one, scene in zip(seen, scenes, strict=True):
        side, corner = min(scene.width, scene.height), np.array([scene.width, scene.height, scene.width, scene.height])
        true_F4 = ground_truth(scene).boxes_FN4[:, 0] - (corner - side) / 2
        if one is not None:
            right.append(one == all(inside(tuple(box), side, side) for box in true_F4))
    return float(np.mean(right))


def sample(model: str | Path, prompts: list[str], scenes: SceneConfig) -> np.ndarray:
    """A clip of each prompt, uint8 [N, F, H, W, 3]; with the same noise for every model."""
    pipeline = load_pipeline(model)
    starts = track(range(0, len(prompts), BATCH), description=f"{model} {scenes.width}x{scenes.height}")
    size = {"frames": scenes.frames, "width": scenes.width, "height": scenes.height}
    return np.concatenate([pipeline.generate(prompts[at : at + BATCH], seed=at, shared=False, **size) for at in starts])


def models(options: Options, kind: str) -> list[str | Path]:
    """The models of a kind, one a seed."""
    if not KINDS[kind]:
        return ["default"]
    return [options.runs / f"{KINDS[kind]}{seed}" / "model" for seed in options.seeds]


def main(options: Options) -> None:
    """Prints a row a kind of model and size, means over seeds and their standard errors, and the verdict; writes
    figures.json and a picture of the first clips. Raises ValueError when n is not a multiple of the batch.
    """
    if options.n < 1 or options.n % BATCH:
        raise ValueError(f"n is {options.n}; give a multiple of {BATCH}")
    enable_compilation_cache()
    options.out.mkdir(parents=True, exist_ok=True)
    config = load_experiment(Path(__file__).with_name("framing.py"))
    kinds = scene_kinds(config)
    concepts = kinds["wide"].concepts or ()
    figures: dict[str, dict[str, list[dict]]] = {}
    with ProcessPoolExecutor(os.cpu_count(), get_context("spawn")) as workers:
        for size, scenes in kinds.items():
            drawn = [scenes.draw(10_000 + i) for i in range(options.n)]
            names, prompts = [one.objects[0].concept for one in drawn], [caption(one, 0) for one in drawn]
            made = {"true renders": [np.stack([render(one) for one in drawn])]}
            if size != "square":
                made["middle of true renders"] = [middle(made["true renders"][0])]
            for kind in KINDS:
                made[kind] = [sample(model, prompts, scenes) for model in models(options, kind)]
            for kind, of_seeds in made.items():
                scored = [share(clips, names, concepts, workers) for clips in of_seeds]
                figures.setdefault(kind, {})[size] = scored
                sheet = Image.fromarray(contact_sheet(list(of_seeds[0][:8]), prompts[:8]))
                sheet.save(options.out / f"{kind} {size}.png".replace(" ", "_"))
            if size != "square":
                told = figures["middle of true renders"][size][0]
                told["agreement"] = agreement(told["seen"], drawn)
    (options.out / "figures.json").write_text(json.dumps(figures) + "\n")
    report(figures)


def report(figures: dict[str, dict[str, list[dict]]]) -> None:
    """Prints the table and whether the rule of framing.py is met."""
    print("| clips | size | whole thing in view, where found | found | found and whole |\n|---|---|---|---|---|")
    for kind, sizes in figures.items():
        for size, of_seeds in sizes.items():
            columns = [_spread(of_seeds, name) for name in ("whole", "found", "shown")]
            print(f"| {kind} | {size} | {' | '.join(columns)} |")
    for size, (one,) in figures["middle of true renders"].items():
        print(f"\nOf the middles of {size} renders the measure is right in {100 * one['agreement']:.1f} %.")
    (native, native_error), (square, square_error) = (
        _mean(figures[kind]["square"], "whole") for kind in ("native", "square")
    )
    passed = native - square > 2 * (native_error + square_error)
    print(f"\nThe rule of framing.py is {'met' if passed else 'not met'}.")


def _mean(of_seeds: list[dict], name: str) -> tuple[float, float]:
    values = np.array([one[name] for one in of_seeds])
    return float(values.mean()), float(values.std(ddof=1) / len(values) ** 0.5) if len(values) > 1 else 0.0


def _spread(of_seeds: list[dict], name: str) -> str:
    mean, error = _mean(of_seeds, name)
    return f"{100 * mean:.1f} %" + (f" ± {100 * error:.1f}" if len(of_seeds) > 1 else "")


if __name__ == "__main__":
    main(tyro.cli(Options, description=__doc__))
