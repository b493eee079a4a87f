# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The invisible mark: 48 bits in the pixels of a clip or a picture, found without the original.

The mark is a faint pattern of low frequencies (`vidgen.safety.tile`) that stands still, so that lost, doubled and
reordered frames do not matter. Its amplitudes hold the coded payload (`vidgen.safety.coding`) and a few pilots that
depend on the key alone. `embed` knows the picture: it climbs along the gradient of what `detect` will read, for the
whole frame and for random crops, under a bound on the error of every frame. `detect` tries the frame as it was made,
and mirrored; then it looks for the pilots at every crop up to 43 % of a side, and decodes the likeliest places.

Who knows the key can read the mark, and can write it. Without a key both are open to everyone, which is what a public
statement of origin needs; it proves nothing about who made a clip.
"""

import functools
import hashlib
import itertools
import math
from dataclasses import dataclass

import cv2
import numpy as np

from vidgen.safety import coding, tile
from vidgen.typing import Frames

PAYLOAD_BYTES = coding.PAYLOAD_BITS // 8
PSNR = 40.0
"""No frame of a marked clip is nearer to its source than this allows and none further away, in dB over all channels."""
FALSE_ALARM = 1e-6
"""Share of unmarked clips in which a mark may be found."""

_PILOTS = 6
_STEPS = 16
_CROPS = 2  # that a step looks at
_SEGMENT = 48  # frames for which one pattern is made; its neighbours fade into each other
_FADE = 8
_LOOKED_AT = 16  # frames of a segment that `embed` looks at
_READ = 96  # frames of a clip that `detect` reads
_LONGEST = 16  # times the shorter side; beyond it the middle is searched
_PLACES = 32  # that are decoded
_ZOOMS = (1.0, 1.75)
_ZOOM_STEP = 0.9  # units that the frame's edges move from one zoom to the next, twice over
_CLOSE_UP = 1.28  # zoom from which the filters of the view follow it
_GRID = 40  # positions a period, down and across
_NULL = (0.770, 0.002, 0.0145)
"""Of the score of one place in unmarked footage: a value, the share of scores above it, and how far up a tenth of these
lie. Measured (docs/marks.md); further up, true tails fall faster than this."""


@dataclass(frozen=True)
class Detection:
    """What was found in a clip.

    Attributes:
        found: whether `p_value` is at most `FALSE_ALARM`.
        payload: the 6 bytes, or None if nothing was found.
        p_value: how often an unmarked clip would look as marked as this one; at most 1.
        score: correlation of what was measured with the mark that was decoded, at most 1.
        zoom: how much larger the frame shows what was marked: 1 is a whole frame, 1.25 one of which 20 % of the
            shorter side were cut off. Resizing does not matter.
        middle: where the frame's middle lies in the pattern (down, across), as a share of its period.
        mirrored: whether left and right were exchanged.
    """

    found: bool
    payload: bytes | None
    p_value: float
    score: float
    zoom: float = 1.0
    middle: tuple[float, float] = (0.0, 0.0)
    mirrored: bool = False


@dataclass(frozen=True)
class _Key:
    """What a key decides: which waves are pilots, how the others are turned, and how bits are spread over them."""

    pilot_index_N: np.ndarray
    pilot_N: np.ndarray
    data_index_N: np.ndarray
    turn_N: np.ndarray
    bit_of: np.ndarray  # the coded bit that each real and imaginary part carries
    scramble_S: np.ndarray

    def pattern(self, coded_RS: np.ndarray) -> np.ndarray:
        """Amplitudes of coded messages, [R, 128] signs: complex [R, N], of size sqrt(2) each."""
        real, imaginary = np.split(coded_RS[:, self.bit_of], 2, axis=1)
        amplitude = np.empty((len(coded_RS), len(tile.waves())), np.complex128)
        amplitude[:, self.pilot_index_N] = self.pilot_N
        amplitude[:, self.data_index_N] = (real + 1j * imaginary) * self.turn_N
        return amplitude

    def soft(self, amplitude_RN: np.ndarray) -> np.ndarray:
        """Soft values of the coded bits, [R, 128], 0 for those that are not sent."""
        data = amplitude_RN[:, self.data_index_N] * self.turn_N.conj()
        soft = np.zeros((len(data), coding.CODED_BITS), np.float32)
        soft[:, self.bit_of] = np.concatenate([np.real(data), np.imag(data)], axis=1)
        return soft

    def likeness(self, amplitude_RN: np.ndarray, pattern_RN: np.ndarray) -> np.ndarray:
        """Correlation, from -1 to 1, over what carries data: pilots stand out wherever they were looked for."""
        found, made = (np.take(rows, self.data_index_N, axis=1) for rows in (amplitude_RN, pattern_RN))
        size = np.linalg.norm(found, axis=1) * np.linalg.norm(made, axis=1)
        return np.einsum("rn,rn->r", found, made.conj()).real / np.maximum(size, 1e-12)


@functools.lru_cache(maxsize=8)
def _read_key(key: int | None) -> _Key:
    """The same numbers on every machine and with every release of NumPy: they come from SHAKE-256."""
    count = len(tile.waves())
    sent = 2 * (count - _PILOTS)
    seed = hashlib.shake_256(f"vidgen mark 1, key {'public' if key is None else int(key)}".encode())
    draws = np.frombuffer(seed.digest(8 * (3 * count + 2 * coding.CODED_BITS)), "<u8")
    order = np.argsort(draws[:count], kind="stable")
    pilots, data = np.sort(order[:_PILOTS]), np.sort(order[_PILOTS:])
    turns = np.exp(2j * np.pi * (draws[count : 2 * count] / 2.0**64))
    # The bits that are left out lie evenly round the code's ring.
    kept = np.round(np.linspace(0, coding.CODED_BITS, sent, endpoint=False)).astype(int)
    spread = np.argsort(draws[2 * count : 2 * count + sent], kind="stable")
    scramble = (draws[-coding.MESSAGE_BITS :] >> np.uint64(63)).astype(np.uint8)
    return _Key(pilots, np.sqrt(2) * turns[pilots], data, turns[data], kept[spread], scramble)


def embed(frames_FHWC: Frames, payload: bytes, key: int | None = None) -> Frames:
    """Marks a clip, or a picture if F = 1.

    Args:
        frames_FHWC: uint8 pixels, at least 16 a side.
        payload: 6 bytes.
        key: what `detect` must be given; None is the public key.

    Returns:
        A marked copy. Every frame has a PSNR of at least `PSNR` against its source.

    Raises:
        ValueError: frames of another shape or type, or a payload of another length.
    """
    frames = _check(frames_FHWC)
    bits = coding.message(payload)
    secret = _read_key(key)
    wanted_N = secret.pattern(coding.encode((bits ^ secret.scramble_S)[None]))[0]
    units = tile.UNITS[min(frames.shape[1:3]) >= tile.FINE]
    count = max(1, round(len(frames) / _SEGMENT))
    edges = np.round(np.linspace(0, len(frames), count + 1)).astype(int)
    patterns = [
        _make_pattern(tile.small_luma(_thin(frames[start:end], _LOOKED_AT), units), wanted_N)
        for start, end in itertools.pairwise(edges)
    ]
    height, width = frames.shape[1:3]
    patterns = [cv2.resize(one, (width, height), interpolation=cv2.INTER_CUBIC) for one in patterns]
    marked = np.empty_like(frames)
    for index, frame in enumerate(frames):
        segment = int(np.searchsorted(edges, index, "right")) - 1
        marked[index] = _add(frame, _faded(patterns, edges, segment, index))
    return marked


def _check(frames_FHWC: np.ndarray) -> np.ndarray:
    frames = np.asarray(frames_FHWC)
    fits = frames.dtype == np.uint8 and frames.ndim == 4 and frames.shape[-1] == 3 and len(frames) > 0
    if not fits or min(frames.shape[1:3]) < 16:
        raise ValueError(
            f"frames are {frames.dtype} {list(frames.shape)}; a mark needs uint8 [F, H, W, 3], F >= 1, H and W >= 16"
        )
    return frames


def _thin(frames: np.ndarray, most: int) -> np.ndarray:
    return frames[np.unique(np.round(np.linspace(0, len(frames) - 1, min(len(frames), most))).astype(int))]


def _make_pattern(luma_FHW: np.ndarray, wanted_N: np.ndarray) -> np.ndarray:
    """A pattern at the size of the luma, whose root mean square is what `PSNR` allows: float32 [H, W].

    Gradient ascent of a sum of margins: parts of amplitudes that have the right sign already and are large count for
    little. Each step looks at the whole frame and at random crops of it.
    """
    bound = np.sqrt(255.0**2 / 10 ** (PSNR / 10))
    gain = float(tile.TINT @ tile.LUMA)
    rng = np.random.default_rng(0)
    height, width = luma_FHW.shape[1:]
    pattern = np.zeros((height, width), np.float32)
    for step in range(_STEPS):
        marked = np.clip(luma_FHW + gain * pattern, 0, 255)
        uphill = np.zeros_like(pattern)
        crops = [_draw_crop(height, width, rng) for _ in range(_CROPS)]
        for top, left, bottom, right in ((0, 0, height, width), *crops):
            middle = ((top + bottom - height) / 2, (left + right - width) / 2)
            seen = tile.view(marked[:, top:bottom, left:right])
            gradient = _margin_gradient(tile.fit(seen, tile.Place(1.0, middle)), wanted_N)
            uphill[top:bottom, left:right] += gradient / np.sqrt(np.mean(gradient**2) + 1e-12)
        uphill = tile.sharpen(uphill)
        pattern += bound * (0.5 if step < _STEPS // 3 else 0.2) * uphill / np.sqrt(np.mean(uphill**2) + 1e-12)
        pattern *= min(1.0, bound / np.sqrt(np.mean(pattern**2)))
    return pattern


def _draw_crop(height: int, width: int, rng: np.random.Generator) -> tuple[int, int, int, int]:
    share = rng.uniform(0.6, 0.9)
    tall, wide = int(height * share), int(width * share)
    top, left = int(rng.integers(height - tall + 1)), int(rng.integers(width - wide + 1))
    return top, left, top + tall, left + wide


def _margin_gradient(found: tile.Fit, wanted_N: np.ndarray) -> np.ndarray:
    """The gradient of the sum over real and imaginary parts of a soft minimum of 1 and how right they are."""
    turn = wanted_N / np.abs(wanted_N) * np.exp(-0.25j * np.pi)  # so that both parts should be positive
    turned = found.amplitude_N * turn.conj()
    turned = turned / np.sqrt(np.mean(np.abs(turned) ** 2) / 2 + 1e-12)
    real, imaginary = (1 / (1 + np.exp(np.clip(2 * (part - 1), -50, 50))) for part in (turned.real, turned.imag))
    return found.gradient((real + 1j * imaginary) * turn)


def _faded(patterns: list[np.ndarray], edges: np.ndarray, segment: int, index: int) -> np.ndarray:
    """The pattern of a frame: its segment's, or near an edge a mean of two, so that nothing jumps."""
    for other, edge in ((segment - 1, edges[segment]), (segment + 1, edges[segment + 1])):
        far = abs(index + 0.5 - edge) / _FADE + 0.5
        if 0 <= other < len(patterns) and far < 1:
            return far * patterns[segment] + (1 - far) * patterns[other]
    return patterns[segment]


def _add(frame_HWC: np.ndarray, pattern_HW: np.ndarray) -> np.ndarray:
    """A frame with the pattern, as strong as `PSNR` allows after rounding and clipping."""
    allowed = 255.0**2 / 10 ** (PSNR / 10)
    strength = 1.0
    for _ in range(8):
        marked = np.clip(np.rint(frame_HWC + strength * pattern_HW[..., None] * tile.TINT), 0, 255).astype(np.uint8)
        error = float(np.mean(np.square(marked.astype(np.float32) - frame_HWC), dtype=np.float64))
        if 0.98 * allowed <= error <= allowed or error == 0:
            return marked
        strength *= min(np.sqrt(0.99 * allowed / error), 1.5)
    return marked if error <= allowed else frame_HWC.copy()


def detect(frames_FHWC: Frames, key: int | None = None) -> Detection:
    """Looks for a mark in a clip, or a picture if F = 1; nothing is known of the original.

    Raises:
        ValueError: frames of another shape or type.
    """
    return read(measure(frames_FHWC), key)


@dataclass(frozen=True)
class Measured:
    """What is seen of a clip before a key is known: the pattern's amplitudes at each zoom, upright and mirrored.

    Attributes:
        zooms: the first is 1, a whole frame.
        amplitude_RN: complex [2 * zooms, N], the frame's middle at 0; rows take turns: upright, mirrored.
    """

    zooms: np.ndarray
    amplitude_RN: np.ndarray


def measure(frames_FHWC: Frames) -> list[Measured]:
    """The first part of `detect`, which is most of the work: several keys may be tried on it with `read`.

    One for each of `tile.UNITS` in which the clip may have been marked.
    """
    frames = _middle(_thin(_check(frames_FHWC), _READ))
    fine = min(frames.shape[1:3]) >= tile.FINE // 2
    return [_measure(tile.small_luma(frames, units)) for units in tile.UNITS[: 1 + fine]]


def _middle(frames_FHWC: np.ndarray) -> np.ndarray:
    """Of frames that are very long or very high the middle, which holds the pattern often enough: time grows with the
    square of the longer side, and a damaged file can claim 32 x 65,000 pixels.
    """
    most = _LONGEST * min(frames_FHWC.shape[1:3])
    top, left = (max(0, side - most) // 2 for side in frames_FHWC.shape[1:3])
    return frames_FHWC[:, top : top + most, left : left + most]


def _measure(luma_FHW: np.ndarray) -> Measured:
    views = {zoom: tile.view(luma_FHW, zoom) for zoom in (1.0, 1.5)}
    count = math.ceil(math.log(_ZOOMS[1] / _ZOOMS[0]) * max(luma_FHW.shape[1:]) / _ZOOM_STEP)
    zooms = np.geomspace(*_ZOOMS, count)
    fits = [tile.fit(views[1.0 if zoom < _CLOSE_UP else 1.5], tile.Place(zoom)) for zoom in zooms]
    upright = _limit(np.stack([one.amplitude_N for one in fits]))
    both = np.stack([upright, tile.mirrored(upright)], axis=1)
    return Measured(zooms, both.reshape(2 * count, -1))


def read(measured: list[Measured], key: int | None = None) -> Detection:
    """The second part of `detect`."""
    secret = _read_key(key)
    whole = [_Found(one.amplitude_RN[row], 1.0, (0.0, 0.0), bool(row)) for one in measured for row in range(2)]
    places = whole + [place for one in measured for place in _search(one, secret)]
    rows = np.stack([place.amplitude_N for place in places])
    bits = coding.decode(secret.soft(rows))
    patterns = secret.pattern(coding.encode(bits))
    scores = secret.likeness(rows, patterns)
    right = coding.checks(bits ^ secret.scramble_S)
    tries = np.where(np.arange(len(places)) < len(whole), len(whole), len(places) - len(whole))
    chances = np.array([_chance(*one) for one in zip(scores, right, tries, strict=True)])
    best = int(np.lexsort((-scores, chances))[0])
    place, p_value, found = places[best], float(chances[best]), bool(chances[best] <= FALSE_ALARM)
    payload = coding.payload_of(bits[best] ^ secret.scramble_S) if found else None
    return Detection(found, payload, p_value, float(scores[best]), place.zoom, place.middle, place.mirrored)


def _limit(amplitude_RN: np.ndarray) -> np.ndarray:
    """Amplitudes of which none is far larger than others, since these are of the picture: less than 1 in size."""
    power = np.abs(amplitude_RN) ** 2
    return amplitude_RN / np.sqrt(power + np.mean(power, axis=1, keepdims=True) / 2 + 1e-12)


def _chance(score: float, right: bool, tries: int) -> float:
    """How often one of `tries` decoded places of an unmarked clip has a right checksum and such a score.

    Twice that, since two groups of places are tried: as made, and elsewhere.
    """
    value, share, tenth = _NULL
    tail = min(1.0, share * 10 ** ((value - score) / tenth))
    return min(1.0, 2 * tries * 2.0**-coding.CHECK_BITS * tail) if right else 1.0


@dataclass(frozen=True)
class _Found:
    """Amplitudes at a place where the pattern may lie."""

    amplitude_N: np.ndarray
    zoom: float
    middle: tuple[float, float]
    mirrored: bool


@functools.cache
def _offsets(steps: int, span: float) -> np.ndarray:
    """A grid of middles in units, [steps * steps, 2], from 0 to `span` without it."""
    line = np.arange(steps) * (span / steps)
    return np.stack(np.meshgrid(line, line, indexing="ij"), axis=-1).reshape(-1, 2)


def _search(measured: Measured, secret: _Key) -> list[_Found]:
    """The places where the pilots stand out most, likeliest first."""
    zooms, amplitude_RN = measured.zooms, measured.amplitude_RN
    pilots_RN = amplitude_RN[:, secret.pilot_index_N] * secret.pilot_N.conj()
    turns = _turns(_offsets(_GRID, tile.PERIOD), secret)
    heights = np.real(pilots_RN @ turns.T).reshape(len(zooms), 2, _GRID, _GRID)
    rows, at = _peaks(heights, _PLACES)
    near = _offsets(3, 3 * tile.PERIOD / _GRID / 2) - tile.PERIOD / _GRID / 2
    found = []
    for row, corner in zip(rows, at * (tile.PERIOD / _GRID), strict=True):
        middles = corner + near
        middle = middles[np.argmax(np.real(_turns(middles, secret) @ pilots_RN[row]))]
        amplitude_N = tile.shifted(amplitude_RN[row], middle[None])[0]
        share = middle / tile.PERIOD % 1.0
        found.append(_Found(amplitude_N, float(zooms[row // 2]), (float(share[0]), float(share[1])), bool(row % 2)))
    return found


def _turns(middles_R2: np.ndarray, secret: _Key) -> np.ndarray:
    """How pilots turn when the middle of the view moves: complex64 [R, pilots]."""
    waves = tile.waves()[secret.pilot_index_N]
    return np.exp(-2j * np.pi / tile.PERIOD * (middles_R2 @ waves.T)).astype(np.complex64)


def _peaks(heights: np.ndarray, most: int) -> tuple[np.ndarray, np.ndarray]:
    """The highest local maxima of [zoom, side, down, across], as row numbers of (zoom, side) and positions [R, 2]."""
    top = np.ones(heights.shape, bool)
    for axis in (2, 3):
        for step in (1, -1):
            top &= heights >= np.roll(heights, step, axis)
    top[1:] &= heights[1:] >= heights[:-1]
    top[:-1] &= heights[:-1] >= heights[1:]
    index = np.flatnonzero(top)
    index = index[np.argsort(-heights.ravel()[index], kind="stable")[:most]]
    zoom, side, down, across = np.unravel_index(index, heights.shape)
    return zoom * 2 + side, np.stack([down, across], axis=1)
