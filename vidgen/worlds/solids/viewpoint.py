# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Where the camera of a 3-D scene is in each frame, and where the solids are in its picture.

A pinhole camera: with axes right, down and forward as the rows of R and its place c, a point p is at q = R (p - c),
seen at pixel (f q_x / q_z + W / 2, f q_y / q_z + H / 2); the first pixel's middle is at 0.5.
"""

import math
from dataclasses import dataclass

import numpy as np

from vidgen.worlds.motion import clip_time
from vidgen.worlds.solids.scene import Solid, SolidScene, View

_ROUND = 24
"""Points on a circle of an outline."""


@dataclass(frozen=True, eq=False)
class Rig:
    """The camera in every frame.

    position_F3: metres. axes_F33: rows are the directions right, down and forward. focal: pixels. center: the pixel
    (x, y) that is straight ahead.
    """

    position_F3: np.ndarray
    axes_F33: np.ndarray
    focal: float
    center: tuple[float, float]

    def see(self, points_FN3: np.ndarray) -> np.ndarray:
        """Points in the camera's axes: right, down, forward (the depth), metres, [F, N, 3]."""
        return np.einsum("Fij,FNj->FNi", self.axes_F33, points_FN3 - self.position_F3[:, None])

    def project(self, points_FN3: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Pixels x, y [F, N, 2] and depth in metres [F, N] of points of the world [F, N, 3].

        A point that is not in front of the camera has no place in the picture: NaN.
        """
        seen_FN3 = self.see(points_FN3)
        depth_FN = seen_FN3[..., 2]
        ahead_FN = np.where(depth_FN > 1e-6, depth_FN, np.nan)
        return self.focal * seen_FN3[..., :2] / ahead_FN[..., None] + np.array(self.center), depth_FN


def focal_length(view: View, height: int) -> float:
    """Of a picture `height` pixels high, in pixels."""
    return height / 2 / math.tan(view.fov / 2)


def camera_rig(scene: SolidScene) -> Rig:
    """The camera of a scene. Paths span the clip, whatever its length, at constant speed."""
    view, u_F = scene.view, clip_time(scene.frames)
    side = 1 if view.kind.endswith("right") else -1
    stands_F = np.full(scene.frames, view.azimuth)
    looks_F = stands_F
    if view.kind.startswith("orbit"):
        stands_F = looks_F = view.azimuth + side * view.turn * u_F
    elif view.kind.startswith("pan"):
        # Who turns to the right looks along what somebody further left would have straight ahead.
        looks_F = view.azimuth - side * view.turn * (u_F - 0.5)
    away_F = view.distance * (view.approach**u_F if view.kind.startswith("dolly") else np.ones(scene.frames))
    position_F3 = np.array(view.target) - away_F[:, None] * _forward(stands_F, view.elevation)
    forward_F3 = _forward(looks_F, view.elevation)
    right_F3 = np.stack([np.cos(looks_F), np.sin(looks_F), np.zeros(scene.frames)], axis=1)
    axes_F33 = np.stack([right_F3, np.cross(forward_F3, right_F3), forward_F3], axis=1)
    return Rig(position_F3, axes_F33, focal_length(view, scene.height), (scene.width / 2, scene.height / 2))


def _forward(azimuth_F: np.ndarray, elevation: float) -> np.ndarray:
    level = math.cos(elevation)
    down_F = np.full(len(azimuth_F), -math.sin(elevation))
    return np.stack([-np.sin(azimuth_F) * level, np.cos(azimuth_F) * level, down_F], axis=1)


def rotation_matrices(quaternions_FN4: np.ndarray) -> np.ndarray:
    """Rotation matrices [F, N, 3, 3] of unit quaternions w, x, y, z (MuJoCo's order)."""
    w, x, y, z = np.moveaxis(quaternions_FN4, -1, 0)
    rows = (
        (1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)),
        (2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)),
        (2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)),
    )
    return np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)


def first_quaternion(solid: Solid) -> np.ndarray:
    """How a solid is turned as the clip begins, w, x, y, z."""
    half = solid.yaw / 2
    turn = np.array([math.cos(half), 0.0, 0.0, math.sin(half)])
    if not solid.lying:
        return turn
    # A quarter turn about y lays the axis along x; the yaw comes after it.
    quarter = math.sqrt(0.5)
    return np.array([turn[0] * quarter, -turn[3] * quarter, turn[0] * quarter, turn[3] * quarter])


def outlines(scene: SolidScene, rig: Rig, positions_FN3: np.ndarray, quaternions_FN4: np.ndarray) -> list[np.ndarray]:
    """For each solid, points in the picture whose convex hull is its outline, float64 [F, P, 2]; NaN behind the eye."""
    turns_FN33 = rotation_matrices(quaternions_FN4)
    found = []
    for row, solid in enumerate(scene.solids):
        if solid.shape == "ball":
            points_FP3 = _rim(rig.position_F3, positions_FN3[:, row], solid.size[0])
        else:
            corners_P3 = _corners(solid)
            points_FP3 = positions_FN3[:, row, None] + np.einsum("Fij,Pj->FPi", turns_FN33[:, row], corners_P3)
        found.append(rig.project(points_FP3)[0])
    return found


def _corners(solid: Solid) -> np.ndarray:
    """Points on a box or a cylinder that span it, in its own axes."""
    if solid.shape == "box":
        signs = np.stack(np.meshgrid(*[(-1.0, 1.0)] * 3), axis=-1).reshape(-1, 3)
        return signs * np.array(solid.size)
    angles = np.linspace(0, 2 * math.pi, _ROUND, endpoint=False)
    ring = np.stack([np.cos(angles), np.sin(angles), np.ones(_ROUND)], axis=1)
    return np.concatenate([ring, ring * [1, 1, -1]]) * np.array(solid.size)


def _rim(eye_F3: np.ndarray, center_F3: np.ndarray, radius: float) -> np.ndarray:
    """The circle on a ball where the camera's rays graze it, [F, P, 3]."""
    away_F3 = center_F3 - eye_F3
    far_F1 = np.maximum(np.linalg.norm(away_F3, axis=1, keepdims=True), radius * 1.001)
    ahead_F3 = away_F3 / far_F1
    # Any direction that is not along the ray will do to span the circle's plane.
    other_F3 = np.where(np.abs(ahead_F3[:, 2:]) < 0.9, [[0.0, 0.0, 1.0]], [[1.0, 0.0, 0.0]])
    across_F3 = np.cross(ahead_F3, other_F3)
    across_F3 /= np.linalg.norm(across_F3, axis=1, keepdims=True)
    up_F3 = np.cross(across_F3, ahead_F3)
    share_F1 = radius / far_F1
    middle_F3, reach_F1 = center_F3 - ahead_F3 * radius * share_F1, radius * np.sqrt(1 - share_F1**2)
    angles = np.linspace(0, 2 * math.pi, _ROUND, endpoint=False)[None, :, None]
    circle_FP3 = np.cos(angles) * across_F3[:, None] + np.sin(angles) * up_F3[:, None]
    return middle_F3[:, None] + reach_F1[:, None] * circle_FP3
