# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The captioner: a language model whose prefix is a clip (captioning) or a short prompt (prompt upsampling).

The prefix is read both ways, the text after it from left to right (a prefix language model, arXiv 1910.10683, section
3.2.1). A clip is read as pixels, not as latents, so that a captioner serves any VAE: cells of a group of frames are
mixed with their neighbours and then merged into tokens. Positions are rotary along time, rows and columns; text goes
along all three at once, from 0 on, and a prefix ends right before it (as in M-RoPE, arXiv 2409.12191, section 2.1), so
that length and size of clips and prompts are free.
"""

import dataclasses
import functools
from typing import NamedTuple

import jax
import jax.numpy as jnp
from flax import linen as nn
from flax.linen import initializers
from jax import Array
from jax.nn import softmax
from jax.typing import DTypeLike

from vidgen.models import rope
from vidgen.models.dit import REMAT_POLICIES, coordinate_features
from vidgen.models.layers import Dense, RMSNorm, ShardFn, gelu, patchify, unsharded
from vidgen.models.vae import MixBlock, Stage

END = 0
"""The id that ends a text; it is the tokenizer's padding, so that a padded row is a text and its end."""


@dataclasses.dataclass(frozen=True)
class CaptionerConfig:
    """Shape of a captioner.

    Attributes:
        vocabulary: how many token ids there are; id 0 is padding and ends a text.
        table: features of an id in the table, which serves input and output; fewer than `width` keeps it small (the
            factorised embedding of ALBERT, arXiv 1909.11942, section 3.1).
        width, layers, heads, hidden: features of a token, blocks, heads, width of the MLP.
        styles: how many kinds of text can be asked for.
        group: frames in a token of a clip; frame 0 makes a group of its own, so that an image is a clip of one frame.
        cells: pixels a side of the cells that pixels are read in, their features, and the blocks that mix neighbours.
        merge: cells a side in a token.
        remat: what is recomputed in the backward pass: "none", "dots" or "full".
        dtype: rounding of the operands of matmuls.
    """

    vocabulary: int = 2048
    table: int = 48
    width: int = 192
    layers: int = 4
    heads: int = 4
    hidden: int = 208
    styles: int = 3
    group: int = 4
    cells: Stage = Stage(cell=8, width=96, mix=16, hidden=144, blocks=2)
    merge: int = 2
    remat: str = "none"
    dtype: str = "bfloat16"

    @property
    def multiple(self) -> int:
        """Height and width of clips, in pixels, are multiples of this."""
        return self.cells.cell * self.merge

    def clip_tokens(self, frames: int, height: int, width: int) -> tuple[int, int, int]:
        """(T, H, W) of a clip's tokens. Raises ValueError for sides that tokens do not divide."""
        if frames < 1 or height % self.multiple or width % self.multiple or min(height, width) < 1:
            raise ValueError(
                f"{frames} frames of {width}x{height} were given; a captioner takes 1 or more frames whose width and "
                f"height are multiples of {self.multiple}"
            )
        return 1 + -(-(frames - 1) // self.group), height // self.multiple, width // self.multiple


class Tokens(NamedTuple):
    """Tokens before the blocks: x_BLD, their positions_BL3 (text counts from 0), and which are no padding, real_BL."""

    x_BLD: Array
    positions_BL3: Array
    real_BL: Array


class Cache(NamedTuple):
    """Keys and values of all layers, [layers, B, S, N, K] each, with as many places as a text may take."""

    k: Array
    v: Array


class ClipReader(nn.Module):
    """Pixels in [-1, 1], [B, F, H, W, 3] -> features of tokens [B, T, H, W, D]. A last group is filled with its last
    frame.
    """

    config: CaptionerConfig
    shard: ShardFn

    @nn.compact
    def __call__(self, video_BFHWC: Array) -> Array:
        cfg = self.config
        dtype: DTypeLike = jnp.dtype(cfg.dtype)
        dense = functools.partial(Dense, dtype=dtype, shard=self.shard)
        T = cfg.clip_tokens(*video_BFHWC.shape[1:4])[0]
        before, frames = cfg.group - 1, video_BFHWC.shape[1]
        edges = ((0, 0), (before, T * cfg.group - before - frames), (0, 0), (0, 0), (0, 0))
        whole = jnp.pad(self.shard(video_BFHWC, "BFHWC"), edges, mode="edge")
        x = self.shard(
            dense(cfg.cells.width, name="pixels")(patchify(whole, (cfg.group, cfg.cells.cell, cfg.cells.cell))), "BTHWD"
        )
        for i in range(cfg.cells.blocks):
            x = MixBlock(cfg.cells, dtype, self.shard, name=f"mix{i}")(x)
        x = RMSNorm(name="norm")(x)
        return self.shard(dense(cfg.width, name="merge")(patchify(x, (1, cfg.merge, cfg.merge))), "BTHWD")


class Block(nn.Module):
    """Attention from some tokens to those kept before and to themselves, then an MLP.

    Returns the features, and the keys and values of these tokens with the features, as `nn.scan` stacks them.
    """

    config: CaptionerConfig
    shard: ShardFn

    @nn.compact
    def __call__(
        self, x_BLD: Array, past: Cache, angles_BLK: Array, seen_BLS: Array
    ) -> tuple[Array, tuple[Cache, Array]]:
        cfg = self.config
        dtype: DTypeLike = jnp.dtype(cfg.dtype)
        B, L, D = x_BLD.shape
        K = cfg.width // cfg.heads
        dense = functools.partial(Dense, use_bias=False, dtype=dtype, shard=self.shard)
        h = RMSNorm(name="norm1")(x_BLD)
        q, k, v = (self.shard(dense(D, axes="DN", name=n)(h).reshape(B, L, cfg.heads, K), "BLNK") for n in "qkv")
        q = rope.rotate(RMSNorm(name="q_norm")(q), angles_BLK)
        k = rope.rotate(RMSNorm(name="k_norm")(k), angles_BLK)
        keys, values = (jnp.concatenate([old, new], axis=1) for old, new in zip(past, (k, v), strict=True))
        scores = jnp.einsum("BLNK,BSNK->BNLS", q, keys, preferred_element_type=jnp.float32) * K**-0.5
        scores = jnp.where(seen_BLS[:, None], scores, jnp.finfo(jnp.float32).min)
        h = jnp.einsum("BNLS,BSNK->BLNK", softmax(scores, axis=-1), values).reshape(B, L, D)
        x_BLD = x_BLD + dense(D, axes="ND", name="out")(h)
        h = self.shard(gelu(dense(cfg.hidden, axes="DM", name="up")(RMSNorm(name="norm2")(x_BLD))), "BLM")
        x_BLD = self.shard(x_BLD + dense(D, axes="MD", name="down")(h), "BLD")
        return x_BLD, (Cache(k, v), x_BLD)


class Words(nn.Module):
    """The table of ids, as input and as output."""

    config: CaptionerConfig
    shard: ShardFn

    def setup(self) -> None:
        cfg = self.config
        dense = functools.partial(Dense, use_bias=False, dtype=jnp.dtype(cfg.dtype), shard=self.shard)
        self.embedding = self.param("embedding", initializers.normal(1.0), (cfg.vocabulary, cfg.table))
        self.start = self.param("start", initializers.normal(1.0), (cfg.styles, cfg.width))
        self.enter, self.leave = dense(cfg.width), dense(cfg.table)
        self.norm = RMSNorm()

    def features(self, ids_BS: Array) -> Array:
        return self.enter(self.embedding[ids_BS])

    def starts(self, style_B: Array) -> Array:
        return self.start[style_B][:, None]

    def logits(self, x_BLD: Array) -> Array:
        h = self.leave(self.norm(x_BLD)).astype(jnp.float32)
        return jnp.einsum("BLD,VD->BLV", h, self.embedding) * self.config.table**-0.5


class Captioner(nn.Module):
    """See the file. Its methods are the steps of training and of decoding; `shard` says how arrays are divided."""

    config: CaptionerConfig
    shard: ShardFn = unsharded

    def setup(self) -> None:
        cfg = self.config
        self.clip = ClipReader(cfg, self.shard)
        self.coordinates = Dense(cfg.width, dtype=jnp.dtype(cfg.dtype), shard=self.shard)
        self.words = Words(cfg, self.shard)
        block = Block
        if cfg.remat != "none":
            block = nn.remat(Block, policy=REMAT_POLICIES[cfg.remat], prevent_cse=False)
        self.blocks = nn.scan(
            block,
            variable_axes={"params": 0},
            split_rngs={"params": True},
            in_axes=(0, nn.broadcast, nn.broadcast),  # pyright: ignore[reportArgumentType] - Flax's own type forgets it
            length=cfg.layers,
            unroll=cfg.layers,  # few and small: XLA arranges them better than a loop
        )(cfg, self.shard)

    def read_clip(self, video_BFHWC: Array) -> Tokens:
        """The prefix of a clip: pixels in [-1, 1], [B, F, H, W, 3]."""
        x = self.clip(video_BFHWC)
        B, T, H, W, D = x.shape
        place_L3 = rope.grid_positions(T, H, W)
        positions = jnp.broadcast_to(place_L3, (B, *place_L3.shape))
        extent = jnp.array([T, H, W])
        x = x.reshape(B, T * H * W, D) + self.coordinates(
            coordinate_features(positions, jnp.broadcast_to(extent, positions.shape))
        )
        return Tokens(x, positions - extent, jnp.ones(x.shape[:2], bool))

    def read_prompt(self, ids_BS: Array) -> Tokens:
        """The prefix of a prompt: ids, padded with 0."""
        real = ids_BS != END
        before = jnp.arange(ids_BS.shape[1]) - jnp.sum(real, axis=-1, keepdims=True)
        return Tokens(self.words.features(ids_BS), jnp.stack([before] * 3, axis=-1), real)

    def read_text(self, ids_BS: Array, style_B: Array) -> Tokens:
        """The text with what starts it, which says its style: [B, S + 1] tokens; padding is not told apart, since
        nothing before it sees it.
        """
        x = jnp.concatenate([self.words.starts(style_B), self.words.features(ids_BS)], axis=1)
        return Tokens(x, text_positions(jnp.zeros(len(x), jnp.int32), x.shape[1]), jnp.ones(x.shape[:2], bool))

    def read_word(self, id_B: Array, place: Array, style_B: Array) -> Tokens:
        """The one token at a place of the text, from 0: what starts it, or the word before that place."""
        x = jnp.where(place == 0, self.words.starts(style_B), self.words.features(id_B[:, None]))
        return Tokens(x, text_positions(jnp.full(len(x), place, jnp.int32), 1), jnp.ones(x.shape[:2], bool))

    def run(self, tokens: Tokens, past: Cache, seen_BLS: Array) -> tuple[Array, Cache, Array]:
        """Tokens through the blocks -> (features [B, L, D], keys and values of the tokens, features of all blocks).

        seen_BLS: which of the past's places, and of the tokens themselves after them, each token sees.
        """
        cfg = self.config
        angles = self.shard(rope.angles(tokens.positions_BL3, cfg.width // cfg.heads), "BLK")
        x, (kept, inner) = self.blocks(self.shard(tokens.x_BLD, "BLD"), past, angles, seen_BLS)
        return x, kept, inner

    def logits(self, x_BLD: Array) -> Array:
        """float32 [B, L, vocabulary]."""
        return self.words.logits(x_BLD)

    def __call__(self, prefix: Tokens, ids_BS: Array, style_B: Array) -> tuple[Array, Array]:
        """(logits of each id of the text and of its end [B, S + 1, V], features of the prefix [layers, B, L, D])."""
        text = self.read_text(ids_BS, style_B)
        B, L = prefix.real_BL.shape
        tokens = Tokens(*(jnp.concatenate(pair, axis=1) for pair in zip(prefix, text, strict=True)))
        x, _, inner = self.run(tokens, empty_cache(self.config, B, 0), prefix_mask(prefix.real_BL, text.x_BLD.shape[1]))
        return self.logits(x[:, L:]), inner[:, :, :L]

    def initialise(self, video_BFHWC: Array, ids_BS: Array) -> Array:
        """All parts once, for `init`."""
        return self(self.read_clip(video_BFHWC), ids_BS, jnp.zeros(len(ids_BS), jnp.int32))[0]


def text_positions(first_B: Array, length: int) -> Array:
    """Positions of `length` tokens of text from `first` on, the same along all axes: [B, length, 3]."""
    return jnp.stack([first_B[:, None] + jnp.arange(length)] * 3, axis=-1)


def prefix_mask(real_BL: Array, length: int) -> Array:
    """Who sees whom among L tokens of a prefix and then `length` of text: [B, L + length, L + length].

    A prefix sees all of itself and no text; text sees the prefix and the text up to itself.
    """
    L = real_BL.shape[1]
    order = jnp.arange(L + length)
    text = order >= L
    causal = text[:, None] & text[None] & (order[:, None] >= order[None])
    return causal | jnp.pad(real_BL, ((0, 0), (0, length)))[:, None]


def empty_cache(config: CaptionerConfig, batch: int, places: int) -> Cache:
    """A cache of zeros."""
    shape = config.layers, batch, places, config.heads, config.width // config.heads
    return Cache(jnp.zeros(shape), jnp.zeros(shape))


def init_captioner(config: CaptionerConfig, key: Array) -> dict:
    """Random parameters."""
    clip = jnp.zeros((1, 1, config.multiple, config.multiple, 3))
    return dict(Captioner(config).init(key, clip, jnp.zeros((1, 1), jnp.int32), method=Captioner.initialise)["params"])


@functools.partial(jax.jit, static_argnums=0)
def text_logits(config: CaptionerConfig, params: dict, prefix: Tokens, ids_BS: Array, style_B: Array) -> Array:
    """Logits of each id of a text and of its end, all at once: [B, S + 1, V]."""
    return Captioner(config).apply({"params": params}, prefix, ids_BS, style_B)[0]
