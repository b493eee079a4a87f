# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Signed files, changed: single random bytes, and changes of structure. Each must be told, or touch nothing.

python experiments/trust/tamper.py
python -m venv reader && reader/bin/pip install encypher-c2pa==1.7.1
python experiments/trust/tamper.py --reader reader/bin/python

A change that is not told must leave what a viewer sees and what the manifest says as they were: frames decode to the
same pixels at the same times, and the manifest has the same text. With --reader, another implementation of C2PA
(`tamper_reader.py`) reads each file too, and it is counted where the two do not agree. Measured figures are in
docs/trust.md.
"""

import collections
import dataclasses
import io
import itertools
import json
import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import tyro
from PIL import Image, ImageSequence

from vidgen.safety import certificates, provenance
from vidgen.sample.export import encode
from vidgen.worlds.render import render
from vidgen.worlds.scene import FIRST_LIGHT_ON_GRID

SUFFIXES = (".mp4", ".png", ".webp", ".gif")


@dataclasses.dataclass(frozen=True)
class Options:
    """How much to try."""

    bytes: int = 1000
    """Single bytes, shared among the formats."""
    seed: int = 0
    """Of where they are, and what they become."""
    reader: Path | None = None
    """The Python of an environment with encypher-c2pa."""


def signed(suffix: str, scene: int = 0) -> bytes:
    """A clip of the worlds, signed."""
    clip = render(FIRST_LIGHT_ON_GRID.draw(scene))
    origin = provenance.Origin("generate", "worlds", "0" * 64, (f"scene {scene}",), scene)
    return provenance.sign(encode(suffix, clip, 8), suffix, origin, certificates.load_identity(), {})


def bytes_changed(content: bytes, count: int, rng: np.random.Generator) -> Iterator[tuple[str, bytes]]:
    """(where, the file) for so many single bytes, each another than it was."""
    for place in map(int, rng.integers(0, len(content), count)):
        other = (content[place] + int(rng.integers(1, 256))) % 256
        yield f"byte {place}", content[:place] + bytes([other]) + content[place + 1 :]


def boxes(content: bytes, begin: int = 0, end: int | None = None) -> list[tuple[bytes, int, int]]:
    """(type, begin, end) of an MP4's boxes on one level."""
    found, end = [], len(content) if end is None else end
    while begin + 8 <= end:
        size = int.from_bytes(content[begin : begin + 4], "big")
        if size < 8 or begin + size > end:
            break
        found.append((content[begin + 4 : begin + 8], begin, begin + size))
        begin += size
    return found


def chunks(content: bytes, suffix: str) -> list[tuple[bytes, int, int]]:
    """(name, begin, end) of the parts of a PNG, a WebP or an MP4; a GIF has none of fixed size."""
    if suffix == ".mp4":
        return boxes(content)
    found, at = [], {".png": 8, ".webp": 12}[suffix]
    while at + 8 <= len(content):
        if suffix == ".png":
            size, name = int.from_bytes(content[at : at + 4], "big") + 12, content[at + 4 : at + 8]
        else:
            size, name = int.from_bytes(content[at + 4 : at + 8], "little") + 8, content[at : at + 4]
            size += size % 2
        found.append((name, at, at + size))
        at += size
    return found


def structures_changed(content: bytes, other: bytes, suffix: str) -> Iterator[tuple[str, bytes]]:
    """Parts taken out, doubled, exchanged, emptied, taken from another signed file; ends cut off and added to."""
    yield "64 bytes added", content + bytes(64)
    for share in (0.3, 0.6, 0.9, 0.999):
        yield f"cut at {share:g}", content[: int(share * len(content))]
    yield "the other file's end", content[: len(content) // 2] + other[len(content) // 2 :]
    if suffix == ".gif":
        return
    parts = chunks(content, suffix)
    theirs = {name: other[begin:end] for name, begin, end in chunks(other, suffix)}
    for name, begin, end in parts:
        told = name.decode("latin-1")
        yield f"{told} taken out", content[:begin] + content[end:]
        yield f"{told} doubled", content[:end] + content[begin:end] + content[end:]
        if name in theirs and theirs[name] != content[begin:end]:
            yield f"{told} of another file", content[:begin] + theirs[name] + content[end:]
        yield f"{told} emptied", content[: begin + 8] + bytes(end - begin - 8) + content[end:]
    for (a, begin, middle), (b, _, end) in itertools.pairwise(parts):
        exchanged = content[:begin] + content[middle:end] + content[begin:middle] + content[end:]
        yield f"{a.decode('latin-1')} after {b.decode('latin-1')}", exchanged


def seen(content: bytes, suffix: str) -> tuple:
    """What a viewer sees: times and pixels; () for what cannot be decoded."""
    try:
        if suffix == ".mp4":
            with av.open(io.BytesIO(content)) as file:
                frames = [(frame.time, frame.to_ndarray(format="rgb24").tobytes()) for frame in file.decode(video=0)]
        else:
            with Image.open(io.BytesIO(content)) as image:
                frames = [(f.info.get("duration"), f.convert("RGB").tobytes()) for f in ImageSequence.Iterator(image)]
    except (av.FFmpegError, OSError, SyntaxError, ValueError, IndexError):
        return ()
    return tuple(frames)


def judge(before: bytes, after: bytes, suffix: str) -> str:
    """What became of a change: "told", "manifest gone", "touches nothing", or "missed"."""
    now = provenance.read_manifest(after, suffix)
    if now.state in ("tampered", "absent"):
        return "told" if now.state == "tampered" else "manifest gone"
    then = provenance.read_manifest(before, suffix)
    same = (now.facts, now.signer, now.time) == (then.facts, then.signer, then.time)
    return "touches nothing" if same and seen(after, suffix) == seen(before, suffix) else "missed"


def read_elsewhere(files: list[bytes], suffix: str, reader: Path) -> list[str]:
    """What the other reader says of each: "Trusted", "Valid", "Invalid" or "absent"."""
    with tempfile.TemporaryDirectory() as folder:
        for number, content in enumerate(files):
            (Path(folder) / f"{number:06d}{suffix}").write_bytes(content)
        authority = Path(os.environ["VIDGEN_CONFIG"]) / "signing" / "authority.pem"
        command = [reader, Path(__file__).with_name("tamper_reader.py"), folder, authority]
        told = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return [told[name] for name in sorted(told)]


def compare(said: list[tuple[str, str]], elsewhere: list[str]) -> collections.Counter:
    """How the readers agree; prints where the other one takes for sound what is not, or the other way round."""
    counts: collections.Counter = collections.Counter()
    for (where, verdict), other in zip(said, elsewhere, strict=True):
        sound = other in ("Trusted", "Valid")
        agree = sound == (verdict in ("touches nothing", "missed"))
        counts["agree" if agree else f"{verdict} here, {other} there"] += 1
        if not agree:
            print(f"    {where}: {verdict} here, {other} there")
    return counts


def main(options: Options) -> None:
    """Prints a table; exits with 1 if a change was missed."""
    missed = 0
    with tempfile.TemporaryDirectory() as folder:
        os.environ["VIDGEN_CONFIG"] = str(Path(folder) / "config")
        rng = np.random.default_rng(options.seed)
        for suffix in SUFFIXES:
            content, other = signed(suffix), signed(suffix, 1)
            assert provenance.read_manifest(content, suffix).state == "trusted"
            if options.reader is not None:
                print(f"{suffix} unchanged: {read_elsewhere([content, other], suffix, options.reader)} there")
            tries = {
                "single bytes": list(bytes_changed(content, options.bytes // len(SUFFIXES), rng)),
                "structure": list(structures_changed(content, other, suffix)),
            }
            for kind, changes in tries.items():
                said = [(where, judge(content, after, suffix)) for where, after in changes]
                counts = collections.Counter(verdict for _, verdict in said)
                print(f"{suffix} {kind}: {len(said)} tried, {', '.join(f'{n} {word}' for word, n in counts.items())}")
                for where, verdict in said:
                    if verdict in ("missed", "touches nothing"):
                        print(f"    {where}: {verdict}")
                missed += counts["missed"]
                if options.reader is not None:
                    elsewhere = read_elsewhere([after for _, after in changes], suffix, options.reader)
                    agreed = compare(said, elsewhere)
                    print(f"{suffix} {kind}, both readers: {', '.join(f'{n} {word}' for word, n in agreed.items())}")
    raise SystemExit(1 if missed else 0)


if __name__ == "__main__":
    main(tyro.cli(Options))
