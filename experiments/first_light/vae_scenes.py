# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The patch VAE, second part: the scenes that the first model makes (one or two larger objects, a still camera).

vidgen train experiments/first_light/vae_scenes.py --workdir runs/vae_scenes

Two CPU cores, 20 minutes; no paper's row. Measured 2026-11-23: 27.33 dB, SSIM 0.893 on 500 held-out scenes.
"""

import dataclasses
from pathlib import Path

from vidgen.config import load_experiment
from vidgen.train.optim import OptimConfig
from vidgen.train.vae import VAELossConfig, VAETraining
from vidgen.worlds.scene import FIRST_LIGHT_SCENES


def get_config() -> VAETraining:
    """The same network on easier scenes, with the learning rate going down."""
    first: VAETraining = load_experiment(Path(__file__).with_name("vae.py"))
    return dataclasses.replace(
        first,
        start_from="runs/vae/model/vae.safetensors",
        scenes=dataclasses.replace(FIRST_LIGHT_SCENES, concepts=None),
        loss=VAELossConfig(structure=0.1),
        optim=OptimConfig(lr=1e-3, warmup=50, ema=0.998, cooldown=0.6, lr_end=0.02),
        loop=dataclasses.replace(first.loop, steps=4500),
    )
