# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The loss is the squared error a token, counts only tokens to be made, and its minimum is the mean velocity."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from vidgen.diffusion import loss, paths

SHAPE = (2, 3, 4, 4, 5)


def arrays(seed=0):
    return [jax.random.normal(key, SHAPE) for key in jax.random.split(jax.random.key(seed), 3)]


def test_zero_at_the_velocity_and_its_square_off_it():
    _, x0, eps = arrays()
    v = paths.velocity(x0, eps)
    per_token, mean = loss.flow_loss(v, x0, eps)
    assert per_token.shape == SHAPE[:-1]
    assert float(mean) == 0
    per_token, mean = loss.flow_loss(v + 2, x0, eps)
    np.testing.assert_allclose(per_token, 4, rtol=1e-5)
    assert float(mean) == pytest.approx(4)
    assert float(loss.flow_loss(-v, x0, eps)[1]) > 1, "the sign of the target counts"


def test_per_token_values_are_means_over_channels():
    v_hat, x0, eps = (np.asarray(a, np.float64) for a in arrays())
    per_token, mean = loss.flow_loss(*arrays())
    want = ((v_hat - (eps - x0)) ** 2).mean(-1)
    np.testing.assert_allclose(per_token, want, rtol=1e-5)
    assert float(mean) == pytest.approx(want.mean(), rel=1e-5)


@pytest.mark.parametrize("shape", [(2,), (2, 3), (1, 3), (2, 3, 4, 4)])
def test_the_mean_is_over_counted_tokens_only(shape):
    v_hat, x0, eps = arrays()
    mask = jax.random.bernoulli(jax.random.key(5), 0.5, shape).at[(0,) * len(shape)].set(True)
    per_token, mean = loss.flow_loss(v_hat, x0, eps, mask)
    full = np.broadcast_to(np.reshape(mask, shape + (1,) * (4 - len(shape))), SHAPE[:-1])
    assert float(mean) == pytest.approx(np.asarray(per_token)[full].mean(), rel=1e-5)


def test_given_tokens_get_no_gradient_and_may_hold_anything():
    v_hat, x0, eps = arrays()
    mask = jnp.array([[False, True, True], [True, True, False]])
    grad = jax.grad(lambda v: loss.flow_loss(v, x0, eps, mask)[1])(v_hat)
    np.testing.assert_array_equal((grad != 0).all((2, 3, 4)), mask)
    np.testing.assert_array_equal((grad != 0).any((2, 3, 4)), mask)
    _, mean = loss.flow_loss(v_hat, x0, eps, mask)
    _, with_nan = loss.flow_loss(v_hat.at[0, 0].set(jnp.nan), x0, eps, mask)
    assert float(mean) == float(with_nan)


def test_an_empty_mask_gives_0():
    v_hat, x0, eps = arrays()
    value, grad = jax.value_and_grad(lambda v: loss.flow_loss(v, x0, eps, jnp.zeros((2, 3), bool))[1])(v_hat)
    assert float(value) == 0
    assert not grad.any()


def test_weights_weigh():
    values = jnp.array([[1.0, 3.0]])
    assert float(loss.masked_mean(values, jnp.array([[3.0, 1.0]]))) == pytest.approx(1.5)


def test_computed_in_float32_whatever_comes_in():
    v_hat, x0, eps = arrays()
    low = [a.astype(jnp.bfloat16) for a in (v_hat, x0, eps)]
    per_token, mean = loss.flow_loss(*low)
    assert per_token.dtype == mean.dtype == jnp.float32
    assert float(mean) == pytest.approx(float(loss.flow_loss(*[a.astype(jnp.float32) for a in low])[1]), rel=1e-6)


def test_wrong_shapes_are_errors():
    v_hat, x0, eps = arrays()
    with pytest.raises(ValueError, match="one shape"):
        loss.flow_loss(v_hat[:1], x0, eps)
    with pytest.raises(ValueError, match="leading axes"):
        loss.flow_loss(v_hat, x0, eps, jnp.ones((2, 4)))
