# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Integrating the flow from noise (t = 1) to data (t = 0): one `lax.scan`, so that a whole sampler is one XLA program.

A solver makes one step and sees `velocity_fn(x, t, cond)` only, and what the steps before it found. Times are per
token; a given token has time 0 before and after a step, so that it never moves.
"""

import functools
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


Memory = Any
"""What a solver keeps from step to step: a tree of arrays."""


class Step(Protocol):
    """From time `t` to `t_next`, both per token, (B, T), (B, T, H, W) or (B, L)."""

    def __call__(
        self, velocity_fn: VelocityFn, x: jax.Array, t: jax.Array, t_next: jax.Array, cond: Cond, memory: Memory
    ) -> tuple[jax.Array, Memory]:
        """Returns x at t_next, of the shape and type of x, and what the next step is given."""
        ...


class Solver(NamedTuple):
    """A step, and what the first one is given, a function of x and of a time a token."""

    step: Step
    start: Callable[[jax.Array, jax.Array], Memory] = lambda _x, _t: ()


def _euler(
    velocity_fn: VelocityFn, x: jax.Array, t: jax.Array, t_next: jax.Array, cond: Cond, memory: Memory
) -> tuple[jax.Array, Memory]:
    return x + paths.expand_time(t_next - t, x) * velocity_fn(x, t, cond).astype(x.dtype), memory


euler = Solver(_euler)
"""x + (t_next - t) v(x, t): first order, one evaluation a step."""


def _heun(
    velocity_fn: VelocityFn, x: jax.Array, t: jax.Array, t_next: jax.Array, cond: Cond, memory: Memory
) -> tuple[jax.Array, Memory]:
    dt = paths.expand_time(t_next - t, x)
    v = velocity_fn(x, t, cond).astype(x.dtype)
    x_euler = x + dt * v
    v_next = jax.lax.cond(jnp.any(t_next > 0), lambda: velocity_fn(x_euler, t_next, cond).astype(x.dtype), lambda: v)
    return jnp.where(paths.expand_time(t_next > 0, x), x + dt * (v + v_next) / 2, x_euler), memory


heun = Solver(_heun)
"""x + (t_next - t) (v(x, t) + v(x', t_next)) / 2 with x' from Euler: second order, two evaluations a step.

The step that ends at t = 0 is Euler's (as in arXiv 2206.00364, algorithm 1). To a network t = 0 says "this token is
given", so its output there was never trained; and one Euler step of length h costs O(h^2), which keeps the order. The
second evaluation is not computed there: N steps cost 2 N - 1 evaluations.
"""


class Estimate(NamedTuple):
    """What a step thought of the data, of x's shape, and when; its time is 0 where there was no such step."""

    x0: jax.Array
    t: jax.Array


def _no_estimate(x: jax.Array, t: jax.Array) -> Estimate:
    return Estimate(jnp.zeros_like(x), jnp.zeros_like(t))


def _dpm(
    velocity_fn: VelocityFn, x: jax.Array, t: jax.Array, t_next: jax.Array, cond: Cond, memory: Estimate
) -> tuple[jax.Array, Estimate]:
    x0 = paths.x0_from_velocity(x, velocity_fn(x, t, cond).astype(x.dtype), t)
    ahead = 0.5 / _ratio(memory.t, t, t_next)
    line = x0 + paths.expand_time(ahead, x) * (x0 - memory.x0)
    share = paths.expand_time(t_next / jnp.where(t > 0, t, 1), x)
    return share * x + (1 - share) * line, Estimate(x0, t)


dpm = Solver(_dpm, _no_estimate)
"""DPM-Solver++(2M) (arXiv 2211.01095, algorithm 2) in flow form: second order, one evaluation a step.

With alpha = 1 - t and sigma = t its step is x' = (t' / t) x + (1 - t' / t) D, where D goes on in a line from the last
two estimates of the data, by log((1 - t) / t). From t = 1 and to t = 0, where that is infinite, D is the last estimate,
which makes the step Euler's.
"""


def _log_ratio(t: jax.Array) -> jax.Array:
    """log((1 - t) / t), half of the logarithm of the ratio of signal to noise; infinite at both ends."""
    return jnp.log1p(-t) - jnp.log(t)


def _ratio(past: jax.Array, now: jax.Array, later: jax.Array) -> jax.Array:
    """How long the step before was, by `_log_ratio`, as a share of this one; infinite where there was none (past is 0)
    and where either is infinitely long, so that what is divided by it vanishes.
    """
    inside = (past > now) & (past < 1) & (later > 0) & (now > later)
    past, now, later = (_log_ratio(jnp.where(inside, t, place)) for t, place in ((past, 0.9), (now, 0.5), (later, 0.1)))
    return jnp.where(inside, (now - past) / (later - now), jnp.inf)


class _Corrected(NamedTuple):
    """Where the step before began, and the two last estimates."""

    x: jax.Array
    last: Estimate
    older: Estimate


def _unipc(
    velocity_fn: VelocityFn, x: jax.Array, t: jax.Array, t_next: jax.Array, cond: Cond, memory: _Corrected
) -> tuple[jax.Array, _Corrected]:
    spread = functools.partial(paths.expand_time, x=x)
    before, last, older = memory
    now = Estimate(paths.x0_from_velocity(x, velocity_fn(x, t, cond).astype(x.dtype), t), t)

    # What was predicted for t is corrected by what is thought there.
    ratio = _ratio(older.t, last.t, t)  # of the step before last to the last
    h = jnp.where((last.t > t) & (last.t < 1), _log_ratio(t) - _log_ratio(jnp.where(last.t > 0, last.t, 0.5)), jnp.inf)
    newest, oldest = _corrector(h, ratio, older.t > 0)
    slope_old = spread(1 / ratio) * (last.x0 - older.x0)
    share = spread(t / jnp.where(last.t > 0, last.t, 1))
    moved = last.x0 + spread(oldest) * slope_old + spread(newest) * (now.x0 - last.x0)
    corrected = share * before + (1 - share) * moved
    x = jnp.where(spread(last.t > 0), corrected, x)

    line = now.x0 + spread(0.5 / _ratio(last.t, t, t_next)) * (now.x0 - last.x0)
    share = spread(t_next / jnp.where(t > 0, t, 1))
    return share * x + (1 - share) * line, _Corrected(x, now, last)


def _corrector(h: jax.Array, ratio: jax.Array, second_order: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Weights of the newest difference of estimates, and of the slope before it, in a step of length h whose forerunner
    was `ratio` times as long; where there was none, the order is 1.
    """
    shrunk = -jnp.expm1(-h)
    # Means of e^u u^k over the step, u from 0 to 1: 1/2 and 1/3 for short steps.
    first = 1 / shrunk - 1 / h
    second = 1 / shrunk - 2 * first / h
    old = jnp.where(second_order, (first - second) / (1 + ratio), 0.0)
    return jnp.where(second_order, first - old, 0.5), old


unipc = Solver(_unipc, lambda x, t: _Corrected(jnp.zeros_like(x), _no_estimate(x, t), _no_estimate(x, t)))
"""UniPC of order 2 with B(h) = e^h - 1 (arXiv 2302.04867, "bh2") in flow form, as Wan 2.1 samples: one evaluation a
step, and third order by its corrector.

Each step first corrects where the one before it ended, by what the network says there, and then goes on as `dpm` does.
"""


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
      solver: `euler`, `heun`, `dpm`, `unipc`, or another `Solver`.
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
    made, given_values = _split_given(x1, known, mask)
    made_x = paths.expand_time(made, x1)

    def velocity_of_made(x, t, cond):
        # A network's output at a given token means nothing; within a step too, the token must not move by it.
        return jnp.where(made_x, velocity_fn(x, t, cond), 0)

    def step(carry, pair):
        x, memory = carry
        t, t_next = (jnp.where(made, time, 0).astype(ts.dtype) for time in pair)
        x, memory = solver.step(velocity_of_made, x, t, t_next, cond, memory)
        return (jnp.where(made_x, x, given_values), memory), None

    start = jnp.where(made_x, x1, given_values)
    memory = solver.start(x1, jnp.zeros(made.shape, ts.dtype))
    (x, _), _ = jax.lax.scan(step, (start, memory), (ts[:-1], ts[1:]))
    return x


def _split_given(x1: jax.Array, known: jax.Array | None, mask: jax.Array | None) -> tuple[jax.Array, jax.Array]:
    """(which tokens are made, of the mask's dimensions; what the others hold, of x1's shape), see `sample`."""
    if (known is None) != (mask is None):
        raise ValueError("known and mask belong together: give the values of the given tokens and the mask, or neither")
    if mask is None:
        return jnp.ones(x1.shape[:2], bool), x1
    if jnp.ndim(mask) not in (2, x1.ndim - 1):
        raise ValueError(
            f"mask has shape {jnp.shape(mask)}; it must be (B, T), (B, T, H, W) or (B, L), x1 is {x1.shape}"
        )
    made = jnp.broadcast_to(jnp.asarray(mask, bool), x1.shape[: jnp.ndim(mask)])
    return made, jnp.broadcast_to(jnp.asarray(known, x1.dtype), x1.shape)
