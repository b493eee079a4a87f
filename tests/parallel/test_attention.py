# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Dense attention against the formula written out in NumPy."""

import jax
import jax.numpy as jnp
import numpy as np

from vidgen.parallel import attention


def test_dense_is_the_formula_and_keeps_segments_apart() -> None:
    q, k, v = jax.random.normal(jax.random.key(0), (3, 1, 6, 2, 8))
    k, v = k[:, :5], v[:, :5]
    q_segments, k_segments = jnp.array([[1, 1, 1, 2, 2, 2]]), jnp.array([[1, 1, 2, 2, -1]])
    out = np.asarray(attention.dense(q, k, v, (q_segments, k_segments), dtype="float32"))
    for head in range(2):
        scores = np.asarray(q[0, :, head]) @ np.asarray(k[0, :, head]).T / np.sqrt(8)
        scores[np.asarray(q_segments[0])[:, None] != np.asarray(k_segments[0])[None]] = -np.inf
        weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
        weights /= weights.sum(axis=-1, keepdims=True)
        np.testing.assert_allclose(out[0, :, head], weights @ np.asarray(v[0, :, head]), atol=1e-5)


def test_bfloat16_operands_stay_near_float32() -> None:
    q, k, v = jax.random.normal(jax.random.key(0), (3, 2, 16, 2, 32))
    exact, rounded = (attention.dense(q, k, v, dtype=d) for d in ("float32", "bfloat16"))
    assert rounded.dtype == jnp.float32
    assert 0 < jnp.abs(exact - rounded).max() < 0.05
