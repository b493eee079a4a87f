# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""What one device does of attention: the softmax over the keys that it holds, with what is needed to join the parts.

A kernel gives the output and the log of the softmax's denominator, so that parts over different keys can be joined
exactly (`merge`), and its backward pass takes that of the whole row, so that it can be called for one part of the keys
at a time (arXiv 2205.14135, section 3.1 and appendix B).
"""

import dataclasses
from typing import Protocol

import jax
import jax.numpy as jnp
from jax import Array

Segments = tuple[Array, Array] | None
"""(query segments [B, L], key segments [B, S]): a query sees the keys of its own segment alone. None: it sees all."""

EMPTY = -1e30
"""Log of the denominator of a row that no key belongs to."""


class Kernel(Protocol):
    """Attention over the keys of one device; hashable, since it is compiled in."""

    def forward(self, q_BNLK: Array, k_BNSK: Array, v_BNSK: Array, segments: Segments) -> tuple[Array, Array]:
        """(output [B, N, L, K] in q's dtype, log of the denominator [B, N, L] in float32) of queries already scaled."""
        ...

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
        """What these keys add to the gradients of q, k and v, in float32.

        `out`, `logsumexp` and `g` (the output's cotangent) are those of whole rows, over the keys of all devices.
        """
        ...


def merge(out: tuple[Array, Array], other: tuple[Array, Array]) -> tuple[Array, Array]:
    """Joins (output [..., K] in float32, log of the denominator [...]) over two disjoint sets of keys."""
    (o1, lse1), (o2, lse2) = out, other
    lse = jnp.logaddexp(lse1, lse2)
    return o1 * jnp.exp(lse1 - lse)[..., None] + o2 * jnp.exp(lse2 - lse)[..., None], lse


@dataclasses.dataclass(frozen=True)
class Chunked:
    """The kernel for devices without a fused one: plain products, `block` queries at a time against all keys.

    It keeps no more than B x N x block x S scores. A query whose segment has no key gets zeros.
    """

    block: int = 512

    def forward(self, q_BNLK: Array, k_BNSK: Array, v_BNSK: Array, segments: Segments) -> tuple[Array, Array]:
        """See `Kernel`."""
        L = q_BNLK.shape[2]

        def one(chunk: tuple) -> tuple[Array, Array]:
            part_BNLK, q_segments = chunk
            scores = _scores(part_BNLK, k_BNSK)
            same = _same(q_segments, segments)
            scores = jnp.where(same, scores, EMPTY)
            top = jnp.max(scores, axis=-1, keepdims=True)
            weights = jnp.where(same, jnp.exp(scores - top), 0.0)
            total = jnp.sum(weights, axis=-1, keepdims=True)
            out = jnp.einsum(
                "BNLS,BNSK->BNLK", weights.astype(v_BNSK.dtype), v_BNSK, preferred_element_type=jnp.float32
            )
            found = total > 0
            out = out / jnp.where(found, total, 1.0)
            lse = jnp.where(found, top + jnp.log(jnp.where(found, total, 1.0)), EMPTY)
            return out.astype(part_BNLK.dtype), lse[..., 0]

        out, lse = jax.lax.map(one, self._chunks(segments, q_BNLK))
        return _whole(out, L), _whole(lse, L)

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
        """See `Kernel`."""
        dtype, L = q_BNLK.dtype, q_BNLK.shape[2]
        # Row sums of g * out: the derivative of the softmax's normalisation.
        pull_BNL = jnp.sum(g_BNLK.astype(jnp.float32) * out_BNLK.astype(jnp.float32), axis=-1)

        def one(sums: tuple[Array, Array], chunk: tuple) -> tuple[tuple[Array, Array], Array]:
            q, lse, pull, g, q_segments = chunk
            scores = _scores(q, k_BNSK)
            weights = jnp.where(_same(q_segments, segments), jnp.exp(scores - lse[..., None]), 0.0)
            dv = jnp.einsum("BNLS,BNLK->BNSK", weights.astype(dtype), g, preferred_element_type=jnp.float32)
            dweights = jnp.einsum("BNLK,BNSK->BNLS", g, v_BNSK, preferred_element_type=jnp.float32)
            dscores = (weights * (dweights - pull[..., None])).astype(dtype)
            dq = jnp.einsum("BNLS,BNSK->BNLK", dscores, k_BNSK, preferred_element_type=jnp.float32)
            dk = jnp.einsum("BNLS,BNLK->BNSK", dscores, q, preferred_element_type=jnp.float32)
            return (sums[0] + dk, sums[1] + dv), dq

        zeros = jnp.zeros(k_BNSK.shape, jnp.float32), jnp.zeros(v_BNSK.shape, jnp.float32)
        chunks = self._chunks(segments, q_BNLK, logsumexp_BNL, pull_BNL, g_BNLK)
        (dk, dv), dq = jax.lax.scan(one, zeros, chunks)
        return _whole(dq, L), dk, dv

    def _chunks(self, segments: Segments, *arrays_BNL: Array) -> tuple:
        """Arrays cut along L, the chunk being the first axis; the last chunk is filled up with zeros."""
        L = arrays_BNL[0].shape[2]
        block = min(self.block, L)
        q_segments = None if segments is None else segments[0][:, None]
        cut = tuple(None if x is None else _cut(x, block) for x in (*arrays_BNL, q_segments))
        return (*cut[:-1], None if segments is None else cut[-1])


def _cut(x_BNL: Array, block: int) -> Array:
    B, N, L = x_BNL.shape[:3]
    rest = x_BNL.shape[3:]
    padded = jnp.pad(x_BNL, ((0, 0), (0, 0), (0, -L % block), *((0, 0) for _ in rest)))
    return jnp.moveaxis(padded.reshape(B, N, -1, block, *rest), 2, 0)


def _whole(chunks: Array, length: int) -> Array:
    """[chunks, B, N, block, ...] -> [B, N, length, ...]."""
    x = jnp.moveaxis(chunks, 0, 2)
    return x.reshape(*x.shape[:2], -1, *x.shape[4:])[:, :, :length]


def _scores(q_BNLK: Array, k_BNSK: Array) -> Array:
    return jnp.einsum("BNLK,BNSK->BNLS", q_BNLK, k_BNSK, preferred_element_type=jnp.float32)


def _same(q_segments_B1L: Array | None, segments: Segments) -> Array:
    """Which keys each query of a chunk sees: [B, 1, L, S], or a scalar if all."""
    if q_segments_B1L is None or segments is None:
        return jnp.array(True)
    return q_segments_B1L[..., None] == segments[1][:, None, None, :]
