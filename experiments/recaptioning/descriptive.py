# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The captioner, second stage: long descriptions, with short captions and events between; prompts expanded beside them.

vidgen train experiments/recaptioning/descriptive.py --workdir runs/captioner

Two CPU cores, 37 minutes; DALL-E 3, section 2. Measured 2026-11-27 on 200 held-out pairs by `evaluate.py`: precision
85.2 % [82.9, 87.4], recall 94.9 %, motions 91.7 %; left or right 50.8 % of 126, which is chance. The first 3,846 steps
ran with a schedule of 5,000.
"""

import dataclasses
from pathlib import Path

from vidgen.config import load_experiment
from vidgen.train.captioner import CaptionerTraining
from vidgen.train.loop import LoopConfig
from vidgen.train.optim import OptimConfig


def get_config() -> CaptionerTraining:
    """Goes on from the short captions; the learning rate goes down for most of the run."""
    short: CaptionerTraining = load_experiment(Path(__file__).with_name("short.py"))
    return dataclasses.replace(
        short,
        start_from="runs/captioner_short/model",
        styles=(0.15, 0.65, 0.2),
        beside=0.0,
        optim=OptimConfig(lr=2e-3, warmup=50, b2=0.98, ema=0.998, cooldown=0.6, lr_end=0.01),
        loop=LoopConfig(steps=7_500, log_every=50, eval_every=500, save_every=250),
    )
