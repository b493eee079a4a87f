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
from jax import Array
from jax.sharding import NamedSharding, SingleDeviceSharding
from jax.sharding import PartitionSpec as P

from vidgen import trees
from vidgen.weights import int8
from vidgen.weights.files import Weights
from vidgen.weights.safetensors import write_tensors

LAYER = "{N}"
"""Stands for the number of a layer in their names."""
SHARD_BYTES = 5 * 2**30
"""Of the files of a model that is written: as the public tools cut them."""


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


def picture_patches(patch: tuple[int, int], channels: int) -> Change:
    """A convolution that cuts patches of a picture, [D, C, q, r], as the product that it is, [q r C, D]."""
    whole = patches((1, *patch), channels)
    return Change(lambda x: whole.forward(x[:, :, None]), lambda x: whole.back(x)[:, :, 0])


@dataclasses.dataclass(frozen=True)
class Rule:
    """One row of a table: their name, our path, and how the one becomes the other.

    Attributes:
        ours: several where theirs is one array of them all, equally large and one after another along its first axis.
        alike: for a name with `LAYER`, how many layers have the tensor, where ours is one for all of them.
    """

    theirs: str
    ours: str | tuple[str, ...]
    change: Change = SAME
    alike: int = 0


@dataclasses.dataclass(frozen=True)
class Constant:
    """A tensor of theirs that is no parameter: `values` computes what it must be, float32."""

    theirs: str
    values: Callable[[], np.ndarray]


Rules = tuple[Rule, ...]
Keymap = tuple[Rule | Constant, ...]


def linear(theirs: str, ours: str) -> Rules:
    """The two rows of a linear layer with a bias."""
    return Rule(f"{theirs}.weight", f"{ours}/kernel", TRANSPOSED), Rule(f"{theirs}.bias", f"{ours}/bias")


def fused(theirs: str, *ours: str) -> Rules:
    """The two rows of a linear layer with a bias that is several of ours."""
    kernels, biases = (tuple(f"{one}/{name}" for one in ours) for name in ("kernel", "bias"))
    return Rule(f"{theirs}.weight", kernels, TRANSPOSED), Rule(f"{theirs}.bias", biases)


def convolution(theirs: str, ours: str) -> Rules:
    """The two rows of a convolution with a bias."""
    return Rule(f"{theirs}.weight", f"{ours}/kernel", CONVOLUTION), Rule(f"{theirs}.bias", f"{ours}/bias")


def norm(theirs: str, ours: str) -> Rules:
    """The two rows of a norm with an affine map."""
    return Rule(f"{theirs}.weight", f"{ours}/scale"), Rule(f"{theirs}.bias", f"{ours}/bias")


@dataclasses.dataclass(frozen=True)
class Place:
    """Where one of their tensors belongs.

    Attributes:
        shape: of theirs.
        ours: paths of ours, which share it in equal parts along its first axis; none where it is a constant.
        layer: of ours, or None for all of it.
        change: how a part is turned.
        first: the name of the tensor that it must be alike, where ours is one for several of theirs.
        values: of a constant.
    """

    shape: tuple[int, ...]
    ours: tuple[str, ...] = ()
    layer: int | None = None
    change: Change = SAME
    first: str = ""
    values: Callable[[], np.ndarray] | None = None

    def parts(self, theirs: Any) -> list[tuple[str, Any]]:
        """(path, array as ours) of each of ours."""
        cut = theirs.shape[0] // len(self.ours) if len(self.ours) > 1 else 0
        pieces = [theirs[i * cut : (i + 1) * cut] for i in range(len(self.ours))] if cut else [theirs]
        return [(path, self.change.forward(piece)) for path, piece in zip(self.ours, pieces, strict=True)]


def places(keymap: Keymap, like: Any) -> dict[str, Place]:
    """For each of their names, in the order of the table, the place and their shape.

    Args:
        like: a tree of arrays or `jax.ShapeDtypeStruct`s: what the network wants.

    Raises:
        ValueError: the table and the network do not have the same parameters.
    """
    want = trees.flatten_names(like)
    rules = tuple(one for row in keymap for one in ([row] if isinstance(row, Constant) else _apart(row, want)))
    ruled = {path for rule in rules if isinstance(rule, Rule) for path in _paths(rule)}
    if ruled != set(want):
        odd = sorted(ruled ^ set(want))
        raise ValueError(f"the table and the network differ in {', '.join(odd[:5])}")
    found: dict[str, Place] = {}
    for rule in rules:
        if isinstance(rule, Constant):
            found[rule.theirs] = Place(rule.values().shape, values=rule.values)
            continue
        paths = _paths(rule)
        shape, stacked = tuple(want[paths[0]].shape), LAYER in rule.theirs and not rule.alike
        theirs = _back_shape(rule.change, shape[1:] if stacked else shape)
        theirs = (theirs[0] * len(paths), *theirs[1:]) if len(paths) > 1 else theirs
        if LAYER not in rule.theirs:
            found[rule.theirs] = Place(theirs, paths, None, rule.change)
        for layer in range(shape[0] if stacked else rule.alike):
            name = rule.theirs.replace(LAYER, str(layer))
            first = rule.theirs.replace(LAYER, "0") if rule.alike and layer else ""
            found[name] = Place(theirs, paths, layer if stacked else None, rule.change, first)
    return found


def _paths(rule: Rule) -> tuple[str, ...]:
    return (rule.ours,) if isinstance(rule.ours, str) else rule.ours


def _apart(rule: Rule, want: Mapping[str, Any]) -> Iterator[Rule]:
    """A rule for each layer, where layers are parameters of their own."""
    if not isinstance(rule.ours, str) or LAYER not in rule.ours:
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


def load(weights: Weights, keymap: Keymap, like: Any, dtype: Any = None, in_int8: bool = False) -> Any:
    """Our parameters from their tensors, which are read one after another.

    Args:
        like: a tree of `jax.ShapeDtypeStruct`s; where they have shardings, each device gets its part.
        dtype: of the result; None keeps what the file has, which must be one for all layers of a parameter.
        in_int8: whether matrices are rounded to 8 bits on the way, see `vidgen.weights.int8`.

    Raises:
        ValueError: see `check`; or layers of one parameter have several types and no dtype is given.
    """
    wanted = check(weights, keymap, like)
    leaves = trees.flatten_names(like)
    loaded: dict[str, Array] = {}

    def put(name: str, path: str, value: np.ndarray, layer: int | None, struct: Any, kind: Any) -> None:
        kind = np.dtype(kind)
        sharding = getattr(struct, "sharding", None) or SingleDeviceSharding(jax.devices()[0])
        if path in loaded and loaded[path].dtype != kind:
            raise ValueError(f"{name} is {kind} and layers before it are {loaded[path].dtype}: give a dtype")
        own = sharding if layer is None else _of_layer(sharding)
        placed = _placed(value, kind, own, lambda: weights.release(name))
        if layer is not None:
            stack = loaded[path] if path in loaded else _zeros(struct.shape, kind, sharding)
            placed = jax.block_until_ready(_put(stack, placed, layer))  # so that no more than one layer waits
        loaded[path] = placed

    for name, place in wanted.items():
        value = weights.read(name)
        if place.values is not None:
            _check_alike(name, value, place.values(), "what the network computes", 1e-2)
        elif place.first:
            _check_alike(name, value, weights.read(place.first), place.first, 0.0)
        else:
            for path, part in place.parts(value):
                struct = leaves[path]
                if in_int8 and int8.is_matrix(path):
                    small, scale = int8.rounded(part)
                    put(name, path, small, place.layer, struct, np.int8)
                    put(name, path + int8.SCALE, scale, place.layer, _beside(struct), np.float32)
                else:
                    put(name, path, part, place.layer, struct, value.dtype if dtype is None else jnp.dtype(dtype))
        weights.release(name)
    return trees.unflatten(loaded)


def _beside(kernel: Any) -> jax.ShapeDtypeStruct:
    """The scales of a kernel, which every device has."""
    shape, sharding = (*kernel.shape[:-2], kernel.shape[-1]), getattr(kernel, "sharding", None)
    if isinstance(sharding, NamedSharding):
        sharding = NamedSharding(sharding.mesh, P())
    return jax.ShapeDtypeStruct(shape, jnp.float32, sharding=sharding)


def _check_alike(name: str, value: np.ndarray, other: np.ndarray, what: str, within: float) -> None:
    farthest = np.abs(value.astype(np.float32) - other.astype(np.float32)).max(initial=0)
    if not farthest <= within:
        raise ValueError(
            f"{name} should be {what} and differs from it by {farthest:.3g}: the network has no place for it"
        )


def _placed(value: np.ndarray, kind: np.dtype, sharding: Any, release: Callable[[], None]) -> Array:
    """An array on its devices: the part of one after another is copied, turned and cast, and what was read for it goes
    before the next.
    """
    parts: list[Array] = []
    for device, index in sharding.addressable_devices_indices_map(value.shape).items():
        parts.append(jax.block_until_ready(jax.device_put(np.array(value[index], kind, order="C"), device)))
        release()
    return jax.make_array_from_single_device_arrays(value.shape, sharding, parts)


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
        bytes_ = int(np.prod(place.shape)) * _kind(place, leaves, dtype).itemsize
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
        kind = _kind(place, leaves, dtype)

        def values(place: Place = place, kind: np.dtype = kind) -> np.ndarray:
            if place.values is not None:
                return place.values().astype(kind)
            found = [leaves[path] for path in place.ours]
            ours = [np.asarray(x if place.layer is None else x[place.layer]) for x in found]
            parts = [place.change.back(one).astype(kind) for one in ours]
            return np.ascontiguousarray(parts[0] if len(parts) == 1 else np.concatenate(parts))

        yield theirs, place.shape, kind, values


def _kind(place: Place, leaves: Mapping[str, Any], dtype: Any) -> np.dtype:
    """The type that a tensor is written in; a constant has that of the first parameter."""
    leaf = leaves[place.ours[0]] if place.ours else next(iter(leaves.values()))
    return np.dtype(jnp.dtype(dtype or leaf.dtype))
