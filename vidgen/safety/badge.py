# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The visible mark: a small "AI" in a corner that it leaves for the next one every second, legible at 64x64 pixels."""

import numpy as np

_GLYPHS = {"A": (".#.", "#.#", "###", "#.#", "#.#"), "I": ("###", ".#.", ".#.", ".#.", "###")}
_PLATE = 0.72
"""How much the plate darkens what lies behind it."""
_SIDES_A_DOT = 64
"""A dot of the letters is one pixel for each so many pixels of the frame's shorter side, rounded down."""
_LIKENESS = 0.7
"""From this correlation on a corner shows the mark; see `find_badge`."""
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
    out, places = frames_FHWC.copy(), _places(H, W)
    letters = plate(_dot(H, W))
    for index in range(F if places else 0):
        spot = out[index][places[int(index / fps) % len(places)]]
        dark = np.rint(spot * (1 - _PLATE)).astype(np.uint8)
        spot[:] = np.where(letters[..., None], np.uint8(250), dark)
    return out


def find_badge(frames_FHWC: np.ndarray) -> np.ndarray:
    """Whether each frame shows the mark in one of its corners, at the frame's size: bool [F].

    Corners are correlated with the letters; a clip that was resized or cropped since has it elsewhere.
    """
    _, H, W, _ = frames_FHWC.shape
    places, letters = _places(H, W), plate(_dot(H, W)).astype(np.float32)
    like = letters - letters.mean()
    found = np.zeros(len(frames_FHWC), bool)
    for index, frame in enumerate(frames_FHWC):
        for place in places:
            seen = frame[place].astype(np.float32).mean(-1)
            bright = seen[letters > 0].mean() - seen[letters == 0].mean()
            seen -= seen.mean()
            norm = np.linalg.norm(seen) * np.linalg.norm(like)
            found[index] |= bool(bright > 40 and np.sum(seen * like) > _LIKENESS * norm)
    return found


def _dot(height: int, width: int) -> int:
    return max(1, min(height, width) // _SIDES_A_DOT)


def _places(height: int, width: int) -> list[tuple[slice, slice]]:
    """Rows and columns of the mark in each of `CORNERS`; none where it does not fit."""
    high, wide = plate(_dot(height, width)).shape
    margin = max(1, min(height, width) // (2 * _SIDES_A_DOT))
    if high + margin > height or wide + margin > width:
        return []
    tops, lefts = (margin, height - high - margin), (margin, width - wide - margin)
    return [
        (slice(tops[bottom], tops[bottom] + high), slice(lefts[right], lefts[right] + wide))
        for bottom, right in CORNERS
    ]
