# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""First light on a grid: what things look like, from single frames (16 tokens each), from a random transformer.

vidgen train experiments/first_light/grid_images.py --workdir runs/grid_images

Two CPU cores, 21 minutes; no paper's row. Measured 2026-11-26 by nearest.py at guidance 3: 55 % of 112 pictures are
nearest to what was named (13 % after 600 steps, 33 % after 1,200).
"""

import dataclasses

from vidgen.models.dit import DiTConfig
from vidgen.models.vae import VAEConfig
from vidgen.sample.sampler import SampleConfig
from vidgen.train.dit import DiTTraining
from vidgen.train.loop import LoopConfig
from vidgen.train.optim import OptimConfig
from vidgen.train.streams import LatentData
from vidgen.worlds.scene import FIRST_LIGHT_ON_GRID

IMAGES = LatentData(
    "images",
    dataclasses.replace(FIRST_LIGHT_ON_GRID, frames=1, object_weights=(0.6, 0.4)),
    count=32_768,
    batch_size=96,
    text_length=24,
    shift=3.0,
)
PROMPTS = (
    "an astronaut on the moon",
    "a rocket in the night sky",
    "a dog on a yellow background",
    "a cat to the left of a dog on a blue background",
    "a ringed planet in the night sky",
    "an alien in the desert",
    "a comet on a black background",
    "the moon to the right of the Earth on a blue background",
)


def get_config() -> DiTTraining:
    """Tokens of 16 pixels, so that a clip is 80 of them."""
    return DiTTraining(
        vae="runs/vae_still/model/vae.safetensors",
        vae_config=VAEConfig(),
        text_from="runs/text/model/text.safetensors",
        text_frozen=True,
        cache="runs/latents_grid",
        model=DiTConfig(pooled_text=True),
        data=(IMAGES,),
        optim=OptimConfig(lr=2e-3, warmup=100, b2=0.98, ema=0.995, cooldown=0.0, lr_end=1.0),
        loop=LoopConfig(steps=1800, log_every=25, eval_every=300, save_every=300),
        sample=SampleConfig(guidance=3.0),
        prompts=PROMPTS,
    )
