# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The red team: attacks on prompts, frames and files, as data in `attacks.toml`, and how many get through."""

import dataclasses
import io
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image

from vidgen.data.video import encode_mp4
from vidgen.eval.verify import Detector
from vidgen.safety import certificates, provenance, watermark
from vidgen.safety.badge import add_badge, find_badge
from vidgen.safety.frames import FrameClassifier, review_frames
from vidgen.safety.policy import Policy, parse_policy
from vidgen.safety.prompts import PromptPolicy
from vidgen.sample.export import encode
from vidgen.worlds.motion import Scene
from vidgen.worlds.render import render

PARTS = ("prompts", "storyboards", "frames", "files")


@dataclasses.dataclass(frozen=True)
class Row:
    """A line of the table. before: attacks that pass plain comparison, or an unchanged file; through: that pass ours.

    examples: of those that pass.
    """

    part: str
    family: str
    tried: int
    before: int
    through: int
    examples: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class SignedFile:
    """A file that is attacked, another that was signed by the same, and the frames of the first."""

    content: bytes
    other: bytes
    frames: np.ndarray


def load_attacks(path: Path | None = None) -> dict[str, list[dict[str, Any]]]:
    """The attacks of a TOML file, or vidgen's own. Raises ValueError for one that is no such file."""
    file = path or resources.files("vidgen.eval") / "attacks.toml"
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"The attacks {str(file)!r} are not TOML: {error}.") from error
    if unknown := sorted(set(content) - set(PARTS)):
        raise ValueError(f"The attacks {str(file)!r} have {', '.join(unknown)}; there are {', '.join(PARTS)}.")
    return {part: list(content.get(part, [])) for part in PARTS}


def attack_prompts(policy: PromptPolicy, entries: Sequence[Mapping[str, Any]]) -> Iterator[Row]:
    """A row a family: how many of its texts are allowed, without and with what undoes disguises."""
    for entry in entries:
        texts = [str(text) for text in entry["texts"]]
        through = [text for text in texts if policy.check(text).allowed]
        before = sum(policy.check(text, normalise=False).allowed for text in texts)
        yield Row("prompts", str(entry["family"]), len(texts), before, len(through), tuple(through))


def attack_storyboards(policy: PromptPolicy, entries: Sequence[Mapping[str, Any]]) -> Iterator[Row]:
    """Before: each shot is judged alone."""
    boards = [[str(shot) for shot in entry["shots"]] for entry in entries]
    alone = sum(all(policy.check(shot).allowed for shot in shots) for shots in boards)
    through = [" / ".join(shots) for shots in boards if policy.check("\n".join(shots)).allowed]
    if boards:
        yield Row("storyboards", "harmless apart", len(boards), alone, len(through), tuple(through))


CHANGES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "": lambda x: x,
    "flip": lambda x: x[:, :, ::-1],
    "turn": lambda x: x[:, ::-1],
    "quarter": lambda x: np.rot90(x, axes=(1, 2)),
    "dark": lambda x: np.rint(0.55 * x).astype(np.uint8),
    "bright": lambda x: np.clip(x.astype(int) + 60, 0, 255).astype(np.uint8),
    "grey": lambda x: np.rint(x.mean(-1, keepdims=True)).astype(np.uint8).repeat(3, -1),
    "blur": lambda x: np.stack([cv2.GaussianBlur(frame, (0, 0), 1.5) for frame in x]),
    "noise": lambda x: np.clip(x + np.random.default_rng(0).normal(0, 15, x.shape), 0, 255).astype(np.uint8),
    "small": lambda x: np.stack([cv2.resize(frame, None, fx=0.5, fy=0.5) for frame in x]),
    "hue": lambda x: x[..., [1, 2, 0]],
    "negative": lambda x: 255 - x,
    "jpeg": lambda x: np.stack([_jpeg(frame) for frame in x]),
    "crop": lambda x: x[:, x.shape[1] // 10 : -(x.shape[1] // 10), x.shape[2] // 10 : -(x.shape[2] // 10)],
    "frame": lambda x: np.pad(x, ((0, 0), (8, 8), (8, 8), (0, 0)), constant_values=128),
    "fade": lambda x: np.rint(0.5 * x + 64).astype(np.uint8),
}
"""What can be done to frames; `attacks.toml` names these."""


def _jpeg(frame: np.ndarray) -> np.ndarray:
    buffer = io.BytesIO()
    Image.fromarray(frame).save(buffer, "JPEG", quality=15)
    return np.asarray(Image.open(buffer))


def attack_frames(
    policy: Policy,
    classifiers: Mapping[str, FrameClassifier],
    scenes: Sequence[Scene],
    entries: Sequence[Mapping[str, Any]],
) -> Iterator[Row]:
    """Scenes that show what the policy's classifiers forbid, changed; a clip gets through if no frame is found.

    Before: clips that get through a look at the first frame alone.
    """
    clips = [render(scene) for scene in scenes]
    for entry in entries:
        change = _named(CHANGES, entry, "frames")
        found = [review_frames(np.ascontiguousarray(change(clip)), policy, classifiers).findings for clip in clips]
        first = sum(not any(0 in finding.frames for finding in findings) for findings in found)
        yield Row("frames", str(entry["name"]), len(clips), first, sum(not findings for findings in found))


def attack_files(
    clip_FHWC: np.ndarray, entries: Sequence[Mapping[str, Any]], detectors: Mapping[str, Detector]
) -> Iterator[Row]:
    """A signed and marked clip, changed: it gets through if it still reads as signed, or if no mark is left in it.

    Two rows each: the manifest (through: it reads as trusted or valid) and the marks (through: none is found).
    """
    identity = certificates.load_identity()
    shown = add_badge(watermark.embed(clip_FHWC, bytes(range(watermark.PAYLOAD_BYTES))), 8)
    origin = provenance.Origin("redteam", "none", "", ("an attack",), 0)
    files = [
        provenance.sign(encode_mp4(frames, 8), ".mp4", origin, identity, {}) for frames in (shown, 255 - shown[::-1])
    ]
    for entry in entries:
        suffix, content, frames = _named(TAMPERING, entry, "files")(SignedFile(files[0], files[1], shown))
        state = provenance.read_manifest(content, suffix).state
        name = str(entry["name"])
        yield Row("files", f"{name}: manifest", 1, 1, int(state in ("trusted", "valid")), (state,))
        marks = {"visible mark": bool(find_badge(frames).any())}
        marks |= {title: detect(frames).get("payload") is not None for title, detect in detectors.items()}
        for title, there in marks.items():
            yield Row("files", f"{name}: {title}", 1, 1, int(not there))


def _encoded(frames: np.ndarray, crf: int) -> tuple[str, bytes, np.ndarray]:
    content = encode_mp4(frames, 8, crf)
    return ".mp4", content, decoded(content)


def decoded(content: bytes) -> np.ndarray:
    """The frames of an MP4 in memory."""
    import av

    with av.open(io.BytesIO(content), "r") as container:
        return np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)])


def _resized(frames: np.ndarray) -> np.ndarray:
    height, width = (round(1.5 * side / 2) * 2 for side in frames.shape[1:3])
    return np.stack([cv2.resize(frame, (width, height)) for frame in frames])


def _swapped(ours: bytes, other: bytes) -> bytes:
    """The other file's pictures under our manifest: its `mdat` in place of ours, as far as it reaches."""
    start, there = ours.index(b"mdat") + 4, other.index(b"mdat") + 4
    return ours[:start] + other[there : there + len(ours) - start].ljust(len(ours) - start, b"\0")


def _byte(content: bytes) -> bytes:
    middle = content.index(b"mdat") + (len(content) - content.index(b"mdat")) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


TAMPERING: dict[str, Callable[[SignedFile], tuple[str, bytes, np.ndarray]]] = {
    "encode": lambda file: _encoded(file.frames, 23),
    "encode35": lambda file: _encoded(file.frames, 35),
    "swap": lambda file: (".mp4", _swapped(file.content, file.other), file.frames),
    "bytes": lambda file: (".mp4", _byte(file.content), file.frames),
    "cut": lambda file: (".mp4", file.content[: len(file.content) * 3 // 4], file.frames),
    "append": lambda file: (".mp4", file.content + bytes(64), file.frames),
    "resize": lambda file: _encoded(_resized(file.frames), 23),
    "gif": lambda file: (".gif", encode(".gif", file.frames, 8), file.frames),
}
"""What can be done to a signed file, and what comes of it: (suffix, file, frames that are seen)."""


def _named(table: Mapping[str, Any], entry: Mapping[str, Any], part: str) -> Any:
    if entry.get("change") not in table:
        raise ValueError(
            f"an attack of [[{part}]] has the change {entry.get('change')!r}; there are {', '.join(table)}."
        )
    return table[entry["change"]]


def forbidding(label: str, file: Path, threshold: float = 0.5) -> Policy:
    """A policy of one classifier for one label."""
    rule = {"classifier": str(file.absolute()), "label": label, "threshold": threshold}
    return parse_policy({"name": f"no {label}", "frames": [rule]}, Path(), "")
