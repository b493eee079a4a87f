# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""What the suites share: the detector's reading of a clip, made once, and the controls."""

import functools
from collections.abc import Mapping

import numpy as np

from vidgen.eval.suite import Bound, Control, mirrored, reversed_in_time
from vidgen.worlds.detect import DetectorConfig, build_detector
from vidgen.worlds.tracks import LOOKS, Track, read_clip
from vidgen.worlds.watch import Watched, watch

RIGHT, WRONG = 0.99, 0.02
"""Least score of true renders in what a detector can see; largest score of clips that show the opposite."""
VAE_RIGHT = 0.95
"""Least score of true renders through the shipped VAE."""


def tracks_of(clip_FHWC: np.ndarray, concepts: tuple[str, ...], looks: int = LOOKS) -> Mapping[str, Track]:
    """`read_clip` with a detector of `concepts`; the last few clips are remembered, for suites that see the same."""
    return _tracks(clip_FHWC.tobytes(), clip_FHWC.shape, concepts, looks)


@functools.lru_cache(maxsize=16)
def _tracks(pixels: bytes, shape: tuple[int, ...], concepts: tuple[str, ...], looks: int) -> Mapping[str, Track]:
    clip_FHWC = np.frombuffer(pixels, np.uint8).reshape(shape)
    return read_clip(clip_FHWC, build_detector(DetectorConfig(concepts=concepts)), looks, follow=True)


def watched(clip_FHWC: np.ndarray, names: tuple[str, ...]) -> Watched:
    """`watch` for these names; the last few clips are remembered."""
    return _watched(np.ascontiguousarray(clip_FHWC).tobytes(), clip_FHWC.shape, names)


@functools.lru_cache(maxsize=16)
def _watched(pixels: bytes, shape: tuple[int, ...], names: tuple[str, ...]) -> Watched:
    return watch(np.frombuffer(pixels, np.uint8).reshape(shape), names)


def mirror(*expects: Bound) -> Control:
    """Left and right are exchanged."""
    return Control("mirrored", "left and right exchanged", expects, mirrored)


def backwards(*expects: Bound) -> Control:
    """The clip runs backwards."""
    return Control("reversed", "run backwards", expects, reversed_in_time)


def hold(*expects: Bound) -> Control:
    """Nothing moves."""
    return Control("held", "the first frame stays", expects, held)


def held(clips_FHWC: np.ndarray) -> np.ndarray:
    """The first frame stays; any leading axes."""
    return np.repeat(clips_FHWC[..., :1, :, :, :], clips_FHWC.shape[-4], axis=-4)


def other_prompts(*expects: Bound) -> Control:
    """Clips are held against other prompts."""
    return Control("shuffled prompts", "held against the prompt of another clip", expects, shuffle=True)
