# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""A public model in a folder of our own: its parameters under our names, from which runs can start, and all that its
own folder has beside weights, so that it can be written back as it was.
"""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh

from vidgen import config as vidgen_config
from vidgen import trees
from vidgen.data.tokenizer import AnyTokenizer, load_tokenizer
from vidgen.sample.autoencoder import identity_space
from vidgen.sample.card import Card
from vidgen.sample.public import NAMES, Part, placed_shapes, public_model, read_part
from vidgen.weights import keymap
from vidgen.weights.files import Weights
from vidgen.weights.keymap import Rule
from vidgen.weights.safetensors import write_tensors

CONFIGS = "public"
"""Where the rest of the public folder lies in ours."""
_WEIGHTS = ("*.safetensors", "*.safetensors.index.json", "*.bin", "*.pt", "*.pth", "*.ckpt")
_FILES = {"dit": "dit.safetensors", "text": "dit.safetensors", "vae": "vae.safetensors"}
_Tensors = Iterator[tuple[str, tuple[int, ...], np.dtype, Callable[[], np.ndarray]]]


def import_model(folder: Path, out: Path, dtype: Any = None) -> None:
    """Writes a public model's folder as one of ours: card.json, dit.safetensors, vae.safetensors, and public/.

    Args:
        out: is made; dtype: None keeps that of each weight.

    Raises:
        ValueError, FileNotFoundError: the folder holds no model that is known, or its weights do not fit.
    """
    public = public_model(folder)
    if public is None:
        raise ValueError(f"{folder} holds no model that is known here: give a folder of Wan 2.1, DiT or SiT")
    shutil.copytree(folder, out / CONFIGS, ignore=shutil.ignore_patterns(*_WEIGHTS))
    Card.from_dict(public.card(folder)).save(out)
    networks, trees_ = public.networks(folder), dict[str, Any]()
    for part in public.parts(folder):
        tree = read_part(folder, part, None, dtype)
        trees_ |= {part.name: tree} if part.name else tree
        names = sorted(Weights(folder / part.folder).tensors)
        (out / CONFIGS / part.folder / NAMES).write_text(json.dumps(names), encoding="utf-8")
    vae = {**trees_.pop("vae"), "space": vars(identity_space(networks.vae.channels))}
    metadata = {
        "text_config": vidgen_config.to_json(networks.text),
        "dit_config": vidgen_config.to_json(networks.dit),
        "text_length": public.text_length,
    }
    write_tensors(out / "dit.safetensors", _stored(trees_), {key: json.dumps(x) for key, x in metadata.items()})
    write_tensors(out / "vae.safetensors", _stored(vae), {"config": json.dumps(vidgen_config.to_json(networks.vae))})


def _stored(tree: Any) -> _Tensors:
    for name, leaf in trees.flatten_names(tree).items():
        kind = np.dtype(jnp.dtype(leaf.dtype))
        yield name, tuple(leaf.shape), kind, lambda leaf=leaf: np.asarray(leaf)


def is_imported(weights: str | Path) -> bool:
    """Whether a file of weights is one of an imported model, or of one that was trained from it."""
    return bool(str(weights)) and Path(weights).with_name(CONFIGS).is_dir()


def copy_configs(weights: str | Path, folder: Path) -> None:
    """Puts what an imported model has beside its weights into another folder, if `weights` is of such a model."""
    if is_imported(weights):
        shutil.copytree(Path(weights).with_name(CONFIGS), folder / CONFIGS, dirs_exist_ok=True)


def tokenizer_beside(weights: str | Path) -> AnyTokenizer:
    """The tokenizer of an imported model by one of its files, and ours where it is none of such a model."""
    if not is_imported(weights):
        return load_tokenizer()
    folder = Path(weights).with_name(CONFIGS)
    public = public_model(folder)
    return load_tokenizer() if public is None else public.tokenizer(folder)


def read_imported(folder: Path, part: Part, mesh: Mesh | None = None, dtype: Any = None, in_int8: bool = False) -> Any:
    """As `vidgen.sample.public.read_part`, from the folder in which `folder` is `CONFIGS`."""
    shapes = placed_shapes(part, mesh)
    name = part.name or "dit"
    prefix = f"{name}/" if name == "text" or (name == "dit" and part.name) else ""
    prefixes = (prefix,) if prefix else ("encoder/", "decoder/") if name == "vae" else ("dit/", "text/")
    table = tuple(Rule(f"{prefix}{path}", path) for path in trees.flatten_names(shapes))
    weights, small = Weights(folder.parent / _FILES[name]).under(prefixes), in_int8 and name != "vae"
    return keymap.load(weights, table, shapes, dtype, small)
