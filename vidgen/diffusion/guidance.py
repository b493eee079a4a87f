# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Classifier-free guidance around any velocity function, at the price of one call on a batch twice as long."""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from vidgen.diffusion import paths
from vidgen.diffusion.solvers import Cond, VelocityFn


class Guidance(NamedTuple):
    """How to guide, as numbers or arrays, so that one program serves all of it: see `guide`."""

    weight: float | jax.Array
    low: float | jax.Array = 0.0
    high: float | jax.Array = 1.0
    rescale: float | jax.Array = 0.0

    def check(self) -> None:
        """Raises ValueError for numbers that make no sense."""
        if not 0 <= self.low <= self.high <= 1:
            raise ValueError(f"interval is {(self.low, self.high)}; it must be (low, high) with 0 <= low <= high <= 1")
        if not 0 <= self.rescale <= 1:
            raise ValueError(f"rescale is {self.rescale}; it must be from 0 to 1")


def guide(
    velocity_fn: VelocityFn,
    uncond: Cond,
    weight: float | jax.Array,
    interval: tuple[float | jax.Array, float | jax.Array] | None = None,
    rescale: float | jax.Array = 0.0,
    real: jax.Array | None = None,
    channels: int = 0,
) -> VelocityFn:
    """v = v_u + w (v_c - v_u) (Ho and Salimans, arXiv 2207.12598), as a velocity function of the same signature.

    Both velocities come from one call with the conditional rows first and the unconditional rows after them.

    Args:
      velocity_fn: velocity_fn(x, t, cond).
      uncond: the condition of v_u (empty or negative text): a tree like `cond`; each leaf has cond's batch or batch 1.
      weight: w, a number or (B,), one a row; 1 is no guidance, and as a plain Python 1 it also costs nothing.
      interval: (low, high); tokens with low <= t <= high are guided, the others take v_c (arXiv 2404.07724). None
        guides at every time.
      rescale: phi, the share to which a guided row has its spread taken back to that of v_c: much guidance makes
        pictures harsh (arXiv 2305.08891, section 3.4).
      real: bool, of t's shape or broadcastable to it: where a row is more than filling, which has no part in its
        spread. None for everywhere.
      channels: so many of them, from the first, are guided, and the others take v_c, as DiT and SiT sample with 3 for
        the sake of reproducing their figures; 0 guides all.

    Raises:
      ValueError: (when called) uncond is not a tree like cond.
    """
    if isinstance(weight, int | float) and weight == 1:
        return velocity_fn

    def guided(x: jax.Array, t: jax.Array, cond: Cond) -> jax.Array:
        both = _concatenate(cond, uncond)
        v = velocity_fn(jnp.concatenate([x, x]), jnp.concatenate([t, t]), both)
        # float32, since w multiplies a small difference of two large numbers.
        v_c, v_u = jnp.split(v.astype(jnp.promote_types(v.dtype, jnp.float32)), 2)
        w = paths.expand_time(jnp.asarray(weight, v_c.dtype), v_c)
        v_guided = v_u + w * (v_c - v_u)
        counted = None if real is None else jnp.broadcast_to(paths.expand_time(real, v_c), v_c.shape)
        axes = tuple(range(1, v_c.ndim))
        spread, wanted = (jnp.std(v, axes, keepdims=True, where=counted) for v in (v_guided, v_c))
        v_guided *= 1 + rescale * (wanted / jnp.maximum(spread, 1e-12) - 1)
        if channels:
            v_guided = jnp.where(jnp.arange(v_c.shape[-1]) < channels, v_guided, v_c)
        if interval is None:
            return v_guided
        acts = (t >= interval[0]) & (t <= interval[1])
        return jnp.where(paths.expand_time(acts, v_c), v_guided, v_c)

    return guided


def _concatenate(cond: Cond, uncond: Cond) -> Cond:
    """cond's rows, then uncond's, leaf by leaf; a leaf of uncond with batch 1 is repeated to cond's batch."""
    if jax.tree.structure(cond) != jax.tree.structure(uncond):
        raise ValueError(
            f"the unconditional input must be a tree like the conditional one; "
            f"got {jax.tree.structure(uncond)} and {jax.tree.structure(cond)}"
        )

    def join(c, u):
        c, u = jnp.asarray(c), jnp.asarray(u)
        if c.ndim == 0 or c.shape[1:] != u.shape[1:] or u.shape[:1] not in (c.shape[:1], (1,)):
            raise ValueError(
                f"an unconditional leaf of shape {u.shape} does not fit a conditional one of {c.shape}; "
                "both need a batch axis first, and the unconditional batch must be the same or 1"
            )
        return jnp.concatenate([c, jnp.broadcast_to(u, c.shape)])

    return jax.tree.map(join, cond, uncond)
