# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The visible mark: a small "AI" in a corner that it leaves for the next one every second, legible at 64x64 pixels."""

import numpy as np

_GLYPHS = {"A": (".#.", "#.#", "###", "#.#", "#.#"), "I": ("###", ".#.", ".#.", ".#.", "###")}
_PLATE = 0.72
"""How much the plate darkens what lies behind it."""
_SIDES_A_DOT = 64
"""A dot of the letters is one pixel for each so many pixels of the frame's shorter side, rounded down."""
CORNERS = ((1, 1), (0, 0), (0, 1), (1, 0))
"""The way of the mark: (bottom, right), from one second to the next."""


def plate(dot: int) -> np.ndarray:
    """The letters with a margin of one dot: bool [H, W], True where they are."""
    letters = [np.array([[cell == "#" for cell in row] for row in _GLYPHS[letter]]) for letter in "AI"]
    gap = np.zeros((5, 1), bool)
    small = np.pad(np.concatenate([letters[0], gap, letters[1]], axis=1), 1)
    return small.repeat(dot, 0).repeat(dot, 1)


def add_badge(frames_FHWC: np.ndarray, fps: float) -> np.ndarray:
    """Marks every frame: uint8 [F, H, W, 3], a copy. A frame smaller than the mark (9x7 pixels) is left as it is."""
    F, H, W, _ = frames_FHWC.shape
    letters = plate(max(1, min(H, W) // _SIDES_A_DOT))
    height, width = letters.shape
    out = frames_FHWC.copy()
    margin = max(1, min(H, W) // (2 * _SIDES_A_DOT))
    if height + margin > H or width + margin > W:
        return out
    for index in range(F):
        bottom, right = CORNERS[int(index / fps) % len(CORNERS)]
        top = H - height - margin if bottom else margin
        left = W - width - margin if right else margin
        spot = out[index, top : top + height, left : left + width]
        dark = np.rint(spot * (1 - _PLATE)).astype(np.uint8)
        spot[:] = np.where(letters[..., None], np.uint8(250), dark)
    return out
