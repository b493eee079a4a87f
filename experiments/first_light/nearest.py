# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""A quick look at identity while a run goes on: one picture of each thing on a plain ground, and which thing it is
nearest to. Rougher and far faster than evaluate.py, and with one seed a prompt.

python experiments/first_light/nearest.py --model runs/axes_one/model --out runs/nearest.png
"""

import dataclasses
from pathlib import Path

import cv2
import numpy as np
import tyro
from PIL import Image

from vidgen.compilation import enable_compilation_cache
from vidgen.sample.autoencoder import load_autoencoder
from vidgen.sample.pipeline import assemble
from vidgen.worlds.sprites import CELL, CONTENT, FIRST_LIGHT, load_atlas

SIZES = (27.0, 29.5, 32.0)
GRID = 96
BATCH = 28
NO_ARTICLE, THE = ("Santa Claus",), ("earth", "moon", "sun")


@dataclasses.dataclass(frozen=True)
class Options:
    """model: a folder with dit.safetensors and vae.safetensors. out: a sheet of pictures. Others: of the sampler."""

    model: Path
    out: Path = Path("runs/nearest.png")
    guidance: float = 4.0
    steps: int = 16
    shift: float = 3.0


def named(concept: str) -> str:
    """With its article."""
    article = "" if concept in NO_ARTICLE else "the " if concept in THE else "an " if concept[0] in "aeiou" else "a "
    return article + concept


def ranking(picture_HWC: np.ndarray) -> list[str]:
    """Concepts by how much of the picture's squared difference to its ground each explains, at its best place."""
    border = np.concatenate([picture_HWC[0], picture_HWC[-1], picture_HWC[:, 0], picture_HWC[:, -1]])
    ground = np.median(border.astype(np.float32), axis=0)
    seen = np.fft.rfft2(picture_HWC - ground, s=(GRID, GRID), axes=(0, 1))
    atlas, explained = load_atlas(), {}
    for concept in FIRST_LIGHT:
        for size in SIZES:
            side = round(size / CONTENT * CELL)
            image = cv2.resize(
                atlas.images_NHWC[atlas.index(concept)].astype(np.float32), (side, side), interpolation=cv2.INTER_AREA
            )
            difference = image[..., 3:] / 255 * (image[..., :3] - ground)
            wanted = np.fft.rfft2(difference, s=(GRID, GRID), axes=(0, 1)).conj()
            best = 2 * np.fft.irfft2((seen * wanted).sum(-1), s=(GRID, GRID)).max() - np.square(difference).sum()
            explained[concept] = max(explained.get(concept, -np.inf), best)
    return sorted(explained, key=lambda concept: -explained[concept])


def main(options: Options) -> None:
    """Prints the shares of pictures whose named thing is nearest, or among the nearest five."""
    enable_compilation_cache()
    pipeline = assemble(load_autoencoder(options.model / "vae.safetensors"), options.model / "dit.safetensors")
    prompts = [f"{named(c)} on a {('yellow', 'blue')[i % 2]} background" for i, c in enumerate(FIRST_LIGHT)]
    clips = [
        pipeline.generate(
            prompts[at : at + BATCH], frames=1, width=64, height=64, steps=options.steps, guidance=options.guidance,
            seed=at, shift=options.shift,
        )
        for at in range(0, len(prompts), BATCH)
    ]  # fmt: skip
    pictures = np.concatenate(clips)[:, 0]
    places = np.array([ranking(p).index(c) for p, c in zip(pictures, FIRST_LIGHT, strict=True)])
    Image.fromarray(
        np.concatenate([np.concatenate(list(row), axis=1) for row in pictures.reshape(-1, 16, 64, 64, 3)])
    ).save(options.out)
    print(f"{len(places)} pictures: nearest {np.mean(places < 1):.1%}, in five {np.mean(places < 5):.1%}; chance 0.9 %")


if __name__ == "__main__":
    main(tyro.cli(Options))
