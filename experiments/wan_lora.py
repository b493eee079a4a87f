# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Wan 2.1 1.3B fine-tuned by low rank (arXiv 2106.09685), with its own text encoder and VAE: 480p, 81 frames.

vidgen weights import Wan2.1-T2V-1.3B-Diffusers --out runs/wan
vidgen train experiments/wan_lora.py
vidgen compile experiments/wan_lora.py --topology v5p:2x2x1

Four chips of v5p; hours: not run. The paper's score: none. Ours: none.

All three networks are presets of public models. The transformer and UMT5-XXL stay as they are; factors of the matrices
of its attention are trained, and the optimiser's state is of their size. Data are simulated worlds: give streams of
your own.
"""

import dataclasses

from vidgen.models.presets import UMT5_XXL, WAN_1_3B
from vidgen.models.wan_vae import WanVAEConfig
from vidgen.parallel.mesh import MeshConfig
from vidgen.sample.sampler import SampleConfig
from vidgen.train.dit import DiTTraining
from vidgen.train.loop import LoopConfig
from vidgen.train.lora import LoRAConfig
from vidgen.train.optim import OptimConfig
from vidgen.train.streams import LatentData
from vidgen.worlds.scene import SceneConfig


def get_config() -> DiTTraining:
    """A clip a chip; sampled as the original is."""
    return DiTTraining(
        vae="runs/wan/vae.safetensors",
        vae_config=WanVAEConfig(),
        start_from="runs/wan/dit.safetensors",
        data=(
            LatentData(
                "clips", SceneConfig(width=832, height=480, frames=81), count=10_000, batch_size=4, text_length=512,
                shift=3.0,
            ),
        ),
        model=dataclasses.replace(WAN_1_3B, remat="full"),
        text=UMT5_XXL,
        text_frozen=True,
        lora=LoRAConfig(rank=16),
        optim=OptimConfig(lr=1e-4, warmup=100, weight_decay=0.0, ema=0.99),
        loop=LoopConfig(steps=2_000, log_every=10, eval_every=0, save_every=250),
        sample=SampleConfig(steps=50, guidance=6.0, solver="unipc", shift=3.0, train_steps=1000),
        mesh=MeshConfig(fsdp=-1),
    )  # fmt: skip
