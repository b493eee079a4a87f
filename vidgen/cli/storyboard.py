# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""`vidgen storyboard`: several prompts with times on one time line, made in one pass."""

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import tyro

from vidgen.cli import making
from vidgen.cli.generate import frames_within

DESCRIPTION = "Makes one video of several prompts, each from its own time on; all is made at once, not part by part."
EXAMPLES = """
examples:
  vidgen storyboard "0: a dog in a meadow" "1: a dog moves to the right across a meadow" --out dog.mp4
  vidgen storyboard "0: a rocket stands in the desert" "0.5: a rocket moves up" "1.5: a red background" --out rocket.gif
"""


@dataclass(frozen=True)
class Storyboard(making.Making):
    """Options of the command."""

    shots: Annotated[
        tyro.conf.Positional[tuple[str, ...]],
        tyro.conf.arg(metavar="TIME:PROMPT ...", help_behavior_hint="(required)"),
    ]
    """From when on, in seconds, and what to show, in quotes; the first from 0."""
    seconds: Annotated[
        float | None, tyro.conf.arg(metavar="S", help_behavior_hint="(default: as the model knows clips best)")
    ] = None
    """How long the video is."""


def run(argv: Sequence[str]) -> None:
    """Runs the command; bad input is a `ValueError` or an `OSError`."""
    options = making.parse(Storyboard, argv, "storyboard", DESCRIPTION, EXAMPLES)
    if not options.shots:
        raise ValueError('No prompt was given: give at least one with its time, such as "0: a dog in a meadow".')
    shots = [_shot(text) for text in options.shots]
    everything = " ".join(prompt for _, prompt in shots)
    files = making.output_files(everything, options.out)
    options.check()
    card, width, height = making.choose_model(options, *(prompt for _, prompt in shots))
    seconds = (card.frames - 1) / card.fps if options.seconds is None else options.seconds
    making.check_seconds(seconds, "more than 0")
    frames = frames_within(card, seconds)
    _check_order([time for time, _ in shots], seconds)
    making.note_untrained(card, "storyboard", "on several prompts in one video")

    from vidgen.sample import compose

    told = [compose.Shot(round(time * card.fps), prompt) for time, prompt in shots]
    size = {"frames": frames, "width": width, "height": height}
    making.make(
        options,
        files,
        card,
        f"making {frames} frames of {len(told)} prompts",
        lambda model: [compose.storyboard(model, told, **size, **options.sampling())],
        action="storyboard",
        prompts=[prompt for _, prompt in shots],
    )


def _shot(text: str) -> tuple[float, str]:
    """Reads "1.5: a dog" as (1.5, "a dog")."""
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*s?\s*:\s*(.*\S)\s*", text, re.DOTALL)
    if match is None:
        raise ValueError(f'A shot is a time in seconds and a prompt, such as "1.5: a dog in a meadow", got {text!r}.')
    return float(match[1]), match[2]


def _check_order(times: Sequence[float], seconds: float) -> None:
    """Raises a `ValueError` for times that do not begin at 0, go back, or reach the end."""
    if times[0] != 0 or any(after <= before for before, after in itertools.pairwise(times)):
        raise ValueError(
            f"Shots must begin at 0 and come in the order of time, got {', '.join(f'{t:g}' for t in times)}."
        )
    if times[-1] >= seconds:
        raise ValueError(f"The shot at {times[-1]:g} seconds lies outside of a video of {seconds:g}.")
