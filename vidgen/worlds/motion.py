# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""What is in a scene: frozen dataclasses, where everything is in each frame, and JSON.

World units: x to the right, y down, the origin in the middle of the first frame, the frame's shorter side is 1 at
zoom 1. So a scene does not depend on pixels. `vidgen.worlds.scene` draws scenes from seeds.
"""

import dataclasses
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from vidgen.worlds.places import Place

FPS = 8
"""Frames a second of every scene."""

DIRECTIONS: dict[str, tuple[int, int]] = {"left": (-1, 0), "right": (1, 0), "up": (0, -1), "down": (0, 1)}
MOTIONS: tuple[str, ...] = (
    *("still", "left", "right", "up", "down"),
    *("bounce", "arc", "orbit", "spin", "approach", "recede", "follow"),
)
BEATS: tuple[str, ...] = (
    *("enter", "leave", "land", "takeoff", "motion", "hide", "return", "pass"),
    *("hit", "pushed", "knocked", "open", "emerge"),
)
CAMERAS: tuple[str, ...] = ("still", "pan left", "pan right", "pan up", "pan down", "zoom in", "zoom out")

PACES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "steady": lambda share: share,
    "gaining": lambda share: share**2,
    "slowing": lambda share: 1 - (1 - share) ** 2,
}
"""How much of an act is done when a share of its time is over."""


@dataclass(frozen=True)
class Motion:
    """How an object moves while the clip runs; u goes from 0 in the first frame to 1 in the last.

    kind: one of MOTIONS. dx, dy: displacement over the clip (left, right, up, down, arc, follow). height: of a bounce
    or an arc. turns: rounds of an orbit or a spin, positive is clockwise; hops of a bounce. radius, phase (radians): of
    an orbit. growth: size at the end over size at the start (approach, recede). target: index of the object that is
    followed or orbited; -1 is none (an orbit then goes around the object's own x, y).
    """

    kind: str = "still"
    dx: float = 0.0
    dy: float = 0.0
    height: float = 0.0
    turns: float = 0.0
    radius: float = 0.0
    phase: float = 0.0
    growth: float = 1.0
    target: int = -1

    def __post_init__(self) -> None:
        if self.kind not in MOTIONS:
            raise ValueError(f"no motion is called {self.kind!r}; motions are {', '.join(MOTIONS)}")


@dataclass(frozen=True)
class Act:
    """A piece of an object's path: by how much it moves between two frames; before and after that it rests.

    Acts add up, also with a Motion, so a path is composed of any number of them, and one can be taken out.
    start, end: frames, start < end; the object is where it was at `start` and arrives at `end`. dx, dy: displacement,
    world units. pace: "steady"; "gaining" (from rest, as things fall); "slowing" (to rest, as things slide out).
    turn: radians clockwise. wide: width at the end over width at the start (a door that opens gets narrow). around:
    whether it looks the other way from `start` on. beat: index of the event of the story that it belongs to, or -1.
    """

    start: int
    end: int
    dx: float = 0.0
    dy: float = 0.0
    pace: str = "steady"
    turn: float = 0.0
    wide: float = 1.0
    around: bool = False
    beat: int = -1

    def __post_init__(self) -> None:
        if not 0 <= self.start < self.end:
            raise ValueError(f"an act needs 0 <= start < end, not start={self.start}, end={self.end}")
        if self.pace not in PACES:
            raise ValueError(f"an act's pace is one of {', '.join(PACES)}, not {self.pace!r}")

    def done(self, frames: int) -> np.ndarray:
        """How much of it is done in each frame, float64 [frames] from 0 to 1."""
        share_F = np.clip((np.arange(frames) - self.start) / (self.end - self.start), 0.0, 1.0)
        return PACES[self.pace](share_F)


@dataclass(frozen=True)
class Beat:
    """One event of a story.

    kind: one of BEATS. subject, other: indices of objects; other is -1 where there is none. side: "left", "right", "up"
    or "down": by which edge it enters or leaves, or which way it moves. start, end: frames between which it happens.
    cause: index of the beat that makes this one happen; -1 where nothing does.
    enter, leave: by an edge of the frame. land: from above, to rest. takeoff: from rest, up and out of the frame.
    motion: a straight way. hide: behind `other`, out of sight. return: out from behind `other`. pass: across `other`.
    hit: until it touches `other`. pushed, knocked: set going by a hit, sideways or down. open: a door. emerge: out from
    behind a door that is open.
    """

    kind: str
    subject: int
    start: int
    end: int
    other: int = -1
    side: str = ""
    cause: int = -1

    def __post_init__(self) -> None:
        if self.kind not in BEATS:
            raise ValueError(f"no event of a story is called {self.kind!r}; they are {', '.join(BEATS)}")


@dataclass(frozen=True)
class SceneObject:
    """One thing in a scene.

    concept: a name in the atlas. size: world length of the longer side of its visible box in the first frame.
    x, y: where its centre is in the first frame (for an orbit without target: the centre of the circle).
    depth: an object of smaller depth covers one of larger depth. flip: mirrored, to look where it goes. angle: tilt in
    the first frame, radians, positive is clockwise. enter, leave: the side of the frame by which it comes in or goes
    out, "" when it does not (events of a story say that themselves). acts: pieces of its path, on top of `motion`.
    unseen: it never comes into sight, so that captions do not speak of it.
    """

    concept: str
    size: float
    x: float
    y: float
    depth: float = 0.0
    flip: bool = False
    angle: float = 0.0
    motion: Motion = Motion()
    enter: str = ""
    leave: str = ""
    acts: tuple[Act, ...] = ()
    unseen: bool = False

    def __post_init__(self) -> None:
        for side in (self.enter, self.leave):
            if side and side not in DIRECTIONS:
                raise ValueError(f"objects enter and leave by {', '.join(DIRECTIONS)}, not {side!r}")


@dataclass(frozen=True)
class Camera:
    """kind: one of CAMERAS. dx, dy: how far the view moves over the clip, world units. zoom_start, zoom_end: scale."""

    kind: str = "still"
    dx: float = 0.0
    dy: float = 0.0
    zoom_start: float = 1.0
    zoom_end: float = 1.0

    def __post_init__(self) -> None:
        if self.kind not in CAMERAS:
            raise ValueError(f"no camera is called {self.kind!r}; cameras are {', '.join(CAMERAS)}")


@dataclass(frozen=True)
class Scene:
    """A clip to be rendered: `frames` frames of width x height pixels at FPS. frames = 1 is an image.

    story: what happens, in order. theme: the kind of story (see `vidgen.worlds.story`), "" for a plain scene; captions
    tell of that first.
    """

    seed: int
    width: int
    height: int
    frames: int
    place: Place
    camera: Camera
    objects: tuple[SceneObject, ...]
    story: tuple[Beat, ...] = ()
    theme: str = ""

    def __post_init__(self) -> None:
        if min(self.width, self.height, self.frames) < 1:
            raise ValueError(
                f"width, height and frames must be at least 1, not {self.width}x{self.height}x{self.frames}"
            )
        for row, thing in enumerate(self.objects):
            target = thing.motion.target
            if target != -1 and not (0 <= target < len(self.objects) and target != row):
                raise ValueError(
                    f"object {row} ({thing.concept}) has target {target}; give another object's index or -1"
                )
            if target != -1 and self.objects[target].motion.target != -1:
                raise ValueError(
                    f"object {row} ({thing.concept}) has a target that itself has one; chains are not allowed"
                )

    @property
    def extent(self) -> tuple[float, float]:
        """World width and height of the frame at zoom 1."""
        short = min(self.width, self.height)
        return self.width / short, self.height / short

    def in_sight(self) -> "Scene":
        """The scene without things that are never seen. A story's beats must not speak of them."""
        seen = tuple(thing for thing in self.objects if not thing.unseen)
        return self if len(seen) == len(self.objects) else dataclasses.replace(self, objects=seen)

    def to_dict(self) -> dict[str, Any]:
        """A value that `json.dumps` takes and `scene_from_dict` takes back."""
        return dataclasses.asdict(self)


def scene_from_dict(value: dict[str, Any]) -> Scene:
    """The inverse of `Scene.to_dict`, also after a trip through JSON (which turns tuples into lists)."""
    objects = tuple(
        SceneObject(
            **{
                **thing,
                "motion": Motion(**thing["motion"]),
                "acts": tuple(Act(**act) for act in thing.get("acts", ())),
            }
        )
        for thing in value["objects"]
    )
    place = Place(**{**value["place"], "colors": tuple(value["place"]["colors"])})
    story = tuple(Beat(**beat) for beat in value.get("story", ()))
    return Scene(**{**value, "place": place, "camera": Camera(**value["camera"]), "objects": objects, "story": story})


@dataclass(frozen=True)
class Poses:
    """World centre, size and angle of every object in every frame; each array is float64 [F, N].

    wide_FN: width over the picture's own width at that size; negative where it is mirrored.
    """

    x_FN: np.ndarray
    y_FN: np.ndarray
    size_FN: np.ndarray
    angle_FN: np.ndarray
    wide_FN: np.ndarray


def clip_time(frames: int) -> np.ndarray:
    """u in [0, 1] for each frame, [F]; 0 for an image."""
    return np.linspace(0.0, 1.0, frames) if frames > 1 else np.zeros(1)


def poses(scene: Scene) -> Poses:
    """Where every object is. Paths span the clip, whatever its length; hops, rounds and spins are counts over it."""
    u_F = clip_time(scene.frames)
    shape = (scene.frames, len(scene.objects))
    x_FN, y_FN, size_FN, angle_FN, wide_FN = (np.empty(shape) for _ in range(5))
    # Orbits need their target's path, so they come last; targets have no target themselves.
    for row, thing in sorted(enumerate(scene.objects), key=lambda item: item[1].motion.target != -1):
        motion = thing.motion
        x_F, y_F = thing.x + motion.dx * u_F, thing.y + motion.dy * u_F
        if motion.kind == "bounce":
            y_F = y_F - motion.height * np.abs(np.sin(math.pi * motion.turns * u_F))
        elif motion.kind == "arc":
            y_F = y_F - motion.height * 4 * u_F * (1 - u_F)
        elif motion.kind == "orbit":
            angle_F = motion.phase + 2 * math.pi * motion.turns * u_F
            if motion.target != -1:
                x_F, y_F = x_FN[:, motion.target], y_FN[:, motion.target]
            x_F, y_F = x_F + motion.radius * np.cos(angle_F), y_F + motion.radius * np.sin(angle_F)
        wide_F = np.full(scene.frames, -1.0 if thing.flip else 1.0)
        turned_F = np.zeros(scene.frames)
        for act in thing.acts:
            done_F = act.done(scene.frames)
            x_F, y_F, turned_F = x_F + act.dx * done_F, y_F + act.dy * done_F, turned_F + act.turn * done_F
            wide_F = wide_F * (1 + (act.wide - 1) * done_F)
            if act.around:
                wide_F = np.where(np.arange(scene.frames) >= act.start, -wide_F, wide_F)
        x_FN[:, row], y_FN[:, row], wide_FN[:, row] = x_F, y_F, wide_F
        size_FN[:, row] = thing.size * motion.growth**u_F
        spun_F = 2 * math.pi * motion.turns * u_F if motion.kind == "spin" else 0.0
        angle_FN[:, row] = thing.angle + spun_F + turned_F
    return Poses(x_FN, y_FN, size_FN, angle_FN, wide_FN)


def camera_path(scene: Scene) -> np.ndarray:
    """World centre and zoom of the view in each frame, float64 [F, 3]: x, y, zoom (2 shows things twice as large)."""
    u_F = clip_time(scene.frames)
    camera = scene.camera
    zoom_F = camera.zoom_start * (camera.zoom_end / camera.zoom_start) ** u_F
    return np.stack([camera.dx * u_F, camera.dy * u_F, zoom_F], axis=1)


def screen_poses(scene: Scene) -> Poses:
    """`poses` as the camera sees them, in pixels: x from the left edge, y from the top edge, size in pixels."""
    world, view_F3 = poses(scene), camera_path(scene)
    scale_F1 = min(scene.width, scene.height) * view_F3[:, 2:]
    return Poses(
        (world.x_FN - view_F3[:, :1]) * scale_F1 + scene.width / 2,
        (world.y_FN - view_F3[:, 1:2]) * scale_F1 + scene.height / 2,
        world.size_FN * scale_F1,
        world.angle_FN,
        world.wide_FN,
    )
