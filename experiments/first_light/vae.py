# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The patch VAE of the model that ships: 4x8x8 pixels to 32 channels, on clips of all concepts, motions and cameras.

vidgen train experiments/first_light/vae.py --workdir runs/vae

Two CPU cores, 25 minutes; no paper's row. Measured 2026-11-23: 24.5 dB on 16 held-out clips.
"""

from vidgen.models.vae import VAEConfig
from vidgen.train.loop import LoopConfig
from vidgen.train.optim import OptimConfig
from vidgen.train.vae import VAETraining
from vidgen.worlds.scene import SceneConfig


def get_config() -> VAETraining:
    """The plateau of the learning rate; `vae_scenes.py` goes on from here."""
    return VAETraining(
        model=VAEConfig(),
        optim=OptimConfig(lr=1e-3, warmup=50, ema=0.998, cooldown=0.0, lr_end=1.0),
        loop=LoopConfig(steps=4730, log_every=50, eval_every=500, save_every=500),
        scenes=SceneConfig(split="train"),
        batch_size=8,
    )
