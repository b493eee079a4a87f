# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The transformer of Wan 2.1 1.3B (arXiv 2503.20314, table 1): 480p, 81 frames, 32,760 tokens; to be compiled for pods.

vidgen compile experiments/wan_1_3b.py --topology v6e:4x4
vidgen compile experiments/wan_1_3b.py --topology v5e:1x1 --mode sample --mesh.fsdp 1

32 chips of v5e or more; hours: not run. The paper's score: VBench, not measured by us. Ours: none, the shapes alone
were compiled: docs/compile.md, 2026-11-25.

The transformer has the shape, and the 1,418,996,800 parameters, of Wan's. What stands around it is ours, trained from
nothing: a text encoder of Wan's text width with two layers in place of UMT5-XXL, which Wan keeps frozen; and a patch
VAE with the latents of Wan's (4 x 8 x 8 pixels, 16 channels). Give --data.0.scenes.frames, .width and .height for
another size: 961 frames are 60 seconds at 16 frames a second.
"""

from vidgen.models.dit import DiTConfig
from vidgen.models.text import TextConfig
from vidgen.models.vae import Stage, VAEConfig
from vidgen.parallel.mesh import MeshConfig
from vidgen.sample.sampler import SampleConfig
from vidgen.train.dit import DiTTraining
from vidgen.train.loop import LoopConfig
from vidgen.train.optim import OptimConfig
from vidgen.train.streams import LatentData
from vidgen.worlds.scene import SceneConfig

STAGES = (Stage(8, 512, 128, 1536, 4),)


def get_config() -> DiTTraining:
    """Sampling as in the paper's repository: 50 steps; for 1.3B guidance 6 and a shift of 8 to 12."""
    return DiTTraining(
        vae="runs/wan_vae/model/vae.safetensors",
        vae_config=VAEConfig(group=4, channels=16, encoder=STAGES, decoder=STAGES),
        data=(
            LatentData(
                "clips", SceneConfig(width=832, height=480, frames=81), count=1_000_000, batch_size=32, text_length=512,
                shift=3.0,
            ),
        ),
        model=DiTConfig(
            patch=(1, 2, 2), channels=16, width=1536, layers=30, heads=12, hidden=8960, text_width=4096,
            coordinates=False, remat="full",
        ),
        text=TextConfig(vocabulary=2048, width=4096, layers=2, heads=64, hidden=10240),
        optim=OptimConfig(lr=1e-4, warmup=1000, b2=0.95, weight_decay=0.01, ema=0.9999),
        loop=LoopConfig(steps=100_000, log_every=10, eval_every=0, save_every=250),
        sample=SampleConfig(steps=50, guidance=6.0, solver="euler", shift=8.0),
        mesh=MeshConfig(fsdp=-1),
    )  # fmt: skip
