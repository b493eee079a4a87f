# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Convolutions over time as sums over frames are those over all three sides."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from vidgen.models.convolution import Conv, convolve, convolve_frames

RNG = np.random.default_rng(0)
X = RNG.normal(size=(2, 5, 6, 4, 3)).astype(np.float32)


@pytest.mark.parametrize(
    ("sides", "strides", "before"), [((3, 3, 3), (1, 1, 1), 2), ((3, 1, 1), (2, 1, 1), 0), ((3, 1, 1), (1, 1, 1), 2),
                                     ((1, 1, 1), (1, 1, 1), 0), ((2, 3, 3), (2, 2, 2), 1)],
)  # fmt: skip
def test_frames_are_summed(sides, strides, before) -> None:
    kernel = RNG.normal(size=(*sides, 3, 2)).astype(np.float32)
    edges = ((before, 0), *((k // 2, k // 2) for k in sides[1:]))
    whole, parts = (
        jax.jit(one, static_argnums=(0, 1))(strides, edges, X, kernel) for one in (convolve, convolve_frames)
    )
    assert whole.shape == parts.shape
    np.testing.assert_allclose(parts, whole, atol=1e-5)


def test_a_cpu_sums_frames() -> None:
    conv = Conv(2, (3, 3, 3), dtype=jnp.float32)
    params = jax.jit(conv.init)(jax.random.key(0), X)
    text = jax.jit(conv.apply).lower(params, X).as_text()
    assert text.count("stablehlo.convolution") == 3
