# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""How near a reconstruction is to its source: PSNR and SSIM, a number for each frame."""

import numpy as np

WINDOW, SIGMA, K1, K2, RANGE = 11, 1.5, 0.01, 0.03, 255.0
"""SSIM's constants: Wang, Bovik, Sheikh and Simoncelli, "Image quality assessment: from error visibility to structural
similarity", IEEE Transactions on Image Processing 13(4), 2004, section III."""


def psnr(source_FHWC: np.ndarray, other_FHWC: np.ndarray) -> np.ndarray:
    """Peak signal-to-noise ratio in dB of each frame, float64 [...]; infinite where frames are equal.

    Both: uint8 [..., H, W, C] of one shape; the squared error is averaged over pixels and channels, the peak is 255.
    Raises ValueError for another type or for shapes that differ.
    """
    source, other = _pair(source_FHWC, other_FHWC)
    error = np.square(source - other).mean(axis=(-3, -2, -1), dtype=np.float64)
    with np.errstate(divide="ignore"):
        return 10 * np.log10(RANGE**2 / error)


def ssim(source_FHWC: np.ndarray, other_FHWC: np.ndarray) -> np.ndarray:
    """Structural similarity of each frame, float64 [...], 1 where frames are equal.

    Both: uint8 [..., H, W, C] of one shape. Gaussian window of 11x11 with standard deviation 1.5, only where it lies
    within the frame, averaged over positions and channels; constants as in the paper (see WINDOW).
    Raises ValueError for another type, shapes that differ, and sides under 11.
    """
    source, other = _pair(source_FHWC, other_FHWC)
    if min(source.shape[-3:-1]) < WINDOW:
        raise ValueError(f"frames are {source.shape[-2]}x{source.shape[-3]}; SSIM needs at least {WINDOW}x{WINDOW}")
    mean_s, mean_o = _blur(source), _blur(other)
    # The window's weights sum to 1, so this is the biased variance, as in the paper.
    var_s, var_o = _blur(source * source) - mean_s**2, _blur(other * other) - mean_o**2
    covariance = _blur(source * other) - mean_s * mean_o
    c1, c2 = (K1 * RANGE) ** 2, (K2 * RANGE) ** 2
    likeness = (2 * mean_s * mean_o + c1) * (2 * covariance + c2)
    likeness /= (mean_s**2 + mean_o**2 + c1) * (var_s + var_o + c2)
    return likeness.mean(axis=(-3, -2, -1))


def _pair(source: np.ndarray, other: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    for array in (source, other):
        if array.dtype != np.uint8 or array.ndim < 3 or 0 in array.shape:
            raise ValueError(f"frames must be uint8 [..., height, width, channels], not {array.dtype} {array.shape}")
    if source.shape != other.shape:
        raise ValueError(f"frames of one shape can be compared; given: {source.shape} and {other.shape}")
    return source.astype(np.float64), other.astype(np.float64)


def _blur(image_HWC: np.ndarray) -> np.ndarray:
    """Gaussian means over every window within the frame: two products with band matrices."""
    across, down = _band(image_HWC.shape[-2]), _band(image_HWC.shape[-3])
    rows = np.einsum("yh,...hwc->...ywc", down, image_HWC, optimize=True)
    return np.einsum("xw,...ywc->...yxc", across, rows, optimize=True)


def _band(side: int) -> np.ndarray:
    """[side - 10, side]: row i holds the window's weights at i to i + 10."""
    weights = np.exp(-np.square(np.arange(WINDOW) - WINDOW // 2) / (2 * SIGMA**2))
    band = np.zeros((side - WINDOW + 1, side))
    for row in range(len(band)):
        band[row, row : row + WINDOW] = weights / weights.sum()
    return band
