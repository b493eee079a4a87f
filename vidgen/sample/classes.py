# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""DiT and SiT from a folder as diffusers keeps DiT: a pipeline of ours that makes pictures of classes."""

import dataclasses
from pathlib import Path
from typing import Any

from jax.sharding import Mesh

from vidgen.data.labels import LabelTokenizer
from vidgen.models.picture_vae import PictureVAEConfig
from vidgen.models.presets import DIT_XL_2, SIT_XL_2
from vidgen.models.text import LabelConfig
from vidgen.sample.autoencoder import identity_space, vae_shapes
from vidgen.sample.pipeline import Pipeline
from vidgen.sample.program import Networks
from vidgen.sample.public import INDEX, LARGE, Part, Reader, class_name, read_json, read_part, tensor_names
from vidgen.sample.sampler import SampleConfig
from vidgen.weights.public import dit, picture_vae
from vidgen.weights.shapes import dit_shapes, text_shapes

PIPELINES = {"DiTPipeline": DIT_XL_2, "SiTPipeline": SIT_XL_2}
"""What a folder's index calls the pipeline, and the network that it means. diffusers has no SiT: its folder is one of
DiT's with another name in the index."""
GUIDED = 3
"""Channels that are guided, as both models' own samplers do."""


def class_networks(folder: Path, dtype: str = "bfloat16", as_diffusers: bool = False) -> Networks:
    """The shapes, from the configs of the parts.

    Raises:
        FileNotFoundError, ValueError: see `load_classes`.
    """
    network, vae = (read_json(folder / name / "config.json") for name in ("transformer", "vae"))
    _check_schedule(folder)
    heads, patch, channels = network["num_attention_heads"], network["patch_size"], network["in_channels"]
    width = heads * network["attention_head_dim"]
    says = network.get("out_channels") or channels
    if says not in (channels, 2 * channels):
        raise ValueError(f"{folder} has {channels} channels and says {says}; it must say as many, or twice as many")
    config = dataclasses.replace(
        PIPELINES[class_name(folder)],
        patch=(1, patch, patch),
        channels=channels,
        width=width,
        layers=network["num_layers"],
        heads=heads,
        hidden=4 * width,
        text_width=width,
        grid=network["sample_size"] // patch,
        doubled=says == 2 * channels,
        as_diffusers=as_diffusers,
        dtype=dtype,
    )
    plain = PictureVAEConfig()
    autoencoder = PictureVAEConfig(
        widths=tuple(vae.get("block_out_channels", plain.widths)),
        channels=vae.get("latent_channels", plain.channels),
        blocks=vae.get("layers_per_block", plain.blocks),
        groups=vae.get("norm_num_groups", plain.groups),
        scale=vae.get("scaling_factor", plain.scale),
        dtype=dtype,
    )
    if autoencoder.channels != channels:
        raise ValueError(f"{folder} has a VAE of {autoencoder.channels} channels and a transformer of {channels}")
    return Networks(autoencoder, LabelConfig(network["num_embeds_ada_norm"], width, dtype), config, GUIDED)


def _check_schedule(folder: Path) -> None:
    """Raises ValueError for a diffusion of other steps than DiT was trained on."""
    file = folder / "scheduler" / "scheduler_config.json"
    found = read_json(file) if file.is_file() else {}
    wanted = {"num_train_timesteps": 1000, "beta_start": 1e-4, "beta_end": 0.02, "beta_schedule": "linear"}
    wrong = {name: found[name] for name, value in wanted.items() if found.get(name, value) != value}
    if wrong and class_name(folder) == "DiTPipeline":
        raise ValueError(f"{file} has {wrong}; only DiT's own diffusion is known here: {wanted}")


def class_parts(folder: Path) -> tuple[Part, ...]:
    """The networks of a folder. Raises FileNotFoundError or ValueError, see `load_classes`."""
    return _parts(folder, class_networks(folder))


def _parts(folder: Path, networks: Networks) -> tuple[Part, ...]:
    table = dit.original if "x_embedder.proj.weight" in tensor_names(folder / "transformer") else dit.diffusers
    old = picture_vae.has_old_names(tensor_names(folder / "vae"))
    shapes = {"dit": dit_shapes(networks.dit), "text": text_shapes(networks.text)}
    assert isinstance(networks.vae, PictureVAEConfig)
    return (
        Part("", "transformer", LARGE, table(networks.dit), shapes),
        Part("vae", "vae", LARGE, picture_vae.vae(networks.vae, old), vae_shapes(networks.vae)),
    )


def class_tokenizer(folder: Path, within: bool = False) -> LabelTokenizer:
    """The classes by number and by the names that the folder's index gives them; within: see `LabelTokenizer`."""
    names = {int(number): name for number, name in (read_json(folder / INDEX).get("id2label") or {}).items()}
    return LabelTokenizer(read_json(folder / "transformer" / "config.json")["num_embeds_ada_norm"], names, within)


def class_card(folder: Path) -> dict[str, Any]:
    """What `vidgen.sample.card.Card` needs of it, from its configs alone."""
    networks = class_networks(folder)
    side = networks.vae.patch[1]
    multiple, own = side * networks.dit.patch[1], side * networks.dit.patch[1] * networks.dit.grid
    counts: dict[str, int] = {}
    for part in _parts(folder, networks):
        counts |= part.counts()
    return {
        "name": folder.resolve().name,
        "parameters": counts,
        "trained_on": "see the model's own page",
        "scores": {},
        "limits": ["It is a public model: its licence and limits are those on its page.",
                   "Its prompt is a class, by number or name, and it makes pictures."],
        "concepts": [],
        "size": (own, own),
        "size_multiple": multiple,
        "least_side": multiple,
        "most_side": 4096,
        "max_frames": 1,
        "fps": 1,
    }  # fmt: skip


def load_classes(
    folder: Path,
    dtype: str = "bfloat16",
    mesh: Mesh | None = None,
    as_diffusers: bool = False,
    read: Reader = read_part,
) -> Pipeline:
    """A pipeline of all parts of the folder, sampled as the model's own code samples.

    Args:
        dtype: of the operands of products; weights keep the type that they are stored in.
        mesh: devices among which the weights are divided as they are read.
        as_diffusers: see `vidgen.models.dit.DiTConfig`.
        read: reads the parameters of a part.

    Raises:
        FileNotFoundError: a part is missing.
        ValueError: a part is of another model, or its weights do not fit its config.
    """
    networks = class_networks(folder, dtype, as_diffusers)
    params: dict[str, Any] = {}
    for part in _parts(folder, networks):
        tree = read(folder, part, mesh)
        params |= {part.name: tree} if part.name else tree
    solver = "ddpm" if networks.dit.says == "noise" else "sde"
    return Pipeline(
        networks,
        params,
        identity_space(networks.vae.channels),
        class_tokenizer(folder),
        1,
        class_card(folder),
        SampleConfig(steps=250, guidance=4.0, solver=solver, shift=1.0),
        mesh,
    )
