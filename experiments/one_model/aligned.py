# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""One model for all worlds: the first light's transformer gets used to the VAE of all worlds.

vidgen train experiments/one_model/aligned.py --workdir runs/one_aligned

Two CPU cores; no paper's row. Not run yet. Without it the model finds 64.8 % of 400 named things through the new VAE,
and 69.8 % through the old one.
"""

import dataclasses
from pathlib import Path

from vidgen.config import load_experiment
from vidgen.train.dit import DiTTraining
from vidgen.train.loop import LoopConfig
from vidgen.train.optim import OptimConfig


def get_config() -> DiTTraining:
    """The same scenes in new latents, few steps, and a learning rate that only goes down."""
    before: DiTTraining = load_experiment(Path(__file__).parents[1] / "first_light" / "cells_pairs.py")
    pairs, clips, pictures = before.data
    return dataclasses.replace(
        before,
        vae="runs/one_vae/model/vae.safetensors",
        cache="runs/latents_aligned",
        start_from="vidgen/assets/default/dit.safetensors",
        data=(
            dataclasses.replace(pairs, count=3_072),
            dataclasses.replace(clips, count=2_048),
            dataclasses.replace(pictures, count=3_072),
        ),
        optim=OptimConfig(lr=6e-4, warmup=15, b2=0.98, ema=0.99, cooldown=0.95, lr_end=0.02),
        loop=LoopConfig(steps=300, log_every=25, eval_every=0, save_every=100),
    )
