# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""First light, stage 3: identity, from many more single frames of things of nearly one size, at a higher learning rate.

vidgen train experiments/first_light/images_more.py --workdir runs/images_more

Two CPU cores, MINUTES minutes; no paper's row. Measured 2026-11-24: LOSS.
"""

import dataclasses
from pathlib import Path

from vidgen.config import load_experiment
from vidgen.train.dit import DiTTraining, LatentData
from vidgen.train.loop import LoopConfig
from vidgen.train.optim import OptimConfig
from vidgen.worlds.scene import FIRST_LIGHT_SCENES

IMAGES = LatentData(
    "images",
    dataclasses.replace(FIRST_LIGHT_SCENES, frames=1),
    count=131_072,
    batch_size=128,
    text_length=24,
    shift=1.5,
)


def get_config() -> DiTTraining:
    """Goes on from the clips' weights, with the latents of the refined VAE."""
    first: DiTTraining = load_experiment(Path(__file__).with_name("images.py"))
    return dataclasses.replace(
        first,
        vae="runs/vae_refine/model/vae.safetensors",
        cache="runs/latents_refined",
        start_from="runs/clips/model/dit.safetensors",
        data=(IMAGES,),
        optim=OptimConfig(lr=2e-3, warmup=100, b2=0.98, ema=0.999, cooldown=0.0, lr_end=1.0),
        loop=LoopConfig(steps=5000, log_every=25, eval_every=500, save_every=250),
    )
