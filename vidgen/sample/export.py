# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Frames to files: H.264 MP4, GIF, WebP, and PNG contact sheets. A file appears whole or not at all."""

import io
import itertools
import os
from collections.abc import Sequence
from pathlib import Path
from typing import IO

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from vidgen.data.video import encode_mp4
from vidgen.typing import Frames

SUFFIXES = (".mp4", ".gif", ".webp", ".png")

_GAP = 2  # pixels between the cells of a sheet
_INK, _PAPER = (32, 32, 32), (255, 255, 255)


def check_suffix(path: str | Path) -> None:
    """Raises a `ValueError` unless `path` ends in one of `SUFFIXES`, in upper or lower case."""
    suffix = Path(path).suffix
    if suffix.lower() not in SUFFIXES:
        what = f"the file type {suffix!r}" if suffix else "a file without a type"
        raise ValueError(f"Cannot write {what}, of {str(path)!r}: end the name in {', '.join(SUFFIXES)}.")


def save(path: str | Path, frames_FHWC: Frames, fps: float) -> None:
    """Writes a clip to `path`, in the format that the suffix names: bare pixels, unlike `vidgen.sample.release`.

    A failure leaves an old file as it was. A PNG holds one picture, or a contact sheet of at most 8 frames.

    Args:
        path: Ends in one of `SUFFIXES`.
        frames_FHWC: uint8 pixels; at least one frame.
        fps: Frames a second. GIF holds times in steps of 1/100 s, WebP of 1/1000 s: single frames are rounded, the
            length of the whole is kept.

    Raises:
        ValueError: An unknown suffix, or frames of another shape or type.
        FileNotFoundError: The folder does not exist.
    """
    path = Path(path)
    check_suffix(path)
    write_whole(path, encode(path.suffix, frames_FHWC, fps))


def encode(suffix: str, frames_FHWC: Frames, fps: float) -> bytes:
    """The bytes of a file of `save`, made in memory alone. suffix: one of `SUFFIXES`, in upper or lower case."""
    frames = np.asarray(frames_FHWC)
    if frames.dtype != np.uint8 or frames.ndim != 4 or frames.shape[-1] != 3 or 0 in frames.shape:
        raise ValueError(f"A clip is uint8 [frames, height, width, 3], got {frames.dtype} {list(frames.shape)}.")
    suffix, buffer = suffix.lower(), io.BytesIO()
    if suffix == ".mp4":
        return encode_mp4(frames, fps)
    if suffix == ".gif":
        _save_animation(buffer, "GIF", frames, _durations(len(frames), fps, 10), optimize=False, disposal=1)
    elif suffix == ".webp":
        _save_animation(buffer, "WEBP", frames, _durations(len(frames), fps, 1), quality=90, method=4)
    else:
        sheet = frames[0] if len(frames) == 1 else contact_sheet([frames], columns=min(len(frames), 8))
        Image.fromarray(sheet).save(buffer, "PNG")
    return buffer.getvalue()


def write_whole(path: Path, content: bytes) -> None:
    """Puts a file in its place at once, so that nobody reads half of it, and a failure leaves an old one as it was.

    Where the system can (Linux), the content is first in a file without a name, which vanishes if the process is
    killed. Raises FileNotFoundError if the folder does not exist.
    """
    if not path.parent.is_dir():
        raise FileNotFoundError(f"There is no folder {str(path.parent)!r} to write {path.name!r} into: make it first.")
    temporary = path.with_name(f".{path.stem}.{os.getpid()}{path.suffix}")
    try:
        if not _write_nameless(temporary, content):
            with temporary.open("wb") as file:
                _write_all(file.fileno(), content)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _write_nameless(path: Path, content: bytes) -> bool:
    """Writes a file that gets its name when it is whole; False, and nothing done, where the system has none."""
    if not hasattr(os, "O_TMPFILE") or not Path("/proc/self/fd").is_dir():
        return False
    try:
        handle = os.open(path.parent, os.O_WRONLY | os.O_TMPFILE, 0o666)
    except OSError:  # the file system has none
        return False
    try:
        _write_all(handle, content)
        path.unlink(missing_ok=True)
        # Any src_dir_fd makes Python call linkat, which follows the link to the nameless file; link would not.
        os.link(f"/proc/self/fd/{handle}", path, src_dir_fd=handle, follow_symlinks=True)
    finally:
        os.close(handle)
    return True


def _write_all(handle: int, content: bytes) -> None:
    view = memoryview(content)
    while view:
        view = view[os.write(handle, view) :]
    os.fsync(handle)


def _save_animation(file: IO[bytes], kind: str, frames_FHWC: Frames, durations: list[int], **options) -> None:
    first, *rest = [Image.fromarray(frame) for frame in frames_FHWC]
    # A duration for a single frame would be a number, not a list of one.
    timing = {"duration": durations} if rest else {}
    first.save(file, kind, save_all=True, append_images=rest, loop=0, **timing, **options)


def _durations(frames: int, fps: float, unit: int) -> list[int]:
    """Milliseconds each frame stays, in multiples of `unit`, adding up to the true length within half a unit."""
    ends = [round(1000 * index / fps / unit) * unit for index in range(frames + 1)]
    return [end - start for start, end in itertools.pairwise(ends)]


def contact_sheet(
    clips: Frames | Sequence[Frames], labels: Sequence[str] = (), *, columns: int = 8, scale: int = 1
) -> np.ndarray:
    """Lays out clips as rows of frames, each row under its label.

    Args:
        clips: One clip, or several of one height and width; a clip of more than `columns` frames is thinned evenly, its
            first and last frame kept.
        labels: A line of text for each clip, or nothing. Text that is too long ends in an ellipsis.
        columns: Frames in a row.
        scale: Every pixel becomes `scale` by `scale` pixels, so that small clips can be judged by eye.

    Returns:
        The sheet, uint8 [height, width, 3].

    Raises:
        ValueError: No clips, clips of different sizes, or a number of labels other than 0 and the number of clips.
    """
    rows = [np.asarray(clips)] if isinstance(clips, np.ndarray) and clips.ndim == 4 else [np.asarray(c) for c in clips]
    if not rows or len({clip.shape[1:] for clip in rows}) != 1:
        shapes = [list(clip.shape) for clip in rows]
        raise ValueError(f"A contact sheet takes at least one clip, all of one height and width, got {shapes}.")
    if labels and len(labels) != len(rows):
        raise ValueError(f"A contact sheet takes a label for each clip: got {len(labels)} for {len(rows)}.")
    rows = [_enlarge(clip[_thin(len(clip), columns)], scale) for clip in rows]
    height, width = rows[0].shape[1:3]
    font = ImageFont.load_default(size=max(11, min(height // 6, 24)))
    ascent, descent = font.getmetrics() if isinstance(font, ImageFont.FreeTypeFont) else (11, 3)
    band = ascent + descent + 2 * _GAP if labels else 0

    across = max(len(clip) for clip in rows)
    row_height = band + height + _GAP
    sheet = Image.new("RGB", (across * (width + _GAP) + _GAP, len(rows) * row_height + _GAP), _PAPER)
    draw = ImageDraw.Draw(sheet)
    for row, clip in enumerate(rows):
        top = _GAP + row * row_height
        if labels:
            draw.text((_GAP, top), _fit(labels[row], draw, font, sheet.width - 2 * _GAP), fill=_INK, font=font)
        for column, frame in enumerate(clip):
            sheet.paste(Image.fromarray(frame), (_GAP + column * (width + _GAP), top + band))
    return np.asarray(sheet)


def _thin(frames: int, columns: int) -> np.ndarray:
    if columns < 1:
        raise ValueError(f"A contact sheet needs at least one column, got {columns}.")
    return np.round(np.linspace(0, frames - 1, min(frames, columns))).astype(int)


def _enlarge(frames_FHWC: Frames, scale: int) -> Frames:
    return frames_FHWC.repeat(scale, axis=1).repeat(scale, axis=2)


def _fit(text: str, draw: ImageDraw.ImageDraw, font, width: int) -> str:
    """Shortens `text` until it is at most `width` pixels long; line breaks become spaces."""
    text = " ".join(text.split())
    shown = text
    while shown and draw.textlength(shown, font=font) > width:
        text = text[:-1].rstrip()
        shown = f"{text}…" if text else ""
    return shown
