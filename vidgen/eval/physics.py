# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Does a clip of moving balls obey mechanics? What was read of it (`read_discs`) against what must happen.

All numbers are in PhyWorld's units (a world 10 wide, seconds). Counted are frames that the model made, in which all
bodies should be wholly visible and, where two bodies hit each other, that come after the impact.
"""

from dataclasses import dataclass

import numpy as np

from vidgen.worlds.phyworld.discs import SQUARE, DiscReading, read_discs
from vidgen.worlds.phyworld.physics import COLORS, PhyScene, PhyTruth, energy, ground_truth, momentum
from vidgen.worlds.phyworld.scene import PAIR_RADIUS, PAIR_VELOCITY

LOST, RESIZED, STRAY, JUMP = 0.1, 0.1, 0.25, 0.5
"""From when on a clip is abnormal: the share of frames in which a body is missing, resized or of another shape; the
share by which a resized body's radius is off; the area of other things, as a share of the smallest body's; and the
change of step beyond the largest true one, as a share of a body's radius."""
FAULTS = ("lost", "resized", "reshaped", "stray", "jumped")


@dataclass(frozen=True)
class VelocityError:
    """error: mean |v - v_hat|, nan where no step was read. missed: share of (step, body) that could not be read."""

    error: float
    missed: float


@dataclass(frozen=True)
class Drift:
    """How far energy and momentum are from what is conserved, as shares; nan where they could not be read.

    energy: |E_hat - E| / E. momentum: |p_hat - p| / (sum of m |v|).
    """

    energy: float
    momentum: float


@dataclass(frozen=True)
class GravityFit:
    """value: the fitted acceleration along y. error: its standard error, from the residuals. nan where not read."""

    value: float
    error: float


UNREAD = float("nan")


def counted_frames(truth: PhyTruth, given: int = 0, before: bool = False) -> np.ndarray:
    """Frames that are counted, bool [F]. given: first frames that the model was shown. before: count those before an
    impact.

    The last given frame is one of them, as a step from it to the first made one is of the model's making.
    """
    after = truth.time_F >= (-np.inf if truth.impact is None or before else truth.impact)
    return truth.visible_FN.all(-1) & after & (np.arange(len(truth.time_F)) >= given - 1)


def velocity_error(reading: DiscReading, truth: PhyTruth, given: int = 0) -> VelocityError:
    """The mean over steps and bodies of |v - v_hat|, velocities being differences of positions in neighbouring frames.

    PhyWorld's velocity error (Kang et al., arXiv 2411.02385): the mean over balls and over the frames in which they are
    wholly visible, after the impact for collisions. |.| is the Euclidean norm, so that a ball that leaves its line is
    in error, too.
    """
    step = _steps(reading, truth, given)
    if not step.size:
        return VelocityError(UNREAD, UNREAD)
    read = ~np.isnan(step)
    return VelocityError(float(step[read].mean()) if read.any() else UNREAD, float(1 - read.mean()))


def conservation_drift(reading: DiscReading, truth: PhyTruth, given: int = 0) -> Drift:
    """Energy and momentum in the middle of the counted frames against what they must be there.

    Velocities come from polynomials through each body's positions, lines or, under gravity, parabolas; masses are the
    true ones. Energy is that of motion and of the height above the bottom of the world.
    """
    rows = counted_frames(truth, given) & reading.seen.all(-1)
    if rows.sum() < (4 if truth.gravity else 3):
        return Drift(UNREAD, UNREAD)
    place, velocity = _middle(reading.position_FN2[rows], truth.time_F[rows], truth.gravity)
    true_place, true_velocity = _middle(truth.position_FN2[rows], truth.time_F[rows], truth.gravity)
    held = float(energy(true_place, true_velocity, truth.mass_N, truth.gravity))
    moving = float(truth.mass_N @ np.linalg.norm(true_velocity, axis=-1))
    if held < 1e-6 or moving < 1e-6:
        return Drift(UNREAD, UNREAD)
    found = float(energy(place, velocity, truth.mass_N, truth.gravity))
    pushed = momentum(velocity - true_velocity, truth.mass_N)
    return Drift(abs(found - held) / held, float(np.linalg.norm(pushed)) / moving)


def fit_gravity(reading: DiscReading, truth: PhyTruth, given: int = 0) -> GravityFit:
    """The acceleration along y of the first body: least squares of y = a + b t + g t^2 / 2 over the counted frames."""
    rows = counted_frames(truth, given) & reading.seen[:, 0]
    if rows.sum() < 4:
        return GravityFit(UNREAD, UNREAD)
    time_R, y_R = truth.time_F[rows], reading.position_FN2[rows, 0, 1]
    time_R = time_R - time_R.mean()
    design_R3 = np.stack([np.ones_like(time_R), time_R, 0.5 * time_R**2], 1)
    inverse_33 = np.linalg.inv(design_R3.T @ design_R3)
    found_3 = inverse_33 @ design_R3.T @ y_R
    spread = np.square(y_R - design_R3 @ found_3).sum() / (len(y_R) - 3)
    return GravityFit(float(found_3[2]), float(np.sqrt(spread * inverse_33[2, 2])))


def faults(reading: DiscReading, truth: PhyTruth, given: int = 0) -> tuple[str, ...]:
    """What is abnormal about a clip, of FAULTS; () for a clip that only moves wrongly, or not at all wrongly.

    lost: a body is not there, or not whole. resized: its radius is off. reshaped: a disc is a square or the other way
    round. stray: there is more of its colour elsewhere. jumped: it is suddenly somewhere else. (The paper has people
    judge what is abnormal; these are rules, whose limits are LOST, RESIZED, STRAY and JUMP.) Frames before an impact
    count, too.
    """
    rows = truth.visible_FN.all(-1) & (np.arange(len(truth.time_F)) >= given)
    if not rows.any():
        return ()
    seen = reading.seen[rows]
    with np.errstate(invalid="ignore"):
        # A square's radius is half its side; what is read is the radius of a disc of its area.
        radius_N = np.sqrt(truth.mass_N / np.pi)
        resized = seen & (np.abs(reading.radius_FN[rows] / radius_N - 1) > RESIZED)
        reshaped = seen & ((np.abs(reading.squareness_FN[rows] - truth.square_N)) > SQUARE)
    turn_N = _turns(truth.position_FN2, truth, given).max(0, initial=0)
    found = {
        "lost": ((~seen).mean(0) > LOST).any(),
        "resized": (resized.mean(0) > LOST).any(),
        "reshaped": (reshaped.mean(0) > LOST).any(),
        "stray": (reading.stray_F[rows] > STRAY * truth.mass_N.min()).mean() > LOST,
        "jumped": (_turns(reading.position_FN2, truth, given) - turn_N > JUMP * radius_N).any(),
    }
    return tuple(name for name in FAULTS if found[name])


def kept_attributes(clip_FHWC: np.ndarray, scene: PhyScene, given: int) -> dict[str, bool | None]:
    """Which attributes of its one body a clip still has at its end: color, size, velocity and shape; None where not
    read.

    For PhyWorld's pairs of attributes: what a model changes, to come back to a pair that it was trained on, it holds on
    to the least. Read in the made frames in which the body should be wholly visible, the
    second half of them; size and velocity are split at the middle of their ranges.
    """
    truth, body = ground_truth(scene), scene.bodies[0]
    made = np.flatnonzero(truth.visible_FN[:, 0] & (np.arange(scene.frames) >= given))
    late = made[len(made) // 2 :]
    reading = read_discs(clip_FHWC, tuple(COLORS))
    share_N = reading.seen[late].sum(0)
    if not share_N.any():
        return dict.fromkeys(("color", "size", "velocity", "shape"))
    column = int(share_N.argmax())
    rows = late[reading.seen[late, column]]
    radius = float(np.median(reading.radius_FN[rows, column]))
    square = bool(np.median(reading.squareness_FN[rows, column]) > SQUARE)
    half_side = radius * np.sqrt(np.pi) / 2 if square else radius
    kept: dict[str, bool | None] = {
        "color": tuple(COLORS)[column] == body.color,
        "size": bool((half_side > PAIR_RADIUS[0][1]) == (body.radius > PAIR_RADIUS[0][1])),
        "velocity": None,
        "shape": square == (body.shape == "square"),
    }
    if len(rows) > 1:
        away = reading.position_FN2[rows[-1], column] - reading.position_FN2[rows[0], column]
        speed = float(np.linalg.norm(away)) / float(truth.time_F[rows[-1]] - truth.time_F[rows[0]])
        kept["velocity"] = (speed > PAIR_VELOCITY[0][1]) == (abs(body.vx) > PAIR_VELOCITY[0][1])
    return kept


def _steps(reading: DiscReading, truth: PhyTruth, given: int) -> np.ndarray:
    """|v - v_hat| of each step between neighbouring counted frames and of each body, [S, N]; nan where not read."""
    rows = counted_frames(truth, given)
    off_FN2 = np.diff(reading.position_FN2 - truth.position_FN2, axis=0) / np.diff(truth.time_F)[:, None, None]
    return np.linalg.norm(off_FN2, axis=-1)[rows[1:] & rows[:-1]]


def _turns(position_FN2: np.ndarray, truth: PhyTruth, given: int) -> np.ndarray:
    """How much each step differs from the one before it, in units, [S, N]; with those before an impact and at it."""
    rows = counted_frames(truth, given, before=True)
    return np.linalg.norm(np.diff(position_FN2, n=2, axis=0), axis=-1)[rows[2:] & rows[1:-1] & rows[:-2]]


def _middle(position_FN2: np.ndarray, time_F: np.ndarray, gravity: float) -> tuple[np.ndarray, np.ndarray]:
    """(position [N, 2], velocity [N, 2]) at the mean time, of least-squares lines, or of parabolas under gravity."""
    centred_F = time_F - time_F.mean()
    design = np.stack([centred_F**power for power in range(3 if gravity else 2)], 1)
    found = np.linalg.lstsq(design, position_FN2.reshape(len(time_F), -1), rcond=None)[0]
    return found[0].reshape(-1, 2), found[1].reshape(-1, 2)
