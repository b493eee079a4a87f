# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""A classifier for a concept that is forbidden here, the bomb, so that recall can be measured truly.

vidgen train experiments/trust/forbidden.py --workdir runs/forbidden

Two CPU cores, a minute where nothing else runs; beside the figures that Sora's launch reports for its own classifiers
(recall 97.6 %, precision 88.8 %). What came out is in docs/trust.md.
"""

import dataclasses

from vidgen.models.classifier import ClassifierConfig
from vidgen.train.classifier import ClassifierTraining
from vidgen.train.loop import LoopConfig
from vidgen.train.optim import OptimConfig
from vidgen.worlds.scene import FIRST_LIGHT_ON_GRID

FORBIDDEN = "bomb"


def get_config() -> ClassifierTraining:
    """Frames like those that the model inside the package was trained on, a bomb in about half of them."""
    return ClassifierTraining(
        scenes=dataclasses.replace(FIRST_LIGHT_ON_GRID, split="all", frames=3),  # one of which is taken
        model=ClassifierConfig(labels=(FORBIDDEN,)),
        distinct=8192,
        optim=OptimConfig(lr=2e-3, warmup=50, ema=0.99, cooldown=0.5, lr_end=0.02),
        loop=LoopConfig(steps=800, log_every=50, eval_every=800, save_every=200),
    )
