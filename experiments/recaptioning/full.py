# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The captioner, second stage, long: texts of up to 56 tokens after prompts of up to 40; also of moving cameras.

vidgen train experiments/recaptioning/full.py --workdir runs/captioner

Two CPU cores; DALL-E 3, section 2. Not run yet.
"""

import dataclasses
from pathlib import Path

from vidgen.config import load_experiment
from vidgen.train.captioner import CaptionerTraining
from vidgen.train.loop import LoopConfig
from vidgen.train.optim import OptimConfig
from vidgen.worlds.holdout import SplitConfig
from vidgen.worlds.scene import CAMERAS
from vidgen.worlds.stage import Raster
from vidgen.worlds.story import StoryConfig


def get_config() -> CaptionerTraining:
    """From the same short captions as `descriptive.py`: what today's generator shows, at the length it reads."""
    before: CaptionerTraining = load_experiment(Path(__file__).with_name("descriptive.py"))
    grid, _, _, plain, stories, _ = before.scenes.scenes
    cameras = dataclasses.replace(grid, cameras=CAMERAS)
    kinds = ("order", "count", "speed")
    raster = tuple(StoryConfig(kind, concepts=grid.concepts, counts=(1, 4), raster=Raster()) for kind in kinds)
    return dataclasses.replace(
        before,
        scenes=SplitConfig((*[grid] * 4, plain, cameras, cameras, stories, stories, *raster), axes=("pair",)),
        count=12_288,
        text_length=56,
        prompt_length=40,
        optim=OptimConfig(lr=2e-3, warmup=50, b2=0.98, ema=0.998, cooldown=0.8, lr_end=0.01),
        loop=LoopConfig(steps=5_000, log_every=50, eval_every=1000, save_every=250),
    )
