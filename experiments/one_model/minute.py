# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""A minute in one pass, beside the same minute made piece after piece: time, memory, what is left at the end, drift.

python experiments/one_model/minute.py --model default --n 8 --out runs/minute

Prompts say that nothing moves, so what changes is drift: the error of a frame is its difference to the first one
(`vidgen.eval.suites.static`). Piece by piece, each pass sees the last frames of the one before (`compose.extend`).
Beside both stand the true renders through the VAE, and true renders that fade, which must drift. Clips are kept, so
that an interrupted run goes on.
"""

import dataclasses
import functools
import json
import resource
import time
from collections.abc import Callable
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import tyro
from PIL import Image
from rich.progress import track

from vidgen.compilation import enable_compilation_cache
from vidgen.eval.estimates import Estimate, interval
from vidgen.eval.runner import keep_clips, load_clips
from vidgen.eval.suite import Case, Setting, curve
from vidgen.eval.suites import static
from vidgen.eval.systems import card_setting, through
from vidgen.sample import compose
from vidgen.sample.card import Card
from vidgen.sample.export import contact_sheet
from vidgen.sample.pipeline import Pipeline, load_pipeline
from vidgen.worlds.detect import DetectorConfig, build_detector
from vidgen.worlds.tracks import read_clip

END = 17
"""Frames at the start and at the end in which things are looked for."""
MIB = 2**10
"""What the kernel counts memory in."""


@dataclasses.dataclass(frozen=True)
class Options:
    """The model ("default" or a folder), n prompts, seconds of a clip, frames of a piece, where to."""

    model: str = "default"
    n: int = 8
    seconds: int = 60
    piece: int = 17
    out: Path = Path("runs/minute")
    seed: int = 0


Make = Callable[[Case, int], np.ndarray]


def in_one_pass(pipeline: Pipeline, case: Case, seed: int) -> np.ndarray:
    """All frames at once."""
    size = {"frames": case.scene.frames, "width": case.scene.width, "height": case.scene.height}
    return np.asarray(pipeline.generate([case.prompt], **size, seed=seed)[0])


def piece_by_piece(pipeline: Pipeline, piece: int, case: Case, seed: int) -> np.ndarray:
    """The first piece, then what follows it, each pass of the size of a piece."""
    size = {"frames": piece, "width": case.scene.width, "height": case.scene.height}
    first = np.asarray(pipeline.generate([case.prompt], **size, seed=seed)[0])
    return compose.extend(pipeline, first, case.prompt, case.scene.frames - piece, piece, seed=seed + 1)


def measure(clip_FHWC: np.ndarray, case: Case, setting: Setting) -> dict:
    """What of the named things is seen at the start and at the end; and the drift."""
    detector = build_detector(DetectorConfig(concepts=setting.concepts))
    start, end = (read_clip(part, detector) for part in (clip_FHWC[:END], clip_FHWC[-END:]))
    found = {name: tuple(one in seen for one in case.names) for name, seen in (("start", start), ("end", end))}
    return {**found, **static.measure_drift(clip_FHWC, case)}


def summary(outcomes: list[dict]) -> dict[str, Estimate]:
    """Shares of things at the start and at the end, and means of the drift's slope and rise."""
    shares = {
        name: interval([sum(one[name]) for one in outcomes], [len(one[name]) for one in outcomes])
        for name in ("start", "end")
    }
    means = {name: interval([one[name] for one in outcomes], [1] * len(outcomes)) for name in ("slope", "rise")}
    return shares | means


def draw(curves: dict[str, tuple[float, ...]], fps: int, file: Path) -> None:
    """Error against time, a line a way."""
    figure, ax = plt.subplots(figsize=(7, 3.6), layout="constrained")
    for name, values in curves.items():
        ax.plot(np.arange(len(values)) / fps, values, label=name)
    ax.set(xlabel="seconds", ylabel="difference to the first frame", ylim=(0, None))
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(frameon=False)
    figure.savefig(file, dpi=150)


def main(options: Options) -> None:
    """Writes report.json, minute.png with the curves and a sheet a way; prints a table."""
    enable_compilation_cache()
    options.out.mkdir(parents=True, exist_ok=True)
    pipeline = load_pipeline(options.model)
    known = card_setting(Card.from_dict(pipeline.card))
    setting = dataclasses.replace(known, frames=1 + options.seconds * known.fps)
    cases = static.draw(setting, options.n, options.seed)
    ways: dict[str, Make] = {
        "one pass": functools.partial(in_one_pass, pipeline),
        "piece by piece": functools.partial(piece_by_piece, pipeline, options.piece),
        "true, through the VAE": lambda case, _: through(pipeline.autoencoder, case.render()[None])[0],
        "true, fading": lambda case, _: static.fades(case.render()),
    }
    report: dict[str, dict] = {}
    curves: dict[str, tuple[float, ...]] = {}
    print("| way | seconds a clip, warm | memory at most, GiB | seen at the start | seen at the end | slope a second |")
    print("|---|---|---|---|---|---|")
    for way, make in ways.items():
        clips, spent = [], []
        for number, case in enumerate(track(cases, description=way)):
            file = options.out / "clips" / f"{way.replace(' ', '-')}-{options.seed}-{number}.npz"
            begin = time.perf_counter()
            made = not file.exists()
            keep_clips(file, lambda case=case, number=number, make=make: make(case, options.seed + 1000 * number))
            spent += [time.perf_counter() - begin] if made else []
            clips.append(load_clips(file))
        # What is made first is compiled as well, and the peak is that of all ways so far: the longest comes first.
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / MIB / MIB
        outcomes = [measure(clip, case, setting) for clip, case in zip(clips, cases, strict=True)]
        found, warm = summary(outcomes), float(np.median(spent[1:])) if len(spent) > 1 else None
        curves[way] = curve(outcomes, "error")
        report[way] = {
            "seconds": warm, "memory_gib": memory, "error": curves[way],
            **{name: one.to_dict() for name, one in found.items()},
        }  # fmt: skip
        seconds = "" if warm is None else f"{warm:.1f}"
        start, end = (
            f"{100 * one.value:.0f} % [{100 * one.low:.0f}, {100 * one.high:.0f}] of {one.n}"
            for one in (found["start"], found["end"])
        )
        print(f"| {way} | {seconds} | {memory:.2f} | {start} | {end} | {found['slope'].value:.2e} |", flush=True)
        (options.out / "report.json").write_text(json.dumps({"n": options.n, "ways": report}, indent=1) + "\n")
        sheet = contact_sheet(clips, [case.prompt for case in cases], columns=12, scale=1)
        Image.fromarray(sheet).save(options.out / f"{way.replace(' ', '-').replace(',', '')}.png")
    draw(curves, setting.fps, options.out / "minute.png")


if __name__ == "__main__":
    main(tyro.cli(Options, description=__doc__))
