# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""How what a transformer says becomes a velocity: v = slope x_t + rest (what it says of scale x_t), by the time.

The path is x_t = (1 - t) x_0 + t eps here. A network that was trained on another one is asked on that one: along the
variance-preserving path of DDPM, a x_0 + s eps with a^2 + s^2 = 1, the same mixture lies at t = s / (a + s), divided by
a + s.
"""

import functools
from typing import Literal, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

Says = Literal["velocity", "to data", "noise"]
"""What a network was trained to say: v; -v, with a time that runs to the data (SiT); eps, at whole steps (DiT)."""


class Linear(NamedTuple):
    """slope * x_t estimates v best, and rest is the deviation of what it leaves over; scale * x_t has unit variance."""

    slope: Array | float
    scale: Array | float
    rest: Array | float


AS_SAID = Linear(0.0, 1.0, 1.0)


def linear_velocity(t: Array, deviation: Array | float = 1.0) -> Linear:
    """The best linear estimate of v = eps - x_0 from x_t = (1 - t) x_0 + t eps, with eps of unit variance.

    For x_0 of deviation s, E[v x_t] / E[x_t^2] = (t - (1 - t) s^2) / (t^2 + (1 - t)^2 s^2), and the variance of what is
    left is s^2 / (t^2 + (1 - t)^2 s^2): the preconditioning of EDM (arXiv 2206.00364, section 5) in flow form. Where s
    varies, channels of little weight ask little of the network until most of the noise is gone.
    """
    inverse = jax.lax.rsqrt(t**2 + ((1 - t) * deviation) ** 2)
    return Linear((t - (1 - t) * deviation**2) * inverse**2, inverse, deviation * inverse)


@functools.cache
def step_times(steps: int, first: float = 1e-4, last: float = 0.02) -> np.ndarray:
    """The flow times of the steps of a diffusion with betas on a line (arXiv 2006.11239, section 4), rising: float64
    [steps].

    Nothing is ever cleaner than the first or noisier than the last.
    """
    kept = np.cumprod(1 - np.linspace(first, last, steps))
    signal, noise = np.sqrt(kept), np.sqrt(1 - kept)
    return noise / (signal + noise)


def velocity_of(says: Says, t: Array, steps: int) -> Linear:
    """How what a network says is read at a time t.

    With x_0 = (x_t - t eps) / (1 - t), v = eps - x_0 = (eps - x_t) / (1 - t). The variance-preserving path has unit
    variance for data that has, so that x_t is asked about divided by its own deviation, sqrt((1 - t)^2 + t^2).
    """
    if says == "velocity":
        return AS_SAID
    if says == "to data":
        return Linear(0.0, 1.0, -1.0)
    t = jnp.minimum(t, np.float32(step_times(steps)[-1]))
    return Linear(-1 / (1 - t), jax.lax.rsqrt((1 - t) ** 2 + t**2), 1 / (1 - t))


def clock(says: Says, t: Array, scale: float, steps: int) -> Array:
    """What a network is told of a time t: t times `scale`; the way to the data, likewise; or the nearest whole step."""
    if says == "velocity":
        return t * scale
    if says == "to data":
        return (1 - t) * scale
    times = step_times(steps)
    return jnp.searchsorted(jnp.asarray((times[1:] + times[:-1]) / 2, jnp.float32), t).astype(jnp.float32)
