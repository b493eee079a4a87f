# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The text encoder, trained to read captions of the grid's scenes before the transformer is conditioned on it.

vidgen train experiments/first_light/text.py --workdir runs/text

Two CPU cores, 4 minutes; no paper's row. Measured 2026-11-26, on the last batches: of 96 % of things, all that a
caption says of them is read right; the learning rate's plateau was set for 1,200 steps in the first 230.
"""

from vidgen.train.loop import LoopConfig
from vidgen.train.optim import OptimConfig
from vidgen.train.text import TextTraining
from vidgen.worlds.scene import FIRST_LIGHT_ON_GRID


def get_config() -> TextTraining:
    """Captions of one or two things, as the transformer will see them."""
    return TextTraining(
        scenes=FIRST_LIGHT_ON_GRID,
        optim=OptimConfig(lr=2e-3, warmup=50, b2=0.98, ema=0.99, cooldown=0.5, lr_end=0.02),
        loop=LoopConfig(steps=700, log_every=50, eval_every=0, save_every=500),
    )
