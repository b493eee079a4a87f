# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""First light, a cell a token: what things look like, now that a block must tell what is in each cell.

vidgen train experiments/first_light/cells_images.py --workdir runs/cells_images

Two CPU cores, 44 minutes; no paper's row. It starts from tokens of 16 pixels, whose first and last layers are cut.
Measured 2026-11-26: the concept of 71 to 75 % of the cells with a thing is told right at the end, over all noise.
It ran before the head was also asked where things go, as did cells_clips.py: run again, both learn that too.
"""

import dataclasses
from pathlib import Path

from vidgen.config import load_experiment
from vidgen.diffusion.times import TimeConfig
from vidgen.models.dit import DiTConfig
from vidgen.train.cells import AlignmentConfig
from vidgen.train.dit import DiTTraining
from vidgen.train.loop import LoopConfig
from vidgen.train.optim import OptimConfig
from vidgen.worlds.sprites import FIRST_LIGHT


def get_config() -> DiTTraining:
    """Tokens of 8 pixels, the step that things move by in a latent frame; a tenth of the batches are clips."""
    motion: DiTTraining = load_experiment(Path(__file__).with_name("grid_motion.py"))
    clips, images = motion.data
    return dataclasses.replace(
        motion,
        start_from="runs/grid_motion/model/dit.safetensors",
        model=DiTConfig(pooled_text=True, patch=(1, 1, 1)),
        alignment=AlignmentConfig(block=3, weight=0.2, concepts=FIRST_LIGHT),
        time=TimeConfig(std=1.2),
        data=(
            dataclasses.replace(clips, batch_size=8, weight=0.1, shift=9.0),
            dataclasses.replace(images, batch_size=32, weight=0.9),
        ),
        optim=OptimConfig(lr=2e-3, warmup=50, b2=0.98, ema=0.995, cooldown=0.0, lr_end=1.0),
        loop=LoopConfig(steps=3000, log_every=25, eval_every=500, save_every=250),
    )
