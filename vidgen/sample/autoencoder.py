# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""A trained VAE with the statistics of its latents: uint8 clips <-> normalised latents."""

import dataclasses
import functools
import hashlib
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from vidgen import config as vidgen_config
from vidgen.models.layers import apply
from vidgen.models.vae import VAE, VAEConfig
from vidgen.weights.safetensors import load_params, save_params


def to_float(video: Array) -> Array:
    """uint8 [0, 255] -> float32 [-1, 1]."""
    return video.astype(jnp.float32) / 127.5 - 1.0


def to_uint8(video: Array) -> Array:
    """float [-1, 1] -> uint8 [0, 255], rounded, what lies outside is clipped."""
    return jnp.round(jnp.clip((video + 1.0) * 127.5, 0.0, 255.0)).astype(jnp.uint8)


@dataclasses.dataclass(frozen=True)
class Autoencoder:
    """A VAE's parameters, and the mean and standard deviation of each latent channel over its training data.

    Attributes:
        config: the VAE's shape.
        params: {"encoder": ..., "decoder": ...}.
        mean_C, std_C: float32; latents are (posterior mean - mean_C) / std_C.
    """

    config: VAEConfig
    params: dict[str, Any]
    mean_C: np.ndarray
    std_C: np.ndarray

    def encode(self, video_BFHWC: np.ndarray | Array) -> Array:
        """uint8 clips [B, F, H, W, 3] -> normalised latents [B, T, H/q, W/r, C], float32."""
        return _encode(self.config, self.params, self.mean_C, self.std_C, video_BFHWC)

    def decode(self, latent_BTHWC: np.ndarray | Array) -> Array:
        """Normalised latents -> uint8 clips."""
        return _decode(self.config, self.params, self.mean_C, self.std_C, latent_BTHWC)

    def hash(self) -> str:
        """16 hexadecimal digits of the encoder's values: latents of two equal hashes can be mixed."""
        digest = hashlib.sha256()
        for leaf in jax.tree.leaves((self.params["encoder"], self.mean_C, self.std_C)):
            digest.update(np.asarray(leaf, np.float32).tobytes())
        return digest.hexdigest()[:16]

    def save(self, path: str | Path, metadata: dict[str, Any] | None = None) -> None:
        """Writes one safetensors file, float16."""
        tree = {**self.params, "statistics": {"mean": self.mean_C, "std": self.std_C}}
        save_params(path, tree, "float16", {"config": vidgen_config.to_json(self.config), **(metadata or {})})


def load_autoencoder(path: str | Path) -> Autoencoder:
    """Reads a file of `Autoencoder.save`.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it holds something else.
    """
    tree, metadata = load_params(path)
    if "config" not in metadata or "statistics" not in tree:
        raise ValueError(f"{path} holds no VAE: it lacks a config or the latents' statistics")
    statistics = tree.pop("statistics")
    return Autoencoder(vidgen_config.from_json(metadata["config"]), tree, statistics["mean"], statistics["std"])


def measure_statistics(config: VAEConfig, params: dict, batches: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of each latent channel over batches of uint8 clips."""
    zeros, ones = np.zeros(config.channels, np.float32), np.ones(config.channels, np.float32)
    latents = [
        np.asarray(_encode(config, params, zeros, ones, video)).reshape(-1, config.channels) for video in batches
    ]
    values = np.concatenate(latents)
    return values.mean(axis=0), values.std(axis=0)


@functools.partial(jax.jit, static_argnums=0)
def _encode(config: VAEConfig, params: dict, mean_C: Array, std_C: Array, video: Array) -> Array:
    mean, _ = apply(VAE(config), params, to_float(video), method=VAE.encode)
    return (mean - mean_C) / std_C


@functools.partial(jax.jit, static_argnums=0)
def _decode(config: VAEConfig, params: dict, mean_C: Array, std_C: Array, latent: Array) -> Array:
    return to_uint8(apply(VAE(config), params, latent * std_C + mean_C, method=VAE.decode))
