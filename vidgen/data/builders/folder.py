# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""A user's folder of videos with captions, made into a data set of clips of one size, length and frame rate.

Captions lie either in one table, a .jsonl or .csv file with the fields `file` (relative to the folder) and `caption`,
or beside each video in a .txt file of the same name, one caption a line. A video that cannot be read or has no caption
is left out and named; the others are built.
"""

import contextlib
import csv
import itertools
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow_datasets as tfds

from vidgen.data.builders.clips import ClipsBuilder, Skipped, example
from vidgen.data.video import VideoError, iter_frames

_SUFFIXES = "avi flv gif m2ts m4v mkv mov mp4 mpeg mpg mts ogv ts webm wmv"
VIDEO_SUFFIXES = frozenset(f".{suffix}" for suffix in _SUFFIXES.split())
_TABLE_SUFFIXES = (".jsonl", ".csv")
_FIELDS = ("file", "caption")
Captions = dict[str, tuple[str, ...]]  # file, relative to the folder -> its captions


@dataclass(frozen=True)
class FolderOptions:
    """A folder of your own videos, with captions in .txt files beside them or in one .jsonl or .csv table."""

    folder: Path
    """Where the videos lie, at any depth."""
    captions: Path | None = None
    """The table of captions; by default the one at the top of the folder, or the .txt files where there is none."""
    width: int = 64
    """Pixels; a video is resized until it covers the frame, and cropped at the centre."""
    height: int = 64
    """Pixels."""
    fps: float = 8
    """Frames a second."""
    frames: int = 17
    """Frames a clip."""
    clips: int = 1
    """At most so many clips from one video, one after the other; a rest too short for a clip is dropped."""

    def __post_init__(self) -> None:
        if min(self.width, self.height, self.frames, self.clips) < 1 or not 0 < self.fps < float("inf"):
            raise ValueError(f"width, height, fps, frames and clips must be positive; {self} was given")
        if not Path(self.folder).is_dir():
            raise ValueError(f"{self.folder} is not a folder; give the folder that holds the videos")
        if self.captions is not None and Path(self.captions).suffix.lower() not in _TABLE_SUFFIXES:
            raise ValueError(f"{self.captions} was given for the captions; give a .jsonl or .csv file")


class Folder(ClipsBuilder, skip_registration=True):
    """The TFDS builder; its one split is `train`."""

    DESCRIPTION = "Clips of one size and frame rate, from a folder of videos with captions."
    options: FolderOptions

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict[str, Any]:
        del dl_manager  # nothing is downloaded
        return {"train": self._generate_examples()}

    def _generate_examples(self) -> Iterator[tuple[str, dict[str, Any]]]:
        captions, self.skipped = find_captions(self.options)
        made = 0
        for number, (file, texts) in enumerate(captions.items()):
            self.progress(number, len(captions))
            try:
                clips = list(clips_of(self.options, file))  # whole, so that nothing of a broken video is kept
            except VideoError as error:
                self.skipped.append(Skipped(file, error.reason))
                continue
            for clip, video_FHWC in enumerate(clips):
                yield f"{file}#{clip}", example(video_FHWC, texts, {"file": file, "clip": clip})
            made += len(clips)
        self.progress(len(captions), len(captions))
        self.skipped.sort()
        if not made:
            folder, known = self.options.folder, ", ".join(sorted(VIDEO_SUFFIXES))
            if not self.skipped:
                raise ValueError(f"{folder} holds no video; known types are {known}")
            reasons = "; ".join(f"{file}: {reason}" for file, reason in self.skipped[:3])
            raise ValueError(f"none of the {len(self.skipped)} videos of {folder} can be used: {reasons}")


def find_captions(options: FolderOptions, needed: bool = True) -> tuple[Captions, list[Skipped]]:
    """Every video of the folder that has captions, files that the table alone knows included; and those that have none,
    which are left out if captions are `needed`.

    Raises ValueError for a table that cannot be understood, naming the line, and when there are several tables.
    """
    folder = Path(options.folder)
    videos = sorted(path for path in folder.rglob("*") if path.suffix.lower() in VIDEO_SUFFIXES and path.is_file())
    table = options.captions or _only_table(folder)
    listed = None if table is None else _read_table(Path(table), folder)
    captions: Captions = dict(listed or {})
    skipped = []
    for path in videos:
        file = path.relative_to(folder).as_posix()
        try:
            captions[file] = _read_sidecar(path.with_suffix(".txt")) if listed is None else listed.get(file, ())
        except UnicodeDecodeError:
            skipped.append(Skipped(file, "its caption file is not UTF-8"))
    if not needed:
        return {file: captions[file] for file in sorted(captions)}, skipped
    skipped += [Skipped(file, "has no caption") for file, texts in captions.items() if not texts]
    return {file: captions[file] for file in sorted(captions) if captions[file]}, skipped


def clips_of(options: FolderOptions, file: str) -> Iterator[np.ndarray]:
    """The clips of one video. Raises VideoError when there is not one."""
    path = Path(options.folder) / file
    with contextlib.closing(iter_frames(path, options.width, options.height, options.fps)) as frames:
        for clip in range(options.clips):
            video = list(itertools.islice(frames, options.frames))
            if len(video) == options.frames:
                yield np.stack(video)
            elif clip == 0:
                rate = f"{len(video)} frames at {options.fps:g} frames a second"
                raise VideoError(path, f"is too short: it has {rate}; a clip needs {options.frames}")
            else:
                return


def _only_table(folder: Path) -> Path | None:
    tables = sorted(path for path in folder.iterdir() if path.suffix.lower() in _TABLE_SUFFIXES)
    if len(tables) > 1:
        names = ", ".join(path.name for path in tables)
        raise ValueError(f"{folder} holds several tables ({names}); say which one has the captions")
    return tables[0] if tables else None


def _read_sidecar(path: Path) -> tuple[str, ...]:
    if not path.is_file():
        return ()
    return tuple(line.strip() for line in path.read_text(encoding="utf-8-sig").splitlines() if line.strip())


def _read_table(path: Path, folder: Path) -> Captions:
    """The captions of every file in a table, by its place in the folder; several lines may name the same file."""
    captions: Captions = {}
    for line, row in _rows(path):
        if not isinstance(row, dict) or not all(isinstance(row.get(field), str) for field in _FIELDS):
            raise ValueError(f"{path}, line {line}: wants the text fields file and caption; it has {row!r}")
        file = Path(os.path.relpath(folder / row["file"].strip(), folder)).as_posix()
        text = row["caption"].strip()
        captions[file] = captions.get(file, ()) + ((text,) if text else ())
    return captions


def _rows(path: Path) -> Iterator[tuple[int, Any]]:
    """The rows of a table, with their line numbers."""
    if not path.is_file():
        raise ValueError(f"{path} was given for the captions, and is not there")
    with path.open(encoding="utf-8-sig", newline="") as lines:
        if path.suffix.lower() == ".csv":
            reader = csv.DictReader(lines)
            yield from ((reader.line_num, row) for row in reader)
            return
        for number, line in enumerate(lines, 1):
            if line.strip():
                try:
                    yield number, json.loads(line)
                except json.JSONDecodeError as error:
                    raise ValueError(f"{path}, line {number}: is not JSON: {error}") from error
