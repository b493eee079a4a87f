# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""What is in a frame: a detector of the atlas's concepts, made from their pictures alone.

Analysis by synthesis. The background is estimated row by row; then objects are added one at a time, each the one that
explains most of what the picture so far does not: a shortlist by masked template matching at low resolution over all
concepts, sizes and positions, then a fit of position, size and tilt at full resolution. An object behind another one is
matched on what is left of it. Nothing here has seen a model's output.
"""

import functools
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import cv2
import numpy as np

from vidgen.worlds.backdrop import backdrop
from vidgen.worlds.fitting import Canvas, Fit, Pose, box, covered, explain, fit_object, mean_square, settle
from vidgen.worlds.raster import pyramid
from vidgen.worlds.sprites import CELL, CONTENT, FIRST_LIGHT, load_atlas

_SIDE = 12
"""Pixels a side of a low-resolution template; the frame, not the template, is resized to search over sizes."""
_RIM = 8
"""Empty pixels around an atlas cell before it is made a template, so that its blur has room."""
_SOFT = 0.6
"""Blur at low resolution, in its pixels: what is half a pixel out of place must still match."""
_MARGIN = 4
"""Low-resolution pixels by which a template may stand out of the frame."""
_RATIO = 1.15
"""Between neighbouring sizes of the search."""
_SAME = 0.03
"""Least difference between a picture and its mirror image, as a share of its energy, for both to be searched."""
_FAINT = 0.65
"""Strength at which objects are looked for at low resolution, where they never fit exactly."""
_FEW = 12
"""Up to so many templates are matched one by one."""
_SURE = 0.75
"""Least score at which a thing is taken to be where the frame before showed it."""
_NOISE, _LEAST_AREA, _CALM = 20.0, 0.15, 1.0
"""Nothing is looked for where fewer pixels than _LEAST_AREA times the smallest object's square differ by _NOISE; nor,
where up to _CALM times that square were searched in vain in a frame before, until so many more do."""


@dataclass(frozen=True)
class DetectorConfig:
    """What the detector looks for.

    concepts: names in the atlas among which it chooses. sizes: smallest and largest object, as a share of the frame's
    shorter side. objects: at most so many a frame. shortlist: concepts that are fitted in each round.
    least_score: below this share of explained energy an object is not reported; the value separates true objects from
    leftovers on renders and on renders through a VAE. least_visible: share of an object that must be seen. repeats:
    whether one concept may be found several times in a frame, as it must to be counted. clutter: patches that nothing
    fits which are put aside, so that a thing beside them is found.
    """

    concepts: tuple[str, ...] = FIRST_LIGHT
    sizes: tuple[float, float] = (0.23, 0.68)
    objects: int = 4
    shortlist: int = 16
    least_score: float = 0.5
    least_visible: float = 0.3
    repeats: bool = False
    clutter: int = 0


@dataclass(frozen=True)
class Detection:
    """One object in one frame.

    name: the concept. box: x0, y0, x1, y1 in pixels, cut at the frame's edge. x, y: the sprite's middle, pixels. size:
    pixels, as in `Poses`. angle: tilt, radians. flip: mirrored. score: share in [0, 1] of the difference to the
    background, within the object's outline, that it explains.
    """

    name: str
    box: tuple[float, float, float, float]
    x: float
    y: float
    size: float
    angle: float
    flip: bool
    score: float


@dataclass(frozen=True, eq=False)
class _Places:
    """Where templates match at low resolution, and how much that explains; arrays are [M]."""

    gain_M: np.ndarray
    row_M: np.ndarray
    flip_M: np.ndarray
    x_M: np.ndarray
    y_M: np.ndarray
    size_M: np.ndarray

    def pose(self, at: int) -> Pose:
        """The pose of one of them."""
        return Pose(
            int(self.row_M[at]), bool(self.flip_M[at]), float(self.x_M[at]), float(self.y_M[at]), float(self.size_M[at])
        )


@dataclass(frozen=True, eq=False)
class Detector:
    """Finds concepts in frames; build it once, it holds the low-resolution templates of its concepts.

    rows_K, flips_K: atlas row and mirroring of each template. weights_DK: what low-resolution pixels are multiplied by.
    """

    config: DetectorConfig
    rows_K: np.ndarray
    flips_K: np.ndarray
    weights_DK: np.ndarray

    def __call__(self, frames_FHWC: np.ndarray, follow: bool = False) -> list[list[Detection]]:
        """Detections of each frame, the surest first; an empty list where nothing is recognised.

        follow: things are looked for first where they would be if they went on as before, then where the frame before
        showed them, and elsewhere only if neither fits well; what was searched in vain (a crater, a cloud) is left
        alone until there is more. Several times faster for frames that are near each other in time.
        Raises ValueError for anything but uint8 [F, H, W, 3].
        """
        if frames_FHWC.dtype != np.uint8 or frames_FHWC.ndim != 4 or frames_FHWC.shape[-1] != 3:
            raise ValueError(f"frames must be uint8 [F, H, W, 3], not {frames_FHWC.dtype} {frames_FHWC.shape}")
        detections: list[list[Detection]] = []
        found, vain = [], 0.0
        last: dict[int, Pose] = {}
        for frame in frames_FHWC:
            hints = [(_ahead(fit.pose, last), fit.pose) for fit in found] if follow else []
            last = {} if self.config.repeats else {fit.pose.row: fit.pose for fit in found}
            found, vain = self._frame(frame.astype(np.float32), hints, vain if follow else 0.0)
            detections.append(_named(found, *frame.shape[:2]))
        return detections

    def _frame(self, seen_HWC: np.ndarray, hints: list[tuple[Pose, Pose]], vain: float) -> tuple[list[Fit], float]:
        """What is found; and the share of pixels that were searched in vain. vain: that of the frames before."""
        back_HWC = backdrop(seen_HWC)
        found: list[Fit] = []
        for poses in hints:
            canvas = Canvas.of(seen_HWC, *explain(seen_HWC, back_HWC, found))
            for pose in dict.fromkeys(poses):
                fit = fit_object(canvas, pose, (1, 1, 1, 0, 0))
                if fit.score >= _SURE and fit.visible >= self.config.least_visible:
                    found = settle(seen_HWC, back_HWC, [*found, fit])
                    break
        smallest, searched = self.config.sizes[0] ** 2, 0.0
        clear_HW, clutter = np.ones(seen_HWC.shape[:2], np.float32), self.config.clutter
        while len(found) < self.config.objects:
            explained_HWC, open_HW = explain(seen_HWC, back_HWC, found)
            open_HW = open_HW * clear_HW
            left = float((mean_square(seen_HWC - explained_HWC) * open_HW > _NOISE**2).mean())
            if left < vain + _LEAST_AREA * smallest:
                searched = searched or min(left, vain)
                break
            searched = max(searched, left)
            done = set() if self.config.repeats else {fit.pose.row for fit in found}
            if set(self.rows_K.tolist()) <= done:
                break
            best, likeliest = self._next(Canvas.of(seen_HWC, explained_HWC, open_HW), done)
            if best is not None:
                found, searched = settle(seen_HWC, back_HWC, [*found, best]), 0.0
            elif clutter and likeliest is not None:
                clutter -= 1
                clear_HW[covered(likeliest, seen_HWC.shape[0], seen_HWC.shape[1])] = 0
            else:
                break
        return found, searched if searched <= _CALM * smallest else 0.0

    def _next(self, scene: Canvas, done: set[int]) -> tuple[Fit | None, Pose | None]:
        """The object that explains most, and that well; None where none explains enough. And where it looked first."""
        likeliest: Pose | None = None
        for poses in self._shortlists(scene, done):
            likeliest = likeliest or (poses[0] if poses else None)
            fits = sorted((fit_object(scene, pose, (1, 1, 0, 0)) for pose in poses), key=lambda fit: -fit.worth)[:6]
            fits = [fit_object(scene, fit.pose, (1, 1, 1, 0, 0)) for fit in fits]
            fits = [
                fit for fit in fits if fit.score >= self.config.least_score and fit.visible >= self.config.least_visible
            ]
            if fits:
                return max(fits, key=lambda fit: fit.worth), likeliest
        return None, likeliest

    def _shortlists(self, scene: Canvas, done: set[int]) -> Iterator[list[Pose]]:
        """Where to begin: the best place and size of each of the most promising concepts. Then, for whom that is not
        enough (of two things that overlap, one alone may seem to fit badly; of a thin thing, most places do), more
        concepts, and other sizes of them, each at its own best place.
        """
        places = self._places(scene)
        order = [int(at) for at in np.argsort(-places.gain_M) if int(places.row_M[at]) not in done]
        first: dict[int, int] = {}
        for at in order:
            first.setdefault(int(places.row_M[at]), at)
        best = list(first.values())[: self.config.shortlist]
        yield [places.pose(at) for at in best]
        others = [at for at in order[: 4 * self.config.shortlist] if at not in best]
        yield [places.pose(at) for at in others[: 3 * self.config.shortlist]]

    def _places(self, scene: Canvas) -> "_Places":
        """Each template's best place at each size."""
        height, width = scene.open_HW.shape
        short = min(height, width)
        low, high = self.config.sizes
        seen, under = scene.seen[0], scene.under[0]
        # See `_column`.
        color_HWC = 2 * _FAINT * (seen - under) + 2 * _FAINT**2 * under
        back_HW1 = (_FAINT * under * ((2 - _FAINT) * under - 2 * seen)).sum(-1, keepdims=True)
        features_HW4 = np.concatenate([color_HWC, back_HW1], -1) * scene.open_HW[..., None]
        found: list[tuple[np.ndarray, ...]] = []
        for step in range(math.ceil(math.log(high / low, _RATIO)) + 1):
            size = short * low * _RATIO**step
            shrink = size / (_SIDE * CONTENT / (CELL + 2 * _RIM))
            across, down = round(width / shrink), round(height / shrink)
            # OpenCV resizes at most four channels at once.
            images = (features_HW4, scene.open_HW)
            small = [cv2.resize(image, (across, down), interpolation=cv2.INTER_AREA) for image in images]
            small = [cv2.GaussianBlur(image, (0, 0), _SOFT) for image in small]
            small = np.pad(np.dstack(small), ((_MARGIN, _MARGIN), (_MARGIN, _MARGIN), (0, 0)))
            places = (small.shape[0] - _SIDE + 1, small.shape[1] - _SIDE + 1)
            gain_PK = _match(small, self.weights_DK).reshape(places[0] * places[1], -1)
            at_K = gain_PK.argmax(0)
            gain_K = gain_PK[at_K, np.arange(len(at_K))] * shrink**2
            y_K = (at_K // places[1] - _MARGIN + _SIDE / 2) * height / down
            x_K = (at_K % places[1] - _MARGIN + _SIDE / 2) * width / across
            found.append((gain_K, self.rows_K, self.flips_K, x_K, y_K, np.full(len(at_K), size)))
        return _Places(*(np.concatenate(column) for column in zip(*found, strict=True)))


def _match(image_HWC: np.ndarray, weights_DK: np.ndarray) -> np.ndarray:
    """The product of each window of an image with each template, [rows, columns, K].

    Many templates are one matrix product; copying out the windows for it does not pay for a few.
    """
    if weights_DK.shape[1] > _FEW:
        windows = np.lib.stride_tricks.sliding_window_view(image_HWC, (_SIDE, _SIDE), (0, 1))
        return np.tensordot(windows, weights_DK.reshape(*windows.shape[2:], -1), 3)
    templates_KCNN = weights_DK.T.reshape(-1, image_HWC.shape[-1], _SIDE, _SIDE)
    planes = [np.ascontiguousarray(image_HWC[..., channel], np.float32) for channel in range(image_HWC.shape[-1])]
    return np.stack(
        [
            sum(cv2.matchTemplate(plane, one, cv2.TM_CCORR) for plane, one in zip(planes, template, strict=True))
            for template in templates_KCNN
        ],
        axis=-1,
    )


def _ahead(pose: Pose, last: dict[int, Pose]) -> Pose:
    """Where a thing is next if it goes on as it did. last: by row of the atlas, of the frame before."""
    before = last.get(pose.row)
    return pose if before is None else replace(pose, x=2 * pose.x - before.x, y=2 * pose.y - before.y)


def _named(found: list[Fit], height: int, width: int) -> list[Detection]:
    """Fits as detections, the surest first."""
    concepts = load_atlas().concepts
    detections = [
        Detection(concepts[fit.pose.row].name, box(fit.pose, width, height), fit.pose.x, fit.pose.y,
                  fit.pose.size, fit.pose.angle, fit.pose.flip, fit.score)
        for fit in found
    ]  # fmt: skip
    return sorted(detections, key=lambda one: -one.score)


@functools.lru_cache(maxsize=16)
def build_detector(config: DetectorConfig = DetectorConfig()) -> Detector:
    """A detector of `config.concepts`. Raises ValueError for a name that the atlas does not have."""
    atlas = load_atlas()
    rows, flips, columns = [], [], []
    for name in config.concepts:
        row = atlas.index(name)
        picture = pyramid(row)[0].astype(np.float32)
        mirrored = picture[:, ::-1]
        differs = np.square(picture - mirrored).sum() > _SAME * np.square(picture).sum()
        for flip in (False, True) if differs else (False,):
            rows.append(row)
            flips.append(flip)
            columns.append(_column(mirrored if flip else picture))
    return Detector(config, np.array(rows), np.array(flips), np.stack(columns, 1))


def _column(picture_NN4: np.ndarray) -> np.ndarray:
    """A premultiplied picture as weights of low-resolution pixels (three of colour, one of the background, and 1).

    With alpha a, colour T, p = a T, background B and D = I - B, an object of strength f explains
    sum of a (|D|^2 - |D - f (T - B)|^2) = p (2 f D + 2 f^2 B) - a (2 f D B + f^2 |B|^2) - f^2 |p|^2 / a,
    which is linear in pixels that do not depend on the object. f < 1 (_FAINT) forgives what is a little out of place.
    """
    picture_NN4 = np.pad(picture_NN4, ((_RIM, _RIM), (_RIM, _RIM), (0, 0)))
    small = cv2.resize(picture_NN4, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), _SOFT)
    color, alpha = small[..., :3], small[..., 3:] / 255
    energy = np.square(color).sum(-1, keepdims=True) / np.maximum(alpha, 1e-3)
    # Windows come as [rows, columns, channels, height, width].
    return np.concatenate([color, alpha, -(_FAINT**2) * energy], -1).transpose(2, 0, 1).ravel().astype(np.float32)
