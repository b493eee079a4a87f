# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""How the camera moves in a clip: shifts and zooms of the whole picture, registered from frame to frame.

Lucas and Kanade's alignment ("An iterative image registration technique", IJCAI 1981) with three parameters and robust
weights, so that things that move by themselves count little.
"""

import itertools

import cv2
import numpy as np

from vidgen.worlds.tracks import looks

MOST_FRAMES = 33
"""Frames of a clip that are registered, evenly spread."""
PAN = 0.1
"""Least shift of the picture over a clip, as a share of the frame, for a pan. Scenes pan by 0.22 to 0.34."""
ZOOM = 0.13
"""Least change of the logarithm of scale for a zoom. Scenes zoom by 0.27 to 0.43."""
_SCALE = 8.0
"""Difference in RGB at which a pixel's weight falls to a quarter."""
_STEPS = 12
_LEVELS = (4, 2, 1)
"""Shrinking of the pictures, coarse to fine."""


def camera_kind(clip_FHWC: np.ndarray) -> str:
    """One of CAMERAS: what the camera of a clip (uint8 [F, H, W, 3]) does, by what moves most of the picture.

    A place without any texture tells nothing: there the things in it stand for the place.
    """
    shift_x, shift_y, zoom = camera_motion(clip_FHWC)
    # What the camera turns to comes in, and everything else goes the other way.
    found = {
        "pan right": -shift_x / PAN,
        "pan left": shift_x / PAN,
        "pan down": -shift_y / PAN,
        "pan up": shift_y / PAN,
        "zoom in": zoom / ZOOM,
        "zoom out": -zoom / ZOOM,
    }
    best = max(found, key=lambda kind: found[kind])
    return best if found[best] >= 1 else "still"


def camera_motion(clip_FHWC: np.ndarray) -> tuple[float, float, float]:
    """How far the picture moves over a clip: right and down in shares of the frame, and the log of its growth."""
    frames = clip_FHWC[list(looks(len(clip_FHWC), MOST_FRAMES))].astype(np.float32)
    total, last = np.zeros(3), np.zeros(3)
    for before, after in itertools.pairwise(frames):
        last = register(before, after, last)
        total += last
    height, width = clip_FHWC.shape[1:3]
    return float(total[0] / width), float(total[1] / height), float(total[2])


def register(before_HWC: np.ndarray, after_HWC: np.ndarray, guess: np.ndarray | None = None) -> np.ndarray:
    """By how many pixels a picture's middle moves right and down, and by which log of scale it grows, float64 [3].

    guess: where to begin, of the same form.
    """
    start = np.zeros(3) if guess is None else np.asarray(guess, float)
    tries = [start] if not start.any() else [start, np.zeros(3)]
    results = [_refine(before_HWC, after_HWC, one) for one in tries]
    return min(results, key=lambda one: one[1])[0]


def _refine(before_HWC: np.ndarray, after_HWC: np.ndarray, motion: np.ndarray) -> tuple[np.ndarray, float]:
    error = np.inf
    for shrink in _LEVELS:
        if min(before_HWC.shape[:2]) // shrink < 12:
            continue
        size = (before_HWC.shape[1] // shrink, before_HWC.shape[0] // shrink)
        small = [cv2.resize(one, size, interpolation=cv2.INTER_AREA) for one in (before_HWC, after_HWC)]
        step = np.array([shrink, shrink, 1.0])
        motion, error = _align(small[0], small[1], motion / step)
        motion = motion * step
    return motion, error


def _align(before_HWC: np.ndarray, after_HWC: np.ndarray, motion: np.ndarray) -> tuple[np.ndarray, float]:
    """Gauss-Newton on shift and log scale; the motion, and the mean robust error."""
    height, width = before_HWC.shape[:2]
    x_W, y_H1 = np.arange(width) - (width - 1) / 2, (np.arange(height) - (height - 1) / 2)[:, None]
    error = np.inf
    for _ in range(_STEPS):
        grown = np.exp(motion[2])
        # Where the pixel (x, y) of the first picture is in the second one.
        shift = [motion[0] + (1 - grown) * (width - 1) / 2, motion[1] + (1 - grown) * (height - 1) / 2]
        places = np.array([[grown, 0, shift[0]], [0, grown, shift[1]]])
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        moved = cv2.warpAffine(after_HWC, places, (width, height), flags=flags, borderMode=cv2.BORDER_REPLICATE)
        inside = cv2.warpAffine(np.ones((height, width), np.float32), places, (width, height), flags=flags) > 0.99
        residual = moved - before_HWC
        square_HW = np.square(residual).mean(-1)
        weight_HW = inside / np.square(1 + square_HW / _SCALE**2)
        error = float((inside * square_HW / (square_HW + _SCALE**2)).sum() / max(inside.sum(), 1))
        down, across = np.gradient(moved, axis=(0, 1))
        change = np.stack([across, down, across * x_W[None, :, None] + down * y_H1[..., None]])
        weighted = (change * weight_HW[..., None]).reshape(3, -1)
        normal = weighted @ change.reshape(3, -1).T
        # A direction in which nothing changes is left where it is.
        normal += np.diag(1e-6 + np.array([1.0, 1.0, width * height / 12]) * 0.02 * before_HWC.size)
        delta = -np.linalg.solve(normal, weighted @ residual.ravel())
        motion = motion + np.clip(delta, -2, 2)
        if np.abs(delta[:2]).max() < 1e-3 and abs(delta[2]) < 1e-4:
            break
    return motion, error
