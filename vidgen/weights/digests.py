# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Digests of every file of a folder, kept in the folder, which tell a damaged checkpoint from a sound one."""

import hashlib
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from etils import epath

NAME = "digests.json"
# Orbax writes the time at which a save was finished into this file after everything else, and commits with the other.
_LATE = ("_CHECKPOINT_METADATA", "commit_success.txt")
_THREADS = 8
_BLOCK = 2**22


def write_digests(folder: epath.Path) -> None:
    """Writes folder/digests.json: the size and the SHA-256 of every file in the folder and below it."""
    names = sorted(_files(folder, ""))
    with ThreadPoolExecutor(_THREADS) as pool:
        digests = dict(zip(names, pool.map(lambda name: _digest(folder / name), names), strict=True))
    text = json.dumps(digests, indent=0)
    own = hashlib.sha256(text.encode()).hexdigest()
    (folder / NAME).write_text(f"{own}\n{text}\n")


def has_digests(folder: epath.Path) -> bool:
    """Whether `write_digests` was here."""
    return (folder / NAME).exists()


def damage(folder: epath.Path) -> str:
    """What is wrong with a folder that has digests, in a few words; "" if every file is what it was.

    Files that came later are not looked at.
    """
    try:
        own, _, text = (folder / NAME).read_text().partition("\n")
    except UnicodeDecodeError:
        return f"{NAME} is not text"
    text = text.removesuffix("\n")
    if hashlib.sha256(text.encode()).hexdigest() != own:
        return f"{NAME} was changed"
    digests = json.loads(text)

    def check(name: str) -> str:
        file, (size, _) = folder / name, digests[name]
        if not file.exists():
            return f"{name} is missing"
        found = file.stat().length
        if found != size:
            return f"{name} has {found} bytes, not {size}"
        return "" if _digest(file) == digests[name] else f"{name} was changed"

    with ThreadPoolExecutor(_THREADS) as pool:
        return next(filter(None, pool.map(check, digests)), "")


def _files(folder: epath.Path, prefix: str) -> Iterator[str]:
    for path in folder.iterdir():
        name = f"{prefix}{path.name}"
        if path.is_dir():
            yield from _files(path, f"{name}/")
        elif name not in (NAME, *_LATE):
            yield name


def _digest(file: epath.Path) -> list:
    """[size in bytes, SHA-256 in hexadecimal digits]; hashing runs outside Python's lock, so threads share the work."""
    digest, size = hashlib.sha256(), 0
    with file.open("rb") as stream:
        while block := stream.read(_BLOCK):
            digest.update(block)
            size += len(block)
    return [size, digest.hexdigest()]
