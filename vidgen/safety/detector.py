# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Does a clip look as if the shipped model made it? For when its manifest and its marks are gone.

A logistic regression on few numbers that do not depend on what is shown: the spectrum of what is left of luma and
colour without what is smooth, how edges lie on grids of 4 and 8 pixels (the VAE decodes patches), how much changes from
frame to frame, and how that repeats every 4 frames (the VAE decodes groups). It is a hint and no proof: its error rates
are measured on clips like those it was made for (`docs/marks.md`), and it knows nothing of other generators.
`experiments/trust/detector.py` trains it.
"""

import functools
import json
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from vidgen.typing import Frames

WEIGHTS = Path(__file__).parents[1] / "assets" / "detector.json"
BLOCK = 32
"""Pixels a side of the blocks whose spectra are taken; smaller frames are enlarged."""
MOST_FRAMES = 17
MOST_SIDE = 768
"""Pixels a side, round the middle, of which larger frames are looked at: memory stays bounded."""

_RINGS = 12
_TO_YCC = np.array([[0.2126, 0.7152, 0.0722], [-0.1146, -0.3854, 0.5], [0.5, -0.4542, -0.0458]], np.float32)  # BT.709


@dataclass(frozen=True)
class Looks:
    """Weights and what they are worth.

    Attributes:
        mean_K, scale_K, weight_K: of each feature. bias: of the sum.
        threshold: of `score`, from which a clip counts as made by vidgen.
        false_alarms: share of other clips that reach it, of the kind of which most do. found: share of vidgen's clips
            that do. Both were measured on clips that were not trained on and did not decide the threshold, as made
            and after ways of `vidgen.eval.handling`: so many of vidgen's (`made`) and of others (`others`).
    """

    mean_K: np.ndarray
    scale_K: np.ndarray
    weight_K: np.ndarray
    bias: float
    threshold: float
    false_alarms: float
    found: float
    made: int
    others: int

    def score(self, feature_RK: np.ndarray) -> np.ndarray:
        """Probabilities, float64 [R], as if half of all clips were vidgen's."""
        margin = (feature_RK - self.mean_K) / self.scale_K @ self.weight_K + self.bias
        return 1 / (1 + np.exp(-np.clip(margin, -50, 50)))


@functools.cache
def load_looks() -> Looks:
    """The weights that ship."""
    held = json.loads(WEIGHTS.read_text())
    arrays = {name: np.array(held[name]) for name in ("mean_K", "scale_K", "weight_K")}
    return Looks(
        **arrays, **{name: held[name] for name in ("bias", "threshold", "false_alarms", "found", "made", "others")}
    )


def score(frames_FHWC: Frames) -> float:
    """How much a clip looks like the shipped model's, from 0 to 1; `load_looks` has the threshold and error rates.

    Raises:
        ValueError: frames of another shape or type.
    """
    return float(load_looks().score(features(frames_FHWC)[None])[0])


def features(frames_FHWC: Frames) -> np.ndarray:
    """The numbers that are weighed, float64 [K]. Raises ValueError for what is no clip."""
    frames = np.asarray(frames_FHWC)
    if frames.dtype != np.uint8 or frames.ndim != 4 or frames.shape[-1] != 3 or 0 in frames.shape:
        raise ValueError(f"frames are {frames.dtype} {list(frames.shape)}; they must be uint8 [F, H, W, 3], F >= 1")
    height, width = frames.shape[1:3]
    top, left = (max(0, side - MOST_SIDE) // 2 for side in (height, width))
    frames = frames[:MOST_FRAMES, top : top + MOST_SIDE, left : left + MOST_SIDE]
    height, width = frames.shape[1:3]
    if min(height, width) < BLOCK:
        factor = BLOCK / min(height, width)
        size = max(BLOCK, round(width * factor)), max(BLOCK, round(height * factor))
        frames = np.stack([cv2.resize(frame, size, interpolation=cv2.INTER_CUBIC) for frame in frames])
    planes = frames.astype(np.float32) @ _TO_YCC.T
    spectra = [_spectrum(planes[..., channel]) for channel in range(3)]
    return np.concatenate([*spectra, _edges(planes[..., 0]), _changes(planes[..., 0])])


def _spectrum(plane_FHW: np.ndarray) -> np.ndarray:
    """Logarithm of the mean power a ring of frequencies, over windowed blocks of every fourth frame: [12]."""
    window = np.outer(np.hanning(BLOCK), np.hanning(BLOCK)).astype(np.float32)
    blocks = [
        plane_HW[top : top + BLOCK, left : left + BLOCK]
        for plane_HW in plane_FHW[::4]
        for top in range(0, plane_HW.shape[0] - BLOCK + 1, BLOCK // 2)
        for left in range(0, plane_HW.shape[1] - BLOCK + 1, BLOCK // 2)
    ]
    block_NHW = np.stack(blocks)
    power = np.abs(np.fft.rfft2((block_NHW - block_NHW.mean(axis=(1, 2), keepdims=True)) * window)) ** 2
    # The mean of logarithms over blocks: a block with an edge does not drown those without.
    level = np.log(power + 1.0).mean(axis=0)
    away = np.hypot(np.fft.fftfreq(BLOCK)[:, None], np.fft.rfftfreq(BLOCK)[None]) * 2
    ring = np.minimum((away * _RINGS).astype(int), _RINGS)
    return np.array([level[ring == number].mean() for number in range(_RINGS)])


def _edges(luma_FHW: np.ndarray) -> np.ndarray:
    """How steep neighbours are: quantiles, and how much that repeats every 8 and 4 pixels, across and down."""
    found = []
    for axis in (1, 2):
        steep = np.abs(np.diff(luma_FHW, axis=axis))
        found += [np.log(np.quantile(steep, share) + 0.05) for share in (0.25, 0.5, 0.75, 0.9)]
        # The root keeps single sharp edges from deciding.
        profile = np.sqrt(steep).mean(axis=(0, 3 - axis))
        profile = profile / (profile.mean() + 1e-3)
        place = np.arange(len(profile))
        for period in (8, 4, 8 / 3, 2):
            found.append(np.log(np.abs(np.mean((profile - 1) * np.exp(-2j * np.pi * place / period))) + 1e-3))
    return np.array(found)


def _changes(luma_FHW: np.ndarray) -> np.ndarray:
    """How much changes from frame to frame: quantiles, still pixels, and how that repeats every 4 and 2 frames; [8].

    Zeros for a picture.
    """
    if len(luma_FHW) < 2:
        return np.zeros(8)
    change = np.abs(np.diff(luma_FHW, axis=0))
    levels = [np.log(np.quantile(change, share) + 0.05) for share in (0.25, 0.5, 0.75, 0.9)]
    still = [np.mean(change < limit) for limit in (0.5, 2.0)]
    course = np.sqrt(change).mean(axis=(1, 2))
    course = course / (course.mean() + 1e-3)
    time = np.arange(len(course))
    beats = [np.log(np.abs(np.mean((course - 1) * np.exp(-2j * np.pi * time / period))) + 1e-2) for period in (4, 2)]
    return np.array(levels + still + beats)
