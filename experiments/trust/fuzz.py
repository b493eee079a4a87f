# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Random prompts and malformed media, thrown at all that reads them: nothing may crash, hang or leave a file.

python experiments/trust/fuzz.py --n 10000

Half are prompts (random code points, disguised words, very long ones), half are files: of every format that is read,
with bytes changed, cut, doubled and mixed. Each must be judged, or refused as `ValueError` or `OSError` by what reads
it, in `--seconds` at most. Measured figures are in docs/trust.md.
"""

import collections
import contextlib
import dataclasses
import io
import os
import signal
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import tyro
from PIL import Image

from vidgen.cli import making
from vidgen.eval.redteam import load_attacks
from vidgen.eval.verify import summary, verify_file
from vidgen.eval.verify_page import page
from vidgen.safety.policy import load_policy
from vidgen.sample.export import encode

SUFFIXES = (".mp4", ".png", ".webp", ".gif")


@dataclasses.dataclass(frozen=True)
class Options:
    """How much to try."""

    n: int = 10_000
    """Inputs in all."""
    seed: int = 0
    """Of what they are."""
    seconds: float = 20.0
    """Longest time for one."""


class TooLongError(Exception):
    """An input took longer than it may."""


@contextlib.contextmanager
def limited(seconds: float) -> Iterator[None]:
    """Raises `TooLongError` in what is inside after so many seconds."""

    def stop(*_: object) -> None:
        raise TooLongError(f"longer than {seconds:g} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def prompts(count: int, rng: np.random.Generator) -> Iterator[str]:
    """Texts of all kinds."""
    known = [text for entry in load_attacks()["prompts"] for text in entry["texts"]]
    for index in range(count):
        kind = index % 4
        if kind == 0:  # any code points, surrogates too
            yield "".join(map(chr, rng.integers(0, 0x110000, rng.integers(0, 80))))
        elif kind == 1:  # attacks with characters exchanged
            text = list(known[rng.integers(len(known))])
            for at in rng.integers(0, len(text), 3):
                text[at] = chr(int(rng.integers(1, 0x3000)))
            yield "".join(text)
        elif kind == 2:  # of few characters, often repeated
            few = "a*.-_ @1|\u0301\u200b\U0001f1e6&#;"
            yield "".join(few[at] for at in rng.integers(0, len(few), rng.integers(0, 400)))
        else:  # long
            yield known[rng.integers(len(known))] * int(rng.integers(1, 60))


def seeds() -> dict[str, bytes]:
    """A small sound file of each format."""
    clip = np.random.default_rng(0).integers(0, 255, (5, 32, 32, 3), np.uint8)
    return {suffix: encode(suffix, clip, 8) for suffix in SUFFIXES}


def media(count: int, rng: np.random.Generator, sound: dict[str, bytes]) -> Iterator[tuple[str, bytes]]:
    """(suffix, file): damaged ones, under their own suffix or another."""
    for index in range(count):
        suffix = SUFFIXES[index % len(SUFFIXES)]
        content = bytearray(sound[suffix])
        kind = rng.integers(6)
        if kind == 0:
            content = content[: rng.integers(0, len(content))]
        elif kind == 1:
            other = sound[SUFFIXES[rng.integers(len(SUFFIXES))]]
            content = content[: rng.integers(0, len(content))] + other[rng.integers(0, len(other)) :]
        elif kind == 2:
            content = bytearray(rng.bytes(int(rng.integers(0, 3000))))
        else:
            # Headers are at the beginning and, of MP4, the index: they are hit more often than chance would.
            reach = len(content) if kind == 3 else min(len(content), 1200)
            for at in rng.integers(0, reach, rng.integers(1, 24)):
                content[at] = int(rng.choice([0, 255, 127, 128, int(rng.integers(256))]))
        yield (suffix if rng.random() < 0.9 else SUFFIXES[rng.integers(len(SUFFIXES))]), bytes(content)


def try_prompt(text: str) -> str:
    """Judges a prompt: "allowed" or "refused"."""
    return "allowed" if load_policy().prompts.check(text).allowed else "refused"


def try_file(path: Path) -> str:
    """Gives a file to all that reads files."""
    verdict = verify_file(path)
    page([verdict])
    summary(verdict)
    read = []
    for reader in (lambda: making.read_fitted(path, 64, 64, 8), lambda: making.read_picture(path, 64, 64)):
        try:
            with contextlib.redirect_stderr(io.StringIO()):
                reader()
            read.append("read")
        except (ValueError, OSError):
            read.append("refused")
    return f"{verdict.manifest.state}, as a video {read[0]}, as a picture {read[1]}"


def attack(options: Options, folder: Path) -> collections.Counter:
    """Tries all; raises for the first that crashes, hangs or leaves a file, and keeps it in `folder`."""
    rng, counts = np.random.default_rng(options.seed), collections.Counter()
    for text in prompts(options.n // 2, rng):
        with limited(options.seconds):
            counts[f"prompt: {try_prompt(text)}"] += 1
    temporary = Path(tempfile.gettempdir())
    before = {path.name for path in temporary.iterdir()}
    slowest = 0.0
    for index, (suffix, content) in enumerate(media(options.n - options.n // 2, rng, seeds())):
        path = folder / f"input{suffix}"
        path.write_bytes(content)
        began = time.perf_counter()
        try:
            with limited(options.seconds):
                counts[f"file: {try_file(path)}"] += 1
        except Exception as error:
            raise RuntimeError(f"input {index}, kept as {path}") from error
        slowest = max(slowest, time.perf_counter() - began)
        left = [one.name for one in folder.iterdir() if one != path]
        if left:
            raise RuntimeError(f"input {index} left {left}")
        path.unlink()
    mine = [name for name in {path.name for path in temporary.iterdir()} - before if "vidgen" in name.lower()]
    if mine:
        raise RuntimeError(f"left in {temporary}: {mine}")
    counts[f"slowest file, ms: {1000 * slowest:.0f}"] = 1
    return counts


def main(options: Options) -> None:
    """Prints how many ended how."""
    Image.MAX_IMAGE_PIXELS = 2**24  # a damaged header may promise any size
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as config:
        os.environ["VIDGEN_CONFIG"] = config
        for what, count in sorted(attack(options, Path(folder)).items()):
            print(f"{count:>7} {what}")


if __name__ == "__main__":
    main(tyro.cli(Options))
