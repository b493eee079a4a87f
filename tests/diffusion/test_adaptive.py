# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Dormand and Prince's solver takes the steps of scipy's, ends where the exact flow ends, and treats each row alone."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import solve_ivp

from vidgen.diffusion import adaptive, paths
from vidgen.diffusion.adaptive import dopri5
from vidgen.diffusion.solvers import Solver, sample

MEAN, STD = 0.7, 0.5
X1 = np.random.default_rng(0).normal(size=(3, 4, 2)).astype(np.float32)
EXACT = MEAN + STD * X1
"""The flow keeps quantiles."""


def gaussian_velocity(x, t, _, np=jnp):
    """Of data N(MEAN, STD^2)."""
    t = t[..., None]
    residual = (x - (1 - t) * MEAN) / ((1 - t) ** 2 * STD**2 + t**2)
    return t * residual - (MEAN + (1 - t) * STD**2 * residual)


def bumpy_velocity(x, t, _, np=jnp):
    """Slow, then of a sudden fast, so that steps are refused; faster in the rows whose x is large."""
    t = t[..., None]
    return np.sin(3 * x) * (1 - t) + 40 * x * np.exp(-((20 * (t - 0.4)) ** 2)) - 0.5 * x


@functools.partial(jax.jit, static_argnums=0)
def run(velocity, x1, rtol, known, mask):
    def recorded(x, t, cond):
        jax.debug.callback(lambda: SEEN.append(1))
        return velocity(x, t, cond)

    return sample(recorded, x1, None, jnp.array([1.0, 0.0], x1.dtype), dopri5(rtol), known, mask)


SEEN: list[int] = []


def counted(velocity, x1, rtol=1e-3, known=None, mask=None):
    """(where it ends, how often the network was asked): a batch at once counts as one."""
    SEEN.clear()
    x = jax.block_until_ready(run(velocity, x1, rtol, known, mask))
    jax.effects_barrier()
    return np.asarray(x), len(SEEN)


@pytest.mark.parametrize("velocity", [gaussian_velocity, bumpy_velocity])
def test_steps_are_those_of_scipy(velocity) -> None:
    """Each row ends where scipy's RK45 takes it, in as many evaluations as the longest of them needs."""
    for rtol in (1e-2, 1e-3, 1e-5):
        found = []
        for row in X1.astype(np.float64):
            shape = row.shape

            def slope(s, x, shape=shape):
                return -velocity(x.reshape(shape), np.full(shape[0], 1 - s), None, np).ravel()

            found.append(solve_ivp(slope, (0, 1), row.ravel(), "RK45", rtol=rtol, atol=1e-6))
        with jax.enable_x64(True):
            ours, evaluations = counted(velocity, X1.astype(np.float64), rtol)
        assert evaluations == max(one.nfev for one in found) and ours.dtype == np.float64
        np.testing.assert_allclose(ours.reshape(3, -1), [one.y[:, -1] for one in found], rtol=1e-10, atol=1e-10)


def test_the_order_is_5() -> None:
    """With steps that are given, whatever their error, half of their length divides it by 2^5."""
    solver = Solver(dopri5(1e3, 1e3).step, lambda _x, t: jnp.ones(t.shape[0], t.dtype))

    @jax.jit
    def error(ts):
        x = sample(gaussian_velocity, jnp.asarray(X1, jnp.float64), None, ts, solver)
        return jnp.abs(x - (MEAN + STD * jnp.asarray(X1, jnp.float64))).max()

    with jax.enable_x64(True):
        few, many = (float(error(jnp.linspace(1.0, 0.0, steps + 1, dtype=jnp.float64))) for steps in (6, 12))
    assert few / many == pytest.approx(32, rel=0.4)


def test_the_tolerance_is_kept() -> None:
    (rough, cheap), (fine, dear) = (counted(gaussian_velocity, X1, tolerance) for tolerance in (1e-2, 1e-5))
    assert np.abs(fine - EXACT).max() < 1e-4 < np.abs(rough - EXACT).max() < 5e-2
    assert cheap < dear < 60


def test_rows_go_by_themselves_and_given_tokens_stay() -> None:
    """A row that needs many steps gives none to the others, which end as if alone; together they cost what it does."""
    x1 = np.concatenate([0.01 * X1[:1], 30 * X1[1:2]])
    both, cost = counted(bumpy_velocity, x1)
    alone = [counted(bumpy_velocity, x1[row : row + 1]) for row in (0, 1)]
    np.testing.assert_allclose(both, np.concatenate([x for x, _ in alone]), rtol=1e-5, atol=1e-6)
    assert max(n for _, n in alone) == cost > min(n for _, n in alone)
    known, made = np.full_like(X1, 5.0), np.array([[False, True, True, False], [True] * 4, [False] * 4])

    def silent(x, t, cond):
        return jnp.where(made[..., None], gaussian_velocity(x, t, cond), jnp.nan)

    x, _ = counted(silent, X1, 1e-5, known, made)
    np.testing.assert_allclose(x, np.where(made[..., None], EXACT, 5.0), atol=1e-4)
    assert (x[~made] == 5).all()


def test_it_ends_where_no_step_is_good() -> None:
    """No number, and a velocity that jumps: at most as many steps as there are shortest ones."""
    x, cost = counted(lambda x, t, _: jnp.full_like(x, jnp.nan), X1[:1])
    assert np.isnan(x).all() and cost < 7 / adaptive.SHORTEST

    def jumps(x, t, _):
        return jnp.where(paths.expand_time(t, x) > 0.3, 1.0, -1e4) + 0 * x

    x, cost = counted(jumps, X1[:1])
    assert cost < 600
    np.testing.assert_allclose(x, X1[:1] - 0.7 + 0.3e4, rtol=0.01)


def test_one_program_asks_the_network_in_three_places() -> None:
    """First, to choose the first step, and in a loop over loops."""
    places = []

    def recorded(x, t, _):
        places.append(t.shape)
        return gaussian_velocity(x, t, None)

    text = jax.jit(lambda x: sample(recorded, x, None, jnp.array([1.0, 0.0]), dopri5())).lower(X1).as_text()
    assert set(places) == {X1.shape[:2]} and text.count("stablehlo.while") >= 3
    assert len(places) <= 3 * 3
