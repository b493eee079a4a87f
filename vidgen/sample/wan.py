# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Wan 2.1 from the folder that diffusers keeps it in: shapes, weights, tokenizer, schedule, as a pipeline of ours."""

import dataclasses
import functools
import json
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh

from vidgen import trees
from vidgen.data.tokenizer import PublicTokenizer
from vidgen.models.dit import DiT, DiTConfig
from vidgen.models.presets import UMT5_XXL, WAN_1_3B
from vidgen.models.text import TextConfig, TextEncoder
from vidgen.models.wan_vae import WanVAEConfig
from vidgen.parallel.attention import dense
from vidgen.parallel.shard import abstract, parameter_shardings
from vidgen.sample.autoencoder import identity_space, vae_shapes
from vidgen.sample.parts import Parts
from vidgen.sample.pipeline import Pipeline, SampleConfig
from vidgen.sample.program import Networks
from vidgen.weights import keymap
from vidgen.weights.keymap import Keymap, Weights
from vidgen.weights.public import umt5, wan

TEXT_LENGTH = 512
FPS = 16
SIZE = (832, 480)


def is_wan(folder: Path) -> bool:
    """Whether a folder says that it holds a Wan pipeline."""
    index = folder / "model_index.json"
    return index.is_file() and _read(index).get("_class_name") == "WanPipeline"


def wan_card(folder: Path) -> dict[str, Any]:
    """What `vidgen.sample.card.Card` needs of it, from its configs alone."""
    networks = wan_networks(folder)
    q, r = networks.vae.patch[1:]
    multiple = max(q * networks.dit.patch[1], r * networks.dit.patch[2])
    return {
        "name": folder.resolve().name,
        "parameters": {part.name: trees.count(part.shapes) for part in _parts(networks)},
        "trained_on": "see the model's own page",
        "scores": {},
        "limits": ["It is a public model: its licence and limits are those on its page."],
        "concepts": [],
        "size": SIZE,
        "size_multiple": multiple,
        "least_side": multiple,
        "most_side": 4096,
        "max_frames": 81,
        "fps": FPS,
    }


def load_wan(folder: Path, dtype: str = "bfloat16", mesh: Mesh | None = None, keep_text: bool = True) -> Pipeline:
    """A pipeline of all parts of the folder.

    Args:
        dtype: of the operands of products; weights keep the type that they are stored in.
        mesh: devices among which the weights are divided as they are read.
        keep_text: whether the text encoder, which is larger than the smaller transformer, is read once and kept, as one
            wants where many prompts are made. Else it is read for each call and freed before the others are read.

    Raises:
        FileNotFoundError: a part is missing.
        ValueError: a part is of another model, or its weights do not fit its config.
    """
    networks = wan_networks(folder, dtype)
    readers = {part.name: functools.partial(_read_part, folder, part, mesh) for part in _parts(networks)}
    if not keep_text:
        for part in _parts(networks):
            keymap.check(Weights(folder / part.folder), part.table, part.shapes)
    params = {name: read() for name, read in readers.items()} if keep_text else Parts(readers)
    schedule = _read(folder / "scheduler" / "scheduler_config.json")
    return Pipeline(
        networks,
        params,
        identity_space(networks.vae.channels),
        PublicTokenizer(folder / "tokenizer" / "spiece.model"),
        TEXT_LENGTH,
        wan_card(folder),
        SampleConfig(
            steps=50,
            guidance=5.0,
            solver="unipc",
            shift=float(schedule.get("flow_shift", 3.0)),
            train_steps=int(schedule.get("num_train_timesteps", 1000)),
        ),
        mesh,
    )


def _read_part(folder: Path, part: "Part", mesh: Mesh | None) -> Any:
    """The parameters of one network."""
    shapes = part.shapes
    if mesh is not None and mesh.size > 1:
        shapes = abstract(shapes, parameter_shardings({part.name: shapes}, mesh)[part.name])
    return keymap.load(Weights(folder / part.folder), part.table, shapes)


def wan_networks(folder: Path, dtype: str = "bfloat16") -> Networks:
    """The shapes, from the configs of the parts.

    Raises:
        FileNotFoundError, ValueError: see `load_wan`.
    """
    dit, text, vae = (_read(folder / name / "config.json") for name in ("transformer", "text_encoder", "vae"))
    if dit.get("image_dim") or dit.get("added_kv_proj_dim"):
        raise ValueError(f"{folder} reads images too, as Wan's image-to-video models do; give a text-to-video one")
    if vae.get("is_residual"):
        raise ValueError(f"{folder} has the VAE of Wan 2.2; give a model of Wan 2.1")
    heads = dit["num_attention_heads"]
    transformer = dataclasses.replace(
        WAN_1_3B,
        patch=tuple(dit["patch_size"]),
        channels=dit["in_channels"],
        width=heads * dit["attention_head_dim"],
        layers=dit["num_layers"],
        heads=heads,
        hidden=dit["ffn_dim"],
        text_width=dit["text_dim"],
        time_width=dit["freq_dim"],
        dtype=dtype,
    )
    encoder = dataclasses.replace(
        UMT5_XXL,
        vocabulary=text["vocab_size"],
        width=text["d_model"],
        layers=text["num_layers"],
        heads=text["num_heads"],
        head_width=text["d_kv"],
        hidden=text["d_ff"],
        buckets=text.get("relative_attention_num_buckets", 32),
        max_distance=text.get("relative_attention_max_distance", 128),
        dtype=dtype,
    )
    plain = WanVAEConfig()
    autoencoder = WanVAEConfig(
        base=vae.get("base_dim", plain.base),
        multipliers=tuple(vae.get("dim_mult", plain.multipliers)),
        channels=vae.get("z_dim", plain.channels),
        blocks=vae.get("num_res_blocks", plain.blocks),
        halve_time=tuple(vae.get("temperal_downsample", plain.halve_time)),
        mean=tuple(vae.get("latents_mean", plain.mean)),
        deviation=tuple(vae.get("latents_std", plain.deviation)),
        dtype=dtype,
    )
    return Networks(autoencoder, encoder, transformer)


class Part(NamedTuple):
    """A network of the model: the name of its parameters, its folder and the name of its files, its table of names, and
    its parameters as shapes.
    """

    name: str
    folder: str
    file: str
    table: Keymap
    shapes: Any


def wan_parts(folder: Path) -> tuple[Part, ...]:
    """The networks of a folder. Raises FileNotFoundError or ValueError, see `load_wan`."""
    return _parts(wan_networks(folder))


def _parts(networks: Networks) -> tuple[Part, ...]:
    dit, text, vae = networks.dit, networks.text, networks.vae
    if not isinstance(vae, WanVAEConfig):
        raise ValueError(f"Wan's VAE is convolutional; a {type(vae).__name__} was given")
    large = "diffusion_pytorch_model"
    return (
        Part("dit", "transformer", large, wan.transformer(dit), _dit_shapes(dit)),
        Part("text", "text_encoder", "model", umt5.encoder(), _text_shapes(text)),
        Part("vae", "vae", large, wan.vae(vae), vae_shapes(vae)),
    )


def _dit_shapes(config: DiTConfig) -> Any:
    tokens = _shape(1, 1, config.channels * int(np.prod(config.patch)))
    whole = _shape(1, 1, 3, dtype=jnp.int32)
    ids, real = _shape(1, 1, dtype=jnp.int32), _shape(1, 1, dtype=jnp.bool_)
    text = _shape(1, 1, config.text_width)
    return _init(DiT(config, dense), tokens, whole, whole, _shape(1, 1), ids, text, real)


def _text_shapes(config: TextConfig) -> Any:
    return _init(TextEncoder(config), _shape(1, 1, dtype=jnp.int32))


def _init(module: Any, *inputs: jax.ShapeDtypeStruct) -> Any:
    return jax.eval_shape(module.init, jax.eval_shape(lambda: jax.random.key(0)), *inputs)["params"]


def _shape(*shape: int, dtype: Any = jnp.float32) -> jax.ShapeDtypeStruct:
    return jax.ShapeDtypeStruct(shape, dtype)


def _read(file: Path) -> dict[str, Any]:
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise FileNotFoundError(
            f"{file} is missing: give a whole folder of a Wan model, as diffusers saves it"
        ) from None
    except json.JSONDecodeError as error:
        raise ValueError(f"{file} is not JSON ({error}); fetch it again") from error
