# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Matrices of transformers in 8 bits, a scale for each output: a quarter of float32's memory, half of bfloat16's.

A weight becomes round(w / s) with s = max |w| / 127 over the inputs of its output, so that it is off by at most s / 2.
Only weights are rounded so; products are those of the network's own type (`vidgen.models.layers.Dense`). It is for
sampling: such weights are not trained.
"""

import re
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from vidgen import trees

SCALE = "_scale"
_MATRICES = re.compile(r"(.*/)?(blocks|block\d+)/.+/kernel")
"""Those of the blocks, which are nearly all of a transformer; what is read and said by few layers stays as it is."""


def is_matrix(path: str) -> bool:
    """Whether a parameter of a transformer or a text encoder, by its path, is kept in 8 bits."""
    return _MATRICES.fullmatch(path) is not None


def rounded(kernel: Any) -> tuple[np.ndarray, np.ndarray]:
    """(int8 like the kernel, float32 scale of each output) of a kernel [..., inputs, outputs]."""
    kernel = np.asarray(kernel, np.float32)
    scale = np.abs(kernel).max(axis=-2) / 127
    scale = np.where(scale > 0, scale, 1).astype(np.float32)
    return np.rint(kernel / scale[..., None, :]).astype(np.int8), scale


def quantise(params: Any) -> Any:
    """Parameters {"dit": ..., "text": ...} or of one network, whose `is_matrix` kernels become int8 beside their scale.

    Kernels of VAEs are not among them.
    """
    made: dict[str, Any] = {}
    for path, leaf in trees.flatten_names(params).items():
        if is_matrix(path) and not path.startswith(("vae/", "encoder/", "decoder/")):
            made[path], made[path + SCALE] = (jnp.asarray(x) for x in rounded(leaf))
        else:
            made[path] = leaf
    return trees.unflatten(made)


def quantised_shapes(shapes: Any) -> Any:
    """What `quantise` makes, as shapes."""
    return jax.eval_shape(_like, shapes)


def _like(params: Any) -> Any:
    made: dict[str, Any] = {}
    for path, leaf in trees.flatten_names(params).items():
        if is_matrix(path) and not path.startswith(("vae/", "encoder/", "decoder/")):
            made[path] = leaf.astype(jnp.int8)
            made[path + SCALE] = jnp.zeros((*leaf.shape[:-2], leaf.shape[-1]), jnp.float32)
        else:
            made[path] = leaf
    return trees.unflatten(made)
