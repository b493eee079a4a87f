# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""A trained VAE with the space that its latents are given in: uint8 clips <-> latents for a diffusion model."""

import dataclasses
import functools
import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from vidgen import config as vidgen_config
from vidgen.models.layers import ShardFn, apply, unsharded
from vidgen.models.picture_vae import PictureVAE, PictureVAEConfig
from vidgen.models.vae import VAE, VAEConfig
from vidgen.models.wan_vae import WanVAE, WanVAEConfig, in_pieces
from vidgen.weights.safetensors import load_params, save_params

PublicVAEConfig = WanVAEConfig | PictureVAEConfig
AnyVAEConfig = VAEConfig | PublicVAEConfig
AT_ONCE = 16
"""Latent frames of a long clip that are decoded at a time."""
WAN_AT_ONCE = 4
"""The same of Wan's VAE, after the first, which is alone; it needs far more memory a frame."""


def to_float(video: Array) -> Array:
    """uint8 [0, 255] -> float32 [-1, 1]."""
    return video.astype(jnp.float32) / 127.5 - 1.0


def to_uint8(video: Array) -> Array:
    """float [-1, 1] -> uint8 [0, 255], rounded, what lies outside is clipped."""
    return jnp.round(jnp.clip((video + 1.0) * 127.5, 0.0, 255.0)).astype(jnp.uint8)


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class LatentSpace:
    """The linear map from a VAE's posterior means to the latents that a diffusion model works in.

    Attributes:
        mean_C: float32, what is taken off a posterior mean.
        basis_CC: float32, what the rest is multiplied by; the columns are the channels of the latents.
        deviation_C: float32, standard deviation of each channel of the latents over the training data; the channels do
            not correlate, and the mean of their variances is 1.
    """

    mean_C: np.ndarray | Array
    basis_CC: np.ndarray | Array
    deviation_C: np.ndarray | Array

    @property
    def deviation(self) -> tuple[float, ...]:
        """`deviation_C` as a value of a config, to four digits."""
        return tuple(float(f"{value:.4g}") for value in np.asarray(self.deviation_C))

    def enter(self, z: Array) -> Array:
        """Posterior means [..., C] -> latents."""
        return jnp.matmul(z - self.mean_C, self.basis_CC, precision="highest")

    def leave(self, latent: Array) -> Array:
        """Latents [..., C] -> what the decoder takes."""
        return jnp.matmul(latent, jnp.linalg.inv(self.basis_CC), precision="highest") + self.mean_C


def identity_space(channels: int) -> LatentSpace:
    """Posterior means as they are."""
    ones = np.ones(channels, np.float32)
    return LatentSpace(0 * ones, np.diag(ones), ones)


@dataclasses.dataclass(frozen=True)
class Autoencoder:
    """A VAE's parameters and the space of its latents.

    Attributes:
        config: the VAE's shape.
        params: {"encoder": ..., "decoder": ...}.
        space: how posterior means become latents.
    """

    config: AnyVAEConfig
    params: dict[str, Any]
    space: LatentSpace

    def encode(self, video_BFHWC: np.ndarray | Array) -> Array:
        """uint8 clips [B, F, H, W, 3] -> latents [B, T, H/q, W/r, C], float32."""
        return _encode(self.config, self.params, self.space, video_BFHWC)

    def decode(self, latent_BTHWC: np.ndarray | Array) -> Array:
        """Latents -> uint8 clips."""
        return _decode(self.config, self.params, self.space, latent_BTHWC)

    def hash(self) -> str:
        """16 hexadecimal digits of the encoder's values: latents of two equal hashes can be mixed."""
        digest = hashlib.sha256()
        for leaf in jax.tree.leaves((self.params["encoder"], self.space)):
            digest.update(np.asarray(leaf, np.float32).tobytes())
        return digest.hexdigest()[:16]

    def save(self, path: str | Path, metadata: dict[str, Any] | None = None) -> None:
        """Writes one safetensors file, float16."""
        tree = {**self.params, "space": vars(self.space)}
        save_params(path, tree, "float16", {"config": vidgen_config.to_json(self.config), **(metadata or {})})


def vae_shapes(config: AnyVAEConfig) -> dict[str, Any]:
    """The parameters of a VAE, as shapes."""
    key = jax.eval_shape(lambda: jax.random.key(0))
    p, q, r = config.patch
    video = jax.ShapeDtypeStruct((1, 1 + p, q, r, 3), jnp.float32)
    if isinstance(config, PublicVAEConfig):
        return jax.eval_shape(_public(config).init, key, video)["params"]
    return jax.eval_shape(VAE(config).init, key, video, key)["params"]


def _public(config: PublicVAEConfig) -> WanVAE | PictureVAE:
    return PictureVAE(config) if isinstance(config, PictureVAEConfig) else WanVAE(config)


def load_autoencoder(path: str | Path) -> Autoencoder:
    """Reads a file of `Autoencoder.save`.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it holds something else.
    """
    tree, metadata = load_params(path)
    if "config" not in metadata or "space" not in tree:
        raise ValueError(f"{path} holds no VAE: it lacks a config or the space of its latents")
    space = LatentSpace(**tree.pop("space"))
    return Autoencoder(vidgen_config.from_json(metadata["config"]), tree, space)


def measure_space(config: VAEConfig, params: dict, batches: list[np.ndarray], exponent: float = 0.5) -> LatentSpace:
    """The space in which noise costs about as much in every direction, measured on batches of uint8 clips.

    With z the posterior means and J the decoder's Jacobian, M = E[J^T J] says how much a direction of z matters to the
    pixels. Latents are z times M^(exponent / 2), turned to their principal axes, so that a diffusion model's noise
    hides fine detail, which moves pixels little, long before it hides shapes and colours: what makes pixels easy for
    diffusion (a spectrum that falls, arXiv 2502.14831, section 3) and what KL alone, which fills all channels alike,
    does not give. Exponent 0 only turns and scales; with 1 the noise is the same in every pixel.
    """
    raw = identity_space(config.channels)
    latents = [np.asarray(_encode(config, params, raw, video)) for video in batches]
    z = np.concatenate([latent.reshape(-1, config.channels) for latent in latents]).astype(np.float64)
    keys = jax.random.split(jax.random.key(0), len(latents))
    metric = np.mean([_pixel_metric(config, params, latent, key) for latent, key in zip(latents, keys, strict=True)], 0)
    values, axes = np.linalg.eigh(metric.astype(np.float64))
    # A direction that no pixel depends on keeps a little of its size, so that the map can be undone.
    weigh = (axes * np.maximum(values, 1e-4 * values.max()) ** (exponent / 2)) @ axes.T
    variances, turn = np.linalg.eigh(weigh @ np.cov(z.T) @ weigh)
    size = np.sqrt(variances.mean())
    basis = weigh @ turn[:, ::-1] / size
    return LatentSpace(
        z.mean(axis=0).astype(np.float32),
        basis.astype(np.float32),
        (np.sqrt(np.maximum(variances[::-1], 0)) / size).astype(np.float32),
    )


def align_space(config: VAEConfig, params: dict, like: Autoencoder, batches: list[np.ndarray]) -> LatentSpace:
    """The space in which latents are nearest to those of another VAE, by least squares over batches of uint8 clips.

    A VAE that was trained further has latents that are nearly a linear map of what they were. In this space a diffusion
    model that knows those of before can go on with it.

    Raises:
        ValueError: the other VAE has other patches or channels.
    """
    if (config.patch, config.channels) != (like.config.patch, like.config.channels):
        raise ValueError(
            f"latents of {config.channels} channels and patches of {config.patch} cannot be aligned with those of "
            f"{like.config.channels} channels and patches of {like.config.patch}: the VAEs must agree in both"
        )
    raw = identity_space(config.channels)

    def rows(latents: Iterator[Array]) -> np.ndarray:
        return np.concatenate([np.asarray(one, np.float64).reshape(-1, config.channels) for one in latents])

    z_NC = rows(_encode(config, params, raw, video) for video in batches)
    latent_NC = rows(like.encode(video) for video in batches)
    z_C, latent_C = z_NC.mean(0), latent_NC.mean(0)
    basis_CC = np.linalg.lstsq(z_NC - z_C, latent_NC - latent_C, rcond=None)[0]
    mean_C = z_C - latent_C @ np.linalg.inv(basis_CC)
    return LatentSpace(mean_C.astype(np.float32), basis_CC.astype(np.float32), like.space.deviation_C)


@functools.partial(jax.jit, static_argnums=0)
def _pixel_metric(config: VAEConfig, params: dict, z_BTHWC: Array, key: Array) -> Array:
    """An estimate of E[J^T J] a latent cell, [C, C], from one random vector of pixels pulled back (Hutchinson)."""
    pixels, pull = jax.vjp(lambda z: apply(VAE(config), params, z, method=VAE.decode), z_BTHWC)
    (gradient,) = pull(jax.random.normal(key, pixels.shape))
    rows = gradient.reshape(-1, config.channels)
    return rows.T @ rows / len(rows)


@functools.partial(jax.jit, static_argnums=0)
def _encode(config: AnyVAEConfig, params: dict, space: LatentSpace, video: Array) -> Array:
    if isinstance(config, PictureVAEConfig):
        return space.enter(apply(PictureVAE(config), params, to_float(video), method=PictureVAE.encode))
    if isinstance(config, WanVAEConfig):
        at_once = WAN_AT_ONCE * config.group
        return space.enter(_through_wan(config, params, WanVAE.encode, video, at_once, to_float, lambda z: z))
    mean, _ = apply(VAE(config), params, to_float(video), method=VAE.encode)
    return space.enter(mean)


@functools.partial(jax.jit, static_argnums=0)
def _decode(config: AnyVAEConfig, params: dict, space: LatentSpace, latent: Array) -> Array:
    return decode_groups(config, params, space.leave(latent))[:, config.lead :]


def decode_groups(
    config: AnyVAEConfig,
    params: dict,
    z_BTHWC: Array,
    shard: ShardFn = unsharded,
    at_once: int | None = None,
    inside_HW: Array | None = None,
) -> Array:
    """uint8 frames of all groups of un-normalised latents, as `VAE.decode_groups` has them; `lead` of them come before
    frame 0.

    Long clips are decoded `at_once` latent frames at a time (None for as many as the VAE is meant to), one after
    another, each part with the frames before it that the decoder looks back to, or with what Wan's keeps of them: the
    memory that this needs, beside the clip itself, does not grow with its length.

    Where inside_HW, bool, is False, there is no picture, and what is made there means nothing; see `Decoder`.
    """
    if isinstance(config, PictureVAEConfig):
        return shard(to_uint8(apply(PictureVAE(config), params, z_BTHWC, method=PictureVAE.decode)), "BFHWC")
    if isinstance(config, WanVAEConfig):
        at_once = WAN_AT_ONCE if at_once is None else at_once
        return shard(_through_wan(config, params, WanVAE.decode, z_BTHWC, at_once, lambda z: z, to_uint8), "BFHWC")
    at_once = AT_ONCE if at_once is None else at_once
    if z_BTHWC.shape[1] <= at_once + config.reach:
        video = apply(VAE(config, shard), params, z_BTHWC, inside_HW, method=VAE.decode_groups)
        return shard(to_uint8(video), "BFHWC")
    # Before the start everything stood still.
    stood = jnp.repeat(z_BTHWC[:, :1], config.reach, axis=1)
    return decode_after(config, params, jnp.concatenate([stood, z_BTHWC], axis=1), shard, at_once, inside_HW)


def _through_wan(
    config: WanVAEConfig,
    params: dict,
    method: Callable,
    x_BT: Array,
    at_once: int,
    before: Callable[[Array], Array],
    after: Callable[[Array], Array],
) -> Array:
    """A video or its latents through Wan's VAE, in pieces if there is more than the first frame and `at_once`; what is
    done `before` and `after` is done to pieces, so that a whole clip is never there in floats.
    """
    vae = WanVAE(config)
    if x_BT.shape[1] <= 1 + at_once:
        return after(apply(vae, params, before(x_BT), method=method))

    def piece(part: Array, past: dict, first: bool) -> tuple[Array, dict]:
        variables = {"params": params, "past": past}
        made, kept = vae.apply(variables, before(part), first, method=method, mutable=["past"])
        return after(made), dict(kept["past"])

    return in_pieces(piece, x_BT, at_once)


def decode_after(
    config: VAEConfig,
    params: dict,
    z_BTHWC: Array,
    shard: ShardFn = unsharded,
    at_once: int = AT_ONCE,
    inside_HW: Array | None = None,
) -> Array:
    """uint8 frames of all groups but the first `config.reach`, to which the decoder only looks back; in parts as
    `decode_groups`.
    """
    B, _, H, W, C = z_BTHWC.shape
    reach, T = config.reach, z_BTHWC.shape[1] - config.reach
    part_length = -(-T // -(-T // at_once))  # as even as can be

    def decode(z: Array) -> Array:
        video = apply(VAE(config, shard), params, z, inside_HW, method=VAE.decode_groups)
        return shard(to_uint8(video[:, config.group * reach :]), "BFHWC")

    if part_length == T:
        return decode(z_BTHWC)
    filled = jnp.pad(z_BTHWC, ((0, 0), (0, -T % part_length), (0, 0), (0, 0), (0, 0)), mode="edge")

    def part(start: Array) -> Array:
        return decode(jax.lax.dynamic_slice(filled, (0, start, 0, 0, 0), (B, reach + part_length, H, W, C)))

    parts_NBFHWC = jax.lax.map(part, jnp.arange(0, T, part_length))
    video = jnp.moveaxis(parts_NBFHWC, 0, 1).reshape(B, -1, *parts_NBFHWC.shape[3:])
    return video[:, : config.group * T]
