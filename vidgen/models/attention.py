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


KeysValues = tuple[Array, Array]
"""What is attended to, before it is divided over devices: keys [B, S, N, K] and values [B, S, N, K]."""


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
        context: Array | KeysValues | None = None,
        angles_BLK: Array | None = None,
        segment_ids: tuple[Array, Array] | None = None,
    ) -> Array:
        """Attends from x to `context` [B, S, D], to its keys and values, or to itself if None; `angles` are rotary, for
        self-attention only.
        """
        B, L, D = x_BLD.shape
        dense = functools.partial(Dense, D, dtype=self.dtype, shard=self.shard)
        q = dense(axes="DN", name="q")(x_BLD)
        if isinstance(context, tuple):
            k, v = context
        else:
            k, v = _keys_values(dense, x_BLD if context is None else context, self.heads, self.qk_norm)
        if self.qk_norm:
            q = RMSNorm(name="q_norm")(q)
        q = _heads(q, self.heads)
        if angles_BLK is not None:
            q, k = rope.rotate(q, angles_BLK), rope.rotate(k, angles_BLK)
        dims = "BLNK" if context is None else "BSNK"
        q, k, v = self.shard(q, "BLNK"), self.shard(k, dims), self.shard(v, dims)
        out = self.shard(self.attn_fn(q, k, v, segment_ids), "BLNK").reshape(B, L, D)
        return dense(axes="ND", name="out")(out)


class AttentionKeys(nn.Module):
    """The keys and values that an `Attention` with these parameters makes of a context of `width` features."""

    width: int
    heads: int
    dtype: DTypeLike
    qk_norm: bool = True
    shard: ShardFn = unsharded

    @nn.compact
    def __call__(self, context_BSD: Array) -> KeysValues:
        dense = functools.partial(Dense, self.width, dtype=self.dtype, shard=self.shard)
        return _keys_values(dense, context_BSD, self.heads, self.qk_norm)


def _keys_values(dense: Callable[..., Dense], context_BSD: Array, heads: int, qk_norm: bool) -> KeysValues:
    """Submodules of the module that calls it."""
    k = dense(axes="DN", name="k")(context_BSD)
    v = dense(axes="DN", name="v")(context_BSD)
    if qk_norm:
        k = RMSNorm(name="k_norm")(k)
    return _heads(k, heads), _heads(v, heads)


def _heads(x_BLD: Array, heads: int) -> Array:
    B, L, D = x_BLD.shape
    return x_BLD.reshape(B, L, heads, D // heads)
