# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""First light, a cell a token: whose motion is whose, from clips that all show two things.

vidgen train experiments/first_light/cells_pairs.py --workdir runs/cells_pairs

Two CPU cores, 32 minutes; no paper's row. These weights shipped. Of 200 held-out pairs, 2026-11-26: 69.8 % of 400
named things found, 89.4 % of 227 signs of motion right, 98.5 % of 67 on the right side. The first 829 steps ran with a
schedule of 1,750 steps.
"""

import dataclasses
from pathlib import Path

from vidgen.config import load_experiment
from vidgen.train.dit import DiTTraining
from vidgen.train.loop import LoopConfig
from vidgen.train.optim import OptimConfig
from vidgen.train.streams import LatentData


def get_config() -> DiTTraining:
    """Pairs beside the mixed clips, so that what is learned of one thing alone is not lost."""
    before: DiTTraining = load_experiment(Path(__file__).with_name("cells_motion.py"))
    clips, pictures = before.data
    scenes = dataclasses.replace(clips.scenes, objects=(2, 2), object_weights=None)
    pairs: LatentData = dataclasses.replace(clips, name="pairs", scenes=scenes, count=8_192, weight=0.65)
    return dataclasses.replace(
        before,
        start_from="runs/cells_motion/model/dit.safetensors",
        data=(pairs, dataclasses.replace(clips, weight=0.22), dataclasses.replace(pictures, weight=0.13)),
        optim=OptimConfig(lr=1e-3, warmup=40, b2=0.98, ema=0.998, cooldown=0.95, lr_end=0.02),
        loop=LoopConfig(steps=1500, log_every=25, eval_every=0, save_every=100),
    )
