# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""3-D scenes drawn from seeds: what there is, how it stands, what is pushed, and how the camera goes.

Solids are placed on the floor as the camera of the first frame sees it: `across` to its right, `along` away from it.
"""

import dataclasses
import math
from dataclasses import dataclass

import numpy as np

from vidgen.worlds.solids.scene import COLORS, FLOORS, MATERIALS, SHAPES, VIEWS, Push, Solid, SolidScene, View
from vidgen.worlds.solids.viewpoint import camera_rig

PLAYS: tuple[str, ...] = ("rest", "roll", "slide", "hit", "drop", "stack", "topple")
"""What may go on: nothing; something rolls; slides; hits another; falls from above; a pile stands; a pile is hit."""
SPLITS = ("train", "heldout", "all")
HELD_OUT: tuple[tuple[str, str], ...] = (("red", "cylinder"), ("yellow", "ball"), ("blue", "box"), ("pink", "cylinder"))
"""Pairs of colour and shape that are kept from the split `train`; every colour and shape is seen in others."""

_MARGIN = 0.07
"""Share of the frame that is kept free at its edges."""
_TRIES = 200


@dataclass(frozen=True)
class SolidConfig:
    """What scenes may be drawn. In every tuple of names, one that is given twice is drawn twice as often.

    solids: smallest and largest number of solids; a play may need more. sizes: of half a side or a radius, metres.
    orbit: smallest and largest angle that an orbit covers, radians. apart: solids at rest never cover one another nor
    leave the frame, wherever the camera goes. split: "train" never has a pair of HELD_OUT, "heldout" always does, "all"
    does not care.
    """

    width: int = 64
    height: int = 64
    frames: int = 17
    solids: tuple[int, int] = (1, 4)
    plays: tuple[str, ...] = ("rest", "roll", "roll", "slide", "hit", "hit", "drop", "drop", "stack", "topple")
    views: tuple[str, ...] = (*VIEWS, *("still",) * 6)
    colors: tuple[str, ...] = tuple(COLORS)
    shapes: tuple[str, ...] = SHAPES
    materials: tuple[str, ...] = MATERIALS
    floors: tuple[str, ...] = tuple(FLOORS)
    sizes: tuple[float, float] = (0.3, 0.45)
    orbit: tuple[float, float] = (0.5, 0.9)
    apart: bool = False
    split: str = "all"

    def __post_init__(self) -> None:
        low, high = self.solids
        if not 1 <= low <= high <= 6:
            raise ValueError(f"solids must be (low, high) with 1 <= low <= high <= 6, not {self.solids}")
        for given, allowed, what in (
            (self.plays, PLAYS, "plays"),
            (self.views, VIEWS, "views"),
            (self.colors, tuple(COLORS), "colors"),
            (self.shapes, SHAPES, "shapes"),
            (self.materials, MATERIALS, "materials"),
            (self.floors, tuple(FLOORS), "floors"),
            ((self.split,), SPLITS, "split"),
        ):
            if not given or not set(given) <= set(allowed):
                raise ValueError(f"{what} must be taken from {', '.join(allowed)}; given: {given}")
        if len(set(self.colors)) < max(high, 4):
            raise ValueError(f"up to {max(high, 4)} solids need as many colours; given: {self.colors}")
        if self.apart and set(self.plays) != {"rest"}:
            raise ValueError(f"apart is about solids at rest: it needs plays=('rest',), not {self.plays}")
        if not 0 < self.sizes[0] <= self.sizes[1] <= 0.5:
            raise ValueError(f"sizes must be (low, high) with 0 < low <= high <= 0.5 metres, not {self.sizes}")
        if self.split == "heldout" and not any(c in self.colors and s in self.shapes for c, s in HELD_OUT):
            raise ValueError(f"split 'heldout' needs the colour and shape of one of {HELD_OUT}")


ORBITS = SolidConfig(
    solids=(5, 6),
    plays=("rest",),
    views=("orbit left", "orbit right"),
    sizes=(0.24, 0.31),
    orbit=(0.6, 1.0),
    apart=True,
)
"""Five or six solids at rest that an orbiting camera always sees in full: for measuring 3-D consistency."""


def held_out(solid: Solid) -> bool:
    """Whether scenes with this colour and shape are kept from training."""
    return (solid.color, solid.shape) in HELD_OUT


def draw_solids(config: SolidConfig, seed: int) -> SolidScene:
    """The scene of a seed: pure, so the same config and seed give the same scene on every machine."""
    rng = np.random.default_rng(seed)
    best: tuple[float, SolidScene] | None = None
    # Several layouts; the first in which everything is well in view, else the one that comes nearest to it.
    for _ in range(_TRIES):
        scene = _Draft(config, rng).scene(seed)
        crowding = _crowding(scene, everywhere=config.apart)
        if best is None or crowding < best[0]:
            best = crowding, scene
        if crowding == 0:
            break
    assert best is not None
    return best[1]


def _crowding(scene: SolidScene, everywhere: bool) -> float:
    """How much solids cover one another or stand out of the frame in the first frame, or in all of them; 0 is good."""
    rig = camera_rig(scene)
    frames = scene.frames if everywhere else 1
    middle_FN3 = np.broadcast_to([(s.x, s.y, s.z) for s in scene.solids], (scene.frames, len(scene.solids), 3))
    at_FN2, depth_FN = rig.project(middle_FN3)
    radius_FN = rig.focal * np.array([math.hypot(s.reach, s.rise) * 0.85 for s in scene.solids]) / depth_FN
    at_FN2, radius_FN = at_FN2[:frames], radius_FN[:frames]
    edge = _MARGIN * min(scene.width, scene.height)
    room_F2 = np.array([scene.width, scene.height]) - edge
    out_FN2 = np.maximum(edge + radius_FN[..., None] - at_FN2, at_FN2 + radius_FN[..., None] - room_F2)
    total = np.maximum(out_FN2, 0).sum()
    share = 1.05 if everywhere else 0.72
    for row in range(len(scene.solids)):
        for other in range(row):
            if (
                math.dist((scene.solids[row].x, scene.solids[row].y), (scene.solids[other].x, scene.solids[other].y))
                < 0.1
            ):
                continue  # one upon the other
            gap_F = np.linalg.norm(at_FN2[:, row] - at_FN2[:, other], axis=-1)
            total += np.maximum(share * (radius_FN[:, row] + radius_FN[:, other]) - gap_F, 0).sum()
    return float(total)


class _Draft:
    """One layout in the making."""

    def __init__(self, config: SolidConfig, rng: np.random.Generator) -> None:
        self.config, self.rng = config, rng
        colors = list(dict.fromkeys(config.colors))
        self.colors = [colors[int(at)] for at in rng.permutation(len(colors))]
        self.solids: list[Solid] = []
        self.pushes: list[Push] = []
        self.lanes: list[tuple[np.ndarray, np.ndarray, float]] = []

    def pick(self, names: tuple[str, ...]) -> str:
        return names[int(self.rng.integers(len(names)))]

    def scene(self, seed: int) -> SolidScene:
        config, rng = self.config, self.rng
        play = (
            self.pick(config.plays)
            if config.frames > 1
            else self.pick(("rest", "stack"))
            if ("stack" in config.plays)
            else "rest"
        )
        self.held = config.split == "heldout"
        count = int(rng.integers(config.solids[0], config.solids[1] + 1))
        getattr(self, f"_{play}")()
        while len(self.solids) < count:
            self.put(self.solid())
        view = self.view()
        cosine, sine = math.cos(view.azimuth), math.sin(view.azimuth)
        turned = tuple(
            dataclasses.replace(s, x=s.x * cosine - s.y * sine, y=s.x * sine + s.y * cosine, yaw=s.yaw + view.azimuth)
            for s in self.solids
        )
        pushes = tuple(
            dataclasses.replace(
                p,
                velocity=(
                    p.velocity[0] * cosine - p.velocity[1] * sine,
                    p.velocity[0] * sine + p.velocity[1] * cosine,
                    p.velocity[2],
                ),
            )
            for p in self.pushes
        )
        floor, light = self.pick(config.floors), view.azimuth + float(rng.choice([-1, 1]) * rng.uniform(0.5, 1.3))
        return SolidScene(seed, config.width, config.height, config.frames, floor, light, view, turned, pushes)

    def view(self) -> View:
        rng, kind = self.rng, self.pick(self.config.views) if self.config.frames > 1 else "still"
        turn = float(rng.uniform(*self.config.orbit)) if kind.startswith("orbit") else 0.0
        turn = float(rng.uniform(0.28, 0.4)) if kind.startswith("pan") else turn
        approach = {"dolly in": 0.68, "dolly out": 1.45}.get(kind, 1.0)
        distance = 5.8 if self.config.apart else 6.0 if kind == "dolly in" else 4.5 if kind == "dolly out" else 5.2
        return View(
            kind=kind,
            azimuth=float(rng.uniform(-math.pi, math.pi)),
            elevation=float(rng.uniform(0.45, 0.68) if not self.config.apart else rng.uniform(0.6, 0.85)),
            distance=distance * float(rng.uniform(0.95, 1.08)),
            turn=turn,
            approach=approach,
        )

    def solid(self, shapes: tuple[str, ...] | None = None, lying: float = 0.3) -> Solid:
        """A solid that nobody has placed yet, with the next colour that the split allows."""
        rng, config = self.rng, self.config
        shape = self.pick(tuple(s for s in config.shapes if shapes is None or s in shapes) or (shapes or SHAPES))
        if self.held:
            # The first solid that can be is one of those held out.
            pairs = [(c, s) for c, s in HELD_OUT if s in (shapes or config.shapes) and c in self.colors]
            if pairs:
                color, shape = pairs[int(rng.integers(len(pairs)))]
                self.colors.remove(color)
                self.colors.insert(0, color)
                self.held = False
        color = next(c for c in self.colors if config.split != "train" or (c, shape) not in HELD_OUT)
        self.colors.remove(color)
        half = float(rng.uniform(*config.sizes))
        lies = shape == "cylinder" and bool(rng.random() < lying)
        if shape == "ball":
            size = (half, half, half)
        elif shape == "box":
            size = (half * float(rng.uniform(0.8, 1.1)), half * float(rng.uniform(0.8, 1.1)), half)
        else:
            size = (0.85 * half, 0.85 * half, half * float(rng.uniform(0.9, 1.25)))
        solid = Solid(
            shape, color, self.pick(config.materials), size, 0, 0, 0, float(rng.uniform(-math.pi, math.pi)), lies
        )
        return dataclasses.replace(solid, z=solid.rise)

    def put(self, solid: Solid, near: float = 1.45) -> int:
        """Places a solid on the floor, apart from the others and out of their way; returns its row."""
        best, best_room = (0.0, 0.0), -math.inf
        for _ in range(30):
            at = self.rng.uniform(-near, near, 2) * (1.0, 0.95)
            room = min(
                (math.dist(at, (s.x, s.y)) - s.reach - solid.reach - 0.12 for s in self.solids), default=math.inf
            )
            for start, end, width in self.lanes:
                along = np.clip(np.dot(at - start, end - start) / max(np.dot(end - start, end - start), 1e-9), 0, 1)
                room = min(room, math.dist(at, start + along * (end - start)) - width - solid.reach - 0.05)
            if room > best_room:
                best, best_room = (float(at[0]), float(at[1])), room
            if room > 0:
                break
        return self.add(solid, *best)

    def add(self, solid: Solid, x: float, y: float) -> int:
        self.solids.append(dataclasses.replace(solid, x=x, y=y))
        return len(self.solids) - 1

    def heading(self) -> np.ndarray:
        """A direction on the floor: mostly across the picture, sometimes along the line of sight."""
        angle = float(self.rng.uniform(-0.3, 0.3)) + math.pi / 2 * float(self.rng.choice([0, 0, 1, 2, 2, 3]))
        return np.array([math.cos(angle), math.sin(angle)])

    def mover(self, start: np.ndarray, way: np.ndarray, speed: float, length: float, solid: Solid) -> int:
        """A solid that is pushed at once, and the lane that others keep free of."""
        if solid.lying:  # it rolls across its axis
            solid = dataclasses.replace(solid, yaw=math.atan2(way[1], way[0]) + math.pi / 2)
        row = self.add(solid, *map(float, start))
        self.pushes.append(Push(row, 0.0, (float(speed * way[0]), float(speed * way[1]), 0.0)))
        self.lanes.append((start, start + length * way, solid.reach))
        return row

    def roller(self) -> Solid:
        """A ball, or now and then a cylinder on its side."""
        return self.solid(("ball", "cylinder") if self.rng.random() < 0.25 else ("ball",), lying=1.0)

    def _rest(self) -> None:
        pass

    def _roll(self) -> None:
        way, length = self.heading(), float(self.rng.uniform(1.3, 2.2))
        seconds = (self.config.frames - 1) / 8
        start = -way * length / 2 + self.rng.uniform(-0.5, 0.5) * np.array([-way[1], way[0]])
        self.mover(start, way, length / seconds, length, self.roller())

    def _slide(self) -> None:
        way = self.heading()
        solid = self.solid(("box", "cylinder"), lying=0.0)
        # Flat, so that it slides rather than falls over; friction stops it after about v^2 / 7 metres.
        solid = dataclasses.replace(solid, size=(*solid.size[:2], 0.75 * min(solid.size)), z=0.75 * min(solid.size))
        speed = float(self.rng.uniform(2.4, 3.2))
        start = -0.6 * way + self.rng.uniform(-0.4, 0.4) * np.array([-way[1], way[0]])
        self.mover(start, way, speed, speed**2 / 7, solid)

    def _hit(self) -> None:
        way, target = self.heading(), self.solid(lying=0.0)
        middle = 0.35 * way + self.rng.uniform(-0.4, 0.4, 2)
        self.add(target, *map(float, middle))
        roller = self.roller()
        away = target.reach + roller.reach + float(self.rng.uniform(0.5, 0.9))
        self.mover(middle - away * way, way, float(self.rng.uniform(1.8, 2.8)), away + 1.0, roller)

    def _drop(self) -> None:
        solid = self.solid()
        height = float(self.rng.uniform(0.9, 1.35))
        row = self.put(solid, near=0.8)
        self.solids[row] = dataclasses.replace(self.solids[row], z=solid.rise + height)

    def _pile(self, at: np.ndarray, count: int) -> None:
        top, size = 0.0, 1.0
        for _ in range(count):
            solid = self.solid(("box", "cylinder"), lying=0.0)
            # Wide enough below: what stands on top is no larger.
            wide = min(1.0, size / max(solid.size[0], solid.size[1]))
            low = min(0.3, solid.size[2])
            size = wide * min(solid.size[:2])
            solid = dataclasses.replace(solid, size=(solid.size[0] * wide, solid.size[1] * wide, low))
            shift = self.rng.uniform(-0.03, 0.03, 2)
            row = self.add(solid, *map(float, at + shift))
            self.solids[row] = dataclasses.replace(self.solids[row], z=top + low)
            top += 2 * low

    def _stack(self) -> None:
        self._pile(self.rng.uniform(-0.6, 0.6, 2), int(self.rng.integers(2, 4)))

    def _topple(self) -> None:
        way = self.heading()
        at = 0.3 * way + self.rng.uniform(-0.3, 0.3, 2)
        self._pile(at, int(self.rng.integers(2, 4)))
        roller = self.solid(("ball",))
        reach = max(solid.reach for solid in self.solids)
        away = reach + roller.reach + float(self.rng.uniform(0.4, 0.8))
        self.mover(at - away * way, way, float(self.rng.uniform(2.8, 4.0)), away + 1.5, roller)
