# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""How the camera moves in a clip: shifts and zooms of the whole picture, registered from frame to frame.

Lucas and Kanade's alignment ("An iterative image registration technique", IJCAI 1981) with three parameters and robust
weights. The place tells, not the things in it, which may move by themselves: where their names are known, they are
found and left out. Where the place alone seems to stand still, but does not contradict what is seen with the things,
that stands: before a plain colour, or a gradient that is moved sideways, the things are all there is to see.
"""

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np

from vidgen.worlds.fitting import paint
from vidgen.worlds.tracks import looks
from vidgen.worlds.watch import watch

MOST_FRAMES = 33
"""Frames of a clip that are registered, evenly spread."""
PAN = 0.1
"""Least shift of the picture over a clip, as a share of the frame, for a pan. Scenes pan by 0.22 to 0.34."""
ZOOM = 0.13
"""Least change of the logarithm of scale for a zoom. Scenes zoom by 0.27 to 0.43."""
_RIM = 2
"""Pixels, of a frame of 64, around things that are left out with them."""
_WORSE, _GREY = 1.3, 0.1
"""The place contradicts a motion under which it fits worse by this factor, and so many grey levels, than it can."""
_BARELY, _TRACE = 1.05, 0.05
"""As those, for a part of a motion that the place hardly asks for."""
_ALONE, _OUT = 3.0, 0.6
"""One component alone explains what several do, if it fits so many times worse at most; larger shifts, in shares of the
frame, are not believed at once."""
_CHECKS, _LEAST_OPEN = 5, 0.04
"""Frames on which that is seen, the first among them; least share of the frame that both must show."""
_SCALE = 8.0
"""Difference in RGB at which a pixel's weight falls to a quarter."""
_STEPS = 12
_LEVELS = (4, 2, 1)
"""Shrinking of the pictures, coarse to fine."""


Motion = tuple[float, float, float]
"""How far a picture moves right and down, in shares of the frame, and the log of its growth."""


def camera_kind(clip_FHWC: np.ndarray, names: Sequence[str] = ()) -> str:
    """One of CAMERAS: what the camera of a clip (uint8 [F, H, W, 3]) does, by what moves the place.

    names: concepts of things that the clip may show, which are left out.
    """
    return _kind(camera_motion(clip_FHWC, names))


def _kind(motion: Motion) -> str:
    shift_x, shift_y, zoom = motion
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


def camera_motion(clip_FHWC: np.ndarray, names: Sequence[str] = ()) -> Motion:
    """How far the picture moves over a clip: right and down in shares of the frame, and the log of its growth.

    names: as in `camera_kind`.
    """
    at = looks(len(clip_FHWC), MOST_FRAMES)
    frames = clip_FHWC[list(at)].astype(np.float32)
    everywhere = np.ones(frames.shape[:3], np.float32)
    if not names:
        return _shares(_path(frames, everywhere), frames)
    open_LHW = _place(clip_FHWC, at, names)
    alone_L3, least = _simplest(frames, open_LHW, _path(frames, open_LHW))
    if _kind(_shares(alone_L3, frames)) != "still":
        return _shares(alone_L3, frames)
    path_L3 = _path(frames, everywhere)
    contradicted = _misfit(frames, open_LHW, path_L3) > _WORSE * least + _GREY
    return _shares(alone_L3 if contradicted else path_L3, frames)


def _shares(path_L3: np.ndarray, frames_LHWC: np.ndarray) -> Motion:
    """The last of a path, its shifts as shares of the frame."""
    height, width = frames_LHWC.shape[1:3]
    return float(path_L3[-1, 0] / width), float(path_L3[-1, 1] / height), float(path_L3[-1, 2])


def _place(clip_FHWC: np.ndarray, at: Sequence[int], names: Sequence[str]) -> np.ndarray:
    """1 where a frame shows the place, 0 where it shows a named thing or is within _RIM of one; float32 [L, H, W]."""
    seen = watch(clip_FHWC, names, (len(at) + 1) // 2)
    height, width = clip_FHWC.shape[1:3]
    rim = round(_RIM * min(height, width) / 64)
    open_FHW, nothing = np.ones((len(at), height, width), np.float32), np.zeros((height, width, 3), np.float32)
    for frame, clear_HW in zip(at, open_FHW, strict=True):
        for name in seen.tracks:
            _, alpha_HW = paint(seen.pose(name, frame), nothing)
            clear_HW[cv2.dilate(alpha_HW, np.ones((2 * rim + 1, 2 * rim + 1))) > 0.02] = 0
    return open_FHW


_ALL = np.ones(3)
"""All three components of a motion are free."""


def _path(frames_LHWC: np.ndarray, open_LHW: np.ndarray, free_3: np.ndarray = _ALL) -> np.ndarray:
    """The motion from the first frame to each; pixels and log of scale, [L, 3]. Components that are not free are 0.

    Each is registered to the first, from where the one before was: summed from neighbour to neighbour, a direction in
    which a place shows little change (the sea, sideways) would drift.
    """
    path_L3, last = np.zeros((len(frames_LHWC), 3)), np.zeros(3)
    for row in range(1, len(frames_LHWC)):
        pair = _Pair(frames_LHWC[0], frames_LHWC[row], open_LHW[0], open_LHW[row])
        path_L3[row] = _register(pair, (path_L3[row - 1] + last, path_L3[row - 1]), free_3)
        last = path_L3[row] - path_L3[row - 1]
    return path_L3


def _simplest(frames_LHWC: np.ndarray, open_LHW: np.ndarray, path_L3: np.ndarray) -> tuple[np.ndarray, float]:
    """The simplest path that explains a clip nearly as well, and its misfit.

    Sideways the sea looks the same everywhere, so that a fit may wander there and take its other components along.
    Where several components would tell something, or a shift leads out of the frame, each is tried alone.
    """
    least = _misfit(frames_LHWC, open_LHW, path_L3)
    telling = sum(_kind(_shares(path_L3 * component, frames_LHWC)) != "still" for component in np.eye(3))
    if telling > 1 or max(map(abs, _shares(path_L3, frames_LHWC)[:2])) > _OUT:
        alone = [_path(frames_LHWC, open_LHW, component) for component in np.eye(3)]
        best, one_L3 = min(((_misfit(frames_LHWC, open_LHW, one), one) for one in alone), key=lambda pair: pair[0])
        if best <= _ALONE * least + _GREY:
            return one_L3, best
    for component in np.eye(3):
        less_L3 = path_L3 * (1 - component)
        misfit = _misfit(frames_LHWC, open_LHW, less_L3)
        if misfit <= _BARELY * least + _TRACE:
            path_L3, least = less_L3, misfit
    return path_L3, least


def _misfit(frames_LHWC: np.ndarray, open_LHW: np.ndarray, path_L3: np.ndarray) -> float:
    """Mean difference, in grey levels, between open pixels of the first frame and of some later ones moved back.

    Infinite where the frames that are looked at have none in common: nobody could see such a motion.
    """
    misfits = []
    for row in looks(len(frames_LHWC), _CHECKS)[1:]:
        pair = _Pair(frames_LHWC[0], frames_LHWC[row], open_LHW[0], open_LHW[row])
        moved, inside = _moved_back(pair, path_L3[row])
        if inside.mean() > _LEAST_OPEN:
            misfits.append(float(np.abs(moved - pair.before).mean(-1)[inside].mean()))
    return float(np.mean(misfits)) if misfits else float("inf")


class _Pair(NamedTuple):
    """Two pictures [H, W, 3], and where they count, 0 to 1, [H, W]."""

    before: np.ndarray
    after: np.ndarray
    open: np.ndarray
    open_after: np.ndarray


def register(before_HWC: np.ndarray, after_HWC: np.ndarray, guess: np.ndarray | None = None) -> np.ndarray:
    """By how many pixels a picture's middle moves right and down, and by which log of scale it grows, float64 [3].

    guess: where to begin, of the same form.
    """
    everywhere = np.ones(before_HWC.shape[:2], np.float32)
    start = np.zeros(3) if guess is None else np.asarray(guess, float)
    return _register(_Pair(before_HWC, after_HWC, everywhere, everywhere), (start, np.zeros(3)), _ALL)


def _register(pair: _Pair, starts: tuple[np.ndarray, np.ndarray], free_3: np.ndarray) -> np.ndarray:
    tries = starts if np.abs(starts[0] - starts[1]).max() > 0 else starts[:1]
    return min((_refine(pair, start, free_3) for start in tries), key=lambda one: one[1])[0]


def _refine(pair: _Pair, motion: np.ndarray, free_3: np.ndarray) -> tuple[np.ndarray, float]:
    error = np.inf
    for shrink in _LEVELS:
        height, width = pair.before.shape[:2]
        if min(height, width) // shrink < 12:
            continue
        size = (width // shrink, height // shrink)
        small = _Pair(*(cv2.resize(one, size, interpolation=cv2.INTER_AREA) for one in pair))
        step = np.array([shrink, shrink, 1.0])
        motion, error = _align(small, motion / step, free_3)
        motion = motion * step
    return motion, error


def _moved_back(pair: _Pair, motion: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The second picture as it was before a motion [H, W, 3], and which pixels of both are open, bool [H, W]."""
    height, width = pair.before.shape[:2]
    grown = np.exp(motion[2])
    # Where the pixel (x, y) of the first picture is in the second one.
    shift = [motion[0] + (1 - grown) * (width - 1) / 2, motion[1] + (1 - grown) * (height - 1) / 2]
    places, flags = np.array([[grown, 0, shift[0]], [0, grown, shift[1]]]), cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    moved = cv2.warpAffine(pair.after, places, (width, height), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return moved, cv2.warpAffine(pair.open_after, places, (width, height), flags=flags) * pair.open > 0.98


def _align(pair: _Pair, motion: np.ndarray, free_3: np.ndarray) -> tuple[np.ndarray, float]:
    """Gauss-Newton on what is free of shift and log scale; the motion, and the mean robust error."""
    height, width = pair.before.shape[:2]
    x_W, y_H1 = np.arange(width) - (width - 1) / 2, (np.arange(height) - (height - 1) / 2)[:, None]
    error = np.inf
    for _ in range(_STEPS):
        moved, inside = _moved_back(pair, motion)
        residual = moved - pair.before
        square_HW = np.square(residual).mean(-1)
        weight_HW = inside / np.square(1 + square_HW / _SCALE**2)
        error = float((inside * square_HW / (square_HW + _SCALE**2)).sum() / max(inside.sum(), 1))
        down, across = np.gradient(moved, axis=(0, 1))
        change = np.stack([across, down, across * x_W[None, :, None] + down * y_H1[..., None]])
        change *= free_3[:, None, None, None]
        weighted = (change * weight_HW[..., None]).reshape(3, -1)
        normal = weighted @ change.reshape(3, -1).T
        # A direction in which nothing changes is left where it is.
        normal += np.diag(1e-6 + np.array([1.0, 1.0, width * height / 12]) * 0.02 * pair.before.size)
        delta = -np.linalg.solve(normal, weighted @ residual.ravel())
        delta = delta * free_3
        motion = motion + np.clip(delta, -2, 2)
        if np.abs(delta[:2]).max() < 1e-3 and abs(delta[2]) < 1e-4:
            break
    return motion, error
