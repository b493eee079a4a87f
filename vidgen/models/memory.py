# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""What every block attends to of a caption, made once for all steps of a sampler.

The keys and values of a caption depend on neither the clip nor its noise. Where a caption is long beside the clip (512
words, most of them padding, in Wan 2.1), making them again is a good part of a step.
"""

from typing import Any, NamedTuple

import jax.numpy as jnp
from flax import linen as nn
from jax import Array

from vidgen.models.attention import AttentionKeys, KeysValues
from vidgen.models.dit import DiTConfig, project_text
from vidgen.models.layers import Dense, ShardFn, apply, unsharded

WORTH = 8
"""A clip with fewer tokens than this many times the caption's has them remembered; of a longer one a step would be at
most 2 % shorter, and every block's keys and values have to be kept: 840 MB of one clip of Wan 2.1's 14B.
"""


class TextMemory(NamedTuple):
    """Features of captions [B, E, S, D]; keys, values [B, layers, E, S, N, K] of each block's attention to them."""

    features_BESD: Array
    keys: Array
    values: Array

    @property
    def shape(self) -> tuple[int, ...]:
        """That of the features."""
        return self.features_BESD.shape

    def of_blocks(self) -> KeysValues:
        """For `DiT`, blocks first: [layers, B, E S, N, K]."""
        B, E, S, _ = self.shape
        keys, values = (
            jnp.moveaxis(x.reshape(B, x.shape[1], E * S, *x.shape[-2:]), 1, 0) for x in (self.keys, self.values)
        )
        return keys, values


class _BlockMemory(nn.Module):
    config: DiTConfig
    shard: ShardFn

    @nn.compact
    def __call__(self, text_BSD: Array, _: None) -> tuple[Array, KeysValues]:
        cfg = self.config
        keys = AttentionKeys(cfg.width, cfg.heads, jnp.dtype(cfg.dtype), cfg.qk_norm, self.shard, name="cross")
        return text_BSD, keys(text_BSD)


class _Memory(nn.Module):
    """Its parameters are among those of a `DiT`."""

    config: DiTConfig
    shard: ShardFn

    @nn.compact
    def __call__(self, text_BSD: Array) -> KeysValues:
        cfg = self.config

        def dense(features: int, name: str) -> Dense:
            return Dense(features, dtype=jnp.dtype(cfg.dtype), shard=self.shard, name=name)

        text_BSD = project_text(dense, cfg.width, self.shard(text_BSD, "BSD"), self.shard)
        blocks = nn.scan(_BlockMemory, variable_axes={"params": 0}, split_rngs={"params": True}, length=cfg.layers)
        return blocks(cfg, self.shard, name="blocks")(text_BSD, None)[1]


def remember(config: DiTConfig, params: Any, text_BESD: Array, shard: ShardFn = unsharded) -> TextMemory:
    """What a `DiT` with these parameters attends to of captions' features."""
    B, E, S, D = text_BESD.shape
    keys, values = apply(_Memory(config, shard), params, text_BESD.reshape(B, E * S, D))
    keys, values = (jnp.moveaxis(x, 0, 1).reshape(B, config.layers, E, S, *x.shape[-2:]) for x in (keys, values))
    return TextMemory(text_BESD, keys, values)


def worth_remembering(config: DiTConfig, tokens: int, text_length: int) -> bool:
    """Whether a sampler of clips of so many tokens should; see `WORTH`."""
    return config.cross and tokens < WORTH * text_length
