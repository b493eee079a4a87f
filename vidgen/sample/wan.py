# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Wan 2.1 from the folder that diffusers keeps it in: shapes, weights, tokenizer, schedule, as a pipeline of ours."""

import dataclasses
import functools
from pathlib import Path
from typing import Any

from jax.sharding import Mesh

from vidgen import trees
from vidgen.data.tokenizer import PublicTokenizer
from vidgen.models.presets import UMT5_XXL, WAN_1_3B
from vidgen.models.wan_vae import WanVAEConfig
from vidgen.sample.autoencoder import identity_space, vae_shapes
from vidgen.sample.parts import Parts
from vidgen.sample.pipeline import Pipeline
from vidgen.sample.program import Networks
from vidgen.sample.public import LARGE, NAMES, Part, Reader, read_json, read_part
from vidgen.sample.sampler import SampleConfig
from vidgen.weights import keymap
from vidgen.weights.files import Weights
from vidgen.weights.public import umt5, wan
from vidgen.weights.shapes import dit_shapes, text_shapes

TEXT_LENGTH = 512
FPS = 16
SIZE = (832, 480)


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


def load_wan(
    folder: Path,
    dtype: str = "bfloat16",
    mesh: Mesh | None = None,
    keep_text: bool = True,
    read: Reader | None = None,
) -> Pipeline:
    """A pipeline of all parts of the folder.

    Args:
        dtype: of the operands of products; weights keep the type that they are stored in.
        mesh: devices among which the weights are divided as they are read.
        keep_text: whether the text encoder, which is larger than the smaller transformer, is read once and kept, as one
            wants where many prompts are made. Else it is read for each call and freed before the others are read.
        read: reads the parameters of a part; None for `vidgen.sample.public.read_part`.

    Raises:
        FileNotFoundError: a part is missing.
        ValueError: a part is of another model, or its weights do not fit its config.
    """
    read = read or read_part
    networks = wan_networks(folder, dtype)
    readers = {part.name: functools.partial(read, folder, part, mesh) for part in _parts(networks)}
    if not keep_text:
        for part in (one for one in _parts(networks) if not (folder / one.folder / NAMES).is_file()):
            keymap.check(Weights(folder / part.folder), part.table, part.shapes)
    params = {name: read() for name, read in readers.items()} if keep_text else Parts(readers)
    schedule = read_json(folder / "scheduler" / "scheduler_config.json")
    return Pipeline(
        networks,
        params,
        identity_space(networks.vae.channels),
        wan_tokenizer(folder),
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


def wan_tokenizer(folder: Path) -> PublicTokenizer:
    """The tokenizer of a folder. Raises FileNotFoundError or ValueError where there is none."""
    return PublicTokenizer(folder / "tokenizer" / "spiece.model")


def wan_networks(folder: Path, dtype: str = "bfloat16") -> Networks:
    """The shapes, from the configs of the parts.

    Raises:
        FileNotFoundError, ValueError: see `load_wan`.
    """
    dit, text, vae = (read_json(folder / name / "config.json") for name in ("transformer", "text_encoder", "vae"))
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


def wan_parts(folder: Path) -> tuple[Part, ...]:
    """The networks of a folder. Raises FileNotFoundError or ValueError, see `load_wan`."""
    return _parts(wan_networks(folder))


def _parts(networks: Networks) -> tuple[Part, ...]:
    dit, text, vae = networks.dit, networks.text, networks.vae
    if not isinstance(vae, WanVAEConfig):
        raise ValueError(f"Wan's VAE is convolutional; a {type(vae).__name__} was given")
    return (
        Part("dit", "transformer", LARGE, wan.transformer(dit), dit_shapes(dit)),
        Part("text", "text_encoder", "model", umt5.encoder(), text_shapes(text)),
        Part("vae", "vae", LARGE, wan.vae(vae), vae_shapes(vae)),
    )
