# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Where DDPM and DDIM go, by diffusers: on noise that anyone can write down, with the variance learned and fixed.

python tests/golden/make_ancestral.py

Needs torch and diffusers (the versions that made the file are in its metadata); the tests need neither.
"""

from pathlib import Path

import diffusers
import torch
from diffusers import DDIMScheduler, DDPMScheduler
from diffusers.schedulers import scheduling_ddpm
from safetensors.numpy import save_file

SHAPE = (2, 3, 2)


def says(x: torch.Tensor, step: torch.Tensor) -> torch.Tensor:
    """(eps, w) of x [B, L, C] as [B, 2 L, C]: diffusers has channels on the second axis."""
    t = step / 1000
    return torch.cat([torch.sin(x) * (1 - t) + 0.9 * t * x, torch.cos(2 * x + t)], dim=1)


def main() -> None:
    torch.manual_seed(0)
    start, drawn = torch.randn(SHAPE), torch.randn(50, *SHAPE)
    made = {"start": start.numpy(), "drawn": drawn.numpy()}
    for steps in (5, 10, 50):
        for spacing in ("linspace", "leading"):
            for variance in ("learned_range", "fixed_small"):
                scheduler = DDPMScheduler(variance_type=variance, clip_sample=False, timestep_spacing=spacing)
                scheduler.set_timesteps(steps)
                x = start.clone()
                for number, step in enumerate(scheduler.timesteps):
                    scheduling_ddpm.randn_tensor = lambda *_, number=number, **__: drawn[number]
                    said = says(x, step)
                    said = said if variance == "learned_range" else said[:, : SHAPE[1]]
                    x = scheduler.step(said, step, x).prev_sample
                made[f"ddpm/{steps}/{spacing}/{variance}"] = x.numpy()
        for eta in (0.0, 1.0):
            scheduler = DDIMScheduler(clip_sample=False)
            scheduler.set_timesteps(steps)
            x = start.clone()
            for number, step in enumerate(scheduler.timesteps):
                said = says(x, step)[:, : SHAPE[1]]
                noise = drawn[number] if eta else None
                x = scheduler.step(said, step, x, eta=eta, variance_noise=noise).prev_sample
            made[f"ddim/{steps}/{eta:g}"] = x.numpy()
    file = Path(__file__).with_name("ancestral.safetensors")
    save_file(made, file, metadata={"torch": torch.__version__, "diffusers": diffusers.__version__})
    file.chmod(0o644)


if __name__ == "__main__":
    main()
