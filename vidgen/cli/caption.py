# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""`vidgen caption`: says in words what videos show."""

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from vidgen.config import parse_arguments

if TYPE_CHECKING:
    import numpy as np

    from vidgen.sample.captioner import CaptionerCard

DESCRIPTION = """\
Says in words what videos and pictures show, of any size, rate and format. A
video longer than those that the captioner was trained on is described part by
part, each with its time.
"""
EXAMPLES = """
examples:
  vidgen caption astronaut.mp4
  vidgen caption astronaut.mp4 rocket.gif --style short
  vidgen caption story.mp4 --style events
  vidgen caption clips/*.mp4 --json
"""
PICTURES = frozenset({".png", ".jpg", ".jpeg", ".bmp"})


@dataclass(frozen=True)
class Caption:
    """Options of the command."""

    videos: Annotated[
        tyro.conf.Positional[tuple[Path, ...]], tyro.conf.arg(metavar="VIDEO ...", help_behavior_hint="(required)")
    ]
    """The videos or pictures."""
    style: Literal["short", "descriptive", "events"] = "descriptive"
    """What is there; everything; or what happens and when, as a storyboard takes it."""
    beams: Annotated[int, tyro.conf.arg(metavar="N")] = 1
    """Texts that are kept side by side while the best one is looked for; 1 takes the likeliest word each time."""
    temperature: Annotated[float, tyro.conf.arg(metavar="T")] = 0.0
    """Above 0 words are drawn: another seed, other words."""
    seed: Annotated[int, tyro.conf.arg(metavar="N")] = 0
    """The start of the random numbers."""
    model: Annotated[str, tyro.conf.arg(metavar="NAME|DIR")] = "default"
    """The captioner: "default" ships in the package, or the folder of one that you trained."""
    json: Annotated[bool, tyro.conf.arg(help_behavior_hint="(default: off)")] = False
    """Print one JSON object instead of text."""


@dataclass(frozen=True)
class Part:
    """A piece of a video: its file, when it begins and ends in seconds, and its frames, uint8 [F, H, W, 3]."""

    file: Path
    start: float
    end: float
    frames_FHWC: "np.ndarray"


def run(argv: Sequence[str]) -> None:
    """Runs the command; bad input is a `ValueError` or an `OSError`."""
    options: Caption = parse_arguments(
        Caption,
        argv,
        prog="vidgen caption",
        description=DESCRIPTION,
        epilog=EXAMPLES,
        markers=(tyro.conf.FlagCreatePairsOff,),
    )
    if not options.videos:
        raise ValueError("No video was given: name one at least, such as astronaut.mp4.")
    if not 0 <= options.seed < 2**32:
        raise ValueError(f"--seed must be from 0 to {2**32 - 1}, got {options.seed}.")
    if missing := [file for file in options.videos if not file.is_file()]:
        raise FileNotFoundError(f"There is no video {str(missing[0])!r}.")

    from vidgen.compilation import enable_compilation_cache
    from vidgen.sample.captioner import load_captioner

    began = time.perf_counter()
    captioner = load_captioner(options.model)
    how = captioner.decoding(beams=options.beams, temperature=options.temperature)
    parts = [part for file in options.videos for part in read_parts(file, captioner.card)]
    enable_compilation_cache()
    # One clip alone need not wait for a batch.
    clips, size = [part.frames_FHWC for part in parts], 16 if len(parts) > 1 else 1
    texts = captioner.captions(clips, options.style, how, options.seed, size)
    if options.json:
        rows = [
            {"file": str(part.file), "start": part.start, "end": part.end, "caption": text}
            for part, text in zip(parts, texts, strict=True)
        ]
        report = {"captions": rows, "style": options.style, "model": captioner.card.name, "hash": captioner.hash()}
        print(json.dumps(report | {"seconds": round(time.perf_counter() - began, 2)}))
        return
    for part, text in zip(parts, texts, strict=True):
        name = f"{part.file}: " if len(options.videos) > 1 else ""
        several = sum(one.file == part.file for one in parts) > 1
        when = f"{part.start:g} to {part.end:g} s: " if several else ""
        print(f"{name}{when}{text or '(nothing)'}")


def read_parts(file: Path, card: "CaptionerCard") -> list[Part]:
    """A video of any kind, fitted to what a captioner reads, in pieces of at most the frames that it knows."""
    width, height = card.size
    if file.suffix.lower() in PICTURES:
        from vidgen.cli.making import read_picture

        return [Part(file, 0.0, 0.0, read_picture(file, width, height)[None])]

    from vidgen.data.video import VideoError, read_video

    try:
        video = read_video(file, width, height, card.fps)
    except VideoError as error:
        raise ValueError(str(error)) from error
    # A piece begins with the last frame of the one before it: n frames are n - 1 steps of time.
    step = max(1, card.frames - 1)
    starts = range(0, max(1, len(video) - 1), step)
    pieces = [(start, video[start : start + card.frames]) for start in starts]
    return [Part(file, at / card.fps, (at + len(piece) - 1) / card.fps, piece) for at, piece in pieces]
