# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The VAE's loss: what each weight asks for."""

from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from vidgen.config import load_experiment
from vidgen.models.vae import VAE
from vidgen.train.vae import VAELossConfig, vae_loss

MODEL = load_experiment(Path(__file__).with_name("tiny.py")).model


def test_the_squared_error_is_that_of_psnr() -> None:
    vae, key = VAE(MODEL), jax.random.key(0)
    params = vae.init(key, jnp.zeros((1, 5, 16, 16, 3)), key)["params"]
    video = np.random.default_rng(0).integers(0, 256, (2, 5, 16, 16, 3)).astype(np.uint8)
    (plain, metrics), (more, _) = (
        jax.jit(lambda p, w=weights: vae_loss(vae, w, p, video, key))(params)
        for weights in (VAELossConfig(first_frame=1.0), VAELossConfig(first_frame=1.0, square=3.0))
    )
    # PSNR is of pixels in [0, 1], the loss of pixels in [-1, 1].
    assert float(more - plain) == pytest.approx(3 * 4 * 10 ** (-float(metrics["psnr"]) / 10), rel=1e-4)
