# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The convolutional VAE of latent diffusion (arXiv 2112.10752, appendix G), whose latents DiT and SiT make: pictures of
8 x 8 pixels a latent cell. A picture is a clip of one frame here.
"""

import dataclasses
import functools

import jax
import jax.numpy as jnp
from flax import linen as nn
from flax.linen import initializers
from jax import Array
from jax.nn import silu
from jax.typing import DTypeLike

from vidgen.models.convolution import Conv, attend


@dataclasses.dataclass(frozen=True)
class PictureVAEConfig:
    """Shape of the VAE.

    Attributes:
        widths: channels of each stage, from fine to coarse; between stages height and width are halved.
        channels: of the latents.
        blocks: residual blocks of a stage (one more in the decoder).
        groups: of channels, each of which a norm takes by itself.
        scale: what posterior means are multiplied by, so that latents have a deviation of about 1.
        dtype: rounding of the operands of products.
    """

    widths: tuple[int, ...] = (128, 256, 512, 512)
    channels: int = 4
    blocks: int = 2
    groups: int = 32
    scale: float = 0.18215
    dtype: str = "bfloat16"

    def __post_init__(self) -> None:
        if any(width % self.groups for width in self.widths):
            raise ValueError(f"widths {self.widths} cannot be divided into {self.groups} groups: make all multiples")

    @property
    def patch(self) -> tuple[int, int, int]:
        """Frames, rows and columns of pixels behind a latent cell."""
        side = 2 ** (len(self.widths) - 1)
        return 1, side, side

    @property
    def group(self) -> int:
        """Frames in a latent frame."""
        return 1

    @property
    def lead(self) -> int:
        """Frames that are decoded before frame 0."""
        return 0

    def latent_shape(self, frames: int, height: int, width: int) -> tuple[int, int, int, int]:
        """(T, H, W, C) of the latents of a clip, each of whose frames is a picture by itself.

        Raises:
            ValueError: there is no frame, or a side is not a multiple of 8 (of `patch`).
        """
        _, q, r = self.patch
        if frames < 1 or height % q or width % r:
            raise ValueError(
                f"{frames} pictures of {width}x{height} were given; there must be at least one, and sides that divide "
                f"by {q}"
            )
        return frames, height // q, width // r, self.channels


class GroupNorm(nn.Module):
    """(x - mean) / std over space and each group of channels, with an affine map; in float32 (arXiv 1803.08494)."""

    groups: int
    eps: float = 1e-6

    @nn.compact
    def __call__(self, x: Array) -> Array:
        *lead, H, W, C = x.shape
        parts = x.astype(jnp.float32).reshape(*lead, H, W, self.groups, C // self.groups)
        centred = parts - jnp.mean(parts, axis=(-4, -3, -1), keepdims=True)
        y = centred * jax.lax.rsqrt(jnp.mean(centred * centred, axis=(-4, -3, -1), keepdims=True) + self.eps)
        scale = self.param("scale", initializers.ones_init(), (C,))
        return (y.reshape(x.shape) * scale + self.param("bias", initializers.zeros_init(), (C,))).astype(x.dtype)


class ResidualBlock(nn.Module):
    """Two convolutions, each after a norm and SiLU."""

    features: int
    groups: int
    dtype: DTypeLike

    @nn.compact
    def __call__(self, x: Array) -> Array:
        conv = functools.partial(Conv, self.features, (3, 3), dtype=self.dtype)
        h = conv(name="conv1")(silu(GroupNorm(self.groups, name="norm1")(x)))
        h = conv(name="conv2")(silu(GroupNorm(self.groups, name="norm2")(h)))
        if x.shape[-1] != self.features:
            x = Conv(self.features, (1, 1), dtype=self.dtype, name="shortcut")(x)
        return x + h


class Attention(nn.Module):
    """Attention of one head among the cells of each picture."""

    groups: int
    dtype: DTypeLike

    @nn.compact
    def __call__(self, x_BTHWC: Array) -> Array:
        B, T, H, W, C = x_BTHWC.shape
        h = GroupNorm(self.groups, name="norm")(x_BTHWC)
        conv = functools.partial(Conv, C, (1, 1), dtype=self.dtype)
        q, k, v = (conv(name=name)(h).reshape(B * T, H * W, C).astype(self.dtype) for name in "qkv")
        h = attend(q, k, v).astype(x_BTHWC.dtype).reshape(x_BTHWC.shape)
        return x_BTHWC + conv(name="proj")(h)


class Middle(nn.Module):
    """A residual block, attention, and another residual block."""

    groups: int
    dtype: DTypeLike

    @nn.compact
    def __call__(self, x: Array) -> Array:
        x = ResidualBlock(x.shape[-1], self.groups, self.dtype, name="block0")(x)
        x = Attention(self.groups, self.dtype, name="attention")(x)
        return ResidualBlock(x.shape[-1], self.groups, self.dtype, name="block1")(x)


class Resample(nn.Module):
    """Halves height and width, or doubles them; channels stay."""

    down: bool
    dtype: DTypeLike

    @nn.compact
    def __call__(self, x: Array) -> Array:
        C = x.shape[-1]
        if self.down:
            return Conv(C, (3, 3), (2, 2), edges="after", dtype=self.dtype, name="space")(x)
        return Conv(C, (3, 3), dtype=self.dtype, name="space")(x.repeat(2, axis=-3).repeat(2, axis=-2))


class PictureEncoder(nn.Module):
    """Pixels [B, F, H, W, 3] in [-1, 1] -> moments [B, F, H/8, W/8, 2 C]."""

    config: PictureVAEConfig

    @nn.compact
    def __call__(self, x: Array) -> Array:
        cfg = self.config
        dtype: DTypeLike = jnp.dtype(cfg.dtype)
        x = Conv(cfg.widths[0], (3, 3), dtype=dtype, name="conv_in")(x)
        for stage, width in enumerate(cfg.widths):
            for block in range(cfg.blocks):
                x = ResidualBlock(width, cfg.groups, dtype, name=f"stage{stage}_block{block}")(x)
            if stage < len(cfg.widths) - 1:
                x = Resample(True, dtype, name=f"shrink{stage}")(x)
        x = Middle(cfg.groups, dtype, name="middle")(x)
        x = silu(GroupNorm(cfg.groups, name="norm_out")(x))
        x = Conv(2 * cfg.channels, (3, 3), dtype=dtype, name="conv_out")(x)
        return Conv(2 * cfg.channels, (1, 1), dtype=dtype, name="quant")(x)


class PictureDecoder(nn.Module):
    """Latents [B, F, H, W, C] -> pixels [B, F, 8 H, 8 W, 3], not yet clipped."""

    config: PictureVAEConfig

    @nn.compact
    def __call__(self, z_BTHWC: Array) -> Array:
        cfg = self.config
        dtype: DTypeLike = jnp.dtype(cfg.dtype)
        x = Conv(cfg.channels, (1, 1), dtype=dtype, name="quant")(z_BTHWC)
        x = Conv(cfg.widths[-1], (3, 3), dtype=dtype, name="conv_in")(x)
        x = Middle(cfg.groups, dtype, name="middle")(x)
        for stage, width in enumerate(reversed(cfg.widths)):
            for block in range(cfg.blocks + 1):
                x = ResidualBlock(width, cfg.groups, dtype, name=f"stage{stage}_block{block}")(x)
            if stage < len(cfg.widths) - 1:
                x = Resample(False, dtype, name=f"grow{stage}")(x)
        x = silu(GroupNorm(cfg.groups, name="norm_out")(x))
        return Conv(3, (3, 3), dtype=dtype, name="conv_out")(x)


class PictureVAE(nn.Module):
    """Encoder and decoder under one tree of parameters: {"encoder": ..., "decoder": ...}."""

    config: PictureVAEConfig

    def setup(self) -> None:
        self.encoder = PictureEncoder(self.config)
        self.decoder = PictureDecoder(self.config)

    def encode(self, video_BFHWC: Array) -> Array:
        """Scaled latents, the mean of the posterior: [B, F, H / 8, W / 8, C].

        Raises:
            ValueError: see `PictureVAEConfig.latent_shape`.
        """
        self.config.latent_shape(*video_BFHWC.shape[1:4])
        mean, _ = jnp.split(self.encoder(video_BFHWC).astype(jnp.float32), 2, axis=-1)
        return mean * self.config.scale

    def decode(self, latent_BTHWC: Array) -> Array:
        """Pixels in [-1, 1] of scaled latents."""
        return jnp.clip(self.decoder(latent_BTHWC / self.config.scale), -1.0, 1.0)

    def __call__(self, video_BFHWC: Array) -> Array:
        """The reconstruction."""
        return self.decode(self.encode(video_BFHWC))
