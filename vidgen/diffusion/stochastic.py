# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Solvers that draw noise on the way: DDPM and DDIM, which go the variance-preserving path, and Euler-Maruyama.

All of them see x_t = (1 - t) x_0 + t eps and its velocity. On the variance-preserving path lies x_t / r with
r^2 = (1 - t)^2 + t^2: there the share of the data's variance is (1 - t)^2 / r^2. With DDIM's noise turned off its step
is that of `vidgen.diffusion.solvers.euler`, since both keep x_0 and eps as they are.
"""

from collections.abc import Callable
from typing import Literal, get_args

import jax
import jax.numpy as jnp

from vidgen.diffusion import paths
from vidgen.diffusion.solvers import Cond, Memory, Solver, VelocityFn

Noise = Callable[[jax.Array, jax.Array], jax.Array]
"""noise(number of the step from 0, x) -> normal noise of x's shape."""
Diffusion = Literal["sigma", "constant", "sbdm", "decreasing", "increasing-decreasing"]
"""How much noise `euler_maruyama` draws at each time; see `diffusion_at`."""


def drawn(key: jax.Array) -> Noise:
    """Noise whose row i depends on the key, the step and i alone."""

    def noise(step: jax.Array, x: jax.Array) -> jax.Array:
        keys = jax.vmap(jax.random.fold_in, (None, 0))(jax.random.fold_in(key, step), jnp.arange(x.shape[0]))
        return jax.vmap(lambda one: jax.random.normal(one, x.shape[1:], x.dtype))(keys)

    return noise


def _counted(step: Callable[..., jax.Array], noise: Noise) -> Solver:
    """A solver of step(velocity_fn, x, t, t_next, cond, noise of this step), all times spread over x."""

    def numbered(
        velocity_fn: VelocityFn, x: jax.Array, t: jax.Array, t_next: jax.Array, cond: Cond, memory: Memory
    ) -> tuple[jax.Array, Memory]:
        said = velocity_fn(x, t, cond).astype(x.dtype)
        times = paths.expand_time(t, x), paths.expand_time(t_next, x)
        return step(said, x, *times, noise(memory, x)), memory + 1

    return Solver(numbered, lambda _x, _t: jnp.int32(0))


def ddpm(noise: Noise) -> Solver:
    """DDPM's ancestral step (arXiv 2006.11239, eq. 7) between any two times (arXiv 2102.09672, section 3.3).

    Where the velocity function says twice as many channels, the second half is w in [-1, 1] of a variance that is
    learned: its logarithm lies between those of the posterior's and of beta, at (w + 1) / 2 (2102.09672, eq. 15, by the
    convention of its code and of DiT's). Else it is the posterior's. The step to t = 0 draws nothing.
    """

    def step(said: jax.Array, x: jax.Array, t: jax.Array, t_next: jax.Array, eps: jax.Array) -> jax.Array:
        C = x.shape[-1]
        x0, moves = x - t * said[..., :C], t > t_next
        beta, past, share = _between(t, jnp.where(moves, t_next, 0))
        mean = beta * _signal(t_next) / share * x0 + past * jnp.sqrt(1 - beta) / share * x / _root(t)
        ends = t_next <= 0
        least = jnp.log(jnp.where(ends, 1.0, beta * past / share))
        learned = said.shape[-1] > C
        weight = (said[..., C:] + 1) / 2 if learned else 0.0
        log_variance = least + weight * (jnp.log(beta) - least)
        return _root(t_next) * (mean + jnp.where(ends, 0.0, jnp.exp(log_variance / 2)) * eps)

    return _counted(step, noise)


def ddim(noise: Noise, eta: float = 1.0) -> Solver:
    """DDIM's step (arXiv 2010.02502, eq. 12 and 16); eta = 1 has the variance of DDPM's posterior, 0 draws nothing."""

    def step(said: jax.Array, x: jax.Array, t: jax.Array, t_next: jax.Array, eps: jax.Array) -> jax.Array:
        v = said[..., : x.shape[-1]]
        beta, past, share = _between(t, t_next)
        variance = eta**2 * beta * past / share
        along = jnp.sqrt(jnp.maximum(past - variance, 0)) * (x + (1 - t) * v)
        return _root(t_next) * (_signal(t_next) * (x - t * v) + along + jnp.sqrt(variance) * eps)

    return _counted(step, noise)


def _root(t: jax.Array) -> jax.Array:
    return jnp.sqrt((1 - t) ** 2 + t**2)


def _signal(t: jax.Array) -> jax.Array:
    """The root of the data's share of the variance."""
    return (1 - t) / _root(t)


def _between(t: jax.Array, t_next: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
    """(beta of the step, share of noise in the variance after it, and before it).

    With q = t / (1 - t), beta = 1 - (1 + q'^2) / (1 + q^2), in a form that does not lose the digits of short steps.
    """
    late = jnp.minimum(t, 1 - 1e-6)
    slope = (t_next / (1 - t_next) + late / (1 - late)) / ((1 - late) * (1 - t_next))
    beta = (late - t_next) * slope * (1 - late) ** 2 / _root(late) ** 2
    past, share = ((at / _root(at)) ** 2 for at in (t_next, late))
    # A given token has both times 0: it does not move, and nothing is divided by 0.
    return jnp.where(t > t_next, beta, 1.0), past, jnp.where(t > 0, share, 1.0)


def diffusion_at(kind: Diffusion, t: jax.Array) -> jax.Array:
    """The diffusion coefficient D of dx = v dt + D score dt + sqrt(2 D) dW at a time (arXiv 2401.08740, section 2 and
    table 2, w = 2 D): "sigma" is the noise's share itself, "sbdm" that of score-based models, which has no bound at
    t = 1 and is kept below 1,000.

    Raises:
        ValueError: there is no such kind.
    """
    coefficients: dict[Diffusion, Callable[[jax.Array], jax.Array]] = {
        "sigma": lambda t: t,
        "constant": jnp.ones_like,
        "sbdm": lambda t: t / jnp.maximum(1 - t, 1e-3),
        "decreasing": lambda t: (1 - jnp.cos(jnp.pi * t)) ** 2 / 4,
        "increasing-decreasing": lambda t: jnp.sin(jnp.pi * t) ** 2,
    }
    if kind not in coefficients:
        raise ValueError(f"diffusion {kind!r} was given; it must be one of {', '.join(get_args(Diffusion))}")
    return coefficients[kind](t)


def euler_maruyama(noise: Noise, kind: Diffusion = "sigma", strength: float = 1.0) -> Solver:
    """Euler-Maruyama's step of the reverse SDE (arXiv 2401.08740, eq. 6 and appendix A); the step to t = 0 is its mean
    alone, as SiT's last one.

    The score is -eps / t. `strength` multiplies `diffusion_at`; every choice has the same marginals in the limit.
    """

    def step(said: jax.Array, x: jax.Array, t: jax.Array, t_next: jax.Array, eps: jax.Array) -> jax.Array:
        v = said[..., : x.shape[-1]]
        D = strength * diffusion_at(kind, t)
        h = t - t_next
        score = -(x + (1 - t) * v) / jnp.where(t > 0, t, 1)
        return x - h * v + h * D * score + jnp.where(t_next > 0, jnp.sqrt(2 * D * h), 0.0) * eps

    return _counted(step, noise)
