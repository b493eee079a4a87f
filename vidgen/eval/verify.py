# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Where a file comes from: its manifest, its marks and its looks, each with what is known of its errors."""

import dataclasses
import io
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageSequence

from vidgen.data.video import DAMAGED, VideoError, iter_frames
from vidgen.safety import detector, watermark
from vidgen.safety.audit import digest
from vidgen.safety.badge import find_badge
from vidgen.safety.provenance import Manifest, read_manifest

MOST_FRAMES = 600
"""Frames that are looked at, from the beginning."""
MOST_BYTES = 2**30
"""Of pixels that are looked at; large frames are fewer."""
_LEAST_SIDE = 16
_STILLS = (".png", ".jpg", ".jpeg", ".webp", ".gif")

Detector = Callable[[np.ndarray], dict[str, Any]]
"""Frames -> what an invisible mark says: {"payload": hexadecimal digits or None, "confidence": ..., ...}."""


@dataclasses.dataclass(frozen=True)
class Verdict:
    """What is known of a file.

    sha256: of its bytes. manifest: see there. badge: share of frames with the visible mark, None where no frame can be
    read. marks: what each detector of invisible marks said. looks: what the learned detector says of the frames, None
    where there are none. frames_FHWC: what was looked at. problem: why frames cannot be read; "" if they can.
    """

    path: Path
    sha256: str
    manifest: Manifest
    badge: float | None
    marks: dict[str, dict[str, Any]]
    looks: dict[str, Any] | None
    frames_FHWC: np.ndarray | None
    problem: str = ""

    def to_dict(self) -> dict[str, Any]:
        """JSON-able, without frames."""
        return {
            "file": str(self.path),
            "sha256": self.sha256,
            "manifest": {
                "state": self.manifest.state,
                "problems": list(self.manifest.problems),
                "signer": self.manifest.signer,
                "source_type": self.manifest.source_type,
                "time": self.manifest.time,
                "generation": dict(self.manifest.facts),
                "ingredients": len(self.manifest.ingredients),
            },
            "visible_mark": self.badge,
            "marks": self.marks,
            "learned_detector": self.looks,
            "frames": 0 if self.frames_FHWC is None else len(self.frames_FHWC),
            "problem": self.problem,
            "errors": errors(),
        }


def errors() -> dict[str, str]:
    """What is known of each way to tell, said with each answer."""
    looks = detector.load_looks()
    return {
        "manifest": "of 1,000 changed bytes 924 were told and 76 touched nothing that is bound, none was missed; "
        "a manifest that was stripped leaves nothing to tell",
        "visible mark": "sought at the size and in the corners in which it is written; docs/marks.md has what hides it",
        "invisible mark": f"found by chance in {watermark.FALSE_ALARM:g} of unmarked clips, by the measured tail of "
        "scores; docs/marks.md has what it survives",
        "learned detector": f"takes {100 * looks.found:.1f} % of the shipped model's clips ({looks.made} measured) for "
        f"what they are, and {100 * looks.false_alarms:.1f} % of the likest kind of others ({looks.others} measured) "
        "for such; it knows no other generators, so it is a hint and no proof",
    }


def learned(frames_FHWC: np.ndarray) -> dict[str, Any]:
    """What the learned detector says: score from 0 to 1, its threshold, whether it is reached, measured error rates."""
    looks = detector.load_looks()
    score = detector.score(frames_FHWC)
    return {
        "score": round(score, 4),
        "threshold": round(looks.threshold, 4),
        "looks_like_vidgen": score >= looks.threshold,
        "false_alarms": looks.false_alarms,
        "found": looks.found,
    }


def invisible_mark(frames_FHWC: np.ndarray) -> dict[str, Any]:
    """What is found under the public key: payload in hexadecimal digits or None, p_value, score."""
    if min(frames_FHWC.shape[1:3]) < _LEAST_SIDE:
        return {"payload": None, "p_value": 1.0, "score": 0.0}
    found = watermark.detect(frames_FHWC)
    payload = None if found.payload is None else found.payload.hex()
    return {"payload": payload, "p_value": found.p_value, "score": round(found.score, 4)}


DETECTORS: dict[str, Detector] = {"invisible mark": invisible_mark}


def verify_file(path: Path, detectors: Mapping[str, Detector] = DETECTORS) -> Verdict:
    """Looks at a file, whatever is in it.

    Args:
        path: a video or a picture.
        detectors: of invisible marks, by name.

    Raises:
        OSError: it cannot be read at all.
    """
    content = path.read_bytes()
    manifest = read_manifest(content, path.suffix)
    frames, problem = _frames(path, content)
    found = {} if frames is None else {name: detect(frames) for name, detect in detectors.items()}
    badge = None if frames is None else float(find_badge(frames).mean())
    looks = None if frames is None else learned(frames)
    return Verdict(path, digest(content), manifest, badge, found, looks, frames, problem)


def _frames(path: Path, content: bytes) -> tuple[np.ndarray | None, str]:
    """The frames of a file, or None and why there are none."""
    try:
        if path.suffix.lower() in _STILLS:
            return _read_stills(content), ""
        return np.stack(list(_bounded(iter_frames(path)))), ""
    except VideoError as error:
        return None, error.reason
    except DAMAGED as error:
        return None, f"cannot be read: {error}"


def _bounded(frames: Iterator[np.ndarray]) -> Iterator[np.ndarray]:
    """The first frames, up to where their size changes or they are too many."""
    first = next(frames)
    most = min(MOST_FRAMES, max(1, MOST_BYTES // first.nbytes))
    yield first
    yield from itertools.takewhile(lambda frame: frame.shape == first.shape, itertools.islice(frames, most - 1))


def _read_stills(content: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(content)) as image:
        frames = (np.asarray(frame.convert("RGB")) for frame in ImageSequence.Iterator(image))
        return np.stack(list(_bounded(frames)))


def summary(verdict: Verdict) -> Sequence[tuple[str, str]]:
    """(what, said) for a page or a terminal."""
    manifest = verdict.manifest
    states = {
        "trusted": "trusted: unchanged since it was signed, by somebody whom you trust",
        "valid": "valid: unchanged since it was signed, by somebody whom you do not know",
        "tampered": "tampered: it was changed since it was signed, or its manifest is damaged",
        "absent": "absent: the file does not say where it comes from",
    }
    rows = [("manifest", states[manifest.state])]
    if manifest.problems:
        rows.append(("problems", ", ".join(manifest.problems)))
    if manifest.state != "absent":
        made = manifest.source_type.rsplit("/", 1)[-1] or "not said"
        rows += [("signed by", manifest.signer or "not said"), ("source", made), ("time", manifest.time or "not said")]
        names = ("action", "model", "weights_sha256", "prompts", "prompt_sha256", "seed", "vidgen")
        rows += [(name, str(manifest.facts[name])) for name in names if name in manifest.facts]
        rows += [("ingredients", str(len(manifest.ingredients)))] if manifest.ingredients else []
    if verdict.badge is not None:
        rows.append(("visible mark", f"in {100 * verdict.badge:.0f} % of the frames"))
    for name, said in verdict.marks.items():
        rest = ", ".join(f"{key.replace('_', '-')} {value:.3g}" for key, value in said.items() if key != "payload")
        rows.append((name, f"{'none' if said['payload'] is None else 'payload ' + said['payload']} ({rest})"))
    if verdict.looks is not None:
        rows.append(("learned detector", _spell_looks(verdict.looks)))
    return [*rows, *([("frames", verdict.problem)] if verdict.problem else [])]


def _spell_looks(looks: Mapping[str, Any]) -> str:
    reached = looks["looks_like_vidgen"]
    return (
        f"{'looks' if reached else 'does not look'} like the shipped model's (score {looks['score']:.3f}, "
        f"{'at least' if reached else 'below'} {looks['threshold']:.3f}; measured: finds {100 * looks['found']:.1f} %, "
        f"false alarms {100 * looks['false_alarms']:.1f} %)"
    )
