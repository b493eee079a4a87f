# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Self- and cross-attention modules. The kernel comes in as `attn_fn`, so a network never holds a mesh."""

import functools
from collections.abc import Callable

from flax import linen as nn
from jax import Array
from jax.typing import DTypeLike

from vidgen.models import rope
from vidgen.models.layers import Dense, RMSNorm, ShardFn, unsharded

AttnFn = Callable[[Array, Array, Array, tuple[Array, Array] | None], Array]
"""attn_fn(q [B, L, N, K], k [B, S, N, K], v [B, S, N, K], (q segments [B, L], k segments [B, S]) or None) -> like q"""


class Attention(nn.Module):
    """Multi-head attention with RMS-normalised queries and keys.

    The norm runs over the full width before the heads are split, as in Wan 2.1.

    Attributes:
        heads: how many heads share the width.
        attn_fn: the kernel.
        dtype: rounding of the operands of matmuls.
        qk_norm: whether queries and keys are normalised.
        shard: how arrays are divided.
    """

    heads: int
    attn_fn: AttnFn
    dtype: DTypeLike
    qk_norm: bool = True
    shard: ShardFn = unsharded

    @nn.compact
    def __call__(
        self,
        x_BLD: Array,
        context_BSD: Array | None = None,
        angles_BLK: Array | None = None,
        segment_ids: tuple[Array, Array] | None = None,
    ) -> Array:
        """Attends from x to `context` (to itself if None); `angles` are rotary, for self-attention only."""
        B, L, D = x_BLD.shape
        context = x_BLD if context_BSD is None else context_BSD
        dense = functools.partial(Dense, D, dtype=self.dtype, shard=self.shard)
        q = dense(axes="DN", name="q")(x_BLD)
        k = dense(axes="DN", name="k")(context)
        v = dense(axes="DN", name="v")(context)
        if self.qk_norm:
            q, k = RMSNorm(name="q_norm")(q), RMSNorm(name="k_norm")(k)
        q, k, v = (a.reshape(B, a.shape[1], self.heads, D // self.heads) for a in (q, k, v))
        if angles_BLK is not None:
            q, k = rope.rotate(q, angles_BLK), rope.rotate(k, angles_BLK)
        dims = "BLNK" if context_BSD is None else "BSNK"
        q, k, v = self.shard(q, "BLNK"), self.shard(k, dims), self.shard(v, dims)
        out = self.shard(self.attn_fn(q, k, v, segment_ids), "BLNK").reshape(B, L, D)
        return dense(axes="ND", name="out")(out)
