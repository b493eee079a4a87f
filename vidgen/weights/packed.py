# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Matrices in eight bits: a quarter of float32, for weights that are shipped inside the package."""

from typing import Any

import numpy as np

from vidgen import trees

_LEAST = 1024
"""Arrays with fewer elements stay floats: they are small, and norms among them."""
_BITS, _SCALE = "int8", "scale"


def pack(params: Any) -> dict[str, Any]:
    """A tree in which every large matrix [.., I, O] is {"int8", "scale"}: whole numbers from -127 to 127, and float32
    [.., 1, O] that they are multiplied by, so that the largest of each output is kept. Errors are at most half a scale.
    """
    return _map(params, lambda x: _packed(x) if x.ndim >= 2 and x.size >= _LEAST else x)


def unpack(params: Any) -> dict[str, Any]:
    """The inverse of `pack`, up to rounding: float32 arrays; what was never packed stays as it is."""
    if isinstance(params, dict):
        if set(params) == {_BITS, _SCALE}:
            return params[_BITS].astype(np.float32) * params[_SCALE]
        return {name: unpack(tree) for name, tree in params.items()}
    return params


def _map(params: Any, one: Any) -> dict[str, Any]:
    return trees.unflatten(
        {
            f"{name}{trees.SEPARATOR}{part}" if part else name: array
            for name, leaf in trees.flatten_names(params).items()
            for part, array in _parts(one(np.asarray(leaf)))
        }
    )


def _parts(leaf: Any) -> list[tuple[str, Any]]:
    return list(leaf.items()) if isinstance(leaf, dict) else [("", leaf)]


def _packed(x: np.ndarray) -> dict[str, np.ndarray]:
    scale = np.abs(x).max(axis=-2, keepdims=True) / 127
    scale = np.where(scale == 0, 1, scale).astype(np.float16).astype(np.float32)
    return {_BITS: np.clip(np.round(x / scale), -127, 127).astype(np.int8), _SCALE: scale}
