# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""A whole small random DiT pipeline, as diffusers keeps it in a folder, and the pictures that diffusers makes with it.

python tests/golden/make_dit_pipeline.py

Needs torch and diffusers; the tests that read the folder need neither.
"""

import json
import shutil

import torch
from diffusers import AutoencoderKL, DDIMScheduler, DiTPipeline, DiTTransformer2DModel
from make_picture_vae import FOLDER as GOLDEN
from make_picture_vae import random_
from safetensors.torch import save_file

FOLDER = GOLDEN / "dit_pipeline"
LABELS, STEPS, GUIDANCE = [207, 12], 10, 4.0


def main() -> None:
    shutil.rmtree(FOLDER, ignore_errors=True)
    torch.manual_seed(0)
    transformer = random_(
        DiTTransformer2DModel(
            num_attention_heads=2, attention_head_dim=8, in_channels=4, out_channels=8, num_layers=2, sample_size=8,
            patch_size=2, num_embeds_ada_norm=1000,
        )
    )  # fmt: skip
    first = transformer.transformer_blocks[0].norm1.emb.state_dict()
    for block in transformer.transformer_blocks:
        block.norm1.emb.load_state_dict(first)
    vae = random_(
        AutoencoderKL(
            down_block_types=["DownEncoderBlock2D"] * 3, up_block_types=["UpDecoderBlock2D"] * 3,
            block_out_channels=[4, 8, 8], latent_channels=4, layers_per_block=1, norm_num_groups=4,
        )
    )  # fmt: skip
    scheduler = DDIMScheduler(clip_sample=False)
    names = {"207": "golden retriever", "12": "house finch, linnet, Carpodacus mexicanus"}
    pipeline = DiTPipeline(transformer, vae, scheduler, id2label=names)
    pipeline.set_progress_bar_config(disable=True)
    pipeline.save_pretrained(FOLDER)
    index = json.loads((FOLDER / "model_index.json").read_text())
    (FOLDER / "model_index.json").write_text(json.dumps({**index, "id2label": names}, indent=2) + "\n")
    noise = torch.randn(2, 4, 8, 8, generator=torch.manual_seed(7))
    made = pipeline(LABELS, GUIDANCE, torch.manual_seed(7), num_inference_steps=STEPS, output_type="np").images
    expected = {"noise": noise, "pictures": torch.from_numpy(made).float().contiguous()}
    save_file(expected, FOLDER / "expected.safetensors")
    for file in FOLDER.rglob("*"):
        file.chmod(0o755 if file.is_dir() else 0o644)


if __name__ == "__main__":
    main()
