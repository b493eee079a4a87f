# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The convolutional VAE of Wan 2.1 (arXiv 2503.20314, section 4.1), for its weights: 4 x 8 x 8 pixels a latent cell.

It is causal in time. The original works through a video in pieces, and keeps the last frames of every layer for the
next piece; one pass over the whole video, padded with zeros at its start, computes the same. Here are both: pieces need
memory for themselves alone.
"""

import dataclasses
import functools
from collections.abc import Callable

import jax
import jax.numpy as jnp
from flax import linen as nn
from flax.linen import initializers
from jax import Array
from jax.nn import silu
from jax.typing import DTypeLike

from vidgen.models.convolution import Conv, attend, frames_before


@dataclasses.dataclass(frozen=True)
class WanVAEConfig:
    """Shape of the VAE.

    Attributes:
        base: channels of the finest stage; multipliers: of it, a stage each, from fine to coarse.
        channels: of the latents.
        blocks: residual blocks of a stage (one more in the decoder).
        halve_time: for each step from a stage to the next, whether it halves time too; each halves height and width.
        mean, deviation: of each channel of the latents over the original's training data.
        dtype: rounding of the operands of products.
    """

    base: int = 96
    multipliers: tuple[int, ...] = (1, 2, 4, 4)
    channels: int = 16
    blocks: int = 2
    halve_time: tuple[bool, ...] = (False, True, True)
    mean: tuple[float, ...] = (
        -0.7571, -0.7089, -0.9113, 0.1075, -0.1745, 0.9653, -0.1517, 1.5508,
        0.4134, -0.0715, 0.5517, -0.3632, -0.1922, -0.9497, 0.2503, -0.2921,
    )  # fmt: skip
    deviation: tuple[float, ...] = (
        2.8184, 1.4541, 2.3275, 2.6558, 1.2196, 1.7708, 2.6052, 2.0743,
        3.2687, 2.1526, 2.8652, 1.5579, 1.6382, 1.1253, 2.8251, 1.9160,
    )  # fmt: skip
    dtype: str = "bfloat16"

    def __post_init__(self) -> None:
        if len(self.halve_time) != len(self.multipliers) - 1:
            raise ValueError(
                f"{len(self.multipliers)} stages have {len(self.multipliers) - 1} steps between them, and halve_time "
                f"is {self.halve_time}"
            )

    @property
    def patch(self) -> tuple[int, int, int]:
        """Frames, rows and columns of pixels behind a latent cell."""
        side = 2 ** len(self.halve_time)
        return 2 ** sum(self.halve_time), side, side

    @property
    def group(self) -> int:
        """Frames in a latent frame; frame 0 has one of its own."""
        return self.patch[0]

    @property
    def lead(self) -> int:
        """Frames that are decoded before frame 0."""
        return 0

    def latent_shape(self, frames: int, height: int, width: int) -> tuple[int, int, int, int]:
        """(T, H, W, C) of the latents of a video.

        Raises:
            ValueError: the frames are not 1 + a multiple of 4, or a side is not a multiple of 8 (of `patch`).
        """
        p, q, r = self.patch
        if frames < 1 or (frames - 1) % p or height % q or width % r:
            raise ValueError(
                f"a video of {frames} frames of {width}x{height} was given; it must have 1 + a multiple of {p} frames, "
                f"and sides that divide by {q}"
            )
        return 1 + (frames - 1) // p, height // q, width // r, self.channels

    @property
    def widths(self) -> tuple[int, ...]:
        """Channels of each stage, from fine to coarse."""
        return tuple(self.base * multiplier for multiplier in self.multipliers)


class ChannelNorm(nn.Module):
    """x / |x| over channels, times their root and a learned scale; in float32."""

    @nn.compact
    def __call__(self, x: Array) -> Array:
        scale = self.param("scale", initializers.ones_init(), (x.shape[-1],))
        x32 = x.astype(jnp.float32)
        length = jnp.sqrt(jnp.sum(x32 * x32, axis=-1, keepdims=True))
        return (x32 / jnp.maximum(length, 1e-12) * (x.shape[-1] ** 0.5 * scale)).astype(x.dtype)


class ResidualBlock(nn.Module):
    """Two causal convolutions, each after a norm and SiLU."""

    features: int
    dtype: DTypeLike

    @nn.compact
    def __call__(self, x: Array) -> Array:
        conv = functools.partial(Conv, self.features, (3, 3, 3), dtype=self.dtype)
        h = conv(name="conv1")(silu(ChannelNorm(name="norm1")(x)))
        h = conv(name="conv2")(silu(ChannelNorm(name="norm2")(h)))
        if x.shape[-1] != self.features:
            x = Conv(self.features, (1, 1, 1), dtype=self.dtype, name="shortcut")(x)
        return x + h


class FrameAttention(nn.Module):
    """Attention of one head among the cells of each frame."""

    dtype: DTypeLike

    @nn.compact
    def __call__(self, x_BTHWC: Array) -> Array:
        B, T, H, W, C = x_BTHWC.shape
        h = ChannelNorm(name="norm")(x_BTHWC)
        qkv = Conv(3 * C, (1, 1), dtype=self.dtype, name="qkv")(h).reshape(B * T, H * W, 3 * C)
        q, k, v = (a.astype(self.dtype) for a in jnp.split(qkv, 3, axis=-1))
        h = attend(q, k, v).astype(x_BTHWC.dtype).reshape(B, T, H, W, C)
        return x_BTHWC + Conv(C, (1, 1), dtype=self.dtype, name="proj")(h)


class Middle(nn.Module):
    """A residual block, attention, and another residual block."""

    dtype: DTypeLike

    @nn.compact
    def __call__(self, x: Array) -> Array:
        x = ResidualBlock(x.shape[-1], self.dtype, name="block0")(x)
        x = FrameAttention(self.dtype, name="attention")(x)
        return ResidualBlock(x.shape[-1], self.dtype, name="block1")(x)


class Shrink(nn.Module):
    """Halves height and width, and time but for frame 0, which stays alone. first: whether frame 0 is in the piece."""

    time: bool
    dtype: DTypeLike

    @nn.compact
    def __call__(self, x: Array, first: bool) -> Array:
        C = x.shape[-1]
        x = Conv(C, (3, 3), (2, 2), edges="after", dtype=self.dtype, name="space")(x)
        if not self.time:
            return x
        rest = Conv(C, (3, 1, 1), (2, 1, 1), history=0, dtype=self.dtype, name="time")
        if self.is_mutable_collection("past") and not self.is_initializing():
            seen = frames_before(self, 1, x)
            if not first:
                return rest(seen)
        # A picture has no rest, but the parameters are there.
        later = rest(jnp.pad(x, ((0, 0), (0, 2), (0, 0), (0, 0), (0, 0))) if x.shape[1] == 1 else x)
        return jnp.concatenate([x[:, :1], later[:, : (x.shape[1] - 1) // 2]], axis=1)


class Grow(nn.Module):
    """Doubles time but for frame 0, which stays alone, then height and width, and halves the channels. first: whether
    frame 0 is in the piece.
    """

    time: bool
    dtype: DTypeLike

    @nn.compact
    def __call__(self, x: Array, first: bool) -> Array:
        B, T, H, W, C = x.shape
        if self.time:
            double = Conv(2 * C, (3, 1, 1), dtype=self.dtype, name="time")
            alone = int(first)
            # Frame 0 is not even seen by the others: before them there are zeros.
            pairs = double(x[:, alone:] if alone < T else jnp.zeros_like(x)).reshape(B, -1, H, W, 2, C)
            later = jnp.moveaxis(pairs, 4, 2).reshape(B, -1, H, W, C)[:, : 2 * (T - alone)]
            x = jnp.concatenate([x[:, :alone], later], axis=1)
        x = x.repeat(2, axis=2).repeat(2, axis=3)
        return Conv(C // 2, (3, 3), dtype=self.dtype, name="space")(x)


class WanEncoder(nn.Module):
    """Pixels [B, F, H, W, 3] in [-1, 1] -> moments [B, T, H/8, W/8, 2 C]."""

    config: WanVAEConfig

    @nn.compact
    def __call__(self, x: Array, first: bool = True) -> Array:
        cfg = self.config
        dtype: DTypeLike = jnp.dtype(cfg.dtype)
        x = Conv(cfg.widths[0], (3, 3, 3), dtype=dtype, name="conv_in")(x)
        for stage, width in enumerate(cfg.widths):
            for block in range(cfg.blocks):
                x = ResidualBlock(width, dtype, name=f"stage{stage}_block{block}")(x)
            if stage < len(cfg.halve_time):
                x = Shrink(cfg.halve_time[stage], dtype, name=f"shrink{stage}")(x, first)
        x = Middle(dtype, name="middle")(x)
        x = silu(ChannelNorm(name="norm_out")(x))
        x = Conv(2 * cfg.channels, (3, 3, 3), dtype=dtype, name="conv_out")(x)
        return Conv(2 * cfg.channels, (1, 1, 1), dtype=dtype, name="quant")(x)


class WanDecoder(nn.Module):
    """Latents [B, T, H, W, C] -> pixels [B, F, 8 H, 8 W, 3], not yet clipped."""

    config: WanVAEConfig

    @nn.compact
    def __call__(self, z_BTHWC: Array, first: bool = True) -> Array:
        cfg = self.config
        dtype: DTypeLike = jnp.dtype(cfg.dtype)
        x = Conv(cfg.channels, (1, 1, 1), dtype=dtype, name="quant")(z_BTHWC)
        x = Conv(cfg.widths[-1], (3, 3, 3), dtype=dtype, name="conv_in")(x)
        x = Middle(dtype, name="middle")(x)
        for stage, width in enumerate(reversed(cfg.widths)):
            for block in range(cfg.blocks + 1):
                x = ResidualBlock(width, dtype, name=f"stage{stage}_block{block}")(x)
            if stage < len(cfg.halve_time):
                x = Grow(cfg.halve_time[-1 - stage], dtype, name=f"grow{stage}")(x, first)
        x = silu(ChannelNorm(name="norm_out")(x))
        return Conv(3, (3, 3, 3), dtype=dtype, name="conv_out")(x)


class WanVAE(nn.Module):
    """Encoder and decoder under one tree of parameters: {"encoder": ..., "decoder": ...}."""

    config: WanVAEConfig

    def setup(self) -> None:
        self.encoder = WanEncoder(self.config)
        self.decoder = WanDecoder(self.config)

    def encode(self, video_BFHWC: Array, first: bool = True) -> Array:
        """Normalised latents, the mean of the posterior: [B, 1 + (F - 1) / 4, H / 8, W / 8, C].

        first: whether this is the video's beginning; a later piece has a multiple of 4 frames and F / 4 latent ones.

        Raises:
            ValueError: see `WanVAEConfig.latent_shape`.
        """
        _, F, H, W, _ = video_BFHWC.shape
        self.config.latent_shape(F if first else F + 1, H, W)
        mean, _ = jnp.split(self.encoder(video_BFHWC, first).astype(jnp.float32), 2, axis=-1)
        return (mean - jnp.array(self.config.mean)) / jnp.array(self.config.deviation)

    def decode(self, latent_BTHWC: Array, first: bool = True) -> Array:
        """Pixels in [-1, 1] of normalised latents. first: as for `encode`."""
        z = latent_BTHWC * jnp.array(self.config.deviation) + jnp.array(self.config.mean)
        return jnp.clip(self.decoder(z, first), -1.0, 1.0)

    def __call__(self, video_BFHWC: Array) -> Array:
        """The reconstruction."""
        return self.decode(self.encode(video_BFHWC))


def in_pieces(piece: Callable[[Array, dict, bool], tuple[Array, dict]], x_BT: Array, size: int) -> Array:
    """What `piece` makes of a video, or of latents, that is given to it in time: the first frame, then `size` at once.

    piece: (a part, what layers keep of the part before, whether the part is the first) -> (what is made, what they
    keep), as `WanVAE` does where its collection "past" may be written. Memory for a part is needed once.
    """
    start, past = piece(x_BT[:, :1], {}, True)
    rest = x_BT.shape[1] - 1
    if not rest:
        return start
    filled = jnp.pad(x_BT[:, 1:], ((0, 0), (0, -rest % size), *((0, 0),) * (x_BT.ndim - 2)), mode="edge")
    parts = jnp.moveaxis(filled.reshape(len(x_BT), -1, size, *x_BT.shape[2:]), 1, 0)

    def step(past: dict, part: Array) -> tuple[dict, Array]:
        made, past = piece(part, past, False)
        return past, made

    _, made = jax.lax.scan(step, past, parts)
    made_BT = jnp.moveaxis(made, 0, 1).reshape(len(x_BT), -1, *made.shape[3:])
    return jnp.concatenate([start, made_BT[:, : rest * made.shape[2] // size]], axis=1)
