# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Which place a clip shows, by the colours of its background from top to bottom."""

import functools

import numpy as np

from vidgen.worlds.backdrop import backdrop
from vidgen.worlds.places import GROUNDS, PLAIN, SKIES
from vidgen.worlds.words import place_names

_CAP = 40.0
"""Difference in RGB (mean over channels) from which on a row simply does not fit."""
_LEAST = 16.0
"""Mean difference above which a background is none of the places."""
_HORIZONS = np.arange(-0.36, 0.5, 0.02)
"""World y of the horizon that are tried, of a frame whose shorter side is 1."""
_ROWS = 64


def read_place(clip_FHWC: np.ndarray) -> str | None:
    """The place at a clip's start (uint8 [F, H, W, 3]), named as claims name it ("moon", "gradient blue white").

    None where no place fits. It is read from the first frame: later the camera may have moved.
    """
    scores = place_scores(clip_FHWC[0])
    best = min(scores, key=lambda name: scores[name])
    return best if scores[best] <= _LEAST else None


def place_scores(frame_HWC: np.ndarray) -> dict[str, float]:
    """For each place how far its colours are from a frame's background: mean absolute difference of RGB, at most 40."""
    rows = np.linspace(0, len(frame_HWC) - 1, _ROWS).round().astype(int)
    seen_RC = np.median(backdrop(frame_HWC.astype(np.float32)), axis=1)[rows]
    names, columns_KRC = _columns(frame_HWC.shape[0] / min(frame_HWC.shape[:2]))
    away_K = np.minimum(np.abs(columns_KRC - seen_RC).mean(-1), _CAP).mean(-1)
    scores: dict[str, float] = {}
    for name, away in zip(names, away_K, strict=True):
        scores[name] = min(scores.get(name, np.inf), float(away))
    return scores


@functools.lru_cache(maxsize=4)
def _columns(high: float) -> tuple[list[str], np.ndarray]:
    """Colours from top to bottom of every place, grounds at every horizon, float32 [K, rows, 3]; and their names."""
    y_R1 = ((np.arange(_ROWS) + 0.5) / _ROWS - 0.5)[:, None] * high
    names: list[str] = []
    columns: list[np.ndarray] = []

    def add(name: str, column_RC: np.ndarray) -> None:
        names.append(name)
        columns.append(np.broadcast_to(column_RC, (_ROWS, 3)))

    def blend(first: tuple[int, int, int], last: tuple[int, int, int], share_R1: np.ndarray) -> np.ndarray:
        return np.array(first) + (np.array(last) - np.array(first)) * np.clip(share_R1, 0, 1)

    for name in place_names():
        if name in PLAIN:
            add(name, np.array(PLAIN[name]))
        elif name.startswith("gradient"):
            _, top, bottom = name.split()
            add(name, blend(PLAIN[top], PLAIN[bottom], y_R1 + 0.5))
        elif name in SKIES:
            add(name, blend(*SKIES[name], y_R1 + 0.5))
        else:
            look = GROUNDS[name]
            for horizon in _HORIZONS * high:
                sky = blend(look.sky_top, look.sky_low, y_R1 - horizon + 1.0)
                add(
                    name,
                    np.where(y_R1 < horizon, sky, blend(look.ground_far, look.ground_near, (y_R1 - horizon) * 1.6)),
                )
    return names, np.stack(columns).astype(np.float32)
