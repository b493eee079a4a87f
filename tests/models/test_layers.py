# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The mixed-precision matmul and its gradient, and cutting into patches."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from vidgen.models.layers import matmul, patchify, sinusoid, unpatchify


@pytest.mark.parametrize("rows", [1, 6, 64, 192])
def test_matmul_and_its_gradient_are_those_of_the_rounded_operands(rows: int) -> None:
    keys = jax.random.split(jax.random.key(0), 3)
    x, w = jax.random.normal(keys[0], (2, rows, 96)), jax.random.normal(keys[1], (96, 64))
    g = jax.random.normal(keys[2], (2, rows, 64))
    y, vjp = jax.vjp(lambda x, w: matmul(x, w, jnp.dtype("bfloat16")), x, w)
    dx, dw = jax.jit(vjp)(g)
    rounded = [np.asarray(a.astype(jnp.bfloat16), np.float64) for a in (x, w, g)]
    np.testing.assert_allclose(y, rounded[0] @ rounded[1], atol=1e-3)
    np.testing.assert_allclose(dx, rounded[2] @ rounded[1].T, atol=1e-3)
    np.testing.assert_allclose(dw, np.einsum("bri,bro->io", rounded[0], rounded[2]), atol=1e-3)
    assert dx.dtype == dw.dtype == jnp.float32


def test_matmul_in_float32_rounds_nothing() -> None:
    x, w = jnp.full((1, 4), 1 + 2**-12), jnp.eye(4)
    assert jnp.array_equal(matmul(x, w, jnp.dtype("float32")), x)
    assert not jnp.array_equal(matmul(x, w, jnp.dtype("bfloat16")), x)


def test_patches_keep_every_value_in_raster_order() -> None:
    x = jnp.arange(2 * 4 * 4 * 6 * 3).reshape(2, 4, 4, 6, 3)
    patches = patchify(x, (2, 2, 3))
    assert patches.shape == (2, 2, 2, 2, 36)
    assert jnp.array_equal(patches[0, 0, 0, 0], x[0, :2, :2, :3].reshape(-1))
    assert jnp.array_equal(unpatchify(patches, (2, 2, 3)), x)


def test_patches_that_do_not_fit_are_an_error() -> None:
    with pytest.raises(ValueError, match="4x5x4"):
        patchify(jnp.zeros((1, 4, 5, 4, 1)), (1, 2, 2))


def test_sinusoid_starts_with_cosines() -> None:
    features = sinusoid(jnp.array([0.0, 1.0]), 8)
    np.testing.assert_allclose(features[0], [1, 1, 1, 1, 0, 0, 0, 0])
    np.testing.assert_allclose(features[1, [0, 4]], [np.cos(1.0), np.sin(1.0)], rtol=1e-6)
