# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The flow-matching loss: squared error of the velocity, kept per token, then averaged over the tokens to be made."""

import jax
import jax.numpy as jnp

from vidgen.diffusion import paths


def flow_loss(
    v_hat: jax.Array, x0: jax.Array, eps: jax.Array, mask: jax.Array | None = None
) -> tuple[jax.Array, jax.Array]:
    """|v_hat - (eps - x_0)|^2, averaged over channels and then over the tokens to be made (arXiv 2209.03003, eq. 1).

    Args:
      v_hat: the predicted velocity, (B, T, H, W, C) or (B, L, C), any float type; the loss is float32.
      x0, eps: data and noise, of v_hat's shape.
      mask: True (or a weight) where a token counts, (B,), (B, T), (B, L) or (B, T, H, W); None counts all. Tokens that
        are given (t = 0) must be False: their velocity is not defined by what the network sees.

    Returns:
      The loss a token, (B, T, H, W) or (B, L), not masked; and its masked mean, a scalar.

    Raises:
      ValueError: shapes differ, or the mask does not match the leading axes.
    """
    if not v_hat.shape == x0.shape == eps.shape:
        raise ValueError(f"v_hat, x0 and eps must have one shape; got {v_hat.shape}, {x0.shape} and {eps.shape}")
    target = paths.velocity(x0.astype(jnp.float32), eps.astype(jnp.float32))
    per_token = jnp.mean(jnp.square(v_hat.astype(jnp.float32) - target), axis=-1)
    return per_token, masked_mean(per_token, mask)


def masked_mean(values: jax.Array, mask: jax.Array | None = None) -> jax.Array:
    """The mean of `values` weighted by `mask`, over all axes; 0 if nothing is counted.

    Args:
      values: (B, T, H, W) or (B, L).
      mask: bool or non-negative float whose axes are the leading axes of values, as in `flow_loss`.
    """
    if mask is None:
        return jnp.mean(values)
    weight = jnp.broadcast_to(paths.expand_time(mask, values).astype(jnp.float32), values.shape)
    # where, not a product: a NaN at a token that is not counted must not reach the mean.
    total = jnp.sum(jnp.where(weight > 0, values * weight, 0.0))
    count = jnp.sum(weight)
    return total / jnp.where(count > 0, count, 1.0)
