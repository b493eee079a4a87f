# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Fitting the atlas's pictures to a frame: position, size and tilt of one object, and what several explain together."""

import functools
import math
from dataclasses import dataclass, replace

import cv2
import numpy as np

from vidgen.worlds.raster import pyramid
from vidgen.worlds.sprites import CELL, CONTENT, load_atlas
from vidgen.worlds.truth import outline

_CAP = 60.0
"""Difference in colour (root mean square of RGB) from which on a pixel counts as simply not explained."""
_TILT = 0.35
"""Largest tilt that is fitted, radians."""
_STILL = 0.02
"""Pixels; a step that moves nothing by more ends the steps on pictures that are as sharp."""
_BLUR = 1.5
"""Of the first steps of a fit: standard deviation in pixels of a frame of 64."""


@dataclass(frozen=True)
class Pose:
    """One picture somewhere in a frame.

    row: of the atlas. flip: mirrored. x, y: of its middle, pixels; the first pixel's middle is at 0.5. size: pixels, of
    the longer side. angle: clockwise, radians.
    """

    row: int
    flip: bool
    x: float
    y: float
    size: float
    angle: float = 0.0


@dataclass(frozen=True)
class Fit:
    """A pose and what it explains: gain, the squared difference (mean over RGB, at most _CAP squared a pixel, summed
    over open pixels) that it removes; score, that as a share of what there was; visible, its share on open pixels.
    """

    pose: Pose
    gain: float
    score: float
    visible: float

    @property
    def worth(self) -> float:
        """Much explained, and well: a large object over two small ones explains much of both, but neither well."""
        return self.gain * max(self.score, 0.0)


@dataclass(frozen=True, eq=False)
class Canvas:
    """A frame (seen), what of it is explained so far (under), both sharp and blurred, and the pixels still open."""

    seen: tuple[np.ndarray, np.ndarray]
    under: tuple[np.ndarray, np.ndarray]
    open_HW: np.ndarray

    @classmethod
    def of(cls, seen_HWC: np.ndarray, under_HWC: np.ndarray, open_HW: np.ndarray) -> "Canvas":
        """A canvas of sharp pictures, RGB in [0, 255]."""
        sigma = _BLUR * min(open_HW.shape) / 64
        blurred = [cv2.GaussianBlur(image, (0, 0), sigma) for image in (seen_HWC, under_HWC)]
        return cls((seen_HWC, blurred[0]), (under_HWC, blurred[1]), open_HW)


@functools.lru_cache(maxsize=4096)
def _level(row: int, level: int) -> np.ndarray:
    return pyramid(row)[level].astype(np.float32)


def covered(pose: Pose, height: int, width: int) -> tuple[slice, slice]:
    """Rows and columns of a frame that a picture may cover."""
    half = 0.5 * pose.size * (abs(math.cos(pose.angle)) + abs(math.sin(pose.angle))) + 2
    return (
        slice(max(0, math.floor(pose.y - half)), max(0, min(height, math.ceil(pose.y + half)))),
        slice(max(0, math.floor(pose.x - half)), max(0, min(width, math.ceil(pose.x + half)))),
    )


def _patch(pose: Pose, window: tuple[slice, slice]) -> np.ndarray:
    """The object's premultiplied picture within a window of the frame, float32 [h, w, 4]; alpha up to 255."""
    scale = pose.size / CONTENT
    level = min(max(math.floor(-math.log(scale, math.sqrt(2)) + 1e-9), 0), 8)
    picture = _level(pose.row, level)
    side = picture.shape[0]
    step = side / CELL / scale
    a, b = step * math.cos(pose.angle), step * math.sin(pose.angle)
    down, across = window[0].start + 0.5 - pose.y, window[1].start + 0.5 - pose.x
    first, second = [a, b, a * across + b * down], [-b, a, a * down - b * across]
    if pose.flip:
        first = [-value for value in first]
    first[2] += side / 2 - 0.5
    second[2] += side / 2 - 0.5
    size = (window[1].stop - window[1].start, window[0].stop - window[0].start)
    return cv2.warpAffine(picture, np.array([first, second]), size, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)


def paint(pose: Pose, under_HWC: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The object over a picture, and its alpha [H, W] in [0, 1]."""
    window = covered(pose, *under_HWC.shape[:2])
    patch = _patch(pose, window)
    picture, alpha_HW = under_HWC.copy(), np.zeros(under_HWC.shape[:2], np.float32)
    alpha_HW[window] = patch[..., 3] / 255
    picture[window] = patch[..., :3] + (1 - alpha_HW[window][..., None]) * under_HWC[window]
    return picture, alpha_HW


def fit_object(scene: Canvas, pose: Pose, blurs: tuple[int, ...]) -> Fit:
    """Robust Gauss-Newton on position, log size and tilt (Lucas and Kanade's alignment): a step for each of `blurs`,
    1 is on blurred pictures, which reaches further, 0 on sharp ones. Returns the best pose met on sharp pictures.
    """
    height, width = scene.open_HW.shape
    short = min(height, width)
    best, done = Fit(pose, 0.0, 0.0, 0.0), -1
    for blur in (*blurs, None):
        if blur == done:
            continue
        window = covered(pose, height, width)
        if min(window[0].stop - window[0].start, window[1].stop - window[1].start) < 4:
            break
        patch, opened = _patch(pose, window), scene.open_HW[window]
        if blur:
            patch = cv2.GaussianBlur(patch, (0, 0), _BLUR * short / 64)
        under, seen = scene.under[blur or 0][window], scene.seen[blur or 0][window]
        alpha = patch[..., 3:] / 255
        residual = seen - patch[..., :3] - (1 - alpha) * under
        error = mean_square(residual)
        if not blur:
            fit = _judge(pose, error, mean_square(seen - under), alpha[..., 0], opened)
            best = max(best, fit, key=lambda one: one.worth)
        if blur is None:
            break
        move = _step(pose, window, patch, under, residual, opened / np.square(1 + error / _CAP**2))
        if np.abs(move * [1.0, 1.0, pose.size / 2, pose.size / 2]).max() < _STILL:
            done = blur
        pose = replace(
            pose,
            x=pose.x + float(move[0]),
            y=pose.y + float(move[1]),
            size=float(np.clip(pose.size * math.exp(move[2]), 0.18 * short, 0.8 * short)),
            angle=float(np.clip(pose.angle + move[3], -_TILT, _TILT)),
        )
    return best


def mean_square(image_HWC: np.ndarray) -> np.ndarray:
    """The mean over channels of the squares, [H, W]; a product with a vector is several times faster than `mean`."""
    channels = image_HWC.shape[-1]
    return np.square(image_HWC) @ np.full(channels, 1 / channels, image_HWC.dtype)


def _gradients(patch_HWC: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Central differences down and across; 0 at the edges, where a picture is empty or cut."""
    down, across = np.zeros_like(patch_HWC), np.zeros_like(patch_HWC)
    np.subtract(patch_HWC[2:], patch_HWC[:-2], out=down[1:-1])
    np.subtract(patch_HWC[:, 2:], patch_HWC[:, :-2], out=across[:, 1:-1])
    down *= 0.5
    across *= 0.5
    return down, across


def _step(
    pose: Pose,
    window: tuple[slice, slice],
    patch: np.ndarray,
    under: np.ndarray,
    residual: np.ndarray,
    weight: np.ndarray,
) -> np.ndarray:
    """The change of x, y, log size and angle that lowers the weighted residual most, at most 2 pixels' worth."""
    gradient_y, gradient_x = _gradients(patch)
    gradient_x = gradient_x[..., :3] - gradient_x[..., 3:] * under / 255
    gradient_y = gradient_y[..., :3] - gradient_y[..., 3:] * under / 255
    x = (np.arange(window[1].start, window[1].stop, dtype=np.float32) + 0.5 - np.float32(pose.x))[None, :, None]
    y = (np.arange(window[0].start, window[0].stop, dtype=np.float32) + 0.5 - np.float32(pose.y))[:, None, None]
    # How the picture changes as the object moves, grows and turns clockwise.
    change = np.stack([-gradient_x, -gradient_y, -(gradient_x * x + gradient_y * y), gradient_x * y - gradient_y * x])
    weighted = (change * weight[..., None]).reshape(4, -1)
    normal = weighted @ change.reshape(4, -1).T
    scales = np.array([1.0, 1.0, pose.size / 2, pose.size / 2])
    normal += np.diag(1e-2 * np.diag(normal) + 1e2 * scales**2)
    limit = 2.0 / scales
    return np.clip(np.linalg.solve(normal, weighted @ residual.ravel()), -limit, limit)


def explain(seen_HWC: np.ndarray, back_HWC: np.ndarray, found: list[Fit]) -> tuple[np.ndarray, np.ndarray]:
    """The picture as far as it is explained [H, W, 3], and the pixels that are still open [H, W], 0 or 1.

    What an object explains is settled: it may hide a part of one behind it. What it does not explain may be another one
    in front of it.
    """
    explained_HWC, open_HW = back_HWC, np.ones(back_HWC.shape[:2], np.float32)
    for fit in found:
        explained_HWC, alpha_HW = paint(fit.pose, explained_HWC)
        residual_HW = mean_square(seen_HWC - explained_HWC)
        open_HW = open_HW * ~((alpha_HW > 0.3) & (residual_HW < (_CAP / 2) ** 2))
    return explained_HWC, open_HW


def settle(seen_HWC: np.ndarray, back_HWC: np.ndarray, found: list[Fit]) -> list[Fit]:
    """Fits each object that may overlap another one once more with the others known, as one in front of them, and takes
    that where it explains the object better.
    """
    found = list(found)
    windows = [covered(fit.pose, *seen_HWC.shape[:2]) for fit in found]
    for row, fit in enumerate(found):
        if not any(_overlap(windows[row], other) for at, other in enumerate(windows) if at != row):
            continue
        under_HWC, open_HW = explain(seen_HWC, back_HWC, found[:row] + found[row + 1 :])
        front = fit_object(Canvas.of(seen_HWC, under_HWC, np.ones_like(open_HW)), fit.pose, (1, 1, 0, 0))
        found[row] = max(fit, front, key=lambda one: one.score)
    return found


def _overlap(one: tuple[slice, slice], other: tuple[slice, slice]) -> bool:
    return all(max(a.start, b.start) < min(a.stop, b.stop) for a, b in zip(one, other, strict=True))


def _judge(pose: Pose, error: np.ndarray, before: np.ndarray, alpha: np.ndarray, opened: np.ndarray) -> Fit:
    """What an object explains. error, before: squared difference to the picture with and without it; [h, w] each."""
    error, before = np.minimum(error, _CAP**2) * opened, np.minimum(before, _CAP**2) * opened
    inside = alpha > 0.02
    gain = float((before - error)[inside].sum())
    score = gain / max(float(before[inside].sum()), 1e-6)
    area = _area(pose.row) * pose.size**2
    return Fit(pose, gain, score, float((alpha * opened).sum()) / area)


@functools.lru_cache(maxsize=4096)
def _area(row: int) -> float:
    """A concept's area at size 1."""
    return float(load_atlas().images_NHWC[row, ..., 3].sum()) / 255 / CONTENT**2


def bounds(pose: Pose) -> tuple[float, float, float, float]:
    """The pose's outline as x0, y0, x1, y1 in pixels, beyond the edges of a frame too."""
    points = outline(pose.row) * ([-1, 1] if pose.flip else [1, 1])
    cosine, sine = math.cos(pose.angle), math.sin(pose.angle)
    x = pose.x + pose.size * (cosine * points[:, 0] - sine * points[:, 1])
    y = pose.y + pose.size * (sine * points[:, 0] + cosine * points[:, 1])
    return float(x.min()), float(y.min()), float(x.max()), float(y.max())


def box(pose: Pose, width: int, height: int) -> tuple[float, float, float, float]:
    """`bounds`, cut at the edges of a frame; as in `truth.ground_truth`."""
    corners = np.clip(bounds(pose), 0, [width, height] * 2)
    return tuple(float(value) for value in corners)  # pyright: ignore[reportReturnType]
