# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The data sets that vidgen can build, in one table: list them, build one, open it, look at it."""

import dataclasses
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from vidgen.data.builders.clips import BuildReport, ClipsBuilder, ClipSource, ShowProgress, build_clips, read_report
from vidgen.data.builders.folder import Folder, FolderOptions
from vidgen.data.builders.phyworld import PhyWorld, PhyWorldOptions
from vidgen.data.builders.solids import Solids, SolidsOptions
from vidgen.data.builders.worlds import Worlds, WorldsOptions
from vidgen.data.pipeline import VideoSource


@dataclass(frozen=True)
class DataSet:
    """One that can be built: its name, one line about it, its options (a dataclass) and its TFDS builder."""

    name: str
    summary: str
    options: type
    builder: type[ClipsBuilder]


DATA_SETS = tuple(
    DataSet(name, (options.__doc__ or "").splitlines()[0], options, builder)
    for name, options, builder in (
        ("worlds", WorldsOptions, Worlds),
        ("phyworld", PhyWorldOptions, PhyWorld),
        ("solids", SolidsOptions, Solids),
        ("folder", FolderOptions, Folder),
    )
)


def list_datasets() -> tuple[tuple[str, str], ...]:
    """(name, one line about it) of every data set that `build` knows."""
    return tuple((entry.name, entry.summary) for entry in DATA_SETS)


def build(name: str, out_dir: str | Path, *, progress: ShowProgress | None = None, **options: Any) -> BuildReport:
    """Builds a data set into the folder `out_dir`, which must not exist yet.

    options: the fields of the data set's options class. progress: called with (done, of how many).
    Raises ValueError for an unknown name or option, a value out of range and a data set without a clip, and
    FileExistsError when `out_dir` exists.
    """
    found = [entry for entry in DATA_SETS if entry.name == name]
    if not found:
        raise ValueError(f"there is no data set {name!r}; there are {', '.join(entry.name for entry in DATA_SETS)}")
    fields = dataclasses.fields(found[0].options)
    known = [field.name for field in fields]
    if unknown := sorted(set(options) - set(known)):
        raise ValueError(f"{name} has no option {', '.join(unknown)}; it has {', '.join(known)}")
    required = [field.name for field in fields if field.default is dataclasses.MISSING]
    if missing := sorted(set(required) - set(options)):
        raise ValueError(f"{name} needs {', '.join(missing)}")
    return build_clips(found[0].builder, found[0].options(**options), out_dir, progress or (lambda _done, _of: None))


def open_dataset(path: str | Path, split: str = "train") -> ClipSource:
    """The clips of one split of a data set that `build` made, for `video_batches` and `write_latents`.

    Raises FileNotFoundError when `path` holds no data set and ValueError when it has no such split.
    """
    return ClipSource(path, split)


def look(path: str | Path, out_png: str | Path, n: int = 8, split: str | None = None) -> None:
    """Draws n clips of a data set, evenly spaced over it, with their first caption, into a PNG.

    split: the first one by default. Raises as `open_dataset` does, and ValueError for n < 1.
    """
    if n < 1:
        raise ValueError(f"n={n} was given; look at one clip at least")
    source = open_dataset(path, split or next(iter(read_report(path).splits)))
    chosen = np.linspace(0, len(source) - 1, min(n, len(source))).round().astype(int)
    caption_sheet(source, [int(index) for index in chosen]).save(out_png, format="PNG")


_SHOWN_FRAMES = 6
_FRAME_HEIGHT = 96
_TEXT_HEIGHT = 14
_MARGIN = 8


def caption_sheet(source: VideoSource, indices: list[int]) -> Image.Image:
    """One clip a row: six of its frames from first to last, and a caption under them."""
    rows = [_row(index, source[index]["video"], source[index]["captions"]) for index in indices]
    sheet = Image.new("RGB", (max(row.width for row in rows), sum(row.height for row in rows)), "white")
    top = 0
    for row in rows:
        sheet.paste(row, (0, top))
        top += row.height
    return sheet


def _row(index: int, video_FHWC: np.ndarray, captions: tuple[str, ...]) -> Image.Image:
    frames, height, width, _ = video_FHWC.shape
    size = (max(1, round(width * _FRAME_HEIGHT / height)), _FRAME_HEIGHT)
    shown = np.unique(np.linspace(0, frames - 1, _SHOWN_FRAMES).round().astype(int))
    pitch = size[0] + _MARGIN
    full_width = _MARGIN + _SHOWN_FRAMES * pitch
    font = ImageFont.load_default(_TEXT_HEIGHT - 2)
    letters = int(full_width / font.getlength("n")) - 2
    lines = textwrap.wrap(f"{index}: {captions[0] if captions else '(no caption)'}", max(letters, 10))
    image = Image.new("RGB", (full_width, _FRAME_HEIGHT + 3 * _MARGIN + _TEXT_HEIGHT * len(lines)), "white")
    for place, frame in enumerate(shown):
        resample = Image.Resampling.NEAREST if height < _FRAME_HEIGHT else Image.Resampling.BICUBIC
        image.paste(Image.fromarray(video_FHWC[frame]).resize(size, resample), (_MARGIN + place * pitch, _MARGIN))
    draw = ImageDraw.Draw(image)
    for number, line in enumerate(lines):
        draw.text((_MARGIN, _FRAME_HEIGHT + 2 * _MARGIN + number * _TEXT_HEIGHT), line, fill="black", font=font)
    return image
