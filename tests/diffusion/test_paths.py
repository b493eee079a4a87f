# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The path's ends, its derivative, and every conversion undone by its inverse; time is one a token."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidgen.diffusion import paths

SHAPE = (2, 3, 4, 4, 5)


def data_and_noise(seed=0, shape=SHAPE):
    return jax.random.normal(jax.random.key(seed), shape), jax.random.normal(jax.random.key(seed + 1), shape)


def test_ends_of_the_path():
    x0, eps = data_and_noise()
    np.testing.assert_array_equal(paths.interpolate(x0, eps, 0.0), x0)
    np.testing.assert_array_equal(paths.interpolate(x0, eps, 1.0), eps)


def test_velocity_is_the_derivative_of_the_path():
    x0, eps = data_and_noise()
    _, tangent = jax.jvp(lambda t: paths.interpolate(x0, eps, t), (0.3,), (1.0,))
    np.testing.assert_allclose(tangent, paths.velocity(x0, eps), rtol=1e-5, atol=1e-5)


def test_time_is_per_frame():
    """Each frame lies where its own time says, and a given frame (t = 0) is the data bit for bit."""
    x0, eps = data_and_noise()
    t = jnp.array([[0.0, 0.25, 1.0], [0.5, 0.0, 0.75]])
    x = paths.interpolate(x0, eps, t)
    for b in range(2):
        for f in range(3):
            np.testing.assert_array_equal(x[b, f], paths.interpolate(x0[b, f], eps[b, f], t[b, f]))
    np.testing.assert_array_equal(x[0, 0], x0[0, 0])
    np.testing.assert_array_equal(x[1, 1], x0[1, 1])


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1000), st.sampled_from([(2,), (2, 3), (2, 3, 1, 1, 1), (1, 3), ()]))
def test_conversions_recover_data_and_noise(seed, time_shape):
    x0, eps = data_and_noise(seed)
    t = jax.random.uniform(jax.random.key(seed), time_shape, minval=0.05, maxval=0.95)
    x, v = paths.interpolate(x0, eps, t), paths.velocity(x0, eps)
    np.testing.assert_allclose(paths.x0_from_velocity(x, v, t), x0, atol=1e-5)
    np.testing.assert_allclose(paths.eps_from_velocity(x, v, t), eps, atol=1e-5)
    np.testing.assert_allclose(paths.velocity_from_x0(x, x0, t), v, atol=1e-4)
    np.testing.assert_allclose(paths.velocity_from_eps(x, eps, t), v, atol=1e-4)


def test_conversions_are_finite_at_the_ends():
    x0, eps = data_and_noise()
    assert bool(jnp.isfinite(paths.velocity_from_x0(x0, x0 + 1, jnp.zeros(2))).all())
    assert bool(jnp.isfinite(paths.velocity_from_eps(eps, eps + 1, jnp.ones(2))).all())


@pytest.mark.parametrize("shape", [(3,), (3, 2), (2, 4), (2, 3, 4, 4, 5, 1)])
def test_a_time_that_fits_no_leading_axes_is_an_error(shape):
    x0, eps = data_and_noise()
    with pytest.raises(ValueError, match="does not match the leading axes"):
        paths.interpolate(x0, eps, jnp.zeros(shape))
