# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""First light, a cell a token: whose motion is whose, from clips that are mostly nearly pure noise.

vidgen train experiments/first_light/cells_motion.py --workdir runs/cells_motion

Two CPU cores, 85 minutes; no paper's row. Measured 2026-11-26: of 32 held-out pairs 73.4 % of the named things found,
77.1 % of 35 signs of motion right (before 43.6 % of 39), and 91.7 % of 12 on the right side.
"""

import dataclasses
from pathlib import Path

from vidgen.config import load_experiment
from vidgen.diffusion.times import TimeConfig
from vidgen.train.dit import DiTTraining
from vidgen.train.loop import LoopConfig
from vidgen.train.optim import OptimConfig


def get_config() -> DiTTraining:
    """The head is also asked where the thing in a cell goes; most batches are clips."""
    before: DiTTraining = load_experiment(Path(__file__).with_name("cells_clips.py"))
    clips, pictures = before.data
    return dataclasses.replace(
        before,
        start_from="runs/cells_clips/model/dit.safetensors",
        alignment=dataclasses.replace(before.alignment, weight=0.5),
        time=TimeConfig(std=1.2),
        data=(
            dataclasses.replace(clips, batch_size=8, weight=0.85, shift=14.0),
            dataclasses.replace(pictures, batch_size=40, weight=0.15, shift=4.0),
        ),
        optim=OptimConfig(lr=1.5e-3, warmup=30, b2=0.98, ema=0.998, cooldown=0.9, lr_end=0.02),
        loop=LoopConfig(steps=4000, log_every=25, eval_every=500, save_every=100),
    )
