# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""First light with tokens of 8 pixels: identity, mostly from pictures of one thing on a plain ground with few words.

vidgen train experiments/first_light/images_one.py --workdir runs/images_one

Two CPU cores, 15 minutes; no paper's row. Measured 2026-11-25: flow loss 0.31 on these, 3 of 48 named things found.
The shipped weights took their text encoder from another run: clips.py, then 951 steps of 128 images at 2e-3.
"""

import dataclasses
from pathlib import Path

from vidgen.config import load_experiment
from vidgen.train.dit import DiTTraining, LatentData
from vidgen.worlds.places import PLAIN
from vidgen.worlds.scene import FIRST_LIGHT_SCENES

ONE = LatentData(
    "images_of_one",
    dataclasses.replace(FIRST_LIGHT_SCENES, frames=1, objects=(1, 1), object_weights=None, places=tuple(PLAIN)),
    count=49_152,
    batch_size=64,
    text_length=10,
    weight=0.7,
    shift=1.5,
)


def get_config() -> DiTTraining:
    """The same network, with pictures of one thing more than twice as often as others."""
    images: DiTTraining = load_experiment(Path(__file__).with_name("images_fine.py"))
    return dataclasses.replace(
        images,
        data=(ONE, dataclasses.replace(images.data[0], weight=0.3)),
        start_from="runs/images_fine/model/dit.safetensors",
        loop=dataclasses.replace(images.loop, steps=1758),
    )
