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
from vidgen.train.vae import VAETraining
from vidgen.worlds.scene import SceneConfig

SCENES = SceneConfig(
    objects=(1, 2), motions=("still", "left", "right", "up", "down"), cameras=("still",), split="train"
)


def get_config() -> VAETraining:
    """The same network on easier scenes, with the learning rate going down."""
    first: VAETraining = load_experiment(Path(__file__).with_name("vae.py"))
    return dataclasses.replace(
        first,
        start_from="runs/vae/model/vae.safetensors",
        scenes=SCENES,
        optim=OptimConfig(lr=1e-3, warmup=50, ema=0.998, cooldown=0.6, lr_end=0.02),
        loop=dataclasses.replace(first.loop, steps=4500),
    )
