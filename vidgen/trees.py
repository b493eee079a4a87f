# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Pure functions on trees of arrays: names, counts, casts, moving averages; and random keys by name."""

import hashlib
import math
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp

SEPARATOR = "/"


def flatten_names(tree: Any) -> dict[str, Any]:
    """Flattens a tree into a dictionary from the path of each leaf, such as "block/attention/kernel", to the leaf.

    Dictionary keys, sequence positions and dataclass fields all become parts of the path. Empty containers vanish.

    Raises:
        ValueError: A dictionary key contains "/", or two leaves would get the same name.
    """
    names: dict[str, Any] = {}
    for path, leaf in jax.tree_util.tree_flatten_with_path(tree)[0]:
        parts = [jax.tree_util.keystr((entry,), simple=True) for entry in path]
        bad = [part for part in parts if SEPARATOR in part]
        if bad:
            raise ValueError(f"A tree key may not contain {SEPARATOR!r}, got {bad[0]!r}: rename it.")
        name = SEPARATOR.join(parts)
        if name in names:
            raise ValueError(f"Two leaves are named {name!r}: keys of one dictionary must differ as text.")
        names[name] = leaf
    return names


def unflatten(names: Mapping[str, Any]) -> dict[str, Any]:
    """Builds nested dictionaries from `flatten_names`' result: the inverse for trees made of dictionaries alone.

    Raises:
        ValueError: One name is a leaf and also the folder of another leaf.
    """
    tree: dict[str, Any] = {}
    for name, leaf in names.items():
        *folders, last = name.split(SEPARATOR)
        node = tree
        for depth, folder in enumerate(folders):
            node = node.setdefault(folder, {})
            if not isinstance(node, dict) or SEPARATOR.join(folders[: depth + 1]) in names:
                raise ValueError(f"{SEPARATOR.join(folders[: depth + 1])!r} is a leaf and the folder of {name!r}.")
        if last in node:
            raise ValueError(f"{name!r} is a leaf and the folder of another leaf.")
        node[last] = leaf
    return tree


def count(tree: Any) -> int:
    """Returns the number of elements in all arrays of a tree (also of `jax.ShapeDtypeStruct`s)."""
    return sum(math.prod(leaf.shape) for leaf in jax.tree_util.tree_leaves(tree))


def cast(tree: Any, dtype: Any) -> Any:
    """Casts the floating-point arrays of a tree to `dtype`; integers, booleans and random keys stay as they are."""

    def one(leaf):
        return leaf.astype(dtype) if jnp.issubdtype(leaf.dtype, jnp.floating) else leaf

    return jax.tree_util.tree_map(one, tree)


def ema_update(ema: Any, params: Any, decay: Any) -> Any:
    """Moves an exponential moving average towards `params`: ema + (1 - decay) (params - ema), in the dtype of `ema`.

    `decay` is a scalar in [0, 1], Python or traced; 0 copies `params`.
    """

    def one(average, value):
        return average + (1.0 - decay) * (value.astype(average.dtype) - average)

    return jax.tree_util.tree_map(one, ema, params)


def fold_in_str(key: jax.Array, name: str) -> jax.Array:
    """Returns the random key that belongs to `name`: adding one use of randomness leaves the others as they are.

    The name is hashed by SHA-256 (first four bytes), which, unlike Python's `hash`, is the same in every process.
    """
    digest = hashlib.sha256(name.encode()).digest()
    return jax.random.fold_in(key, int.from_bytes(digest[:4], "big"))
