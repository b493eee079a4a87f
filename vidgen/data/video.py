# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Video files to pixels and back: any container and codec in by PyAV (WebP by Pillow), H.264 in MP4 out.

Frame rates are converted by time, not by counting: output frame k is the decoded frame nearest to k / fps seconds after
the first one. So a variable rate is read right and long videos do not drift.
"""

import io
import itertools
import struct
from collections.abc import Generator, Iterator
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import av
import numpy as np
from av.error import FFmpegError
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc
from PIL import Image

DEFAULT_CRF = 18
_RATE_DENOMINATOR = 10**6
_HD_HEIGHT = 720
_INDEX_BYTES, _INDEX_BYTES_A_FRAME = 2048, 24  # more than an MP4's index ever takes
_LEAST_SHARE = 0.9  # of the frames that a container promises; its edit list may hide a few
DAMAGED = (
    OSError, ValueError, TypeError, KeyError, IndexError, AttributeError, SyntaxError, EOFError, struct.error,
    OverflowError, ZeroDivisionError, MemoryError, Image.DecompressionBombError,
)  # fmt: skip
"""What Pillow raises for pictures that are damaged, found by giving it such."""


class VideoError(Exception):
    """A video file that cannot be read; the message names the file and says what is wrong with it."""

    def __init__(self, path: str | Path, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = Path(path)
        self.reason = reason


def read_video(
    path: str | Path,
    width: int | None = None,
    height: int | None = None,
    fps: float | None = None,
    frames: int | None = None,
) -> np.ndarray:
    """Reads a video as uint8 RGB [F, H, W, C].

    width and height, in pixels, go together: each frame is resized so that it covers them and cropped at the centre;
    pixels that are not square and a stored rotation are undone first. Without them frames keep their size.
    fps: frames a second of the result; without it every frame of the file is kept.
    frames: exactly so many, from the start; without it the whole video.
    Raises VideoError for a file that is missing, broken, cut off, without pictures, or shorter than `frames`.
    """
    if frames is not None and frames < 1:
        raise ValueError(f"frames={frames} was given; it must be at least 1")
    video = list(itertools.islice(iter_frames(path, width, height, fps), frames))
    if frames is not None and len(video) < frames:
        rate = "" if fps is None else f" at {fps:g} frames a second"
        raise VideoError(path, f"has {len(video)} frames{rate}; {frames} are needed")
    if len({frame.shape for frame in video}) > 1:
        raise VideoError(path, "its frames change size; give width and height")
    return np.stack(video)


class VideoFormat(NamedTuple):
    """How a file says that it is to be shown: upright, with square pixels, at so many frames a second on average."""

    width: int
    height: int
    fps: float


def describe_video(path: str | Path) -> VideoFormat:
    """The format of a video, from its first picture. Raises VideoError."""
    picture = next(_decode(path))
    sides = round(picture.frame.width * picture.pixel_aspect), picture.frame.height
    width, height = sides[::-1] if round(picture.frame.rotation / 90) % 2 else sides
    if _is_webp(path):
        return VideoFormat(width, height, float(1 / picture.lasts))
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        rate = stream.average_rate or stream.guessed_rate or 25
    return VideoFormat(width, height, float(rate))


def iter_frames(
    path: str | Path, width: int | None = None, height: int | None = None, fps: float | None = None
) -> Generator[np.ndarray, None, None]:
    """The frames of `read_video`, one at a time: uint8 RGB [H, W, C]. A whole video is never held."""
    if (width is None) != (height is None):
        raise ValueError(f"width={width} and height={height} were given; give both or neither")
    if width is not None and height is not None and min(width, height) < 1:
        raise ValueError(f"the size {width}x{height} was given; both must be at least 1")
    if fps is not None and not 0 < fps < float("inf"):
        raise ValueError(f"fps={fps} was given; it must be positive")
    pictures = _decode(path)
    if fps is not None:
        pictures = _at_rate(pictures, Fraction(fps).limit_denominator(_RATE_DENOMINATOR))
    shown: _Picture | None = None
    for picture in pictures:
        if picture is not shown:  # one picture may be shown several times
            shown, rgb_HWC = picture, _pixels(picture, width, height)
        yield rgb_HWC


def write_mp4(path: str | Path, frames_FHWC: np.ndarray, fps: float, crf: int = DEFAULT_CRF) -> None:
    """Writes the video of `encode_mp4`; no half-written file bears the name."""
    path = Path(path)
    encoded = encode_mp4(frames_FHWC, fps, crf)
    partial = path.with_name(path.name + ".partial")
    try:
        partial.write_bytes(encoded)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def encode_mp4(frames_FHWC: np.ndarray, fps: float, crf: int = DEFAULT_CRF) -> bytes:
    """uint8 RGB frames as H.264 in MP4 that every player opens: yuv420p, BT.709, index at the front. No file is made.

    crf: quality from 0 (largest file) to 51; 18 is hardly distinguishable from the source.
    Raises ValueError for frames that are not uint8 [F, H, W, 3] with F >= 1 and even H and W: yuv420p stores colour
    for blocks of two by two pixels.
    """
    if frames_FHWC.dtype != np.uint8 or frames_FHWC.ndim != 4 or frames_FHWC.shape[-1] != 3 or not frames_FHWC.size:
        raise ValueError(f"frames are {frames_FHWC.dtype} {frames_FHWC.shape}; they must be uint8 [F, H, W, 3], F >= 1")
    F, height, width, _ = frames_FHWC.shape
    if height % 2 or width % 2:
        raise ValueError(f"the size {width}x{height} was given; H.264 needs an even width and height")
    if not 0 < fps < float("inf"):
        raise ValueError(f"fps={fps} was given; it must be positive")
    buffer = io.BytesIO()
    # In memory FFmpeg cannot move the index to the front afterwards, so room for it is left there.
    room = {"moov_size": str(_INDEX_BYTES + _INDEX_BYTES_A_FRAME * F)}
    with av.open(buffer, "w", format="mp4", options=room) as container:
        rate = Fraction(fps).limit_denominator(_RATE_DENOMINATOR)
        stream = container.add_stream("libx264", rate=rate, options={"crf": str(crf)})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        context = stream.codec_context
        context.colorspace, context.color_range = Colorspace.ITU709, ColorRange.MPEG
        context.color_primaries, context.color_trc = ColorPrimaries.BT709, ColorTrc.BT709
        for frame_HWC in frames_FHWC:
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(frame_HWC), format="rgb24")
            yuv = frame.reformat(format="yuv420p", dst_colorspace=Colorspace.ITU709)
            container.mux(stream.encode(yuv))
        container.mux(stream.encode(None))
    return buffer.getvalue()


class _Picture(NamedTuple):
    """A decoded frame, when it is shown (seconds since the first one), for how long, and how wide its pixels are."""

    seconds: Fraction
    lasts: Fraction
    frame: av.VideoFrame
    pixel_aspect: float


def _is_webp(path: str | Path) -> bool:
    return Path(path).suffix.lower() == ".webp"


def _decode_webp(path: str | Path) -> Iterator[_Picture]:
    """The pictures of a WebP, animated or not. Raises VideoError."""
    seconds = Fraction(0)
    try:
        with Image.open(path) as file:
            for number in range(getattr(file, "n_frames", 1)):
                file.seek(number)
                rgb_HWC = np.asarray(file.convert("RGB"))
                lasts = Fraction(file.info.get("duration") or 40, 1000)
                yield _Picture(seconds, lasts, av.VideoFrame.from_ndarray(rgb_HWC, format="rgb24"), 1.0)
                seconds += lasts
    except DAMAGED as error:
        raise VideoError(path, f"cannot be read: {getattr(error, 'strerror', None) or error}") from error


def _decode(path: str | Path) -> Iterator[_Picture]:
    """The pictures of a file in order of time. Raises VideoError."""
    if _is_webp(path):
        yield from _decode_webp(path)
        return
    count, begin, previous = 0, None, None
    try:
        with av.open(str(path)) as container:
            if not container.streams.video:
                raise VideoError(path, "has no video stream")
            stream = container.streams.video[0]
            aspect = float(stream.sample_aspect_ratio or 1)
            period = 1 / Fraction(stream.average_rate or stream.guessed_rate or 25)
            for frame in container.decode(stream):
                if frame.is_corrupt:
                    raise VideoError(path, f"frame {count} is damaged")
                tick = Fraction(frame.time_base or stream.time_base or period)
                seconds = count * period if frame.pts is None else frame.pts * tick
                begin = seconds if begin is None else begin
                lasts = frame.duration * tick if frame.duration else period
                count += 1
                if previous is None or seconds > previous:  # a repeated or backward timestamp is not shown
                    previous = seconds
                    yield _Picture(seconds - begin, lasts, frame, aspect)
            expected = stream.frames
    except (FFmpegError, OSError) as error:
        raise VideoError(path, f"cannot be read: {error.strerror or error}") from error
    if count == 0:
        raise VideoError(path, "has no frames")
    if count < _LEAST_SHARE * expected:
        raise VideoError(path, f"is cut off: {count} of {expected} frames are there")


def _at_rate(pictures: Iterator[_Picture], fps: Fraction) -> Iterator[_Picture]:
    """The picture nearest to k / fps for k = 0, 1, ... until the video ends; the earlier one of two as near."""
    k = 0
    held: _Picture | None = None
    for picture in pictures:
        while held is not None and 2 * k / fps <= held.seconds + picture.seconds:
            yield held
            k += 1
        held = picture
    while held is not None and (k == 0 or k / fps < held.seconds + held.lasts):
        yield held
        k += 1


def _pixels(picture: _Picture, width: int | None, height: int | None) -> np.ndarray:
    """RGB [H, W, C], upright, resized to cover width x height and cropped at the centre."""
    frame, aspect = picture.frame, picture.pixel_aspect
    space = frame.colorspace
    if space not in list(Colorspace):  # not stated in the file: players go by the height
        space = Colorspace.ITU709 if frame.height >= _HD_HEIGHT else Colorspace.ITU601
    rgb_HWC = frame.reformat(format="rgb24", src_colorspace=space).to_ndarray()
    quarters = round(frame.rotation / 90) % 4
    rgb_HWC = np.rot90(rgb_HWC, quarters)
    if width is None or height is None:
        return np.ascontiguousarray(rgb_HWC)
    aspect = 1 / aspect if quarters % 2 else aspect
    full_height, full_width, _ = rgb_HWC.shape
    wanted = width / height / aspect  # of the crop, in stored pixels
    crop_width, crop_height = min(full_width, full_height * wanted), min(full_height, full_width / wanted)
    left, top = (full_width - crop_width) / 2, (full_height - crop_height) / 2
    box = (left, top, left + crop_width, top + crop_height)
    image = Image.fromarray(np.ascontiguousarray(rgb_HWC))
    return np.asarray(image.resize((width, height), Image.Resampling.BICUBIC, box, reducing_gap=3.0))
