# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""A text-to-video model with its parameters: what it makes of prompts, and how it is read and written."""

import dataclasses
import functools
import json
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.sharding import Mesh

from vidgen import config as vidgen_config
from vidgen import trees
from vidgen.data.tokenizer import AnyTokenizer, load_tokenizer
from vidgen.models.vae import VAEConfig
from vidgen.parallel.attention import Kind
from vidgen.parallel.mesh import MeshConfig, make_mesh
from vidgen.parallel.shard import parameter_shardings
from vidgen.sample import budget
from vidgen.sample.autoencoder import Autoencoder, LatentSpace, load_autoencoder
from vidgen.sample.card import own_frames
from vidgen.sample.parts import Parts
from vidgen.sample.program import (
    Captions,
    Networks,
    SolverName,
    read_captions,
    text_to_video,
)
from vidgen.sample.sampler import DEFAULTS, SampleConfig, of_card, sampling_times, settle
from vidgen.sample.tasks import Known
from vidgen.weights import int8
from vidgen.weights.safetensors import StorageType, load_metadata, load_params, save_params
from vidgen.worlds.motion import FPS

GROUP = VAEConfig().group
"""Frames in a latent frame."""


def frames_for_seconds(seconds: float, fps: int = FPS, group: int = GROUP) -> int:
    """The number of frames of the form 1 + group * k whose length is nearest to `seconds`; at least 1."""
    return 1 + group * max(0, round(seconds * fps / group))


@dataclasses.dataclass(frozen=True)
class Pipeline:
    """A text-to-video model with its parameters.

    Attributes:
        networks: shapes.
        params: {"text": ..., "dit": ..., "vae": ...}; of `Parts` the text encoder is read for each call and freed
            before the others are read.
        space: of the VAE's latents.
        tokenizer: of the captions it was trained on.
        defaults: how it is sampled where nothing else is said.
        text_length: tokens of a caption that it reads; the rest is cut.
        card: what `load_card` gives.
        mesh: devices that share the work; None is one device.
        attention: a kind of `vidgen.parallel.attention.make_attention`, or "auto".
    """

    networks: Networks
    params: dict[str, Any] | Parts
    space: LatentSpace
    tokenizer: AnyTokenizer
    text_length: int
    card: dict[str, Any] = dataclasses.field(default_factory=dict)
    defaults: SampleConfig = DEFAULTS
    mesh: Mesh | None = None
    attention: Kind | Literal["auto"] = "auto"

    @property
    def autoencoder(self) -> Autoencoder:
        """The VAE alone."""
        return Autoencoder(self.networks.vae, self.params["vae"], self.space)

    def generate(
        self,
        prompts: Sequence[str],
        *,
        frames: int,
        width: int,
        height: int,
        steps: int | None = None,
        guidance: float | None = None,
        interval: tuple[float, float] | None = None,
        rescale: float | None = None,
        negative: str = "",
        seed: int = 0,
        solver: SolverName | None = None,
        shift: float | None = None,
        known: Known | None = None,
        start: float = 1.0,
        noise_BTHWC: np.ndarray | None = None,
        shots: Sequence[int] | None = None,
        shared: bool | None = None,
    ) -> np.ndarray:
        """Makes one clip a prompt: uint8 [B, F, H, W, 3]; with `shots` one clip of all prompts, [1, F, H, W, 3].

        The noise of clip i depends on the seed and on i alone. How to sample is as in `SampleConfig`; None takes the
        model's own.

        Args:
            noise_BTHWC: what is started from in place of the seed's noise: normal, of the shape of the latents.
            known: what is given of the clips, of `vidgen.sample.tasks`; None for nothing.
            start: share of noise in what the sampler starts from, beside what is known; 1 is noise alone.
            shots: the frame from which each prompt holds, the first from 0: parts of one clip, which is made as a
                whole, each frame after its own prompt. Cuts lie between the VAE's groups of frames.
            shared: whether a program is taken that other sizes share (`vidgen.sample.budget`), which a new size need
                not wait for, and which is a little slower; None takes it for sizes that the model's card does not name.

        Raises:
            ValueError: anything of this is not what the model takes.
        """
        if not prompts:
            raise ValueError("no prompt was given; give at least one")
        asked = {"steps": steps, "guidance": guidance, "interval": interval, "rescale": rescale}
        how, guided = settle(self.networks.dit, self.defaults, {**asked, "solver": solver, "shift": shift})
        shape = _latent_shape(self.networks, frames, height, width)
        captions_T = None if shots is None else _captions(self.networks, shots, len(prompts), frames)
        clips = len(prompts) if shots is None else 1
        _check_start(self.networks, (clips, *shape), known, start, noise_BTHWC)
        ids = self.tokenizer.batch([*prompts, negative], self.text_length)
        mesh = make_mesh(MeshConfig()) if self.mesh is None else self.mesh
        with jax.set_mesh(mesh):
            params, captions, negatives = self._read(ids, mesh)
            ts = sampling_times(self.networks.dit, how, start)
            key = trees.fold_in_str(jax.random.key(seed), "noise") if noise_BTHWC is None else jnp.asarray(noise_BTHWC)
            given = ts, params, self.space, captions, negatives, jax.tree.map(jnp.float32, guided), key
            if self._shares(shared, (frames, width, height), shots, mesh):
                video = self._in_budget(shape, how.solver, mesh, given, known)
            else:
                static = self.networks, shape, how.solver, mesh, self.attention
                video = text_to_video(*static, *given, known, captions_T)
        before = self.networks.vae.lead
        return np.asarray(video)[:, before : before + frames, :height, :width]

    def _shares(self, shared: bool | None, size: tuple[int, int, int], shots: Sequence[int] | None, mesh: Mesh) -> bool:
        """Whether clips of (frames, width, height) are made by a program that sizes share.

        Raises ValueError where that is asked for and cannot be.
        """
        able = shots is None and mesh.size == 1 and isinstance(self.networks.vae, VAEConfig)
        if shared and not able:
            raise ValueError("shared is for clips of one prompt each, on one device, by a patch VAE: leave it out here")
        frames, *sides = size
        own = sides == [*self.card.get("size", ())] and frames in (1, own_frames(self.card))
        return able and bool(self.card) and not own if shared is None else shared

    def _in_budget(
        self, shape: tuple[int, ...], solver: str, mesh: Mesh, given: tuple[Any, ...], known: Known | None
    ) -> Array:
        """`text_to_video` by a program that sizes share; `given` is what both take."""
        *others, noise = given
        patch = self.networks.dit.patch
        size = budget.budget_of(shape, patch)
        layout = budget.lay_out(shape, patch, size)
        if noise.ndim == 5:
            cells = noise.reshape(len(noise), -1, shape[-1])
            noise = jnp.pad(cells, ((0, 0), (0, len(layout.order_N) - cells.shape[1]), (0, 0)))
        row = None if known is None else budget.known_in_row(known, layout)
        static = self.networks, size, solver, mesh, self.attention
        return budget.budget_to_video(*static, *others, noise, layout, row)

    def _read(self, ids_BS: np.ndarray, mesh: Mesh) -> tuple[dict[str, Any], Captions, Captions]:
        """The parameters that the sampler needs, the captions, and the last of them, which is the negative one."""
        if isinstance(self.params, Parts):
            # Waited for, so that the encoder is freed before the next network is read.
            read = read_captions(self.networks.text, mesh, self.params.once("text"), jnp.asarray(ids_BS))
            features, real = jax.block_until_ready(read)
            params = {name: self.params[name] for name in ("dit", "vae")}
            return params, (features[:-1], real[:-1]), (features[-1:], real[-1:])
        params = self.params
        if mesh.size > 1:
            params = jax.device_put(params, parameter_shardings(params, mesh))
        return params, jnp.asarray(ids_BS[:-1]), jnp.asarray(ids_BS[-1:])


def _latent_shape(networks: Networks, frames: int, height: int, width: int) -> tuple[int, int, int, int]:
    """(T, H, W, C) of a clip's latents. Raises ValueError when they cannot be cut into the transformer's tokens."""
    _, H, W, _ = shape = networks.vae.latent_shape(frames, height, width)
    for name, side, multiple in (("height", H, networks.dit.patch[1]), ("width", W, networks.dit.patch[2])):
        if side % multiple:
            pixels = multiple * networks.vae.patch[1]
            raise ValueError(f"{width}x{height} was given; the {name} must be a multiple of {pixels}")
    return shape


def _captions(networks: Networks, shots: Sequence[int], prompts: int, frames: int) -> np.ndarray:
    """Which prompt each latent frame of a clip follows, int32 [T]. Raises ValueError for shots that make no sense."""
    group, in_tokens = networks.vae.group, networks.dit.patch[0]
    begin = [0 if frame == 0 else 1 + max(0, round((frame - 1) / group)) for frame in shots]
    begin = [in_tokens * -(-one // in_tokens) for one in begin]
    inside = all(0 <= frame < frames for frame in shots) and all(one <= (frames - 1) // group for one in begin)
    if len(shots) != prompts or shots[0] != 0 or not inside or any(np.diff(begin) < 1):
        raise ValueError(
            f"shots from frames {', '.join(map(str, shots))} were given for {prompts} prompts and {frames} frames; "
            f"give a frame a prompt, the first 0, each {group * in_tokens} or more after the one before, in the clip"
        )
    T = networks.vae.latent_shape(frames, *networks.vae.patch[1:])[0]
    return (np.searchsorted(begin, np.arange(T), side="right") - 1).astype(np.int32)


def _check_start(
    networks: Networks, shape: tuple[int, ...], known: Known | None, start: float, noise_BTHWC: np.ndarray | None
) -> None:
    """Raises ValueError when clips of latents of this shape cannot be started from what is given."""
    if start < 1 and known is None:
        raise ValueError(f"start is {start} and nothing is known: give the clip to start from")
    if known is not None:
        _check_known(known, shape, networks.dit.patch)
    if noise_BTHWC is not None and noise_BTHWC.shape != shape:
        raise ValueError(f"noise of shape {noise_BTHWC.shape} was given; the clips have {shape}")


def _check_known(known: Known, shape: tuple[int, ...], patch: tuple[int, int, int]) -> None:
    """Raises ValueError when what is known does not fit clips of latents of this shape, or divides a token."""
    latent, made = known.latent_BTHWC, known.made_BTHW
    if latent.shape[1:] != shape[1:] or made.shape != latent.shape[:-1] or latent.shape[0] not in (1, shape[0]):
        raise ValueError(
            f"what is known has latents of shape {latent.shape} and a mask of {made.shape}; the clips have {shape}"
        )
    rows = range(len(latent))
    parts = [np.asarray(made)[:, t :: patch[0], h :: patch[1], w :: patch[2]] for t, h, w in np.ndindex(*patch)]
    if any((part != parts[0]).any() for part in parts):
        raise ValueError(f"a token is {patch} latent cells large and only a part of it is to be made: mark all of it")
    if any(not np.asarray(made)[row].any() for row in rows):
        raise ValueError("a clip is known as a whole and nothing of it is to be made")


def save_model(
    folder: str | Path, networks: Networks, params: dict, text_length: int, dtype: StorageType = "float16"
) -> None:
    """Writes folder/dit.safetensors: the text encoder and the transformer with their shapes."""
    metadata = {
        "text_config": vidgen_config.to_json(networks.text),
        "dit_config": vidgen_config.to_json(networks.dit),
        "text_length": text_length,
    }
    save_params(Path(folder) / "dit.safetensors", {"text": params["text"], "dit": params["dit"]}, dtype, metadata)


def model_folder(model: str | Path = "default") -> Path:
    """The folder of a model: "default" is the one inside the package, anything else is a path.

    Raises:
        FileNotFoundError: there is no such folder, or it lacks one of the model's files.
    """
    folder = Path(str(resources.files("vidgen") / "assets" / "default")) if str(model) == "default" else Path(model)
    missing = [name for name in ("card.json", "vae.safetensors", "dit.safetensors") if not (folder / name).is_file()]
    if missing:
        raise FileNotFoundError(
            f"no model {str(model)!r}: it must be 'default' (the one that ships with vidgen) or a folder with "
            f"card.json, vae.safetensors and dit.safetensors; missing: {', '.join(missing)}"
        )
    return folder


def weight_files(model: str | Path = "default") -> list[Path]:
    """The files that hold a model's weights. Raises what `model_folder` raises."""
    from vidgen.sample.public import public_model  # which is made of what is in this file

    folder = model_folder(model) if public_model(Path(model)) is None else Path(model)
    return sorted(folder.rglob("*.safetensors"))


def load_card(model: str | Path = "default") -> dict[str, Any]:
    """What a model says about itself (see `vidgen.sample.card.Card`), without reading its weights."""
    from vidgen.sample.public import public_model  # which is made of what is in this file

    public = public_model(Path(model))
    if public is not None:
        return public.card(Path(model))
    file = model_folder(model) / "card.json"
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise ValueError(f"{file} is not JSON ({error}); write it again") from error


def prompt_length(model: str | Path = "default") -> int:
    """Tokens of a prompt that a model of `save_model` reads, without reading its weights; 0 for any other model.

    Raises FileNotFoundError when there is no such model.
    """
    from vidgen.sample.public import public_model  # which is made of what is in this file

    if public_model(Path(model)) is not None:
        return 0
    return int(load_metadata(model_folder(model) / "dit.safetensors").get("text_length", 0))


def load_pipeline(model: str | Path = "default", in_int8: bool = False) -> Pipeline:
    """Reads a model's folder.

    Args:
        in_int8: whether the matrices of its transformers are kept in 8 bits, see `vidgen.weights.int8`.

    Raises:
        FileNotFoundError: there is no such model.
        ValueError: a file in it is damaged.
    """
    # Which are made of what is in this file.
    from vidgen.sample.imported import CONFIGS, read_imported
    from vidgen.sample.public import public_model, read_part

    own = public_model(Path(model) / CONFIGS)
    if own is not None:
        imported = own.load(Path(model) / CONFIGS, functools.partial(read_imported, in_int8=in_int8))
        card = load_card(model)
        return dataclasses.replace(imported, card=card, defaults=of_card(card.get("sampler", {}), imported.defaults))
    public = public_model(Path(model))
    if public is not None:
        return public.load(Path(model), functools.partial(read_part, in_int8=in_int8))
    folder = model_folder(model)
    card = load_card(model)
    made = assemble(load_autoencoder(folder / "vae.safetensors"), folder / "dit.safetensors", card)
    made = dataclasses.replace(made, defaults=of_card(card.get("sampler", {})))
    return dataclasses.replace(made, params=int8.quantise(made.params)) if in_int8 else made


def assemble(vae: Autoencoder, dit_file: str | Path, card: dict[str, Any] | None = None) -> Pipeline:
    """A pipeline of a VAE and a file of `save_model`."""
    tree, metadata = load_params(dit_file)
    if "dit_config" not in metadata:
        raise ValueError(f"{dit_file} holds no diffusion transformer: it lacks a config")
    text, dit = (vidgen_config.from_json(metadata[name]) for name in ("text_config", "dit_config"))
    return Pipeline(
        Networks(vae.config, text, dit),
        {"text": tree["text"], "dit": tree["dit"], "vae": vae.params},
        vae.space,
        load_tokenizer(),
        int(metadata["text_length"]),
        card or {},
    )
