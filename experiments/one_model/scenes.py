# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""One model for all worlds, third part: the transformer on pairs, stories and moving cameras, with all tasks.

vidgen train experiments/one_model/scenes.py --workdir runs/one_scenes

Two CPU cores, 93 minutes; no paper's row. These weights shipped. Of 200 held-out pairs, 2026-11-27: 69.8 % of 400
named things found (before 69.8), 93.0 % of 230 signs of motion right (88.4), 98.5 % of 66 on the right side; cameras,
stories and tasks are in experiments/README.md. The first 747 steps ran with a schedule of 5,000.
"""

import dataclasses
from pathlib import Path

from vidgen.config import load_experiment
from vidgen.train.dit import DiTTraining
from vidgen.train.loop import LoopConfig
from vidgen.train.optim import OptimConfig
from vidgen.train.streams import LatentData
from vidgen.train.tasks import TaskMix
from vidgen.worlds.holdout import SplitConfig
from vidgen.worlds.scene import CAMERAS, FIRST_LIGHT_ON_GRID
from vidgen.worlds.sprites import FIRST_LIGHT
from vidgen.worlds.story import StoryConfig

CONCEPTS = (*FIRST_LIGHT, "door", "window")
"""What the first light's model knows, and what opens in stories."""
ON_GRID = dataclasses.replace(FIRST_LIGHT_ON_GRID, split="all")
STORY = StoryConfig(concepts=CONCEPTS)
MOVING_CAMERA = dataclasses.replace(ON_GRID, cameras=CAMERAS)
PICTURES = SplitConfig((dataclasses.replace(ON_GRID, frames=1), dataclasses.replace(STORY, frames=1)), axes=("pair",))


def get_config() -> DiTTraining:
    """From the first light's weights, a VAE with latents aligned to theirs, and a text encoder that reads more."""
    before: DiTTraining = load_experiment(Path(__file__).parents[1] / "first_light" / "cells_pairs.py")
    pairs = dataclasses.replace(before.data[0], text_length=80)
    return dataclasses.replace(
        before,
        vae="runs/one_vae/model/vae.safetensors",
        start_from="runs/cells_pairs/model/dit.safetensors",
        text_from="runs/one_text/model/text.safetensors",
        cache="runs/latents_one",
        alignment=dataclasses.replace(before.alignment, concepts=CONCEPTS),
        tasks=TaskMix(free=3.0, first=1.0, both=0.5, box=0.5),
        data=(
            dataclasses.replace(pairs, count=8_192, weight=0.25),
            dataclasses.replace(
                pairs, name="stories", scenes=SplitConfig((STORY,), ("pair",)), count=12_288, weight=0.35
            ),
            dataclasses.replace(
                pairs, name="cameras", scenes=SplitConfig((MOVING_CAMERA,), ("pair",)), count=4_096, weight=0.12
            ),
            LatentData("pictures", PICTURES, 32_768, 40, text_length=80, weight=0.28, shift=4.0),
        ),
        optim=OptimConfig(lr=1e-3, warmup=50, b2=0.98, ema=0.998, cooldown=0.9, lr_end=0.02),
        loop=LoopConfig(steps=4_300, log_every=25, eval_every=0, save_every=100),
    )
