# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""What every data set on disk shares: the features of a clip, how a builder is run, and how the result is read.

A data set is one folder that TFDS can read: array_record shards, the features, and `build.json`, our report. Pixels are
stored as they are, compressed without loss: H.264 keeps colour at half the size, which a model for small frames
would learn to imitate.
"""

import contextlib
import dataclasses
import io
import json
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import numpy as np
import tensorflow_datasets as tfds

from vidgen.data.pipeline import VideoItem

REPORT_FILE = "build.json"
ShowProgress = Callable[[int, int], None]  # (done, of how many)


class Skipped(NamedTuple):
    """A file that was left out, and why."""

    file: str
    reason: str


@dataclass(frozen=True)
class BuildReport:
    """What a build made: the data set's name, the options, clips in each split, and the files that were left out."""

    name: str
    path: Path
    options: dict[str, Any]
    splits: dict[str, int]
    skipped: tuple[Skipped, ...]

    @property
    def count(self) -> int:
        """Clips in all splits."""
        return sum(self.splits.values())


class ClipsBuilder(tfds.core.GeneratorBasedBuilder, skip_registration=True):
    """A TFDS builder of clips of one shape. A subclass yields, for each clip, a key and the fields of `example`.

    `skipped` is filled while it builds.
    """

    VERSION = tfds.core.Version("1.0.0")
    DESCRIPTION: ClassVar[str]

    def __init__(self, options: Any, data_dir: str | Path, progress: ShowProgress) -> None:
        self.options = options
        self.progress = progress
        self.skipped: list[Skipped] = []
        super().__init__(data_dir=data_dir, file_format="array_record")

    def _info(self) -> tfds.core.DatasetInfo:
        features = tfds.features.FeaturesDict(clip_features(self.options))
        return tfds.core.DatasetInfo(builder=self, description=self.DESCRIPTION, features=features)


def clip_features(options: Any) -> dict[str, Any]:
    """The features of a clip, of the shape that the options say."""
    shape = (options.frames, options.height, options.width, 3)
    video = tfds.features.Tensor(shape=shape, dtype=np.uint8, encoding=tfds.features.Encoding.ZLIB)
    captions = tfds.features.Sequence(tfds.features.Text())
    return {"video": video, "captions": captions, "origin": tfds.features.Text()}


def example(video_FHWC: np.ndarray, captions: tuple[str, ...], origin: dict[str, Any]) -> dict[str, Any]:
    """One clip as TFDS takes it. origin: where the clip comes from and what is known of it; must fit into JSON."""
    return {"video": video_FHWC, "captions": list(captions), "origin": json.dumps(origin, ensure_ascii=False)}


def plain(value: Any) -> Any:
    """Arrays, dataclasses and tuples as lists and dicts of plain values, for JSON."""
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, tuple | list | frozenset):
        return [plain(part) for part in value]
    return value


def build_clips(
    builder_class: type[ClipsBuilder], options: Any, out_dir: str | Path, progress: ShowProgress
) -> BuildReport:
    """Runs a builder into the folder `out_dir`, which appears when all is written.

    Raises FileExistsError when `out_dir` exists, and ValueError when there is not one clip.
    """
    out = Path(out_dir)
    if out.exists():
        raise FileExistsError(f"{out} exists; give another folder, or remove it to build it again")
    out.parent.mkdir(parents=True, exist_ok=True)
    shown = sys.stdout

    def show(done: int, total: int) -> None:
        with contextlib.redirect_stdout(shown):
            progress(done, total)

    tfds.disable_progress_bar()
    with tempfile.TemporaryDirectory(prefix=f".{out.name}-", dir=out.parent) as staging:
        builder = builder_class(options, Path(staging) / "built", show)
        with contextlib.redirect_stdout(io.StringIO()):  # TFDS announces downloads, and there are none
            builder.download_and_prepare(download_dir=str(Path(staging) / "downloads"))
        report = BuildReport(
            name=builder.name,
            path=out,
            options=json.loads(json.dumps(dataclasses.asdict(options), default=str)),
            splits={name: split.num_examples for name, split in builder.info.splits.items()},
            skipped=tuple(builder.skipped),
        )
        built = Path(builder.data_dir)
        (built / REPORT_FILE).write_text(json.dumps(_to_json(report), indent=2, ensure_ascii=False) + "\n")
        built.rename(out)
    return report


def read_report(path: str | Path) -> BuildReport:
    """The report of a data set on disk. Raises FileNotFoundError when `path` holds none."""
    file = Path(path) / REPORT_FILE
    if not file.exists():
        raise FileNotFoundError(f"{path} is not a data set: it holds no {REPORT_FILE}; build one first")
    fields = json.loads(file.read_text())
    skipped = tuple(Skipped(**entry) for entry in fields.pop("skipped"))
    return BuildReport(path=Path(path), skipped=skipped, **fields)


class ClipSource:
    """Random access to the clips of one split of a data set on disk.

    Raises FileNotFoundError when `path` holds no data set and ValueError when it has no such split.
    """

    def __init__(self, path: str | Path, split: str = "train") -> None:
        self.path, self.split = Path(path), split
        self.report = read_report(path)
        if split not in self.report.splits:
            raise ValueError(f"{path} has the splits {', '.join(self.report.splits)}; {split!r} was asked for")
        builder = tfds.builder_from_directory(str(path))
        self._examples: Any = builder.as_data_source(split=split)  # pyright: ignore[reportCallIssue] (it is decorated)

    def __len__(self) -> int:
        return len(self._examples)

    def __getitem__(self, index: int) -> VideoItem:
        fields = self._fields(index)
        captions = tuple(caption.decode() for caption in fields["captions"])
        item = VideoItem(video=fields["video"], captions=captions)
        if "synthetic" in fields:
            item["synthetic"] = tuple(text.decode() for text in fields["synthetic"])
        return item

    def origin(self, index: int) -> dict[str, Any]:
        """Where clip `index` comes from: the scene and its ground truth, or the file and the place in it."""
        return json.loads(self._fields(index)["origin"])

    def _fields(self, index: int) -> dict[str, Any]:
        if not 0 <= index < len(self):
            raise IndexError(f"clip {index} was asked for; {self.path} has 0 to {len(self) - 1} in {self.split!r}")
        return self._examples[int(index)]

    def __repr__(self) -> str:
        return f"ClipSource({str(self.path)!r}, {self.split!r})"


def _to_json(report: BuildReport) -> dict[str, Any]:
    fields = {name: getattr(report, name) for name in ("name", "options", "splits")}
    return {**fields, "skipped": [entry._asdict() for entry in report.skipped]}
