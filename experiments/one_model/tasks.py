# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""How well a model goes on from what is given: given frames, loops, connections, extensions and edits.

python experiments/one_model/tasks.py --model default --n 50 --out runs/tasks

Scenes of one thing that moves straight. Beside the model stand the floor, the true frames in place of the made ones,
and a control that must score low: frames at random, the last given frame held, or the clip mirrored.
"""

import dataclasses
import functools
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tyro
from PIL import Image
from rich.progress import track

from vidgen.compilation import enable_compilation_cache
from vidgen.eval.estimates import Estimate, bootstrap, interval
from vidgen.eval.recon import psnr
from vidgen.sample import compose, tasks
from vidgen.sample.export import contact_sheet
from vidgen.sample.pipeline import Pipeline, load_pipeline
from vidgen.worlds.captions import caption
from vidgen.worlds.detect import DetectorConfig, build_detector
from vidgen.worlds.motion import Scene
from vidgen.worlds.render import render
from vidgen.worlds.scene import FIRST_LIGHT_ON_GRID, draw_scene
from vidgen.worlds.sprites import FIRST_LIGHT
from vidgen.worlds.tracks import Track, read_clip

MOVERS = dataclasses.replace(
    FIRST_LIGHT_ON_GRID, objects=(1, 1), object_weights=None, motions=("left", "right", "up", "down"), split="all"
)
FIRST_SEED = 2**42
GIVEN, FRAMES = 9, 17
SHOWN = 6
"""Cases of a task on the contact sheet."""


@dataclasses.dataclass(frozen=True)
class Options:
    """What to measure.

    model: "default" or a folder. n: cases a task. out: folder of the results. strength: of edits. only: some of the
    tasks, all if none is named.
    """

    model: str = "default"
    n: int = 50
    out: Path = Path("runs/tasks")
    strength: float = 0.8
    seed: int = 0
    only: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class Case:
    """A scene, its prompt, its true clip, and the same with another thing in its place."""

    scene: Scene
    prompt: str
    clip: np.ndarray
    other: str
    other_prompt: str


Outcome = dict[str, float | None]
"""Values by the name of a score, of one case; None is what could not be read."""


def draw(index: int) -> Case:
    """The case of an index; pure."""
    scene = draw_scene(MOVERS, FIRST_SEED + index)
    name = scene.objects[0].concept
    other = FIRST_LIGHT[(FIRST_LIGHT.index(name) + 1 + 37 * index) % len(FIRST_LIGHT)]
    other = other if other != name else FIRST_LIGHT[FIRST_LIGHT.index(name) - 1]
    changed = dataclasses.replace(scene, objects=(dataclasses.replace(scene.objects[0], concept=other),))
    return Case(scene, caption(scene, 0), render(scene), other, caption(changed, 0))


def given(pipeline: Pipeline, case: Case, seed: int) -> tuple[np.ndarray, Outcome]:
    """PSNR of given frames as they are decoded in the new clip, below that of the VAE's own reconstruction, dB."""
    vae, piece = pipeline.autoencoder, case.clip[:GIVEN]
    known = tasks.place(vae, [tasks.Piece(0, piece)], FRAMES)
    made = pipeline.generate([case.prompt], **_size(case), known=known, seed=seed)[0]
    own = np.asarray(vae.decode(vae.encode(piece[None])))[0]
    noise = np.random.default_rng(seed).integers(0, 256, piece.shape, dtype=np.uint8)
    lost = [float(np.mean(psnr(piece, own)) - np.mean(psnr(piece, one))) for one in (made[:GIVEN], own, noise)]
    return made, dict(zip(("model", "floor", "control"), lost, strict=True))


def loop(pipeline: Pipeline, case: Case, seed: int) -> tuple[np.ndarray, Outcome]:
    """The larger seam of a loop over the median step between neighbouring frames."""
    frames = FRAMES - GIVEN
    made = compose.loop(pipeline, case.clip[:GIVEN], case.prompt, frames, FRAMES, seed=seed)
    there = case.clip[: GIVEN // 2 + 1]
    back = np.concatenate([there, there[-2:0:-1]])
    return made, {
        "model": _seam(made, (GIVEN - 1, len(made) - 1)),
        "floor": _seam(back, (0, len(back) - 1)),  # there and back again: it has no seam
        "control": _seam(case.clip, (GIVEN - 1, len(case.clip) - 1)),  # what has moved away jumps back
    }


def connect(pipeline: Pipeline, case: Case, seed: int) -> tuple[np.ndarray, Outcome]:
    """The larger of both seams of a connection, over the median step between neighbouring frames."""
    before, after = case.clip[:5], case.clip[-4:]
    frames = FRAMES - len(before) - len(after)
    made = compose.connect(pipeline, before, after, case.prompt, frames, FRAMES, seed=seed)
    seams = len(before) - 1, len(before) + frames - 1
    held = np.concatenate([before, np.repeat(before[-1:], frames, 0), after])
    return made, {
        "model": _seam(made, seams),
        "floor": _seam(case.clip, seams),
        "control": _seam(held, seams),
    }


def extend(pipeline: Pipeline, case: Case, seed: int) -> tuple[np.ndarray, Outcome]:
    """Whether the thing is still itself, and still goes its way, in frames that follow given ones."""
    made = compose.extend(pipeline, case.clip[:GIVEN], case.prompt, FRAMES - GIVEN, FRAMES, seed=seed)
    held = np.concatenate([case.clip[:GIVEN], np.repeat(case.clip[GIVEN - 1 : GIVEN], FRAMES - GIVEN, axis=0)])
    return made, {
        name: _goes_on(clip[GIVEN - 1 :], case)
        for name, clip in (("model", made), ("floor", case.clip), ("control", held))
    }


def extend_before(pipeline: Pipeline, case: Case, seed: int) -> tuple[np.ndarray, Outcome]:
    """The same of frames that come before given ones."""
    piece = case.clip[GIVEN:]
    made = compose.extend(pipeline, piece, case.prompt, GIVEN, FRAMES, before=True, seed=seed)
    held = np.concatenate([np.repeat(piece[:1], GIVEN, axis=0), piece])
    return made, {
        name: _goes_on(clip[: GIVEN + 1], case)
        for name, clip in (("model", made), ("floor", case.clip), ("control", held))
    }


def edit(pipeline: Pipeline, case: Case, seed: int, strength: float) -> tuple[np.ndarray, Outcome]:
    """Whether an edit shows the new thing; how far its path is from the old thing's, and a fresh sample's, in shares of
    the frame.
    """
    made = compose.edit(pipeline, case.clip, case.other_prompt, strength, seed=seed)
    fresh = pipeline.generate([case.other_prompt], **_size(case), seed=seed)[0]
    changed = dataclasses.replace(case.scene, objects=(dataclasses.replace(case.scene.objects[0], concept=case.other),))
    clips = {"model": made, "floor": render(changed), "control": case.clip, "fresh": fresh}
    seen = {name: _read(clip, (case.other, case.scene.objects[0].concept)) for name, clip in clips.items()}
    old = seen["control"].get(case.scene.objects[0].concept)
    outcome: Outcome = {name: float(case.other in tracks) for name, tracks in seen.items()}
    for name in ("model", "fresh"):
        outcome[f"away {name}"] = _away(seen[name].get(case.other), old)
    return made, outcome


def _size(case: Case) -> dict[str, Any]:
    return {"frames": FRAMES, "width": case.scene.width, "height": case.scene.height}


def _seam(clip: np.ndarray, seams: Sequence[int]) -> float:
    """The largest of the steps after these frames (the last one's leads to the first) over the median of all steps."""
    follows = np.concatenate([clip[1:], clip[:1]]).astype(float)
    steps = np.abs(follows - clip).mean(axis=(1, 2, 3))
    return float(max(steps[one] for one in seams) / max(np.median(steps[:-1]), 1e-3))


def _read(clip: np.ndarray, concepts: tuple[str, ...] = FIRST_LIGHT) -> dict[str, Track]:
    return read_clip(clip, build_detector(DetectorConfig(concepts=tuple(dict.fromkeys((*concepts, *FIRST_LIGHT))))))


def _goes_on(part: np.ndarray, case: Case) -> float:
    """1 if the thing is seen in the part of a clip and moves as it should; 0 otherwise."""
    thing = case.scene.objects[0]
    track = _read(part).get(thing.concept)
    return float(track is not None and track.moves(thing.motion.kind))


def _away(track: Track | None, old: Track | None) -> float | None:
    if track is None or old is None:
        return None
    both = [frame for frame in track.frames if frame in old.frames]
    if not both:
        return None
    rows = [(track.frames.index(frame), old.frames.index(frame)) for frame in both]
    return float(np.mean([np.hypot(track.x[i] - old.x[j], track.y[i] - old.y[j]) for i, j in rows]))


def summary(outcomes: list[Outcome], median: bool) -> dict[str, Estimate]:
    """Of each score: the share or mean over cases, or the median, with its interval."""
    found = {}
    for name in outcomes[0]:
        values = np.array([one[name] for one in outcomes if one[name] is not None], float)
        found[name] = (
            bootstrap(lambda rows, values=values: float(np.median(values[rows])), len(values))
            if median
            else interval(values.tolist(), [1] * len(values))
        )
    return found


def main(options: Options) -> None:
    """Writes report.json and a sheet a task, and prints a table. Raises ValueError for a task that there is not."""
    enable_compilation_cache()
    options.out.mkdir(parents=True, exist_ok=True)
    pipeline, cases = load_pipeline(options.model), [draw(index) for index in range(options.n)]
    works: dict[str, tuple[Callable[[Pipeline, Case, int], tuple[np.ndarray, Outcome]], str, bool]] = {
        "given": (given, "given frames: dB below the VAE's own", False),
        "loop": (loop, "loop: larger seam over the median step (median)", True),
        "connect": (connect, "connect: larger seam over the median step (median)", True),
        "extend": (extend, "extend: itself, and goes on", False),
        "extend-before": (extend_before, "extend before: itself, and comes from there", False),
        "edit": (
            functools.partial(edit, strength=options.strength),
            f"edit at {options.strength:g}: shows the new thing",
            False,
        ),
    }
    if not {*options.only} <= {*works}:
        raise ValueError(f"tasks {', '.join(options.only)} were asked for; there are {', '.join(works)}")
    works = {task: work for task, work in works.items() if task in (options.only or works)}
    report, lines = {}, ["| task | model | true frames | control | other |", "|---|---|---|---|---|"]
    for task, (work, title, median) in works.items():
        outcomes, shown = [], []
        for number, case in enumerate(track(cases, description=task)):
            clip, outcome = work(pipeline, case, options.seed + number)
            outcomes.append(outcome)
            shown += [(clip, case)] if number < SHOWN else []
        found = summary(outcomes, median)
        report[task] = {name: estimate.to_dict() for name, estimate in found.items()}
        columns = [_cell(found.pop(name), median or task == "given") for name in ("model", "floor", "control")]
        others = "; ".join(f"{name} {_cell(one, name.startswith('away'))}" for name, one in found.items())
        lines.append(f"| {title} | {' | '.join(columns)} | {others} |")
        sheet = contact_sheet([clip for clip, _ in shown], [case.prompt for _, case in shown], scale=2)
        Image.fromarray(sheet).save(options.out / f"{task}.png")
    (options.out / "report.json").write_text(json.dumps({"n": options.n, "tasks": report}, indent=2) + "\n")
    print("\n".join(lines))


def _cell(estimate: Estimate, plain: bool) -> str:
    if not estimate.n:
        return "none"
    low, value, high = (
        f"{one:.2f}" if plain else f"{100 * one:.0f}" for one in (estimate.low, estimate.value, estimate.high)
    )
    return f"{value}{'' if plain else ' %'} [{low}, {high}]"


if __name__ == "__main__":
    main(tyro.cli(Options, description=__doc__))
