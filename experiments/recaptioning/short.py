# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The captioner, first stage: short captions of what is in a clip, and prompts expanded beside them.

vidgen train experiments/recaptioning/short.py --workdir runs/captioner_short

Two CPU cores, 4 minutes; DALL-E 3, section 2. Measured 2026-11-27, in the last batch: 30 % of the cells with a thing
are told right, and things that move go the right way in 83 %.
"""

import dataclasses

from vidgen.train.captioner import CaptionerTraining
from vidgen.train.loop import LoopConfig
from vidgen.train.optim import OptimConfig
from vidgen.worlds.holdout import SplitConfig
from vidgen.worlds.scene import CAMERAS, FIRST_LIGHT_ON_GRID, FIRST_LIGHT_SCENES
from vidgen.worlds.sprites import FIRST_LIGHT
from vidgen.worlds.stage import Raster
from vidgen.worlds.story import StoryConfig

GRID, PLAIN = (dataclasses.replace(scenes, split="all") for scenes in (FIRST_LIGHT_ON_GRID, FIRST_LIGHT_SCENES))
CAMERA = dataclasses.replace(GRID, cameras=CAMERAS)
STORIES = StoryConfig(concepts=(*FIRST_LIGHT, "door", "window"), counts=(1, 4))
RASTER = dataclasses.replace(STORIES, raster=Raster(step=0.125))
SCENES = SplitConfig((*[GRID] * 4, PLAIN, CAMERA, CAMERA, STORIES, RASTER, RASTER, RASTER), axes=("pair",))
"""The labelled part: most of it as the shipped generator's clips, the rest off the grid."""
UNSEEN = dataclasses.replace(FIRST_LIGHT_ON_GRID, object_weights=(0.0, 1.0), split="heldout")
"""Pairs that were never labelled together."""


def get_config() -> CaptionerTraining:
    """Short captions alone after clips."""
    return CaptionerTraining(
        scenes=SCENES,
        unseen=UNSEEN,
        count=12_288,
        text_length=56,
        prompt_length=40,
        styles=(1.0, 0.0, 0.0),
        beside=0.0,
        optim=OptimConfig(lr=2e-3, warmup=100, b2=0.98, ema=0.995, cooldown=0.0, lr_end=1.0),
        loop=LoopConfig(steps=500, log_every=25, eval_every=0, save_every=150),
    )
