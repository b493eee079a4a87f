# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Encoded clips on disk, so that a diffusion model need not run the VAE at every step.

A folder holds array_record shards and `latents.json`, which says what they are and whether all are there; the call
that was interrupted, made again, writes the shards that are missing. A record is the latent's shape (four uint16), its
float16 values in THWC order and the captions as a JSON list; numbers are little-endian.
"""

import dataclasses
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grain
import numpy as np
from array_record.python.array_record_data_source import ArrayRecordDataSource
from array_record.python.array_record_module import ArrayRecordWriter
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from vidgen.data.pipeline import READ_THREADS, LatentItem, VideoItem, VideoSource

HEADER = "latents.json"
SHARD_SIZE = 2048  # clips a shard; an interrupted run loses the shard that it was writing
_SHAPE_DTYPE = np.dtype("<u2")
_LATENT_DTYPE = np.dtype("<f2")


@dataclass(frozen=True)
class LatentsHeader:
    """What a folder of latents holds.

    source describes the clips and vae_hash identifies the encoder; shape is (T, H, W, C) of every latent, known once
    all `count` of them are written.
    """

    count: int
    source: str
    vae_hash: str
    shard_size: int
    shape: tuple[int, int, int, int] | None = None

    @property
    def finished(self) -> bool:
        """Whether every shard is written."""
        return self.shape is not None


def write_latents(
    path: str | Path,
    source: VideoSource,
    encode: Callable[[np.ndarray], np.ndarray],
    batch_size: int,
    *,
    source_description: str,
    vae_hash: str,
    progress: bool = True,
    shard_size: int = SHARD_SIZE,
) -> LatentsHeader:
    """Encodes every clip of a source into the folder `path` and returns its header; an interrupted call is resumed.

    encode: uint8 [batch_size, F, H, W, C] -> float16 [batch_size, T, H, W, C]. It always gets whole batches: the last
    one of a shard is filled up with copies of its last clip, whose latents are dropped.
    A finished folder is left as it is. Raises ValueError when the source is empty, when the folder holds other
    latents, and when `encode` returns anything but finite float16 latents, one a clip.
    """
    folder = Path(path)
    if len(source) == 0:
        raise ValueError(f"the data source is empty: {source!r}; there is nothing to encode")
    job = LatentsHeader(len(source), source_description, vae_hash, shard_size)
    if (folder / HEADER).exists():
        present = read_header(folder)
        if dataclasses.replace(present, shape=None) != job:
            raise ValueError(f"{folder} holds other latents: {present}; asked for {job}; give another folder")
        if present.finished:
            return present
    folder.mkdir(parents=True, exist_ok=True)
    _write_header(folder, job)
    shards = _shard_paths(folder, job)
    columns = (TextColumn("encoding"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), disable=not progress) as bar:
        task = bar.add_task("encoding", total=job.count)
        for number, shard in enumerate(shards):
            start, stop = number * shard_size, min((number + 1) * shard_size, job.count)
            if not shard.exists():
                _write_shard(shard, _read_items(source, start, stop), start, encode, batch_size)
            bar.update(task, completed=stop)
    first = _unpack(ArrayRecordDataSource(str(shards[0]))[0])["latent"]
    header = dataclasses.replace(job, shape=first.shape)
    _write_header(folder, header)
    return header


def read_header(path: str | Path) -> LatentsHeader:
    """The header of a folder of latents. Raises FileNotFoundError when there is none."""
    file = Path(path) / HEADER
    if not file.exists():
        raise FileNotFoundError(f"{path} holds no {HEADER}: it is not a folder of latents")
    fields = json.loads(file.read_text())
    shape = fields.pop("shape")
    return LatentsHeader(**fields, shape=None if shape is None else tuple(shape))


class LatentSource:
    """Random access to a finished folder of latents, in the order of the clips that were encoded.

    Raises FileNotFoundError when `path` is no such folder and ValueError when it is unfinished.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.header = read_header(path)
        if not self.header.finished:
            raise ValueError(f"{path} is unfinished; run the command that writes it again, it goes on where it stopped")
        self._records = ArrayRecordDataSource([str(shard) for shard in _shard_paths(self.path, self.header)])

    def __len__(self) -> int:
        return self.header.count

    def __getitem__(self, index: int) -> LatentItem:
        if not 0 <= index < len(self):
            raise IndexError(f"latent {index} was asked for; {self.path} has 0 to {len(self) - 1}")
        return _unpack(self._records[index])

    def __repr__(self) -> str:
        return f"LatentSource({str(self.path)!r})"


def _write_shard(
    shard: Path,
    items: Iterator[VideoItem],
    start: int,
    encode: Callable[[np.ndarray], np.ndarray],
    batch_size: int,
) -> None:
    """Writes one shard under another name and renames it when it is whole."""
    partial = shard.with_suffix(".partial")
    writer = ArrayRecordWriter(str(partial), "group_size:1,uncompressed")  # one record a read; latents do not compress
    batch: list[VideoItem] = []
    for item in items:
        batch.append(item)
        if len(batch) == batch_size:
            start += _encode_batch(writer, batch, start, encode, batch_size)
            batch = []
    if batch:
        _encode_batch(writer, batch, start, encode, batch_size)
    writer.close()
    partial.replace(shard)


def _encode_batch(
    writer: ArrayRecordWriter,
    batch: list[VideoItem],
    start: int,
    encode: Callable[[np.ndarray], np.ndarray],
    batch_size: int,
) -> int:
    """Appends the latents of one batch and returns their number."""
    filled = batch + batch[-1:] * (batch_size - len(batch))
    latents = np.asarray(encode(np.stack([item["video"] for item in filled])))
    if latents.dtype != np.float16 or latents.ndim != 5 or len(latents) != batch_size:
        raise ValueError(
            f"encode returned {latents.dtype} {latents.shape}; it must return float16 [{batch_size}, T, H, W, C]"
        )
    for number, (item, latent_THWC) in enumerate(zip(batch, latents, strict=False), start):
        if not np.isfinite(latent_THWC).all():
            raise ValueError(f"the latent of clip {number} is not finite in float16; normalise the latents")
        writer.write(_pack(latent_THWC, item))
    return len(batch)


def _read_items(source: VideoSource, start: int, stop: int) -> Iterator[VideoItem]:
    """Items start to stop, read ahead by threads while the encoder works."""
    options = grain.ReadOptions(num_threads=READ_THREADS, prefetch_buffer_size=64)
    return iter(grain.MapDataset.source(source)[start:stop].to_iter_dataset(options))


def _pack(latent_THWC: np.ndarray, item: VideoItem) -> bytes:
    shape = np.asarray(latent_THWC.shape, _SHAPE_DTYPE).tobytes()
    texts: Any = item["captions"]
    if "synthetic" in item:
        texts = {"captions": item["captions"], "synthetic": item["synthetic"]}
    return shape + latent_THWC.astype(_LATENT_DTYPE).tobytes() + json.dumps(texts).encode()


def _unpack(record: bytes) -> LatentItem:
    start = 4 * _SHAPE_DTYPE.itemsize
    shape = tuple(int(n) for n in np.frombuffer(record, _SHAPE_DTYPE, count=4))
    size = int(np.prod(shape))
    latent_THWC = np.frombuffer(record, _LATENT_DTYPE, count=size, offset=start).reshape(shape)
    texts = json.loads(record[start + size * _LATENT_DTYPE.itemsize :])
    latent_THWC = latent_THWC.astype(np.float16, copy=True)
    if isinstance(texts, list):
        return {"latent": latent_THWC, "captions": tuple(texts)}
    synthetic = tuple(texts["synthetic"])
    return {"latent": latent_THWC, "captions": tuple(texts["captions"]), "synthetic": synthetic}


def _shard_paths(folder: Path, header: LatentsHeader) -> list[Path]:
    count = -(-header.count // header.shard_size)
    return [folder / f"latents-{number:05d}-of-{count:05d}.array_record" for number in range(count)]


def _write_header(folder: Path, header: LatentsHeader) -> None:
    partial = folder / (HEADER + ".partial")
    partial.write_text(json.dumps(dataclasses.asdict(header), indent=2) + "\n")
    partial.replace(folder / HEADER)
