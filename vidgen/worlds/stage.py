# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""A story in the making: actors that are given acts one after the other, and the room that they have.

World units, before a camera that stands still: the frame is the world.
"""

from dataclasses import dataclass, field

import numpy as np

from vidgen.worlds.motion import DIRECTIONS, Act, Beat, SceneObject
from vidgen.worlds.places import Place
from vidgen.worlds.shapes import mask, spread
from vidgen.worlds.sprites import load_atlas

EDGE = 0.46
"""An actor at rest keeps its middle this share of its size inside the frame: at most 4 % of it is cut off."""
OUTSIDE = 0.54
"""One that is out of the frame has its middle this share of its size beyond the edge."""


@dataclass
class Actor:
    """One thing of a story. x, y: where it is when the acts so far are over. at: where it starts. looks: "left" or
    "right", whither it looks now; "" while that is open. flip: mirrored in the first frame.
    """

    concept: str
    size: float
    x: float
    y: float
    depth: float = 0.0
    acts: list[Act] = field(default_factory=list)
    at: tuple[float, float] = (0.0, 0.0)
    looks: str = ""
    flip: bool = False

    def __post_init__(self) -> None:
        self.at = (self.x, self.y)

    def mask(self) -> np.ndarray:
        """Its silhouette as it stands in the first frame; see `shapes.mask`."""
        return mask(self.concept, self.size, self.flip)

    def face(self, side: str) -> bool:
        """Look left or right; whether it has to turn round for that. Art that looks to neither side never does."""
        facing = load_atlas()[self.concept].facing
        if side not in ("left", "right") or not facing:
            return False
        turns = self.looks not in ("", side)
        if not self.looks:
            self.flip = facing != side
        self.looks = side
        return turns

    def place(self, x: float, y: float) -> None:
        """Puts it somewhere else from the beginning; only before its first act."""
        self.x, self.y = self.at = (x, y)

    def go(
        self, start: int, end: int, x: float, y: float, pace: str = "steady", turn: float = 0.0, beat: int = -1
    ) -> None:
        """Moves it to (x, y), facing the way it goes."""
        around = abs(x - self.x) > abs(y - self.y) and self.face("right" if x > self.x else "left")
        self.slide(start, end, x, y, pace, turn, around=around, beat=beat)

    def slide(
        self,
        start: int,
        end: int,
        x: float,
        y: float,
        pace: str = "steady",
        turn: float = 0.0,
        wide: float = 1.0,
        around: bool = False,
        beat: int = -1,
    ) -> None:
        """Moves it to (x, y) whichever way it looks, as something pushes it."""
        self.acts.append(Act(start, end, x - self.x, y - self.y, pace, turn, wide, around, beat))
        self.x, self.y = x, y

    def thing(self) -> SceneObject:
        """The finished object."""
        (x, y), acts = self.at, tuple(self.acts)
        return SceneObject(self.concept, self.size, x, y, self.depth, flip=self.flip, acts=acts)


@dataclass(frozen=True)
class Raster:
    """What a patch VAE sees few views of. size: of every thing; step: what places and ways are multiples of, from the
    middle of the frame (both world units); pace: frames an event takes.
    """

    size: float = 0.5
    step: float = 0.25
    pace: int = 8

    def snap(self, *at: float) -> tuple[float, ...]:
        """The nearest place on the raster."""
        return tuple(self.step * round(one / self.step) for one in at)


@dataclass
class Stage:
    """The room, the time, and what happens so far. extent: width and height of the frame, world units. raster: where
    things stand and when events begin and end, if not anywhere and at any time.
    """

    extent: tuple[float, float]
    frames: int
    place: Place
    rng: np.random.Generator
    raster: Raster | None = None
    actors: list[Actor] = field(default_factory=list)
    beats: list[Beat] = field(default_factory=list)

    def room(self, concept: str, size: float, sky: bool = False) -> tuple[tuple[float, float], tuple[float, float]]:
        """Smallest and largest (x, y) of a middle at rest: on the ground, where there is one, or above it."""
        wide, high = (EDGE * size * share for share in spread(concept))
        x, low, top = self.extent[0] / 2 - wide, self.extent[1] / 2 - high, high - self.extent[1] / 2
        if self.place.has_ground and sky:
            low = max(top, self.place.horizon - 0.2 * size)
        elif self.place.has_ground:
            top = min(low, self.place.horizon + 0.06 - high)
        return (min(-x, 0.0), top), (max(x, 0.0), max(low, top))

    def size(self, low: float, high: float) -> float:
        """A random size, or the raster's."""
        size = float(self.rng.uniform(low, high))
        return self.raster.size if self.raster else size

    def spot(self, concept: str, size: float, sky: bool = False) -> tuple[float, float]:
        """A random place at rest."""
        low, high = self.room(concept, size, sky)
        x, y = self.rng.uniform(low, high)
        return self.on_raster(float(x), float(y))

    def on_raster(self, x: float, y: float) -> tuple[float, float]:
        """The nearest place where things may stand."""
        if self.raster:
            x, y = self.raster.snap(x, y)
        return x, y

    def beyond(self, actor: Actor, side: str, x: float, y: float) -> tuple[float, float]:
        """Where an actor is just out of the frame by an edge, level with (x, y)."""
        across, down = DIRECTIONS[side]
        wide, high = (OUTSIDE * actor.size * share + 0.01 for share in spread(actor.concept))
        if self.raster:
            wide = high = actor.size / 2
        x = across * (self.extent[0] / 2 + wide) if across else x
        return x, down * (self.extent[1] / 2 + high) if down else y

    def slots(self, count: int, longest: int = 30) -> list[tuple[int, int]]:
        """Start and end of `count` events, one after the other, with at least a frame between them."""
        slot, spans = (self.frames - 1) / count, []
        for row in range(count):
            if self.raster:
                start = self.raster.pace * int(row * slot / self.raster.pace)
                spans.append((start, start + self.raster.pace))
                continue
            lasts = max(2, round(min(longest, slot * self.rng.uniform(0.62, 0.82))))
            first, last = round(row * slot) + 1, round((row + 1) * slot) - lasts
            start = int(self.rng.integers(first, max(first, last) + 1))
            spans.append((start, start + lasts))
        return spans

    def beat(
        self, kind: str, subject: int, span: tuple[int, int], other: int = -1, side: str = "", cause: int = -1
    ) -> int:
        """Writes down an event; its index."""
        self.beats.append(Beat(kind, subject, *span, other=other, side=side, cause=cause))
        return len(self.beats) - 1
