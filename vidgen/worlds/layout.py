# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""How far objects move and where they start, so that they are seen well while the camera moves.

Everything here is as the camera sees it at zoom 1: "screen" coordinates in world units, the origin in the middle of the
frame. A displacement on the screen plus the camera's own is the displacement in the world.
"""

import math
from dataclasses import dataclass, field, replace

import numpy as np

from vidgen.worlds.motion import DIRECTIONS, FPS, Camera, Motion

EDGE = 0.42
"""An object's centre stays this share of its size away from the frame's edge: at most 8 % of its width is cut off."""
TRAVEL = 0.38
"""Least share of the frame that a straight mover crosses on the screen, where there is room."""
WORLD_TRAVEL = 0.14
"""Least share of the frame that it crosses in the world when the camera pans against it."""


@dataclass(frozen=True)
class Plan:
    """An object's motion and the room that it needs; all arrays are [2], x and y.

    shift: displacement on the screen over the clip. before, after: how far it strays from its straight path towards
    smaller and larger coordinates. start: a start that is fixed on an axis, nan where it is free. offset: set for an
    object that is placed relative to object 0.
    """

    size: float
    motion: Motion
    shift: np.ndarray
    before: np.ndarray = field(default_factory=lambda: np.zeros(2))
    after: np.ndarray = field(default_factory=lambda: np.zeros(2))
    start: np.ndarray = field(default_factory=lambda: np.full(2, np.nan))
    offset: np.ndarray | None = None
    enter: str = ""
    leave: str = ""


@dataclass(frozen=True)
class Frame:
    """The room there is: the frame's width and height at zoom 1, half of them at the largest zoom, the camera's pan.

    grid: if it is not 0, starts are multiples of it, and so are straight ways, which are then as long as there is room.
    """

    extent: np.ndarray
    half: np.ndarray
    pan: np.ndarray
    zooms: bool
    frames: int
    grid: float = 0.0

    @classmethod
    def of(cls, extent: tuple[float, float], camera: Camera, frames: int, grid: float = 0.0) -> "Frame":
        """The frame that `camera` shows of a world of this extent at zoom 1."""
        whole = np.asarray(extent)
        half = whole / 2 / max(camera.zoom_start, camera.zoom_end)
        return cls(whole, half, np.array([camera.dx, camera.dy]), camera.zoom_start != camera.zoom_end, frames, grid)

    def room(self, size: float) -> np.ndarray:
        """How far an object of this size may move along x and y, [2]."""
        return np.maximum(2 * self.half - 2 * EDGE * size, 0)

    def rounds(self, low: float, high: float, frames_each: float, rng: np.random.Generator) -> float:
        """A number of turns or hops: low to high in two seconds, slow enough to be seen at this frame rate."""
        wanted = rng.uniform(low, high) * max(1.0, (self.frames - 1) / FPS / 2)
        return min(wanted, (self.frames - 1) / frames_each)


def plan(kinds: list[str], sizes: np.ndarray, frame: Frame, crossings: float, rng: np.random.Generator) -> list[Plan]:
    """A plan for each object. Only object 1 may follow or orbit another object, which is object 0."""
    plans = [_plan_one(kind, float(size), frame, crossings, rng) for kind, size in zip(kinds, sizes, strict=True)]
    if len(plans) > 1 and kinds[1] == "orbit" and kinds[0] in ("still", "spin"):
        plans[:2] = _orbit(plans[0], plans[1], frame, rng)
    if len(plans) > 1 and kinds[1] == "follow":
        plans[:2] = _follow(kinds[0], plans[0], plans[1], frame, crossings, rng)
    return plans


def _sign(rng: np.random.Generator) -> int:
    return 1 if rng.random() < 0.5 else -1


def _plan_one(kind: str, size: float, frame: Frame, crossings: float, rng: np.random.Generator) -> Plan:
    rest = -frame.pan
    if kind in DIRECTIONS:
        return _straight(kind, size, frame, crossings, rng)
    if kind == "bounce":
        height = min(rng.uniform(0.3, 0.45) * frame.extent[1], max(0.1, frame.room(size)[1] - abs(rest[1])))
        hops = max(1.0, round(frame.rounds(1.6, 2.4, 4, rng)))
        return Plan(size, Motion(kind, height=height, turns=hops), rest, before=np.array([0, height]))
    if kind == "arc":
        flat = _straight("right" if rng.random() < 0.5 else "left", size, frame, 0.0, rng)
        height = min(rng.uniform(0.22, 0.38) * frame.extent[1], max(0.1, frame.room(size)[1] - abs(rest[1])))
        motion = replace(flat.motion, kind=kind, height=height)
        return replace(flat, motion=motion, before=np.array([0, height]))
    if kind == "orbit":
        radius = min(rng.uniform(0.18, 0.26), max(0.08, float((frame.room(size) - abs(rest)).min()) / 2))
        turns = _sign(rng) * frame.rounds(0.75, 1.25, 6, rng)
        reach = np.full(2, radius)
        return Plan(size, Motion(kind, turns=turns, radius=radius, phase=rng.uniform(0, 2 * np.pi)), rest, reach, reach)
    if kind == "spin":
        turns = _sign(rng) * frame.rounds(0.6, 1.2, 6, rng)
        return Plan(size, Motion(kind, turns=turns), rest, np.full(2, 0.1 * size), np.full(2, 0.1 * size))
    if kind in ("approach", "recede"):
        growth, small = rng.uniform(1.7, 2.1), 0.62 * size
        reach = np.full(2, EDGE * small * growth - EDGE * size)
        if kind == "approach":
            return Plan(small, Motion(kind, growth=growth), rest, reach, reach)
        return Plan(small * growth, Motion(kind, growth=1 / growth), rest, reach, reach)
    # "follow" is completed by its leader, see _follow.
    return Plan(size, Motion(), rest)


def _straight(
    kind: str, size: float, frame: Frame, crossings: float, rng: np.random.Generator, room: float | None = None
) -> Plan:
    """Along one axis from edge to edge, or in from outside, or out; at rest where there is no room to go against the
    camera. room: less than the whole frame, if given.
    """
    direction = np.asarray(DIRECTIONS[kind], float)
    axis = int(np.flatnonzero(direction)[0])
    length, against = frame.extent[axis], max(0.0, float(-frame.pan @ direction))
    room = float(frame.room(size)[axis]) if room is None else room
    shift, start = -frame.pan * (1 - abs(direction)), np.full(2, np.nan)
    enter = leave = ""
    # A zoom moves the edges themselves, so an entrance could not be promised.
    if rng.random() < crossings and not frame.zooms:
        outside = frame.half[axis] + 0.55 * size
        travel = outside + rng.uniform(0, 0.5) * frame.half[axis]
        if rng.random() < 0.5:
            start[axis] = -direction[axis] * outside
            enter = {"left": "right", "right": "left", "up": "down", "down": "up"}[kind]
        else:
            start[axis] = direction[axis] * (outside - travel)
            leave = kind
    else:
        least = max(TRAVEL * length, against + WORLD_TRAVEL * length)
        travel = room if room < least else rng.uniform(least, max(least, min(room, 0.8 * length)))
        if frame.grid:
            travel = frame.grid * max(1, math.floor(room / frame.grid + 1e-6))
        if travel <= against + 1e-6:
            return Plan(size, Motion(), -frame.pan)
    shift = shift + direction * travel
    world = (shift + frame.pan) * abs(direction)
    motion = Motion(kind, dx=float(world[0]), dy=float(world[1]))
    return Plan(size, motion, shift, start=start, enter=enter, leave=leave)


def _orbit(centre: Plan, mover: Plan, frame: Frame, rng: np.random.Generator) -> list[Plan]:
    """Object 1 in rounds about object 0, which needs room for both."""
    size = 0.75 * mover.size
    radius = 0.5 * (centre.size + size) * rng.uniform(0.95, 1.1)
    radius = min(radius, float((frame.room(size) - abs(frame.pan)).min()) / 2)
    reach = np.full(2, max(0.0, radius + EDGE * (size - centre.size)))
    motion = replace(mover.motion, radius=radius, target=0)
    return [replace(centre, before=reach, after=reach), Plan(size, motion, centre.shift, offset=np.zeros(2))]


def _follow(
    kind: str, leader: Plan, mover: Plan, frame: Frame, crossings: float, rng: np.random.Generator
) -> list[Plan]:
    """Object 1 behind object 0 on the same path; where the frame is too small for both, just the same way."""
    direction = np.asarray(DIRECTIONS[kind], float)
    axis = int(np.flatnonzero(direction)[0])
    gap = 0.5 * (leader.size + mover.size) + 0.02
    room = float(frame.room(0.5 * (leader.size + mover.size))[axis]) - gap
    needed = max(0.28 * frame.extent[axis], float(-frame.pan @ direction) + WORLD_TRAVEL * frame.extent[axis])
    if room < needed:
        return [leader, _straight(kind, mover.size, frame, crossings, rng)]
    leader = _straight(kind, leader.size, frame, 0.0, rng, room=room)
    tail = gap + EDGE * (mover.size - leader.size)
    leader = replace(leader, before=tail * (direction > 0), after=tail * (direction < 0))
    motion = replace(leader.motion, kind="follow", target=0)
    aside = rng.uniform(-0.05, 0.05) * (1 - abs(direction))
    return [leader, Plan(mover.size, motion, leader.shift, offset=aside - direction * gap)]


def _nearest_on_grid(at: np.ndarray, low: np.ndarray, high: np.ndarray, grid: float) -> np.ndarray:
    """The multiple of `grid` next to `at` that lies in [low, high]; next to its middle where none does."""
    first, last = np.ceil(low / grid - 1e-6), np.floor(high / grid + 1e-6)
    inside = np.clip(np.round(at / grid), first, np.maximum(first, last))
    return grid * np.where(first <= last, inside, np.round((low + high) / (2 * grid)))


def place(
    plans: list[Plan], frame: Frame, lowest_N: np.ndarray, highest_N: np.ndarray, tries: int, rng: np.random.Generator
) -> np.ndarray:
    """Start of each object's path on the screen, float64 [N, 2]: of `tries` random ones, where they are best apart.

    lowest_N, highest_N: wished bounds of y (for ground and sky), kept where the object's path allows it.
    """
    size_N = np.array([one.size for one in plans])
    shift_N2 = np.stack([one.shift for one in plans])
    edge_N2 = frame.half - EDGE * size_N[:, None]
    low_N2 = -edge_N2 + np.stack([one.before for one in plans]) - np.minimum(shift_N2, 0)
    high_N2 = edge_N2 - np.stack([one.after for one in plans]) - np.maximum(shift_N2, 0)
    middle_N2 = (low_N2 + high_N2) / 2
    low_N2, high_N2 = np.minimum(low_N2, middle_N2), np.maximum(high_N2, middle_N2)
    low_N2[:, 1] = np.clip(lowest_N, low_N2[:, 1], high_N2[:, 1])
    high_N2[:, 1] = np.clip(highest_N, low_N2[:, 1], high_N2[:, 1])
    start_N2 = np.stack([one.start for one in plans])
    at_KN2 = rng.uniform(low_N2, high_N2, (tries, len(plans), 2))
    if frame.grid:
        at_KN2 = _nearest_on_grid(at_KN2, low_N2, high_N2, frame.grid)
    at_KN2 = np.where(np.isnan(start_N2), at_KN2, start_N2)
    for row, one in enumerate(plans):
        if one.offset is not None:
            at_KN2[:, row] = at_KN2[:, 0] + one.offset
    if len(plans) == 1:
        return at_KN2[0]
    first, second = np.triu_indices(len(plans), 1)
    reach_P = (size_N[first] + size_N[second]) / 2
    # An orbit about nothing starts away from its middle.
    orbits_N = np.array([one.motion.radius * (one.offset is None) for one in plans])
    phase_N = np.array([one.motion.phase for one in plans])
    turned_N2 = orbits_N[:, None] * np.stack([np.cos(phase_N), np.sin(phase_N)], axis=1)
    score_K = np.zeros(tries)
    for u, weight, enough in ((0.0, 1.0, 1.2), (0.25, 0.3, 1.0), (0.5, 0.3, 1.0)):
        now_KN2 = at_KN2 + u * shift_N2 + (turned_N2 if u == 0 else 0)
        apart_KP = np.abs(now_KN2[:, first] - now_KN2[:, second]).max(axis=-1) / reach_P
        score_K += weight * np.minimum(apart_KP, enough).min(axis=1)
    return at_KN2[int(np.argmax(score_K))]
