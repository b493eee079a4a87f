# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""First light with tokens of 8 pixels: motion, from clips (320 tokens each) and images between. These weights ship.

vidgen train experiments/first_light/clips_fine.py --workdir runs/clips_fine

Two CPU cores, 32 minutes; no paper's row. Measured 2026-11-25: 8.5 % of the named things found.
"""

import dataclasses
from pathlib import Path

from vidgen.config import load_experiment
from vidgen.train.dit import DiTTraining, LatentData
from vidgen.train.loop import LoopConfig
from vidgen.train.optim import OptimConfig
from vidgen.worlds.scene import FIRST_LIGHT_SCENES

CLIPS = LatentData("clips", FIRST_LIGHT_SCENES, count=16_384, batch_size=16, text_length=40, weight=0.5, shift=2.5)


def get_config() -> DiTTraining:
    """Goes on from the images; the learning rate goes down for most of the run."""
    here = Path(__file__)
    images: DiTTraining = load_experiment(here.with_name("images_one.py"))
    clips: DiTTraining = load_experiment(here.with_name("clips.py"))
    return dataclasses.replace(
        images,
        data=(CLIPS, *(dataclasses.replace(data, weight=0.25) for data in images.data)),
        start_from="runs/images_one/model/dit.safetensors",
        optim=OptimConfig(lr=2e-3, warmup=50, b2=0.98, ema=0.999, cooldown=0.7, lr_end=0.02),
        loop=LoopConfig(steps=3000, log_every=25, eval_every=500, save_every=250),
        sample=clips.sample,
        prompts=clips.prompts,
    )
