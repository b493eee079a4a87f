# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""What is true of a scene's frames: boxes, visible shares, depth order, camera, events."""

import functools
from dataclasses import dataclass

import cv2
import numpy as np

from vidgen.worlds.motion import Poses, Scene, camera_path, screen_poses
from vidgen.worlds.raster import alpha_masks, far_to_near
from vidgen.worlds.sprites import CELL, CONTENT, load_atlas

GONE = 0.1
"""Less than this share of something behind another thing counts as out of sight."""
_RESTS = 0.002
"""What moves less than this share of the frame in a frame's time is at rest."""
SEEN = 0.5
"""An object counts as in the frame from this share of its area on."""


@dataclass(frozen=True)
class Event:
    """Something that happens at a frame.

    kind: "enters" and "leaves" (side says where), "bounces" (touches down), "hidden" and "revealed" (more than half
    of it is covered by `other`, or no longer), "passes" (from left to right of `other` or back). In stories also
    "starts" and "stops" (from rest, to rest; side says which way it goes or came), "touches" (comes within a pixel of
    `other`), "vanishes" and "reappears" (while in the frame; hardly anything of it is seen), "opens" (gets narrow).
    subject, other: object indices, other is -1 where there is none.
    """

    frame: int
    kind: str
    subject: int
    other: int = -1
    side: str = ""


@dataclass(frozen=True, eq=False)
class Truth:
    """What is where, in pixels of the frame.

    boxes_FN4: float32, x0, y0, x1, y1 of the object, covered or not, cut at the frame's edge; zeros outside of it.
    centers_FN2: float32, x and y of the middle of the sprite, also outside of the frame. visible_FN: float32, share of
    the object's own area that is inside the frame and not covered. inside_FN: the share inside the frame, covered or
    not. order_N: object indices, the farthest first. camera_F3: world x, y of the view's middle, and zoom.
    """

    boxes_FN4: np.ndarray
    centers_FN2: np.ndarray
    visible_FN: np.ndarray
    inside_FN: np.ndarray
    order_N: tuple[int, ...]
    camera_F3: np.ndarray
    events: tuple[Event, ...]


def ground_truth(scene: Scene) -> Truth:
    """The truth of a scene; see Truth. Takes about as long as rendering it."""
    seen = screen_poses(scene)
    order = far_to_near(scene)
    visible_FN, inside_FN, cover_FNN, touch_FNN = _shares(scene, order)
    return Truth(
        boxes_FN4=_boxes(scene, seen),
        centers_FN2=np.stack([seen.x_FN, seen.y_FN], axis=-1).astype(np.float32),
        visible_FN=visible_FN,
        inside_FN=inside_FN,
        order_N=tuple(order),
        camera_F3=camera_path(scene),
        events=_events(scene, seen, visible_FN, inside_FN, cover_FNN, touch_FNN),
    )


@functools.cache
def outline(index: int) -> np.ndarray:
    """The convex hull of a concept's picture, float64 [points, 2], in units of its size about the cell's middle."""
    solid = (load_atlas().images_NHWC[index, ..., 3] > 127).astype(np.uint8)
    rows, columns = np.nonzero(solid)
    # Pixels are squares: their corners, not their middles, bound the object.
    corners = np.concatenate([np.stack([columns + dx, rows + dy], axis=1) for dx in (0, 1) for dy in (0, 1)])
    hull = cv2.convexHull(corners.astype(np.int32))[:, 0].astype(np.float64)
    return (hull - CELL / 2) / CONTENT


def _boxes(scene: Scene, seen: Poses) -> np.ndarray:
    boxes_FN4 = np.zeros((scene.frames, len(scene.objects), 4), np.float32)
    for row, thing in enumerate(scene.objects):
        points_P2 = outline(load_atlas().index(thing.concept))
        across_FP = seen.wide_FN[:, row, None] * points_P2[:, 0]
        cosine_F1, sine_F1 = np.cos(seen.angle_FN[:, row, None]), np.sin(seen.angle_FN[:, row, None])
        size_F1 = seen.size_FN[:, row, None]
        x_FP = seen.x_FN[:, row, None] + size_F1 * (cosine_F1 * across_FP - sine_F1 * points_P2[:, 1])
        y_FP = seen.y_FN[:, row, None] + size_F1 * (sine_F1 * across_FP + cosine_F1 * points_P2[:, 1])
        box_F4 = np.stack([x_FP.min(1), y_FP.min(1), x_FP.max(1), y_FP.max(1)], axis=1)
        box_F4 = np.clip(box_F4, 0, [scene.width, scene.height] * 2)
        empty_F = (box_F4[:, 2] <= box_F4[:, 0]) | (box_F4[:, 3] <= box_F4[:, 1])
        boxes_FN4[:, row] = np.where(empty_F[:, None], 0, box_F4)
    return boxes_FN4


def _shares(scene: Scene, order: list[int]) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Shares of each object's area: visible [F, N], inside the frame [F, N], covered by each other one [F, N, N]; and,
    in stories, whether it is within a pixel of each other one [F, N, N].
    """
    count = len(scene.objects)
    visible_FN, inside_FN = (np.zeros((scene.frames, count), np.float32) for _ in range(2))
    cover_FNN = np.zeros((scene.frames, count, count), np.float32)
    touch_FNN = np.zeros((scene.frames, count, count), bool)
    for frame, masks in enumerate(alpha_masks(scene)):
        clear_HW = np.ones((scene.height, scene.width), np.float32)
        nearer: list[int] = []
        for row in reversed(order):
            mask_HW, area = masks[row]
            # An object far smaller than a pixel may miss every sample: it has no area, and nothing of it is seen.
            area = max(area, 1e-6)
            inside_FN[frame, row] = mask_HW.sum() / area
            visible_FN[frame, row] = (mask_HW * clear_HW).sum() / area
            for other in nearer:
                cover_FNN[frame, row, other] = (mask_HW * masks[other][0]).sum() / area
            clear_HW *= 1 - mask_HW
            nearer.append(row)
        if scene.story:
            solid = [mask_HW > 0.5 for mask_HW, _ in masks]
            wide = [cv2.dilate(one.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0 for one in solid]
            touch_FNN[frame] = [[(one & other).any() for other in solid] for one in wide]
    return visible_FN, inside_FN, cover_FNN, touch_FNN


def _events(
    scene: Scene,
    seen: Poses,
    visible_FN: np.ndarray,
    inside_FN: np.ndarray,
    cover_FNN: np.ndarray,
    touch_FNN: np.ndarray,
) -> tuple[Event, ...]:
    events = _story_events(scene, seen, visible_FN, inside_FN, touch_FNN) if scene.story else []
    for row, thing in enumerate(scene.objects):
        for start, stop in _changes(inside_FN[:, row] >= SEEN):
            events.append(Event(stop, "enters", row, side=_side(scene, seen, start, row)))
        for _, stop in _changes(inside_FN[:, row] < SEEN):
            events.append(Event(stop, "leaves", row, side=_side(scene, seen, stop, row)))
        if thing.motion.kind == "bounce":
            hops = int(thing.motion.turns)
            landings = [round(k * (scene.frames - 1) / thing.motion.turns) for k in range(1, hops + 1)]
            events += [Event(frame, "bounces", row) for frame in landings]
        for other in range(len(scene.objects)):
            covered_F = cover_FNN[:, row, other] > 0.5
            events += [Event(stop, "hidden", row, other) for _, stop in _changes(covered_F)]
            events += [Event(stop, "revealed", row, other) for _, stop in _changes(~covered_F)]
            if other > row:
                events += [
                    Event(stop, "passes", row, other) for _, stop in _changes(seen.x_FN[:, row] > seen.x_FN[:, other])
                ]
                events += [
                    Event(stop, "passes", row, other) for _, stop in _changes(seen.x_FN[:, row] < seen.x_FN[:, other])
                ]
    return tuple(sorted(events, key=lambda event: (event.frame, event.subject, event.kind, event.other)))


def _story_events(
    scene: Scene, seen: Poses, visible_FN: np.ndarray, inside_FN: np.ndarray, touch_FNN: np.ndarray
) -> list[Event]:
    """What is measured of stories: from frame to frame, not from what the story says."""
    events: list[Event] = []
    step_FN2 = np.diff(np.stack([seen.x_FN, seen.y_FN], axis=-1), axis=0)
    for row in range(len(scene.objects)):
        moves_F = np.abs(step_FN2[:, row]).max(-1) > _RESTS * min(scene.width, scene.height)
        moves_F = np.concatenate([[False], moves_F, [False]])
        begins, ends = np.flatnonzero(~moves_F[:-1] & moves_F[1:]), np.flatnonzero(moves_F[:-1] & ~moves_F[1:])
        for begin, end in zip(begins, ends, strict=True):
            dx, dy = step_FN2[begin:end, row].sum(0)
            side = ("right" if dx > 0 else "left") if abs(dx) > abs(dy) else ("down" if dy > 0 else "up")
            events += [Event(int(begin), "starts", row, side=side), Event(int(end), "stops", row, side=side)]
        narrow_F = np.abs(seen.wide_FN[:, row]) < 0.95
        events += [Event(stop, "opens", row) for _, stop in _changes(narrow_F)]
        gone_F = (visible_FN[:, row] < GONE) & (inside_FN[:, row] > 0.9)
        events += [Event(stop, "vanishes", row) for _, stop in _changes(gone_F)]
        events += [Event(stop, "reappears", row) for _, stop in _changes(~gone_F)]
        for other in range(len(scene.objects)):
            if other != row:
                events += [Event(stop, "touches", row, other) for _, stop in _changes(touch_FNN[:, row, other])]
    return events


def _changes(is_so_F: np.ndarray) -> list[tuple[int, int]]:
    """Pairs of neighbouring frames between which a condition becomes true."""
    return [(int(frame), int(frame) + 1) for frame in np.flatnonzero(~is_so_F[:-1] & is_so_F[1:])]


def _side(scene: Scene, seen: Poses, frame: int, row: int) -> str:
    """The edge of the frame that an object is nearest to, or furthest beyond."""
    x, y = seen.x_FN[frame, row], seen.y_FN[frame, row]
    beyond = {"left": -x, "right": x - scene.width, "up": -y, "down": y - scene.height}
    return max(beyond, key=lambda side: beyond[side])
