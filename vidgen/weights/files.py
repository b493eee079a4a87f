# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The tensors of safetensors files, single or cut up with an index, by name."""

import copy
import dataclasses
import json
import mmap
from pathlib import Path
from typing import Any

import numpy as np
import safetensors

from vidgen.weights.safetensors import TYPES

_PICKLES = (".pt", ".pth", ".bin", ".ckpt", ".pkl")


@dataclasses.dataclass(frozen=True)
class Tensor:
    """What a file says of a tensor, without its values: `begin` and `size` are its bytes in the file."""

    shape: tuple[int, ...]
    dtype: str
    file: Path
    begin: int
    size: int


class Weights:
    """The tensors of a safetensors file, or of a folder of them, by name; the files are mapped, and read where values
    are used.
    """

    def __init__(self, path: str | Path) -> None:
        """Reads the headers.

        Raises:
            FileNotFoundError: there is no such file, or no weights in the folder.
            ValueError: a file is a pickle, is damaged, or is not what the folder's index says.
        """
        self.files = tuple(weight_files(Path(path)))
        self._maps: dict[Path, mmap.mmap] = {}
        self.tensors: dict[str, Tensor] = {}
        for file in self.files:
            start, header = _header(file)
            with file.open("rb") as opened:
                self._maps[file] = mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ)
            for name, told in header.items():
                if name in self.tensors:
                    raise ValueError(f"{name} is both in {self.tensors[name].file.name} and in {file.name}")
                begin, end = told["data_offsets"]
                self.tensors[name] = Tensor(tuple(told["shape"]), told["dtype"], file, start + begin, end - begin)

    def read(self, name: str) -> np.ndarray:
        """The values of one tensor: a view of the mapped file, of which the system reads what is looked at."""
        tensor = self.tensors[name]
        dtype = np.dtype(TYPES[tensor.dtype])
        count = tensor.size // dtype.itemsize
        return np.frombuffer(self._maps[tensor.file], dtype, count, tensor.begin).reshape(tensor.shape)

    def release(self, name: str) -> None:
        """Gives back the memory that holds what was read of a tensor; it can be read again."""
        tensor, page = self.tensors[name], mmap.PAGESIZE
        begin = tensor.begin // page * page
        if hasattr(mmap, "MADV_DONTNEED"):
            self._maps[tensor.file].madvise(mmap.MADV_DONTNEED, begin, tensor.begin + tensor.size - begin)

    def under(self, prefixes: tuple[str, ...]) -> "Weights":
        """The same, of which only the tensors whose names begin with one of these are seen."""
        part = copy.copy(self)
        part.tensors = {name: tensor for name, tensor in self.tensors.items() if name.startswith(prefixes)}
        return part

    def metadata(self) -> dict[str, str]:
        """What the first file says of itself."""
        with safetensors.safe_open(self.files[0], framework="numpy") as opened:
            return dict(opened.metadata() or {})


def weight_files(path: Path) -> list[Path]:
    """The safetensors files that a path stands for: itself, or those of a folder, by its index if it has one.

    Raises:
        FileNotFoundError: there are none.
        ValueError: they are pickles, or the index is damaged.
    """
    if path.suffix in _PICKLES:
        raise ValueError(
            f"{path} is a pickle, which can run code as it is read: where you trust it, convert it once, with PyTorch, "
            f"by safetensors.torch.save_file(torch.load(FILE, weights_only=True), 'model.safetensors')"
        )
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise FileNotFoundError(f"there are no weights at {path}: give a .safetensors file or a folder of them")
    for index in sorted(path.glob("*.safetensors.index.json")):
        try:
            names = sorted({*json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()})
        except (json.JSONDecodeError, KeyError, AttributeError) as error:
            raise ValueError(f"{index} is no index of weights: it lacks weight_map") from error
        missing = [name for name in names if not (path / name).is_file()]
        if missing:
            raise FileNotFoundError(f"{index} names {', '.join(missing)}, which {path} lacks: fetch what is missing")
        return [path / name for name in names]
    files = sorted(path.glob("*.safetensors"))
    if not files:
        pickles = [file for file in path.iterdir() if file.suffix in _PICKLES]
        if pickles:
            return weight_files(sorted(pickles)[0])
        raise FileNotFoundError(f"there is no .safetensors file in {path}")
    return files


def _header(file: Path) -> tuple[int, dict[str, Any]]:
    """Where a file's tensors begin, and what it says of each by name."""
    try:
        with safetensors.safe_open(file, framework="numpy"):  # which checks that the file is whole
            pass
    except safetensors.SafetensorError as error:
        raise ValueError(f"{file} is not a complete safetensors file ({error}); fetch or write it again") from error
    with file.open("rb") as opened:
        size = int.from_bytes(opened.read(8), "little")
        header = json.loads(opened.read(size))
    header.pop("__metadata__", None)
    return 8 + size, header
