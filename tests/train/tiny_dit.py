# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""A transformer experiment so small that its programs compile in a second; its VAE's file does not exist."""

from vidgen.models.dit import DiTConfig
from vidgen.models.text import TextConfig
from vidgen.models.vae import Stage, VAEConfig
from vidgen.sample.sampler import SampleConfig
from vidgen.train.dit import DiTTraining
from vidgen.train.streams import LatentData
from vidgen.worlds.scene import SceneConfig

STAGES = (Stage(8, 16, 4, 16, 1),)


def get_config() -> DiTTraining:
    """Clips of 5 frames at 32x32, 32 tokens, 8 a batch."""
    return DiTTraining(
        vae="nowhere/vae.safetensors",
        vae_config=VAEConfig(channels=4, encoder=STAGES, decoder=STAGES),
        data=(
            LatentData("images", SceneConfig(width=16, height=16, frames=1), count=8, batch_size=8, text_length=7),
            LatentData("clips", SceneConfig(width=32, height=32, frames=5), count=8, batch_size=8, text_length=7),
        ),
        model=DiTConfig(
            patch=(1, 1, 1), channels=4, width=64, layers=2, heads=2, hidden=32, text_width=8, time_width=8,
            coordinates=False, remat="full",
        ),
        text=TextConfig(width=8, heads=2, hidden=8, layers=1),
        sample=SampleConfig(steps=3, solver="euler"),
    )  # fmt: skip
