# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""3-D consistency: whether what an orbiting camera sees of things at rest can be one rigid scene.

Tracks of points are explained by one set of places in space and a pinhole camera of known angle of view that goes
round them on a smooth path; what is left is the reprojection error. This is bundle adjustment (Triggs, McLauchlan,
Hartley and Fitzgibbon, "Bundle adjustment: a modern synthesis", 2000, section 3) by Levenberg and Marquardt's method.

The path is smooth: the camera's azimuth is a quadratic in time; its elevation, its distance, and the angles by which
it looks past the middle change steadily, and it may be tilted. Were it free in every frame, a few things near one
plane, as on a floor, would prove nothing: it would move so as to explain nearly any motion of one of them. One motion
remains that no camera on a short orbit can tell: a thing that drifts steadily looks much like one elsewhere.
"""

import dataclasses
import math
from dataclasses import dataclass

import numpy as np

LEAST_POINTS = 4
"""Points that a scene must have: three are explained by many cameras."""
LEAST_FRAMES = 6
"""Frames in which a point must be seen, and that must show a point."""
STARTS = 2
"""Orbits from which the fit begins, the ones that explain most out of _TURNS x _ELEVATIONS."""
_TURNS = (0.2, 0.4, 0.65, 0.95, 1.4, 2.0)
_ELEVATIONS = (0.3, 0.55, 0.8, 1.1)
_FREE = np.array([[1, 1, 1], [1, 1, 0], [1, 1, 0], [1, 1, 0], [1, 1, 0], [1, 0, 0]], bool)
"""Which coefficients of the path are fitted; see _Guess.path_6K."""
_DISTANCE = 6.0
"""Of the camera from the scene's middle, as a fit begins: it only sets the scale."""
_STEPS, _ENOUGH = 40, 1e-3
"""Most steps of a fit; it ends when a step lowers the squared error by less than this share."""


@dataclass(frozen=True, eq=False)
class RigidFit:
    """One rigid scene that explains tracks best.

    error: root mean square distance in pixels between what was measured and what the scene would show. worst: the
    largest such distance of one point in one frame. points_N3: the scene, up to a similarity; NaN for points that were
    left out. turn: angle in radians by which the camera went round, positive to its right. spare: numbers measured less
    numbers fitted; the fewer, the less an error says.
    """

    error: float
    worst: float
    points_N3: np.ndarray
    turn: float
    spare: int


def fit_rigid(tracks_FN2: np.ndarray, width: int, height: int, fov: float = math.radians(40)) -> RigidFit | None:
    """Fits one rigid scene to tracks, x and y in pixels, float [F, N, 2], NaN where a point is not seen.

    width, height: of the picture, whose middle is straight ahead. fov: angle of view from top to bottom, radians.
    Points that are seen in fewer than LEAST_FRAMES frames do not count. None where fewer than LEAST_POINTS are left.
    Raises ValueError for tracks of another shape.
    """
    tracks = np.asarray(tracks_FN2, np.float64)
    if tracks.ndim != 3 or tracks.shape[-1] != 2:
        raise ValueError(f"tracks must be [F, N, 2], x and y of N points in F frames, not {list(tracks.shape)}")
    seen_FN = np.all(np.isfinite(tracks), axis=-1)
    points = np.flatnonzero(seen_FN.sum(0) >= LEAST_FRAMES)
    if len(points) < LEAST_POINTS:
        return None
    seen_FN = seen_FN[:, points]
    at_FN2 = np.where(seen_FN[..., None], tracks[:, points] - [width / 2, height / 2], 0.0)
    starts = _orbits(at_FN2, seen_FN, height / 2 / math.tan(fov / 2))
    guess, _ = min((_adjust(start, at_FN2, seen_FN) for start in starts), key=lambda fit: fit[1])
    away = np.linalg.norm(_project(guess) - at_FN2, axis=-1)[seen_FN]
    points_N3 = np.full((tracks.shape[1], 3), np.nan)
    points_N3[points] = guess.points_N3
    path_6F = guess.path()
    return RigidFit(
        error=float(np.sqrt(np.mean(away**2))),
        worst=float(away.max()),
        points_N3=points_N3,
        turn=float(path_6F[0, -1] - path_6F[0, 0]),
        spare=2 * int(seen_FN.sum()) - (int(_FREE.sum()) + guess.points_N3.size - 7),
    )


@dataclass(frozen=True, eq=False)
class _Guess:
    """What is fitted. path_6K: coefficients of 1, u, u^2 (u from -0.5 to 0.5 over the clip) of azimuth, elevation, log
    distance, and of the angles, in radians, by which the camera looks to the right of the middle, below it, and is
    tilted clockwise. points_N3: the scene about that middle.
    """

    path_6K: np.ndarray
    points_N3: np.ndarray
    focal: float
    frames: int

    def path(self) -> np.ndarray:
        """The six numbers in each frame, [6, F]."""
        u_F = np.linspace(-0.5, 0.5, self.frames)
        return self.path_6K @ u_F ** np.arange(_FREE.shape[1])[:, None]

    def axes(self) -> tuple[np.ndarray, np.ndarray]:
        """R [F, 3, 3] and t [F, 3]: a point p is at R p + t in a frame's axes right, down and forward."""
        azimuth_F, elevation_F, far_F, pan_F, dip_F, roll_F = self.path()
        level_F, rise_F = np.cos(elevation_F), np.sin(elevation_F)
        sine_F, cosine_F, zero_F = np.sin(azimuth_F), np.cos(azimuth_F), np.zeros(self.frames)
        right_F3 = np.stack([cosine_F, sine_F, zero_F], 1)
        down_F3 = np.stack([-sine_F * -rise_F, cosine_F * -rise_F, -level_F], 1)
        forward_F3 = np.stack([-sine_F * level_F, cosine_F * level_F, -rise_F], 1)
        looks_F33 = np.stack([right_F3, down_F3, forward_F3], 1)
        past_F33 = _about(2, -roll_F) @ _about(0, dip_F) @ _about(1, -pan_F)
        return past_F33 @ looks_F33, _DISTANCE * np.exp(far_F)[:, None] * past_F33[..., 2]

    def step(self, change: np.ndarray) -> "_Guess":
        """Moved by a change of the path's coefficients, row by row, and then of the points."""
        path_6K, size = self.path_6K.copy(), int(_FREE.sum())
        path_6K[_FREE] += change[:size]
        return dataclasses.replace(self, path_6K=path_6K, points_N3=self.points_N3 + change[size:].reshape(-1, 3))


def _about(axis: int, angle_F: np.ndarray) -> np.ndarray:
    """Rotation matrices [F, 3, 3] about a coordinate axis."""
    one, other = [row for row in range(3) if row != axis]
    found = np.zeros((len(angle_F), 3, 3))
    found[:, axis, axis] = 1
    found[:, one, one] = found[:, other, other] = np.cos(angle_F)
    sign = -1 if axis == 1 else 1
    found[:, one, other], found[:, other, one] = -sign * np.sin(angle_F), sign * np.sin(angle_F)
    return found


def _see(guess: _Guess) -> np.ndarray:
    turns_F33, shifts_F3 = guess.axes()
    return np.einsum("Fij,Nj->FNi", turns_F33, guess.points_N3) + shifts_F3[:, None]


def _project(guess: _Guess) -> np.ndarray:
    """Pixels from the picture's middle, [F, N, 2]."""
    q_FN3 = _see(guess)
    return guess.focal * q_FN3[..., :2] / q_FN3[..., 2:]


def _orbits(at_FN2: np.ndarray, seen_FN: np.ndarray, focal: float) -> list[_Guess]:
    """The steady orbits that explain most, each with the points that it makes of the tracks."""
    # Around what the picture shows, wherever it shows it.
    middle = at_FN2.sum((0, 1)) / seen_FN.sum() / focal
    starts = []
    for elevation in _ELEVATIONS:
        for turn in (*_TURNS, *(-turn for turn in _TURNS)):
            path_6K = np.zeros(_FREE.shape)
            path_6K[0, 1], path_6K[1, 0] = turn, elevation
            path_6K[3, 0], path_6K[4, 0] = -math.atan(middle[0]), -math.atan(middle[1])
            guess = _Guess(path_6K, np.zeros((at_FN2.shape[1], 3)), focal, len(at_FN2))
            turns_F33, shifts_F3 = guess.axes()
            points_N3 = _triangulate(turns_F33, shifts_F3, at_FN2 / focal, seen_FN)
            guess = dataclasses.replace(guess, points_N3=points_N3)
            starts.append((_cost(guess, at_FN2, seen_FN), len(starts), guess))
    return [guess for _, _, guess in sorted(starts, key=lambda start: start[:2])[:STARTS]]


def _triangulate(turns_F33: np.ndarray, shifts_F3: np.ndarray, rays_FN2: np.ndarray, seen_FN: np.ndarray) -> np.ndarray:
    """Points [N, 3] nearest, in the linear sense, to the rays of all frames."""
    # (r_x - x r_z) p = x t_z - t_x, and the same for y.
    rows_FN23 = turns_F33[:, None, :2] - rays_FN2[..., None] * turns_F33[:, None, 2:]
    right_FN2 = rays_FN2 * shifts_F3[:, None, 2:] - shifts_F3[:, None, :2]
    rows_FN23 = rows_FN23 * seen_FN[..., None, None]
    square_N33 = np.einsum("FNki,FNkj->Nij", rows_FN23, rows_FN23) + 1e-6 * np.eye(3)
    return np.linalg.solve(square_N33, np.einsum("FNki,FNk->Ni", rows_FN23, right_FN2)[..., None])[..., 0]


def _cost(guess: _Guess, at_FN2: np.ndarray, seen_FN: np.ndarray) -> float:
    """Sum of squares in pixels; infinite where something is behind the camera."""
    q_FN3 = _see(guess)
    if (q_FN3[..., 2] < 0.05 * _DISTANCE).any():
        return math.inf
    off_FN2 = guess.focal * q_FN3[..., :2] / q_FN3[..., 2:] - at_FN2
    return float(np.square(off_FN2 * seen_FN[..., None]).sum())


def _adjust(guess: _Guess, at_FN2: np.ndarray, seen_FN: np.ndarray) -> tuple[_Guess, float]:
    """Levenberg and Marquardt's method: the guess that it ends at, and the cost there."""
    cost, damping = _cost(guess, at_FN2, seen_FN), 1e-2
    if not math.isfinite(cost):
        return guess, cost
    for _ in range(_STEPS):
        slopes = _slopes(guess, seen_FN)
        off = ((_project(guess) - at_FN2) * seen_FN[..., None]).ravel()
        square, downhill = slopes.T @ slopes, -slopes.T @ off
        before = cost
        for _ in range(8):
            # A little of the unit matrix as well: nothing holds the scene's place, turn and size.
            held = square + damping * np.diag(np.diag(square)) + 1e-9 * np.trace(square) * np.eye(len(square))
            moved = guess.step(np.linalg.solve(held, downhill))
            new = _cost(moved, at_FN2, seen_FN)
            if new < cost:
                guess, cost, damping = moved, new, max(damping / 5, 1e-9)
                break
            damping *= 5
        if before - cost <= _ENOUGH * before:
            break
    return guess, cost


def _slopes(guess: _Guess, seen_FN: np.ndarray) -> np.ndarray:
    """Derivatives of all pixels [2 F N] by all that is fitted (see _Guess.step)."""
    frames, count = seen_FN.shape
    x, y, z = np.moveaxis(_see(guess), -1, 0)
    zero = np.zeros_like(x)
    by_q = np.stack([np.stack([1 / z, zero, -x / z**2], -1), np.stack([zero, 1 / z, -y / z**2], -1)], -2)
    by_point_FN23 = guess.focal * by_q @ guess.axes()[0][:, None]
    size = int(_FREE.sum())
    slopes = np.zeros((frames, count, 2, size + 3 * count))
    for column in range(size):  # a central difference: the path has few numbers
        change = np.zeros(size + 3 * count)
        change[column] = 1e-5
        slopes[..., column] = (_project(guess.step(change)) - _project(guess.step(-change))) / 2e-5
    for row in range(count):
        slopes[:, row, :, size + 3 * row : size + 3 * row + 3] = by_point_FN23[:, row]
    return (slopes * seen_FN[..., None, None]).reshape(2 * frames * count, -1)
