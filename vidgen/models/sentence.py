# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""BERT as an encoder of sentences (arXiv 1810.04805; the mean of its tokens as in Sentence-BERT, arXiv 1908.10084)."""

import dataclasses
import functools

import jax
import jax.numpy as jnp
from flax import linen as nn
from flax.linen import initializers
from jax import Array
from jax.nn import softmax
from jax.typing import DTypeLike

from vidgen.models.layers import Dense, LayerNorm


@dataclasses.dataclass(frozen=True)
class SentenceConfig:
    """Shape of a sentence encoder; the defaults are those of all-MiniLM-L6-v2, of 22.7 M parameters.

    Attributes:
        vocabulary: how many token ids there are; id 0 is padding.
        width, layers, heads, hidden: features of a token, blocks, heads, width of the MLP.
        positions: the most tokens of a text.
        eps: of the norms.
        dtype: rounding of the operands of matmuls.
    """

    vocabulary: int = 30522
    width: int = 384
    layers: int = 6
    heads: int = 12
    hidden: int = 1536
    positions: int = 512
    eps: float = 1e-12
    dtype: str = "float32"


class SentenceBlock(nn.Module):
    """Self-attention, then an MLP; each sum is normed after it, as in the first transformers."""

    config: SentenceConfig

    @nn.compact
    def __call__(self, x_BSD: Array, real_BS: Array) -> Array:
        cfg = self.config
        B, S, D = x_BSD.shape
        dtype: DTypeLike = jnp.dtype(cfg.dtype)
        norm = functools.partial(LayerNorm, eps=cfg.eps, affine=True)
        dense = functools.partial(Dense, dtype=dtype)
        q, k, v = (dense(D, axes="DN", name=name)(x_BSD).reshape(B, S, cfg.heads, -1) for name in "qkv")
        scores = jnp.einsum("BLNK,BSNK->BNLS", q, k) * q.shape[-1] ** -0.5
        scores = jnp.where(real_BS[:, None, None, :], scores, jnp.finfo(jnp.float32).min)
        h = jnp.einsum("BNLS,BSNK->BLNK", softmax(scores, axis=-1), v).reshape(B, S, D)
        x_BSD = norm(name="norm1")(x_BSD + dense(D, axes="ND", name="out")(h))
        h = jax.nn.gelu(dense(cfg.hidden, axes="DM", name="up")(x_BSD), approximate=False)
        return norm(name="norm2")(x_BSD + dense(D, axes="MD", name="down")(h))


class SentenceEncoder(nn.Module):
    """Token ids [B, S] (0 = padding) -> float32 [B, D] of length 1: the mean of the features of real tokens."""

    config: SentenceConfig

    @nn.compact
    def __call__(self, ids_BS: Array) -> Array:
        cfg = self.config
        init = initializers.normal(0.02)
        words = self.param("words", init, (cfg.vocabulary, cfg.width))
        positions = self.param("positions", init, (cfg.positions, cfg.width))
        kinds = self.param("kinds", init, (2, cfg.width))  # of two texts side by side, of which there is only the first
        real_BS = ids_BS != 0
        x_BSD = words[ids_BS] + positions[: ids_BS.shape[1]] + kinds[0]
        x_BSD = LayerNorm(eps=cfg.eps, affine=True, name="norm")(x_BSD)
        for i in range(cfg.layers):
            x_BSD = SentenceBlock(cfg, name=f"block{i}")(x_BSD, real_BS)
        sum_BD = jnp.where(real_BS[..., None], x_BSD, 0.0).sum(axis=1)
        return sum_BD / jnp.linalg.norm(sum_BD, axis=-1, keepdims=True)
