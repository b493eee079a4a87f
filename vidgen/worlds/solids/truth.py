# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""What is true of a 3-D scene's frames: its run, its camera, where everything is in the picture, and what happens."""

import math
from dataclasses import dataclass

import cv2
import numpy as np

from vidgen.worlds.solids.render import Shot, shoot
from vidgen.worlds.solids.scene import FPS, SolidScene
from vidgen.worlds.solids.simulate import FLOOR, Run, simulate
from vidgen.worlds.solids.viewpoint import Rig, camera_rig, outlines, rotation_matrices

HIT_SPEED = 0.4
"""m/s at which two solids must come together for one to hit the other. Piles settle at up to 0.1."""
LAND_SPEED = 1.0
"""m/s with which a solid must meet the floor to land: a fall from 5 cm."""
TOPPLES = math.radians(60)
"""Tilt from which a box or a standing cylinder has fallen over."""
MOVED = 0.12
"""Metres from its first place at which a solid has visibly moved."""


@dataclass(frozen=True)
class SolidEvent:
    """Something that happens at a frame.

    kind: "starts" (to move; other is who made it), "hits" (other), "lands" (on the floor), "topples", "leaves" (its
    middle leaves the frame). subject, other: rows of solids; other is -1 where there is none.
    """

    frame: int
    kind: str
    subject: int
    other: int = -1


@dataclass(frozen=True, eq=False)
class SolidTruth:
    """A scene's ground truth.

    run: the state in 3-D. rig: the camera. centers_FN2: float32, x and y of the projected middle, pixels, also outside
    of the frame (NaN behind the camera). depths_FN: float32, metres along the line of sight. boxes_FN4: float32, x0,
    y0, x1, y1 of the outline, covered or not, cut at the frame's edge; zeros outside of it. areas_FN: float32, pixels
    within the whole outline. visible_FN: float32, the share of that area that the renderer's segmentation shows.
    """

    run: Run
    rig: Rig
    centers_FN2: np.ndarray
    depths_FN: np.ndarray
    boxes_FN4: np.ndarray
    areas_FN: np.ndarray
    visible_FN: np.ndarray
    events: tuple[SolidEvent, ...]


def solid_truth(scene: SolidScene, shot: Shot | None = None) -> SolidTruth:
    """The truth of a scene; see SolidTruth. shot: the scene's, if it is rendered already.

    Raises as `render.shoot` does.
    """
    run, rig = simulate(scene), camera_rig(scene)
    shot = shot or shoot(scene)
    centers_FN2, depths_FN = rig.project(run.positions_FN3)
    boxes_FN4 = np.zeros((scene.frames, len(scene.solids), 4), np.float32)
    areas_FN = np.zeros((scene.frames, len(scene.solids)), np.float32)
    for row, points_FP2 in enumerate(outlines(scene, rig, run.positions_FN3, run.quaternions_FN4)):
        boxes_FN4[:, row] = _boxes(points_FP2, scene.width, scene.height)
        areas_FN[:, row] = [_area(points_P2) for points_P2 in points_FP2]
    shown_FN = shot.segments_FHWN.sum(axis=(1, 2))
    return SolidTruth(
        run=run,
        rig=rig,
        centers_FN2=centers_FN2.astype(np.float32),
        depths_FN=depths_FN.astype(np.float32),
        boxes_FN4=boxes_FN4,
        areas_FN=areas_FN,
        visible_FN=np.minimum(shown_FN / np.maximum(areas_FN, 1e-6), 1).astype(np.float32),
        events=solid_events(scene),
    )


def _boxes(points_FP2: np.ndarray, width: int, height: int) -> np.ndarray:
    points_FP2 = np.where(np.isnan(points_FP2).any(axis=(1, 2), keepdims=True), -1.0, points_FP2)
    box_F4 = np.concatenate([points_FP2.min(1), points_FP2.max(1)], axis=1)
    box_F4 = np.clip(box_F4, 0, [width, height] * 2)
    empty_F = (box_F4[:, 2] <= box_F4[:, 0]) | (box_F4[:, 3] <= box_F4[:, 1])
    return np.where(empty_F[:, None], 0, box_F4)


def _area(points_P2: np.ndarray) -> float:
    if np.isnan(points_P2).any():
        return 0.0
    return cv2.contourArea(cv2.convexHull(points_P2.astype(np.float32)))


def solid_events(scene: SolidScene) -> tuple[SolidEvent, ...]:
    """What happens, in order of time. Needs no renderer."""
    run, rig = simulate(scene), camera_rig(scene)
    events = [
        SolidEvent(math.ceil(touch.time * FPS), "lands" if touch.other == FLOOR else "hits", touch.row, touch.other)
        for touch in run.touches
        if touch.speed > (LAND_SPEED if touch.other == FLOOR else HIT_SPEED)
    ]
    away_FN = np.linalg.norm(run.positions_FN3 - run.positions_FN3[0], axis=-1)
    centers_FN2, _ = rig.project(run.positions_FN3)
    inside_FN = np.all((centers_FN2 > 0) & (centers_FN2 < [scene.width, scene.height]), axis=-1)
    tilt_FN = tilts(run)
    for row, solid in enumerate(scene.solids):
        if (away_FN[:, row] > MOVED).any():
            events.append(SolidEvent(int((away_FN[:, row] > MOVED).argmax()), "starts", row, run.moved_by[row]))
        if not solid.rolls and (tilt_FN[:, row] > TOPPLES).any():
            events.append(SolidEvent(int((tilt_FN[:, row] > TOPPLES).argmax()), "topples", row))
        gone_F = inside_FN[:-1, row] > inside_FN[1:, row]
        events += [SolidEvent(int(frame) + 1, "leaves", row) for frame in np.flatnonzero(gone_F)]
    return tuple(sorted(events, key=lambda event: (event.frame, event.subject, event.kind, event.other)))


def tilts(run: Run) -> np.ndarray:
    """Angle [F, N], radians, between the vertical and what was vertical in each solid at first."""
    turns_FN33 = rotation_matrices(run.quaternions_FN4)
    # The third row of the first turn is the world's vertical in the solid's own axes.
    up_FN3 = np.einsum("FNij,Nj->FNi", turns_FN33, turns_FN33[0, :, 2])
    return np.arccos(np.clip(up_FN3[..., 2], -1, 1))
