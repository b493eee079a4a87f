# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""One model for all worlds: the text encoder learns to read what scenes of all kinds and stories say.

vidgen train experiments/one_model/text.py --workdir runs/one_text

Two CPU cores, 17 minutes; no paper's row. Measured 2026-11-27, on the last batches: of 99 % of things all that a
caption says of them is read right, and all of their names. Ships.
"""

import dataclasses
from pathlib import Path

from vidgen.config import load_experiment
from vidgen.train.loop import LoopConfig
from vidgen.train.optim import OptimConfig
from vidgen.train.text import TextTraining
from vidgen.worlds.holdout import SplitConfig
from vidgen.worlds.scene import FIRST_LIGHT_ON_GRID, SceneConfig
from vidgen.worlds.sprites import FIRST_LIGHT
from vidgen.worlds.story import StoryConfig

CONCEPTS = (*FIRST_LIGHT, "door", "window")
"""What the first light's model knows, and what opens in stories."""
SCENES = SplitConfig(
    (
        SceneConfig(concepts=CONCEPTS),
        StoryConfig(concepts=CONCEPTS),
        dataclasses.replace(FIRST_LIGHT_ON_GRID, split="all"),
    ),
    axes=("pair",),
)


def get_config() -> TextTraining:
    """From the shipped encoder, so that what the transformer knows of its features stays true for long."""
    first: TextTraining = load_experiment(Path(__file__).parents[1] / "first_light" / "text.py")
    return dataclasses.replace(
        first,
        start_from="runs/cells_pairs/model/dit.safetensors",
        scenes=SCENES,
        text_length=80,
        optim=OptimConfig(lr=1e-3, warmup=50, b2=0.98, ema=0.99, cooldown=0.7, lr_end=0.02),
        loop=LoopConfig(steps=1500, log_every=50, eval_every=0, save_every=250),
    )
