# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The pattern that carries the invisible mark: a periodic tile of low frequencies, and how it is measured in pictures.

Lengths are in units: the shorter side of what was marked is 64 units if it is small, and 128 units if it has at least
160 pixels, whatever its size: finer waves are weaker in pictures, and the more tiles the better. The pattern is
sum_n Re(a_n exp(2 pi i k_n x / 30)): it repeats every 30 units, so a crop still holds whole tiles, and its waves are
4.5 to 21 units long, which H.264 keeps.

What is measured is not the picture but its view: the luma without what is smooth, summed over frames, where each pixel
counts by one over its local energy. So edges of the picture, which are the mark's noise, hardly count. From a view the
amplitudes follow by weighted least squares with a small prior, which also undoes what a crop makes of the waves.
"""

import functools
from dataclasses import dataclass

import cv2
import numpy as np

UNITS = (64, 128)
FINE = 160  # pixels of the shorter side from which pictures have the finer units
PERIOD = 30.0
LOWEST, HIGHEST = 1.4, 6.6  # waves a period
LUMA = np.array([0.2126, 0.7152, 0.0722], np.float32)  # BT.709, as the files that vidgen writes
TINT = LUMA / np.sqrt(np.mean(LUMA**2))
"""The colour of the mark, of mean square 1: of all colours it changes luma most at one PSNR."""

_SMOOTH = 4.0  # standard deviation, in pixels of a view that is not cropped, of what is taken away
_NEAR = 2.0  # the same, of the neighbourhood over which energy is taken
_FLOOR = 3.0  # grey levels: local energy has at least this root
_PRIOR = 1.0


@functools.cache
def waves() -> np.ndarray:
    """(down, across) waves a period of each of the N complex amplitudes, int64 [N, 2]; one of each pair k, -k."""
    most = int(HIGHEST)
    down, across = np.mgrid[-most : most + 1, 0 : most + 1]
    length = np.hypot(down, across)
    kept = (length >= LOWEST) & (length <= HIGHEST) & ((across > 0) | (down > 0))
    return np.stack([down[kept], across[kept]], axis=1)


@dataclass(frozen=True)
class View:
    """What is measured of a clip: sums over frames of weighted residual luma and of the weights, float32 [H, W]."""

    signal_HW: np.ndarray
    weight_HW: np.ndarray


def small_luma(frames_FHWC: np.ndarray, units: int) -> np.ndarray:
    """Luma, float32 [F, h, w], resized so that the shorter side has a pixel a unit."""
    height, width = frames_FHWC.shape[1:3]
    factor = units / min(height, width)
    size = max(units, round(width * factor)), max(units, round(height * factor))
    how = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    small = [frame if size == (width, height) else cv2.resize(frame, size, interpolation=how) for frame in frames_FHWC]
    return np.stack([frame.astype(np.float32) @ LUMA for frame in small])


def view(luma_FHW: np.ndarray, zoom: float = 1.0) -> View:
    """The view of luma in grey levels; zoom: pixels a unit, which the filters follow."""
    signal, weight = np.zeros_like(luma_FHW[0]), np.zeros_like(luma_FHW[0])
    for luma_HW in luma_FHW:
        rest = luma_HW - _blur(luma_HW, _SMOOTH * zoom)
        share = 1 / (_blur(rest * rest, _NEAR * zoom) + _FLOOR**2)
        signal += rest * share
        weight += share
    mean = weight.mean()
    return View(signal / mean, weight / mean)


def sharpen(image_HW: np.ndarray) -> np.ndarray:
    """An image without what is smooth, as in a view."""
    return image_HW - _blur(image_HW, _SMOOTH)


def _blur(image_HW: np.ndarray, deviation: float) -> np.ndarray:
    return cv2.GaussianBlur(image_HW, (0, 0), deviation, borderType=cv2.BORDER_REFLECT)


@dataclass(frozen=True)
class Place:
    """Where a view lies: pixels a unit, and the position of its middle (down, across) in units."""

    zoom: float
    middle: tuple[float, float] = (0.0, 0.0)

    def turns(self, shape: tuple[int, int], orders: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """exp(-2 pi i k x / period) of whole orders k at the rows and at the columns: complex64 [k, H], [k, W]."""
        turns = []
        for side, middle in zip(shape, self.middle, strict=True):
            position = (np.arange(side) - (side - 1) / 2) / self.zoom + middle
            turns.append(np.exp(-2j * np.pi / PERIOD * np.outer(orders, position)).astype(np.complex64))
        return turns[0], turns[1]


@dataclass(frozen=True)
class Fit:
    """Least squares of a view at a place: amplitudes, complex128 [N], and what leads from them back to pixels."""

    place: Place
    view: View
    amplitude_N: np.ndarray
    normal_NN: np.ndarray  # real [2N, 2N], the prior included

    def gradient(self, wanted_N: np.ndarray) -> np.ndarray:
        """How the residual luma of each pixel moves sum Re(conj(wanted) amplitude): float [H, W]."""
        return self.view.weight_HW * synthesize(_solve(self.normal_NN, wanted_N), self.view.signal_HW.shape, self.place)


def _solve(normal_NN: np.ndarray, right_N: np.ndarray) -> np.ndarray:
    parts = np.linalg.solve(normal_NN, np.concatenate([np.real(right_N), np.imag(right_N)]))
    half = len(parts) // 2
    return parts[:half] + 1j * parts[half:]


def fit(seen: View, place: Place) -> Fit:
    """Amplitudes of the pattern in a view.

    The residual is modelled as sum_n Re(a_n conj(e_n)), e_n = exp(-2 pi i k_n x / period), with noise of variance
    1/weight. The normal equations hold the weights' spectrum at sums and differences of the waves.
    """
    shape, k = seen.signal_HW.shape, waves()
    most = int(HIGHEST)
    orders = np.arange(-2 * most, 2 * most + 1)
    down, across = place.turns(shape, orders)
    half = 2 / (shape[0] * shape[1])
    signal = (down[most:-most] @ seen.signal_HW @ across[most:-most].T)[k[:, 0] + most, k[:, 1] + most] * half
    spectrum = (down @ seen.weight_HW @ across.T) * (half / 2)
    apart = spectrum[k[:, None, 0] - k[None, :, 0] + 2 * most, k[:, None, 1] - k[None, :, 1] + 2 * most]
    joint = spectrum[k[:, None, 0] + k[None, :, 0] + 2 * most, k[:, None, 1] + k[None, :, 1] + 2 * most]
    normal = np.block(
        [[apart.real + joint.real, joint.imag - apart.imag], [apart.imag + joint.imag, apart.real - joint.real]]
    ).astype(np.float64)
    normal += _PRIOR * np.eye(len(normal))
    return Fit(place, seen, _solve(normal, signal), normal)


def synthesize(amplitude_N: np.ndarray, shape: tuple[int, int], place: Place) -> np.ndarray:
    """sum_n Re(a_n conj(e_n)) at every pixel: float32 [H, W]."""
    k, most = waves(), int(HIGHEST)
    grid = np.zeros((2 * most + 1, most + 1), np.complex64)
    grid[k[:, 0] + most, k[:, 1]] = amplitude_N
    down, across = place.turns(shape, np.arange(-most, most + 1))
    return (down.conj().T @ grid @ across[most:].conj()).real


def shifted(amplitude_N: np.ndarray, middle: np.ndarray) -> np.ndarray:
    """Amplitudes as they are if the middle of the view lies at [R, 2] units instead of 0: complex [R, N]."""
    return amplitude_N * np.exp(-2j * np.pi / PERIOD * (np.asarray(middle) @ waves().T))


def mirrored(amplitude_RN: np.ndarray) -> np.ndarray:
    """Amplitudes of the same view with left and right exchanged, its middle being at 0: complex [R, N]."""
    kept, turned = _mirror()
    return np.where(kept, amplitude_RN, amplitude_RN[:, turned].conj())


@functools.cache
def _mirror() -> tuple[np.ndarray, np.ndarray]:
    """Which waves a mirror keeps, bool [N], and the wave that each of the others then is, int64 [N]."""
    k = waves()
    index = {(int(down), int(across)): number for number, (down, across) in enumerate(k)}
    turned = [index.get((-int(down), int(across)), number) for number, (down, across) in enumerate(k)]
    return k[:, 1] == 0, np.array(turned)
