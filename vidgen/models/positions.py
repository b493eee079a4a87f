# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Where a token is, as features that are added to it; rotary positions are in `vidgen.models.rope`."""

import jax.numpy as jnp
from jax import Array


def coordinate_features(positions_BL3: Array, extent_BL3: Array, octaves: int = 4) -> Array:
    """Sines and cosines of frame, row and column as a share of the clip: [B, L, 6 * octaves]."""
    share = (positions_BL3 + 0.5) / extent_BL3
    angles = (jnp.pi / 2) * share[..., None] * 2.0 ** jnp.arange(octaves)
    return jnp.concatenate([jnp.sin(angles), jnp.cos(angles)], axis=-1).reshape(*share.shape[:2], -1)


def sines_2d(positions_BL3: Array, extent_BL3: Array, width: int, side: int) -> Array:
    """DiT's fixed features of column and row: [B, L, width], float32, half of them for each, the column's first, and of
    these first the sines (arXiv 2212.09748 after 2010.11929; width a multiple of 4).

    They are those of a grid of `side` rows and columns. A picture of another size is spread over that grid.
    """
    frequencies = 10_000.0 ** -(jnp.arange(width // 4, dtype=jnp.float32) / (width // 4))
    at_BL2 = positions_BL3[..., :0:-1] * (side / extent_BL3[..., :0:-1])
    angles = at_BL2[..., None] * frequencies
    return jnp.concatenate([jnp.sin(angles), jnp.cos(angles)], axis=-1).reshape(*at_BL2.shape[:2], width)
