# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""First light, a cell a token: clips and images in turn, while the learning rate goes down.

vidgen train experiments/first_light/cells_clips.py --workdir runs/cells_clips

Two CPU cores, 49 minutes; no paper's row. Measured 2026-11-26: of 32 held-out pairs 85.9 % of the
named things found, 43.6 % of 39 signs of motion right, and 92.9 % of 14 on the right side.
"""

import dataclasses
from pathlib import Path

from vidgen.config import load_experiment
from vidgen.train.dit import DiTTraining
from vidgen.train.loop import LoopConfig
from vidgen.train.optim import OptimConfig


def get_config() -> DiTTraining:
    """Batches of equally many tokens; clips a little more often."""
    images: DiTTraining = load_experiment(Path(__file__).with_name("cells_images.py"))
    clips, pictures = images.data
    return dataclasses.replace(
        images,
        start_from="runs/cells_images/model/dit.safetensors",
        alignment=dataclasses.replace(images.alignment, weight=0.4),
        data=(
            dataclasses.replace(clips, batch_size=8, weight=0.55),
            dataclasses.replace(pictures, batch_size=40, weight=0.45, shift=4.0),
        ),
        optim=OptimConfig(lr=2e-3, warmup=30, b2=0.98, ema=0.998, cooldown=0.85, lr_end=0.02),
        loop=LoopConfig(steps=2700, log_every=25, eval_every=500, save_every=250),
    )
