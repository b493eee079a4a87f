# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""PhyWorld's tasks: what their scenes are drawn from, in training, in distribution and out of it; and a caption.

After Kang et al., "How Far is Video Generation from World Model: A Physical Law Perspective" (arXiv 2411.02385) and the
settings published in github.com/phyworld/phyworld (id_ood_data). Three tasks are about laws: one ball in even motion,
two balls in a head-on elastic impact, one ball thrown level. The others ask how a model generalises, all with one body
in even motion: a gap in the middle of the training velocities; fast balls to both sides in training (clips flipped left
to right) and slow ones to the right in the test; and pairs of attributes that go together in training and are swapped
in the test, such as red balls and blue squares against blue balls and red squares.

Velocities and radii are drawn evenly from their ranges, not from the published grid, and a draw whose scene does not
fit the frame is drawn again.
"""

import dataclasses
import math
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from vidgen.worlds.phyworld.physics import EXTENT, FRAMES, GRAVITY, STEP, Body, PhyScene, ground_truth

Task = Literal[
    "uniform",
    "collision",
    "parabola",
    "gap",
    "flip",
    "color-shape",
    "color-size",
    "color-velocity",
    "size-velocity",
    "size-shape",
    "velocity-shape",
]
Split = Literal["train", "in_distribution", "out_of_distribution"]
TASKS: tuple[str, ...] = get_args(Task)
SPLITS: tuple[str, ...] = get_args(Split)
ATTRIBUTES = ("color", "size", "velocity", "shape")
"""In the order in which the paper finds that a model holds on to them, the firmest first."""

Range = tuple[float, float]
VELOCITY: Range = (1.0, 4.0)
RADIUS: Range = (0.7, 1.5)
FAR_VELOCITY: tuple[Range, ...] = ((0.0, 0.8), (4.5, 6.0))
FAR_RADIUS: tuple[Range, ...] = ((0.3, 0.6), (1.5, 2.0))
"""The paper's ranges in distribution and out of it; units a second, and units."""
GAP: Range = (1.25, 3.75)
"""The widest of the published gaps in training; the others are (1.5, 3.5), (1.75, 3.25) and (2, 3)."""
FLIP_TRAIN: Range = (2.5, 4.0)
FLIP_TEST: Range = (1.0, 2.5)
PAIR_RADIUS: tuple[Range, Range] = ((0.7, 1.05), (1.05, 1.4))
PAIR_VELOCITY: tuple[Range, Range] = ((1.0, 2.5), (2.5, 4.0))
"""The two values of size and of velocity where they are paired with another attribute; colour is red or blue, shape
disc or square. The first values go together in training, and so do the second."""
MARGIN = 0.05 * EXTENT
"""Least distance of a ball from the top and the bottom of the frame."""
IN_VIEW = 0.75
"""Share of the clip for which a single ball is to stay in the frame on its way, where its velocity allows it."""
LEAD = 0.25
"""Least share of the clip before an impact, and after it."""
AFTER = 3
"""Least number of frames after an impact in which both balls are wholly visible: a velocity and a check of it."""
_ATTEMPTS = 2000
_HEAD_START = 0.5
"""Units within which a ball starts that is too fast to stay in view."""


@dataclass(frozen=True)
class PhyConfig:
    """What scenes are drawn from. frames, step, size: see `PhyScene`. gap: training velocities that task "gap" leaves
    out.
    """

    task: str = "uniform"
    split: str = "train"
    frames: int = FRAMES
    size: int = 64
    gap: Range = GAP

    def __post_init__(self) -> None:
        for given, allowed in ((self.task, TASKS), (self.split, SPLITS)):
            if given not in allowed:
                raise ValueError(f"{given!r} was given; there are {', '.join(allowed)}")
        if not VELOCITY[0] < self.gap[0] < self.gap[1] < VELOCITY[1]:
            raise ValueError(f"a gap lies within {VELOCITY}, its ends not included; given: {self.gap}")
        if self.frames < 8 or self.size < 8:
            raise ValueError(f"a scene has at least 8 frames and 8 pixels a side; given: {self.frames}, {self.size}")


def draw_scene(config: PhyConfig, seed: int) -> PhyScene:
    """One scene; it depends on (config, seed) alone, and scenes of different splits on different random numbers.

    Out of distribution, one velocity or radius at least is outside the training range, and any may be.
    """
    rng = np.random.default_rng([TASKS.index(config.task), SPLITS.index(config.split), seed])
    for _ in range(_ATTEMPTS):
        scene = _collision(config, rng) if config.task == "collision" else _single(config, rng)
        if scene is not None:
            return scene
    raise ValueError(f"no scene was found in {_ATTEMPTS} draws: {config}, seed {seed}")


def jittered(scene: PhyScene, seed: int, amount: float = 0.02) -> PhyScene:
    """The same experiment taken again: velocities off by a share, places by as many units, each of normal spread
    `amount`.

    Balls on one level stay on one level, and balls that would overlap at the start stay where they are.
    """
    rng = np.random.default_rng([seed, len(TASKS)])
    up = amount * rng.standard_normal()
    moved = []
    for body, (dx, share_x, share_y) in zip(scene.bodies, amount * rng.standard_normal((2, 3)), strict=False):
        faster = {"vx": body.vx * (1 + share_x), "vy": body.vy * (1 + share_y)}
        moved.append(dataclasses.replace(body, x=body.x + dx, y=body.y + up, **faster))
    if len(moved) == 2 and math.dist(*((body.x, body.y) for body in moved)) < sum(body.radius for body in moved):
        moved = [dataclasses.replace(new, x=old.x, y=old.y) for new, old in zip(moved, scene.bodies, strict=True)]
    return dataclasses.replace(scene, bodies=tuple(moved))


def caption(scene: PhyScene) -> str:
    """One sentence that is true of the scene within its frames."""
    names = [f"a {_size(body)}{body.color} {'ball' if body.shape == 'disc' else 'square'}" for body in scene.bodies]
    if len(names) == 2:
        truth = ground_truth(scene)
        happens = truth.impact is not None and truth.impact <= truth.time_F[-1]
        return " and ".join(names) + (" move toward each other and collide" if happens else " never touch")
    body = scene.bodies[0]
    speed = math.hypot(body.vx, body.vy)
    if not speed:
        return f"{names[0]} falls" if scene.gravity else f"{names[0]} stays still"
    pace = "slowly " if speed < 2 else "fast " if speed > 3 else ""
    if abs(body.vx) >= abs(body.vy):
        way = "to the right" if body.vx > 0 else "to the left"
    else:
        way = "up" if body.vy > 0 else "down"
    return f"{names[0]} is thrown {pace}{way} and falls" if scene.gravity else f"{names[0]} moves {pace}{way}"


def description(scene: PhyScene) -> str:
    """A sentence that says all of a scene, to two decimals: places, radii and velocities in a world 10 units wide."""
    told = []
    for body in scene.bodies:
        thing, extent = ("ball", "radius") if body.shape == "disc" else ("square", "half side")
        told.append(
            f"a {body.color} {thing} of {extent} {body.radius:.2f} at ({body.x:.2f}, {body.y:.2f}) "
            f"moving at ({body.vx:.2f}, {body.vy:.2f})"
        )
    falls = f", gravity {-scene.gravity:.2f}" if scene.gravity else ""
    return f"{' and '.join(told)} units a second{falls}"


def _size(body: Body) -> str:
    return "small " if body.radius < 0.9 else "large " if body.radius > 1.2 else ""


def _single(config: PhyConfig, rng: np.random.Generator) -> PhyScene:
    """One body, sent to the right (both ways in the training of "flip")."""
    color, radius, speed, shape = _draw_single(config, rng)
    length = config.frames * STEP
    room = EXTENT - 2 * radius - IN_VIEW * length * speed
    x = rng.uniform(radius, radius + (room if room > 0 else _HEAD_START))
    if config.task == "parabola":
        y = rng.uniform(EXTENT - MARGIN - radius - 1.0, EXTENT - MARGIN - radius)
    else:
        y = rng.uniform(radius + MARGIN, EXTENT - MARGIN - radius)
    left = config.task == "flip" and config.split != "out_of_distribution" and rng.random() < 0.5
    place, velocity = (EXTENT - x, -speed) if left else (x, speed)
    body = Body(place, y, velocity, 0.0, radius, color, shape)
    gravity = GRAVITY if config.task == "parabola" else 0.0
    return PhyScene(config.task, (body,), gravity, config.frames, STEP, config.size)


def _draw_single(config: PhyConfig, rng: np.random.Generator) -> tuple[str, float, float, str]:
    """(colour, radius, velocity, shape)."""
    far = config.split == "out_of_distribution"
    color, radius, speed, shape = "red", rng.uniform(*RADIUS), rng.uniform(*VELOCITY), "disc"
    if config.task in ("uniform", "parabola"):
        if far:
            radius, speed = _far((radius, speed), (FAR_RADIUS, FAR_VELOCITY), rng)
    elif config.task == "gap":
        low, high = config.gap
        speed = rng.uniform(low, high) if far else _of_ranges(((VELOCITY[0], low), (high, VELOCITY[1])), rng)
    elif config.task == "flip":
        speed = rng.uniform(*(FLIP_TEST if far else FLIP_TRAIN))
    else:
        first, second = config.task.split("-")
        value = int(rng.integers(2))
        values = {first: value, second: 1 - value if far else value}
        low, high = PAIR_RADIUS
        radius = rng.uniform(*PAIR_RADIUS[values["size"]]) if "size" in values else rng.uniform(low[0], high[1])
        speed = rng.uniform(*PAIR_VELOCITY[values["velocity"]]) if "velocity" in values else speed
        color = ("red", "blue")[values.get("color", 0)]
        shape = ("disc", "square")[values.get("shape", 0)]
    return color, float(radius), float(speed), shape


def _collision(config: PhyConfig, rng: np.random.Generator) -> PhyScene | None:
    """A red ball from the left and a blue one from the right on one line; None where the draw does not fit."""
    drawn = (*rng.uniform(*RADIUS, 2), *rng.uniform(*VELOCITY, 2))
    if config.split == "out_of_distribution":
        drawn = _far(drawn, (FAR_RADIUS, FAR_RADIUS, FAR_VELOCITY, FAR_VELOCITY), rng)
    r1, r2, v1, v2 = (float(value) for value in drawn)
    length = config.frames * STEP
    nearest = LEAD * length * (v1 + v2)
    farthest = min((1 - LEAD) * length * (v1 + v2), EXTENT - 2 * (r1 + r2))
    if nearest >= farthest:
        return None
    apart = rng.uniform(nearest, farthest) + r1 + r2
    x = rng.uniform(r1, EXTENT - r2 - apart)
    widest = max(r1, r2)
    y = rng.uniform(widest + MARGIN, EXTENT - MARGIN - widest)
    bodies = (Body(x, y, v1, 0.0, r1, "red"), Body(x + apart, y, -v2, 0.0, r2, "blue"))
    scene = PhyScene(config.task, bodies, 0.0, config.frames, STEP, config.size)
    truth = ground_truth(scene)
    after = truth.visible_FN.all(-1) & (truth.time_F >= (np.inf if truth.impact is None else truth.impact))
    return scene if after.sum() >= AFTER else None


def _far(
    values: tuple[float, ...], ranges: tuple[tuple[Range, ...], ...], rng: np.random.Generator
) -> tuple[float, ...]:
    """Values of which a random choice, one at least, is drawn anew from the ranges out of distribution."""
    chosen = int(rng.integers(1, 2 ** len(values)))
    return tuple(_of_ranges(ranges[index], rng) if chosen >> index & 1 else value for index, value in enumerate(values))


def _of_ranges(ranges: tuple[Range, ...], rng: np.random.Generator) -> float:
    return float(rng.uniform(*ranges[rng.integers(len(ranges))]))
