# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Which solids a clip shows, from its frames alone: a region for each named colour, its shape, and tracks of them.

Hue tells colours apart in light, shadow and blur; floors have hardly any colour. A region's edge pixels are weighed by
how much of them is solid (as in matting: on the line from the colours outside to those inside), so that its middle is
found to a fraction of a pixel. The shape is named by a small network over the region's outline and shading, which
`build_detector` fits to renders; where it is not sure, none is named. Nothing here has seen a model's output.
"""

import functools
import math
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from safetensors.numpy import load_file

from vidgen.worlds.solids.scene import COLORS, SHAPES

SATURATION, CHROMA = 0.36, 30.0
"""Least saturation (chroma over the largest channel) and chroma (largest less smallest channel) of a solid's pixel.
Of renders' solids 99.5 % are above (pink in a highlight aside), of floors all are below 0.26."""
HUE = 16.0
"""Degrees by which a pixel may be off a colour's hue: shading moves hues by up to 10."""
LEAST_AREA = 0.0025
"""Share of the frame that a region must cover; the smallest solid covers 0.008."""
CLEAR = 0.2
"""Share of a region's outline that may touch another region or the frame's edge while it counts as seen in full."""
SURE = 0.7
"""Least probability of a shape to be named. On renders 99 % of what is named at this is right."""
LEAST_FRAMES = 2
"""Frames in which a colour must be found to be in a clip: one might be chance."""

PATCH = 14
"""Pixels a side of what the network sees of a region."""
REACH = 1.5
"""Half the side of that patch, over the radius of a disc of the region's area."""
WEIGHTS = Path(__file__).parent / "shapes.safetensors"

_CROSS = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
_SQUARE = np.ones((3, 3), np.uint8)


@dataclass(frozen=True, eq=False)
class Region:
    """A region of one colour in one frame.

    color: of COLORS. x, y: its middle, pixels. area: pixels. box: x0, y0, x1, y1. whole: nothing else covers its edge,
    as far as can be seen. patch_2HW: float32 [2, PATCH, PATCH], what the network sees of it: its cover, and its
    brightness over its mean less 1, both around its middle and as large as if its area were always the same.
    """

    color: str
    x: float
    y: float
    area: float
    box: tuple[float, float, float, float]
    whole: bool
    patch_2HW: np.ndarray


@dataclass(frozen=True)
class SolidDetection:
    """A solid in one frame: a Region's fields; shape, of SHAPES, or "" where it is not sure; their probabilities."""

    color: str
    x: float
    y: float
    area: float
    box: tuple[float, float, float, float]
    whole: bool
    shape: str
    probabilities: tuple[float, ...]


@dataclass(frozen=True)
class SolidTrack:
    """One colour through a clip. shape: by all frames together, "" where it is not sure. frames: those in which it was
    found, in order; detections: in those frames.
    """

    color: str
    shape: str
    frames: tuple[int, ...]
    detections: tuple[SolidDetection, ...]


def detect_solids(frames_FHWC: np.ndarray) -> list[list[SolidDetection]]:
    """The regions of each frame, at most one of a colour, the largest first.

    Raises ValueError for anything but uint8 [F, H, W, 3].
    """
    if frames_FHWC.dtype != np.uint8 or frames_FHWC.ndim != 4 or frames_FHWC.shape[-1] != 3:
        raise ValueError(f"frames must be uint8 [F, H, W, 3], not {frames_FHWC.dtype} {frames_FHWC.shape}")
    return [[_name(region) for region in find_regions(frame)] for frame in frames_FHWC]


def _name(region: Region) -> SolidDetection:
    shares = tuple(float(share) for share in shape_probabilities(region.patch_2HW[None])[0])
    shape = SHAPES[int(np.argmax(shares))] if max(shares) >= SURE else ""
    return SolidDetection(region.color, region.x, region.y, region.area, region.box, region.whole, shape, shares)


def solid_tracks(frames_FHWC: np.ndarray) -> dict[str, SolidTrack]:
    """Tracks by colour of what is found in at least LEAST_FRAMES frames (in all, if there are fewer). A colour is found
    at most once a frame, so that it alone joins detections.
    """
    by_color: dict[str, list[tuple[int, SolidDetection]]] = {}
    for frame, found in enumerate(detect_solids(frames_FHWC)):
        for one in found:
            by_color.setdefault(one.color, []).append((frame, one))
    return {
        color: SolidTrack(color, _vote([one for _, one in seen]), tuple(f for f, _ in seen), tuple(d for _, d in seen))
        for color, seen in by_color.items()
        if len(seen) >= min(LEAST_FRAMES, len(frames_FHWC))
    }


def track_points(tracks: dict[str, SolidTrack], frames: int) -> tuple[tuple[str, ...], np.ndarray]:
    """Colours in alphabetical order and their middles, float64 [F, N, 2]; NaN where one is not seen in full."""
    colors = tuple(sorted(tracks))
    points_FN2 = np.full((frames, len(colors), 2), np.nan)
    for row, color in enumerate(colors):
        for frame, one in zip(tracks[color].frames, tracks[color].detections, strict=True):
            if one.whole:
                points_FN2[frame, row] = one.x, one.y
    return colors, points_FN2


def _vote(detections: list[SolidDetection]) -> str:
    """The shape on which the frames agree: those in which it is seen in full, if there are any."""
    clear = [one for one in detections if one.whole] or detections
    mean = np.mean([one.probabilities for one in clear], axis=0)
    return SHAPES[int(mean.argmax())] if mean.max() >= SURE else ""


@functools.cache
def _hues() -> np.ndarray:
    """Degrees, of each colour in turn."""
    return _hue(np.array([COLORS[color] for color in COLORS], np.float32))


def _hue(color: np.ndarray) -> np.ndarray:
    """Degrees of RGB [..., 3]: the angle around the grey axis."""
    red, green, blue = np.moveaxis(color, -1, 0)
    return np.degrees(np.arctan2(math.sqrt(3) * (green - blue), 2 * red - green - blue)) % 360


def find_regions(frame_HWC: np.ndarray) -> list[Region]:
    """The regions of one frame, uint8 [H, W, 3], at most one of a colour, the largest first."""
    frame = frame_HWC.astype(np.float32)
    top_HW = frame.max(-1)
    chroma_HW = top_HW - frame.min(-1)
    colorful_HW = (chroma_HW > CHROMA) & (chroma_HW > SATURATION * top_HW)
    off_HWN = np.abs((_hue(frame)[..., None] - _hues() + 180) % 360 - 180)
    nearest_HW = off_HWN.argmin(-1)
    named_HW = colorful_HW & (off_HWN.min(-1) < HUE)
    regions = {}
    for row, color in enumerate(COLORS):
        region_HW = _region(named_HW & (nearest_HW == row))
        if region_HW is not None:
            regions[color] = region_HW
    found = [_describe(frame, color, regions, colorful_HW) for color in regions]
    return sorted(found, key=lambda one: -one.area)


def _region(mask_HW: np.ndarray) -> np.ndarray | None:
    """The largest connected part, its holes filled, uint8 [H, W]; None where it is too small or nothing but edge."""
    count, labels_HW, stats, _ = cv2.connectedComponentsWithStats(mask_HW.astype(np.uint8), connectivity=4)
    if count < 2:
        return None
    largest = 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())
    if stats[largest, cv2.CC_STAT_AREA] < LEAST_AREA * mask_HW.size:
        return None
    region_HW = (labels_HW == largest).astype(np.uint8)
    outer, _ = cv2.findContours(region_HW, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(region_HW, outer, -1, 1, thickness=cv2.FILLED)
    # A fringe between two other colours may have any hue, but is thin.
    return region_HW if cv2.erode(region_HW, _CROSS).sum() >= 4 else None


def _describe(frame: np.ndarray, color: str, regions: dict[str, np.ndarray], colorful_HW: np.ndarray) -> Region:
    region_HW = regions[color]
    others_HW = np.zeros_like(region_HW)
    for name, other_HW in regions.items():
        if name != color:
            others_HW |= other_HW
    cover_HW = _cover(frame, region_HW, colorful_HW)
    area = float(cover_HW.sum())
    rows_H, columns_W = np.arange(len(cover_HW)) + 0.5, np.arange(cover_HW.shape[1]) + 0.5
    x, y = float(cover_HW.sum(0) @ columns_W / area), float(cover_HW.sum(1) @ rows_H / area)
    edge_HW = cv2.dilate(region_HW, _CROSS) - region_HW
    along_frame = sum(int(line.sum()) for line in (region_HW[0], region_HW[-1], region_HW[:, 0], region_HW[:, -1]))
    # One pixel further out, since between two regions there is often a pixel that belongs to neither.
    beside = int((edge_HW * cv2.dilate(others_HW, _SQUARE)).sum()) + along_frame
    whole = beside <= CLEAR * max(int(edge_HW.sum()) + along_frame, 1)
    down, across = np.nonzero(region_HW)
    box = (float(across.min()), float(down.min()), float(across.max() + 1), float(down.max() + 1))
    return Region(color, x, y, area, box, whole, _patch(frame, cover_HW, x, y, area))


def _cover(frame: np.ndarray, region_HW: np.ndarray, colorful_HW: np.ndarray) -> np.ndarray:
    """The share of each pixel that the solid covers: 1 inside, 0 outside, and in between along the edge."""
    inside_HW = cv2.erode(region_HW, _CROSS)
    rim_HW = cv2.dilate(region_HW, _SQUARE) - inside_HW
    # Without grey, since a shadow next to a solid is as dark as the solid, but has no colour.
    frame = frame - frame.mean(-1, keepdims=True)
    # A solid's own colour and the floor's next to it, averaged around each pixel.
    free_HW = ((cv2.dilate(region_HW, _SQUARE) == 0) & ~colorful_HW).astype(np.float32)
    own, own_weight = _around(frame, inside_HW.astype(np.float32))
    out, out_weight = _around(frame, free_HW)
    line = own - out
    share_HW = ((frame - out) * line).sum(-1) / np.maximum((line * line).sum(-1), 1.0)
    known_HW = (own_weight > 0) & (out_weight > 0)
    share_HW = np.where(known_HW, np.clip(share_HW, 0, 1), region_HW)
    return np.where(rim_HW > 0, share_HW, inside_HW).astype(np.float32)


def _around(frame: np.ndarray, weight_HW: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The mean colour of weighted pixels within two pixels of each pixel, and their weight."""
    weight = cv2.blur(weight_HW, (5, 5), borderType=cv2.BORDER_CONSTANT)
    weight = np.where(weight < 1e-4, 0, weight)
    mean = cv2.blur(frame * weight_HW[..., None], (5, 5), borderType=cv2.BORDER_CONSTANT)
    return mean / np.maximum(weight, 1e-4)[..., None], weight


def _patch(frame: np.ndarray, cover_HW: np.ndarray, x: float, y: float, area: float) -> np.ndarray:
    """See Region.patch_2HW."""
    step = 2 * REACH * math.sqrt(area / math.pi) / PATCH
    corner = PATCH / 2
    matrix = np.array([[step, 0, x - step * corner + step / 2 - 0.5], [0, step, y - step * corner + step / 2 - 0.5]])
    light_HW = frame.max(-1)
    mean = float((light_HW * cover_HW).sum() / area)
    layers = np.stack([cover_HW, cover_HW * (light_HW / max(mean, 1.0) - 1)], axis=-1)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(layers, matrix, (PATCH, PATCH), flags=flags).transpose(2, 0, 1)


def shape_probabilities(patches_N2HW: np.ndarray) -> np.ndarray:
    """Probabilities [N, 3] of SHAPES for patches of regions."""
    weights = _weights()
    hidden = np.maximum(patches_N2HW.reshape(len(patches_N2HW), -1) @ weights["w0"] + weights["b0"], 0)
    logits = hidden @ weights["w1"] + weights["b1"]
    logits -= logits.max(1, keepdims=True)
    return np.exp(logits) / np.exp(logits).sum(1, keepdims=True)


@functools.cache
def _weights() -> dict[str, np.ndarray]:
    return {name: value.astype(np.float32) for name, value in load_file(WEIGHTS).items()}
