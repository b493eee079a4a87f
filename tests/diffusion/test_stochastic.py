# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Solvers that draw noise make the published steps, go where diffusers goes, and end distributed as the data."""

import functools
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from safetensors.numpy import load_file

from vidgen.diffusion import solvers, stochastic, times
from vidgen.diffusion.guidance import guide
from vidgen.models.estimate import clock, step_times, velocity_of

GOLDEN = load_file(Path(__file__).parents[1] / "golden" / "ancestral.safetensors")
KEPT = np.cumprod(1 - np.linspace(1e-4, 0.02, 1000))
MEAN, DEVIATION = 0.7, 0.4


def exact_velocity(x, t, _=None):
    """Of data N(MEAN, DEVIATION^2): E[eps - x_0 | x_t], the gain of the best linear estimate."""
    t = jnp.asarray(t)[..., None]
    variance = t**2 + ((1 - t) * DEVIATION) ** 2
    rest = x - (1 - t) * MEAN
    return (t - (1 - t) * DEVIATION**2) / variance * rest - MEAN


def from_noise(says):
    """A velocity function, with w behind the velocity, of says(x on the variance-preserving path, whole step)."""

    def velocity(x, t, _):
        step, t = clock("noise", t, 1.0, 1000)[..., None], t[..., None]
        read = velocity_of("noise", t, 1000)
        eps, w = says(read.scale * x, step)
        return jnp.concatenate([read.slope * x + read.rest * eps, w], axis=-1)

    return velocity


def toy(x, step):
    t = step / 1000
    return jnp.sin(x) * (1 - t) + 0.9 * t * x, jnp.cos(2 * x + t)


def no_variance(velocity):
    return lambda x, t, cond: velocity(x, t, cond)[..., : x.shape[-1]]


def root(t):
    return ((1 - t) ** 2 + t**2) ** 0.5


@functools.partial(jax.jit, static_argnums=(0, 1))
def go(solver: str, learned: bool, start, ts, drawn):
    noise = lambda number, _: drawn[number]  # noqa: E731
    made = {
        "ddpm": stochastic.ddpm(noise), "ddim0": stochastic.ddim(noise, 0.0), "ddim1": stochastic.ddim(noise),
        "euler": solvers.euler,
    }  # fmt: skip
    velocity = from_noise(toy)
    return solvers.sample(velocity if learned else no_variance(velocity), start, None, ts, made[solver])


def by_diffusers(steps: int):
    """For each solver, where it goes and where diffusers goes, in all that the golden file has."""
    kinds = [(spacing, kind) for spacing in ("linspace", "leading") for kind in ("learned_range", "fixed_small")]
    runs = {"ddpm": [(f"ddpm/{steps}/{spacing}/{kind}", spacing, kind) for spacing, kind in kinds]}
    runs |= {f"ddim{eta}": [(f"ddim/{steps}/{eta}", "leading", "")] for eta in (0, 1)}
    runs["euler"] = [(f"ddim/{steps}/0", "leading", "")]  # which is DDIM without noise
    for solver, wanted in runs.items():
        parts = []
        for name, spacing, kind in wanted:
            ts = times.respaced(step_times(1000), steps, spacing="leading" if spacing == "leading" else "even")
            x = go(solver, kind == "learned_range", GOLDEN["start"] * root(ts[0]), ts, GOLDEN["drawn"])
            parts.append((x, GOLDEN[name]))
        yield solver, parts


@pytest.mark.parametrize("steps", [5, 10, 50])
def test_trajectories_are_those_of_diffusers(steps: int) -> None:
    for solver, parts in by_diffusers(steps):
        for ours, theirs in parts:
            far = np.abs(ours - theirs).max() / np.abs(theirs).max()
            assert far < (1e-5 if steps <= 10 else 2e-5), (solver, far)


def test_a_step_of_ddpm_is_the_published_one() -> None:
    """On Gaussian data, whose noise is known: arXiv 2006.11239, eq. 7, and 2102.09672, eq. 15, in float64."""
    rng = np.random.default_rng(0)
    x, n = rng.normal(size=(2, 1, 5, 3))
    for now, then in ((999, 950), (500, 499), (400, 10), (3, 0), (1, 0), (0, -1)):
        kept, before = KEPT[now], KEPT[then] if then >= 0 else 1.0
        signal, noise = np.sqrt(kept), np.sqrt(1 - kept)
        total = kept * DEVIATION**2 + 1 - kept
        eps = noise / total * (x - signal * MEAN)
        x0, beta = (x - noise * eps) / signal, 1 - kept / before
        mean = beta * np.sqrt(before) / (1 - kept) * x0 + (1 - before) * np.sqrt(kept / before) / (1 - kept) * x
        w = np.tanh(x)
        most = np.log(beta)
        least = np.log(beta * (1 - before) / (1 - kept)) if then >= 0 else most
        expected = mean + (then >= 0) * np.exp(((w + 1) / 2 * most + (1 - w) / 2 * least) / 2) * n

        t, t_next = (noise / (noise + signal)), np.sqrt(1 - before) / (np.sqrt(1 - before) + np.sqrt(before))

        def velocity(flow, at, _, w=w):
            return jnp.concatenate([exact_velocity(flow, at), jnp.asarray(w, jnp.float32)], axis=-1)

        times_ = (jnp.full((1, 5), one, jnp.float32) for one in (t, t_next))
        solver = stochastic.ddpm(lambda *_: jnp.asarray(n, jnp.float32))
        stepped, _ = solver.step(velocity, jnp.asarray(x * root(t), jnp.float32), *times_, None, jnp.int32(0))
        np.testing.assert_allclose(stepped / root(t_next), expected, rtol=3e-4, atol=3e-5)


@functools.partial(jax.jit, static_argnums=(0, 1))
def end(kind: str, steps: int):
    x = jax.random.normal(jax.random.key(1), (1, 20_000, 1))
    noise = stochastic.drawn(jax.random.key(0))
    if kind in ("ddpm", "ddim"):
        solver = stochastic.ddpm(noise) if kind == "ddpm" else stochastic.ddim(noise)
        ts = times.respaced(step_times(1000), steps)
        return solvers.sample(exact_velocity, x * root(ts[0]), None, ts, solver)
    ts = times.sde_schedule(steps, last=0.01)
    return solvers.sample(exact_velocity, x, None, ts, stochastic.euler_maruyama(noise, kind))


@pytest.mark.parametrize("kind", ["ddpm", "ddim", "sigma", "constant", "sbdm", "decreasing", "increasing-decreasing"])
def test_the_end_is_distributed_as_the_data(kind: str) -> None:
    x = np.asarray(end(kind, 200))
    assert abs(x.mean() - MEAN) < 0.03 and abs(x.std() / DEVIATION - 1) < 0.08, (x.mean(), x.std())


def test_more_steps_are_nearer() -> None:
    few, many = (abs(np.asarray(end("ddpm", steps)).std() / DEVIATION - 1) for steps in (50, 200))
    assert 2 * many < few < 6 * many  # of first order


def test_rows_draw_by_themselves_and_given_tokens_stay() -> None:
    ts, known = times.sde_schedule(5), jnp.full((2, 4, 3), 2.0)
    made = jnp.array([[True, False, True, True]] * 2)
    x1 = jnp.broadcast_to(jax.random.normal(jax.random.key(2), (1, 4, 3)), (2, 4, 3))
    for solver in (stochastic.euler_maruyama, stochastic.ddpm, stochastic.ddim):
        run = functools.partial(solver, stochastic.drawn(jax.random.key(3)))
        visited = ts if solver is stochastic.euler_maruyama else times.respaced(step_times(1000), 4)
        sample = jax.jit(functools.partial(solvers.sample, exact_velocity, solver=run()))
        both = sample(x1, None, visited, known=known, mask=made)
        assert np.isfinite(both).all() and (both[:, 1] == 2.0).all()
        assert np.abs(both[0] - both[1])[jnp.array([0, 2, 3])].min() > 1e-4
        alone = sample(x1[:1], None, visited, known=known[:1], mask=made[:1])
        np.testing.assert_allclose(alone, both[:1], atol=1e-5)


def test_three_channels_are_guided() -> None:
    def velocity(x, t, cond):
        return jnp.broadcast_to(cond[:, None, None], x.shape)

    x, t = jnp.zeros((1, 2, 8)), jnp.full((1, 2), 0.5)
    v = guide(velocity, jnp.zeros(1), 4.0, channels=3)(x, t, jnp.ones(1))
    assert v[0, 0].tolist() == [4.0] * 3 + [1.0] * 5


def test_times_that_make_no_sense_are_refused() -> None:
    ts = times.respaced(step_times(1000), 250)
    whole = np.asarray(clock("noise", ts[:-1], 1.0, 1000)).astype(int)
    assert whole[0] == 999 and whole[-1] == 0 and set(np.diff(whole)) == {-4, -5} and ts[-1] == 0
    assert times.respaced(step_times(1000), 1)[0] == ts[0]
    assert times.respaced(step_times(1000), 9, start=0.5)[0] <= 0.5
    for steps in (0, 1001):
        with pytest.raises(ValueError, match="from 1 to 1000, which is how many the model knows"):
            times.respaced(step_times(1000), steps)
    with pytest.raises(ValueError, match="there must be 2 steps"):
        times.sde_schedule(1)
    with pytest.raises(ValueError, match="must be one of sigma, constant"):
        stochastic.euler_maruyama(stochastic.drawn(jax.random.key(0)), "more").step(
            exact_velocity, jnp.zeros((1, 2, 3)), jnp.ones((1, 2)), jnp.zeros((1, 2)), None, jnp.int32(0)
        )
