# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Integrating the flow from noise (t = 1) to data (t = 0): one `lax.scan`, so that a whole sampler is one XLA program.

A solver is a function of one step and sees `velocity_fn(x, t, cond)` only, and what the step before it found. Times are
per token; a given token has time 0 before and after a step, so that it never moves.
"""

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

import jax
import jax.numpy as jnp

from vidgen.diffusion import paths

Cond = Any
"""What the velocity depends on besides x and t: any tree of arrays whose first axis is the batch, or None."""

VelocityFn = Callable[[jax.Array, jax.Array, Cond], jax.Array]
"""velocity_fn(x, t, cond) -> v: x and v of shape (B, T, H, W, C) or (B, L, C), t of shape (B, T), (B, T, H, W) or
(B, L).
"""


class Before(NamedTuple):
    """What the step before found: its estimate of the data, of x's shape, and its time, which is 0 before any step."""

    x0: jax.Array
    t: jax.Array


class Solver(Protocol):
    """One step of an ODE solver from time `t` to `t_next`, both per token, (B, T), (B, T, H, W) or (B, L)."""

    def __call__(
        self, velocity_fn: VelocityFn, x: jax.Array, t: jax.Array, t_next: jax.Array, cond: Cond, before: Before
    ) -> tuple[jax.Array, Before]:
        """Returns x at t_next, of the shape and type of x, and what the next step may use."""
        ...


def euler(
    velocity_fn: VelocityFn, x: jax.Array, t: jax.Array, t_next: jax.Array, cond: Cond, before: Before
) -> tuple[jax.Array, Before]:
    """x + (t_next - t) v(x, t): first order, one evaluation a step."""
    return x + paths.expand_time(t_next - t, x) * velocity_fn(x, t, cond).astype(x.dtype), before


def dpm(
    velocity_fn: VelocityFn, x: jax.Array, t: jax.Array, t_next: jax.Array, cond: Cond, before: Before
) -> tuple[jax.Array, Before]:
    """DPM-Solver++(2M) (arXiv 2211.01095, algorithm 2) in flow form: second order, one evaluation a step.

    With alpha = 1 - t and sigma = t its step is x' = (t' / t) x + (1 - t' / t) D, where D goes on in a line from the
    last two estimates of the data, by log((1 - t) / t). From t = 1 and to t = 0, where that is infinite, D is the last
    estimate, which makes the step Euler's.
    """
    x0 = paths.x0_from_velocity(x, velocity_fn(x, t, cond).astype(x.dtype), t)
    inside = (before.t > 0) & (before.t < 1) & (t_next > 0)
    past, now, later = (jax.scipy.special.logit(1 - jnp.where(inside, one, 0.5)) for one in (before.t, t, t_next))
    ahead = jnp.where(inside, (later - now) / (2 * jnp.where(inside, now - past, 1)), 0)
    line = x0 + paths.expand_time(ahead, x) * (x0 - before.x0)
    share = paths.expand_time(t_next / jnp.where(t > 0, t, 1), x)
    return share * x + (1 - share) * line, Before(x0, t)


def heun(
    velocity_fn: VelocityFn, x: jax.Array, t: jax.Array, t_next: jax.Array, cond: Cond, before: Before
) -> tuple[jax.Array, Before]:
    """x + (t_next - t) (v(x, t) + v(x', t_next)) / 2 with x' from Euler: second order, two evaluations a step.

    The step that ends at t = 0 is Euler's (as in arXiv 2206.00364, algorithm 1). To a network t = 0 says "this token is
    given", so its output there was never trained; and one Euler step of length h costs O(h^2), which keeps the order.
    The second evaluation is not computed there: N steps cost 2 N - 1 evaluations.
    """
    dt = paths.expand_time(t_next - t, x)
    v = velocity_fn(x, t, cond).astype(x.dtype)
    x_euler = x + dt * v
    v_next = jax.lax.cond(jnp.any(t_next > 0), lambda: velocity_fn(x_euler, t_next, cond).astype(x.dtype), lambda: v)
    return jnp.where(paths.expand_time(t_next > 0, x), x + dt * (v + v_next) / 2, x_euler), before


def sample(
    velocity_fn: VelocityFn,
    x1: jax.Array,
    cond: Cond,
    ts: jax.Array,
    solver: Solver = heun,
    known: jax.Array | None = None,
    mask: jax.Array | None = None,
) -> jax.Array:
    """Integrates from x1 at time ts[0] to ts[-1] by one `lax.scan` over the steps.

    Args:
      velocity_fn: velocity_fn(x, t, cond), t of the mask's shape, (B, T) or (B, L) without one.
      x1: the start, (B, T, H, W, C) or (B, L, C); noise if ts[0] = 1.
      cond: handed to velocity_fn as it is.
      ts: (steps + 1,), the times to visit, as `times.schedule` makes them.
      solver: `euler`, `heun`, `dpm`, or another `Solver`.
      known: values of the given tokens, of x1's shape or broadcastable to it; read only where mask is False.
      mask: bool (B, T), (B, T, H, W) or (B, L) (an axis may be 1), True where a token is to be made. Tokens that are
        not made hold `known` from the first step to the last, and their time is 0.

    Returns:
      x at ts[-1], of x1's shape, at least float32; equal to `known` bit for bit where mask is False.

    Raises:
      ValueError: only one of known and mask is given, or a shape does not fit.
    """
    x1 = jnp.asarray(x1)
    x1 = x1.astype(jnp.promote_types(x1.dtype, jnp.float32))
    if x1.ndim < 3:
        raise ValueError(f"x1 has shape {x1.shape}; it must be (B, T, H, W, C) or (B, L, C)")
    ts = jnp.asarray(ts)
    if ts.ndim != 1 or ts.shape[0] < 2:
        raise ValueError(f"ts has shape {ts.shape}; it must be (steps + 1,) with at least one step")
    if (known is None) != (mask is None):
        raise ValueError("known and mask belong together: give the values of the given tokens and the mask, or neither")
    made = jnp.ones(x1.shape[:2], bool)
    given_values = x1
    if mask is not None:
        if jnp.ndim(mask) not in (2, x1.ndim - 1):
            raise ValueError(
                f"mask has shape {jnp.shape(mask)}; it must be (B, T), (B, T, H, W) or (B, L), x1 is {x1.shape}"
            )
        made = jnp.broadcast_to(jnp.asarray(mask, bool), x1.shape[: jnp.ndim(mask)])
        given_values = jnp.broadcast_to(jnp.asarray(known, x1.dtype), x1.shape)
    made_x = paths.expand_time(made, x1)

    def velocity_of_made(x, t, cond):
        # A network's output at a given token means nothing; within a step too, the token must not move by it.
        return jnp.where(made_x, velocity_fn(x, t, cond), 0)

    def step(carry, pair):
        x, before = carry
        t, t_next = (jnp.where(made, time, 0).astype(ts.dtype) for time in pair)
        x, before = solver(velocity_of_made, x, t, t_next, cond, before)
        return (jnp.where(made_x, x, given_values), before), None

    nothing = Before(jnp.zeros_like(x1), jnp.zeros(made.shape, ts.dtype))
    (x, _), _ = jax.lax.scan(step, (jnp.where(made_x, x1, given_values), nothing), (ts[:-1], ts[1:]))
    return x
