# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""First light with tokens of 8 pixels: what things look like, from single frames (64 tokens each), from random weights.

vidgen train experiments/first_light/images_fine.py --workdir runs/images_fine

Two CPU cores, 20 minutes; no paper's row. Measured 2026-11-25: flow loss 0.53, and no named thing found in 72.
The shipped weights had `pooled_text` from step 972 on, with a new layer that started at zero.
"""

import dataclasses
from pathlib import Path

from vidgen.config import load_experiment
from vidgen.models.dit import DiTConfig
from vidgen.train.dit import DiTTraining, LatentData
from vidgen.train.loop import LoopConfig
from vidgen.train.optim import OptimConfig
from vidgen.worlds.scene import FIRST_LIGHT_SCENES

IMAGES = LatentData(
    "images",
    dataclasses.replace(FIRST_LIGHT_SCENES, frames=1),
    count=131_072,
    batch_size=64,
    text_length=24,
    shift=1.5,
)
DIT = DiTConfig(patch=(1, 1, 1), width=192, heads=3, hidden=768, pooled_text=True, remat="dots")


def get_config() -> DiTTraining:
    """A quarter of the pixels in a token, and a network narrow enough that a picture costs about the same."""
    first: DiTTraining = load_experiment(Path(__file__).with_name("images.py"))
    return dataclasses.replace(
        first,
        vae="runs/vae_refine/model/vae.safetensors",
        cache="runs/latents_refined",
        model=DIT,
        data=(IMAGES,),
        optim=OptimConfig(lr=2e-3, warmup=100, b2=0.98, ema=0.999, cooldown=0.0, lr_end=1.0),
        loop=LoopConfig(steps=1827, log_every=25, eval_every=500, save_every=250),
    )
