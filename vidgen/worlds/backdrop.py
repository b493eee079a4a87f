# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""What a frame would look like without its objects, estimated from the frame alone.

Places change from top to bottom and hardly from left to right, so each row has one background colour, and neighbouring
rows have similar ones except at a horizon.
"""

import numpy as np

_NEAR = 30.0
"""Distance in RGB from which on a pixel counts as not of the background."""
_JUMP = 2.0
"""Cost of a change of colour from one row to the next, in rows that are not explained at all."""
_RELIEF = 4
"""Rows by which hills may raise or lower the horizon, in a frame of 64."""


def backdrop(frame_HWC: np.ndarray) -> np.ndarray:
    """The background of a frame, float32 [H, W, 3]; frame: RGB in [0, 255].

    A row's colour is one of its own pixels' colours. Over all rows the sequence is taken (dynamic programming) that has
    most pixels near it and least change from row to row; a change counts at most as one jump, so that a horizon is
    dear but possible.
    """
    height, width = frame_HWC.shape[:2]
    frame = np.asarray(frame_HWC, np.float32)
    columns = np.unique(np.linspace(0, width - 1, 18).round().astype(int))
    options_HNC = frame[:, columns]
    away_HNW = _distance(options_HNC[:, :, None], frame[:, None])
    cost_HN = np.minimum(away_HNW / _NEAR, 1).mean(-1)
    change = _distance(options_HNC[1:, :, None], options_HNC[:-1, None])
    change = _JUMP * np.minimum(change / (2 * _NEAR), 1)
    total, came = cost_HN[0], np.zeros((height, len(columns)), int)
    for row in range(1, height):
        ways = total[None, :] + change[row - 1]
        came[row] = ways.argmin(1)
        total = cost_HN[row] + ways.min(1)
    pick = np.empty(height, int)
    pick[-1] = total.argmin()
    for row in range(height - 1, 0, -1):
        pick[row - 1] = came[row, pick[row]]
    rows = np.arange(height)
    inlier_HW1 = (away_HNW[rows, pick] < _NEAR)[..., None]
    color_HC = (frame * inlier_HW1).sum(1) / np.maximum(inlier_HW1.sum(1), 1)
    # Near a horizon a pixel belongs to the ground or to the sky: the one that it resembles.
    reach = max(1, round(_RELIEF * height / 64))
    near_HR = np.clip(rows[:, None] + np.arange(-reach, reach + 1), 0, height - 1)
    choices_HRC = color_HC[near_HR]
    nearest_HW = _distance(frame[:, :, None], choices_HRC[:, None]).argmin(-1)
    return choices_HRC[rows[:, None], nearest_HW]


def _distance(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Euclidean, over the last axis, of 3; a channel at a time, which is several times faster than a sum over three."""
    total = np.square(one[..., 0] - other[..., 0])
    for channel in (1, 2):
        total += np.square(one[..., channel] - other[..., channel])
    return np.sqrt(total, out=total)
