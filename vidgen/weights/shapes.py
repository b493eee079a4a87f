# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The parameters of networks as shapes, from their configs alone."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from vidgen.models.dit import DiT, DiTConfig
from vidgen.models.text import AnyTextConfig, text_encoder


def dit_shapes(config: DiTConfig) -> Any:
    """Of a transformer."""
    tokens = _shape(1, 1, config.channels * int(np.prod(config.patch)))
    whole = _shape(1, 1, 3, dtype=jnp.int32)
    ids, real = _shape(1, 1, dtype=jnp.int32), _shape(1, 1, dtype=jnp.bool_)
    text = _shape(1, 1, config.text_width)
    return init_shapes(DiT(config, _no_attention), tokens, whole, whole, _shape(1, 1), ids, text, real)


def text_shapes(config: AnyTextConfig) -> Any:
    """Of what reads captions."""
    return init_shapes(text_encoder(config), _shape(1, 1, dtype=jnp.int32))


def init_shapes(module: Any, *inputs: jax.ShapeDtypeStruct, method: Any = None) -> Any:
    """Of any module, called with inputs of these shapes."""
    key = jax.eval_shape(lambda: jax.random.key(0))
    return jax.eval_shape(lambda key, *x: module.init(key, *x, method=method), key, *inputs)["params"]


def _no_attention(q: Array, _k: Array, _v: Array, _segments: Any) -> Array:
    return q  # has the shape, which is all that is asked for


def _shape(*shape: int, dtype: Any = jnp.float32) -> jax.ShapeDtypeStruct:
    return jax.ShapeDtypeStruct(shape, dtype)
