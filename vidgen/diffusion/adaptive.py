# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""A solver that chooses its own steps: Dormand and Prince's pair of orders 5 and 4, within one XLA program.

Each row of a batch has steps of its own, since a velocity function takes a time for each of its tokens: what becomes
of a clip does not depend on those beside it, and a batch costs as many evaluations as the longest of its rows.
"""

import functools
from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from vidgen.diffusion import paths
from vidgen.diffusion.solvers import Cond, Memory, Solver, VelocityFn

_NODES = np.array([0, 1 / 5, 3 / 10, 4 / 5, 8 / 9, 1, 1])
_STAGES = np.array(
    [
        [0, 0, 0, 0, 0, 0, 0],
        [1 / 5, 0, 0, 0, 0, 0, 0],
        [3 / 40, 9 / 40, 0, 0, 0, 0, 0],
        [44 / 45, -56 / 15, 32 / 9, 0, 0, 0, 0],
        [19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729, 0, 0, 0],
        [9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656, 0, 0],
        [35 / 384, 0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84, 0],
    ]
)
"""Where a step's evaluations lie, and of what they are made; the last is where the step ends."""
_ERROR = np.array([71 / 57600, 0, -71 / 16695, 71 / 1920, -17253 / 339200, 22 / 525, -1 / 40])
"""The step of order 5 less that of order 4 (Dormand and Prince, J. Comput. Appl. Math. 6(1), 1980)."""
Slope = Callable[[jax.Array, jax.Array], jax.Array]
"""slope(share of the way [B], x) -> dx by that share, of x's shape."""
Norm = Callable[[jax.Array], jax.Array]
"""The size of x, a row: [B]."""

SHORTEST = 1e-3
"""Of the way from noise to data. A step is not made shorter, and one as short as this is taken whatever its error, so
that a sampler ends: after so many steps at most where a velocity is no function of the time, or no number at all."""


class _Way(NamedTuple):
    """How far the rows are.

    done_B: the share of the way; x: where that is; slope: what the velocity says there, by the share; next_B: length
    of the next step; shrank_B: whether the last try was refused.
    """

    done_B: jax.Array
    x: jax.Array
    slope: jax.Array
    next_B: jax.Array
    shrank_B: jax.Array


def dopri5(rtol: float = 1e-3, atol: float = 1e-6) -> Solver:
    """A step that goes by as many of Dormand and Prince's as the tolerance needs, seven evaluations of which one is the
    next one's first (Hairer, Norsett and Wanner, Solving Ordinary Differential Equations I, section II.4, which also
    chooses the first step).

    The root of the mean, over a row's tokens that move, of (error / (atol + rtol max(|x|, |x'|)))^2 is held below 1.
    The default tolerances are those that SiT is sampled with (arXiv 2401.08740). The velocity is asked for at both ends
    of the way, t = 0 too.
    """

    def step(
        velocity_fn: VelocityFn, x: jax.Array, t: jax.Array, t_next: jax.Array, cond: Cond, memory: Memory
    ) -> tuple[jax.Array, Memory]:
        moves = jnp.broadcast_to(paths.expand_time(t != t_next, x), x.shape)
        length_B = jnp.max(jnp.abs(t - t_next), axis=tuple(range(1, t.ndim)))

        def slope(done_B: jax.Array, x: jax.Array) -> jax.Array:
            share = _spread(done_B, t)
            v = velocity_fn(x, (1 - share) * t + share * t_next, cond).astype(x.dtype)
            return paths.expand_time(t_next - t, x) * v

        norm = functools.partial(_norm, moves)
        first = slope(jnp.zeros_like(length_B), x)
        shortest_B = jnp.minimum(1.0, SHORTEST / jnp.maximum(length_B, SHORTEST))
        chosen_B = jax.lax.cond(
            jnp.any(memory > 0),
            lambda: jnp.zeros_like(length_B),
            lambda: _first_step(slope, norm, x, first, rtol, atol),
        )
        next_B = jnp.where(memory > 0, memory / jnp.maximum(length_B, SHORTEST), chosen_B)
        # A row of which nothing moves is there.
        way = _Way(jnp.where(length_B > 0, 0.0, 1.0), x, first, next_B, jnp.zeros(length_B.shape, bool))
        advance = functools.partial(_advance, slope, norm, shortest_B, rtol, atol)
        way = jax.lax.while_loop(lambda way: jnp.any(way.done_B < 1), advance, way)
        return way.x, way.next_B * length_B

    return Solver(step, lambda _x, t: jnp.zeros(t.shape[0], t.dtype))


def _spread(x_B: jax.Array, like: jax.Array) -> jax.Array:
    return x_B.reshape(x_B.shape + (1,) * (like.ndim - 1))


def _norm(moves: jax.Array, x: jax.Array) -> jax.Array:
    """The root of the mean square of what moves, a row: [B]."""
    axes = tuple(range(1, x.ndim))
    return jnp.sqrt(jnp.sum(jnp.where(moves, x**2, 0), axes) / jnp.maximum(jnp.sum(moves, axes), 1))


def _first_step(slope: Slope, norm: Norm, x: jax.Array, first: jax.Array, rtol: float, atol: float) -> jax.Array:
    """Length of the first step, a row, for which an Euler step would err little, and so would one of order 5: [B]."""
    scale = atol + rtol * jnp.abs(x)
    far_B, fast_B = norm(x / scale), norm(first / scale)
    still = (far_B < 1e-5) | (fast_B < 1e-5)
    probe_B = jnp.minimum(jnp.where(still, 1e-6, 0.01 * far_B / jnp.where(still, 1, fast_B)), 1.0)
    bends_B = norm((slope(probe_B, x + _spread(probe_B, x) * first) - first) / scale) / probe_B
    most_B = jnp.maximum(fast_B, bends_B)
    by_order_B = jnp.where(
        most_B > 1e-15, (0.01 / jnp.maximum(most_B, 1e-15)) ** 0.2, jnp.maximum(1e-6, probe_B * 1e-3)
    )
    chosen_B = jnp.minimum(100 * probe_B, by_order_B)
    return jnp.where(jnp.isfinite(chosen_B), chosen_B, 0.0)


def _advance(slope: Slope, norm: Norm, shortest_B: jax.Array, rtol: float, atol: float, way: _Way) -> _Way:
    """A try of every row, which stands where its error is small."""
    left_B = 1 - way.done_B
    tried_B = jnp.minimum(jnp.maximum(way.next_B, shortest_B), left_B)
    end_B = jnp.where(tried_B >= left_B, 1.0, way.done_B + tried_B)
    ahead = _spread(tried_B, way.x)

    def stage(
        carry: tuple[jax.Array, jax.Array], row: tuple[jax.Array, ...]
    ) -> tuple[tuple[jax.Array, jax.Array], None]:
        slopes, _ = carry
        number, node, weights = row
        x = way.x + ahead * jnp.tensordot(weights, slopes, 1)
        done_B = jnp.where(node == 1, end_B, way.done_B + node * tried_B)
        return (slopes.at[number].set(slope(done_B, x)), x), None

    dtype = way.x.dtype
    rows = jnp.arange(1, 7), jnp.asarray(_NODES[1:], dtype), jnp.asarray(_STAGES[1:], dtype)
    slopes = jnp.zeros((7, *way.x.shape), dtype).at[0].set(way.slope)
    (slopes, x), _ = jax.lax.scan(stage, (slopes, way.x), rows)
    error = ahead * jnp.tensordot(jnp.asarray(_ERROR, dtype), slopes, 1)
    missed_B = norm(error / (atol + rtol * jnp.maximum(jnp.abs(way.x), jnp.abs(x))))
    # Not "missed > 1": what is no number is refused too.
    good_B = (missed_B <= 1) & jnp.isfinite(missed_B)
    wanted_B = jnp.where(jnp.isfinite(missed_B), 0.9 * jnp.maximum(missed_B, 1e-10) ** -0.2, 0.2)
    grown_B = jnp.clip(wanted_B, 0.2, jnp.where(way.shrank_B | ~good_B, 1.0, 10.0))
    stands_B = (good_B | (tried_B <= shortest_B)) & (way.done_B < 1)
    stands = _spread(stands_B, x)
    return _Way(
        jnp.where(stands_B, end_B, way.done_B),
        jnp.where(stands, x, way.x),
        jnp.where(stands, slopes[-1], way.slope),
        jnp.where(way.done_B < 1, tried_B * grown_B, way.next_B),
        ~stands_B,
    )
