# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Where the samplers that Wan uses go, by diffusers: UniPC and DPM-Solver++ on a velocity that anyone can write down.

python tests/golden/make_solvers.py

Needs torch and diffusers (the versions that made the file are in its metadata); the tests need neither.
"""

from pathlib import Path

import diffusers
import numpy as np
import torch
from diffusers import DPMSolverMultistepScheduler, UniPCMultistepScheduler
from safetensors.numpy import save_file

SCHEDULERS = {"unipc": UniPCMultistepScheduler, "dpm": DPMSolverMultistepScheduler}


def velocity(x: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
    return torch.sin(3 * x) * (1 - t) + torch.cos(2 * x + t) - 0.5 * x


def main() -> None:
    torch.manual_seed(0)
    start = torch.randn(2, 4, 3)
    made = {"start": start.numpy()}
    for name, kind in SCHEDULERS.items():
        for steps in (5, 10, 50):
            for shift in (1, 3, 5, 8):
                scheduler = kind(
                    prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=float(shift), solver_order=2
                )
                scheduler.set_timesteps(steps)
                x = start.clone()
                for number, step in enumerate(scheduler.timesteps):
                    x = scheduler.step(velocity(x, scheduler.sigmas[number]), step, x, return_dict=False)[0]
                made[f"{name}/{steps}/{shift}/times"] = scheduler.sigmas.numpy().astype(np.float32)
                made[f"{name}/{steps}/{shift}/x"] = x.numpy()
    file = Path(__file__).with_name("solvers.safetensors")
    save_file(made, file, metadata={"torch": torch.__version__, "diffusers": diffusers.__version__})
    file.chmod(0o644)


if __name__ == "__main__":
    main()
