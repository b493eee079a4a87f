# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Sprites warped out of a mip pyramid, the place behind them, and the pixels that each object covers."""

import functools
import math
from collections.abc import Iterator

import cv2
import numpy as np

from vidgen.worlds.motion import Poses, Scene, camera_path, screen_poses
from vidgen.worlds.places import paint
from vidgen.worlds.sprites import CELL, CONTENT, load_atlas

_STEP = math.sqrt(2)
_LEVELS = 9
"""Sizes from 96 down to 6 pixels, each smaller by the root of 2; the one nearest to what is needed is sampled."""


def far_to_near(scene: Scene) -> list[int]:
    """Indices of the objects in the order in which they are painted."""
    return sorted(range(len(scene.objects)), key=lambda row: -scene.objects[row].depth)


def backgrounds(scene: Scene) -> np.ndarray:
    """The place behind each frame, float32 [F, H, W, 3]; painted once, then cut out along the camera's path."""
    width, height, short = scene.width, scene.height, min(scene.width, scene.height)
    view_F3 = camera_path(scene)
    half_F2 = np.array(scene.extent) / 2 / view_F3[:, 2:]
    left, top = (view_F3[:, :2] - half_F2).min(axis=0)
    right, bottom = (view_F3[:, :2] + half_F2).max(axis=0)
    scale = short * view_F3[:, 2].max()
    across, down = (math.ceil((right - left) * scale - 1e-6), math.ceil((bottom - top) * scale - 1e-6))
    canvas = paint(scene.place, left, top, left + across / scale, top + down / scale, across, down)
    if (across, down) == (width, height):
        return np.repeat(canvas[None].astype(np.float32), scene.frames, axis=0)
    frames = np.empty((scene.frames, height, width, 3), np.float32)
    for frame, (x, y, zoom) in enumerate(view_F3):
        step = scale / (short * zoom)
        # Pixel i of a frame has its middle at i + 0.5, pixel j of the canvas at j + 0.5.
        shift = [
            (corner - edge) * scale - 0.5 + 0.5 * step
            for corner, edge in ((x - half_F2[frame, 0], left), (y - half_F2[frame, 1], top))
        ]
        inverse = np.array([[step, 0, shift[0]], [0, step, shift[1]]])
        frames[frame] = cv2.warpAffine(
            canvas,
            inverse,
            (width, height),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )
    return frames


@functools.cache
def pyramid(index: int) -> tuple[np.ndarray, ...]:
    """A concept's picture at _LEVELS sizes, uint8 [n, n, 4] with colours multiplied by alpha; 70 kB each."""
    picture = load_atlas().images_NHWC[index].astype(np.float32)
    picture[..., :3] *= picture[..., 3:] / 255
    sides = [round(CELL / _STEP**level) for level in range(_LEVELS)]
    return tuple(
        cv2.convertScaleAbs(cv2.resize(picture, (side, side), interpolation=cv2.INTER_AREA).reshape(side, -1)).reshape(
            side, side, 4
        )
        for side in sides
    )


def warp(scene: Scene, seen: Poses, frame: int, row: int, clip: bool = True) -> tuple[np.ndarray, int, int] | None:
    """One object in one frame: its picture (uint8 [h, w, 4], premultiplied) and the pixel column and row of its corner.

    seen: of `screen_poses`. clip: only what is inside the frame; None when that is nothing.
    """
    thing = scene.objects[row]
    x, y = float(seen.x_FN[frame, row]), float(seen.y_FN[frame, row])
    size, angle = float(seen.size_FN[frame, row]), float(seen.angle_FN[frame, row])
    cosine, sine = (math.cos(angle), math.sin(angle)) if angle else (1.0, 0.0)
    half = 0.5 * size * (abs(cosine) + abs(sine)) + 1.5
    left, top, right, bottom = math.floor(x - half), math.floor(y - half), math.ceil(x + half), math.ceil(y + half)
    if clip:
        left, top, right, bottom = max(left, 0), max(top, 0), min(right, scene.width), min(bottom, scene.height)
        if left >= right or top >= bottom:
            return None
    # Twice as many samples along each axis as pixels: fine detail then moves smoothly instead of flickering.
    fine = 2
    scale = fine * size / CONTENT
    levels = pyramid(load_atlas().index(thing.concept))
    level = min(max(round(-math.log(scale, _STEP)), 0), len(levels) - 1)
    picture = levels[level]
    side = picture.shape[0]
    per_sample = side / CELL / scale
    # From the middle of a sample of the patch back to the picture: rotate, scale, mirror.
    a, b = per_sample * cosine, per_sample * sine
    across, down = fine * (left - x) + 0.5, fine * (top - y) + 0.5
    first = [a, b, a * across + b * down]
    second = [-b, a, a * down - b * across]
    wide = float(seen.wide_FN[frame, row])
    if wide != 1.0:
        first = [value / wide for value in first]
    first[2] += side / 2 - 0.5
    second[2] += side / 2 - 0.5
    width, height = right - left, bottom - top
    samples = cv2.warpAffine(
        picture, np.array([first, second]), (fine * width, fine * height), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    )
    patch = cv2.resize(samples, (width, height), interpolation=cv2.INTER_AREA)
    return patch, left, top


def alpha_masks(scene: Scene) -> Iterator[list[tuple[np.ndarray, float]]]:
    """For each frame, each object's coverage of the frame's pixels, float32 [H, W] in [0, 1] as if it were alone, and
    its whole area in pixels, also outside of the frame.
    """
    seen = screen_poses(scene)
    for frame in range(scene.frames):
        masks = []
        for row in range(len(scene.objects)):
            whole = warp(scene, seen, frame, row, clip=False)
            assert whole is not None
            patch, left, top = whole
            mask_HW = np.zeros((scene.height, scene.width), np.float32)
            low_x, low_y = max(left, 0), max(top, 0)
            high_x, high_y = min(left + patch.shape[1], scene.width), min(top + patch.shape[0], scene.height)
            alpha = patch[..., 3].astype(np.float32) / 255
            if low_x < high_x and low_y < high_y:
                mask_HW[low_y:high_y, low_x:high_x] = alpha[low_y - top : high_y - top, low_x - left : high_x - left]
            masks.append((mask_HW, float(alpha.sum())))
        yield masks
