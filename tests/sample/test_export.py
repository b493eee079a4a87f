# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Saved files play back what was saved, appear whole or not at all, and sheets show the frames where they belong."""

import os

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given
from PIL import Image, ImageSequence

from vidgen.data.video import read_video
from vidgen.sample import export


def moving_square(frames: int = 9, size: int = 32) -> np.ndarray:
    """A bright square on a dark ground that steps to the right, so that frames differ and order shows."""
    clip = np.full((frames, size, size, 3), (20, 30, 60), np.uint8)
    for index in range(frames):
        clip[index, 8:24, index : index + 16] = (240, 200, 40)
    return clip


def read_animation(path) -> tuple[np.ndarray, int]:
    with Image.open(path) as image:
        frames = [np.asarray(frame.convert("RGB")) for frame in ImageSequence.Iterator(image)]
        image.seek(0)
        milliseconds = 0
        for index in range(len(frames)):
            image.seek(index)
            image.load()
            milliseconds += image.info["duration"]
    return np.stack(frames), milliseconds


@pytest.mark.parametrize("suffix", [".gif", ".webp", ".GIF"])
@pytest.mark.parametrize("fps", [8, 24, 12.5])
def test_animations_keep_frames_order_and_length(tmp_path, suffix, fps):
    clip = moving_square()
    export.save(tmp_path / f"clip{suffix}", clip, fps)
    again, milliseconds = read_animation(tmp_path / f"clip{suffix}")
    assert again.shape == clip.shape
    assert np.abs(again.astype(int) - clip).mean() < 4
    assert abs(milliseconds - 1000 * len(clip) / fps) <= 5


def test_mp4_keeps_frames_and_order(tmp_path):
    clip = moving_square()
    export.save(tmp_path / "clip.mp4", clip, 8)
    again = read_video(tmp_path / "clip.mp4")
    assert again.shape == clip.shape
    assert np.abs(again.astype(int) - clip).mean() < 8


def test_png_of_one_frame_is_the_picture_itself(tmp_path):
    clip = moving_square(1)
    export.save(tmp_path / "picture.png", clip, 8)
    assert np.array_equal(np.asarray(Image.open(tmp_path / "picture.png")), clip[0])


def test_png_of_a_clip_is_its_contact_sheet(tmp_path):
    clip = moving_square(17)
    export.save(tmp_path / "sheet.png", clip, 8)
    assert np.array_equal(np.asarray(Image.open(tmp_path / "sheet.png")), export.contact_sheet(clip, columns=8))


@pytest.mark.parametrize("suffix", export.SUFFIXES)
def test_one_frame_can_be_saved_in_every_format(tmp_path, suffix):
    export.save(tmp_path / f"clip{suffix}", moving_square(1), 8)
    assert (tmp_path / f"clip{suffix}").stat().st_size > 0


@pytest.mark.parametrize("suffix", export.SUFFIXES)
def test_saving_leaves_nothing_else_and_replaces(tmp_path, suffix):
    path = tmp_path / f"clip{suffix}"
    path.write_bytes(b"old")
    export.save(path, moving_square(), 8)
    assert list(tmp_path.iterdir()) == [path]
    assert path.read_bytes() != b"old"


@pytest.mark.parametrize("suffix", export.SUFFIXES)
def test_a_failure_keeps_the_old_file_and_leaves_nothing_else(tmp_path, suffix, monkeypatch):
    path = tmp_path / f"clip{suffix}"
    really, nameless = os.write, hasattr(os, "O_TMPFILE")

    def half(handle, content):
        # A file that has no name yet cannot be seen, not even while it is written.
        assert [one.name for one in tmp_path.iterdir()] == [path.name] or not nameless
        if len(content) > 10:
            return really(handle, content[:10])
        raise OSError("disk full")

    monkeypatch.setattr(os, "write", half)
    path.write_bytes(b"old")
    with pytest.raises(OSError, match="disk full"):
        export.save(path, moving_square(), 8)
    assert list(tmp_path.iterdir()) == [path]
    assert path.read_bytes() == b"old"


@pytest.mark.parametrize(
    ("name", "frames", "error", "message"),
    [
        ("clip.avi", moving_square(), ValueError, r"file type '\.avi'.*\.mp4, \.gif, \.webp, \.png"),
        ("clip", moving_square(), ValueError, r"without a type"),
        ("none/clip.mp4", moving_square(), FileNotFoundError, r"no folder .*none"),
        ("clip.gif", moving_square()[0], ValueError, r"\[frames, height, width, 3\], got uint8 \[32, 32, 3\]"),
        ("clip.gif", moving_square() / 255, ValueError, r"got float64"),
        ("clip.gif", moving_square()[:0], ValueError, r"got uint8 \[0, 32, 32, 3\]"),
    ],
)
def test_bad_input_says_what_is_wrong(tmp_path, name, frames, error, message):
    with pytest.raises(error, match=message):
        export.save(tmp_path / name, frames, 8)
    assert list(tmp_path.iterdir()) == []


@given(st.integers(1, 300), st.floats(1, 60), st.sampled_from([1, 10]))
def test_rounded_durations_never_drift(frames, fps, unit):
    durations = export._durations(frames, fps, unit)
    ends = np.cumsum(durations)
    assert np.all(np.abs(ends - 1000 * np.arange(1, frames + 1) / fps) <= unit / 2 + 1e-6)
    assert all(duration % unit == 0 for duration in durations)


def test_sheet_shows_first_and_last_frame_at_full_size():
    clip = moving_square(17, size=40)
    sheet = export.contact_sheet(clip, columns=4)
    gap = export._GAP
    assert sheet.shape == (40 + 2 * gap, 4 * (40 + gap) + gap, 3)
    assert np.array_equal(sheet[gap:-gap, gap : gap + 40], clip[0])
    assert np.array_equal(sheet[gap:-gap, -gap - 40 : -gap], clip[-1])


def test_sheet_rows_stand_under_their_labels():
    clips = [moving_square(3), moving_square(3)[:, ::-1].copy()]
    plain = export.contact_sheet(clips, scale=2)
    labelled = export.contact_sheet(
        clips, ["a square", "a very long label that cannot fit into the width " * 3], scale=2
    )
    assert labelled.shape[1] == plain.shape[1] == 3 * (64 + export._GAP) + export._GAP
    band = (labelled.shape[0] - plain.shape[0]) // 2
    assert band > 10
    for top in (0, plain.shape[0] // 2 + band):
        text = labelled[top : top + band]
        assert (text < 128).any(), "the label must be visible"
        assert (text[:, -export._GAP :] == 255).all(), "the label must not run over the edge"
    left = export._GAP
    row = labelled[export._GAP + band :][:64, left : left + 64]
    assert np.array_equal(row[::2, ::2], clips[0][0])


@pytest.mark.parametrize(
    ("clips", "labels", "message"),
    [
        ([], (), "at least one clip"),
        ([moving_square(2), moving_square(2, size=24)], (), "one height and width"),
        ([moving_square(2)], ("a", "b"), "got 2 for 1"),
    ],
)
def test_bad_sheets_are_refused(clips, labels, message):
    with pytest.raises(ValueError, match=message):
        export.contact_sheet(clips, labels)
