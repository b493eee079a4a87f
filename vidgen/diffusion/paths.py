# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The straight path between data and noise, its velocity, and the conversions between what a network may predict.

x_t = (1 - t) x_0 + t eps and v = dx_t/dt = eps - x_0 (rectified flow, Liu et al., arXiv 2209.03003). Every `t` here is
either a scalar, one value a row (B,), one a latent frame (B, T) or one a token (B, L): it is matched to the leading
axes of x, and ones are added on the right.
"""

import jax
import jax.numpy as jnp


def expand_time(t: jax.Array, x: jax.Array) -> jax.Array:
    """`t` with ones added on the right until it broadcasts against `x` from the left.

    Args:
      t: shape (), (B,), (B, T), (B, L), or already (B, T, 1, 1, 1) and the like; an axis of length 1 broadcasts.
      x: shape (B, T, H, W, C) or (B, L, C).

    Raises:
      ValueError: the axes of t are not the leading axes of x.
    """
    t = jnp.asarray(t)
    if t.ndim > x.ndim or any(n not in (1, m) for n, m in zip(t.shape, x.shape, strict=False)):
        raise ValueError(
            f"time of shape {t.shape} does not match the leading axes of x, shape {x.shape}; "
            "give a scalar, one time a row (B,), a frame (B, T) or a token (B, L)"
        )
    return t.reshape(t.shape + (1,) * (x.ndim - t.ndim))


def interpolate(x0: jax.Array, eps: jax.Array, t: jax.Array) -> jax.Array:
    """x_t = (1 - t) x_0 + t eps. Where t = 0 the result is x0 bit for bit, so given tokens enter a network clean."""
    t = expand_time(t, x0)
    return (1 - t) * x0 + t * eps


def velocity(x0: jax.Array, eps: jax.Array) -> jax.Array:
    """v = eps - x_0, the target of the flow loss. It points from data to noise, so a sampler walks against it."""
    return eps - x0


def x0_from_velocity(x: jax.Array, v: jax.Array, t: jax.Array) -> jax.Array:
    """x_0 = x_t - t v."""
    return x - expand_time(t, x) * v


def eps_from_velocity(x: jax.Array, v: jax.Array, t: jax.Array) -> jax.Array:
    """eps = x_t + (1 - t) v."""
    return x + (1 - expand_time(t, x)) * v


def velocity_from_x0(x: jax.Array, x0: jax.Array, t: jax.Array, min_t: float = 1e-3) -> jax.Array:
    """v = (x_t - x_0) / t, for a network that predicts x_0.

    Args:
      min_t: t is not taken smaller than this in the division; below it the velocity shrinks to zero with x_t - x_0.
    """
    return (x - x0) / jnp.maximum(expand_time(t, x), min_t)


def velocity_from_eps(x: jax.Array, eps: jax.Array, t: jax.Array, min_t: float = 1e-3) -> jax.Array:
    """v = (eps - x_t) / (1 - t), for a network that predicts eps; 1 - t is not taken smaller than `min_t`."""
    return (eps - x) / jnp.maximum(1 - expand_time(t, x), min_t)
