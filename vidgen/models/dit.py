# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The diffusion transformer: full attention over the spacetime patches of a whole clip (arXiv 2212.09748, and the
Wan 2.1 arrangement: one shared modulation MLP plus a table a block, cross-attention to text, 3-D rotary positions).

Time is per token. A row brings a few distinct times `t_BE` and says for every token which one is its own, so
modulation is computed E times a row and spread to the tokens where it is used.
"""

import dataclasses
import functools
from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from flax import linen as nn
from flax.linen import initializers
from jax import Array
from jax.typing import DTypeLike

from vidgen.models import rope
from vidgen.models.attention import Attention, AttnFn
from vidgen.models.layers import Dense, LayerNorm, ShardFn, gelu, sinusoid, unsharded


@dataclasses.dataclass(frozen=True)
class DiTConfig:
    """Shape of a diffusion transformer.

    Attributes:
        patch: latent frames, rows and columns in a token.
        channels: of the latents.
        width, layers, heads, hidden: features of a token, blocks, heads, width of the MLP.
        text_width: features of a text token.
        time_width: features of the time sinusoid.
        time_scale: t in [0, 1] is multiplied by this before the sinusoid (timesteps 0-1000 in Wan and DiT).
        whole_times: whether samplers round t down to a whole step of `time_scale`, as those of public models do.
        coordinates: whether tokens also learn where they are in the clip as a share of its size and length, so that
            "left" means the same at every size and a thing that moves to the right starts at the left; rotary positions
            alone are relative.
        precondition: whether the network predicts what a linear estimate of the velocity leaves over, so that it need
            not carry the noise through its width (see `linear_velocity`).
        deviation: standard deviation of each channel of the latents, which `precondition` reckons with; empty is 1.
        pooled_text: whether the mean of the caption's features joins the time in the modulation, as the class does in
            DiT (arXiv 2212.09748, section 3.2): it tells every token what the clip is about long before cross-attention
            has learned to. A time must then belong to one caption.
        remat: what is recomputed in the backward pass: "none", "dots" (keep matmul results) or "full".
        dtype: rounding of the operands of matmuls.
    """

    patch: tuple[int, int, int] = (1, 2, 2)
    channels: int = 32
    width: int = 320
    layers: int = 6
    heads: int = 5
    hidden: int = 1152
    text_width: int = 256
    time_width: int = 256
    time_scale: float = 1000.0
    whole_times: bool = False
    coordinates: bool = True
    precondition: bool = True
    deviation: tuple[float, ...] = ()
    pooled_text: bool = False
    remat: str = "none"
    dtype: str = "bfloat16"


REMAT_POLICIES = {
    "dots": jax.checkpoint_policies.dots_with_no_batch_dims_saveable,
    "full": jax.checkpoint_policies.nothing_saveable,
}


def gather_time(x_BED: Array, chosen_BLE: Array | None) -> Array:
    """The row of each token's own time: [B, E, D], one-hot [B, L, E] -> [B, L, D].

    A product with a one-hot matrix, since the gradient of a gather is a scatter, which no accelerator likes and
    which took a third of a training step on CPU. With one time a row (None) it only broadcasts.
    """
    if chosen_BLE is None:
        return x_BED
    return jnp.einsum("BLE,BED->BLD", chosen_BLE, x_BED)


class DiTBlock(nn.Module):
    """Self-attention, cross-attention and MLP; the first and the last are modulated and gated by time.

    Returns its features twice where they are to be `kept`, as `nn.scan` stacks what comes second.
    """

    config: DiTConfig
    attn_fn: AttnFn
    cross_attn_fn: AttnFn
    shard: ShardFn
    kept: bool

    @nn.compact
    def __call__(
        self,
        x_BLD: Array,
        modulation_BE6D: Array,
        chosen_BLE: Array | None,
        angles_BLK: Array,
        segment_ids: tuple[Array, Array] | None,
        text_BSD: Array,
        text_segment_ids: tuple[Array, Array],
    ) -> tuple[Array, Array | None]:
        cfg = self.config
        dtype: DTypeLike = jnp.dtype(cfg.dtype)
        table = self.param("modulation", initializers.normal(cfg.width**-0.5), (6, cfg.width))
        dense = functools.partial(Dense, dtype=dtype, shard=self.shard)
        attention = functools.partial(Attention, cfg.heads, dtype=dtype, shard=self.shard)

        def chosen(i: int) -> Array:
            return gather_time(modulation_BE6D[:, :, i] + table[i], chosen_BLE)

        h = LayerNorm(name="norm1")(x_BLD) * (1 + chosen(1)) + chosen(0)
        h = attention(attn_fn=self.attn_fn, name="self")(h, None, angles_BLK, segment_ids)
        x_BLD = x_BLD + h * chosen(2)
        h = LayerNorm(affine=True, name="norm2")(x_BLD)
        x_BLD = x_BLD + attention(attn_fn=self.cross_attn_fn, name="cross")(h, text_BSD, None, text_segment_ids)
        h = LayerNorm(name="norm3")(x_BLD) * (1 + chosen(4)) + chosen(3)
        h = self.shard(gelu(dense(cfg.hidden, axes="DM", name="up")(h)), "BLM")
        x_BLD = self.shard(x_BLD + dense(cfg.width, axes="MD", name="down")(h) * chosen(5), "BLD")
        return x_BLD, x_BLD if self.kept else None


def cut_patches(params: dict, old: tuple[int, int, int], new: tuple[int, int, int], channels: int) -> dict:
    """Parameters for tokens of patch `new` from those for patch `old`, of which it is a part.

    A small token is read as if all of the large one were alike, and says the mean of what the large one said of its
    parts: where neighbours agree the network computes what it did, as when FlexiViT resizes its patches (arXiv
    2212.08013, section 3.4). Rotary positions count tokens, so that distances change; training goes on from there.

    Raises:
        ValueError: new does not divide old.
    """
    parts = [large // small for large, small in zip(old, new, strict=True)]
    if any(large % small for large, small in zip(old, new, strict=True)):
        raise ValueError(f"tokens of patch {old} cannot be cut into patches of {new}: every side must divide")
    split = [n for large, small in zip(parts, new, strict=True) for n in (large, small)]

    def cut(x: Array, axis: int, many: Callable[..., Array]) -> Array:
        x = jnp.moveaxis(x, axis, 0)
        x = many(x.reshape(*split, channels, *x.shape[1:]), axis=(0, 2, 4))
        return jnp.moveaxis(x.reshape(-1, *x.shape[4:]), 0, axis)

    first, last = params["patch_embedding"], params["out"]
    return {
        **params,
        "patch_embedding": {**first, "kernel": cut(first["kernel"], 0, jnp.sum)},
        "out": {"kernel": cut(last["kernel"], 1, jnp.mean), "bias": cut(last["bias"], 0, jnp.mean)},
    }


class Segments(NamedTuple):
    """What belongs together in a row.

    clips_BL: which clip each token is of: tokens of one clip see each other; None where all of a row is one.
    captions_BL, text_BS: which caption each token follows, and each text token is of.
    """

    clips_BL: Array | None
    captions_BL: Array
    text_BS: Array


class Prediction(NamedTuple):
    """What the transformer says of tokens.

    velocity_BLP: float32. features_BLD: those of the block that is read, or None.
    """

    velocity_BLP: Array
    features_BLD: Array | None


class DiT(nn.Module):
    """Velocity of every token of a row.

    Attributes:
        attn_fn: kernel of self-attention.
        cross_attn_fn: kernel of attention to text, whose tokens are not divided over devices; None is attn_fn.
        shard: how arrays are divided over devices.
        read_block: the block, from 1, whose features are given too; 0 for none.

    Call arguments:
        tokens_BLP: patches of noisy latents (P = patch volume x channels).
        positions_BL3: (frame, row, column) of each token in its own clip, in patches.
        extent_BL3: (frames, rows, columns) of the clip that each token belongs to.
        t_BE: the distinct times of each row, in [0, 1]; 0 is given data, 1 is noise.
        time_ids_BL: which of them is each token's.
        text_BSD, text_real_BS: features of the caption and which of them are not padding.
        segments: of a row that holds several clips or captions; None where it is one clip with one caption.

    Returns:
        `Prediction` of the tokens.
    """

    config: DiTConfig
    attn_fn: AttnFn
    cross_attn_fn: AttnFn | None = None
    shard: ShardFn = unsharded
    read_block: int = 0

    @nn.compact
    def __call__(
        self,
        tokens_BLP: Array,
        positions_BL3: Array,
        extent_BL3: Array,
        t_BE: Array,
        time_ids_BL: Array,
        text_BSD: Array,
        text_real_BS: Array,
        segments: Segments | None = None,
    ) -> Prediction:
        cfg = self.config
        dtype: DTypeLike = jnp.dtype(cfg.dtype)
        dense = functools.partial(Dense, dtype=dtype, shard=self.shard)
        tokens_BLP, text_BSD = self.shard(tokens_BLP, "BLP"), self.shard(text_BSD, "BSD")
        B, L, P = tokens_BLP.shape
        E = t_BE.shape[1]
        chosen_BLE = jax.nn.one_hot(time_ids_BL, E, dtype=jnp.float32) if E > 1 else None
        estimate = Linear(0.0, 1.0, 1.0)
        if cfg.precondition:
            deviation_P = jnp.tile(jnp.array(cfg.deviation or (1.0,) * cfg.channels), P // cfg.channels)
            estimate = linear_velocity(gather_time(t_BE[..., None], chosen_BLE), deviation_P)
        x = dense(cfg.width, name="patch_embedding")(estimate.scale * tokens_BLP)
        if cfg.coordinates:
            x = x + dense(cfg.width, name="coordinates")(coordinate_features(positions_BL3, extent_BL3))
        time = sinusoid(t_BE * cfg.time_scale, cfg.time_width)
        time = dense(cfg.width, name="time1")(time)
        time_BED = dense(cfg.width, name="time2")(nn.silu(time))
        if cfg.pooled_text:
            pooled_BED = pool(text_BSD, text_real_BS, segments, time_ids_BL, E)
            time_BED = time_BED + dense(cfg.width, zero=True, name="pooled_text")(pooled_BED)
        modulation = dense(6 * cfg.width, zero=True, name="modulation")(nn.silu(time_BED))
        modulation_BE6D = modulation.reshape(B, -1, 6, cfg.width).astype(jnp.float32)
        text = dense(cfg.width, name="text1")(text_BSD)
        text = self.shard(dense(cfg.width, name="text2")(gelu(text)), "BSD")

        self_segments, cross_segments = _attended(segments, (B, L), text_real_BS)
        block = DiTBlock
        if cfg.remat != "none":
            block = nn.remat(DiTBlock, policy=REMAT_POLICIES[cfg.remat], prevent_cse=False)
        blocks = nn.scan(
            block,
            variable_axes={"params": 0},
            split_rngs={"params": True},
            in_axes=nn.broadcast,  # pyright: ignore[reportArgumentType] - Flax's own type forgets it
            length=cfg.layers,
        )(cfg, self.attn_fn, self.cross_attn_fn or self.attn_fn, self.shard, self.read_block > 0, name="blocks")
        angles = self.shard(rope.angles(positions_BL3, cfg.width // cfg.heads), "BLK")
        x, kept_NBLD = blocks(
            self.shard(x, "BLD"), modulation_BE6D, chosen_BLE, angles, self_segments, text, cross_segments
        )
        table = self.param("final_modulation", initializers.normal(cfg.width**-0.5), (2, cfg.width))
        add, multiply = (gather_time(time_BED.astype(jnp.float32) + table[i], chosen_BLE) for i in (0, 1))
        x = LayerNorm(name="final_norm")(x) * (1 + multiply) + add
        out = dense(P, zero=True, name="out")(x).astype(jnp.float32)
        velocity = self.shard(estimate.slope * tokens_BLP + estimate.rest * out, "BLP")
        return Prediction(velocity, None if kept_NBLD is None else kept_NBLD[self.read_block - 1])


def _attended(
    segments: Segments | None, shape: tuple[int, int], text_real_BS: Array
) -> tuple[tuple[Array, Array] | None, tuple[Array, Array]]:
    """What belongs together in self-attention (None: all) and in attention to text, of rows of a shape (B, L)."""
    if segments is None:
        return None, (jnp.ones(shape, jnp.int32), text_real_BS.astype(jnp.int32))
    clips_BL, captions_BL, text_BS = segments
    # Padding of text belongs to no caption.
    cross = captions_BL, jnp.where(text_real_BS, text_BS, -1)
    return None if clips_BL is None else (clips_BL, clips_BL), cross


def pool(text_BSD: Array, text_real_BS: Array, segments: Segments | None, time_ids_BL: Array, E: int) -> Array:
    """Mean features of the caption that belongs to each time of a row: [B, E, D].

    The caption of a time is that of the tokens which have it; without segments a row has one.
    """
    real_BES = jnp.broadcast_to(text_real_BS[:, None], (text_real_BS.shape[0], E, text_real_BS.shape[1]))
    if segments is not None:
        own_BEL = time_ids_BL[:, None] == jnp.arange(E)[:, None]
        caption_BE = jnp.max(jnp.where(own_BEL, segments.captions_BL[:, None], -1), axis=-1)
        real_BES = real_BES & (segments.text_BS[:, None] == caption_BE[..., None])
    share_BES = real_BES / jnp.maximum(real_BES.sum(-1, keepdims=True), 1)
    return jnp.einsum("BES,BSD->BED", share_BES, text_BSD.astype(jnp.float32))


class Linear(NamedTuple):
    """slope * x_t estimates v best, and rest is the deviation of what it leaves over; scale * x_t has unit variance."""

    slope: Array | float
    scale: Array | float
    rest: Array | float


def linear_velocity(t: Array, deviation: Array | float = 1.0) -> Linear:
    """The best linear estimate of v = eps - x_0 from x_t = (1 - t) x_0 + t eps, with eps of unit variance.

    For x_0 of deviation s, E[v x_t] / E[x_t^2] = (t - (1 - t) s^2) / (t^2 + (1 - t)^2 s^2), and the variance of what is
    left is s^2 / (t^2 + (1 - t)^2 s^2): the preconditioning of EDM (arXiv 2206.00364, section 5) in flow form. Where s
    varies, channels of little weight ask little of the network until most of the noise is gone.
    """
    inverse = jax.lax.rsqrt(t**2 + ((1 - t) * deviation) ** 2)
    return Linear((t - (1 - t) * deviation**2) * inverse**2, inverse, deviation * inverse)


def coordinate_features(positions_BL3: Array, extent_BL3: Array, octaves: int = 4) -> Array:
    """Sines and cosines of frame, row and column as a share of the clip: [B, L, 6 * octaves]."""
    share = (positions_BL3 + 0.5) / extent_BL3
    angles = (jnp.pi / 2) * share[..., None] * 2.0 ** jnp.arange(octaves)
    return jnp.concatenate([jnp.sin(angles), jnp.cos(angles)], axis=-1).reshape(*share.shape[:2], -1)
