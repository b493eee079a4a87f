# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""`vidgen edit` and `vidgen inpaint`: a video is made again after another prompt, as a whole or in parts."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from vidgen.cli import making

if TYPE_CHECKING:
    import numpy as np

    from vidgen.sample.card import Card

DESCRIPTION = "Makes a video again after another prompt; its layout stays, the more so the less strength."
EXAMPLES = """
examples:
  vidgen edit dog.mp4 "a cat in a meadow" --out cat.mp4
  vidgen edit dog.mp4 "a dog in the snow" --strength 0.95 --out snow.mp4
"""
INPAINT_DESCRIPTION = "Makes a part of a video again: a box, a time, or all but these."
INPAINT_EXAMPLES = """
examples:
  vidgen inpaint dog.mp4 "a dog and a balloon" --box 0.5,0,0.5,1 --out balloon.mp4
  vidgen inpaint dog.mp4 "a dog in the snow" --box 0.25,0.25,0.5,0.5 --keep --out snow.mp4
  vidgen inpaint dog.mp4 "a dog jumps" --start 0.5 --end 1.5 --out jump.mp4
"""


@dataclass(frozen=True)
class Edit(making.Making):
    """Options of the command."""

    video: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="VIDEO")]
    """The video, of any size, rate and format."""
    prompt: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="PROMPT")]
    """What to show instead, in quotes."""
    strength: Annotated[float, tyro.conf.arg(metavar="X")] = 0.9
    """How far to go from the video, above 0 and at most 1, which leaves nothing of it."""


@dataclass(frozen=True)
class Inpaint(making.Making):
    """Options of the command."""

    video: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="VIDEO")]
    """The video, of any size, rate and format."""
    prompt: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="PROMPT")]
    """What to show, in quotes."""
    box: Annotated[str, tyro.conf.arg(metavar="X,Y,W,H")] = "0,0,1,1"
    """Left, top, width and height of what is made again, as shares of the frame."""
    start: Annotated[float, tyro.conf.arg(metavar="S")] = 0.0
    """From when on it is made again, in seconds."""
    end: Annotated[float | None, tyro.conf.arg(metavar="S", help_behavior_hint="(default: the video's end)")] = None
    """Until when."""
    keep: Annotated[bool, tyro.conf.arg(help_behavior_hint="(default: off)")] = False
    """Keep what the box and the times say, and make all else again."""


def run(argv: Sequence[str]) -> None:
    """Runs `vidgen edit`; bad input is a `ValueError` or an `OSError`."""
    options = making.parse(Edit, argv, "edit", DESCRIPTION, EXAMPLES)
    files = making.output_files(options.prompt, options.out, inputs=(options.video,))
    if not 0 < options.strength <= 1:
        raise ValueError(f"--strength must be above 0 and at most 1, got {options.strength:g}.")
    options.check()
    card, width, height = making.choose_model(options, options.prompt)
    video = read_within(options.video, width, height, card)
    prompt = options.prompt.strip()

    from vidgen.sample import compose

    making.make(
        options,
        files,
        card,
        f"making {len(video)} frames",
        lambda model: [compose.edit(model, video, prompt, options.strength, **options.sampling())],
        action="edit",
        prompts=[prompt],
        inputs=(options.video,),
    )


def run_inpaint(argv: Sequence[str]) -> None:
    """Runs `vidgen inpaint`; bad input is a `ValueError` or an `OSError`."""
    options = making.parse(Inpaint, argv, "inpaint", INPAINT_DESCRIPTION, INPAINT_EXAMPLES)
    files = making.output_files(options.prompt, options.out, inputs=(options.video,))
    box = parse_box(options.box)
    if not 0 <= options.start < (options.end or float("inf")):
        raise ValueError(f"--start must be 0 or more and before --end, got {options.start:g}.")
    options.check()
    card, width, height = making.choose_model(options, options.prompt)
    video = read_within(options.video, width, height, card)
    marked = mark(video, box, options, card.fps)
    making.note_untrained(card, "box", "to fill in parts of videos")
    prompt = options.prompt.strip()

    from vidgen.sample import compose

    making.make(
        options,
        files,
        card,
        f"making {len(video)} frames",
        lambda model: [compose.inpaint(model, video, marked, prompt, **options.sampling())],
        action="inpaint",
        prompts=[prompt],
        inputs=(options.video,),
    )


def read_within(path: Path, width: int, height: int, card: "Card") -> "np.ndarray":
    """A video fitted to the model, and cut to the longest that it takes; a note if that left something out."""
    from vidgen.sample.pipeline import GROUP

    video = making.read_fitted(path, width, height, card.fps)
    frames = min(len(video) - (len(video) - 1) % GROUP, card.max_frames)
    if frames < len(video):
        making.note(f"{path} has {len(video)} frames at {card.fps} a second; the first {frames} are taken.")
    return video[:frames]


def parse_box(text: str) -> tuple[float, float, float, float]:
    """Reads "0.5,0,0.5,1" as shares of the frame."""
    parts = [part.strip() for part in text.split(",")]
    numbers = [float(part) for part in parts if re.fullmatch(r"[01]|[01]?\.\d+|1\.0*", part)]
    if len(parts) != 4 or len(numbers) != 4 or min(numbers[2:]) <= 0 or max(numbers) > 1:
        raise ValueError(
            f"--box must be left, top, width and height as shares of the frame, such as 0.5,0,0.5,1, got {text!r}."
        )
    return numbers[0], numbers[1], numbers[2], numbers[3]


def mark(video_FHWC: "np.ndarray", box: tuple[float, float, float, float], options: Inpaint, fps: int) -> "np.ndarray":
    """What is to be made again: bool [F, H, W]."""
    import numpy as np

    F, H, W, _ = video_FHWC.shape
    left, top, width, height = box
    begin = round(options.start * fps)
    end = F if options.end is None else round(options.end * fps)
    marked = np.zeros((F, H, W), bool)
    rows, columns = slice(round(top * H), round((top + height) * H)), slice(round(left * W), round((left + width) * W))
    marked[begin:end, rows, columns] = True
    if options.keep:
        marked = ~marked
    if not marked.any():
        raise ValueError(f"Nothing is to be made again: the video has {F / fps:g} seconds; look at --box and --start.")
    return marked
