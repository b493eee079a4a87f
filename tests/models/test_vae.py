# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The VAE is causal in time on both sides, so images are clips of one frame and clips can be streamed."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from vidgen.models.vae import VAE, Stage, VAEConfig

FINE, COARSE = Stage(2, 8, 4, 16, 1), Stage(4, 16, 8, 32, 1)
CONFIG = VAEConfig(channels=3, encoder=(FINE, COARSE), decoder=(COARSE, FINE), dtype="float32")
VIDEO = jax.random.uniform(jax.random.key(1), (1, 13, 8, 12, 3), minval=-1, maxval=1)
MODEL = VAE(CONFIG)


@pytest.fixture(scope="module")
def params() -> dict:
    return jax.jit(MODEL.init)(jax.random.key(0), VIDEO, jax.random.key(2))


@jax.jit
def encode(params: dict, video: jax.Array) -> jax.Array:
    return MODEL.apply(params, video, method=VAE.encode)[0]


@jax.jit
def decode(params: dict, z: jax.Array) -> jax.Array:
    return MODEL.apply(params, z, method=VAE.decode)


def test_latents_see_no_later_frame(params: dict) -> None:
    """The gradient of latent t by frame f is zero exactly when f lies after the latent's group."""
    grad = jax.jit(jax.grad(lambda v, t: jnp.sum(encode(params, v)[:, t] ** 2)))
    for t in range(4):
        seen = grad(VIDEO, t)
        by_frame = np.asarray(jnp.abs(seen).sum(axis=(0, 2, 3, 4)))
        assert np.all(by_frame[max(0, 4 * t - 7) : 4 * t + 1] > 0)  # its own group and the one before
        assert np.all(by_frame[4 * t + 1 :] == 0)


def test_pixels_see_no_later_latent(params: dict) -> None:
    z = encode(params, VIDEO)
    grad = jax.jit(jax.grad(lambda z, f: jnp.sum(decode(params, z)[:, f] ** 2)))
    for t in range(4):
        last_frame = 4 * t
        seen = grad(z, last_frame)
        by_latent = np.asarray(jnp.abs(seen).sum(axis=(0, 2, 3, 4)))
        assert by_latent[t] > 0
        assert np.all(by_latent[t + 1 :] == 0)


def test_an_image_is_the_first_frame_of_a_clip(params: dict) -> None:
    z = encode(params, VIDEO)
    np.testing.assert_allclose(encode(params, VIDEO[:, :1]), z[:, :1], atol=1e-6)
    np.testing.assert_allclose(decode(params, z[:, :1]), decode(params, z)[:, :1], atol=1e-6)


def test_a_clip_that_stands_still_is_its_first_frame_again_and_again(params: dict) -> None:
    """What is learned about images then holds in clips. A clip that moves is something else."""
    still = encode(params, jnp.repeat(VIDEO[:, 3:4], 13, axis=1))
    np.testing.assert_allclose(still, jnp.repeat(still[:, :1], 4, axis=1), atol=1e-6)
    np.testing.assert_allclose(still[:, :1], encode(params, VIDEO[:, 3:4]), atol=1e-6)
    decoded = decode(params, still)
    np.testing.assert_allclose(decoded[:, 4::4], jnp.repeat(decoded[:, :1], 3, axis=1), atol=1e-6)
    assert np.abs(encode(params, VIDEO) - still).max() > 0.1


def test_parameters_do_not_depend_on_the_clip_that_initialises() -> None:
    shapes = [jax.eval_shape(MODEL.init, jax.random.key(0), VIDEO[:, :n], jax.random.key(2)) for n in (1, 5)]
    assert jax.tree.leaves(shapes[0])
    assert shapes[0] == shapes[1]


def test_shapes_and_what_does_not_fit(params: dict) -> None:
    assert CONFIG.latent_shape(13, 8, 12) == (4, 2, 3, 3)
    assert encode(params, VIDEO).shape == (1, 4, 2, 3, 3)
    assert decode(params, encode(params, VIDEO)).shape == VIDEO.shape
    with pytest.raises(ValueError, match="12 frames"):
        encode(params, VIDEO[:, :12])
    with pytest.raises(ValueError, match="12x7"):
        encode(params, VIDEO[:, :, :7])


def test_stages_that_do_not_meet_are_an_error() -> None:
    with pytest.raises(ValueError, match=r"\[4, 2\]"):
        VAEConfig(encoder=(COARSE, FINE), decoder=(FINE,))
    with pytest.raises(ValueError, match="make them equal"):
        VAEConfig(encoder=(FINE,), decoder=(COARSE, FINE))
