# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Splash attention, JAX's fused TPU kernel, as the kernel of ring and Ulysses attention.

JAX offers splash as one differentiable call. A ring needs its halves: the forward pass with the log of the
denominator, and the backward pass for a part of the keys, given the statistics of whole rows. Both are the functions
that the public call is made of. Nothing is masked but by segment ids, so no description of a mask is prepared, which
would take the host minutes at a million tokens.
"""

import dataclasses
import functools

import jax
import jax.numpy as jnp
from jax import Array
from jax.experimental.pallas.ops.tpu.splash_attention import splash_attention_kernel as splash
from jax.experimental.pallas.ops.tpu.splash_attention.splash_attention_mask_info import MaskInfo

from vidgen.parallel.kernels import Segments

_EVERYTHING = MaskInfo(None, None, None, None, None)
_LANES = 128


@dataclasses.dataclass(frozen=True)
class Splash:
    """The kernel for TPUs (see `vidgen.parallel.kernels.Kernel`).

    Attributes:
        block: most queries, and most keys, in a tile; a multiple of 128. Lengths are padded to whole tiles.
        part: most keys of one call in the backward pass; their gradients lie in the core's own memory, of which 4,096
            keys with segment ids need 17 MB where v4 has 16.
        interpret: run on any device, slowly, for tests.
    """

    block: int = 512
    part: int = 3584
    interpret: bool = False

    def forward(self, q_BNLK: Array, k_BNSK: Array, v_BNSK: Array, segments: Segments) -> tuple[Array, Array]:
        """See `Kernel`."""
        L = q_BNLK.shape[2]
        sizes = self._sizes(L, k_BNSK.shape[2])
        q, k, v, segments = _padded(sizes.block_q, sizes.block_kv, q_BNLK, k_BNSK, v_BNSK, segments)

        def one(q_NLK: Array, k_NSK: Array, v_NSK: Array, ids: splash.SegmentIds | None) -> tuple[Array, Array]:
            out, (lse,) = splash._splash_attention_forward(  # noqa: SLF001 - see the module's docstring
                _EVERYTHING,
                q_NLK,
                k_NSK,
                v_NSK,
                ids,
                None,
                mask_value=splash.DEFAULT_MASK_VALUE,
                is_mqa=False,
                block_sizes=sizes,
                residual_checkpoint_name=None,
                save_residuals=True,
                mask_function=None,
                interpret=self.interpret,
            )
            return out, lse

        out, lse = jax.vmap(one)(q, k, v, segments)
        return out[:, :, :L], lse[:, :, :L]

    def backward(
        self,
        q_BNLK: Array,
        k_BNSK: Array,
        v_BNSK: Array,
        segments: Segments,
        out_BNLK: Array,
        logsumexp_BNL: Array,
        g_BNLK: Array,
    ) -> tuple[Array, Array, Array]:
        """See `Kernel`. One kernel makes all three gradients, so that the scores are computed again once, not twice.

        It would write what each tile of keys adds to dq apart. So it is given a `part` of the keys at a time, whose dq
        is gathered within it and added up here.
        """
        L, S = q_BNLK.shape[2], k_BNSK.shape[2]
        sizes = self._sizes(L, S)
        part = sizes.block_kv_dkv or S
        q, k, v, ids = _padded(sizes.block_q, part, q_BNLK, k_BNSK, v_BNSK, segments)
        fill = functools.partial(_fill, length=q.shape[2])
        out, lse, g = fill(out_BNLK), fill(logsumexp_BNL), fill(g_BNLK)

        row_sums_BNL = (out.astype(jnp.float32) * g.astype(jnp.float32)).sum(-1)
        kernel = functools.partial(
            splash._splash_attention_bwd_dkv,  # noqa: SLF001 - see the module's docstring
            bq=sizes.block_q,
            bkv=part,
            bkv_compute=sizes.block_kv_dkv_compute or part,
            is_mqa=False,
            mask_info=_EVERYTHING,
            mask_value=splash.DEFAULT_MASK_VALUE,
            attn_logits_soft_cap=None,
            use_fused_bwd_kernel=True,
            q_layout=sizes.q_layout,
            k_layout=sizes.k_layout,
            v_layout=sizes.v_layout,
            mask_function=None,
            interpret=self.interpret,
        )

        def add(dq: Array, keys: tuple) -> tuple[Array, tuple[Array, Array]]:
            k, v, kv_ids = keys
            of_part = None if ids is None else splash.SegmentIds(ids.q, kv_ids)
            of_clips = jax.vmap(lambda q, k, v, ids, *rows: kernel(q, k, v, ids, None, *rows))
            more, dk, dv = of_clips(q, k, v, of_part, lse, g, row_sums_BNL)
            return dq + jnp.asarray(more, jnp.float32), (dk, dv)

        split = functools.partial(_split, size=part)
        parts = split(k, axis=2), split(v, axis=2), None if ids is None else split(ids.kv, axis=1)
        dq, (dk, dv) = jax.lax.scan(add, jnp.zeros(q.shape, jnp.float32), parts)
        dk, dv = (jnp.moveaxis(x, 0, 2).reshape(k.shape).astype(jnp.float32) for x in (dk, dv))
        return dq[:, :, :L], dk[:, :, :S], dv[:, :, :S]

    def _sizes(self, queries: int, keys: int) -> splash.BlockSizes:
        """Tiles as even as they can be: padding stays below 128 for each tile."""
        q, kv = _tile(queries, self.block), _tile(keys, self.block)
        a_part = _ceil(keys, _ceil(keys, self.part))
        kv_again = _tile(a_part, self.block)
        return splash.BlockSizes(
            block_q=q,
            block_kv=kv,
            block_kv_compute=kv,
            block_q_dkv=q,
            block_kv_dkv=_ceil(a_part, kv_again) * kv_again,
            block_kv_dkv_compute=kv_again,
            use_fused_bwd_kernel=True,
        )


def _ceil(length: int, size: int) -> int:
    return -(-length // size)


def _tile(length: int, most: int) -> int:
    return _ceil(length, _ceil(length, most) * _LANES) * _LANES


def _padded(
    block_q: int, block_kv: int, q: Array, k: Array, v: Array, segments: Segments
) -> tuple[Array, Array, Array, splash.SegmentIds | None]:
    """Lengths made multiples of the blocks; what is added belongs to other segments than all that was there."""
    queries, keys = (_ceil(x.shape[2], size) * size for x, size in ((q, block_q), (k, block_kv)))
    if segments is None:
        if keys == k.shape[2]:
            return _fill(q, queries), k, v, None
        segments = jnp.zeros((q.shape[0], q.shape[2]), jnp.int32), jnp.zeros((k.shape[0], k.shape[2]), jnp.int32)
    q_segments, k_segments = segments
    low = jnp.iinfo(jnp.int32).min
    ids = splash.SegmentIds(
        jnp.pad(q_segments, ((0, 0), (0, queries - q.shape[2])), constant_values=low + 1),
        jnp.pad(k_segments, ((0, 0), (0, keys - k.shape[2])), constant_values=low + 2),
    )
    return _fill(q, queries), _fill(k, keys), _fill(v, keys), ids


def _fill(x_BNL: Array, length: int) -> Array:
    """Zeros at the end of axis 2."""
    return jnp.pad(x_BNL, ((0, 0), (0, 0), (0, length - x_BNL.shape[2]), *((0, 0) for _ in x_BNL.shape[3:])))


def _split(x: Array, axis: int, size: int) -> Array:
    """Cut along an axis into pieces, [pieces, ...]."""
    pieces = x.reshape(*x.shape[:axis], -1, size, *x.shape[axis + 1 :])
    return jnp.moveaxis(pieces, axis, 0)
