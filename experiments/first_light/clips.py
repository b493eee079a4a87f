# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""First light, stage 2: motion, from clips of 17 frames (80 tokens each), with images in between.

vidgen train experiments/first_light/clips.py --workdir runs/clips

Two CPU cores, 12 minutes; no paper's row. Measured 2026-11-23: 7.5 % of the named things found.
"""

import dataclasses
from pathlib import Path

from vidgen.config import load_experiment
from vidgen.sample.pipeline import SampleConfig
from vidgen.train.dit import DiTTraining, LatentData
from vidgen.train.loop import LoopConfig
from vidgen.train.optim import OptimConfig
from vidgen.worlds.scene import SceneConfig
from vidgen.worlds.sprites import FIRST_LIGHT

CLIPS = LatentData(
    "clips",
    SceneConfig(
        frames=17,
        objects=(1, 2),
        object_weights=(0.5, 0.5),
        concepts=FIRST_LIGHT,
        motions=("still", "left", "right", "up", "down"),
        cameras=("still",),
        split="train",
    ),
    count=8_000,
    batch_size=32,
    text_length=48,
    weight=0.75,
    shift=2.5,
)


def get_config() -> DiTTraining:
    images: DiTTraining = load_experiment(Path(__file__).with_name("images.py"))
    return dataclasses.replace(
        images,
        data=(CLIPS, dataclasses.replace(images.data[0], weight=0.25)),
        start_from="runs/images/model/dit.safetensors",
        optim=OptimConfig(lr=1e-3, warmup=50, b2=0.98, ema=0.999, cooldown=0.3, lr_end=0.02),
        loop=LoopConfig(steps=1250, log_every=25, eval_every=250, save_every=250),
        sample=SampleConfig(steps=20, guidance=4.0),
        prompts=(
            "an astronaut moves to the right across the moon",
            "a rocket flies up in the night sky",
            "a dog runs to the left in a meadow",
            "a fire engine drives right on a road",
            "a cat to the left of a dog",
            "a ringed planet falls down on a black background",
        ),
    )
