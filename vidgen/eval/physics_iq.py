# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Physics-IQ's score: where, when and how much a clip moves, against a take of the same experiment.

Motamed, Culp, Swersky, Jaini and Geirhos, "Do generative video models understand physical principles?", arXiv
2501.09038, with the constants published in github.com/google-deepmind/physics-IQ-benchmark. What a clip shares with the
first take is held against what a second take shares with it, since the same experiment never runs twice alike.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

RATE, THRESHOLD, KERNEL = 0.3, 10, 5
"""Published: the weight of the newest frame in the running mean, the grey levels off it from which on a pixel moves,
and the side of the Gaussian and of the opening and closing that clean the mask."""


@dataclass(frozen=True)
class Likeness:
    """How alike two clips move. spatial, spatiotemporal, weighted: intersections over unions, in [0, 1], 1 where
    neither moves. mse: mean squared error of values in [0, 1].
    """

    spatial: float
    spatiotemporal: float
    weighted: float
    mse: float


def motion_masks(clip_FHWC: np.ndarray, kernel: int = KERNEL) -> np.ndarray:
    """Pixels that move, bool [F, H, W]: those that are off the running mean of the frames so far; none in the first
    frame.

    clip_FHWC: uint8, RGB. kernel: odd; the published 5 is for large frames, and a thing of fewer pixels is cleaned
    away. Raises ValueError for another shape or type, and for an even kernel.
    """
    if clip_FHWC.ndim != 4 or clip_FHWC.dtype != np.uint8 or clip_FHWC.shape[-1] != 3 or not len(clip_FHWC):
        raise ValueError(f"a clip must be uint8 [F, H, W, 3], not {clip_FHWC.dtype} {clip_FHWC.shape}")
    if kernel < 1 or kernel % 2 == 0:
        raise ValueError(f"the kernel's side must be odd, such as 3 or {KERNEL}; given: {kernel}")
    window = np.ones((kernel, kernel), np.uint8)
    masks_FHW = np.zeros(clip_FHWC.shape[:3], np.uint8)
    mean_HW: np.ndarray | None = None
    for frame, picture in enumerate(clip_FHWC):
        grey_HW = cv2.GaussianBlur(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), (kernel, kernel), 0).astype(np.float64)
        if mean_HW is None:
            mean_HW = grey_HW
            continue
        mean_HW = (1 - RATE) * mean_HW + RATE * grey_HW
        moving = (np.abs(grey_HW - np.rint(mean_HW)) > THRESHOLD).astype(np.uint8)
        opened = cv2.morphologyEx(moving, cv2.MORPH_OPEN, window)
        masks_FHW[frame] = cv2.morphologyEx(opened, cv2.MORPH_CLOSE, window)
    return masks_FHW.astype(bool)


def spatial_iou(masks_FHW: np.ndarray, other_FHW: np.ndarray) -> float:
    """Where something moved at any time."""
    return _iou(masks_FHW.max(0), other_FHW.max(0))


def spatiotemporal_iou(masks_FHW: np.ndarray, other_FHW: np.ndarray) -> float:
    """Where something moves in each frame; the mean over frames, one in which neither moves being 1."""
    return float(np.mean([_iou(mask, other) for mask, other in zip(masks_FHW, other_FHW, strict=True)]))


def weighted_iou(masks_FHW: np.ndarray, other_FHW: np.ndarray) -> float:
    """How often something moves in each place: the sum of the smaller share of frames over that of the larger."""
    return _iou(masks_FHW.mean(0), other_FHW.mean(0))


def likeness(clip_FHWC: np.ndarray, other_FHWC: np.ndarray, kernel: int = KERNEL) -> Likeness:
    """The four measures of two clips, uint8 [F, H, W, 3] of one shape. Raises ValueError where the shapes differ."""
    if clip_FHWC.shape != other_FHWC.shape:
        raise ValueError(f"clips of one shape can be compared; given: {clip_FHWC.shape} and {other_FHWC.shape}")
    masks_FHW, others_FHW = motion_masks(clip_FHWC, kernel), motion_masks(other_FHWC, kernel)
    off = (clip_FHWC.astype(np.float64) - other_FHWC) / 255
    return Likeness(
        spatial=spatial_iou(masks_FHW, others_FHW),
        spatiotemporal=spatiotemporal_iou(masks_FHW, others_FHW),
        weighted=weighted_iou(masks_FHW, others_FHW),
        mse=float(np.square(off).mean()),
    )


def physics_iq(clips: Sequence[Likeness], takes: Sequence[Likeness]) -> float:
    """The score, 0 to 100, which a second take has.

    clips: of each model's clip with the first take. takes: of the second take with the first, "the physical variance".
    Every measure is averaged over all cases; then it is the mean of the three overlaps, each as a share of the takes'
    own, less the error beyond the takes' own, cut to [0, 1], times 100. nan where takes have no overlap, or nothing is
    given. Raises ValueError when there is not one pair of takes a clip.
    """
    if len(clips) != len(takes):
        raise ValueError(f"one pair of takes a clip is needed: {len(clips)} clips, {len(takes)} pairs")
    if not clips:
        return float("nan")
    own, variance = (
        np.mean([(one.spatial, one.spatiotemporal, one.weighted, one.mse) for one in group], axis=0)
        for group in (clips, takes)
    )
    if not variance[:3].all():
        return float("nan")
    return float(100 * np.clip(np.mean(own[:3] / variance[:3]) - (own[3] - variance[3]), 0, 1))


def _iou(one: np.ndarray, other: np.ndarray) -> float:
    """Sums of the smaller and the larger value of each pixel; of masks, the intersection over the union."""
    union = float(np.maximum(one, other).sum())
    return float(np.minimum(one, other).sum()) / union if union else 1.0
