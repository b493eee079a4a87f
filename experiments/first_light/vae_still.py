# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The patch VAE, fourth part: frame 0 as a group that stands still, so that images and clips share their latents.

vidgen train experiments/first_light/vae_still.py --workdir runs/vae_still

Two CPU cores, 13 minutes; no paper's row. Measured 2026-11-26: 29.17 dB on 16 held-out clips of all concepts.
It starts from vae_refine.py, trained when frame 0 had layers of its own: those were dropped, and the layers of all
other groups (now `pixels`) serve frame 0 too.
"""

import dataclasses
from pathlib import Path

from vidgen.config import load_experiment
from vidgen.train.optim import OptimConfig
from vidgen.train.vae import VAETraining
from vidgen.worlds.scene import FIRST_LIGHT_ON_GRID


def get_config() -> VAETraining:
    """All concepts, on the grid that the transformer is trained on; the learning rate goes down for most of the run."""
    refine: VAETraining = load_experiment(Path(__file__).with_name("vae_refine.py"))
    return dataclasses.replace(
        refine,
        start_from="runs/vae_refine/model/vae.safetensors",
        scenes=dataclasses.replace(FIRST_LIGHT_ON_GRID, concepts=None),
        optim=OptimConfig(lr=7e-4, warmup=50, ema=0.995, cooldown=0.8, lr_end=0.02),
        loop=dataclasses.replace(refine.loop, steps=1500),
    )
