# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""First light in latents whose axes pixels depend on alike: images of one and two things, and some clips.

vidgen train experiments/first_light/axes_images.py --workdir runs/axes_images

Two CPU cores, 12 minutes; no paper's row. Measured 2026-11-25: 37 % of 112 as in axes_one.py, before the
learning rate goes down.
"""

import dataclasses
from pathlib import Path

from vidgen.config import load_experiment
from vidgen.diffusion.times import TimeConfig
from vidgen.train.dit import DiTTraining
from vidgen.train.loop import LoopConfig
from vidgen.train.optim import OptimConfig

TIME = TimeConfig(std=1.6)
"""Wide, since text matters near t = 1 and fine detail, which has little variance in these axes, near t = 0.2."""


def get_config() -> DiTTraining:
    """The three streams of clips_fine.py in other proportions, at more noise."""
    here = Path(__file__)
    one: DiTTraining = load_experiment(here.with_name("axes_one.py"))
    clips: DiTTraining = load_experiment(here.with_name("clips_fine.py"))
    weights, shifts = (0.15, 0.45, 0.4), (5.0, 3.0, 3.0)
    return dataclasses.replace(
        one,
        data=tuple(
            dataclasses.replace(data, weight=weight, shift=shift)
            for data, weight, shift in zip(clips.data, weights, shifts, strict=True)
        ),
        time=TIME,
        start_from="runs/axes_one/model/dit.safetensors",
        optim=OptimConfig(lr=2e-3, warmup=50, b2=0.98, ema=0.998, cooldown=0.0, lr_end=1.0),
        sample=dataclasses.replace(clips.sample, shift=3.0),
        loop=LoopConfig(steps=1348, log_every=25, eval_every=1000, save_every=500),
    )
