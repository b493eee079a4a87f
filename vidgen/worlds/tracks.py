# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""What a clip shows: detections in a few of its frames, joined to tracks, and the signed readings taken from them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vidgen.worlds.detect import Detection, Detector
from vidgen.worlds.motion import DIRECTIONS

LOOKS = 5
"""Frames of a clip that are looked at, the first and the last among them."""
LEAST_FRAMES = 2
"""Frames in which a thing must be recognised to be in the clip: one might be chance."""
LEAST_SHIFT = 0.05
"""Share of the frame by which a thing must have moved to have a direction. Captions speak of motion from 0.2 on."""


@dataclass(frozen=True)
class Track:
    """One thing through a clip. frames: of the clip, in order; x, y: of its middle, as shares of the frame's width and
    height; detections: in those frames.
    """

    name: str
    frames: tuple[int, ...]
    x: tuple[float, ...]
    y: tuple[float, ...]
    detections: tuple[Detection, ...]

    def moves(self, direction: str) -> bool:
        """Whether it moved left, right, up or down between the first and the last frame in which it was seen."""
        across, down = DIRECTIONS[direction]
        return across * (self.x[-1] - self.x[0]) + down * (self.y[-1] - self.y[0]) > LEAST_SHIFT


def looks(frames: int, count: int = LOOKS) -> tuple[int, ...]:
    """Frame numbers spread evenly over a clip."""
    return tuple(int(frame) for frame in np.unique(np.round(np.linspace(0, frames - 1, count))))


def read_clip(clip_FHWC: np.ndarray, detector: Detector, count: int = LOOKS, follow: bool = False) -> dict[str, Track]:
    """The tracks of the things that are recognised in at least LEAST_FRAMES of `count` frames (in all, if there are
    fewer), by name. A detector names a thing at most once a frame, so that the name alone joins detections. follow: as
    in `Detector`.
    """
    at = looks(len(clip_FHWC), count)
    by_name: dict[str, list[tuple[int, Detection]]] = {}
    for frame, found in zip(at, detector(clip_FHWC[list(at)], follow), strict=True):
        for one in found:
            by_name.setdefault(one.name, []).append((frame, one))
    height, width = clip_FHWC.shape[1:3]
    return {
        name: _track(name, seen, width, height)
        for name, seen in by_name.items()
        if len(seen) >= min(LEAST_FRAMES, len(at))
    }


def _track(name: str, seen: Sequence[tuple[int, Detection]], width: int, height: int) -> Track:
    return Track(
        name,
        tuple(frame for frame, _ in seen),
        tuple(one.x / width for _, one in seen),
        tuple(one.y / height for _, one in seen),
        tuple(one for _, one in seen),
    )


def is_left_of(one: Track, other: Track, frames: int) -> bool | None:
    """Whether `one` is left of `other` in the first half of a clip of `frames` frames, where captions' relations hold;
    None where no frame of that half shows both.
    """
    gaps = [
        other.x[other.frames.index(frame)] - x
        for frame, x in zip(one.frames, one.x, strict=True)
        if frame in other.frames and frame <= (frames - 1) / 2
    ]
    return float(np.mean(gaps)) > 0 if gaps else None
