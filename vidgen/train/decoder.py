# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Training a VAE's decoder on what a transformer says of clips, which is not what the encoder says of them.

A decoder that has only seen the encoder's latents shows every error of a sampled one as a pattern of its cell. Here it
sees what the transformer makes of noised latents in one step, and learns to show the clip that they were of. The
encoder and the space of the latents stay, and so does all that a transformer knows of them.
"""

import dataclasses
import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from vidgen import trees
from vidgen.data.pipeline import WorldSource, captioned_batches
from vidgen.diffusion import paths
from vidgen.models.dit import DiT
from vidgen.models.layers import apply
from vidgen.models.rows import apply_to_grid
from vidgen.models.text import text_encoder
from vidgen.models.vae import VAE, VAEConfig
from vidgen.parallel import attention
from vidgen.parallel.mesh import MeshConfig, make_mesh
from vidgen.parallel.shard import constrain, own_rows
from vidgen.sample.autoencoder import Autoencoder, LatentSpace, load_autoencoder, to_float, to_uint8
from vidgen.sample.export import contact_sheet
from vidgen.sample.pipeline import assemble
from vidgen.sample.program import Networks
from vidgen.train.dit import step_flops
from vidgen.train.loop import LoopConfig, Results, Task
from vidgen.train.optim import OptimConfig, make_optimizer
from vidgen.train.vae import VAELossConfig, forward_flops, pixel_loss
from vidgen.worlds.holdout import AnyScenes

WATCHED = 16
"""Held-out clips that are decoded at each evaluation."""


@dataclasses.dataclass(frozen=True)
class DecoderTraining:
    """An experiment that trains a VAE's decoder on a transformer's latents of 2-D worlds.

    Attributes:
        vae: a file of `Autoencoder.save`, where the decoder starts.
        transformer: a file of `vidgen.sample.pipeline.save_model`, which works in its latents and stays as it is.
        scenes: what is shown.
        times: least and largest t of the noise that the transformer takes away.
        exact: share of the clips whose latents are the encoder's own, so that what is given of a clip stays itself.
        mesh: how the work is divided over devices.
    """

    vae: str
    transformer: str
    scenes: AnyScenes
    loss: VAELossConfig = VAELossConfig()
    optim: OptimConfig = OptimConfig()
    loop: LoopConfig = LoopConfig()
    batch_size: int = 8
    times: tuple[float, float] = (0.1, 0.5)
    exact: float = 0.25
    mesh: MeshConfig = MeshConfig()

    def __post_init__(self) -> None:
        if not 0 < self.times[0] <= self.times[1] < 1:
            raise ValueError(f"times are {self.times}; give (least, largest) with 0 < least <= largest < 1")
        if not 0 <= self.exact < 1:
            raise ValueError(f"exact is {self.exact}; it is a share of the clips, from 0 to below 1")

    def task(self, workdir: Path) -> Task:
        """What the loop needs; nothing outside workdir is written. Raises ValueError where the two do not fit."""
        vae = load_autoencoder(self.vae)
        model = assemble(vae, self.transformer)
        networks, known = model.networks, {name: model.params[name] for name in ("text", "dit")}
        if not isinstance(vae.config, VAEConfig) or networks.dit.says != "velocity":
            raise ValueError(
                f"the decoder of a patch VAE is trained on what a transformer says by flow: {self.vae} is a "
                f"{type(vae.config).__name__}, and {self.transformer} says the {networks.dit.says}"
            )
        if vae.config.channels != networks.dit.channels:
            raise ValueError(
                f"{self.vae} has latents of {vae.config.channels} channels and {self.transformer} works in "
                f"{networks.dit.channels}: give the VAE that it was trained with"
            )
        mesh, draw = make_mesh(self.mesh), functools.partial(WorldSource, self.scenes, 2**30)
        captioned = functools.partial(captioned_batches, tokenizer=model.tokenizer, text_length=model.text_length)
        watched = next(iter(captioned(draw(self.loop.seed + 1), WATCHED, 0)))
        return Task(
            init=lambda _: {**vae.params, **known},
            loss_fn=functools.partial(self._loss, networks, vae.space),
            batches=captioned(
                draw(self.loop.seed), self.batch_size, self.loop.seed, rows=own_rows(mesh, self.batch_size)
            ),
            make_optimizer=lambda params, steps: make_optimizer(self.optim, steps, params),
            ema=self.optim.ema,
            flops=lambda batch: self._flops(networks, batch),
            clips=lambda batch: len(batch["video_BFHWC"]),
            evaluations=(PredictionSheet(networks, vae.space, watched, self.times[1]),),
            export=functools.partial(self._export, vae),
            mesh=mesh,
            frozen=("encoder", *known),
        )

    def _loss(
        self, networks: Networks, space: LatentSpace, params: dict, batch: dict[str, Array], key: Array
    ) -> tuple[Array, dict[str, Array]]:
        x, (least, most) = to_float(batch["video_BFHWC"]), self.times
        B = len(x)
        drawn_B = jax.random.uniform(trees.fold_in_str(key, "time"), (B,), minval=least, maxval=most)
        t_B = jnp.where(jax.random.bernoulli(trees.fold_in_str(key, "exact"), self.exact, (B,)), 0.0, drawn_B)
        said = predict(networks, space, params, x, batch["text_BS"], t_B, key)
        return pixel_loss(self.loss, x, decode(networks, space, params, said))

    @staticmethod
    def _flops(networks: Networks, batch: Mapping[str, Any]) -> float:
        """Forward alone but for the decoder."""
        B, F, H, W, _ = shape = batch["video_BFHWC"].shape
        encoded, decoded = forward_flops(_vae(networks).config, shape)
        latent = B, *networks.vae.latent_shape(F, H, W)
        return encoded + 3 * decoded + step_flops(networks, latent, batch["text_BS"].shape[1]) / 3

    @staticmethod
    def _export(vae: Autoencoder, averages: dict, folder: Path) -> None:
        """Writes folder/vae.safetensors: the averaged decoder, and all else as it was."""
        folder.mkdir(parents=True, exist_ok=True)
        params = {**vae.params, "decoder": averages["decoder"]}
        dataclasses.replace(vae, params=params).save(folder / "vae.safetensors")


def predict(
    networks: Networks, space: LatentSpace, params: dict, x: Array, text_BS: Array, t_B: Array, key: Array
) -> Array:
    """What the transformer says of clips x [B, F, H, W, 3] in [-1, 1] whose latents have noise of t_B: the latents
    [B, T, H', W', C] that one step to t = 0 leads to; at t = 0 the encoder's own.
    """
    mean, _ = apply(_vae(networks), params, x, method=VAE.encode)
    latent = space.enter(mean)
    noisy = paths.interpolate(latent, jax.random.normal(trees.fold_in_str(key, "noise"), latent.shape), t_B)
    features, real = apply(text_encoder(networks.text), params["text"], text_BS)
    dit = DiT(networks.dit, attention.dense)
    velocity = apply_to_grid(dit, params["dit"], noisy, t_B, features[:, None], real[:, None])
    return paths.x0_from_velocity(noisy, velocity, t_B)


def decode(networks: Networks, space: LatentSpace, params: dict, latent_BTHWC: Array) -> Array:
    """Latents -> clips in about [-1, 1]."""
    return apply(_vae(networks), params, space.leave(latent_BTHWC), method=VAE.decode)


@dataclasses.dataclass(frozen=True)
class PredictionSheet:
    """PSNR of held-out clips, from the encoder's latents and from what the transformer says at the largest time; and a
    picture: originals, and below each the clip by way of the transformer.
    """

    networks: Networks
    space: LatentSpace
    batch: Mapping[str, np.ndarray]
    time: float

    def __call__(self, params: dict) -> Results:
        """Evaluates averaged parameters."""
        video, B = self.batch["video_BFHWC"], len(self.batch["video_BFHWC"])
        shown, psnr = {}, {}
        for name, t in (("eval/psnr", 0.0), ("eval/predicted_psnr", self.time)):
            made = _through(
                self.networks, self.space, params, to_float(jnp.asarray(video)), self.batch["text_BS"], jnp.full(B, t)
            )
            error = np.square((np.asarray(made, np.float32) - video) / 255.0).mean(axis=(1, 2, 3, 4))
            shown[name], psnr[name] = np.asarray(made), float(np.mean(-10 * np.log10(error)))
        rows = [clip for pair in zip(video[:6], shown["eval/predicted_psnr"][:6], strict=True) for clip in pair]
        return Results(psnr, {"eval/predicted": contact_sheet(rows, scale=2)})


def _vae(networks: Networks) -> VAE:
    assert isinstance(networks.vae, VAEConfig)  # others are refused before
    return VAE(networks.vae, constrain)


@functools.partial(jax.jit, static_argnums=0)
def _through(networks: Networks, space: LatentSpace, params: dict, x: Array, text_BS: Array, t_B: Array) -> Array:
    said = predict(networks, space, params, x, text_BS, t_B, jax.random.key(0))
    return to_uint8(decode(networks, space, params, said))
