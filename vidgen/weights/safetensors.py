# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Released parameters as one safetensors file: names, numbers and a JSON header, nothing that a loader could run."""

import json
import math
import pathlib
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal

import jax
import ml_dtypes
import numpy as np
import safetensors
import safetensors.numpy

from vidgen import trees

StorageType = Literal["float16", "bfloat16", "float32"]

_FLOATS: dict[str, Any] = {"float16": np.float16, "bfloat16": ml_dtypes.bfloat16, "float32": np.float32}

_NAMES = {
    "float64": "F64", "float32": "F32", "float16": "F16", "bfloat16": "BF16", "int64": "I64", "int32": "I32",
    "int16": "I16", "int8": "I8", "uint8": "U8", "bool": "BOOL",
}  # fmt: skip
"""Types as the format calls them."""
TYPES: dict[str, Any] = {short: _FLOATS.get(name, name) for name, short in _NAMES.items()}
"""And back, as NumPy takes them."""


def save_params(
    path: str | pathlib.Path,
    params: Mapping[str, Any],
    dtype: StorageType = "float16",
    metadata: Mapping[str, Any] | None = None,
) -> None:
    """Writes nested dictionaries of arrays; a leaf is named by its path, "a/b/c".

    The file appears under its name only when it is complete.

    Args:
      path: the file; its folder must exist.
      params: nested dictionaries of arrays. Floats are stored as `dtype`, integers and booleans as they are.
      dtype: float16 keeps 11 bits up to 65504, bfloat16 keeps 8 bits of any float32, float32 keeps all.
      metadata: JSON-able values, each kept as JSON text under its key: the config, statistics, scores.

    Raises:
      ValueError: dtype is none of the three, params is empty, or a finite value would overflow in `dtype`.
      TypeError: a metadata value is not JSON-able.
    """
    if dtype not in _FLOATS:
        raise ValueError(f"dtype is {dtype!r}; it must be one of {', '.join(_FLOATS)}")
    arrays = {name: _stored(name, np.asarray(leaf), dtype) for name, leaf in trees.flatten_names(params).items()}
    if not arrays:
        raise ValueError("params holds no arrays; there is nothing to save")
    header = {key: json.dumps(value) for key, value in (metadata or {}).items()}
    path = pathlib.Path(path)
    unfinished = path.with_name(path.name + ".tmp")
    try:
        safetensors.numpy.save_file(arrays, unfinished, metadata=header)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def write_tensors(
    path: pathlib.Path,
    tensors: Iterable[tuple[str, tuple[int, ...], np.dtype, Callable[[], np.ndarray]]],
    metadata: Mapping[str, str] | None = None,
) -> None:
    """Writes a safetensors file tensor by tensor, so that no more than one is held; it appears when it is complete.

    Args:
      tensors: (name, shape, dtype, a function that gives the values), in the order in which they are written.
      metadata: text by key.

    Raises:
      ValueError: a function gives another shape or type than it was said to.
    """
    tensors = list(tensors)
    header: dict[str, Any] = {"__metadata__": dict(metadata)} if metadata else {}
    end = 0
    for name, shape, dtype, _ in tensors:
        size = math.prod(shape) * dtype.itemsize
        header[name] = {"dtype": _NAMES[dtype.name], "shape": list(shape), "data_offsets": [end, end + size]}
        end += size
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    unfinished = path.with_name(path.name + ".tmp")
    try:
        with unfinished.open("wb") as file:
            file.write(len(text).to_bytes(8, "little") + text)
            for name, shape, dtype, values in tensors:
                array = values()
                if array.shape != shape or array.dtype != dtype:
                    raise ValueError(f"{name} should be {dtype} {shape} and is {array.dtype} {array.shape}")
                file.write(np.ascontiguousarray(array).tobytes())
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def load_params(path: str | pathlib.Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Reads a file of `save_params`.

    Returns:
      Nested dictionaries of NumPy arrays, floating-point ones as float32; and the metadata.

    Raises:
      FileNotFoundError: there is no such file.
      ValueError: it is not a complete safetensors file, or its metadata is not what `save_params` writes.
    """
    path = pathlib.Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"no weights file {path}")
    try:
        with safetensors.safe_open(path, framework="numpy") as file:
            header = file.metadata() or {}
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dictionary
    except safetensors.SafetensorError as error:
        raise ValueError(f"{path} is not a complete safetensors file ({error}); fetch or write it again") from error
    try:
        metadata = {key: json.loads(value) for key, value in header.items()}
    except json.JSONDecodeError as error:
        raise ValueError(f"{path} was not written by save_params: its metadata is not JSON ({error})") from error
    return trees.unflatten({name: _loaded(array) for name, array in arrays.items()}), metadata


def load_metadata(path: str | pathlib.Path) -> dict[str, Any]:
    """The metadata of a file of `save_params`, without its arrays. Raises as `load_params` does."""
    path = pathlib.Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"no weights file {path}")
    try:
        with safetensors.safe_open(path, framework="numpy") as file:
            header = file.metadata() or {}
    except safetensors.SafetensorError as error:
        raise ValueError(f"{path} is not a complete safetensors file ({error}); fetch or write it again") from error
    return {key: json.loads(value) for key, value in header.items()}


def check_shapes(params: Any, like: Any) -> None:
    """Raises unless `params` has the leaves of `like`, by name and shape.

    Args:
      params: nested dictionaries of arrays, as `load_params` gives them.
      like: what the network wants: a tree of arrays or `jax.ShapeDtypeStruct`s.

    Raises:
      ValueError: names the first five leaves, in order of name, that are missing, left over or of another shape.
    """
    have = {name: tuple(leaf.shape) for name, leaf in trees.flatten_names(params).items()}
    want = {name: tuple(leaf.shape) for name, leaf in trees.flatten_names(like).items()}
    wrong = []
    for name in sorted(have.keys() | want.keys()):
        if name not in have:
            wrong.append(f"{name} {want[name]} is missing")
        elif name not in want:
            wrong.append(f"{name} {have[name]} is not in the network")
        elif have[name] != want[name]:
            wrong.append(f"{name} is {have[name]} and the network wants {want[name]}")
    if wrong:
        more = f"; and {len(wrong) - 5} more" if len(wrong) > 5 else ""
        raise ValueError(f"these weights belong to another network: {'; '.join(wrong[:5])}{more}")


def _is_float(array: np.ndarray) -> bool:
    return jax.numpy.issubdtype(array.dtype, np.floating)  # unlike NumPy's own, this knows bfloat16


def _stored(name: str, array: np.ndarray, dtype: str) -> np.ndarray:
    if not _is_float(array):
        return np.ascontiguousarray(array).reshape(array.shape)
    with np.errstate(over="ignore"):  # an overflow is reported below, with the name
        stored = array.astype(_FLOATS[dtype])
    if np.any(np.isfinite(array.astype(np.float64)) & ~np.isfinite(stored.astype(np.float64))):
        raise ValueError(
            f"{name} holds {np.max(np.abs(array)):.4g}, too large for {dtype}; store it as bfloat16 or float32"
        )
    return np.ascontiguousarray(stored).reshape(array.shape)


def _loaded(array: np.ndarray) -> np.ndarray:
    return array.astype(np.float32) if _is_float(array) else array
