# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Small random VAEs of latent diffusion, made and run by diffusers.

python tests/golden/make_picture_vae.py

Needs torch and diffusers (the versions that made the files are in their metadata); the tests need neither.
"""

import diffusers
import goldens
import torch
from diffusers import AutoencoderKL

# Widths, channels, blocks, groups; pictures, height, width.
CONFIGS = {"plain": ([4, 8, 8], 4, 2, 4, 2, 16, 24), "odd": ([6, 12], 3, 1, 3, 1, 10, 6)}


def random_(model: torch.nn.Module) -> torch.nn.Module:
    """Every parameter is random, so that no term of the network is silent."""
    with torch.no_grad():
        for key, parameter in model.named_parameters():
            parameter.normal_(std=0.2 if parameter.ndim < 2 else parameter[0].numel() ** -0.5)
            if "norm" in key and key.endswith("weight"):
                parameter += 1
    return model.eval()


def make(name: str, seed: int) -> None:
    """Writes picture_vae_NAME.safetensors: tensors "weights/...", "inputs/..." and "outputs/..."."""
    widths, channels, blocks, groups, B, H, W = CONFIGS[name]
    torch.manual_seed(seed)
    model = random_(
        AutoencoderKL(
            down_block_types=["DownEncoderBlock2D"] * len(widths), up_block_types=["UpDecoderBlock2D"] * len(widths),
            block_out_channels=widths, latent_channels=channels, layers_per_block=blocks, norm_num_groups=groups,
        )
    )  # fmt: skip
    weights = {f"weights/{key}": value.detach().clone().numpy() for key, value in model.state_dict().items()}
    pictures = torch.rand(B, 3, H, W) * 2 - 1
    with torch.no_grad():
        z = model.encode(pictures).latent_dist.mode()
        again = model.decode(z).sample
        half = model.to(torch.bfloat16)
        low_z = half.encode(pictures.bfloat16()).latent_dist.mode().float()
        low = half.decode(z.bfloat16()).sample.float()
    said = {"inputs/pictures": pictures.numpy(), "outputs/z": z.numpy(), "outputs/pictures": again.numpy()}
    said |= {"outputs/z_bfloat16": low_z.numpy(), "outputs/pictures_bfloat16": low.numpy()}
    everything = {**weights, **said}
    goldens.keep(f"picture_vae_{name}", everything, torch, diffusers)


def main() -> None:
    for seed, name in enumerate(CONFIGS):
        make(name, seed)


if __name__ == "__main__":
    main()
