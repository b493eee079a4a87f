# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The README's contact sheet: one clip of each of nine prompts, seed 0, not chosen.

python experiments/first_light/gallery.py --out docs/gallery.png
"""

import dataclasses
from pathlib import Path

import tyro
from PIL import Image

from vidgen.compilation import enable_compilation_cache
from vidgen.config import load_experiment
from vidgen.sample.captioner import load_captioner
from vidgen.sample.card import Card
from vidgen.sample.export import contact_sheet
from vidgen.sample.pipeline import load_pipeline, prompt_length
from vidgen.sample.upsample import network_writer, upsample

PROMPTS = load_experiment(Path(__file__).with_name("grid_clips.py")).prompts
SORA = "a solitary astronaut walking across the moon, Earth like a blue marble in the distance"
"""The prompt of the article; it is expanded first, as short prompts are."""


@dataclasses.dataclass(frozen=True)
class Options:
    """Which model, and where to."""

    model: str = "default"
    """"default", or the folder of a model."""
    seed: int = 0
    """Of the noise."""
    out: Path = Path("docs/gallery.png")
    """The picture to write."""


def main(options: Options) -> None:
    """Samples all prompts in one batch and writes the sheet."""
    enable_compilation_cache()
    pipeline = load_pipeline(options.model)
    card, tokens = Card.from_dict(pipeline.card), prompt_length(options.model)
    write = network_writer(load_captioner())
    expanded = upsample(SORA, write, concepts=card.concepts, tokens=tokens, seed=options.seed)[0].text
    clips = pipeline.generate([*PROMPTS, expanded], frames=17, width=64, height=64, seed=options.seed)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(contact_sheet(list(clips), [*PROMPTS, SORA], scale=2)).save(options.out)


if __name__ == "__main__":
    main(tyro.cli(Options))
