# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""`vidgen generate`: a prompt becomes a video file."""

import contextlib
import json
import math
import os
import re
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from vidgen.config import parse_arguments

if TYPE_CHECKING:
    from vidgen.sample.card import Card

DESCRIPTION = "Makes a video from a prompt."
EXAMPLES = """
examples:
  vidgen generate "an astronaut moves to the right across the moon" --out astronaut.mp4
  vidgen generate "a rocket flies up over the desert" --seconds 1 --out rocket.gif
  vidgen generate "a dog in a meadow" --seconds 0 --out dog.png
  vidgen generate "a cat walks to the left" --count 4 --seed 7 --json
"""

MAX_COUNT = 16
MAX_STEPS = 1000


@dataclass(frozen=True)
class Generate:
    """Options of the command."""

    prompt: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="PROMPT")]
    """What to show, in quotes."""
    out: Annotated[
        Path | None, tyro.conf.arg(metavar="FILE", help_behavior_hint="(default: from the prompt, .mp4)")
    ] = None
    """The file to write: .mp4, .gif, .webp, or .png for a sheet of frames."""
    seconds: Annotated[float, tyro.conf.arg(metavar="S")] = 2.0
    """How long the video is; 0 makes a single picture."""
    size: Annotated[str | None, tyro.conf.arg(metavar="WxH", help_behavior_hint="(default: the model's own)")] = None
    """Width and height in pixels, such as 64x64."""
    seed: Annotated[int, tyro.conf.arg(metavar="N")] = 0
    """The start of the random numbers: another seed, another video of the same prompt."""
    steps: Annotated[int | None, tyro.conf.arg(metavar="N", help_behavior_hint="(default: the model's own)")] = None
    """Steps of the sampler: more take longer and are more exact."""
    guidance: Annotated[float | None, tyro.conf.arg(metavar="W", help_behavior_hint="(default: the model's own)")] = (
        None
    )
    """How strongly the prompt pulls; 1 turns guidance off, and far too much makes pictures harsh."""
    negative: Annotated[str, tyro.conf.arg(metavar="TEXT", help_behavior_hint="(default: nothing)")] = ""
    """What to stay away from."""
    count: Annotated[int, tyro.conf.arg(metavar="N")] = 1
    """How many videos to make of the prompt; their files are numbered."""
    model: Annotated[str, tyro.conf.arg(metavar="NAME|DIR")] = "default"
    """The model: "default" ships in the package, or the folder of one that you trained."""
    json: Annotated[bool, tyro.conf.arg(help_behavior_hint="(default: off)")] = False
    """Print one JSON object instead of text."""


def run(argv: Sequence[str]) -> None:
    """Runs the command; bad input is a `ValueError` or an `OSError`."""
    options: Generate = parse_arguments(
        Generate,
        argv,
        prog="vidgen generate",
        description=DESCRIPTION,
        epilog=EXAMPLES,
        markers=(tyro.conf.FlagCreatePairsOff,),
    )
    # What can be checked without the model comes before the second that importing it takes.
    files = output_files(options)
    check_numbers(options)
    asked_size = parse_size(options.size) if options.size is not None else None

    from vidgen.compilation import enable_compilation_cache
    from vidgen.sample import export, pipeline
    from vidgen.sample.card import Card

    card = Card.from_dict(pipeline.load_card(options.model))
    width, height = asked_size or card.size
    card.check_size(width, height)
    frames = frames_within(card, options.seconds)
    note_unknown_prompt(card, options.prompt)

    started = time.perf_counter()
    enable_compilation_cache()
    with _progress(quiet=options.json) as say:
        say("loading the model")
        loaded = pipeline.load_pipeline(options.model)
        say(f"making {options.count * frames} frames (compiling first, if this size is new)")
        clips_BFHWC = loaded.generate(
            [options.prompt.strip()] * options.count,
            frames=frames,
            width=width,
            height=height,
            steps=pipeline.DEFAULTS.steps if options.steps is None else options.steps,
            guidance=pipeline.DEFAULTS.guidance if options.guidance is None else options.guidance,
            negative=options.negative.strip(),
            seed=options.seed,
        )
        for file, clip_FHWC in zip(files, clips_BFHWC, strict=True):
            export.save(file, clip_FHWC, card.fps)
    spent = round(time.perf_counter() - started, 2)

    if options.json:
        report = {"files": [str(file) for file in files], "frames": frames, "size": [width, height]}
        print(json.dumps(report | {"fps": card.fps, "seed": options.seed, "seconds": spent}))
    else:
        for file in files:
            print(file)


def output_files(options: Generate) -> list[Path]:
    """Returns the files to write, numbered if there are several, after checking that they can be written."""
    if not options.prompt.strip():
        raise ValueError('The prompt is empty: say what to show, such as "a dog in a meadow".')
    if not 1 <= options.count <= MAX_COUNT:
        raise ValueError(f"--count must be from 1 to {MAX_COUNT}, got {options.count}.")

    from vidgen.sample.export import check_suffix

    words = re.findall(r"[a-z0-9]+", options.prompt.lower())
    out = options.out or Path("-".join(words[:8]) or "video").with_suffix(".mp4")
    check_suffix(out)
    if not out.parent.is_dir():
        raise FileNotFoundError(f"There is no folder {str(out.parent)!r} to write {out.name!r} into: make it first.")
    if not os.access(out.parent, os.W_OK | os.X_OK):
        raise PermissionError(f"The folder {str(out.parent)!r} is not writable: choose another with --out.")
    numbers = [""] if options.count == 1 else [f"-{number}" for number in range(1, options.count + 1)]
    files = [out.with_name(f"{out.stem}{number}{out.suffix}") for number in numbers]
    for file in files:
        if file.is_dir():
            raise IsADirectoryError(f"{str(file)!r} is a folder: give --out the name of a file.")
    return files


def check_numbers(options: Generate) -> None:
    """Raises a `ValueError` for a number that no model takes."""
    if not (math.isfinite(options.seconds) and options.seconds >= 0):
        raise ValueError(f"--seconds must be 0 (a picture) or more, got {options.seconds:g}.")
    if options.steps is not None and not 1 <= options.steps <= MAX_STEPS:
        raise ValueError(f"--steps must be from 1 to {MAX_STEPS}, got {options.steps}.")
    if options.guidance is not None and not (math.isfinite(options.guidance) and options.guidance >= 0):
        raise ValueError(f"--guidance must be 0 or more, got {options.guidance:g}.")
    if not 0 <= options.seed < 2**32:
        raise ValueError(f"--seed must be from 0 to {2**32 - 1}, got {options.seed}.")


def parse_size(text: str) -> tuple[int, int]:
    """Reads "64x48" as (64, 48)."""
    match = re.fullmatch(r"\s*(\d{1,6})\s*[xX×]\s*(\d{1,6})\s*", text)
    if match is None:
        raise ValueError(f"--size must be a width and a height in pixels, such as 64x64, got {text!r}.")
    return int(match[1]), int(match[2])


def frames_within(card: "Card", seconds: float) -> int:
    """Returns the number of frames for a duration, or raises a `ValueError` if the model's clips are shorter."""
    from vidgen.sample.pipeline import frames_for_seconds

    longest = (card.max_frames - 1) / card.fps
    if seconds > longest:
        raise ValueError(f"--seconds {seconds:g} is too long: {card.name} makes videos of up to {longest:g} seconds.")
    return frames_for_seconds(seconds, card.fps)


def note_unknown_prompt(card: "Card", prompt: str) -> None:
    """Tells the user, in one line on stderr, if the prompt names nothing that the model has ever seen."""
    if card.concepts and not card.known_in(prompt):
        some = ", ".join(concept.name for concept in card.concepts[:6])
        print(
            f"note: the prompt names none of the {len(card.concepts)} things that {card.name} was trained on "
            f"({some}, ...); vidgen info lists them.",
            file=sys.stderr,
        )


@contextlib.contextmanager
def _progress(quiet: bool) -> Iterator:
    """Yields a function that shows what is going on, in one line that goes away; only at a terminal."""
    if quiet or not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console

    with Console(stderr=True).status("starting") as status:
        yield lambda text: status.update(f"{text} ...")
