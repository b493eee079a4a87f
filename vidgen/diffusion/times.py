# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Which times are trained on and which times a sampler visits: logit-normal draws, the shift, and the schedule."""

import dataclasses
import math
from typing import Literal

import jax
import jax.numpy as jnp
import numpy as np

Spacing = Literal["even", "leading", "trailing"]
"""How `respaced` chooses among the steps that a network knows."""


@dataclasses.dataclass(frozen=True)
class TimeConfig:
    """Logit-normal training times: t = sigmoid(mean + std n), n ~ N(0, 1), then shifted (arXiv 2403.03206, 3.1).

    Attributes:
      mean: centre of the logit; above 0 means more noise.
      std: spread of the logit, at least 0; 0 trains at one time only.
      shift: a of t' = a t / (1 + (a - 1) t), above 0; 1 leaves t alone, more tokens want more.
    """

    mean: float = 0.0
    std: float = 1.0
    shift: float = 1.0

    def __post_init__(self):
        if not math.isfinite(self.mean):
            raise ValueError(f"mean is {self.mean}; it must be a finite number")
        if not (math.isfinite(self.std) and self.std >= 0):
            raise ValueError(f"std is {self.std}; it must be a finite number, 0 or more")
        _check_shift(self.shift)


def _check_shift(a: float) -> None:
    if not (math.isfinite(a) and a > 0):
        raise ValueError(f"shift is {a}; it must be a finite number above 0 (1 = no shift)")


def shift_time(t: jax.Array, a: float | jax.Array) -> jax.Array:
    """t' = a t / (1 + (a - 1) t), a > 0: keeps 0, 1 and the order; a > 1 adds noise (arXiv 2403.03206, eq. 23)."""
    return a * t / (1 + (a - 1) * t)


def sample_times(key: jax.Array, shape: tuple[int, ...], config: TimeConfig) -> jax.Array:
    """Draws shifted logit-normal times, float32 in (0, 1).

    Args:
      key: a JAX random key.
      shape: (B,) for one time a clip, (B, T) for one a frame, (B, E) for one a packed segment.
      config: the distribution.
    """
    logit = config.mean + config.std * jax.random.normal(key, shape, jnp.float32)
    return shift_time(jax.nn.sigmoid(logit), config.shift)


def token_times(t: jax.Array, mask: jax.Array) -> jax.Array:
    """One time a token: `t` where the token is to be made, 0 where it is given.

    Args:
      t: (B,), one time a row, or (B, T) / (B, L).
      mask: bool (B, T) or (B, L), True where the token is to be made.

    Returns:
      float32, of mask's shape.
    """
    t = jnp.asarray(t, jnp.float32)
    t = t.reshape(t.shape + (1,) * (mask.ndim - t.ndim))
    return jnp.where(mask, jnp.broadcast_to(t, mask.shape), 0.0)


def schedule(steps: int, shift: float = 1.0, start: float = 1.0, train_steps: int = 0) -> jax.Array:
    """Times that a sampler visits: steps + 1 of them, evenly spaced and then shifted, from `start` to 0, float32.

    Args:
      steps, shift, start: how many, a of the shift, the first.
      train_steps: of a public model that was trained on so many times; its even spacing ends at the last of them, and
        one step leads from there to 0; the first is a little below 1 (diffusers, `use_flow_sigmas`). 0 for none.

    Raises:
      ValueError: steps is below 1, shift is not above 0, or start is not above 0 and at most 1.
    """
    if steps < 1:
        raise ValueError(f"steps is {steps}; a sampler needs at least 1")
    _check_shift(shift)
    if not 0 < start <= 1:
        raise ValueError(f"start is {start}; it must be above 0 and at most 1 (1 = from noise alone)")
    before_shift = start / (shift - (shift - 1) * start)
    if train_steps:
        even = jnp.asarray(np.linspace(before_shift, 1 / train_steps, steps + 1)[:-1])
        return jnp.append(jnp.minimum(shift_time(even, shift), 1 - 1e-6), 0.0).astype(jnp.float32)
    return shift_time(jnp.linspace(before_shift, 0.0, steps + 1, dtype=jnp.float32), shift)


def respaced(all_times: np.ndarray, steps: int, start: float = 1.0, spacing: Spacing = "even") -> jax.Array:
    """Times that a sampler of a diffusion with whole steps visits: steps + 1 of them, falling to 0, float32.

    Args:
      all_times: the flow times of all its steps, rising.
      steps: how many are visited.
      start: none after this is visited.
      spacing: "even" from the first to the last, rounded (arXiv 2102.09672, section 3.3); or by a whole number of
        steps, "leading" from the first and "trailing" to the last, as diffusers calls them.

    Raises:
      ValueError: there are fewer, or none is before start.
    """
    there = all_times[all_times <= start]
    if not 1 <= steps <= len(there):
        raise ValueError(f"steps is {steps}; it must be from 1 to {len(there)}, which is how many the model knows")
    last, stride = len(there) - 1, len(there) // steps
    chosen = {
        "even": np.rint(np.linspace(last, 0, steps)),
        "leading": stride * np.arange(steps)[::-1],
        "trailing": last - stride * np.arange(steps),
    }[spacing]
    return jnp.asarray(np.append(there[chosen.astype(int)], 0.0), jnp.float32)


def sde_schedule(steps: int, start: float = 1.0, last: float = 0.04) -> jax.Array:
    """Times of a sampler that draws noise: evenly spaced from `start` to `last`, from where one step leads to 0, as in
    SiT (arXiv 2401.08740, appendix A); steps + 1 of them, float32.

    Raises:
      ValueError: steps is below 2, or start is not above last.
    """
    if steps < 2 or not last < start <= 1:
        raise ValueError(f"steps is {steps} and start {start:g}; there must be 2 steps, and start be above {last:g}")
    return jnp.append(jnp.linspace(start, last, steps, dtype=jnp.float32), 0.0)
