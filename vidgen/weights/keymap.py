# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Weights under other names: one table of rules a model, read in both directions by one engine.

A rule says which of their tensors is which of our parameters and how it is turned. Where their name has `{N}` it is of
one of many layers: if ours has it too, each is a parameter of its own, and if not, one array holds them all. Tensors go
one at a time from the mapped file into their place on the devices.
"""

import dataclasses
import functools
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import safetensors
from jax import Array
from jax.sharding import NamedSharding, SingleDeviceSharding
from jax.sharding import PartitionSpec as P

from vidgen import trees
from vidgen.weights.safetensors import write_tensors

LAYER = "{N}"
"""Stands for the number of a layer in their names."""
SHARD_BYTES = 5 * 2**30
"""Of the files of a model that is written: as the public tools cut them."""
_PICKLES = (".pt", ".pth", ".bin", ".ckpt", ".pkl")


@dataclasses.dataclass(frozen=True)
class Change:
    """How one of their tensors becomes our array, and back; both are functions of arrays of NumPy or JAX."""

    forward: Callable[[Any], Any]
    back: Callable[[Any], Any]


SAME = Change(lambda x: x, lambda x: x)
TRANSPOSED = Change(lambda x: x.T, lambda x: x.T)
"""PyTorch's linear layers hold [outputs, inputs], ours [inputs, outputs]."""
WITHOUT_FIRST = Change(lambda x: x[0], lambda x: x[None])
"""Tables that carry a batch axis of 1."""


CONVOLUTION = Change(
    lambda x: x.transpose(*range(2, x.ndim), 1, 0), lambda x: x.transpose(x.ndim - 1, x.ndim - 2, *range(x.ndim - 2))
)
"""PyTorch's kernels are [outputs, inputs, ...sides], ours [...sides, inputs, outputs]."""


def sides(count: int) -> Change:
    """A vector that carries so many axes of 1 behind it."""
    return Change(lambda x: x.reshape(-1), lambda x: x.reshape(-1, *[1] * count))


def patches(patch: tuple[int, int, int], channels: int) -> Change:
    """A convolution that cuts patches, [D, C, p, q, r], as the product that it is, [p q r C, D]."""
    return Change(
        lambda x: x.transpose(2, 3, 4, 1, 0).reshape(-1, x.shape[0]),
        lambda x: x.reshape(*patch, channels, x.shape[-1]).transpose(4, 3, 0, 1, 2),
    )


@dataclasses.dataclass(frozen=True)
class Rule:
    """One row of a table: their name, our path, and how the one becomes the other."""

    theirs: str
    ours: str
    change: Change = SAME


Keymap = tuple[Rule, ...]


def linear(theirs: str, ours: str) -> Keymap:
    """The two rows of a linear layer with a bias."""
    return Rule(f"{theirs}.weight", f"{ours}/kernel", TRANSPOSED), Rule(f"{theirs}.bias", f"{ours}/bias")


def convolution(theirs: str, ours: str) -> Keymap:
    """The two rows of a convolution with a bias."""
    return Rule(f"{theirs}.weight", f"{ours}/kernel", CONVOLUTION), Rule(f"{theirs}.bias", f"{ours}/bias")


def norm(theirs: str, ours: str) -> Keymap:
    """The two rows of a norm with an affine map."""
    return Rule(f"{theirs}.weight", f"{ours}/scale"), Rule(f"{theirs}.bias", f"{ours}/bias")


@dataclasses.dataclass(frozen=True)
class Tensor:
    """What a file says of a tensor, without its values."""

    shape: tuple[int, ...]
    dtype: str
    file: Path


class Weights:
    """The tensors of a safetensors file, or of a folder of them, by name; values are read when they are asked for."""

    def __init__(self, path: str | Path) -> None:
        """Reads the headers.

        Raises:
            FileNotFoundError: there is no such file, or no weights in the folder.
            ValueError: a file is a pickle, is damaged, or is not what the folder's index says.
        """
        self.files = tuple(weight_files(Path(path)))
        self._open = {file: _opened(file) for file in self.files}
        self.tensors: dict[str, Tensor] = {}
        for file, handle in self._open.items():
            for name in handle.keys():  # noqa: SIM118 - not a dictionary
                if name in self.tensors:
                    raise ValueError(f"{name} is both in {self.tensors[name].file.name} and in {file.name}")
                part = handle.get_slice(name)
                self.tensors[name] = Tensor(tuple(part.get_shape()), part.get_dtype(), file)

    def read(self, name: str) -> np.ndarray:
        """The values of one tensor."""
        return self._open[self.tensors[name].file].get_tensor(name)

    def metadata(self) -> dict[str, str]:
        """What the first file says of itself."""
        return dict(self._open[self.files[0]].metadata() or {})


def weight_files(path: Path) -> list[Path]:
    """The safetensors files that a path stands for: itself, or those of a folder, by its index if it has one.

    Raises:
        FileNotFoundError: there are none.
        ValueError: they are pickles, or the index is damaged.
    """
    if path.suffix in _PICKLES:
        raise ValueError(
            f"{path} is a pickle, which can run code as it is read: where you trust it, convert it once, with PyTorch, "
            f"by safetensors.torch.save_file(torch.load(FILE, weights_only=True), 'model.safetensors')"
        )
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise FileNotFoundError(f"there are no weights at {path}: give a .safetensors file or a folder of them")
    for index in sorted(path.glob("*.safetensors.index.json")):
        try:
            names = sorted({*json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()})
        except (json.JSONDecodeError, KeyError, AttributeError) as error:
            raise ValueError(f"{index} is no index of weights: it lacks weight_map") from error
        missing = [name for name in names if not (path / name).is_file()]
        if missing:
            raise FileNotFoundError(f"{index} names {', '.join(missing)}, which {path} lacks: fetch what is missing")
        return [path / name for name in names]
    files = sorted(path.glob("*.safetensors"))
    if not files:
        pickles = [file for file in path.iterdir() if file.suffix in _PICKLES]
        if pickles:
            return weight_files(sorted(pickles)[0])
        raise FileNotFoundError(f"there is no .safetensors file in {path}")
    return files


def _opened(file: Path) -> Any:
    try:
        return safetensors.safe_open(file, framework="numpy")
    except safetensors.SafetensorError as error:
        raise ValueError(f"{file} is not a complete safetensors file ({error}); fetch or write it again") from error


@dataclasses.dataclass(frozen=True)
class Place:
    """Where one of their tensors belongs: a path of ours, a layer or None for all of it, and how it is turned."""

    ours: str
    layer: int | None
    change: Change
    shape: tuple[int, ...]


def places(keymap: Keymap, like: Any) -> dict[str, Place]:
    """For each of their names, in the order of the table, the place and their shape.

    Args:
        like: a tree of arrays or `jax.ShapeDtypeStruct`s: what the network wants.

    Raises:
        ValueError: the table and the network do not have the same parameters.
    """
    want = trees.flatten_names(like)
    keymap = tuple(one for rule in keymap for one in _apart(rule, want))
    ruled = {rule.ours for rule in keymap}
    if ruled != set(want):
        odd = sorted(ruled ^ set(want))
        raise ValueError(f"the table and the network differ in {', '.join(odd[:5])}")
    found: dict[str, Place] = {}
    for rule in keymap:
        shape = tuple(want[rule.ours].shape)
        if LAYER in rule.theirs:
            theirs = _back_shape(rule.change, shape[1:])
            for layer in range(shape[0]):
                found[rule.theirs.replace(LAYER, str(layer))] = Place(rule.ours, layer, rule.change, theirs)
        else:
            found[rule.theirs] = Place(rule.ours, None, rule.change, _back_shape(rule.change, shape))
    return found


def _apart(rule: Rule, want: Mapping[str, Any]) -> Iterator[Rule]:
    """A rule for each layer, where layers are parameters of their own."""
    if LAYER not in rule.ours:
        yield rule
        return
    layer = 0
    while (ours := rule.ours.replace(LAYER, str(layer))) in want:
        yield Rule(rule.theirs.replace(LAYER, str(layer)), ours, rule.change)
        layer += 1


def _back_shape(change: Change, shape: tuple[int, ...]) -> tuple[int, ...]:
    return jax.eval_shape(change.back, jax.ShapeDtypeStruct(shape, jnp.float32)).shape


def check(weights: Weights, keymap: Keymap, like: Any) -> dict[str, Place]:
    """`places`, if the weights have just those tensors.

    Raises:
        ValueError: names the first five that are missing, left over or of another shape.
    """
    wanted, wrong = places(keymap, like), []
    for name in sorted(wanted.keys() | weights.tensors.keys()):
        if name not in weights.tensors:
            wrong.append(f"{name} {wanted[name].shape} is missing")
        elif name not in wanted:
            wrong.append(f"{name} {weights.tensors[name].shape} has no place in the network")
        elif weights.tensors[name].shape != wanted[name].shape:
            wrong.append(f"{name} is {weights.tensors[name].shape} and the network wants {wanted[name].shape}")
    if wrong:
        more = f"; and {len(wrong) - 5} more" if len(wrong) > 5 else ""
        raise ValueError(f"these weights belong to another network: {'; '.join(wrong[:5])}{more}")
    return wanted


def load(weights: Weights, keymap: Keymap, like: Any, dtype: Any = None) -> Any:
    """Our parameters from their tensors, which are read one after another.

    Args:
        like: a tree of `jax.ShapeDtypeStruct`s; where they have shardings, each device gets its part.
        dtype: of the result; None keeps what the file has, which must be one for all layers of a parameter.

    Raises:
        ValueError: see `check`; or layers of one parameter have several types and no dtype is given.
    """
    wanted = check(weights, keymap, like)
    leaves = trees.flatten_names(like)
    loaded: dict[str, Array] = {}
    for name, place in wanted.items():
        struct = leaves[place.ours]
        value = place.change.forward(weights.read(name))
        kind = value.dtype if dtype is None else jnp.dtype(dtype)
        whole = getattr(struct, "sharding", None) or SingleDeviceSharding(jax.devices()[0])
        if place.layer is None:
            loaded[place.ours] = jax.device_put(np.ascontiguousarray(value.astype(kind)), whole)
            continue
        if place.ours not in loaded:
            loaded[place.ours] = _zeros(struct.shape, kind, whole)
        if loaded[place.ours].dtype != kind:
            raise ValueError(f"{name} is {kind} and layers before it are {loaded[place.ours].dtype}: give a dtype")
        layer = jax.device_put(np.ascontiguousarray(value.astype(kind)), _of_layer(whole))
        loaded[place.ours] = _put(loaded[place.ours], layer, place.layer)
    return trees.unflatten(loaded)


def _of_layer(sharding: Any) -> Any:
    """The sharding of one layer of an array whose layers are whole on every device that has them."""
    return NamedSharding(sharding.mesh, P(*sharding.spec[1:])) if isinstance(sharding, NamedSharding) else sharding


@functools.partial(jax.jit, static_argnums=(0, 1, 2))
def _filled(shape: tuple[int, ...], dtype: Any, sharding: Any) -> Array:
    return jax.lax.with_sharding_constraint(jnp.zeros(shape, dtype), sharding)


def _zeros(shape: tuple[int, ...], dtype: Any, sharding: Any) -> Array:
    if isinstance(sharding, NamedSharding):
        return _filled(tuple(shape), jnp.dtype(dtype), sharding)
    return jax.device_put(jnp.zeros(shape, dtype), sharding)


@functools.partial(jax.jit, donate_argnums=0)
def _put(stack: Array, layer: Array, at: int) -> Array:
    return jax.lax.dynamic_update_index_in_dim(stack, layer, at, 0)


def save(
    folder: str | Path,
    params: Any,
    keymap: Keymap,
    *,
    name: str = "model",
    dtype: Any = None,
    metadata: Mapping[str, str] | None = None,
    shard_bytes: int = SHARD_BYTES,
) -> list[Path]:
    """Writes our parameters under their names, in one file or in several with an index, as the public tools do.

    Args:
        folder: is made if it is not there; name: of the files, as in name.safetensors.
        dtype: None keeps that of each parameter.
        shard_bytes: most bytes of a file, unless one tensor is larger.

    Returns:
        The files with tensors.

    Raises:
        ValueError: see `places`.
    """
    folder, leaves = Path(folder), trees.flatten_names(params)
    folder.mkdir(parents=True, exist_ok=True)
    groups: list[list[tuple[str, Place]]] = [[]]
    size = 0
    for theirs, place in places(keymap, params).items():
        bytes_ = int(np.prod(place.shape)) * jnp.dtype(dtype or leaves[place.ours].dtype).itemsize
        if groups[-1] and size + bytes_ > shard_bytes:
            groups.append([])
            size = 0
        groups[-1].append((theirs, place))
        size += bytes_
    count = len(groups)
    names = [f"{name}.safetensors"]
    if count > 1:
        names = [f"{name}-{number:05d}-of-{count:05d}.safetensors" for number in range(1, count + 1)]
    for file, group in zip(names, groups, strict=True):
        write_tensors(folder / file, _values(group, leaves, dtype), metadata)
    if count > 1:
        index = {"metadata": {}, "weight_map": {t: f for f, group in zip(names, groups, strict=True) for t, _ in group}}
        (folder / f"{name}.safetensors.index.json").write_text(json.dumps(index, indent=2) + "\n", encoding="utf-8")
    return [folder / file for file in names]


def _values(
    group: Sequence[tuple[str, Place]], leaves: Mapping[str, Any], dtype: Any
) -> Iterator[tuple[str, tuple[int, ...], np.dtype, Callable[[], np.ndarray]]]:
    """(name, shape, dtype, a function that gives the values) of each tensor."""
    for theirs, place in group:
        leaf = leaves[place.ours]
        kind = np.dtype(jnp.dtype(dtype or leaf.dtype))

        def values(leaf: Any = leaf, place: Place = place, kind: np.dtype = kind) -> np.ndarray:
            ours = np.asarray(leaf if place.layer is None else leaf[place.layer])
            return np.ascontiguousarray(place.change.back(ours).astype(kind))

        yield theirs, place.shape, kind, values
