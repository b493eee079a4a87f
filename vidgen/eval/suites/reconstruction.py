# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""How well a VAE gives back what it is given, frame by frame, on scenes that training never saw."""

import numpy as np

from vidgen.eval.recon import WINDOW, psnr, ssim
from vidgen.eval.suite import Case, NotApplicableError, Outcome, Score, Setting, Source, Suite
from vidgen.worlds.captions import caption
from vidgen.worlds.render import render
from vidgen.worlds.scene import SceneConfig, draw_scene

FIRST_SEED = 2**41
"""Far from the seeds that training counts up from 0, and from those of prompts."""
FRAMES = 17


def draw(setting: Setting, n: int, seed: int) -> tuple[Case, ...]:
    """Scenes of all kinds, with a pair of concepts that training never showed together."""
    if min(setting.width, setting.height) < WINDOW:
        raise NotApplicableError(f"SSIM needs frames of {WINDOW}x{WINDOW} pixels at least")
    config = SceneConfig(
        width=setting.width, height=setting.height, frames=min(FRAMES, setting.frames), split="heldout"
    )
    scenes = [draw_scene(config, FIRST_SEED + seed * 2**20 + row) for row in range(n)]
    return tuple(Case(caption(scene, 0), scene, render) for scene in scenes)


def measure(clip_FHWC: np.ndarray, case: Case) -> Outcome:
    """PSNR and SSIM of each frame against the true one, and of the first and the last alone."""
    true_FHWC = case.render()
    ratio_F, likeness_F = psnr(true_FHWC, clip_FHWC), ssim(true_FHWC, clip_FHWC)
    return {
        "psnr": tuple(float(value) for value in ratio_F),
        "ssim": tuple(float(value) for value in likeness_F),
        "psnr_first": float(ratio_F[0]),
        "psnr_last": float(ratio_F[-1]),
    }


RECONSTRUCTION = Suite(
    name="reconstruction",
    title="Reconstruction",
    definition=(
        "Peak signal-to-noise ratio and structural similarity (Wang et al., IEEE Transactions on Image Processing 13, "
        "2004; Gaussian window of 11x11) between true renders of held-out scenes of all kinds and what the VAE gives "
        "back of them: means over all frames, and by frame index."
    ),
    source=Source("scenes", draw),
    measure=measure,
    scores=(
        Score("psnr", "PSNR", unit="dB"),
        Score("ssim", "SSIM", unit=""),
        Score("psnr_first", "PSNR of the first frame", unit="dB"),
        Score("psnr_last", "PSNR of the last frame", unit="dB"),
    ),
    made="reconstruction",
    curves=("psnr", "ssim"),
)
SUITES = (RECONSTRUCTION,)
