# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""First light in latents whose axes pixels depend on alike: motion. These weights ship.

vidgen train experiments/first_light/axes_clips.py --workdir runs/axes_clips

Two CPU cores, 57 minutes; no paper's row. Measured 2026-11-25: 15.2 % of the named things found.
"""

import dataclasses
from pathlib import Path

from vidgen.config import load_experiment
from vidgen.train.dit import DiTTraining
from vidgen.train.loop import LoopConfig
from vidgen.train.optim import OptimConfig


def get_config() -> DiTTraining:
    """More clips, and the learning rate goes down for most of the run."""
    images: DiTTraining = load_experiment(Path(__file__).with_name("axes_images.py"))
    return dataclasses.replace(
        images,
        data=tuple(
            dataclasses.replace(data, weight=weight)
            for data, weight in zip(images.data, (0.6, 0.15, 0.25), strict=True)
        ),
        start_from="runs/axes_images/model/dit.safetensors",
        optim=OptimConfig(lr=2e-3, warmup=50, b2=0.98, ema=0.998, cooldown=0.6, lr_end=0.02),
        loop=LoopConfig(steps=5900, log_every=25, eval_every=1000, save_every=500),
    )
