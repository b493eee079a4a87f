# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The model that ships learns a thing that it has never seen, by low-rank adaptation of its matrices.

vidgen train experiments/first_light/adapt.py --workdir runs/adapted

Two CPU cores, 5 minutes; no paper's row. Of 13,123,680 parameters 802,816 are trained, and the optimiser's moments have
6.4 MB in place of 98.6. Seen on 2026-11-26 after 100 steps: all four prompts show a snail, which goes the way it is
told; standing ones are sharp after 300, moving ones stay blurred.
"""

import dataclasses

from vidgen.diffusion.times import TimeConfig
from vidgen.models.dit import DiTConfig
from vidgen.models.vae import VAEConfig
from vidgen.sample.sampler import SampleConfig
from vidgen.train.dit import DiTTraining
from vidgen.train.loop import LoopConfig
from vidgen.train.lora import LoRAConfig
from vidgen.train.optim import OptimConfig
from vidgen.train.streams import LatentData
from vidgen.worlds.scene import FIRST_LIGHT_ON_GRID

SNAIL = dataclasses.replace(FIRST_LIGHT_ON_GRID, concepts=("snail",), objects=(1, 1), object_weights=None)
CLIPS = LatentData("snails", SNAIL, count=512, batch_size=4, text_length=32, weight=0.5, shift=9.0)
PICTURES = LatentData(
    "still snails",
    dataclasses.replace(SNAIL, frames=1),
    count=1024,
    batch_size=20,
    text_length=24,
    weight=0.5,
    shift=4.0,
)


def get_config() -> DiTTraining:
    """All matrices of the blocks, rank 16; half of the batches are pictures."""
    return DiTTraining(
        vae="vidgen/assets/default/vae.safetensors",
        vae_config=VAEConfig(),
        start_from="vidgen/assets/default/dit.safetensors",
        model=DiTConfig(pooled_text=True, patch=(1, 1, 1)),
        data=(CLIPS, PICTURES),
        lora=LoRAConfig(
            rank=16, targets=(r"blocks/(self|cross)/(q|k|v|out)", r"blocks/(up|down)", "text[12]", "pooled_text")
        ),
        time=TimeConfig(std=1.2),
        optim=OptimConfig(lr=3e-3, warmup=20, ema=0.98, cooldown=0.8),
        loop=LoopConfig(steps=300, log_every=10, eval_every=100, save_every=100),
        sample=SampleConfig(),
        prompts=(
            "a snail on a yellow background",
            "a snail moves to the right in a meadow",
            "a snail moves up on a blue background",
            "a snail in the desert",
        ),
    )
