# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The silhouettes of things: how near two can come, and how much of one hides behind another.

World units, as in `vidgen.worlds.motion`: a thing of size 1 has a longer side of 1.
"""

import functools
import math

import cv2
import numpy as np

from vidgen.worlds.sprites import CELL, CONTENT, load_atlas

_GRID = 96
"""Samples in a world unit: finer than the pixels of the frames that these worlds are drawn for."""
_TIP = 3
"""Samples by which a tip may sink into what it touches."""


@functools.cache
def spread(concept: str) -> tuple[float, float]:
    """Width and height of a concept's visible box at size 1; the larger is 1."""
    solid = load_atlas().images_NHWC[load_atlas().index(concept), ..., 3] > 127
    across, down = np.flatnonzero(solid.any(0)), np.flatnonzero(solid.any(1))
    return float(across[-1] - across[0] + 1) / CONTENT, float(down[-1] - down[0] + 1) / CONTENT


@functools.cache
def fill(concept: str) -> float:
    """A concept's area at size 1: near 1 for what is square and solid."""
    return float(load_atlas().images_NHWC[load_atlas().index(concept), ..., 3].sum()) / 255 / CONTENT**2


@functools.lru_cache(maxsize=1024)
def _mask(concept: str, samples: int, flip: bool) -> np.ndarray:
    alpha = load_atlas().images_NHWC[load_atlas().index(concept), ..., 3].astype(np.float32) / 255
    mask = cv2.resize(alpha, (samples, samples), interpolation=cv2.INTER_AREA)
    return mask[:, ::-1] if flip else mask


def mask(concept: str, size: float, flip: bool) -> np.ndarray:
    """A silhouette on a grid of 96 samples a world unit, float32 [n, n] in [0, 1]; its middle is the sprite's."""
    return _mask(concept, max(2, 2 * round(size * CELL / CONTENT * _GRID / 2)), flip)


def contact(mover_NN: np.ndarray, other_NN: np.ndarray, aside: float, side: str) -> float | None:
    """The distance of two middles, along the way, at which a mover first touches another thing; world units.

    mover_NN, other_NN: of `mask`. side: which way the mover goes. aside: its middle minus the other's, across the way
    (y for "left" and "right", x for "up" and "down"). None when it passes without a touch, or with a mere brush.
    """
    turns = {"right": 0, "down": 1, "left": 2, "up": 3}[side]
    # Turned so that the mover goes to the right; np.rot90 turns counterclockwise.
    mover, other = (np.rot90(one > 0.5, turns) for one in (mover_NN, other_NN))
    offset = round({"right": aside, "down": -aside, "left": -aside, "up": aside}[side] * _GRID)
    gaps = []
    for row in range(len(mover)):
        over = row - len(mover) // 2 + offset + len(other) // 2
        if 0 <= over < len(other) and mover[row].any() and other[over].any():
            front = int(np.flatnonzero(mover[row])[-1]) + 1 - len(mover) // 2
            gaps.append(front - (int(np.flatnonzero(other[over])[0]) - len(other) // 2))
    # A tip one sample wide, or a gap of half a pixel, would not be seen as a touch.
    return float(sorted(gaps, reverse=True)[_TIP] - 1) / _GRID if len(gaps) > _TIP else None


def cover(front_NN: np.ndarray, back_NN: np.ndarray, dx: float, dy: float) -> float:
    """The share of the thing behind that is covered when its middle is at (dx, dy) from that of the thing in front."""
    half, reach = len(back_NN) // 2, len(front_NN) // 2
    left, top = round(dx * _GRID) - half + reach, round(dy * _GRID) - half + reach
    window = [slice(max(0, at), max(0, min(len(front_NN), at + 2 * half))) for at in (top, left)]
    inner = [slice(one.start - at, one.stop - at) for one, at in zip(window, (top, left), strict=True)]
    if any(one.start >= one.stop for one in window):
        return 0.0
    return float((front_NN[tuple(window)] * back_NN[tuple(inner)]).sum() / back_NN.sum())


def hiding_place(front_NN: np.ndarray, back_NN: np.ndarray) -> tuple[float, float, float]:
    """Where a thing hides best behind another one: (dx, dy) of its middle from the other's, and the share covered.

    Of the places that are equally good the lowest is taken: things stand on the ground.
    """
    pad = len(back_NN) // 2
    field = cv2.matchTemplate(np.pad(front_NN, pad), np.ascontiguousarray(back_NN), cv2.TM_CCORR) / back_NN.sum()
    best = float(field.max())
    rows, columns = np.nonzero(field >= min(best, 0.995) - 1e-4)
    at = int(np.argmax(rows * 1000 - abs(columns - field.shape[1] // 2)))
    middle = math.floor(len(front_NN) / 2)
    return float(columns[at] - middle) / _GRID, float(rows[at] - middle) / _GRID, float(field[rows[at], columns[at]])
