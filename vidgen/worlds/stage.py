# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""A story in the making: actors that are given acts one after the other, and the room that they have.

World units, before a camera that stands still: the frame is the world.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from vidgen.worlds.motion import DIRECTIONS, Act, Beat, SceneObject
from vidgen.worlds.places import Place
from vidgen.worlds.shapes import contact, cover, hiding_place, mask, spread
from vidgen.worlds.sprites import load_atlas

EDGE = 0.46
"""An actor at rest keeps its middle this share of its size inside the frame: at most 4 % of it is cut off."""
OUTSIDE = 0.54
"""One that is out of the frame has its middle this share of its size beyond the edge."""
CLOSE = 0.05
"""Gap up to which two things seem to touch: three pixels in 64."""


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
    """What a patch VAE sees few views of. size: of things, but of three and more of a kind, and of those that push,
    fall, pass or hide, which are `small`, and of what is hidden behind, or larger than another, which is `large`; step:
    what the edges of things at rest are multiples of, from the middle of the frame; way: how far something goes that
    has no end of its own (all world units); pace: frames an event takes.
    """

    size: float = 0.5
    step: float = 0.25
    pace: int = 8
    small: float = 0.375
    large: float = 0.625
    way: float = 0.5

    def snap(self, at: float, size: float) -> float:
        """The nearest place on the raster for the middle of a thing of this size."""
        return size / 2 + self.step * round((at - size / 2) / self.step)


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
        if self.raster:
            wide = high = size / 2
        x, low, top = self.extent[0] / 2 - wide, self.extent[1] / 2 - high, high - self.extent[1] / 2
        if self.place.has_ground and sky:
            low = max(top, self.place.horizon - 0.2 * size)
        elif self.place.has_ground:
            top = min(low, self.place.horizon + 0.06 - high)
        return (min(-x, 0.0), top), (max(x, 0.0), max(low, top))

    def size(self, low: float, high: float, kind: Literal["size", "small", "large"] = "size") -> float:
        """A random size, or the raster's of this kind."""
        size = float(self.rng.uniform(low, high))
        return getattr(self.raster, kind) if self.raster else size

    def spot(self, concept: str, size: float, sky: bool = False) -> tuple[float, float]:
        """A random place at rest."""
        low, high = self.room(concept, size, sky)
        x, y = self.rng.uniform(low, high)
        return self.on_raster(float(x), float(y), size)

    def on_raster(self, x: float, y: float, size: float) -> tuple[float, float]:
        """The nearest place where things of this size may stand."""
        return (self.raster.snap(x, size), self.raster.snap(y, size)) if self.raster else (x, y)

    def far(self, drawn: float, ways: float) -> float:
        """How far something goes: as was drawn, or so many of the raster's ways."""
        return ways * self.raster.way if self.raster else drawn

    def times(self, *drawn: int, paces: Sequence[float]) -> tuple[int, ...]:
        """When things happen, frames: as was drawn, or after so many of the raster's paces."""
        return tuple(round(self.raster.pace * at) for at in paces) if self.raster else drawn

    def hiding(self, front: Actor, back: Actor) -> tuple[float, float, float]:
        """Where the one hides best behind the other; see `shapes.hiding_place`. On a raster in its middle, or lower."""
        if self.raster is None:
            return hiding_place(front.mask(), back.mask())
        lower = self.raster.step * np.arange((front.size - back.size) / 2 // self.raster.step, -1, -1)
        shares = [cover(front.mask(), back.mask(), 0.0, float(dy)) for dy in lower]
        best = int(np.argmax(shares))
        return 0.0, float(lower[best]), shares[best]

    def contact(self, mover: Actor, other: Actor, aside: float, side: str) -> float | None:
        """At what distance the one touches the other; see `shapes.contact`. On a raster where their boxes meet, and
        None where the things themselves would then be more than CLOSE apart.
        """
        gap = contact(mover.mask(), other.mask(), aside, side)
        if self.raster is None or gap is None:
            return gap
        boxes = (mover.size + other.size) / 2
        return boxes if gap > boxes - CLOSE else None

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

    def layer(self) -> None:
        """What covers what: on a ground the lower is the nearer; elsewhere anything may cover anything."""
        near = [
            actor.y + 0.5 * actor.size if self.place.has_ground else float(self.rng.random()) for actor in self.actors
        ]
        for rank, row in enumerate(np.argsort(near)[::-1]):
            self.actors[int(row)].depth = float(rank)
