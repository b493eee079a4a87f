# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Where arrays live: constraints on activations, shardings of parameters and of all that belongs to them, batches.

Constraints need `jax.set_mesh`. Under the old `with mesh:` JAX knows no mesh of named axes while it traces, so that
`constrain` would have nothing to say and every constraint would vanish without a word.
"""

import dataclasses
import functools
from collections.abc import Mapping
from typing import Any, Literal

import jax
import numpy as np
from jax import Array
from jax.sharding import Mesh, NamedSharding
from jax.sharding import PartitionSpec as P

from vidgen import trees
from vidgen.parallel.attention import AttnFn, Kind, dense, make_attention
from vidgen.parallel.rules import RULES, Rule, activation_spec, parameter_spec

_BATCH = P(("data", "fsdp"))


def constrain(x: Array, dims: str) -> Array:
    """x, told to the compiler to be divided as its dimensions' letters say, under the mesh of `jax.set_mesh`.

    On one device, and without a mesh, x as it is. The letters are those of `vidgen.typing`, one a dimension; which axes
    they go with is in `vidgen.parallel.rules.ACTIVATIONS`.
    """
    mesh = jax.sharding.get_abstract_mesh()
    if mesh.empty or mesh.size == 1:
        return x
    return jax.lax.with_sharding_constraint(x, activation_spec(dims, x.shape, mesh.shape))


@dataclasses.dataclass(frozen=True)
class Parallel:
    """What a network is given instead of a mesh.

    Attributes:
        attn_fn: self-attention.
        cross_attn_fn: attention to text, whose tokens are whole on every device.
        multiple: the number of tokens in a row should be a multiple of this.
    """

    attn_fn: AttnFn
    cross_attn_fn: AttnFn
    multiple: int = 1

    @staticmethod
    def shard(x: Array, dims: str) -> Array:
        """See `constrain`."""
        return constrain(x, dims)


def make_parallel(mesh: Mesh, dtype: str, attention: Kind | Literal["auto"] = "auto") -> Parallel:
    """How networks run on a mesh.

    Args:
        mesh: of `vidgen.parallel.mesh`.
        dtype: rounding of the operands of attention's products.
        attention: a kind of `make_attention`. "auto" is plain attention on one device that is no TPU; elsewhere fused
            or chunked: "local" with one shard of the sequence, "ulysses_ring" with more.
    """
    shards = mesh.shape["sequence"]
    plain = mesh.size == 1 and mesh.devices.flat[0].platform != "tpu"
    if attention == "auto":
        attention = "dense" if plain else "local" if shards == 1 else "ulysses_ring"
    cross = "dense" if attention == "dense" else "local"
    return Parallel(
        make_attention(attention, mesh, dtype=dtype),
        make_attention(cross, mesh, dtype=dtype, name="cross_attention"),
        multiple=shards,
    )


def one_device(dtype: str) -> Parallel:
    """How networks run where no mesh is asked for: plain attention, its products rounded to `dtype`."""
    plain = functools.partial(dense, dtype=dtype)
    return Parallel(plain, plain)


def parameter_shardings(params: Any, mesh: Mesh, rules: tuple[Rule, ...] = RULES) -> Any:
    """A tree of shardings for a tree of parameters (or of their shapes), by path; on one device no rule is asked.

    Raises:
        ValueError: see `vidgen.parallel.rules.parameter_spec`.
    """
    names = trees.flatten_names(params)
    one = mesh.size == 1
    specs = [P() if one else parameter_spec(name, x.shape, mesh.shape, rules) for name, x in names.items()]
    return jax.tree.unflatten(jax.tree.structure(params), [NamedSharding(mesh, spec) for spec in specs])


def state_shardings(state: Any, params: Any, shardings: Any, mesh: Mesh) -> Any:
    """A tree of shardings for all that a run carries: each array goes with the parameter that it belongs to.

    An array belongs to a parameter if its path ends in the parameter's and its shape is the same, as those of moving
    averages and of Adam's moments do. Everything else, such as counts of steps, is whole on every device.

    Args:
        state: the tree, or its shapes.
        params: parameters, or their shapes; shardings: theirs, from `parameter_shardings`.
    """
    owners = {
        name: (x.shape, sharding)
        for (name, x), sharding in zip(trees.flatten_names(params).items(), jax.tree.leaves(shardings), strict=True)
    }
    whole = NamedSharding(mesh, P())

    def sharding(name: str, x: Any) -> NamedSharding:
        parts = name.split(trees.SEPARATOR)
        # The longest ending first: "text/norm/scale" is another parameter than "norm/scale".
        for start in range(len(parts)):
            shape, found = owners.get(trees.SEPARATOR.join(parts[start:]), (None, whole))
            if shape == x.shape:
                return found
        return whole

    leaves = [sharding(name, x) for name, x in trees.flatten_names(state).items()]
    return jax.tree.unflatten(jax.tree.structure(state), leaves)


def abstract(tree: Any, shardings: Any) -> Any:
    """Shapes with shardings, as the compiler takes them in place of arrays, for a tree of shapes or arrays."""
    return jax.tree.map(lambda x, placed: jax.ShapeDtypeStruct(x.shape, x.dtype, sharding=placed), tree, shardings)


def abstract_batch(batch: Mapping[str, jax.ShapeDtypeStruct], mesh: Mesh) -> dict[str, jax.ShapeDtypeStruct]:
    """The shapes of a whole batch as `place_batch` places it, for any devices.

    Raises:
        ValueError: the devices that clips are divided over do not divide the batch.
    """
    sharding = NamedSharding(mesh, _BATCH)
    for x in batch.values():
        _check_divides(mesh, x.shape[0])
    return {name: jax.ShapeDtypeStruct(x.shape, x.dtype, sharding=sharding) for name, x in batch.items()}


def _check_divides(mesh: Mesh, batch_size: int) -> None:
    if mesh.shape["guidance"] > 1:
        raise ValueError("mesh.guidance = 2 is for sampling: train with 1, and give its devices to another axis")
    ways = mesh.shape["data"] * mesh.shape["fsdp"]
    if batch_size % ways:
        raise ValueError(
            f"a batch of {batch_size} clips cannot be divided over data x fsdp = {ways}: make batch_size a multiple of "
            f"{ways}"
        )


def own_rows(mesh: Mesh, batch_size: int) -> tuple[int, ...]:
    """Rows of a batch that this process must read, rising: those on its devices when divided over (data, fsdp).

    Devices that share the work on one clip, along other axes, may belong to several processes: then each reads it.

    Raises:
        ValueError: the devices that clips are divided over do not divide the batch.
    """
    _check_divides(mesh, batch_size)
    places = NamedSharding(mesh, _BATCH).addressable_devices_indices_map((batch_size,)).values()
    parts = [place[0] for place in places if place is not None]
    return tuple(sorted({row for part in parts for row in range(*part.indices(batch_size))}))


def place_batch(batch: Mapping[str, np.ndarray], mesh: Mesh) -> dict[str, Array]:
    """Arrays of this process's rows (`own_rows`) as a batch divided over (data, fsdp) along the first axis.

    Raises:
        ValueError: see `own_rows`.
    """
    ways = mesh.shape["data"] * mesh.shape["fsdp"]
    share = len(own_rows(mesh, ways))
    sharding = NamedSharding(mesh, _BATCH)

    def place(x: np.ndarray) -> Array:
        clips = len(x) * ways // share
        first = {row: i for i, row in enumerate(own_rows(mesh, clips))}

        def part(index: tuple[slice, ...] | None) -> np.ndarray:
            start, stop, _ = index[0].indices(clips) if index else (0, clips, 1)
            return x[first[start] : first[start] + stop - start]

        return jax.make_array_from_callback((clips, *x.shape[1:]), sharding, part)

    return {name: place(x) for name, x in batch.items()}
