# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""`vidgen extend`: a video goes on, or is told how it came about."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from vidgen.cli import making

DESCRIPTION = "Adds new frames after a video, or before it."
EXAMPLES = """
examples:
  vidgen extend astronaut.mp4 "an astronaut moves to the right across the moon" --seconds 1 --out longer.mp4
  vidgen extend astronaut.mp4 "an astronaut on the moon" --before --out from-the-start.mp4
"""


@dataclass(frozen=True)
class Extend(making.Making):
    """Options of the command."""

    video: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="VIDEO")]
    """The video, of any size, rate and format."""
    prompt: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="PROMPT")]
    """What to show, in quotes."""
    seconds: Annotated[float, tyro.conf.arg(metavar="S")] = 1.0
    """How much longer the video becomes."""
    before: Annotated[bool, tyro.conf.arg(help_behavior_hint="(default: after it)")] = False
    """Add what comes before the video, not after it."""


def run(argv: Sequence[str]) -> None:
    """Runs the command; bad input is a `ValueError` or an `OSError`."""
    options = making.parse(Extend, argv, "extend", DESCRIPTION, EXAMPLES)
    files = making.output_files(options.prompt, options.out, inputs=(options.video,))
    making.check_seconds(options.seconds, "more than 0")
    options.check()
    card, width, height = making.choose_model(options, options.prompt)
    video = making.read_fitted(options.video, width, height, card.fps)
    making.note_untrained(card, "ends", "to go on from given frames")
    frames = max(1, round(options.seconds * card.fps))

    from vidgen.sample import compose

    making.make(
        options,
        files,
        card,
        f"making {frames} frames",
        lambda model: [
            compose.extend(
                model, video, options.prompt.strip(), frames, card.frames, options.before, **options.sampling()
            )
        ],
        action="extend",
        prompts=[options.prompt.strip()],
        inputs=(options.video,),
    )
