# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""A clip watched closely: where things are in many of its frames, and what happens to them, from detections alone."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vidgen.worlds.detect import DetectorConfig, build_detector
from vidgen.worlds.fitting import Pose
from vidgen.worlds.motion import DIRECTIONS, FPS
from vidgen.worlds.sprites import load_atlas
from vidgen.worlds.tracks import Track, looks, read_clip

MOST_LOOKS = 61
"""Frames of a clip that are looked at; all of a short one."""
EDGE = 0.07
"""A thing is at an edge of the frame when its box is as near to it, as a share of the frame."""
STEADY = 0.08
"""What moves less than this share of the frame is at rest."""
_LEAST_SCORE = 0.45
"""Few concepts are told apart, so that less will do than among all."""
_CREEPS = 0.02
"""What moves less than this between a few looks neither comes in nor goes out."""
WAY = 0.1
"""Least share of the frame that a thing must move one way to have moved that way; captions speak of it from 0.2 on."""


@dataclass(frozen=True, eq=False)
class Watched:
    """clip_FHWC: what was watched, uint8. looks: the frames that were looked at. tracks: by name, as in `read_clip`."""

    clip_FHWC: np.ndarray
    looks: tuple[int, ...]
    tracks: dict[str, Track]

    def path(self, name: str) -> np.ndarray:
        """Where a thing's middle is in each look, as shares of the frame, float64 [L, 2]; nan where it is not seen."""
        path_L2 = np.full((len(self.looks), 2), np.nan)
        track = self.tracks.get(name)
        if track:
            rows = [self.looks.index(frame) for frame in track.frames]
            path_L2[rows] = np.stack([track.x, track.y], axis=1)
        return path_L2

    def pose(self, name: str, frame: int) -> Pose:
        """A thing's pose in a frame: between frames that show it on the straight line, before and after as nearest."""
        track = self.tracks[name]
        after = min(int(np.searchsorted(track.frames, frame)), len(track.frames) - 1)
        before = after if track.frames[after] <= frame else max(after - 1, 0)
        one, other = track.detections[before], track.detections[after]
        span = track.frames[after] - track.frames[before]
        share = min(max((frame - track.frames[before]) / span, 0.0), 1.0) if span else 0.0
        values = [(1 - share) * getattr(one, key) + share * getattr(other, key) for key in ("x", "y", "size", "angle")]
        return Pose(load_atlas().index(name), one.flip, *values)

    def box(self, name: str, look: int) -> np.ndarray | None:
        """A thing's box, in the look nearest to number `look` that shows it, as shares of the frame; x0, y0, x1, y1."""
        track = self.tracks.get(name)
        if track is None:
            return None
        at = int(np.argmin([abs(frame - self.looks[look]) for frame in track.frames]))
        height, width = self.clip_FHWC.shape[1:3]
        return np.array(track.detections[at].box) / [width, height, width, height]


@dataclass(frozen=True)
class Happening:
    """Something that a thing did: kind "enter", "leave" (side is the edge), "appear", "vanish" (behind or out of
    something, away from the edges), "motion" (side is the way). look: number of the look in its middle. start, end:
    looks between which it was.
    """

    kind: str
    side: str
    look: float
    start: int
    end: int


def watch(clip_FHWC: np.ndarray, names: Sequence[str], count: int = MOST_LOOKS) -> Watched:
    """Watches a clip (uint8 [F, H, W, 3]) for the things that are named; others are not told from them.

    A thing must be recognised in two looks at least. About 20 ms of a core a look of 64x64 pixels.
    """
    wanted = tuple(sorted(set(names)))
    detector = build_detector(
        DetectorConfig(
            concepts=wanted, sizes=(0.2, 0.7), objects=len(wanted), shortlist=3, least_score=_LEAST_SCORE, clutter=2
        )
    )
    seen = looks(len(clip_FHWC), count)
    return Watched(clip_FHWC, seen, read_clip(clip_FHWC, detector, count, follow=True))


def happenings(seen: Watched, name: str) -> tuple[Happening, ...]:
    """What a thing did, in the order of time."""
    path_L2 = _filled(seen.path(name))
    there_L = ~np.isnan(path_L2[:, 0])
    found: list[Happening] = []
    edges = np.flatnonzero(np.diff(there_L.astype(int)))
    for at in edges:
        comes = bool(there_L[at + 1])
        look = int(at) + 1 if comes else int(at)
        side = "" if _at_another(seen, name, look) else _edge(seen, name, look, comes)
        kind = ("enter" if side else "appear") if comes else ("leave" if side else "vanish")
        found.append(Happening(kind, side, look, look, look))
    for start, end in _runs(there_L):
        found += _moves(path_L2, start, end)
    return tuple(sorted(found, key=lambda one: one.look))


def _filled(path_L2: np.ndarray) -> np.ndarray:
    """A path in which single looks that miss a thing are bridged."""
    path_L2 = path_L2.copy()
    there_L = ~np.isnan(path_L2[:, 0])
    for at in range(1, len(path_L2) - 1):
        if not there_L[at] and there_L[at - 1] and there_L[at + 1]:
            path_L2[at] = (path_L2[at - 1] + path_L2[at + 1]) / 2
    return path_L2


def _runs(there_L: np.ndarray) -> list[tuple[int, int]]:
    """First and last look of each stretch in which something is there."""
    padded = np.concatenate([[0], there_L.astype(int), [0]])
    starts, ends = np.flatnonzero(np.diff(padded) == 1), np.flatnonzero(np.diff(padded) == -1) - 1
    return [(int(a), int(b)) for a, b in zip(starts, ends, strict=True)]


def _edge(seen: Watched, name: str, look: int, comes: bool) -> str:
    """The edge of the frame by which a thing comes in or goes out in a look; "" where it does not by any.

    It has to be near that edge, and to move away from it or towards it: a thing on the ground is near the lower edge
    all the time, and one that goes behind another may be near an edge by chance.
    """
    box = seen.box(name, look)
    path_L2 = seen.path(name)
    around = path_L2[max(0, look - 3) : look + 4]
    around = around[~np.isnan(around[:, 0])]
    way = around[-1] - around[0]
    if box is None or np.abs(way).max() < _CREEPS:
        return ""
    axis = int(np.argmax(np.abs(way)))
    onward = bool(way[axis] > 0) != comes
    side = (("left", "right"), ("up", "down"))[axis][onward]
    away = {"left": box[0], "up": box[1], "right": 1 - box[2], "down": 1 - box[3]}[side]
    # In a long clip it gets far between two looks.
    return side if away <= EDGE + np.abs(np.diff(around[:, axis])).max() else ""


def _at_another(seen: Watched, name: str, look: int) -> bool:
    """Whether a thing's middle is where a larger one is, so that it comes out from behind that, or goes there."""
    x, y = seen.path(name)[look]
    own = seen.box(name, look)
    boxes = [seen.box(other, look) for other in seen.tracks if other != name]
    return any(
        box is not None
        and own is not None
        and box[0] <= x <= box[2]
        and box[1] <= y <= box[3]
        and np.prod(box[2:] - box[:2]) > 1.5 * np.prod(own[2:] - own[:2])
        for box in boxes
    )


def _moves(path_L2: np.ndarray, start: int, end: int) -> list[Happening]:
    """The straight ways of a thing between two looks: stretches in which it goes one way by WAY at least."""
    found: list[Happening] = []
    for side, (across, down) in DIRECTIONS.items():
        along_L = across * path_L2[:, 0] + down * path_L2[:, 1]
        at = start
        while at < end:
            if along_L[at + 1] - along_L[at] <= 0.004:
                at += 1
                continue
            stop = at
            # A pause of one look, or a step back by a hair, does not end it.
            while stop < end and along_L[stop + 1 : stop + 3].max() > along_L[stop] + 0.004:
                stop += 1
            if along_L[stop] - along_L[at] >= WAY:
                half = along_L[at] + 0.5 * (along_L[stop] - along_L[at])
                middle = at + int(np.argmax(along_L[at : stop + 1] >= half))
                found.append(Happening("motion", side, middle, at, stop))
            at = stop + 1
    return found


def rate(seen: Watched, name: str) -> float | None:
    """How fast a thing moves where it moves, in shares of the frame a second; None where it is not seen twice.

    Its way from a tenth to nine tenths of all that it covers, by the time that this takes.
    """
    path_L2 = _filled(seen.path(name))
    rows = np.flatnonzero(~np.isnan(path_L2[:, 0]))
    if len(rows) < 2:
        return None
    axis = int(np.argmax(np.ptp(path_L2[rows], axis=0)))
    along_L = path_L2[rows, axis]
    if along_L[-1] < along_L[0]:
        along_L = -along_L
    along_L = np.maximum.accumulate(along_L)
    whole = along_L[-1] - along_L[0]
    if whole < STEADY / 2:
        return 0.0
    at = [_crossing(along_L, np.array(seen.looks)[rows], along_L[0] + share * whole) for share in (0.1, 0.9)]
    return 0.8 * float(whole) * FPS / max(at[1] - at[0], 1e-6)


def _crossing(along_L: np.ndarray, frames_L: np.ndarray, level: float) -> float:
    """The frame, a fraction of one too, in which a rising path reaches a level."""
    after = int(np.argmax(along_L >= level))
    if after == 0:
        return float(frames_L[0])
    share = (level - along_L[after - 1]) / max(along_L[after] - along_L[after - 1], 1e-9)
    return float(frames_L[after - 1] + share * (frames_L[after] - frames_L[after - 1]))
