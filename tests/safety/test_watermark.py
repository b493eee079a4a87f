# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The invisible mark: what is embedded is found after what files go through, and nothing is found where nothing is."""

import cv2
import numpy as np
import pytest

from vidgen.data.video import read_video, write_mp4
from vidgen.eval.recon import psnr
from vidgen.safety import coding, tile, watermark
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


def test_the_mark_survives_h264_fewer_frames_and_another_size(marked, tmp_path):
    write_mp4(tmp_path / "clip.mp4", marked[::2], fps=8, crf=23)
    assert detect(read_video(tmp_path / "clip.mp4")).payload == PAYLOAD
    smaller = np.stack([cv2.resize(frame, (48, 48), interpolation=cv2.INTER_AREA) for frame in marked])
    assert detect(smaller).payload == PAYLOAD


def test_a_mirrored_clip_is_read(marked):
    found = detect(marked[:, :, ::-1])
    assert found.payload == PAYLOAD and found.mirrored


def test_a_crop_is_read_and_its_place_is_told(marked):
    found = detect(marked[:, 10:, :54])
    assert found.payload == PAYLOAD
    assert found.zoom == pytest.approx(64 / 54, rel=0.03)
    middle = np.array([5, -5]) / tile.PERIOD % 1
    assert np.abs(np.array(found.middle) - middle).max() < 0.05


def test_a_wide_picture_of_one_frame_is_marked_in_finer_waves():
    picture = make_clip(frames=1, side=160, wide=240)
    one = embed(picture, PAYLOAD)
    found = detect(one)
    assert found.payload == PAYLOAD and (psnr(picture, one) >= PSNR).all()
    assert len(watermark.measure(picture)) == 2 and len(watermark.measure(make_clip(frames=1))) == 1


def test_a_long_clip_is_marked_in_parts_and_each_is_read():
    still = np.repeat(make_clip(frames=1), 100, axis=0)
    long = embed(still, PAYLOAD)
    pattern = long[:, :, :, 1].astype(int) - still[:, :, :, 1]
    assert np.abs(np.diff(pattern, axis=0)).max() <= 3  # nothing jumps
    for part in (long[:5], long[47:53], long[95:]):
        assert detect(part).payload == PAYLOAD


@pytest.mark.parametrize(
    ("frames", "payload"),
    [
        (np.zeros((1, 64, 64, 3), np.float32), PAYLOAD),
        (np.zeros((64, 64, 3), np.uint8), PAYLOAD),
        (np.zeros((1, 8, 64, 3), np.uint8), PAYLOAD),
        (np.zeros((1, 64, 64, 3), np.uint8), b"longer than six"),
    ],
)
def test_what_cannot_be_marked_is_refused(frames, payload):
    with pytest.raises(ValueError, match=r"was given|a mark needs"):
        embed(frames, payload)


@pytest.mark.parametrize("value", [0, 128, 255])
def test_a_picture_of_one_colour_is_marked_within_the_bound_and_never_crashes(value):
    flat = np.full((2, 32, 32, 3), value, np.uint8)
    marked = embed(flat, PAYLOAD)
    assert (psnr(flat, marked) >= PSNR).all()
    assert not detect(flat).found
    if value == 128:
        assert detect(marked).payload == PAYLOAD


def test_a_chance_needs_the_checksum_and_a_score():
    assert watermark._chance(0.99, right=False, tries=1) == 1.0
    low, high = (watermark._chance(score, right=True, tries=32) for score in (0.6, 0.95))
    assert high < watermark.FALSE_ALARM < low <= 2 * 32 * 2.0**-coding.CHECK_BITS


def test_of_a_very_long_frame_the_middle_is_searched() -> None:
    """Or time would grow with the square of its length, which a damaged file can claim to be anything."""
    rng = np.random.default_rng(0)
    frames = rng.integers(0, 256, (1, 32, 4096, 3), np.uint8)
    for long, short in (
        (frames, frames[:, :, 1792:2304]),
        (frames.swapaxes(1, 2), frames[:, :, 1792:2304].swapaxes(1, 2)),
    ):
        (one,), (other,) = watermark.measure(long), watermark.measure(short)
        np.testing.assert_array_equal(one.amplitude_RN, other.amplitude_RN)
        assert len(one.zooms) == len(other.zooms)
