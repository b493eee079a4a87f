# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Training times follow the logit-normal law and its shift; a schedule falls from noise to data."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidgen.diffusion import times


@pytest.mark.parametrize(("mean", "std", "shift"), [(0.0, 1.0, 1.0), (0.5, 0.7, 3.0), (-1.0, 1.5, 0.5)])
def test_sampled_times_have_the_quantiles_of_the_law(mean, std, shift):
    """The quantile at probability p is a sigmoid(mean + std z_p) / (1 + (a - 1) sigmoid(...)), z_p the normal's."""
    config = times.TimeConfig(mean, std, shift)
    t = np.sort(times.sample_times(jax.random.key(0), (20_000,), config))
    assert t.dtype == np.float32
    assert 0 < t[0] < t[-1] < 1
    for p, z in ((0.02275, -2.0), (0.15866, -1.0), (0.5, 0.0), (0.84134, 1.0)):
        u = 1 / (1 + math.exp(-(mean + std * z)))
        assert t[int(p * t.size)] == pytest.approx(shift * u / (1 + (shift - 1) * u), abs=0.015)


def test_shape_and_key_decide_the_draw():
    config = times.TimeConfig()
    t = times.sample_times(jax.random.key(1), (4, 3), config)
    assert t.shape == (4, 3)
    np.testing.assert_array_equal(t, times.sample_times(jax.random.key(1), (4, 3), config))
    assert len(np.unique(t)) == 12


def test_std_0_trains_at_one_time():
    t = times.sample_times(jax.random.key(0), (5,), times.TimeConfig(mean=0.0, std=0.0, shift=3.0))
    np.testing.assert_allclose(t, 0.75, rtol=1e-6)


@settings(max_examples=30, deadline=None)
@given(st.floats(0.1, 20.0), st.floats(0.1, 20.0))
def test_shifts_compose_and_keep_ends_and_order(a, b):
    t = jnp.linspace(0.0, 1.0, 17)
    shifted = times.shift_time(t, a)
    assert float(shifted[0]) == 0
    assert float(shifted[-1]) == pytest.approx(1)
    assert bool((jnp.diff(shifted) > 0).all())
    assert bool((shifted >= t - 1e-6).all()) == (a >= 1) or a == pytest.approx(1)
    np.testing.assert_allclose(times.shift_time(shifted, b), times.shift_time(t, a * b), atol=1e-5)


def test_shift_3_of_the_middle_is_three_quarters():
    assert float(times.shift_time(0.5, 3.0)) == pytest.approx(0.75)


@pytest.mark.parametrize(("steps", "shift"), [(1, 1.0), (7, 1.0), (20, 3.0), (50, 0.5)])
def test_schedule_falls_from_1_to_0(steps, shift):
    ts = times.schedule(steps, shift)
    assert ts.shape == (steps + 1,)
    assert float(ts[0]) == 1
    assert float(ts[-1]) == 0
    assert bool((jnp.diff(ts) < 0).all())
    np.testing.assert_allclose(ts, times.shift_time(jnp.arange(steps, -1, -1) / steps, shift), atol=1e-6)


@pytest.mark.parametrize("start", [0.1, 0.6, 0.99])
def test_a_schedule_may_start_later(start):
    """It goes on as the whole schedule does from there: evenly before the shift."""
    ts = np.asarray(times.schedule(8, 5.0, start), np.float64)
    assert ts[0] == pytest.approx(start) and ts[-1] == 0
    before_shift = ts / (5.0 - 4.0 * ts)
    np.testing.assert_allclose(np.diff(before_shift), before_shift[0] / -8, rtol=1e-4)
    with pytest.raises(ValueError, match="start is 0"):
        times.schedule(8, 5.0, 0)


def test_token_times_are_0_where_given():
    mask = jnp.array([[False, True, True], [True, True, False]])
    t = jnp.array([0.25, 0.5])
    np.testing.assert_array_equal(times.token_times(t, mask), [[0, 0.25, 0.25], [0.5, 0.5, 0]])
    per_frame = jnp.array([[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]])
    np.testing.assert_array_equal(times.token_times(per_frame, mask), jnp.where(mask, per_frame, 0))
    assert times.token_times(t, mask).dtype == jnp.float32


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: times.TimeConfig(std=-1.0), "std is -1"),
        (lambda: times.TimeConfig(mean=math.inf), "mean is inf"),
        (lambda: times.TimeConfig(shift=0.0), "shift is 0"),
        (lambda: times.TimeConfig(shift=math.nan), "shift is nan"),
        (lambda: times.schedule(0), "steps is 0"),
        (lambda: times.schedule(5, -1.0), "shift is -1"),
    ],
)
def test_impossible_values_are_errors(make, message):
    with pytest.raises(ValueError, match=message):
        make()
