# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The captioner, second stage, further: who is on which side of whom, taught beside the same texts.

vidgen train experiments/recaptioning/beside.py --workdir runs/captioner_beside

Two CPU cores, 18 minutes; no paper's row. These weights ship. Measured 2026-11-27 on 200 held-out pairs by
`evaluate.py`: precision 97.1 % [95.8, 98.2], recall 98.0 %, left or right 96.3 % of 216. They started from 2,202 steps
of the same without `stress`, after which left or right was told right in 53.1 % of 128, and precision was 90.5 %.
"""

import dataclasses
from pathlib import Path

from vidgen.config import load_experiment
from vidgen.train.captioner import CaptionerTraining
from vidgen.train.loop import LoopConfig
from vidgen.train.optim import OptimConfig
from vidgen.worlds.holdout import SplitConfig


def get_config() -> CaptionerTraining:
    """Goes on from the descriptions, with more scenes of two things."""
    before: CaptionerTraining = load_experiment(Path(__file__).with_name("descriptive.py"))
    assert isinstance(before.scenes, SplitConfig)
    grid, *rest = before.scenes.scenes
    pairs = dataclasses.replace(grid, object_weights=(0.1, 0.9))
    return dataclasses.replace(
        before,
        start_from="runs/captioner/model",
        scenes=dataclasses.replace(before.scenes, scenes=(*[pairs] * 4, *rest[3:])),
        styles=(0.1, 0.75, 0.15),
        upsampling=0.25,
        beside=4.0,
        stress=8.0,
        optim=OptimConfig(lr=1.5e-3, warmup=50, b2=0.98, ema=0.998, cooldown=0.7, lr_end=0.01),
        loop=LoopConfig(steps=3_500, log_every=50, eval_every=500, save_every=250),
    )
