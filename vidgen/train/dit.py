# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Training the diffusion transformer with its text encoder: rectified flow on cached latents of images and clips."""

import dataclasses
import functools
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import Array
from jax.sharding import Mesh

from vidgen import config as vidgen_config
from vidgen import trees
from vidgen.data.packing import PackingConfig, Plan
from vidgen.data.pipeline import LatentItems
from vidgen.data.recaptions import RecaptionedItems
from vidgen.data.tokenizer import AnyTokenizer
from vidgen.diffusion.times import TimeConfig
from vidgen.models.dit import DiT, DiTConfig, cut_patches
from vidgen.models.layers import apply
from vidgen.models.text import AnyTextConfig, TextConfig, pads, starts, text_encoder
from vidgen.parallel import attention
from vidgen.parallel.attention import Kind
from vidgen.parallel.mesh import MeshConfig, make_mesh
from vidgen.parallel.program import Program
from vidgen.parallel.shard import make_parallel
from vidgen.sample.abstract import sampling_program
from vidgen.sample.autoencoder import AnyVAEConfig, Autoencoder, load_autoencoder
from vidgen.sample.imported import copy_configs, is_imported, tokenizer_beside
from vidgen.sample.pipeline import save_model
from vidgen.sample.program import Networks
from vidgen.sample.sampler import DEFAULTS, SampleConfig, of_card
from vidgen.train import lora
from vidgen.train.abstract import Mode, training_step
from vidgen.train.card import card_beside, run_card
from vidgen.train.cells import AlignmentConfig, init_reader, with_cells
from vidgen.train.flow import Objective, dit_loss
from vidgen.train.loop import LoopConfig, Task
from vidgen.train.lora import LoRAConfig
from vidgen.train.optim import OptimConfig, make_optimizer
from vidgen.train.samples import SampleSheet
from vidgen.train.state import LossFn
from vidgen.train.streams import LatentData, Streams, cached_latents, world_source
from vidgen.train.tasks import TaskMix
from vidgen.train.text import load_text
from vidgen.weights.safetensors import load_params


@dataclasses.dataclass(frozen=True)
class DiTTraining:
    """An experiment that trains text to video on 2-D worlds.

    Attributes:
        vae: the safetensors file of a trained VAE.
        vae_config: its shape, for `vidgen compile` where the file is not there yet; None looks into the file.
        data: the streams that batches come from, in the proportion of their weights.
        packing: rows that hold clips of all streams; without it, batches of one stream each take turns.
        cache: folder of the cached latents, shared by runs with the same VAE; empty for one inside workdir.
        caption_dropout: share of captions replaced by the empty one, for guidance.
        start_from: a file of `save_model` to start from (another run's result, or the dit.safetensors of a model that
            `vidgen weights import` wrote, whose tokenizer then reads captions, and whose format the result can be
            exported in); empty to start from random weights.
        text_from: a file of `vidgen.train.text.save_text`, whose text encoder the run starts with; empty for that of
            start_from, or a random one.
        text_frozen: whether the text encoder stays as it is, as in models that take theirs from elsewhere.
        tasks: how often which parts of clips are given.
        alignment: how the transformer is taught what is in each cell.
        lora: which matrices of the transformer are adapted by low rank, while all else of it and the text encoder stay
            as they are in start_from. The run's model has them merged; beside it is lora.safetensors.
        prompts: what the sample sheets show.
        mesh: how the work is divided over devices.
        attention: a kind of `vidgen.parallel.attention.make_attention`, or "auto".
    """

    vae: str
    data: tuple[LatentData, ...]
    vae_config: AnyVAEConfig | None = None
    packing: PackingConfig = PackingConfig()
    model: DiTConfig = DiTConfig()
    text: AnyTextConfig = TextConfig()
    time: TimeConfig = TimeConfig()
    optim: OptimConfig = OptimConfig()
    loop: LoopConfig = LoopConfig()
    cache: str = ""
    caption_dropout: float = 0.1
    start_from: str = ""
    text_from: str = ""
    text_frozen: bool = False
    tasks: TaskMix = TaskMix()
    alignment: AlignmentConfig = AlignmentConfig()
    lora: LoRAConfig = LoRAConfig()
    sample: SampleConfig = SampleConfig()
    prompts: tuple[str, ...] = ()
    mesh: MeshConfig = MeshConfig()
    attention: Kind | Literal["auto"] = "auto"

    def task(self, workdir: Path) -> Task:
        """What the loop needs; encodes the latents first if they are not there."""
        vae = load_autoencoder(self.vae)
        if self.vae_config not in (None, vae.config):
            raise ValueError(f"the VAE {self.vae} has the shape {vae.config} and vae_config is {self.vae_config}")
        networks = self._networks(vae.config)
        networks = dataclasses.replace(networks, dit=dataclasses.replace(networks.dit, deviation=vae.space.deviation))
        self.alignment.check(self.model, tuple(data.scenes for data in self.data))
        cropped = [data.name for data in self.data if data.crop]
        if self.alignment.weight and cropped:
            raise ValueError(f"alignment knows the cells of whole scenes and {', '.join(cropped)} is cropped: drop one")
        if self.lora.rank and not self.start_from:
            raise ValueError("lora.rank is set and start_from is empty: name the model whose matrices are adapted")
        cache = Path(self.cache) if self.cache else workdir / "latents"
        mesh, streams = make_mesh(self.mesh), self.streams(vae.config)
        plan, items = streams.plan(), [self._items(data, vae, cache) for data in self.data]
        longest = max(self.data, key=lambda data: data.scenes.frames)
        length, read = streams.text_length, streams.tokenizer
        sheet = SampleSheet(networks, vae, length, longest, self.prompts, self.sample, self.attention, read)
        return Task(
            init=functools.partial(self._init, networks, self.start_from),
            loss_fn=self.task_loss(networks, mesh),
            batches=streams.batches(items, self.loop.seed, mesh),
            make_optimizer=self._optimizer,
            ema=self.optim.ema,
            flops=lambda batch: self._step_flops(networks, streams, plan, batch),
            clips=lambda batch: len(batch["latent_BTHWC"]) if "latent_BTHWC" in batch else round(sum(plan.clips_N)),
            evaluations=(lambda averages: sheet(self._merged(averages)),) if self.prompts else (),
            export=lambda averages, folder: self._export(folder, networks, vae, averages, workdir.name),
            mesh=mesh,
            frozen=self._frozen(),
        )

    def _items(self, data: LatentData, vae: Autoencoder, cache: Path) -> LatentItems:
        latents = cached_latents(data, vae, cache, self.loop.seed)
        if data.recaptions:
            latents = RecaptionedItems(latents, data.recaptions, data.synthetic)
        if not self.alignment.weight:
            return latents
        return with_cells(latents, world_source(data, self.loop.seed), vae.config, self.alignment)

    def _init(self, networks: Networks, start_from: str, key: Array) -> dict:
        params = init_params(networks, start_from, key, self.text_from)
        if self.alignment.weight:
            params["cells"] = init_reader(self.alignment, self.model, key)
        if self.lora.rank:
            params["lora"] = lora.init(self.lora, params["dit"], trees.fold_in_str(key, "lora"))
        return params

    def _optimizer(self, params: dict, steps: int) -> optax.GradientTransformation:
        return make_optimizer(self.optim, steps, params)

    def _frozen(self) -> tuple[str, ...]:
        if self.lora.rank:
            return ("text", "dit")
        return ("text",) if self.text_frozen else ()

    def _merged(self, params: dict) -> dict:
        """The parameters of a model, into which what adapts it is merged."""
        if not self.lora.rank:
            return params
        factors = params["lora"]
        others = {name: tree for name, tree in params.items() if name != "lora"}
        return {**others, "dit": lora.merge(self.lora, params["dit"], factors)}

    def _export(self, folder: Path, networks: Networks, vae: Autoencoder, params: dict, name: str) -> None:
        """Writes the averaged parameters, the VAE and a card, so that the folder can be sampled from."""
        folder.mkdir(parents=True, exist_ok=True)
        merged, streams = self._merged(params), self.streams(networks.vae)
        if is_imported(self.start_from):
            shutil.copy(self.vae, folder / "vae.safetensors")  # of its own type
        else:
            vae.save(folder / "vae.safetensors")
        stored = "float32" if is_imported(self.start_from) else "float16"  # as exact as what it may be exported to
        save_model(folder, networks, merged, streams.text_length, stored)
        if self.lora.rank:
            lora.save(folder / "lora.safetensors", self.lora, params["lora"])
        parameters = {part: trees.count(merged[part]) for part in ("dit", "text")} | {"vae": trees.count(vae.params)}
        # What adapts a model leaves it what it knows, and how it is sampled where the experiment does not say.
        before = card_beside(self.start_from) if self.lora.rank else None
        known = before.concepts if before else ()
        how = of_card(before.sampler) if before and self.sample == DEFAULTS else self.sample
        run_card(name, streams, parameters, self.tasks.names, known, how).save(folder)
        copy_configs(self.start_from, folder)

    def streams(self, vae: AnyVAEConfig | None = None) -> Streams:
        """Where batches come from; vae is read from its file if neither it nor `vae_config` is given."""
        shape, tokenizer = vae or self._vae_shape(), self._tokenizer()
        start, whole = starts(self.text), pads(self.text)
        return Streams(self.data, self.packing, shape, self.model.patch, tokenizer, start, whole)

    @staticmethod
    def _step_flops(networks: Networks, streams: Streams, plan: Plan, batch: Mapping[str, Any]) -> float:
        """Of a batch; packed ones are taken for the average."""
        if "latent_BTHWC" in batch:
            return step_flops(networks, batch["latent_BTHWC"].shape, batch["text_BS"].shape[1])
        shapes = [(clips, *streams.latent_shape(data)) for clips, data in zip(plan.clips_N, streams.data, strict=True)]
        return sum(step_flops(networks, shape, streams.text_length) for shape in shapes)

    def _tokenizer(self) -> AnyTokenizer:
        return tokenizer_beside(self.start_from)

    def _vae_shape(self) -> AnyVAEConfig:
        return self.vae_config or load_autoencoder(self.vae).config

    def _networks(self, vae: AnyVAEConfig) -> Networks:
        if vae.channels != self.model.channels:
            raise ValueError(
                f"the VAE {self.vae} has {vae.channels} channels and model.channels is {self.model.channels}; "
                f"make them equal"
            )
        return Networks(vae, self.text, self.model)

    def task_loss(self, networks: Networks, mesh: Mesh) -> LossFn:
        """The loss that a run on this mesh takes the gradient of."""
        streams = self.streams(networks.vae)
        objective = Objective(
            self.time,
            self.caption_dropout,
            self.tasks,
            self.alignment,
            streams.lengths,
            tuple(int(one) for one in np.trim_zeros((streams.tokenizer or self._tokenizer()).batch([""], 1)[0])),
        )
        parallel = make_parallel(mesh, self.model.dtype, self.attention)
        return lambda params, batch, key: dit_loss(networks, objective, self._adapted(params), batch, key, parallel)

    def _adapted(self, params: dict) -> dict:
        """Parameters as the networks take them, with what adapts matrices beside these."""
        if not self.lora.rank:
            return params
        return {**params, "dit": lora.attach(self.lora, params["dit"], params["lora"])}

    def program(self, mode: Mode, mesh: Mesh, clips: int = 1) -> Program:
        """The step on a packed batch, or on the stream with most tokens a batch; or the sampler for `clips` of that
        stream's clips. See `Compilable`.

        Neither reads data or weights: the file of the VAE is read only if vae_config is None.
        """
        networks = self._networks(self._vae_shape())
        streams = self.streams(networks.vae)
        stream, tokens = streams.largest()
        data = self.data[stream]
        scenes = data.scenes
        init = functools.partial(self._init, networks, "")
        if mode == "sample":
            return sampling_program(
                networks,
                jax.eval_shape(lambda key: self._merged(init(key)), jax.eval_shape(lambda: jax.random.key(0))),
                self.sample,
                mesh,
                self.attention,
                clips=clips,
                frames=scenes.frames,
                height=data.height,
                width=data.width,
                text_length=streams.text_length,
            )
        batch, plan = streams.abstract_batch(bool(self.alignment.weight)), streams.plan()
        step, arguments, params = training_step(
            mesh,
            init,
            self.task_loss(networks, mesh),
            lambda params: self._optimizer(params, self.loop.steps),
            self.optim.ema,
            self.loop.seed,
            batch,
            self._frozen(),
        )
        count, frames = data.batch_size, scenes.frames
        if self.packing.rows:  # the average clip
            count = round(sum(plan.clips_N))
            frames = round(float(np.average([one.scenes.frames for one in self.data], weights=plan.clips_N)))
            tokens = round(plan.tokens / sum(plan.clips_N))
        return Program(
            function=step,
            arguments=arguments,
            model_flops=self._step_flops(networks, streams, plan, batch),
            clips=count,
            frames=frames,
            height=data.height,
            width=data.width,
            tokens=tokens,
            evaluations=1,
            parameters={name: trees.count(tree) for name, tree in params.items()},
            batch=self.packing.rows or data.batch_size,
            batch_option=self.batch_option(),
        )

    def batch_option(self) -> str:
        """The option that says how large the largest batch is."""
        return "--packing.rows" if self.packing.rows else f"--data.{self.streams().largest()[0]}.batch-size"


def init_params(networks: Networks, start_from: str, key: Array, text_from: str = "") -> dict:
    """{"text", "dit"}: random, or those of another run, whose tokens may be larger; the text encoder may be one that
    was trained alone.
    """
    params = _started_params(networks, start_from) if start_from else _random_params(networks, key)
    if not text_from:
        return params
    if not isinstance(networks.text, TextConfig):
        raise ValueError(f"text_from is {text_from} and the model reads classes, which need no text encoder")
    return {**params, "text": load_text(text_from, networks.text)}


def _started_params(networks: Networks, start_from: str) -> dict:
    params, metadata = load_params(start_from)
    params = jax.tree.map(jnp.asarray, params)
    patch, new = vidgen_config.from_json(metadata["dit_config"]).patch, networks.dit.patch
    return {**params, "dit": cut_patches(params["dit"], patch, new, networks.dit.channels)} if patch != new else params


def _random_params(networks: Networks, key: Array) -> dict:
    text = text_encoder(networks.text)
    dit = DiT(networks.dit, attention.dense)
    ids = jnp.zeros((1, 4), jnp.int32)
    text_params = text.init(trees.fold_in_str(key, "text"), ids)["params"]
    features, real = apply(text, text_params, ids)
    P = networks.dit.channels * int(np.prod(networks.dit.patch))
    positions = jnp.zeros((1, 4, 3), jnp.int32)
    dit_params = dit.init(
        trees.fold_in_str(key, "dit"),
        jnp.zeros((1, 4, P)),
        positions,
        positions + 1,
        jnp.zeros((1, 1)),
        positions[..., 0],
        features,
        real,
    )["params"]
    return {"text": text_params, "dit": dit_params}


def step_flops(networks: Networks, latent_shape: tuple[float, ...], text_length: int) -> float:
    """Multiply-adds x 2 of the matmuls of a training step (forward + backward = 3 x forward), attention included."""
    cfg, text = networks.dit, networks.text
    B, T, H, W, C = latent_shape
    L = T * H * W // int(np.prod(cfg.patch))
    S = text_length + 1
    P, D = C * int(np.prod(cfg.patch)), cfg.width
    token = 2 * P * D + cfg.layers * (6 * D * D + 2 * D * cfg.hidden + 2 * D * (L + S))
    text_token = 0
    if isinstance(text, TextConfig):
        text_token = text.width * D + D * D + cfg.layers * 2 * D * D
        text_token += text.layers * (4 * text.width**2 + 3 * text.width * text.hidden + 2 * text.width * S)
    times_ = T * (cfg.time_width * D + D * D + 6 * D * D)
    return 3 * 2.0 * B * (L * token + S * text_token + times_)
