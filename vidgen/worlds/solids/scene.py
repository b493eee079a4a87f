# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""What is in a 3-D scene: frozen dataclasses, the names of looks, and JSON.

World units are metres: x and y on the floor, z up, the floor at z = 0. Nothing here needs MuJoCo. `draw` draws
scenes from seeds, `mujoco` moves and renders them, `viewpoint` says where the camera is.
"""

import dataclasses
import math
from dataclasses import dataclass
from typing import Any

from vidgen.worlds.motion import FPS

__all__ = [
    "COLORS", "FLOORS", "FPS", "MATERIALS", "SHAPES", "VIEWS", "Floor", "Push", "Solid", "SolidScene", "View",
    "solid_name", "solids_from_dict",
]  # fmt: skip

SHAPES: tuple[str, ...] = ("ball", "box", "cylinder")
MATERIALS: tuple[str, ...] = ("matte", "shiny", "metal")
COLORS: dict[str, tuple[int, int, int]] = {
    "red": (214, 32, 32),
    "orange": (242, 122, 14),
    "yellow": (244, 208, 24),
    "green": (36, 156, 52),
    "turquoise": (24, 178, 184),
    "blue": (30, 74, 218),
    "purple": (128, 50, 184),
    "pink": (244, 104, 168),
}
"""Names and RGB of the colours that solids have. They differ in hue, since light and shadow change all else."""


@dataclass(frozen=True)
class Floor:
    """How a floor looks. color: RGB. pattern: "", "checker", "edge" (joints) or "random" (specks). repeats: of the
    pattern a metre, along x and y.
    """

    color: tuple[int, int, int]
    pattern: str = ""
    repeats: tuple[float, float] = (1.0, 1.0)


FLOORS: dict[str, Floor] = {
    "white": Floor((206, 206, 206)),
    "grey": Floor((150, 153, 158)),
    "dark": Floor((64, 66, 74)),
    "checkered": Floor((204, 206, 212), "checker", (0.7, 0.7)),
    "tiled": Floor((184, 190, 195), "edge", (1.2, 1.2)),
    "wooden": Floor((196, 174, 152), "edge", (0.35, 2.2)),
    "sandy": Floor((204, 191, 168), "random", (0.5, 0.5)),
}
"""All are far less saturated than any solid, so that a colour tells a solid from the floor."""

VIEWS: tuple[str, ...] = ("still", "orbit left", "orbit right", "dolly in", "dolly out", "pan left", "pan right")


@dataclass(frozen=True)
class Solid:
    """One rigid thing as the clip begins.

    shape: one of SHAPES. color: a name of COLORS. material: one of MATERIALS. size: half the sides of a box along its
    x, y and z; radius, radius and half the height of a cylinder; three times the radius of a ball. x, y, z: its middle.
    yaw: turn about the vertical, radians, counterclockwise from above. lying: a cylinder on its side; its axis then
    points along (cos yaw, sin yaw).
    """

    shape: str
    color: str
    material: str
    size: tuple[float, float, float]
    x: float
    y: float
    z: float
    yaw: float = 0.0
    lying: bool = False

    def __post_init__(self) -> None:
        for given, allowed, what in (
            (self.shape, SHAPES, "shape"),
            (self.color, COLORS, "color"),
            (self.material, MATERIALS, "material"),
        ):
            if given not in allowed:
                raise ValueError(f"{what} must be one of {', '.join(allowed)}, not {given!r}")
        if min(self.size) <= 0:
            raise ValueError(f"sizes of a solid are positive; given: {self.size}")
        if (self.shape == "ball" and len(set(self.size)) > 1) or (
            self.shape == "cylinder" and self.size[0] != self.size[1]
        ):
            raise ValueError(f"a {self.shape} is round: give its radius as often as needed, not {self.size}")
        if self.lying and self.shape != "cylinder":
            raise ValueError(f"only a cylinder can lie on its side, not a {self.shape}")

    @property
    def rolls(self) -> bool:
        """Whether it rolls when it is pushed."""
        return self.shape == "ball" or self.lying

    @property
    def rise(self) -> float:
        """Height of its middle over what it stands on."""
        return self.size[0] if self.lying else self.size[2]

    @property
    def reach(self) -> float:
        """Radius of the upright cylinder that holds it, whichever way it is turned."""
        if self.shape == "ball" or (self.shape == "cylinder" and not self.lying):
            return self.size[0]
        return math.hypot(self.size[0], self.size[2] if self.lying else self.size[1])


@dataclass(frozen=True)
class Push:
    """A sudden push: `time` seconds after the first frame, solid `row` gains `velocity` (x, y, z in m/s).

    What rolls is given the spin that goes with it, so that it rolls at once.
    """

    row: int
    time: float
    velocity: tuple[float, float, float]


@dataclass(frozen=True)
class View:
    """The camera, which looks at `target` (the kinds that pan: past it) and stays level.

    kind: one of VIEWS. azimuth: radians; at 0 it stands at negative y and looks along y, with x to its right; a larger
    one is further to its right. elevation: radians above the floor. distance: to the target, metres. fov: angle of
    view from top to bottom, radians. turn: angle by which an orbit or a pan goes round within the clip, not signed.
    approach: distance at the end over distance at the start (dolly).
    """

    kind: str = "still"
    azimuth: float = 0.0
    elevation: float = 0.5
    distance: float = 5.5
    target: tuple[float, float, float] = (0.0, 0.0, 0.35)
    fov: float = math.radians(40)
    turn: float = 0.0
    approach: float = 1.0

    def __post_init__(self) -> None:
        if self.kind not in VIEWS:
            raise ValueError(f"no camera is called {self.kind!r}; cameras are {', '.join(VIEWS)}")
        if not 0 < self.elevation < math.pi / 2 or not 0 < self.fov < math.pi or self.distance <= 0:
            raise ValueError(
                "elevation must be in (0, pi/2), fov in (0, pi) and distance positive, "
                f"not {self.elevation}, {self.fov} and {self.distance}"
            )


@dataclass(frozen=True)
class SolidScene:
    """A clip to be simulated and rendered: `frames` frames of width x height pixels at FPS. frames = 1 is an image.

    floor: a name of FLOORS. light: azimuth of the lamp, as a View's. Every solid has a colour of its own, which tells
    it from the others.
    """

    seed: int
    width: int
    height: int
    frames: int
    floor: str
    light: float
    view: View
    solids: tuple[Solid, ...]
    pushes: tuple[Push, ...] = ()

    def __post_init__(self) -> None:
        if min(self.width, self.height, self.frames) < 1:
            raise ValueError(
                f"width, height and frames must be at least 1, not {self.width}x{self.height}x{self.frames}"
            )
        if self.floor not in FLOORS:
            raise ValueError(f"no floor is called {self.floor!r}; floors are {', '.join(FLOORS)}")
        if not self.solids:
            raise ValueError("a scene needs at least one solid")
        colors = [solid.color for solid in self.solids]
        if len(set(colors)) < len(colors):
            raise ValueError(f"each solid needs a colour of its own; given: {', '.join(colors)}")
        for push in self.pushes:
            if not 0 <= push.row < len(self.solids) or push.time < 0:
                raise ValueError(f"{push} must name one of {len(self.solids)} solids and a time that is not negative")

    def to_dict(self) -> dict[str, Any]:
        """A value that `json.dumps` takes and `solids_from_dict` takes back."""
        return dataclasses.asdict(self)


def solids_from_dict(value: dict[str, Any]) -> SolidScene:
    """The inverse of `SolidScene.to_dict`, also after a trip through JSON (which turns tuples into lists)."""
    solids = tuple(Solid(**{**solid, "size": tuple(solid["size"])}) for solid in value["solids"])
    pushes = tuple(Push(**{**push, "velocity": tuple(push["velocity"])}) for push in value["pushes"])
    view = View(**{**value["view"], "target": tuple(value["view"]["target"])})
    return SolidScene(**{**value, "view": view, "solids": solids, "pushes": pushes})


def solid_name(solid: Solid) -> str:
    """What claims call a solid: "red ball"."""
    return f"{solid.color} {solid.shape}"
