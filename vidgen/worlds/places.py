# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Places: what lies behind the objects, and how it is painted.

A place fills the whole world plane (world units, x to the right, y down, the frame's shorter side is 1 at zoom 1), so
that a camera can pan over it. Texture is low in frequency and contrast on purpose: it must compress well.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

PLAIN: dict[str, tuple[int, int, int]] = {
    "red": (205, 62, 58),
    "orange": (238, 148, 56),
    "yellow": (244, 216, 92),
    "green": (92, 172, 92),
    "blue": (66, 112, 204),
    "purple": (134, 86, 178),
    "pink": (242, 164, 196),
    "brown": (138, 98, 68),
    "white": (244, 244, 244),
    "grey": (138, 140, 144),
    "black": (22, 22, 26),
}
"""Colour names and their RGB, for plain backgrounds and the two ends of gradients."""


@dataclass(frozen=True)
class Look:
    """Colours of a ground-and-sky place, RGB: sky at the top and at the horizon, ground at the horizon and near."""

    sky_top: tuple[int, int, int]
    sky_low: tuple[int, int, int]
    ground_far: tuple[int, int, int]
    ground_near: tuple[int, int, int]
    relief: float
    """Height of hills on the horizon, world units."""


GROUNDS: dict[str, Look] = {
    "moon": Look((8, 8, 14), (18, 18, 28), (150, 150, 154), (182, 182, 186), 0.015),
    "mars": Look((208, 150, 120), (236, 190, 150), (176, 84, 52), (200, 104, 64), 0.03),
    "desert": Look((110, 178, 232), (198, 226, 240), (226, 188, 120), (240, 206, 140), 0.05),
    "meadow": Look((112, 184, 240), (200, 230, 246), (92, 164, 72), (120, 190, 84), 0.05),
    "sea": Look((128, 196, 244), (214, 236, 248), (28, 98, 158), (44, 132, 186), 0.0),
    "road": Look((132, 190, 236), (208, 230, 244), (96, 148, 84), (104, 158, 90), 0.02),
    "snow": Look((148, 190, 226), (206, 226, 240), (228, 236, 244), (248, 250, 252), 0.05),
}
SKIES: dict[str, tuple[tuple[int, int, int], tuple[int, int, int]]] = {
    "night sky": ((10, 14, 44), (40, 48, 104)),
    "blue sky": ((82, 156, 232), (178, 214, 244)),
}
PLACES: tuple[str, ...] = (*PLAIN, "gradient", *GROUNDS, *SKIES)
"""Every name that a place may have."""


@dataclass(frozen=True)
class Place:
    """What is behind the objects.

    name: one of PLACES. colors: for a gradient, the colour names at the top and at the bottom. horizon: world y of the
    horizon, used by ground-and-sky places. seed: of the texture.
    """

    name: str
    colors: tuple[str, ...] = ()
    horizon: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        if self.name not in PLACES:
            raise ValueError(f"no place is called {self.name!r}; places are {', '.join(PLACES)}")
        if self.name == "gradient" and (len(self.colors) != 2 or any(color not in PLAIN for color in self.colors)):
            raise ValueError(f"a gradient needs two colours of {', '.join(PLAIN)}, not {self.colors!r}")

    @property
    def has_ground(self) -> bool:
        """Whether there is a horizon with ground below it."""
        return self.name in GROUNDS


def main_colors(place: Place) -> np.ndarray:
    """The RGB colours that cover most of a place, float32 [n, 3]: what an object has to stand out from."""
    if place.name in PLAIN:
        colors = [PLAIN[place.name]]
    elif place.name == "gradient":
        colors = [PLAIN[color] for color in place.colors]
    elif place.name in SKIES:
        colors = list(SKIES[place.name])
    else:
        look = GROUNDS[place.name]
        colors = [look.sky_low, look.ground_near]
    return np.asarray(colors, np.float32)


def _blend(first: tuple[int, ...], second: tuple[int, ...], share: np.ndarray) -> np.ndarray:
    """Colours from `first` (share 0) to `second` (share 1); share may have any shape, the result has 3 more."""
    start, stop = np.asarray(first, np.float32), np.asarray(second, np.float32)
    return start + (stop - start) * np.clip(share, 0, 1)[..., None].astype(np.float32)


def _waves(x_HW: np.ndarray, y_HW: np.ndarray, rng: np.random.Generator, stretch: float, count: int = 4) -> np.ndarray:
    """A smooth random field of `count` plane waves in [-1, 1], slower along x than along y by `stretch`."""
    rate, turn, phase = rng.uniform(3, 9, count), rng.uniform(-0.5, 0.5, count), rng.uniform(0, 2 * math.pi, count)
    total = np.zeros(np.broadcast_shapes(x_HW.shape, y_HW.shape), np.float32)
    for k in range(count):
        total += np.sin(rate[k] * (y_HW + (turn[k] / stretch) * x_HW) + phase[k], dtype=np.float32)
    return total / count


def paint(place: Place, left: float, top: float, right: float, bottom: float, width: int, height: int) -> np.ndarray:
    """Paint the world rectangle [left, right] x [top, bottom] as uint8 [height, width, 3]."""
    if place.name in PLAIN:
        return np.full((height, width, 3), PLAIN[place.name], np.uint8)
    x_W = (left + (np.arange(width, dtype=np.float32) + 0.5) * (right - left) / width)[None, :]
    y_H = (top + (np.arange(height, dtype=np.float32) + 0.5) * (bottom - top) / height)[:, None]
    if place.name == "gradient":
        column = _blend(PLAIN[place.colors[0]], PLAIN[place.colors[1]], y_H + 0.5)
        return np.repeat((column + 0.5).astype(np.uint8), width, axis=1)
    to_pixels = _pixels(left, top, width / (right - left))
    rng = np.random.default_rng(place.seed)
    if place.name in SKIES:
        column = _blend(*SKIES[place.name], y_H + 0.5)
        canvas = np.repeat((column + 0.5).astype(np.uint8), width, axis=1)
        (_stars if place.name == "night sky" else _clouds)(canvas, to_pixels, rng)
        return canvas
    return _ground(place, x_W, y_H, to_pixels, rng)


Marker = Callable[[float, float, float], tuple[tuple[int, int], int]]
_SHIFT = 4
"""Fraction bits of OpenCV's drawing coordinates."""


def _pixels(left: float, top: float, scale: float) -> Marker:
    """A function from world (x, y, radius) to OpenCV's fixed-point centre and radius."""
    one = 1 << _SHIFT

    def to_pixels(x: float, y: float, radius: float) -> tuple[tuple[int, int], int]:
        centre = (round(((x - left) * scale - 0.5) * one), round(((y - top) * scale - 0.5) * one))
        return centre, max(1, round(radius * scale * one))

    return to_pixels


def _ellipse(canvas: np.ndarray, at: tuple[tuple[int, int], int], flat: float, color: tuple[int, ...]) -> None:
    centre, radius = at
    axes = (radius, max(1, round(radius * flat)))
    cv2.ellipse(canvas, centre, axes, 0, 0, 360, color, cv2.FILLED, cv2.LINE_AA, _SHIFT)


def _stars(canvas: np.ndarray, to_pixels: Marker, rng: np.random.Generator, lowest: float = 9.0) -> None:
    """A few dozen stars over the plane, about 10 in a frame, above world y = `lowest`."""
    for x, y, bright in zip(
        rng.uniform(-1.6, 1.6, 60), rng.uniform(-1.2, 1.2, 60), rng.uniform(0.4, 0.9, 60), strict=True
    ):
        if y < lowest:
            _ellipse(canvas, to_pixels(x, y, 0.009), 1.0, (int(225 * bright), int(225 * bright), int(240 * bright)))


def _clouds(canvas: np.ndarray, to_pixels: Marker, rng: np.random.Generator) -> None:
    """Soft flat clouds, two or three in a frame."""
    layer = np.zeros(canvas.shape[:2], np.uint8)
    for x, y, radius in zip(
        rng.uniform(-1.6, 1.6, 12), rng.uniform(-1.0, 1.0, 12), rng.uniform(0.1, 0.2, 12), strict=True
    ):
        _ellipse(layer, to_pixels(x, y, radius), 0.35, (110,))
        _ellipse(layer, to_pixels(x + 0.5 * radius, y - 0.15 * radius, 0.6 * radius), 0.45, (110,))
    (_, unit) = to_pixels(0, 0, 1.0)
    layer = cv2.GaussianBlur(layer, (0, 0), 0.02 * unit / (1 << _SHIFT))
    canvas[...] = canvas + (255 - canvas) * (layer[..., None] / np.float32(255))


def _ground(place: Place, x_W: np.ndarray, y_H: np.ndarray, to_pixels: Marker, rng: np.random.Generator) -> np.ndarray:
    look = GROUNDS[place.name]
    pixel = float(y_H[1, 0] - y_H[0, 0]) if len(y_H) > 1 else 1.0
    rate, phase = rng.uniform(2.0, 5.0, 2), rng.uniform(0, 2 * math.pi, 2)
    skyline_W = place.horizon + look.relief * (
        np.sin(rate[0] * x_W + phase[0]) + 0.5 * np.sin(2 * rate[1] * x_W + phase[1])
    )
    sky = _blend(look.sky_top, look.sky_low, (y_H - place.horizon) + 1.0)
    ground = _blend(look.ground_far, look.ground_near, (y_H - place.horizon) * 1.6)
    shade = {"desert": 9, "sea": 12, "snow": 6, "mars": 8, "moon": 5, "meadow": 7, "road": 4}[place.name]
    # Ripples get wider towards the viewer, as they do in perspective. It is smooth: a quarter of the pixels will do.
    depth_H = np.log1p(np.maximum(y_H[::4] - place.horizon, 0) * 6) * 2
    texture = _waves(x_W[:, ::4], depth_H, rng, stretch=0.25 if place.name != "sea" else 3.0) * np.float32(shade)
    texture_HW = cv2.resize(texture, (x_W.size, y_H.size), interpolation=cv2.INTER_LINEAR)
    share_HW = np.clip((y_H - skyline_W) / pixel + 0.5, 0, 1)
    canvas = np.empty((y_H.size, x_W.size, 3), np.uint8)
    # One channel at a time keeps the arrays in cache: twice as fast as all three at once.
    for channel in range(3):
        plane = ground[..., channel] + texture_HW - sky[..., channel]
        plane *= share_HW
        plane += sky[..., channel] + np.float32(0.5)
        canvas[..., channel] = np.clip(plane, 0, 255, out=plane)
    if place.name == "moon":
        _stars(canvas, to_pixels, rng, lowest=place.horizon - 0.05)
    if place.name in ("moon", "mars"):
        _craters(canvas, place, to_pixels, rng)
    if place.name == "road":
        _lanes(canvas, place, x_W, y_H, pixel)
    return canvas


def _craters(canvas: np.ndarray, place: Place, to_pixels: Marker, rng: np.random.Generator) -> None:
    """Flat dark ovals with a light lower rim, larger the nearer they are."""
    near = np.asarray(GROUNDS[place.name].ground_near)
    for x, depth in zip(rng.uniform(-1.6, 1.6, 26), np.sort(rng.uniform(0.06, 0.9, 26)), strict=True):
        radius = 0.03 + 0.11 * depth
        y = place.horizon + depth
        rim, pit = ((int(c) for c in near * gain) for gain in (1.08, 0.84))
        _ellipse(canvas, to_pixels(x, y + 0.1 * radius, radius * 1.08), 0.4, tuple(min(255, c) for c in rim))
        _ellipse(canvas, to_pixels(x, y, radius), 0.36, tuple(pit))


def _lanes(canvas: np.ndarray, place: Place, x_W: np.ndarray, y_H: np.ndarray, pixel: float) -> None:
    """A grey road along x with a dashed middle line, below a strip of grass."""

    def band(value: np.ndarray, low: float, high: float) -> np.ndarray:
        return np.clip((value - low) / pixel + 0.5, 0, 1) * np.clip((high - value) / pixel + 0.5, 0, 1)

    y_H = y_H - place.horizon
    asphalt = band(y_H, 0.08, 0.62)[..., None]
    dashes = (band(y_H, 0.31, 0.35) * band(np.mod(x_W, 0.5), 0.1, 0.36))[..., None]
    road = canvas * (1 - asphalt) + 92 * asphalt
    canvas[...] = road * (1 - dashes) + 226 * dashes + 0.5
