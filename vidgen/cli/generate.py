# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""`vidgen generate`: a prompt becomes a video file, from nothing or from a first and a last picture."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from vidgen.cli import making, upsampling

if TYPE_CHECKING:
    from vidgen.sample.card import Card

DESCRIPTION = "Makes a video from a prompt."
EXAMPLES = """
examples:
  vidgen generate "an astronaut moves to the right across the moon" --out astronaut.mp4
  vidgen generate "a rocket flies up over the desert" --seconds 1 --out rocket.gif
  vidgen generate "a dog in a meadow" --seconds 0 --out dog.png
  vidgen generate "the dog walks away" --first-image dog.png --out away.mp4
  vidgen generate "a cat walks to the left" --count 4 --seed 7 --json
  vidgen generate "a dog in a meadow" --upsample-only --variants 3
"""


SECONDS = 2.0


@dataclass(frozen=True)
class Generate(making.Making, upsampling.Upsampling):
    """Options of the command."""

    prompt: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="PROMPT")]
    """What to show, in quotes."""
    seconds: Annotated[
        float | None,
        tyro.conf.arg(metavar="S", help_behavior_hint="(default: 2, or less where the model's clips are shorter)"),
    ] = None
    """How long the video is; 0 makes a single picture."""
    count: Annotated[int, tyro.conf.arg(metavar="N")] = 1
    """How many videos to make of the prompt; their files are numbered."""
    first_image: Annotated[Path | None, tyro.conf.arg(metavar="FILE", help_behavior_hint="(default: none)")] = None
    """A picture that the video begins with."""
    last_image: Annotated[Path | None, tyro.conf.arg(metavar="FILE", help_behavior_hint="(default: none)")] = None
    """A picture that it ends with."""


def run(argv: Sequence[str]) -> None:
    """Runs the command; bad input is a `ValueError` or an `OSError`."""
    options = making.parse(Generate, argv, "generate", DESCRIPTION, EXAMPLES)
    # What can be checked without the model comes before the second that importing it takes.
    files = making.output_files(
        options.prompt, options.out, options.count, inputs=(options.first_image, options.last_image)
    )
    if options.seconds is not None:
        making.check_seconds(options.seconds)
    options.check()
    options.check_upsampling()
    card, width, height = making.choose_model(options, options.prompt)
    own = (card.frames - 1) / card.fps
    frames = frames_within(card, min(SECONDS, own) if options.seconds is None else options.seconds)
    if card.max_frames == 1 and options.out is None:
        files = [file.with_suffix(".png") for file in files]
    prompt = rewritten(options, card)
    if prompt is None:
        return
    told = {"prompt": prompt} if prompt != options.prompt.strip() else {}
    doing = f"making {options.count * frames} frames"
    ends = [path and making.read_picture(path, width, height) for path in (options.first_image, options.last_image)]
    if all(end is None for end in ends):
        size = {"frames": frames, "width": width, "height": height}
        prompts = [prompt] * options.count
        sampling = {**size, **options.sampling()}
        making.make(
            options,
            files,
            card,
            doing,
            lambda model: model.generate(prompts, **sampling),
            action="generate",
            prompts=[prompt],
            told=told,
        )
        return

    from vidgen.sample import compose

    making.note_untrained(card, "ends", "to go on from given pictures")
    seeds = [{**options.sampling(), "seed": options.seed + number} for number in range(options.count)]
    making.make(
        options,
        files,
        card,
        doing,
        lambda model: [compose.animate(model, prompt, frames, *ends, **sampling) for sampling in seeds],
        action="animate",
        prompts=[prompt],
        inputs=(options.first_image, options.last_image),
        told=told,
    )


def rewritten(options: Generate, card: "Card") -> str | None:
    """What the model is shown: the prompt in words that it knows, and a short one as a description. None where that was
    all that was asked for; it is printed then. Raises a `ValueError` if the policy refuses what became of the prompt.
    """
    asked = options.prompt.strip()
    prompt = reworded = upsampling.reword(options, card, asked)
    if upsampling.wanted(options, card, prompt):
        found = upsampling.expand(options, card, prompt, options.seed, tokens_of(options.model))
        if options.upsample_only:
            upsampling.show(options, found, options.json)
            return None
        prompt = found[0].text
    if prompt != asked:
        making.check_prompts(options, prompt)
    if prompt != reworded:
        making.note(f"the prompt became {prompt!r}; --no-upsample leaves it as it is.")
    return prompt


def tokens_of(model: str) -> int:
    """Tokens of a prompt that a model reads; 0 where only its weights could say."""
    from vidgen.sample import pipeline

    return pipeline.prompt_length(model)


def frames_within(card: "Card", seconds: float) -> int:
    """Returns the number of frames for a duration, or raises a `ValueError` if the model's clips are shorter."""
    from vidgen.sample.pipeline import frames_for_seconds

    longest = (card.max_frames - 1) / card.fps
    if seconds > longest:
        raise ValueError(f"--seconds {seconds:g} is too long: {card.name} makes videos of up to {longest:g} seconds.")
    return frames_for_seconds(seconds, card.fps)
