# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Solvers on flows whose exact solution is known: order, sign, given tokens, cost, and one XLA program."""

from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from safetensors.numpy import load_file

from vidgen.diffusion import paths
from vidgen.diffusion.guidance import guide
from vidgen.diffusion.solvers import Solver, dpm, euler, heun, sample, unipc
from vidgen.diffusion.times import schedule

MEAN, STD = 0.7, 0.5


def gaussian_velocity(x, t, _):
    """v = E[eps - x_0 | x_t = x] for x_0 ~ N(MEAN, STD^2): joint normal, so the regression on x is linear."""
    t = paths.expand_time(t, x)
    residual = (x - (1 - t) * MEAN) / ((1 - t) ** 2 * STD**2 + t**2)
    return t * residual - (MEAN + (1 - t) * STD**2 * residual)


X1 = jnp.linspace(-2.0, 2.0, 8).reshape(2, 4, 1)
EXACT = MEAN + STD * X1  # the flow keeps quantiles: x_t = (1 - t) MEAN + sqrt((1 - t)^2 STD^2 + t^2) x_1


def error(solver, steps, shift=1.0):
    return float(jnp.abs(sample(gaussian_velocity, X1, None, schedule(steps, shift), solver) - EXACT).max())


@pytest.mark.parametrize(("solver", "ratio"), [(euler, 2.0), (heun, 4.0)])
@pytest.mark.parametrize("steps", [16, 32, 64])
def test_order(solver, ratio, steps):
    """Twice the steps divide the error by 2^order; Heun keeps its order although its last step is Euler's."""
    assert error(solver, steps) / error(solver, 2 * steps) == pytest.approx(ratio, rel=0.12)


def exact_at(t):
    return (1 - t) * MEAN + np.sqrt((1 - t) ** 2 * STD**2 + t**2) * X1


@pytest.mark.parametrize(("solver", "ratio"), [(dpm, 4.0), (unipc, 8.0)])
def test_order_of_solvers_with_a_memory(solver, ratio):
    """Between 0.9 and 0.1: at the ends their lines have no slope, so that near them it shows only in the limit."""

    def part(steps):
        x = sample(gaussian_velocity, exact_at(0.9), None, jnp.linspace(0.9, 0.1, steps + 1), solver)
        return float(jnp.abs(x - exact_at(0.1)).max())

    for steps in (16, 32):
        assert part(steps) / part(2 * steps) == pytest.approx(ratio, rel=0.2)
    assert error(solver, 64) / error(solver, 128) > 3


GOLDEN = load_file(Path(__file__).parents[1] / "golden" / "solvers.safetensors")


@pytest.mark.parametrize("shift", [1, 3, 5, 8])
@pytest.mark.parametrize("steps", [5, 10, 50])
@pytest.mark.parametrize(("name", "solver"), [("unipc", unipc), ("dpm", dpm)])
def test_trajectories_are_those_of_diffusers(name, solver, steps, shift):
    """golden/make_solvers.py made them; a velocity that is no line, and the schedule as diffusers has it."""
    ts, theirs = (GOLDEN[f"{name}/{steps}/{shift}/{part}"] for part in ("times", "x"))
    assert jnp.abs(follow(ts, solver) - theirs).max() < 1e-5 * np.abs(theirs).max()


def follow(ts, solver):
    """Where a solver goes on that velocity."""

    def velocity(x, t, _):
        t = paths.expand_time(t, x)
        return jnp.sin(3 * x) * (1 - t) + jnp.cos(2 * x + t) - 0.5 * x

    return sample(velocity, GOLDEN["start"], None, ts, solver)


def test_heun_beats_euler_at_equal_evaluations():
    assert error(heun, 16) < error(euler, 31) / 4
    assert error(dpm, 31) < error(euler, 31) / 4


def test_a_part_of_the_way_by_heun_has_no_euler_step():
    """Stopping before t = 0, Heun is second order in every step, with much the smaller error."""
    stop = 0.5

    def part(steps):
        ts = jnp.linspace(1.0, stop, steps + 1)
        return float(jnp.abs(sample(gaussian_velocity, X1, None, ts, heun) - exact_at(stop)).max())

    assert part(4) / part(8) == pytest.approx(4, rel=0.25)


def test_heun_falls_back_to_euler_token_by_token():
    """In one step some tokens may end at t = 0 and others not: each goes as it would go alone."""
    t, t_next = jnp.full((2, 4), 0.5), jnp.array([[0.0, 0.3, 0.0, 0.3]] * 2)
    x, _ = heun.step(gaussian_velocity, X1, t, t_next, None, ())
    by_euler, _ = euler.step(gaussian_velocity, X1, t, t_next, None, ())
    by_heun, _ = heun.step(gaussian_velocity, X1, t, jnp.full((2, 4), 0.3), None, ())
    np.testing.assert_array_equal(x[:, ::2], by_euler[:, ::2])
    np.testing.assert_array_equal(x[:, 1::2], by_heun[:, 1::2])


CENTRES = jnp.array([[-3.0, 1.0], [2.0, 2.5], [0.5, -3.0]])
WIDTH = 0.1


def mixture_velocity(x, t, _):
    """The same for a mixture of three narrow normals: each one's velocity, weighted by its posterior."""
    t = paths.expand_time(t, x)[..., None]
    variance = (1 - t) ** 2 * WIDTH**2 + t**2
    residual = x[..., None, :] - (1 - t) * CENTRES
    posterior = jax.nn.softmax(-jnp.sum(residual**2, -1, keepdims=True) / (2 * variance), axis=-2)
    v = t * residual / variance - (CENTRES + (1 - t) * WIDTH**2 * residual / variance)
    return jnp.sum(posterior * v, axis=-2)


def distance_to_data(x):
    return jnp.linalg.norm(x[..., None, :] - CENTRES, axis=-1).min(-1)


@pytest.mark.parametrize("solver", [euler, heun, dpm, unipc])
def test_flow_sign(solver):
    """From noise the flow lands on all the data's modes; with the sign turned it lands on none."""
    x1 = jax.random.normal(jax.random.key(0), (16, 16, 2))
    x = sample(mixture_velocity, x1, None, schedule(60), solver)
    assert float(jnp.mean(distance_to_data(x) < 4 * WIDTH)) > 0.97
    nearest = jnp.linalg.norm(x[..., None, :] - CENTRES, axis=-1).argmin(-1)
    assert bool((jnp.bincount(nearest.ravel(), length=3) > 256 * 0.15).all())
    turned = sample(lambda x, t, c: -mixture_velocity(x, t, c), x1, None, schedule(60), solver)
    assert float(jnp.mean(distance_to_data(turned) < 4 * WIDTH)) < 0.05


@pytest.mark.parametrize("solver", [euler, heun, dpm, unipc])
def test_given_tokens_stay_and_their_time_is_0(solver):
    """Bit for bit, even where the velocity is NaN; the others go as if the given ones were not there."""
    x1 = jax.random.normal(jax.random.key(1), (2, 4, 3))
    known = jax.random.normal(jax.random.key(2), (2, 4, 3))
    mask = jnp.array([[False, True, True, False], [True, True, True, True]])

    def checked(x, t, _):
        given_are_known = jnp.where(mask, True, (x == known).all(-1)).all()
        only_given_at_0 = ((t == 0) == ~mask).all()
        v = jnp.where(given_are_known & only_given_at_0, gaussian_velocity(x, t, None), 1e6)
        return jnp.where(mask[..., None], v, jnp.nan)

    x = sample(checked, x1, None, schedule(6), solver, known=known, mask=mask)
    free = sample(gaussian_velocity, x1, None, schedule(6), solver)
    np.testing.assert_array_equal(x[~mask], known[~mask])
    np.testing.assert_allclose(x[mask], free[mask], rtol=1e-5)


def test_given_tokens_stay_whatever_a_solver_does():
    def drifting(velocity_fn, x, t, t_next, cond, memory):
        return x + 1, memory

    known, mask = jnp.zeros((2, 4, 1)), jnp.array([[False, True, True, True]])
    x = sample(gaussian_velocity, X1, None, schedule(3), Solver(drifting), known, mask)
    np.testing.assert_allclose(x, jnp.where(mask[..., None], X1 + 3, 0), rtol=1e-6)


def test_mask_and_known_broadcast():
    """One mask of frames for the whole batch, one known clip for the whole batch."""
    x1 = jax.random.normal(jax.random.key(1), (2, 3, 4, 4, 2))
    known = jnp.full((1, 3, 4, 4, 2), 5.0)
    x = sample(gaussian_velocity, x1, None, schedule(3), known=known, mask=jnp.array([[False, True, True]]))
    assert bool((x[:, 0] == 5).all())
    assert not bool((x[:, 1:] == 5).any())


def test_cells_of_frames_can_be_given():
    """A mask of all cells: what is given stays, and what is not goes as if alone."""
    x1 = jax.random.normal(jax.random.key(1), (2, 3, 4, 4, 2))
    mask = jax.random.bernoulli(jax.random.key(2), 0.5, (2, 3, 4, 4))
    x = sample(gaussian_velocity, x1, None, schedule(3), known=jnp.full_like(x1, 5.0), mask=mask)
    free = sample(gaussian_velocity, x1, None, schedule(3))
    np.testing.assert_allclose(x, jnp.where(mask[..., None], free, 5.0), rtol=1e-5)


@pytest.mark.parametrize(("solver", "evaluations"), [(euler, 5), (heun, 9), (dpm, 5), (unipc, 5)])
def test_evaluations_at_run_time(solver, evaluations):
    """Heun costs 2 N - 1 evaluations, others N, never one at t = 0 (which would say to a network "this is given")."""
    seen = []

    def recorded(x, t, _):
        jax.debug.callback(lambda t: seen.append(float(t.max())), t)
        return gaussian_velocity(x, t, None)

    jax.block_until_ready(sample(recorded, X1, None, schedule(5), solver))
    jax.effects_barrier()
    assert len(seen) == evaluations
    assert min(seen) > 0


@pytest.mark.parametrize("solver", [euler, heun, dpm, unipc])
def test_one_program_whose_size_does_not_grow_with_steps(solver):
    traces = []

    def counted(x, t, _):
        traces.append(t.shape)
        return gaussian_velocity(x, t, None)

    sizes = []
    for steps in (3, 30):
        program = jax.jit(lambda x, steps=steps: sample(counted, x, None, schedule(steps), solver)).lower(X1)
        sizes.append(len(program.as_text().splitlines()))
    assert sizes[0] == sizes[1]
    assert len(traces) <= 2 * 2 * 2
    assert set(traces) == {X1.shape[:2]}


def test_guidance_and_cond_pass_through():
    """Guided towards a condition, the end is the guided mean: v here pulls to cond, so guidance extrapolates it."""

    def velocity(x, t, cond):
        return (x - cond[:, None, None]) / jnp.maximum(paths.expand_time(t, x), 1e-3)

    cond, uncond = jnp.array([1.0, 2.0]), jnp.zeros(1)
    x = sample(guide(velocity, uncond, 3.0), jnp.ones((2, 4, 1)), cond, schedule(8), heun)
    np.testing.assert_allclose(x[:, 0, 0], [3.0, 6.0], rtol=1e-4)


def test_low_precision_is_integrated_in_float32():
    def low(x, t, _):
        return gaussian_velocity(x, t, None).astype(jnp.bfloat16)

    x = sample(low, X1.astype(jnp.bfloat16), None, schedule(16), heun)
    assert x.dtype == jnp.float32
    assert float(jnp.abs(x - sample(gaussian_velocity, X1, None, schedule(16), heun)).max()) < 0.02


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"x1": jnp.zeros((2, 4))}, "x1 has shape"),
        ({"ts": jnp.ones(1)}, "at least one step"),
        ({"ts": jnp.ones((3, 2))}, "ts has shape"),
        ({"known": X1}, "belong together"),
        ({"mask": jnp.ones((2, 4), bool)}, "belong together"),
        ({"known": X1, "mask": jnp.ones(4, bool)}, "mask has shape"),
    ],
)
def test_wrong_arguments_are_errors(change, message):
    arguments = {"velocity_fn": gaussian_velocity, "x1": X1, "cond": None, "ts": schedule(2)} | change
    with pytest.raises(ValueError, match=message):
        sample(**arguments)
