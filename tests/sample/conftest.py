# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""A model of random weights that says something, so small that it samples at once."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from vidgen.data.labelled import STYLES
from vidgen.data.tokenizer import load_tokenizer
from vidgen.models.captioner import CaptionerConfig, init_captioner
from vidgen.models.dit import DiTConfig
from vidgen.models.text import TextConfig
from vidgen.models.vae import VAE, Stage, VAEConfig
from vidgen.sample.autoencoder import identity_space
from vidgen.sample.captioner import CaptionerCard, TrainedCaptioner
from vidgen.sample.pipeline import Pipeline
from vidgen.sample.program import Networks
from vidgen.train.dit import init_params

STAGES = (Stage(8, 16, 4, 16, 1),)
NETWORKS = Networks(
    VAEConfig(channels=4, encoder=STAGES, decoder=STAGES),
    TextConfig(width=8, heads=2, hidden=8, layers=1),
    DiTConfig(channels=4, patch=(1, 1, 1), width=24, layers=1, heads=2, hidden=16, text_width=8, time_width=8),
)


@pytest.fixture(scope="session")
def tiny() -> Pipeline:
    """Cells of 8 pixels, groups of 4 frames."""
    vae = VAE(NETWORKS.vae).init(jax.random.key(0), jnp.zeros((1, 5, 16, 16, 3)), jax.random.key(1))["params"]
    params = init_params(NETWORKS, "", jax.random.key(2))
    params["dit"]["out"]["kernel"] = jax.random.normal(jax.random.key(3), params["dit"]["out"]["kernel"].shape)
    return Pipeline(NETWORKS, {**params, "vae": vae}, identity_space(4), load_tokenizer(), 16)


@pytest.fixture(scope="session")
def captioner() -> TrainedCaptioner:
    """Clips of 3 frames of 16x16 at 4 frames a second; texts of at most 8 tokens."""
    config = CaptionerConfig(
        table=8, width=12, layers=1, heads=2, hidden=8, styles=len(STYLES), cells=Stage(4, 6, 2, 8, 1), dtype="float32"
    )
    params = jax.tree.map(np.asarray, jax.jit(lambda key: init_captioner(config, key))(jax.random.key(0)))
    params["words"]["embedding"] = 4 * params["words"]["embedding"]
    return TrainedCaptioner(config, params, CaptionerCard("tiny", "nothing", (16, 16), 3, 4, 8, 8, ("dog",)))
