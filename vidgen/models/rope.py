# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Rotary positions in three dimensions: latent frame, row and column (arXiv 2104.09864; the split of Wan 2.1)."""

import jax.numpy as jnp
from jax import Array


def axis_widths(head_width: int) -> tuple[int, int, int]:
    """How many of a head's features turn with time, height and width: 128 -> (44, 42, 42), 64 -> (24, 20, 20)."""
    side = 2 * (head_width // 6)
    return head_width - 2 * side, side, side


def angles(positions_BL3: Array, head_width: int, theta: float = 10_000.0) -> Array:
    """Rotation angles [B, L, head_width / 2] in radians of integer or real positions (frame, row, column)."""
    parts = []
    for axis, width in enumerate(axis_widths(head_width)):
        frequencies = theta ** (-jnp.arange(0, width, 2, dtype=jnp.float32) / width)
        parts.append(positions_BL3[..., axis, None].astype(jnp.float32) * frequencies)
    return jnp.concatenate(parts, axis=-1)


def rotate(x_BLNK: Array, angles_BLK: Array) -> Array:
    """Turns the interleaved pairs (x0, x1), (x2, x3), ... of every head by their angles, in float32."""
    cos, sin = jnp.cos(angles_BLK)[:, :, None, :], jnp.sin(angles_BLK)[:, :, None, :]
    pairs = x_BLNK.astype(jnp.float32).reshape(*x_BLNK.shape[:-1], -1, 2)
    even, odd = pairs[..., 0], pairs[..., 1]
    turned = jnp.stack([even * cos - odd * sin, even * sin + odd * cos], axis=-1)
    return turned.reshape(x_BLNK.shape).astype(x_BLNK.dtype)


def grid_positions(frames: int, rows: int, columns: int) -> Array:
    """(frame, row, column) of every token of a grid in raster order: [frames * rows * columns, 3], int32."""
    axes = jnp.meshgrid(jnp.arange(frames), jnp.arange(rows), jnp.arange(columns), indexing="ij")
    return jnp.stack(axes, axis=-1).reshape(-1, 3)
