# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Where a run's files go: a folder on a disk, or a bucket such as gs://NAME/FOLDER (with the package gcsfs).

Checkpoints go to a bucket by Orbax itself. What only knows folders, such as the writers of model files, writes into a
local folder, whose files are then copied.
"""

import hashlib
import io
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from etils import epath
from tensorboardX import record_writer

from vidgen.compilation import cache_dir


def is_bucket(folder: epath.PathLike) -> bool:
    """Whether a path is a URL rather than a place on a disk."""
    return "://" in str(folder)


def check_reachable(folder: epath.PathLike) -> None:
    """Raises ValueError for a bucket on Google's cloud without the package that reaches it."""
    if str(folder).startswith("gs://") and find_spec("gcsfs") is None:
        raise ValueError(f"{folder} is a bucket, which takes the package gcsfs: pip install gcsfs, or give a folder")


def local_folder(folder: epath.PathLike) -> Path:
    """The folder itself, or, for one in a bucket, a folder of this machine that is kept between runs."""
    if not is_bucket(folder):
        return Path(folder)
    return cache_dir() / "runs" / hashlib.sha256(str(folder).encode()).hexdigest()[:16]


@contextmanager
def written_locally(folder: epath.Path) -> Iterator[Path]:
    """A local folder for the block to write files into (not folders); in the end they are in `folder`."""
    if not is_bucket(folder):
        yield Path(folder)
        return
    with tempfile.TemporaryDirectory() as temporary:
        yield Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        for file in Path(temporary).iterdir():
            (folder / file.name).write_bytes(file.read_bytes())


class _BucketFile:
    """An event file in a bucket, where nothing can be appended: each flush writes all of it."""

    def __init__(self, path: str):
        self._file, self._buffer, self._written = epath.Path(path), io.BytesIO(), 0

    def write(self, data: bytes) -> None:
        self._buffer.write(data)

    def flush(self) -> None:
        if self._buffer.tell() > self._written:
            self._written = self._buffer.tell()
            self._file.write_bytes(self._buffer.getvalue())

    def close(self) -> None:
        self.flush()


class _BucketFiles:
    """What tensorboardX asks for a file with; its own needs another package than the rest of a run does."""

    def open(self, path: str) -> _BucketFile:
        return _BucketFile(path)

    def directory_check(self, path: str) -> None:
        epath.Path(path).mkdir(parents=True, exist_ok=True)


record_writer.register_writer_factory("gs", _BucketFiles())
