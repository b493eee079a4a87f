# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Attention behind the one signature that networks see: attn_fn(q, k, v, segment_ids)."""

import functools

import jax
import jax.numpy as jnp
from jax import Array


def dense(
    q_BLNK: Array,
    k_BSNK: Array,
    v_BSNK: Array,
    segment_ids: tuple[Array, Array] | None = None,
    *,
    dtype: str = "bfloat16",
) -> Array:
    """softmax(q k^T / sqrt(K)) v, not causal, with the scores and their statistics in float32.

    Args:
        q_BLNK, k_BSNK, v_BSNK: queries, keys and values of N heads.
        segment_ids: (query segments [B, L], key segments [B, S]); a query sees only the keys of its own segment.
            None lets every query see every key.
        dtype: rounding of the operands of both products.

    Returns:
        [B, L, N, K] in q's dtype.
    """
    scale = q_BLNK.shape[-1] ** -0.5
    einsum = functools.partial(jnp.einsum, preferred_element_type=jnp.float32)
    scores = einsum("BLNK,BSNK->BNLS", (q_BLNK * scale).astype(dtype), k_BSNK.astype(dtype))
    if segment_ids is not None:
        q_segments, k_segments = segment_ids
        same = q_segments[:, None, :, None] == k_segments[:, None, None, :]
        scores = jnp.where(same, scores, jnp.finfo(jnp.float32).min)
    weights = jax.nn.softmax(scores, axis=-1)
    return einsum("BNLS,BSNK->BLNK", weights.astype(dtype), v_BSNK.astype(dtype)).astype(q_BLNK.dtype)
