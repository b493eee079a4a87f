# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""What clips go through on their way: compression, scaling, cropping, other frame rates, re-recording, GIF.

A way is a name and a function of frames and random numbers; a new one is one entry of `WAYS`. All but GIF and "as
made" end in a real H.264 file that is read back, as nothing else reaches a reader.
"""

import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from vidgen.data.video import read_video, write_mp4
from vidgen.sample import export
from vidgen.typing import Frames

FPS = 8
CRF = 23
"""x264's default."""

Way = Callable[[Frames, np.random.Generator], Frames]


def recompress(frames_FHWC: Frames, _: np.random.Generator, crf: int = CRF) -> Frames:
    """Through H.264 by x264; a row or column that makes a side odd is cut off."""
    _, height, width, _ = frames_FHWC.shape
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "clip.mp4"
        write_mp4(path, frames_FHWC[:, : height // 2 * 2, : width // 2 * 2], FPS, crf)
        return read_video(path)


def resize(frames_FHWC: Frames, rng: np.random.Generator, factor: float, crf: int = CRF) -> Frames:
    """To `factor` of both sides, rounded to even, and through H.264."""
    height, width = (2 * round(side * factor / 2) for side in frames_FHWC.shape[1:3])
    how = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    return recompress(
        np.stack([cv2.resize(frame, (width, height), interpolation=how) for frame in frames_FHWC]), rng, crf
    )


def crop(frames_FHWC: Frames, rng: np.random.Generator, share: float, crf: int | None = CRF) -> Frames:
    """Without `share` of the height and of the width, at a random place; through H.264 unless crf is None."""
    sides = frames_FHWC.shape[1:3]
    height, width = (2 * round(side * (1 - share) / 2) for side in sides)
    top, left = (int(rng.integers(side - kept + 1)) for side, kept in zip(sides, (height, width), strict=True))
    part = frames_FHWC[:, top : top + height, left : left + width]
    return part if crf is None else recompress(part, rng, crf)


def retime(frames_FHWC: Frames, rng: np.random.Generator, factor: float) -> Frames:
    """At `factor` of the frame rate: frames are dropped or shown again; through H.264."""
    count = max(1, round(len(frames_FHWC) * factor))
    return recompress(frames_FHWC[np.minimum(np.arange(count) / factor, len(frames_FHWC) - 1).astype(int)], rng)


def rerecord(frames_FHWC: Frames, rng: np.random.Generator, blur: float = 1 / 64, noise: float = 6.0) -> Frames:
    """As by a camera: a Gaussian blur of `blur` of the shorter side, noise of `noise` grey levels, and H.264."""
    deviation = blur * min(frames_FHWC.shape[1:3])
    soft = np.stack([cv2.GaussianBlur(frame, (0, 0), deviation) for frame in frames_FHWC])
    return recompress(np.clip(np.rint(soft + rng.normal(0, noise, soft.shape)), 0, 255).astype(np.uint8), rng)


def as_gif(frames_FHWC: Frames, _: np.random.Generator) -> Frames:
    """Through a GIF with Pillow's palettes, as `vidgen generate --out clip.gif` writes it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "clip.gif"
        export.save(path, frames_FHWC, FPS)
        return read_video(path)


def brighten(frames_FHWC: Frames, rng: np.random.Generator, gain: float = 0.85, gamma: float = 1.2) -> Frames:
    """Less contrast and another gamma, and H.264."""
    table = np.clip(np.rint(255 * (gain * np.linspace(0, 1, 256) + 0.1) ** gamma), 0, 255).astype(np.uint8)
    return recompress(table[frames_FHWC], rng)


def mirror(frames_FHWC: Frames, rng: np.random.Generator) -> Frames:
    """Left and right exchanged, and H.264."""
    return recompress(np.ascontiguousarray(frames_FHWC[:, :, ::-1]), rng)


def repost(frames_FHWC: Frames, rng: np.random.Generator) -> Frames:
    """20 % of both sides cut off, scaled to 75 %, and H.264 at crf 28."""
    return resize(crop(frames_FHWC, rng, 0.2, None), rng, 0.75, 28)


WAYS: dict[str, Way] = {
    "as made": lambda frames_FHWC, _: frames_FHWC,
    **{f"H.264 crf {crf}": partial(recompress, crf=crf) for crf in (18, 23, 28, 35)},
    **{f"scaled to {round(100 * factor)} %": partial(resize, factor=factor) for factor in (0.5, 0.75, 1.25, 1.5)},
    **{f"{round(100 * share)} % of both sides cut off": partial(crop, share=share) for share in (0.1, 0.2, 0.3, 0.4)},
    **{f"frame rate x {factor:g}": partial(retime, factor=factor) for factor in (0.5, 0.75, 1.5, 2.0)},
    "blur and noise": rerecord,
    "GIF": as_gif,
    "contrast and gamma": brighten,
    "mirrored": mirror,
    "20 % cut, 75 %, crf 28": repost,
}
"""Where no crf is named it is 23."""
