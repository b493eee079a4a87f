# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""First light in latents whose axes pixels depend on alike: pictures of one thing, mostly at high noise.

vidgen train experiments/first_light/axes_one.py --workdir runs/axes_one

Two CPU cores, 6 minutes; no paper's row. Measured 2026-11-25 by nearest.py: 43 % of 112 pictures are nearest
to the thing that was named (29 % at the start; 32 % with the same steps in the VAE's own axes; 9 points either way).
It starts from clips_fine.py, whose first and last layers were multiplied by the change of axes.
"""

import dataclasses
from pathlib import Path

from vidgen.config import load_experiment
from vidgen.train.dit import DiTTraining
from vidgen.train.loop import LoopConfig
from vidgen.train.optim import OptimConfig


def get_config() -> DiTTraining:
    """Text decides what is seen where t > 0.8 or so; shift 4 puts half of the training there."""
    here = Path(__file__)
    clips: DiTTraining = load_experiment(here.with_name("clips_fine.py"))
    one: DiTTraining = load_experiment(here.with_name("images_one.py"))
    return dataclasses.replace(
        clips,
        cache="runs/latents_axes",
        data=(dataclasses.replace(one.data[0], weight=1.0, shift=4.0),),
        start_from="runs/clips_fine/model/dit.safetensors",
        optim=OptimConfig(lr=2e-3, warmup=100, b2=0.98, ema=0.995, cooldown=0.3, lr_end=0.05),
        loop=LoopConfig(steps=900, log_every=25, eval_every=1000, save_every=400),
    )
