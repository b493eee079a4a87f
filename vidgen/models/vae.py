# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The patch VAE: video <-> latents, causal in time, made of dense matmuls.

Frame 0 is encoded alone and then every group of frames, so an image is a video of one frame and a long video can be
encoded and decoded as a stream. An image counts as a group in which nothing moves, after another such group: all
latents of a clip that stands still are those of its first frame, so that what a diffusion model learns from images
holds in clips. Stages work on cells of pixels, which may grow on the way to the latents. A block mixes the 3 x 3
spatial neighbours and the cell one latent frame before, by gathering a narrow projection of them beside each cell and
applying one wide MLP: no convolution, no attention, which suits MXUs and CPU matrix units alike.
"""

import dataclasses
import functools
import itertools

import jax
import jax.numpy as jnp
from flax import linen as nn
from jax import Array
from jax.typing import DTypeLike

from vidgen.models.layers import Dense, RMSNorm, ShardFn, gelu, patchify, unpatchify, unsharded


@dataclasses.dataclass(frozen=True)
class Stage:
    """Blocks that work on cells of one size.

    Attributes:
        cell: rows and columns of pixels in a cell.
        width: features of a cell.
        mix: features that a cell shows to its neighbours in each block.
        hidden: width of a block's MLP.
        blocks: how many blocks.
    """

    cell: int
    width: int
    mix: int
    hidden: int
    blocks: int


@dataclasses.dataclass(frozen=True)
class VAEConfig:
    """Shape of a patch VAE.

    Attributes:
        group: frames in a latent frame; frame 0 makes one of its own, as a group of copies.
        channels: values in a latent cell.
        encoder: stages from pixels to latents, cells growing by whole factors; the last one's are the latent cells.
        decoder: stages from latents to pixels, cells shrinking; the first one's are the latent cells.
        dtype: rounding of the operands of matmuls.
    """

    group: int = 4
    channels: int = 32
    encoder: tuple[Stage, ...] = (Stage(8, 256, 64, 768, 3),)
    decoder: tuple[Stage, ...] = (Stage(8, 256, 64, 768, 4),)
    dtype: str = "bfloat16"

    def __post_init__(self) -> None:
        for name, cells in (
            ("encoder", [stage.cell for stage in self.encoder]),
            ("decoder", [stage.cell for stage in reversed(self.decoder)]),
        ):
            if not cells or any(large % small for small, large in itertools.pairwise(cells)):
                raise ValueError(f"the {name}'s cells are {cells} from pixels to latents; each must divide the next")
        if self.encoder[-1].cell != self.decoder[0].cell:
            raise ValueError(
                f"the encoder ends with cells of {self.encoder[-1].cell} pixels and the decoder starts with "
                f"{self.decoder[0].cell}: make them equal"
            )

    @property
    def patch(self) -> tuple[int, int, int]:
        """Frames, rows and columns of pixels behind a latent cell."""
        return self.group, self.encoder[-1].cell, self.encoder[-1].cell

    @property
    def lead(self) -> int:
        """Frames that are decoded before frame 0: those of its group but the last."""
        return self.group - 1

    @property
    def reach(self) -> int:
        """How many latent frames back a decoded one looks: one a block."""
        return sum(stage.blocks for stage in self.decoder)

    def latent_shape(self, frames: int, height: int, width: int) -> tuple[int, int, int, int]:
        """(T, H, W, C) of the latents of a video of `frames` x `height` x `width` pixels.

        Raises:
            ValueError: frames is not 1 + a multiple of the group, or a side is not a multiple of the latent cell.
        """
        p, q, r = self.patch
        if frames < 1 or (frames - 1) % p:
            raise ValueError(f"{frames} frames were given; the VAE takes 1 + a multiple of {p}: cut or pad the video")
        if height % q or width % r:
            raise ValueError(f"{width}x{height} pixels were given; width must divide by {r} and height by {q}")
        return 1 + (frames - 1) // p, height // q, width // r, self.channels


def neighbours(x_BTHWC: Array) -> Array:
    """Each cell's 8 spatial neighbours and the same cell one step back in time: [B, T, H, W, C] -> [..., 9 * C].

    Outside the frame there are zeros; before the start everything stood still. Nothing later in time is ever seen.
    """
    H, W = x_BTHWC.shape[2:4]
    padded = jnp.pad(x_BTHWC, ((0, 0), (0, 0), (1, 1), (1, 1), (0, 0)))
    shifts = [(i, j) for i in range(3) for j in range(3) if (i, j) != (1, 1)]
    around = [padded[:, :, i : i + H, j : j + W] for i, j in shifts]
    # As padding and a slice, not as a concatenation: where time is divided over devices, each then fetches one frame
    # from its neighbour, and nobody collects all.
    later = jnp.pad(x_BTHWC, ((0, 0), (1, 0), (0, 0), (0, 0), (0, 0)))[:, :-1]
    before = jnp.where(jnp.arange(x_BTHWC.shape[1])[:, None, None, None] == 0, x_BTHWC, later)
    return jnp.concatenate([*around, before], axis=-1)


class MixBlock(nn.Module):
    """x + MLP([norm(x), what the neighbours show]). Where inside_HW1 is False, nothing is shown: the frame ends."""

    stage: Stage
    dtype: DTypeLike
    shard: ShardFn

    @nn.compact
    def __call__(self, x_BTHWD: Array, inside_HW1: Array | None = None) -> Array:
        dense = functools.partial(Dense, dtype=self.dtype, shard=self.shard)
        h = RMSNorm(name="norm")(x_BTHWD)
        shown = self.shard(dense(self.stage.mix, use_bias=False, name="show")(h), "BTHWD")
        if inside_HW1 is not None:
            shown = jnp.where(inside_HW1, shown, 0)
        h = self.shard(jnp.concatenate([h, neighbours(shown)], axis=-1), "BTHWD")
        h = self.shard(gelu(dense(self.stage.hidden, axes="DM", name="up")(h)), "BTHWM")
        return self.shard(x_BTHWD + dense(x_BTHWD.shape[-1], axes="MD", name="down")(h), "BTHWD")


class Encoder(nn.Module):
    """Pixels in [-1, 1], [B, F, H, W, 3] -> mean and log-variance, each [B, T, H/q, W/r, C]."""

    config: VAEConfig
    shard: ShardFn = unsharded

    @nn.compact
    def __call__(self, video_BFHWC: Array) -> tuple[Array, Array]:
        cfg = self.config
        dtype: DTypeLike = jnp.dtype(cfg.dtype)
        dense = functools.partial(Dense, dtype=dtype, shard=self.shard)
        cfg.latent_shape(*video_BFHWC.shape[1:4])
        video_BFHWC = self.shard(video_BFHWC, "BFHWC")
        stood = jnp.repeat(video_BFHWC[:, :1], cfg.group - 1, axis=1)
        fine = cfg.encoder[0]
        cells = patchify(jnp.concatenate([stood, video_BFHWC], axis=1), (cfg.group, fine.cell, fine.cell))
        x, cell = self.shard(dense(fine.width, name="pixels")(cells), "BTHWD"), fine.cell
        for i, stage in enumerate(cfg.encoder):
            if i:
                factor = stage.cell // cell
                x = dense(stage.width, name=f"merge{i}")(patchify(x, (1, factor, factor)))
                cell = stage.cell
            for j in range(stage.blocks):
                x = MixBlock(stage, dtype, self.shard, name=f"block{i}_{j}")(x)
        moments = dense(2 * cfg.channels, name="out")(RMSNorm(name="norm")(x)).astype(jnp.float32)
        mean, logvar = jnp.split(moments, 2, axis=-1)
        return mean, jnp.clip(logvar, -14.0, 4.0)


class Decoder(nn.Module):
    """Latents [B, T, H, W, C] -> pixels in about [-1, 1], [B, p T, q H, r W, 3].

    The first group is a picture that stands still: of its frames the last is the clip's first. Where inside_HW is False
    there is no picture: what lies inside is decoded as if the array ended there.
    """

    config: VAEConfig
    shard: ShardFn = unsharded

    @nn.compact
    def __call__(self, z_BTHWC: Array, inside_HW: Array | None = None) -> Array:
        cfg = self.config
        dtype: DTypeLike = jnp.dtype(cfg.dtype)
        dense = functools.partial(Dense, dtype=dtype, shard=self.shard)
        cell = cfg.decoder[0].cell
        x = dense(cfg.decoder[0].width, name="in")(self.shard(z_BTHWC, "BTHWC"))
        for i, stage in enumerate(cfg.decoder):
            if i:
                factor = cell // stage.cell
                x = unpatchify(dense(factor**2 * stage.width, name=f"split{i}")(x), (1, factor, factor))
                cell = stage.cell
            inside_HW1 = None if inside_HW is None else _enlarge(inside_HW, cfg.decoder[0].cell // cell)[..., None]
            for j in range(stage.blocks):
                x = MixBlock(stage, dtype, self.shard, name=f"block{i}_{j}")(x, inside_HW1)
        x = gelu(dense(cfg.decoder[-1].hidden, axes="DM", name="expand")(RMSNorm(name="norm")(x)))
        cells = dense(3 * cfg.group * cell**2, axes="MO", name="pixels")(x)
        return self.shard(unpatchify(cells, (cfg.group, cell, cell)), "BFHWC")


def _enlarge(x_HW: Array, factor: int) -> Array:
    """Each value as a square of factor x factor of them."""
    return x_HW.repeat(factor, axis=0).repeat(factor, axis=1)


class VAE(nn.Module):
    """Encoder and decoder under one tree of parameters: {"encoder": ..., "decoder": ...}.

    `shard` says how arrays are divided over devices.
    """

    config: VAEConfig
    shard: ShardFn = unsharded

    def setup(self) -> None:
        self.encoder = Encoder(self.config, self.shard)
        self.decoder = Decoder(self.config, self.shard)

    def encode(self, video_BFHWC: Array) -> tuple[Array, Array]:
        """Mean and log-variance of the latents, before normalisation."""
        return self.encoder(video_BFHWC)

    def decode(self, z_BTHWC: Array) -> Array:
        """Pixels of un-normalised latents, [B, 1 + p (T - 1), q H, r W, 3] in about [-1, 1]."""
        return self.decode_groups(z_BTHWC)[:, self.config.group - 1 :]

    def decode_groups(self, z_BTHWC: Array, inside_HW: Array | None = None) -> Array:
        """The same before the group - 1 frames are cut off that come before frame 0: all frames of all groups."""
        return self.decoder(z_BTHWC, inside_HW)

    def __call__(self, video_BFHWC: Array, key: Array) -> tuple[Array, Array, Array]:
        """Reconstruction from one posterior sample, and the posterior's mean and log-variance."""
        mean, logvar = self.encoder(video_BFHWC)
        z = mean + jnp.exp(0.5 * logvar) * jax.random.normal(key, mean.shape)
        return self.decode(z), mean, logvar
