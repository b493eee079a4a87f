# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""One model for all worlds, first part: the VAE on every kind of scene and story.

vidgen train experiments/one_model/vae.py --workdir runs/one_vae

Two CPU cores; no paper's row. Not finished: 3,281 of 10,000 steps, 0.4 s each; 28.04 dB on 16 held-out clips after
3,000.
"""

import dataclasses
from pathlib import Path

from vidgen.config import load_experiment
from vidgen.train.optim import OptimConfig
from vidgen.train.vae import VAETraining
from vidgen.worlds.holdout import SplitConfig
from vidgen.worlds.scene import FIRST_LIGHT_ON_GRID, SceneConfig
from vidgen.worlds.story import StoryConfig

GRID = dataclasses.replace(FIRST_LIGHT_ON_GRID, concepts=None, split="all")
SCENES = SplitConfig((SceneConfig(), GRID, StoryConfig()), axes=("pair",))
"""Scenes of one to four things with all motions and cameras, things on the grid, and stories; all concepts."""


def get_config() -> VAETraining:
    """The first light's network, encoder and decoder, from its weights; the learning rate goes down to the end."""
    still: VAETraining = load_experiment(Path(__file__).parents[1] / "first_light" / "vae_still.py")
    return dataclasses.replace(
        still,
        start_from="runs/vae_decoder/model/vae.safetensors",
        align=True,
        scenes=SCENES,
        loss=dataclasses.replace(still.loss, square=4.0, structure=0.2),
        optim=OptimConfig(lr=1.2e-3, warmup=100, ema=0.998, cooldown=0.9, lr_end=0.01),
        loop=dataclasses.replace(still.loop, steps=10_000, eval_every=1000),
    )
