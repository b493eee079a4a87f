# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The invisible mark: what is embedded is found after what files go through, and nothing is found where nothing is."""

import numpy as np
import pytest

from vidgen.eval.recon import psnr
from vidgen.safety import watermark
from vidgen.safety.watermark import PSNR, detect, embed

PAYLOAD = b"vidgen"


def make_clip(frames: int = 5, side: int = 64, wide: int = 0, seed: int = 0) -> np.ndarray:
    """A gradient with discs on it, of which one moves: uint8 [frames, side, wide or side, 3]."""
    rng = np.random.default_rng(seed)
    wide = wide or side
    down, across = np.mgrid[:side, :wide] / side
    ground = np.stack([90 + 80 * down, 120 + 60 * across, 160 - 70 * down], axis=-1)
    discs = [(*rng.uniform(0.2, 0.8, 2), rng.uniform(0.06, 0.15), rng.integers(0, 255, 3)) for _ in range(4)]
    clip = np.repeat(ground[None], frames, axis=0)
    for frame, picture in enumerate(clip):
        for number, (y, x, radius, color) in enumerate(discs):
            x = x + 0.02 * frame * (number == 0)
            picture[(down - y) ** 2 + (across - x) ** 2 < radius**2] = color
    return np.clip(clip + rng.normal(0, 1, clip.shape), 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def clip():
    return make_clip()


@pytest.fixture(scope="module")
def marked(clip):
    return embed(clip, PAYLOAD)


def test_what_is_embedded_is_found(marked):
    found = detect(marked)
    assert found.found and found.payload == PAYLOAD and found.p_value <= watermark.FALSE_ALARM
    assert found.zoom == 1.0 and not found.mirrored


def test_the_mark_is_as_faint_as_promised_in_every_frame(clip, marked):
    assert (psnr(clip, marked) >= PSNR).all()
    assert psnr(clip, marked).max() < PSNR + 0.2  # no strength is left unused


def test_nothing_is_found_in_an_unmarked_clip_or_with_another_key(clip, marked):
    for frames, key in ((clip, None), (marked, 1), (embed(clip, PAYLOAD, key=1), None)):
        found = detect(frames, key)
        assert not found.found and found.payload is None and found.p_value > watermark.FALSE_ALARM


def test_a_key_reads_what_it_wrote(clip):
    assert detect(embed(clip, b"\x00\xff\x00\xff\x01\x02", key=7), key=7).payload == b"\x00\xff\x00\xff\x01\x02"
