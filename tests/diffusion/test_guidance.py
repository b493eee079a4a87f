# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Guidance is the stated combination, in one call, within its interval of times."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from vidgen.diffusion.guidance import Guidance, guide

B, T = 3, 2
COND = {"text": jnp.arange(1.0, 1 + B * 4).reshape(B, 4), "scale": jnp.arange(1.0, 1 + B)}
UNCOND = {"text": jnp.full((1, 4), -1.0), "scale": jnp.full((1,), 0.5)}
X = jax.random.normal(jax.random.key(0), (B, T, 2, 2, 3))
TIMES = jnp.array([[0.1, 0.9], [0.5, 0.0], [1.0, 0.3]])


def velocity(x, t, cond):
    """Depends on every input, row by row."""
    factor = cond["text"].sum(-1) * cond["scale"]
    return jnp.sin(x) * factor[:, None, None, None, None] + t[:, :, None, None, None]


def separately(weight):
    everywhere = jax.tree.map(lambda u, c: jnp.broadcast_to(u, c.shape), UNCOND, COND)
    v_c, v_u = velocity(X, TIMES, COND), velocity(X, TIMES, everywhere)
    return v_c, v_u + jnp.reshape(jnp.asarray(weight), (-1, 1, 1, 1, 1)) * (v_c - v_u)


@pytest.mark.parametrize("weight", [0.0, 1.0, 1.5, 7.0])
def test_combination_of_two_separate_calls(weight):
    _, want = separately(weight)
    np.testing.assert_allclose(guide(velocity, UNCOND, weight)(X, TIMES, COND), want, rtol=1e-5, atol=1e-5)


def test_weight_may_be_traced_and_one_a_row():
    weight = jnp.array([0.0, 1.0, 4.0])
    v_c, want = separately(weight)
    got = jax.jit(lambda w: guide(velocity, UNCOND, w)(X, TIMES, COND))(weight)
    np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(got[1], v_c[1], rtol=1e-5, atol=1e-5)
    everywhere = jax.tree.map(lambda u, c: jnp.broadcast_to(u, c.shape), UNCOND, COND)
    np.testing.assert_allclose(guide(velocity, everywhere, weight)(X, TIMES, COND), got, rtol=1e-6)


def test_one_call_of_twice_the_batch():
    calls = []

    def counted(x, t, cond):
        calls.append((x.shape[0], t.shape[0], cond["text"].shape[0]))
        return velocity(x, t, cond)

    guide(counted, UNCOND, 3.0)(X, TIMES, COND)
    assert calls == [(2 * B, 2 * B, 2 * B)]


def test_weight_1_costs_nothing():
    assert guide(velocity, UNCOND, 1.0) is velocity


def test_interval_is_per_token_and_closed():
    v_c, v_guided = separately(5.0)
    got = guide(velocity, UNCOND, 5.0, interval=(0.3, 0.9))(X, TIMES, COND)
    acts = np.array([[False, True], [True, False], [False, True]])
    for b in range(B):
        for f in range(T):
            want = v_guided if acts[b, f] else v_c
            np.testing.assert_allclose(got[b, f], want[b, f], rtol=1e-5, atol=1e-5)
            assert not np.allclose(v_guided[b, f], v_c[b, f])


def test_bfloat16_velocities_are_combined_in_float32():
    def low(x, t, cond):
        return velocity(x, t, cond).astype(jnp.bfloat16)

    everywhere = jax.tree.map(lambda u, c: jnp.broadcast_to(u, c.shape), UNCOND, COND)
    v_c, v_u = (low(X, TIMES, c).astype(jnp.float32) for c in (COND, everywhere))
    got = guide(low, UNCOND, 3.0)(X, TIMES, COND)
    assert got.dtype == jnp.float32
    np.testing.assert_allclose(got, v_u + 3 * (v_c - v_u), rtol=1e-5, atol=1e-5)


def test_rescaled_rows_have_the_spread_of_the_condition_s():
    v_c, v_guided = separately(5.0)
    spread = lambda v: np.asarray(v).std(axis=(1, 2, 3, 4))  # noqa: E731
    whole = guide(velocity, UNCOND, 5.0, rescale=1.0)(X, TIMES, COND)
    np.testing.assert_allclose(spread(whole), spread(v_c), rtol=1e-4)
    assert (spread(v_guided) > 1.2 * spread(v_c)).all()
    half = guide(velocity, UNCOND, 5.0, rescale=0.5)(X, TIMES, COND)
    np.testing.assert_allclose(half, (whole + v_guided) / 2, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("interval", [(0.5, 0.2), (-0.1, 0.5), (0.5, 1.1)])
def test_wrong_numbers_are_errors(interval):
    with pytest.raises(ValueError, match="interval is"):
        Guidance(2.0, *interval).check()
    with pytest.raises(ValueError, match="rescale is"):
        Guidance(2.0, rescale=interval[1] + 1).check()


def test_a_wrong_unconditional_input_is_an_error():
    with pytest.raises(ValueError, match="tree like"):
        guide(velocity, {"text": UNCOND["text"]}, 2.0)(X, TIMES, COND)
    with pytest.raises(ValueError, match="does not fit"):
        guide(velocity, UNCOND | {"text": jnp.ones((2, 4))}, 2.0)(X, TIMES, COND)
    with pytest.raises(ValueError, match="batch axis"):
        guide(velocity, UNCOND | {"scale": jnp.float32(1)}, 2.0)(X, TIMES, COND | {"scale": jnp.float32(1)})
