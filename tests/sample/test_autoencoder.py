# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""A long clip decoded in parts is the same clip, and needs no more memory beside itself; spaces of latents."""

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from vidgen.models.layers import apply
from vidgen.models.vae import VAE, Stage, VAEConfig
from vidgen.sample.autoencoder import Autoencoder, LatentSpace, align_space, decode_groups, to_uint8

FINE, COARSE = Stage(2, 8, 4, 16, 1), Stage(4, 16, 8, 32, 2)
CONFIG = VAEConfig(channels=3, encoder=(FINE, COARSE), decoder=(COARSE, FINE), dtype="float32")


@functools.cache
def params() -> dict:
    shapes = jax.eval_shape(VAE(CONFIG).init, jax.random.key(0), jnp.zeros((1, 5, 8, 8, 3)), jax.random.key(0))
    rng = np.random.default_rng(1)
    return jax.tree.map(lambda leaf: np.float32(0.3 * rng.normal(size=leaf.shape)), shapes["params"])


@pytest.mark.parametrize(("T", "at_once"), [(9, 2), (8, 4), (11, 3), (5, 2), (6, 2)])
def test_parts_are_those_of_the_whole(T: int, at_once: int) -> None:
    """Whether or not the parts divide the clip, and where a clip is hardly longer than a part with what it looks to."""
    latent = np.random.default_rng(T).normal(size=(2, T, 3, 4, 3)).astype(np.float32)
    whole = np.asarray(to_uint8(apply(VAE(CONFIG), params(), latent, method=VAE.decode_groups)))
    parts = np.asarray(decode_groups(CONFIG, params(), latent, at_once=at_once))
    assert parts.shape == whole.shape == (2, 4 * T, 12, 16, 3)
    assert np.abs(parts.astype(int) - whole).max() <= 1 and whole.std() > 20


def test_a_decoder_looks_back_as_far_as_it_has_blocks() -> None:
    assert CONFIG.reach == 3
    latent = np.random.default_rng(0).normal(size=(1, 9, 2, 2, 3)).astype(np.float32)
    changed = latent.copy()
    changed[:, 2] += 1
    one, other = (np.asarray(apply(VAE(CONFIG), params(), x, method=VAE.decode_groups)) for x in (latent, changed))
    different = np.abs(one - other).reshape(9, -1).max(1) > 1e-6
    assert different.tolist() == [2 <= t <= 5 for t in range(9)]


def test_memory_does_not_grow_with_length() -> None:
    def needed(T: int) -> int:
        latent = jax.ShapeDtypeStruct((1, T, 8, 8, 3), jnp.float32)
        decode = jax.jit(functools.partial(decode_groups, CONFIG, at_once=4))
        memory = decode.lower(params(), latent).compile().memory_analysis()
        pixels = 4 * T * 32 * 32 * 3
        return memory.temp_size_in_bytes - 2 * pixels - 4 * T * 8 * 8 * 3  # the clip, turned, and its latents

    assert needed(256) < 1.2 * needed(32)


def test_latents_of_a_turned_encoder_are_met_again() -> None:
    """Where the encoder's last layer is followed by any linear map, the aligned space undoes it, both ways."""
    rng = np.random.default_rng(3)
    mix = rng.normal(size=(3, 3)) + 2 * np.eye(3)
    head = params()["encoder"]["out"]["kernel"]
    turned = jax.tree.map(lambda leaf: leaf, params())
    turned["encoder"]["out"]["kernel"] = np.concatenate([head[:, :3] @ mix, head[:, 3:]], axis=1)
    bias = params()["encoder"]["out"]["bias"]
    turned["encoder"]["out"]["bias"] = np.concatenate([bias[:3] @ mix + 1, bias[3:]])
    space = LatentSpace(np.float32([0.1, 0.2, 0.3]), np.float32(rng.normal(size=(3, 3))), np.ones(3, np.float32))
    before = Autoencoder(CONFIG, params(), space)
    batches = [rng.integers(0, 256, (2, 5, 8, 8, 3), dtype=np.uint8) for _ in range(4)]
    after = Autoencoder(CONFIG, turned, align_space(CONFIG, turned, before, batches))
    unseen = rng.integers(0, 256, (2, 5, 8, 8, 3), dtype=np.uint8)
    wanted = np.asarray(before.encode(unseen))
    assert wanted.std() > 0.05
    np.testing.assert_allclose(after.encode(unseen), wanted, atol=2e-4 * np.abs(wanted).max())
    raw = np.asarray(before.space.leave(jnp.asarray(wanted)))
    np.testing.assert_allclose(after.space.leave(jnp.asarray(wanted)), raw @ mix + 1, atol=1e-3 * np.abs(raw).max())
    with pytest.raises(ValueError, match="must agree"):
        align_space(dataclasses.replace(CONFIG, channels=4), turned, before, batches)
