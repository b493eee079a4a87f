# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Discs and squares on a plain ground: drawn with the exact area that they cover of each pixel, and read back.

Pixel (row, column) of a frame of S pixels covers the square from column to column + 1 across, and from S - row - 1 to
S - row up, in steps of EXTENT / S: its middle is at (column + 1/2) EXTENT / S. A mass centroid of covered areas
therefore is read with pixel middles. (A renderer that samples at column / (S - 1), as PhyWorld's own does, is read with
that; mixing the two stretches all velocities by S / (S - 1), 1.6 % at 64 pixels.)
"""

import functools
import math
from dataclasses import dataclass

import cv2
import numpy as np

from vidgen.worlds.phyworld.physics import COLORS, EXTENT, PhyScene, ground_truth

GROUND = (255, 255, 255)
CORE = 0.5
"""Coverage from which on a pixel is counted to an object, when objects are looked for."""
LEAST_CORE = 4
"""Pixels of a thing's core, under which there is no thing."""
BORDER = 3
"""Pixels around a core that are weighed with it: what a blur of two pixels spreads."""
OUTSIDE = 0.15
"""Pixels by which a disc's edge may seem to lie outside of the frame and the disc still counts as wholly visible; the
part that is lost then moves the centroid by less than 0.02 pixels."""
SQUARE = 0.5
"""Squareness (see `DiscReading`) from which on a thing is called a square."""


def render(scene: PhyScene) -> np.ndarray:
    """The frames of a scene, uint8 [F, S, S, 3], RGB: the ground and the bodies, mixed by the areas they cover."""
    truth = ground_truth(scene)
    scale = scene.size / EXTENT
    frames = np.empty((scene.frames, scene.size, scene.size, 3), np.float32)
    frames[:] = GROUND
    for row, body in enumerate(scene.bodies):
        x_F, y_F = truth.position_FN2[:, row, 0] * scale, scene.size - truth.position_FN2[:, row, 1] * scale
        radius = body.radius * scale
        left_F, top_F = np.floor(x_F - radius).astype(int), np.floor(y_F - radius).astype(int)
        side = math.ceil(2 * radius) + 1
        cover = disc_coverage if body.shape == "disc" else square_coverage
        cover_FHW = cover(x_F - left_F, y_F - top_F, radius, side).astype(np.float32)
        shift = np.subtract(COLORS[body.color], GROUND).astype(np.float32)
        for frame_HWC, cover_HW, left, top in zip(frames, cover_FHW, left_F, top_F, strict=True):
            rows, columns = (slice(max(low, 0), min(low + side, scene.size)) for low in (top, left))
            if rows.start < rows.stop and columns.start < columns.stop:
                inside = cover_HW[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left]
                frame_HWC[rows, columns] += inside[..., None] * shift
    return cv2.convertScaleAbs(frames.reshape(-1, scene.size * 3)).reshape(frames.shape)


def disc_coverage(x_F: np.ndarray, y_F: np.ndarray, radius: float, side: int) -> np.ndarray:
    """The share of each pixel that a disc covers, float64 [F, side, side], exactly; centres in pixels from the corner.

    The area of the disc to the left of and above a point has a closed form; its second difference over the grid of
    pixel corners is the area within each pixel.
    """
    corners = np.arange(side + 1.0)
    x_FW = np.clip((corners - x_F[:, None]) / radius, -1, 1)
    y_FH = np.clip((corners - y_F[:, None]) / radius, -1, 1)
    chord_FH = np.sqrt(1 - y_FH**2)
    area_FW, area_FH = _half_area(x_FW), _half_area(chord_FH)
    x, y, chord = x_FW[:, None], y_FH[..., None], chord_FH[..., None]
    below, above = _half_area(-chord), area_FH[..., None]
    # Between -chord and chord the edge at y cuts the disc; left and right of it, all of the disc lies on one side.
    within = np.clip(x, -chord, chord)
    area = y * (within + chord) + np.where(x < -chord, below, np.where(x > chord, above, area_FW[:, None])) - below
    whole = np.where(x < -chord, area_FW[:, None], below) + np.where(x > chord, area_FW[:, None] - above, 0)
    area += 2 * whole * (y > 0)
    return np.diff(np.diff(area, axis=-1), axis=-2) * radius**2


def square_coverage(x_F: np.ndarray, y_F: np.ndarray, radius: float, side: int) -> np.ndarray:
    """The share of each pixel that an upright square of half side `radius` covers, as `disc_coverage`."""
    corners = np.arange(side + 1.0)
    across, down = (np.diff(np.clip(corners, at - radius, at + radius)) for at in (x_F[:, None], y_F[:, None]))
    return down[..., None] * across[:, None]


def _half_area(x: np.ndarray) -> np.ndarray:
    """The integral of sqrt(1 - u^2) from -1 to x."""
    return 0.5 * (x * np.sqrt(1 - x**2) + np.arcsin(x) + math.pi / 2)


@dataclass(frozen=True)
class DiscReading:
    """What a clip shows of one colour a column, float64, in PhyWorld units, y up; nan where it abstains.

    position_FN2: mass centroid (x, y). radius_FN: of the disc of the same area. squareness_FN: 0 for a disc, 1 for an
    upright square, -1 for one on its tip. stray_F: area of the colours, in square units, that does not belong to the
    thing of its colour: more things, or pieces of it.
    """

    position_FN2: np.ndarray
    radius_FN: np.ndarray
    squareness_FN: np.ndarray
    stray_F: np.ndarray

    @property
    def seen(self) -> np.ndarray:
        """Where there is a reading, bool [F, N]: a thing of the colour that is wholly inside the frame."""
        return ~np.isnan(self.radius_FN)


def read_discs(clip_FHWC: np.ndarray, colors: tuple[str, ...] = ("red",)) -> DiscReading:
    """Reads one thing of each colour in each frame of a clip, uint8 [F, S, S, 3].

    Pixels are split into shares of the colours and the ground (least squares), so that discs that touch, or run into
    each other by a blur, are told apart. Of each colour the largest piece is taken, and all of its mass with the border
    that a blur spreads; a blur that is the same in all directions moves neither centroid nor area nor squareness. It
    abstains where nothing is found or where the thing is not wholly inside the frame.
    Raises ValueError for another shape or type, and for colours that are unknown or named twice.
    """
    if clip_FHWC.ndim != 4 or clip_FHWC.dtype != np.uint8 or clip_FHWC.shape[-1] != 3:
        raise ValueError(f"a clip must be uint8 [F, S, S, 3], not {clip_FHWC.dtype} {clip_FHWC.shape}")
    if clip_FHWC.shape[1] != clip_FHWC.shape[2]:
        raise ValueError(f"PhyWorld's frames are square, as its world is; these are {clip_FHWC.shape[2:0:-1]}")
    if not colors or len(set(colors)) < len(colors) or not set(colors) <= set(COLORS):
        raise ValueError(f"colours, each once, are {', '.join(COLORS)}; given: {colors}")
    share_FNHW = coverage(clip_FHWC, colors)
    frames, count, size, _ = share_FNHW.shape
    unit = EXTENT / size
    values_FN4 = np.full((frames, count, 4), np.nan)
    stray_F = np.zeros(frames)
    for frame in range(frames):
        for column in range(count):
            share_HW = share_FNHW[frame, column]
            found, stray = _largest(share_HW)
            stray_F[frame] += stray * unit**2
            if found is None:
                continue
            x, y, radius, squareness = _moments(share_HW, found)
            if min(x, y, size - x, size - y) - radius >= -OUTSIDE:
                values_FN4[frame, column] = x * unit, (size - y) * unit, radius * unit, squareness
    return DiscReading(values_FN4[..., :2], values_FN4[..., 2], values_FN4[..., 3], stray_F)


def coverage(clip_FHWC: np.ndarray, colors: tuple[str, ...]) -> np.ndarray:
    """The share of each pixel that each colour covers, float32 [F, N, H, W]; the ground's own is set to 0 in each
    frame.
    """
    mix_3N = _unmixing(colors)
    share_FHWN = (clip_FHWC.astype(np.float32) - np.array(GROUND, np.float32)) @ mix_3N
    share_FNHW = np.moveaxis(share_FHWN, -1, 1)
    # A ground that is a little off (a VAE's white) would weigh as much as a small disc: most pixels of a frame are
    # ground.
    off_FN = np.median(share_FNHW, axis=(-2, -1))
    off_FN11 = np.where(np.abs(off_FN) < CORE / 2, off_FN, 0)[..., None, None]
    return (share_FNHW - off_FN11) / (1 - off_FN11)


@functools.lru_cache(maxsize=8)
def _unmixing(colors: tuple[str, ...]) -> np.ndarray:
    """[3, N]: from a pixel's distance to the ground to the shares of the colours."""
    away_N3 = np.array([COLORS[color] for color in colors], float) - GROUND
    return np.linalg.pinv(away_N3).astype(np.float32)


def _largest(share_HW: np.ndarray) -> tuple[tuple[slice, slice] | None, float]:
    """The window (rows, columns) around the largest piece, if there is one, and the core pixels of all other pieces."""
    core = (share_HW > CORE).astype(np.uint8)
    count, _, stats, _ = cv2.connectedComponentsWithStats(core, connectivity=8)
    if count == 1:
        return None, 0.0
    areas = stats[1:, cv2.CC_STAT_AREA]
    best = int(areas.argmax())
    stray = float(areas.sum() - areas[best])
    if areas[best] < LEAST_CORE:
        return None, stray
    left, top, width, height = stats[1 + best, :4]
    rows = slice(max(top - BORDER, 0), min(top + height + BORDER, share_HW.shape[0]))
    columns = slice(max(left - BORDER, 0), min(left + width + BORDER, share_HW.shape[1]))
    return (rows, columns), stray


def _moments(share_HW: np.ndarray, window: tuple[slice, slice]) -> tuple[float, float, float, float]:
    """(x, y, radius, squareness) in pixels, y down, of the mass in a window.

    Squareness: with z = (x - mean x) + i (y - mean y), the mean of z^4 is 0 for a disc and -4/15 a^4 for an upright
    square of half side a, whose mean |z|^2 is 2/3 a^2; a blur that is the same in all directions does not change the
    former.
    """
    rows, columns = window
    mass = share_HW[window].astype(np.float64)
    across, down = np.arange(columns.start, columns.stop) + 0.5, np.arange(rows.start, rows.stop) + 0.5
    area = mass.sum()
    x, y = mass.sum(0) @ across / area, mass.sum(1) @ down / area
    z = (across - x)[None] + 1j * (down - y)[:, None]
    spread = float((mass * np.abs(z) ** 2).sum() / area)
    fourth = float((mass * (z**4).real).sum() / area)
    return float(x), float(y), math.sqrt(area / math.pi), -fourth / spread**2 / 0.6
