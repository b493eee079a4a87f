# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Small random Wan 2.1 VAEs, made and run by diffusers, which works through a video in pieces.

python tests/golden/make_wan_vae.py

Needs torch and diffusers (the versions that made the files are in their metadata); the tests need neither.
"""

import diffusers
import goldens
import numpy as np
import torch
from diffusers import AutoencoderKLWan

# Base, multipliers, channels, blocks, whether a step halves time; frames, height, width.
CONFIGS = {
    "plain": (4, [1, 2, 4, 4], 3, 1, [False, True, True], 13, 16, 24),
    "odd": (6, [1, 1, 2], 2, 2, [True, False], 5, 12, 8),
    "picture": (4, [1, 2, 2], 4, 1, [True, True], 1, 8, 8),
}


def make(name: str, seed: int) -> None:
    """Writes wan_vae_NAME.safetensors: tensors "weights/...", "inputs/..." and "outputs/..."."""
    base, multipliers, channels, blocks, halve, F, H, W = CONFIGS[name]
    torch.manual_seed(seed)
    mean, deviation = torch.randn(channels).tolist(), (1 + torch.rand(channels)).tolist()
    model = AutoencoderKLWan(
        base_dim=base, z_dim=channels, dim_mult=multipliers, num_res_blocks=blocks, temperal_downsample=halve,
        latents_mean=mean, latents_std=deviation,
    ).eval()  # fmt: skip
    with torch.no_grad():
        for key, parameter in model.named_parameters():
            parameter.normal_(std=0.2 if parameter.ndim < 2 or "gamma" in key else parameter[0].numel() ** -0.5)
            if "gamma" in key:
                parameter += 1
    weights = {f"weights/{key}": value.detach().clone().numpy() for key, value in model.state_dict().items()}
    video = torch.rand(1, 3, F, H, W) * 2 - 1
    with torch.no_grad():
        z = model.encode(video).latent_dist.mode()
        again = model.decode(z).sample
        loud = model.decode(3 * z).sample
        half = model.to(torch.bfloat16)
        low_z = half.encode(video.bfloat16()).latent_dist.mode().float()
        low = half.decode(z.bfloat16()).sample.float()
    everything = {
        **weights, "inputs/video": video.numpy(), "inputs/mean": np.float32(mean),
        "inputs/deviation": np.float32(deviation), "outputs/z": z.numpy(), "outputs/video": again.numpy(),
        "outputs/loud": loud.numpy(), "outputs/z_bfloat16": low_z.numpy(), "outputs/video_bfloat16": low.numpy(),
    }  # fmt: skip
    goldens.keep(f"wan_vae_{name}", everything, torch, diffusers)


def main() -> None:
    for seed, name in enumerate(CONFIGS):
        make(name, seed)


if __name__ == "__main__":
    main()
