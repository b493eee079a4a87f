# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""What is recaptioned, and the data set of clips with their old captions and their new ones."""

import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
import tensorflow_datasets as tfds

from vidgen.data.builders.clips import ClipsBuilder, ClipSource, clip_features, example
from vidgen.data.builders.folder import FolderOptions, clips_of, find_captions
from vidgen.data.recaptions import Recaption
from vidgen.data.video import VideoError


class Clip(NamedTuple):
    """An example of what is recaptioned: `origin` is what a data set knows of it."""

    video_FHWC: np.ndarray
    captions: tuple[str, ...]
    origin: dict[str, Any]


class Examples(Protocol):
    """What is recaptioned: examples by their ids, in an order that is the same in every process."""

    def ids(self) -> tuple[str, ...]:
        """Of all examples."""
        ...

    def clip(self, key: str) -> Clip:
        """One example. Raises VideoError where it cannot be read."""
        ...

    def fps(self) -> float:
        """Frames a second."""
        ...


@dataclass(frozen=True)
class DataSetExamples:
    """The clips of one split of a data set on disk. rate: their frames a second."""

    path: Path
    split: str = "train"
    rate: float = 8.0

    def ids(self) -> tuple[str, ...]:
        """SPLIT-NUMBER."""
        return tuple(f"{self.split}-{number}" for number in range(len(_source(self.path, self.split))))

    def clip(self, key: str) -> Clip:
        """See `Examples`."""
        source, number = _source(self.path, self.split), int(key.rpartition("-")[2])
        item = source[number]
        return Clip(item["video"], item["captions"], source.origin(number))

    def fps(self) -> float:
        """See `Examples`."""
        return self.rate


@dataclass(frozen=True)
class FolderExamples:
    """The first clip of every video of a folder, fitted as its options say; captions are not needed."""

    options: FolderOptions

    def ids(self) -> tuple[str, ...]:
        """Files, relative to the folder."""
        return tuple(_captions(self.options))

    def clip(self, key: str) -> Clip:
        """See `Examples`."""
        return Clip(next(clips_of(self.options, key)), _captions(self.options)[key], {"file": key})

    def fps(self) -> float:
        """See `Examples`."""
        return self.options.fps


@dataclass(frozen=True)
class RecaptionOptions:
    """What was recaptioned, and how.

    examples: as text, for the report. frames, height, width: of the clips. settings: of the captioner: its name, the
    hash of its weights, the style, how texts were chosen.
    """

    examples: str
    frames: int
    height: int
    width: int
    settings: Mapping[str, Any]


class Recaptioned(ClipsBuilder, skip_registration=True):
    """The TFDS builder of clips with old captions (`captions`) and new ones (`synthetic`); its one split is `train`.

    `build` hands it the examples and the table, which do not fit into options.
    """

    DESCRIPTION = "Clips with their captions and those that a captioner wrote."
    options: RecaptionOptions

    def __init__(self, examples: Examples, rows: Mapping[str, Recaption], options: Any, *args: Any) -> None:
        self.examples, self.rows = examples, rows
        super().__init__(options, *args)

    def _info(self) -> tfds.core.DatasetInfo:
        written = {"synthetic": tfds.features.Sequence(tfds.features.Text())}
        features = tfds.features.FeaturesDict({**clip_features(self.options), **written})
        return tfds.core.DatasetInfo(builder=self, description=self.DESCRIPTION, features=features)

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict[str, Any]:
        del dl_manager  # nothing is downloaded
        return {"train": self._generate_examples()}

    def _generate_examples(self) -> Iterator[tuple[str, dict[str, Any]]]:
        for number, (key, row) in enumerate(self.rows.items(), 1):
            try:
                clip = self.examples.clip(key)
            except VideoError:
                continue  # the table says so
            told = {"id": key, "recaption": {**row, **self.options.settings}}
            fields = example(clip.video_FHWC, clip.captions, {**clip.origin, **told})
            yield key, {**fields, "synthetic": [row["caption"]] if row["caption"] else []}
            self.progress(number, len(self.rows))


def builder_of(examples: Examples, rows: Mapping[str, Recaption]) -> Any:
    """The class that `build_clips` takes, for these examples and this table."""
    return functools.partial(Recaptioned, examples, rows)


@functools.lru_cache(maxsize=4)
def _source(path: Path, split: str) -> ClipSource:
    return ClipSource(path, split)


@functools.lru_cache(maxsize=4)
def _captions(options: FolderOptions) -> dict[str, tuple[str, ...]]:
    return find_captions(options, needed=False)[0]
