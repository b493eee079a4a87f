# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The variational bound of a diffusion with whole steps, by which a network learns the variance of its steps."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.stats import norm

WEIGHT = 1e-3
"""Of the bound, all steps' terms summed, beside the error of the noise (arXiv 2102.09672, eq. 16)."""


@functools.cache
def _steps(times: tuple[float, ...]) -> tuple[np.ndarray, ...]:
    """By the flow times of all steps, rising: how much of an error of x_0 is one of the posterior's mean; and the least
    and the most logarithm of the variance, the posterior's and beta's; float32.

    Of the first step the posterior has no variance, so that the second's serves it (in the code of arXiv 2102.09672 and
    of DiT).
    """
    t = np.asarray(times, np.float64)
    kept = (1 - t) ** 2 / ((1 - t) ** 2 + t**2)
    before = np.append(1.0, kept[:-1])
    beta = 1 - kept / before
    posterior = beta * (1 - before) / (1 - kept)
    posterior[0] = posterior[1]
    share = beta * np.sqrt(before) / (1 - kept)
    return tuple(x.astype(np.float32) for x in (share, np.log(posterior), np.log(beta)))


def step_bound(times: np.ndarray, step: jax.Array, x0: jax.Array, x0_hat: jax.Array, spare: jax.Array) -> jax.Array:
    """A step's term of the variational bound, in bits, averaged over channels (arXiv 2006.11239, eq. 5 and 13).

    It is KL(q(x_{s-1} | x_s, x_0) || p(x_{s-1} | x_s)) of both's normal distributions, and of the first step -log p(x_0
    | x_1) over 256 levels from -1 to 1, as DiT takes it of latents too.

    Args:
        times: flow times of all steps, rising: [steps].
        step: which of them x is at, from 0, (B, T) or (B, L).
        x0, x0_hat: the data, and what the network thinks of it, (B, T, H, W, C) or (B, L, C); no gradient goes through
            the latter, so that only the variance is learned by this (2102.09672, section 3.1).
        spare: w in [-1, 1] of the variance: its logarithm lies between the least and the most at (w + 1) / 2.

    Returns:
        The term a token, of step's shape with what axes x has more, the last left out.
    """
    share, least, most = (
        jnp.asarray(x)[step].reshape(step.shape + (1,) * (x0.ndim - step.ndim)) for x in _steps(tuple(times.tolist()))
    )
    off = x0.astype(jnp.float32) - jax.lax.stop_gradient(x0_hat.astype(jnp.float32))
    log_variance = least + (spare.astype(jnp.float32) + 1) / 2 * (most - least)
    gap = least - log_variance
    divergence = (jnp.exp(gap) - gap - 1 + (share * off) ** 2 * jnp.exp(-log_variance)) / 2
    # Of the first step, whose mean is x0_hat.
    deviation = jnp.exp(log_variance / 2)
    above, below = (norm.cdf((off + way / 255) / deviation) for way in (1, -1))
    mass = jnp.where(x0 < -0.999, above, jnp.where(x0 > 0.999, 1 - below, above - below))
    surprise = -jnp.log(jnp.maximum(mass, 1e-12))
    first = step.reshape(share.shape) == 0
    return jnp.mean(jnp.where(first, surprise, divergence), axis=-1) / np.log(2)
