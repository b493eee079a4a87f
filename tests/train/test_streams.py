# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Streams of latents: what is cut from the middle of clips, and which scenes they show."""

from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests.train import tiny_dit
from vidgen.models.vae import VAE
from vidgen.sample.autoencoder import Autoencoder, identity_space
from vidgen.train.streams import LatentData, Streams, cached_latents, world_source
from vidgen.worlds.scene import SceneConfig

WIDE = SceneConfig(width=32, height=16, frames=5)


def test_cropped_latents_are_those_of_the_middle(tmp_path: Path) -> None:
    config = tiny_dit.get_config()
    assert config.vae_config is not None
    shape = jnp.zeros((1, 5, 16, 16, 3))
    params = jax.jit(VAE(config.vae_config).init)(jax.random.key(0), shape, jax.random.key(1))["params"]
    vae = Autoencoder(config.vae_config, params, identity_space(4))
    whole = LatentData("whole", WIDE, count=2, batch_size=2)
    middle = LatentData("middle", WIDE, count=2, batch_size=2, crop=(16, 16))
    found = [cached_latents(data, vae, tmp_path, 0)[1] for data in (whole, middle)]
    video = world_source(whole, 0)[1]["video"][None]
    np.testing.assert_allclose(found[1]["latent"], vae.encode(video[:, :, :, 8:24])[0], atol=2e-3)
    assert found[0]["captions"] == found[1]["captions"]
    streams = Streams((whole, middle), config.packing, config.vae_config, (1, 1, 1))
    assert [streams.extent(data) for data in streams.data] == [(2, 2, 4), (2, 2, 2)]
    assert found[0]["latent"].shape == (2, 2, 4, 4) and found[1]["latent"].shape == (2, 2, 2, 4)


def test_a_crop_lies_in_the_frame() -> None:
    with pytest.raises(ValueError, match="must lie within"):
        LatentData("wide", WIDE, count=2, batch_size=2, crop=(16, 32))


def test_recaptioned_scenes_are_the_same_in_runs_of_every_seed() -> None:
    own = LatentData("own", WIDE, count=2, batch_size=2)
    told = LatentData("told", WIDE, count=2, batch_size=2, seed=5, recaptions="recaptions.jsonl")
    assert world_source(own, 0).scene(1) != world_source(own, 1).scene(1)
    assert world_source(told, 0).scene(1) == world_source(told, 1).scene(1) == world_source(own, 5).scene(1)
    with pytest.raises(ValueError, match="give seed"):
        LatentData("told", WIDE, count=2, batch_size=2, recaptions="recaptions.jsonl")
