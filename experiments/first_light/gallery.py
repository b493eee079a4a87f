# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The README's contact sheet: one clip of each of eight prompts, seed 0, not chosen.

python experiments/first_light/gallery.py --out docs/gallery.png
"""

import dataclasses
from pathlib import Path

import tyro
from PIL import Image

from vidgen.compilation import enable_compilation_cache
from vidgen.config import load_experiment
from vidgen.sample.export import contact_sheet
from vidgen.sample.pipeline import load_pipeline

PROMPTS = load_experiment(Path(__file__).with_name("grid_clips.py")).prompts


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
    clips = pipeline.generate(PROMPTS, frames=17, width=64, height=64, seed=options.seed)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(contact_sheet(list(clips), PROMPTS, scale=2)).save(options.out)


if __name__ == "__main__":
    main(tyro.cli(Options))
