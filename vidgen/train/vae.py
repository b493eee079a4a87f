# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Training the patch VAE: L1, an L1 of spatial gradients, structural similarity, and a little KL."""

import dataclasses
import itertools
import math
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import Array
from jax.sharding import Mesh

from vidgen import trees
from vidgen.data.pipeline import WorldSource, video_batches
from vidgen.models.layers import apply
from vidgen.models.vae import VAE, Stage, VAEConfig
from vidgen.parallel.mesh import MeshConfig, make_mesh
from vidgen.parallel.program import Program
from vidgen.parallel.shard import constrain, own_rows
from vidgen.sample.autoencoder import (
    Autoencoder,
    LatentSpace,
    align_space,
    identity_space,
    load_autoencoder,
    measure_space,
    to_float,
)
from vidgen.sample.export import contact_sheet
from vidgen.train.abstract import Mode, training_step
from vidgen.train.loop import LoopConfig, Results, Task
from vidgen.train.optim import OptimConfig, make_optimizer
from vidgen.train.state import LossFn
from vidgen.worlds.holdout import AnyScenes
from vidgen.worlds.scene import SceneConfig


@dataclasses.dataclass(frozen=True)
class VAELossConfig:
    """Weights of the terms beside L1.

    Attributes:
        gradient: of the L1 between horizontal and vertical differences, which keeps edges sharp.
        square: of the squared error, which asks most where the picture is farthest off, as PSNR does.
        structure: of 1 - SSIM of the brightness, which keeps faint texture that L1 would smooth away.
        kl: of the KL divergence to a standard normal, a latent value.
        first_frame: of frame 0's pixels, whose latents serve one frame where the others serve a group.
        decoder_only: whether the encoder stays as it is, so that latents that a transformer has learned stay valid.
    """

    gradient: float = 0.25
    square: float = 0.0
    structure: float = 0.0
    kl: float = 1e-3
    first_frame: float = 4.0
    decoder_only: bool = False


@dataclasses.dataclass(frozen=True)
class VAETraining:
    """An experiment that trains a VAE on 2-D worlds.

    Attributes:
        start_from: a file of `Autoencoder.save` of the same shape to start from; empty to start from random weights.
        align: whether latents are turned so that they are nearest to those of start_from, for a transformer that knows
            these; without it they lie in principal axes of their own. See `vidgen.sample.autoencoder`.
        mesh: how the work is divided over devices.
    """

    model: VAEConfig = VAEConfig()
    loss: VAELossConfig = VAELossConfig()
    optim: OptimConfig = OptimConfig()
    loop: LoopConfig = LoopConfig()
    scenes: AnyScenes = SceneConfig()
    batch_size: int = 16
    start_from: str = ""
    align: bool = False
    mesh: MeshConfig = MeshConfig()

    def task(self, workdir: Path) -> Task:
        """What the loop needs; nothing outside workdir is written."""
        vae = VAE(self.model, constrain)
        scenes = self.scenes
        example = jnp.zeros((1, scenes.frames, scenes.height, scenes.width, 3))
        self.model.latent_shape(scenes.frames, scenes.height, scenes.width)
        start = load_autoencoder(self.start_from) if self.start_from else None
        if self.loss.decoder_only and start is None:
            raise ValueError("loss.decoder_only is set and start_from is empty: name the VAE whose encoder is kept")
        if self.align and start is None:
            raise ValueError("align is set and start_from is empty: name the VAE whose latents are to be met")
        source = WorldSource(scenes, size=2**30, seed=self.loop.seed)
        held_out = WorldSource(_unseen(scenes), size=2**30, seed=self.loop.seed + 1)
        held_out_BFHWC = np.stack([held_out[i]["video"] for i in range(16)])
        mesh = make_mesh(self.mesh)
        rows = own_rows(mesh, self.batch_size)
        measured = [np.stack([source[32 * i + j]["video"] for j in range(32)]) for i in range(8)]
        return Task(
            init=lambda key: vae.init(key, example, key)["params"] if start is None else start.params,
            loss_fn=self.task_loss(),
            batches=video_batches(source, self.batch_size, self.loop.seed, rows=rows),
            make_optimizer=self._optimizer,
            ema=self.optim.ema,
            flops=lambda batch: step_flops(self.model, batch["video_BFHWC"].shape),
            clips=lambda batch: batch["video_BFHWC"].shape[0],
            evaluations=(ReconstructionSheet(self.model, held_out_BFHWC),),
            export=lambda ema, folder: export(self.model, ema, self._space(ema, start, measured), folder),
            mesh=mesh,
            frozen=self._frozen(),
        )

    def _space(self, params: dict, start: Autoencoder | None, batches: list[np.ndarray]) -> LatentSpace:
        """The space of the latents of averaged parameters."""
        if start and self.loss.decoder_only:
            return start.space
        if start and self.align:
            return align_space(self.model, params, start, batches)
        return measure_space(self.model, params, batches)

    def _optimizer(self, params: dict, steps: int) -> optax.GradientTransformation:
        return make_optimizer(self.optim, steps, params)

    def _frozen(self) -> tuple[str, ...]:
        return ("encoder",) if self.loss.decoder_only else ()

    def task_loss(self) -> LossFn:
        """The loss that a run takes the gradient of."""
        vae = VAE(self.model, constrain)
        return lambda params, batch, key: vae_loss(vae, self.loss, params, batch["video_BFHWC"], key)

    def program(self, mode: Mode, mesh: Mesh, clips: int = 1) -> Program:
        """The training step; see `vidgen.train.abstract.Compilable`. The tokens of a clip are its latent cells."""
        if mode == "sample":
            raise ValueError(
                f"this experiment trains a VAE, and --mode sample with --clips {clips} is for those that train a "
                f"transformer (DiTTraining): take --mode train"
            )
        scenes = self.scenes
        clip = scenes.frames, scenes.height, scenes.width, 3
        cells = math.prod(self.model.latent_shape(*clip[:3])[:3])
        batch = {"video_BFHWC": jax.ShapeDtypeStruct((self.batch_size, *clip), jnp.uint8)}
        step, arguments, params = training_step(
            mesh,
            lambda key: VAE(self.model).init(key, jnp.zeros((1, *clip)), key)["params"],
            self.task_loss(),
            lambda params: self._optimizer(params, self.loop.steps),
            self.optim.ema,
            self.loop.seed,
            batch,
            self._frozen(),
        )
        return Program(
            function=step,
            arguments=arguments,
            model_flops=step_flops(self.model, batch["video_BFHWC"].shape),
            clips=self.batch_size,
            frames=scenes.frames,
            height=scenes.height,
            width=scenes.width,
            tokens=cells,
            evaluations=1,
            parameters={name: trees.count(tree) for name, tree in params.items()},
            batch=self.batch_size,
            batch_option="--batch-size",
        )


def _unseen(scenes: AnyScenes) -> AnyScenes:
    """Scenes of pairs that training never shows; where there are no pairs, the same kinds, for other seeds."""
    try:
        return dataclasses.replace(scenes, split="heldout")
    except ValueError:
        return scenes


def vae_loss(
    vae: VAE, weights: VAELossConfig, params: dict, video_BFHWC: Array, key: Array
) -> tuple[Array, dict[str, Array]]:
    """Loss of uint8 clips [B, F, H, W, 3] and its parts."""
    x = to_float(video_BFHWC)
    y, mean, logvar = apply(vae, params, x, key)
    missed, metrics = pixel_loss(weights, x, y)
    kl = 0.5 * jnp.mean(mean**2 + jnp.exp(logvar) - 1.0 - logvar)
    noise = jnp.mean(jnp.exp(0.5 * logvar)) / jnp.std(mean)
    return missed + weights.kl * kl, metrics | {"kl": kl, "latent_noise": noise}


def pixel_loss(weights: VAELossConfig, x: Array, y: Array) -> tuple[Array, dict[str, Array]]:
    """What clips y [B, F, H, W, 3] lack of clips x, both in [-1, 1], and its parts."""
    frames = jnp.ones(x.shape[1]).at[0].set(weights.first_frame)
    frames = (frames / frames.mean())[:, None, None, None]
    error = y - x
    l1 = jnp.mean(frames * jnp.abs(error))
    gradient = jnp.mean(frames * jnp.abs(jnp.diff(error, axis=2))) + jnp.mean(frames * jnp.abs(jnp.diff(error, axis=3)))
    square = jnp.mean(frames * jnp.square(error))
    psnr = -10 * jnp.log10(jnp.mean(jnp.square(error / 2)))
    loss = l1 + weights.gradient * gradient + weights.square * square
    metrics = {"l1": l1, "gradient": gradient, "psnr": psnr}
    if weights.structure:
        metrics["ssim"] = jnp.mean(frames[..., 0] * structural_similarity(x.mean(-1), y.mean(-1)))
        loss = loss + weights.structure * (1 - metrics["ssim"])
    return loss, metrics


def structural_similarity(x_BFHW: Array, y_BFHW: Array) -> Array:
    """SSIM at every place where the window fits, for pictures in [-1, 1]: [B, F, H - 10, W - 10].

    Gaussian window of 11 x 11 with standard deviation 1.5, K1 = 0.01, K2 = 0.03 (Wang, Bovik, Sheikh and Simoncelli,
    "Image quality assessment: from error visibility to structural similarity", 2004).
    """
    radius, c1, c2 = 5, (0.01 * 2) ** 2, (0.03 * 2) ** 2
    offsets = jnp.arange(-radius, radius + 1)
    window = jnp.exp(-(offsets**2) / (2 * 1.5**2))

    def band(side: int) -> Array:
        places = jnp.arange(side)[None] - jnp.arange(side - 2 * radius)[:, None]
        inside = (places >= 0) & (places <= 2 * radius)
        return jnp.where(inside, window[jnp.clip(places, 0, 2 * radius)], 0) / window.sum()

    rows, columns = band(x_BFHW.shape[-2]), band(x_BFHW.shape[-1])

    def blur(image_BFHW: Array) -> Array:
        return jnp.einsum("ih,...hw,jw->...ij", rows, image_BFHW, columns)

    mean_x, mean_y = blur(x_BFHW), blur(y_BFHW)
    var_x, var_y = blur(x_BFHW**2) - mean_x**2, blur(y_BFHW**2) - mean_y**2
    covariance = blur(x_BFHW * y_BFHW) - mean_x * mean_y
    likeness = (2 * mean_x * mean_y + c1) * (2 * covariance + c2)
    return likeness / ((mean_x**2 + mean_y**2 + c1) * (var_x + var_y + c2))


def step_flops(config: VAEConfig, shape: tuple[int, ...]) -> float:
    """Multiply-adds x 2 of the matmuls of one training step (forward + backward = 3 x forward) on clips of `shape`."""
    return 3 * sum(forward_flops(config, shape))


def forward_flops(config: VAEConfig, shape: tuple[int, ...]) -> tuple[float, float]:
    """Multiply-adds x 2 of the matmuls by which clips of `shape` [B, F, H, W, 3] are encoded, and decoded again."""
    B, F, H, W, _ = shape
    T = config.latent_shape(F, H, W)[0]

    def cells(stage: Stage) -> int:
        return T * H * W // stage.cell**2

    def blocks(stage: Stage) -> int:
        D, X, M = stage.width, stage.mix, stage.hidden
        return cells(stage) * stage.blocks * (D * X + (D + 9 * X) * M + M * D)

    fine, coarse = config.encoder[0], config.encoder[-1]
    encoded = T * config.group * H * W * 3 * fine.width + cells(coarse) * coarse.width * 2 * config.channels
    encoded += sum(map(blocks, config.encoder))
    for small, large in itertools.pairwise(config.encoder):
        encoded += cells(small) * small.width * large.width
    fine, coarse = config.decoder[-1], config.decoder[0]
    decoded = cells(coarse) * config.channels * coarse.width + cells(fine) * fine.width * fine.hidden
    decoded += T * config.group * H * W * 3 * fine.hidden + sum(map(blocks, config.decoder))
    for large, small in itertools.pairwise(config.decoder):
        decoded += cells(small) * small.width * large.width
    return 2.0 * B * encoded, 2.0 * B * decoded


@dataclasses.dataclass(frozen=True)
class ReconstructionSheet:
    """PSNR on held-out clips, and a picture: originals above, reconstructions below."""

    model: VAEConfig
    video_BFHWC: np.ndarray

    def __call__(self, params: dict) -> Results:
        """Evaluates averaged parameters."""
        vae = Autoencoder(self.model, params, identity_space(self.model.channels))
        y = np.asarray(vae.decode(vae.encode(self.video_BFHWC)))
        mse = np.mean(np.square((y.astype(np.float32) - self.video_BFHWC) / 255.0), axis=(1, 2, 3, 4))
        rows = [clip for pair in zip(self.video_BFHWC[:6], y[:6], strict=True) for clip in pair]
        return Results(
            {"eval/psnr": float(np.mean(-10 * np.log10(mse)))}, {"eval/reconstruction": contact_sheet(rows, scale=2)}
        )


def export(model: VAEConfig, params: dict, space: LatentSpace, folder: Path) -> None:
    """Writes folder/vae.safetensors: averaged parameters and the space of their latents."""
    folder.mkdir(parents=True, exist_ok=True)
    Autoencoder(model, params, space).save(folder / "vae.safetensors")
