# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""First light on a grid: motion, from clips (80 tokens each), with images between.

vidgen train experiments/first_light/grid_clips.py --workdir runs/grid_clips

Two CPU cores, 39 minutes; no paper's row. Measured 2026-11-26: things in motion are told, and each frame stands alone.
The weights went on to grid_motion.py from two runs: 1,441 steps set for 4,100, without the frame among the coordinates
and with weights 0.7 and 0.3; then this file's config for 989 steps, with a new layer's rows that started at zero.
"""

import dataclasses
from pathlib import Path

from vidgen.config import load_experiment
from vidgen.train.dit import DiTTraining
from vidgen.train.loop import LoopConfig
from vidgen.train.optim import OptimConfig
from vidgen.train.streams import LatentData
from vidgen.worlds.scene import FIRST_LIGHT_ON_GRID

CLIPS = LatentData("clips", FIRST_LIGHT_ON_GRID, count=12_288, batch_size=32, text_length=32, weight=0.8, shift=6.0)
PROMPTS = (
    "an astronaut moves to the right across the moon",
    "a rocket rises up in the night sky",
    "a dog runs to the left across a meadow",
    "a cat to the left of a dog on a yellow background",
    "a ringed planet hangs in the night sky",
    "an alien moves right across the sand of the desert",
    "a comet falls down on a black background",
    "the moon to the right of the Earth on a blue background",
)


def get_config() -> DiTTraining:
    """Goes on from the images; the learning rate goes down for most of the run."""
    images: DiTTraining = load_experiment(Path(__file__).with_name("grid_images.py"))
    return dataclasses.replace(
        images,
        start_from="runs/grid_images/model/dit.safetensors",
        text_from="",
        data=(CLIPS, dataclasses.replace(images.data[0], weight=0.2)),
        optim=OptimConfig(lr=2e-3, warmup=50, b2=0.98, ema=0.998, cooldown=0.6, lr_end=0.02),
        loop=LoopConfig(steps=3000, log_every=25, eval_every=400, save_every=200),
        prompts=PROMPTS,
    )
