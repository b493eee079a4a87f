# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""A T5-style text encoder: RMSNorm, relative position bias in every layer, gated GELU, no biases (arXiv 2002.05202,
1910.10683; the bias in every layer as in UMT5, arXiv 2304.09151).
"""

import dataclasses
import functools
import math

import jax
import jax.numpy as jnp
from flax import linen as nn
from flax.linen import initializers
from jax import Array
from jax.nn import softmax
from jax.typing import DTypeLike

from vidgen.models.layers import Dense, RMSNorm, ShardFn, gelu, unsharded


@dataclasses.dataclass(frozen=True)
class TextConfig:
    """Shape of a text encoder.

    Attributes:
        vocabulary: how many token ids there are; id 0 is padding.
        width, layers, heads, hidden: features of a token, blocks, heads, width of the gated MLP.
        buckets, max_distance: of the relative position bias, as in T5.
        head_width: of a head; 0 shares the width among the heads.
        start: whether a learned token comes first, so that an empty caption still has one real token; T5 has none.
        padding_seen: whether the zeros behind a caption count as its words, as Wan's transformer reads them.
        scaled: whether scores are divided by the root of the head's width; T5's are not.
        dtype: rounding of the operands of matmuls.
    """

    vocabulary: int = 2048
    width: int = 256
    layers: int = 2
    heads: int = 4
    hidden: int = 512
    buckets: int = 32
    max_distance: int = 128
    head_width: int = 0
    start: bool = True
    scaled: bool = True
    padding_seen: bool = False
    dtype: str = "bfloat16"


def relative_buckets(length: int, buckets: int, max_distance: int) -> Array:
    """T5's bidirectional buckets of key position minus query position: [length, length], int32.

    Half of the buckets are for keys after the query; in each half, half are exact and half logarithmic.
    """
    distance = jnp.arange(length)[None, :] - jnp.arange(length)[:, None]
    half = buckets // 2
    exact = half // 2
    size = jnp.abs(distance)
    log_ratio = jnp.log(jnp.maximum(size, 1) / exact) / math.log(max_distance / exact)
    coarse = jnp.minimum(exact + (log_ratio * (half - exact)).astype(jnp.int32), half - 1)
    return jnp.where(distance > 0, half, 0) + jnp.where(size < exact, size, coarse)


def nearby_bias(max_distance: int, aside: float = 4.0) -> initializers.Initializer:
    """Initial bias [buckets, heads] by which heads look at what is near, those of even number after and odd before.

    Word order enters an encoder here alone. From a table near zero, which an optimiser moves by a learning rate a step,
    it stays a bag of words for thousands of steps: "a cat left of a dog" is "a dog left of a cat". So a key at distance
    d on a head's own side has -slope d, on the other -slope (d + aside); pairs of heads have slopes 1, 1/4, 1/16, ...
    (as in ALiBi, arXiv 2108.12409, with sides).
    """

    def init(key: Array, shape: tuple[int, int], dtype: DTypeLike = jnp.float32) -> Array:
        buckets, heads = shape
        line = relative_buckets(max_distance + 1, buckets, max_distance)
        distance = jnp.full(buckets, max_distance).at[line[0]].min(jnp.arange(max_distance + 1))
        distance = distance.at[line[:, 0]].min(jnp.arange(max_distance + 1))
        after = jnp.arange(buckets) >= buckets // 2
        head = jnp.arange(heads)
        far_BN = distance[:, None] + aside * (after[:, None] != (head % 2 == 0))
        return (-(0.25 ** (head // 2)) * far_BN + 0.02 * jax.random.normal(key, shape)).astype(dtype)

    return init


class TextBlock(nn.Module):
    """Self-attention to what is seen [B, S or 1, S], with a relative position bias, then a gated MLP."""

    config: TextConfig
    shard: ShardFn

    @nn.compact
    def __call__(self, x_BSD: Array, seen_BSS: Array) -> Array:
        cfg = self.config
        dtype: DTypeLike = jnp.dtype(cfg.dtype)
        B, S, D = x_BSD.shape
        K = cfg.head_width or D // cfg.heads
        dense = functools.partial(Dense, use_bias=False, dtype=dtype, shard=self.shard)
        h = RMSNorm(name="norm1")(x_BSD)
        q, k, v = (dense(cfg.heads * K, axes="DN", name=n)(h).reshape(B, S, cfg.heads, K) for n in "qkv")
        q, k, v = (self.shard(a, "BSNK") for a in (q, k, v))
        table = self.param("relative_bias", nearby_bias(cfg.max_distance), (cfg.buckets, cfg.heads))
        bias_NSS = table[relative_buckets(S, cfg.buckets, cfg.max_distance)].transpose(2, 0, 1)
        # T5 leaves out the 1/sqrt(K) of the scores; its initialisation makes up for it, ours is plain.
        scale = K**-0.5 if cfg.scaled else 1.0
        scores = jnp.einsum("BLNK,BSNK->BNLS", q, k, preferred_element_type=jnp.float32) * scale
        scores = jnp.where(seen_BSS[:, None], scores + bias_NSS, jnp.finfo(jnp.float32).min)
        h = jnp.einsum("BNLS,BSNK->BLNK", softmax(scores, axis=-1).astype(v.dtype), v)
        x_BSD = x_BSD + dense(D, axes="ND", name="out")(h.reshape(B, S, -1))
        h = RMSNorm(name="norm2")(x_BSD)
        gate = gelu(dense(cfg.hidden, axes="DM", name="gate")(h))
        up = dense(cfg.hidden, axes="DM", name="up")(h)
        h = self.shard(gate * up, "BSM")
        return self.shard(x_BSD + dense(D, axes="MD", name="down")(h), "BSD")


class TextEncoder(nn.Module):
    """Token ids [B, S] (0 = padding) -> features [B, S + 1, D] and which of them are real [B, S + 1].

    A learned start token comes first, so that an empty caption (the unconditional case) still has one real token;
    without it (`TextConfig.start`) there are S features, and those of padding are zeros.
    `shard` says how arrays are divided over devices.

    Rows may hold several captions one after another, of which `captions_BS` says each token's, from 1, and 0 where a
    row is only filled up. Each is then read as if it were alone, and has a place for the start token before its own:
    there are S features.
    """

    config: TextConfig
    shard: ShardFn = unsharded

    @nn.compact
    def __call__(self, ids_BS: Array, captions_BS: Array | None = None) -> tuple[Array, Array]:
        cfg = self.config
        B = ids_BS.shape[0]
        table = self.param("embedding", initializers.normal(1.0), (cfg.vocabulary, cfg.width))
        x, real_BS = table[ids_BS], ids_BS != 0
        if cfg.start:
            start = self.param("start", initializers.normal(1.0), (1, 1, cfg.width))
            if captions_BS is None:
                x = jnp.concatenate([jnp.broadcast_to(start, (B, 1, cfg.width)), x], axis=1)
                real_BS = jnp.concatenate([jnp.ones((B, 1), bool), real_BS], axis=1)
            else:
                first_BS = (places(captions_BS) == 0) & (captions_BS > 0)
                x, real_BS = jnp.where(first_BS[..., None], start, x), real_BS | first_BS
        seen_BSS = real_BS[:, None]
        if captions_BS is not None:
            seen_BSS = seen_BSS & (captions_BS[:, :, None] == captions_BS[:, None])
        x = self.shard(x, "BSD")
        for i in range(cfg.layers):
            x = TextBlock(cfg, self.shard, name=f"block{i}")(x, seen_BSS)
        x = RMSNorm(name="norm")(x)
        return jnp.where(real_BS[..., None], x, 0.0), _held(real_BS, captions_BS) if cfg.padding_seen else real_BS


@dataclasses.dataclass(frozen=True)
class LabelConfig:
    """Shape of a table of class labels, which stands where a text encoder does: a caption is one id.

    Attributes:
        classes: how many there are; the table has one more row, for no class.
        width: features of a class.
        dtype: as of `TextConfig`; nothing is rounded here.
    """

    classes: int = 1000
    width: int = 1152
    dtype: str = "bfloat16"


class LabelTable(nn.Module):
    """Ids [B, S], 1 for class 0 and so on, 0 for no class -> features [B, S, D] and which are real [B, S]: all that
    are of a caption, where rows hold several as in `TextEncoder`.

    The row for no class is the last one of the table (arXiv 2212.09748, section 3.3, guidance).
    """

    config: LabelConfig
    shard: ShardFn = unsharded

    @nn.compact
    def __call__(self, ids_BS: Array, captions_BS: Array | None = None) -> tuple[Array, Array]:
        cfg = self.config
        table = self.param("labels", initializers.normal(0.02), (cfg.classes + 1, cfg.width))
        rows_BS = jnp.where(ids_BS == 0, cfg.classes, ids_BS - 1)
        return self.shard(table[rows_BS], "BSD"), _held(ids_BS, captions_BS)


AnyTextConfig = TextConfig | LabelConfig


def starts(config: AnyTextConfig) -> int:
    """How many tokens an encoder puts before a caption."""
    return int(isinstance(config, TextConfig) and config.start)


def pads(config: AnyTextConfig) -> bool:
    """Whether what is behind a caption counts as its words."""
    return isinstance(config, TextConfig) and config.padding_seen


def places(captions_BS: Array) -> Array:
    """The place of each token in its own caption, from 0, where rows hold captions one after another: [B, S]."""
    at_S = jnp.arange(captions_BS.shape[1])
    new_BS = jnp.diff(captions_BS, axis=1, prepend=-1) != 0
    return at_S - jax.lax.cummax(jnp.where(new_BS, at_S, 0), axis=1)


def _held(ids_BS: Array, captions_BS: Array | None) -> Array:
    """Which tokens are of a caption at all, padding among them."""
    return jnp.ones(ids_BS.shape, bool) if captions_BS is None else captions_BS > 0


def text_encoder(config: AnyTextConfig, shard: ShardFn = unsharded) -> TextEncoder | LabelTable:
    """What reads captions: ids [B, S] -> features [B, S', D], and which of them are real [B, S']."""
    return LabelTable(config, shard) if isinstance(config, LabelConfig) else TextEncoder(config, shard)
