# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""First light on a grid: where things are and where they go, which is decided while a clip is nearly all noise.

vidgen train experiments/first_light/grid_motion.py --workdir runs/grid_motion

Two CPU cores, 26 minutes; no paper's row. These weights shipped. Measured 2026-11-26: of 96 held-out pairs 33.9 % of
the named things found, and 65.5 % of the signs of motion of those found right.
"""

import dataclasses
from pathlib import Path

from vidgen.config import load_experiment
from vidgen.train.dit import DiTTraining
from vidgen.train.loop import LoopConfig
from vidgen.train.optim import OptimConfig


def get_config() -> DiTTraining:
    """Shift 15 puts four in ten of the clips' times above 0.95, where shift 6 puts one in eight."""
    clips: DiTTraining = load_experiment(Path(__file__).with_name("grid_clips.py"))
    return dataclasses.replace(
        clips,
        start_from="runs/grid_clips/model/dit.safetensors",
        data=(
            dataclasses.replace(clips.data[0], weight=0.85, shift=15.0),
            dataclasses.replace(clips.data[1], weight=0.15),
        ),
        optim=OptimConfig(lr=2e-3, warmup=30, b2=0.98, ema=0.998, cooldown=0.8, lr_end=0.02),
        loop=LoopConfig(steps=1900, log_every=25, eval_every=400, save_every=200),
        sample=dataclasses.replace(clips.sample, shift=8.0),
    )
