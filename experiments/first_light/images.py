# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""First light, stage 1: what things look like, from single frames (16 tokens each).

vidgen train experiments/first_light/images.py --workdir runs/images

Two CPU cores, 11 minutes; no paper's row. Measured 2026-11-23: flow loss 0.57.
"""

from vidgen.models.dit import DiTConfig
from vidgen.models.text import TextConfig
from vidgen.sample.pipeline import SampleConfig
from vidgen.train.dit import DiTTraining, LatentData
from vidgen.train.loop import LoopConfig
from vidgen.train.optim import OptimConfig
from vidgen.worlds.scene import SceneConfig
from vidgen.worlds.sprites import FIRST_LIGHT

IMAGES = LatentData(
    "images",
    SceneConfig(frames=1, objects=(1, 2), object_weights=(0.7, 0.3), concepts=FIRST_LIGHT, split="train"),
    count=32_000,
    batch_size=128,
    text_length=32,
    shift=1.5,
)
TEXT = TextConfig()
DIT = DiTConfig(remat="full")


def get_config() -> DiTTraining:
    return DiTTraining(
        vae="runs/vae_scenes/model/vae.safetensors",
        cache="runs/latents",
        data=(IMAGES,),
        model=DIT,
        text=TEXT,
        optim=OptimConfig(lr=1e-3, warmup=100, b2=0.98, ema=0.999, cooldown=0.0, lr_end=1.0),
        loop=LoopConfig(steps=1000, log_every=25, eval_every=250, save_every=250),
        sample=SampleConfig(steps=20, guidance=3.0, shift=1.0),
        prompts=(
            "an astronaut",
            "a dog",
            "a cat",
            "the Earth",
            "the moon",
            "a rocket",
            "an alien",
            "a comet",
            "an apple",
            "a ringed planet",
            "a dog in a meadow",
            "a rocket in the night sky",
            "an astronaut on the moon",
            "a fire engine on a road",
            "a dog to the left of a cat",
            "a cat to the left of a dog",
        ),
    )
