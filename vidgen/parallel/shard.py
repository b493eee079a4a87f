# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Where arrays live: constraints on activations, shardings of parameters and of all that belongs to them, batches.

Constraints need `jax.set_mesh`. Under the old `with mesh:` JAX knows no mesh of named axes while it traces, so that
`constrain` would have nothing to say and every constraint would vanish without a word.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any, Literal

import jax
import numpy as np
from jax import Array
from jax.sharding import Mesh, NamedSharding
from jax.sharding import PartitionSpec as P

from vidgen import trees
from vidgen.parallel.attention import AttnFn, Kind, make_attention
from vidgen.parallel.rules import RULES, Rule, activation_spec, parameter_spec


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
        make_attention(attention, mesh, dtype=dtype), make_attention(cross, mesh, dtype=dtype), multiple=shards
    )


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


def place_batch(batch: Mapping[str, np.ndarray], mesh: Mesh) -> dict[str, Array]:
    """Arrays of whole clips, each process giving its own, as one batch divided over (data, fsdp) along the first axis.

    Raises:
        ValueError: the devices that clips are divided over do not divide the batch.
    """
    ways = mesh.shape["data"] * mesh.shape["fsdp"]
    sharding = NamedSharding(mesh, P(("data", "fsdp")))
    for name, x in batch.items():
        clips = len(x) * jax.process_count()
        if clips % ways:
            raise ValueError(
                f"a batch of {clips} clips ({name}) cannot be divided over data x fsdp = {ways}: make batch_size "
                f"a multiple of {ways}"
            )
    return {name: jax.make_array_from_process_local_data(sharding, x) for name, x in batch.items()}
