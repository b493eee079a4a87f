# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""`vidgen connect` and `vidgen loop`: new frames that lead from the end of one video to the beginning of another, or to
its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import tyro

from vidgen.cli import making

DESCRIPTION = "Joins two videos by new frames that lead from one to the other."
EXAMPLES = """
examples:
  vidgen connect dog.mp4 cat.mp4 "a dog and a cat in a meadow" --out both.mp4
  vidgen connect dog.mp4 cat.mp4 "a dog and a cat" --seconds 0.5 --out both.gif
"""
LOOP_DESCRIPTION = "Adds new frames that lead back to a video's beginning, so that it can be shown without end."
LOOP_EXAMPLES = """
examples:
  vidgen loop astronaut.mp4 "an astronaut moves across the moon" --out endless.gif
"""


_Guidance = Annotated[float | None, tyro.conf.arg(metavar="W", help_behavior_hint="(default: 1 without --negative)")]


@dataclass(frozen=True)
class Connect(making.Making):
    """Options of the command."""

    first: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="FIRST")]
    """The video to begin with, of any size, rate and format."""
    second: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="SECOND")]
    """The video to end with."""
    prompt: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="PROMPT")]
    """What to show, in quotes."""
    seconds: Annotated[float, tyro.conf.arg(metavar="S")] = 1.0
    """How much time lies between them."""
    guidance: _Guidance = field(default=None, kw_only=True)
    """How strongly the prompt pulls; 1 turns guidance off, so that both videos say what is between them."""


@dataclass(frozen=True)
class Loop(making.Making):
    """Options of the command."""

    video: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="VIDEO")]
    """The video, of any size, rate and format."""
    prompt: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="PROMPT")]
    """What to show, in quotes."""
    seconds: Annotated[float, tyro.conf.arg(metavar="S")] = 1.0
    """How long the way back is."""
    guidance: _Guidance = field(default=None, kw_only=True)
    """How strongly the prompt pulls; 1 turns guidance off, so that the video says what leads back to it."""


def run(argv: Sequence[str]) -> None:
    """Runs `vidgen connect`; bad input is a `ValueError` or an `OSError`."""
    options = making.parse(Connect, argv, "connect", DESCRIPTION, EXAMPLES)
    _lead(options, options.first, options.second)


def run_loop(argv: Sequence[str]) -> None:
    """Runs `vidgen loop`; bad input is a `ValueError` or an `OSError`."""
    options = making.parse(Loop, argv, "loop", LOOP_DESCRIPTION, LOOP_EXAMPLES)
    _lead(options, options.video, None)


def _lead(options: Connect | Loop, first: Path, second: Path | None) -> None:
    """second: None leads back to the first."""
    files = making.output_files(options.prompt, options.out, inputs=(first, second))
    making.check_seconds(options.seconds, "more than 0")
    options.check()
    card, width, height = making.choose_model(options, options.prompt)
    videos = [making.read_fitted(path, width, height, card.fps) for path in (first, second) if path is not None]
    making.note_untrained(card, "ends", "to go on from given frames")
    prompt = options.prompt.strip()

    from vidgen.sample import compose
    from vidgen.sample.pipeline import GROUP, Pipeline, frames_for_seconds

    frames = max(GROUP, frames_for_seconds(options.seconds, card.fps) - 1)
    # As long as the model knows best, or longer where a group of each clip would not fit beside what is asked for.
    window = min(card.max_frames, max(card.frames, 1 + frames + 2 * GROUP))

    def work(model: Pipeline) -> list:
        if second is None:
            return [compose.loop(model, videos[0], prompt, frames, window, **options.sampling())]
        return [compose.connect(model, videos[0], videos[1], prompt, frames, window, **options.sampling())]

    making.make(
        options,
        files,
        card,
        f"making {frames} frames",
        work,
        action="loop" if second is None else "connect",
        prompts=[prompt],
        inputs=(first, second),
    )
