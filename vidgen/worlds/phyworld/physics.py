# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Discs and squares that move by the laws of mechanics: in a straight line, by elastic impact, under gravity.

Everything is in closed form, so states are exact at any time and no step size is involved. Units are PhyWorld's (Kang
et al., "How Far is Video Generation from World Model: A Physical Law Perspective", arXiv 2411.02385): a world 10 units
wide and high, y up, seconds, and masses that are areas (all bodies are of one density).
"""

import dataclasses
import math
from dataclasses import dataclass
from typing import Any

import numpy as np

EXTENT = 10.0
"""Width and height of the world."""
FRAMES, STEP = 32, 0.1
"""PhyWorld's clip: frames, and seconds from one to the next."""
GRAVITY = -2.5
"""PhyWorld's acceleration of a falling ball along y."""
COLORS: dict[str, tuple[int, int, int]] = {"red": (255, 0, 0), "blue": (0, 0, 255)}
SHAPES = ("disc", "square")


@dataclass(frozen=True)
class Body:
    """One thing. x, y: its centre at time 0. vx, vy: its velocity then. radius: of a disc; half a square's side."""

    x: float
    y: float
    vx: float
    vy: float
    radius: float
    color: str = "red"
    shape: str = "disc"

    def __post_init__(self) -> None:
        if self.color not in COLORS or self.shape not in SHAPES:
            raise ValueError(f"a body is {' or '.join(COLORS)} and a {' or '.join(SHAPES)}; given: {self}")
        numbers = (self.x, self.y, self.vx, self.vy, self.radius)
        if not (all(map(math.isfinite, numbers)) and self.radius > 0):
            raise ValueError(f"a body needs finite numbers and a radius above 0; given: {self}")

    @property
    def mass(self) -> float:
        """Its area."""
        return (math.pi if self.shape == "disc" else 4.0) * self.radius**2


@dataclass(frozen=True)
class PhyScene:
    """One body, or two discs of different colours that may hit each other, on a plain ground.

    task: what it was drawn for. gravity: acceleration along y. frames: of the clip, the first one at time 0. step:
    seconds between frames. size: pixels along each side of the frame, which shows the whole world.
    """

    task: str
    bodies: tuple[Body, ...]
    gravity: float = 0.0
    frames: int = FRAMES
    step: float = STEP
    size: int = 64

    def __post_init__(self) -> None:
        if self.frames < 1 or self.size < 8 or not (self.step > 0 and math.isfinite(self.step + self.gravity)):
            raise ValueError(f"a scene needs a frame, 8 pixels, and a step above 0 s; given: {self}")
        if not 1 <= len(self.bodies) <= 2:
            raise ValueError(f"a scene has one body or two, not {len(self.bodies)}")
        if len(self.bodies) == 2:
            first, second = self.bodies
            if first.color == second.color or {first.shape, second.shape} != {"disc"}:
                raise ValueError(f"two bodies must be discs of different colours; given: {self.bodies}")
            if math.hypot(second.x - first.x, second.y - first.y) < (first.radius + second.radius) * (1 - 1e-9):
                raise ValueError(f"two bodies must be apart at time 0; given: {self.bodies}")

    @property
    def width(self) -> int:
        """Pixels."""
        return self.size

    @property
    def height(self) -> int:
        """Pixels."""
        return self.size

    def to_dict(self) -> dict[str, Any]:
        """For JSON; `scene_from_dict` reads it."""
        return dataclasses.asdict(self)


def scene_from_dict(fields: dict[str, Any]) -> PhyScene:
    """The scene that `PhyScene.to_dict` wrote. Raises ValueError or TypeError when it is none."""
    return PhyScene(**{**fields, "bodies": tuple(Body(**body) for body in fields["bodies"])})


@dataclass(frozen=True)
class PhyTruth:
    """The state of a scene's bodies in each frame, float64.

    time_F: seconds. position_FN2, velocity_FN2: (x, y) of each body, the velocity in the frame in which bodies touch
    being the one after. radius_N, mass_N; square_N: whether it is a square. visible_FN: whether a body is wholly inside
    the frame. gravity: acceleration along y. impact: seconds at which the two bodies hit each other, however late; None
    when they never do.
    """

    time_F: np.ndarray
    position_FN2: np.ndarray
    velocity_FN2: np.ndarray
    radius_N: np.ndarray
    mass_N: np.ndarray
    square_N: np.ndarray
    visible_FN: np.ndarray
    gravity: float
    impact: float | None


def ground_truth(scene: PhyScene) -> PhyTruth:
    """The state of a scene in all its frames."""
    time_F = np.arange(scene.frames) * scene.step
    position_FN2, velocity_FN2 = motion(scene, time_F)
    radius_N = np.array([body.radius for body in scene.bodies])
    inside_FN2 = (position_FN2 >= radius_N[:, None]) & (position_FN2 <= EXTENT - radius_N[:, None])
    return PhyTruth(
        time_F=time_F,
        position_FN2=position_FN2,
        velocity_FN2=velocity_FN2,
        radius_N=radius_N,
        mass_N=np.array([body.mass for body in scene.bodies]),
        square_N=np.array([body.shape == "square" for body in scene.bodies]),
        visible_FN=np.asarray(inside_FN2.all(-1)),
        gravity=scene.gravity,
        impact=impact_time(scene),
    )


def motion(scene: PhyScene, time_F: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(position_FN2, velocity_FN2) of a scene's bodies at any times from 0 on, exactly."""
    start_N2, speed_N2 = _start(scene)
    fall_2 = np.array([0.0, scene.gravity])
    after_F11 = np.asarray(time_F, float)[:, None, None]
    position, velocity = _free(start_N2, speed_N2, fall_2, after_F11)
    impact = impact_time(scene)
    if impact is not None:
        touching_N2, arriving_N2 = _free(start_N2, speed_N2, fall_2, np.array(impact))
        leaving_N2 = bounce(touching_N2, arriving_N2, np.array([body.mass for body in scene.bodies]))
        later = after_F11 >= impact
        bounced, bounced_velocity = _free(touching_N2, leaving_N2, fall_2, after_F11 - impact)
        position, velocity = np.where(later, bounced, position), np.where(later, bounced_velocity, velocity)
    return position, velocity


def impact_time(scene: PhyScene) -> float | None:
    """When a scene's two discs touch while they approach, in seconds from time 0; None when they never do.

    The distance of the centres, d + w t, moves evenly, since gravity acts on both alike; so the time is the smaller
    root of |d + w t|^2 = (r1 + r2)^2, written so that nothing cancels. After an elastic impact they part for good.
    """
    if len(scene.bodies) == 1:
        return None
    start_N2, speed_N2 = _start(scene)
    apart, closing = start_N2[1] - start_N2[0], speed_N2[1] - speed_N2[0]
    reach = sum(body.radius for body in scene.bodies)
    approach = float(apart @ closing)
    gap = max(float(apart @ apart) - reach**2, 0.0)
    root = approach**2 - float(closing @ closing) * gap
    if approach >= 0 or root <= 0:
        return None
    return gap / (-approach + math.sqrt(root))


def bounce(position_N2: np.ndarray, velocity_N2: np.ndarray, mass_N: np.ndarray) -> np.ndarray:
    """Velocities [2, 2] of two touching discs after a perfectly elastic impact without friction.

    The impulse acts along the line of the centres and turns round the velocity with which they approach on it: it is
    2 m1 m2 / (m1 + m2) times that velocity. This is what conserves momentum and energy.
    """
    normal = position_N2[1] - position_N2[0]
    normal = normal / np.linalg.norm(normal)
    closing = (velocity_N2[0] - velocity_N2[1]) @ normal
    impulse = 2 * closing * mass_N[0] * mass_N[1] / mass_N.sum() * normal
    return velocity_N2 + np.stack([-impulse / mass_N[0], impulse / mass_N[1]])


def momentum(velocity_FN2: np.ndarray, mass_N: np.ndarray) -> np.ndarray:
    """All bodies' momentum (x, y), [..., 2]."""
    return np.einsum("n,...nd->...d", mass_N, velocity_FN2)


def energy(position_FN2: np.ndarray, velocity_FN2: np.ndarray, mass_N: np.ndarray, gravity: float) -> np.ndarray:
    """All bodies' energy, [...]: of motion, and of height above y = 0 where there is gravity."""
    kinetic = 0.5 * np.square(velocity_FN2).sum(-1)
    return np.einsum("n,...n->...", mass_N, kinetic - gravity * position_FN2[..., 1])


def _start(scene: PhyScene) -> tuple[np.ndarray, np.ndarray]:
    start = np.array([(body.x, body.y) for body in scene.bodies], float)
    return start, np.array([(body.vx, body.vy) for body in scene.bodies], float)


def _free(
    position: np.ndarray, velocity: np.ndarray, fall_2: np.ndarray, time: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Position and velocity after a time of free flight."""
    return position + velocity * time + 0.5 * fall_2 * time**2, velocity + fall_2 * time
