# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Public models in the folders that diffusers keeps them in: which one a folder holds, and its networks one by one."""

import json
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from jax.sharding import Mesh

from vidgen import trees
from vidgen.data.tokenizer import AnyTokenizer
from vidgen.parallel.shard import abstract, parameter_shardings
from vidgen.sample.program import Networks
from vidgen.weights import keymap
from vidgen.weights.files import Weights
from vidgen.weights.keymap import Keymap

INDEX = "model_index.json"
NAMES = "names.json"
LARGE = "diffusion_pytorch_model"
"""What diffusers calls the files of a network."""


class Part(NamedTuple):
    """A network of the model: the name of its parameters, its folder and the name of its files, its table of names, and
    its parameters as shapes. Where the files hold several networks the name is empty, and these are by theirs.
    """

    name: str
    folder: str
    file: str
    table: Keymap
    shapes: Any

    @property
    def networks(self) -> dict[str, Any]:
        """The shapes by the name of the network."""
        return {self.name: self.shapes} if self.name else self.shapes

    def counts(self) -> dict[str, int]:
        """How many parameters each network has."""
        return {name: trees.count(shapes) for name, shapes in self.networks.items()}


class PublicModel(NamedTuple):
    """How a kind of model is read from its folder.

    card(folder): see `vidgen.sample.card.Card`. load(folder, reader): the pipeline, whose text encoder is freed after
    use where it is large. parts(folder): its networks. networks(folder): their shapes. tokenizer(folder): of
    captions. text_length: tokens of a prompt.
    """

    card: Callable[[Path], dict[str, Any]]
    load: Callable[[Path, "Reader"], Any]
    parts: Callable[[Path], tuple[Part, ...]]
    networks: Callable[[Path], Networks]
    tokenizer: Callable[[Path], AnyTokenizer]
    text_length: int


def class_name(folder: Path) -> str:
    """What the folder's index calls the pipeline; empty where there is no index."""
    index = folder / INDEX
    return str(read_json(index).get("_class_name", "")) if index.is_file() else ""


def public_model(folder: Path) -> PublicModel | None:
    """How the folder's model is read, or None where it holds none that is known here."""
    from vidgen.sample import classes, wan  # which are made of what is in this file

    name = class_name(folder)
    if name == "WanPipeline":
        return PublicModel(
            wan.wan_card,
            lambda folder, read: wan.load_wan(folder, keep_text=False, read=read),
            wan.wan_parts,
            wan.wan_networks,
            wan.wan_tokenizer,
            wan.TEXT_LENGTH,
        )
    if name in classes.PIPELINES:
        return PublicModel(
            classes.class_card,
            lambda folder, read: classes.load_classes(folder, read=read),
            classes.class_parts,
            classes.class_networks,
            lambda folder: classes.class_tokenizer(folder, within=True),
            1,
        )
    return None


class Reader(Protocol):
    """Reads the parameters of a part of the model in a folder."""

    def __call__(
        self, folder: Path, part: Part, mesh: Mesh | None = None, dtype: Any = None, in_int8: bool = False
    ) -> Any:
        """See `read_part`."""
        ...


def read_part(folder: Path, part: Part, mesh: Mesh | None = None, dtype: Any = None, in_int8: bool = False) -> Any:
    """The parameters of one part, each device's own where there is a mesh; see `vidgen.weights.keymap.load`."""
    small = in_int8 and part.name != "vae"
    return keymap.load(Weights(folder / part.folder), part.table, placed_shapes(part, mesh), dtype, small)


def placed_shapes(part: Part, mesh: Mesh | None) -> Any:
    """The shapes of a part, with shardings where there is a mesh."""
    if mesh is None or mesh.size == 1:
        return part.shapes
    placed = {name: abstract(one, parameter_shardings({name: one}, mesh)[name]) for name, one in part.networks.items()}
    return placed[part.name] if part.name else placed


def tensor_names(folder: Path) -> Collection[str]:
    """Their names of the tensors of a part, or those that were there when the model was imported."""
    file = folder / NAMES
    return json.loads(file.read_text(encoding="utf-8")) if file.is_file() else Weights(folder).tensors


def read_json(file: Path) -> dict[str, Any]:
    """What a JSON file holds. Raises FileNotFoundError or ValueError with what to do."""
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise FileNotFoundError(f"{file} is missing: give a whole folder of a model, as diffusers saves it") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"{file} is not JSON ({error}); fetch it again") from error
