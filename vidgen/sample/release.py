# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The one way in which what a model made becomes a file: review, marks, encoding, signature, audit, then the file.

Until a clip has passed its review it exists in memory alone, and a file appears only with its marks and its manifest,
so a process that is killed at any moment leaves nothing that was not reviewed and signed.
"""

import dataclasses
import functools
import hashlib
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from vidgen.safety import audit, certificates, provenance, watermark
from vidgen.safety.audit import digest
from vidgen.safety.badge import add_badge
from vidgen.safety.certificates import Identity
from vidgen.safety.frames import BlockedError, FrameClassifier, Review, blurred, review_frames, spell_frames
from vidgen.safety.policy import Policy, load_policy
from vidgen.safety.prompts import Verdict
from vidgen.sample.export import check_suffix, encode, write_whole

Mark = Callable[[np.ndarray, float, bytes], np.ndarray]
"""(frames uint8 [F, H, W, 3], frames a second, payload) -> marked frames."""
PAYLOAD_BYTES = watermark.PAYLOAD_BYTES
_LEAST_SIDE = 16
"""Pixels; smaller frames cannot hold the invisible mark."""


@dataclasses.dataclass(frozen=True)
class Settings:
    """What the user chose.

    Attributes:
        policy: a TOML file, or None for the default.
        provenance: whether files are signed.
        mark, watermark: whether the visible mark is set, and the invisible one.
        certificate, private_key: PEM files to sign with; None for the user's settings, or a self-made one.
    """

    policy: Path | None = None
    provenance: bool = True
    mark: bool = True
    watermark: bool = True
    certificate: Path | None = None
    private_key: Path | None = None


@dataclasses.dataclass(frozen=True)
class Released:
    """A file that was written. review: what was seen in it; sha256: of its bytes."""

    path: Path
    review: Review
    sha256: str


class RefusedError(ValueError):
    """A prompt that the policy does not allow; the message says why."""


def check_prompts(policy: Policy, prompts: Sequence[str]) -> None:
    """Raises `RefusedError` if a prompt, or all of them read as one text, is not allowed; it is told to the audit log.

    Several prompts of one video are read together, since each can be harmless and the whole not.
    """
    texts = [*prompts, *(["\n".join(prompts)] if len(prompts) > 1 else [])]
    for text in texts:
        verdict: Verdict = policy.prompts.check(text)
        if not verdict.allowed:
            audit.record(
                "prompt refused",
                prompt_sha256=digest("\n".join(prompts)),
                policy=policy.name,
                policy_sha256=policy.digest,
                categories=[finding.category for finding in verdict.findings],
            )
            why = "; ".join(str(finding) for finding in verdict.findings)
            whole = " taken together" if len(prompts) > 1 and text == texts[-1] else ""
            raise RefusedError(
                f"The policy {policy.name!r} refuses the prompt{'s' if whole else ''}{whole}: {why}. Nothing was made."
            )


class Gate:
    """Holds what release needs, and reads it in a thread of its own while the sampler is compiled and runs.

    Use it as a context; `release` may be called many times within.
    """

    def __init__(self, settings: Settings, policy: Policy, weights: Sequence[Path] = ()) -> None:
        """weights: the files of the model, whose hash goes into manifests."""
        self.settings = settings
        self.policy = policy
        self._pool = ThreadPoolExecutor(4, thread_name_prefix="review")
        self._classifiers: Future[Mapping[str, FrameClassifier]] = self._pool.submit(read_classifiers, policy)
        self._identity: Future[Identity | None] = self._pool.submit(self._read_identity)
        self._marks_ready = self._pool.submit(_prepare_marks) if settings.watermark else None
        self._weights: Future[str] = self._pool.submit(hash_files, tuple(weights))

    def __enter__(self) -> "Gate":
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown()

    def _read_identity(self) -> Identity | None:
        if not self.settings.provenance:
            return None
        identity = certificates.load_identity(self.settings.certificate, self.settings.private_key)
        provenance.prepare()
        return identity

    def check(self) -> None:
        """Raises what is known by now to be wrong: a classifier or a certificate that cannot be read."""
        for future in (self._classifiers, self._identity, self._weights):
            if future.done():
                future.result()

    def review(self, frames_FHWC: np.ndarray) -> Review:
        """What the policy says of a clip."""
        return review_frames(frames_FHWC, self.policy, self._classifiers.result())

    def release(self, path: Path, frames_FHWC: np.ndarray, fps: float, origin: provenance.Origin) -> Released:
        """Writes a clip, if it may be.

        While the review runs, the clip is marked and encoded in memory; only then is it known whether it was in vain.

        Args:
            path: ends in one of `vidgen.sample.export.SUFFIXES`.
            frames_FHWC: uint8, as the model made them; fps: frames a second.
            origin: how they came to be; the hash of the weights is filled in here.

        Raises:
            BlockedError: the policy blocks it; nothing was written.
            ValueError, OSError: it cannot be encoded, signed, or written; nothing was written.
        """
        check_suffix(path)
        suffix = path.suffix.lower()
        origin = dataclasses.replace(origin, weights_sha256=self._weights.result())
        waiting = self._pool.submit(self.review, frames_FHWC)
        payload = hashlib.sha256(repr(sorted(origin.facts().items())).encode()).digest()[:PAYLOAD_BYTES]
        try:
            content = self._encode(suffix, frames_FHWC, fps, payload)
        finally:
            review = waiting.result()
        facts = self._facts(origin, review, payload)
        if review.blocked:
            audit.record("blocked", **facts)
            raise BlockedError(review)
        if hidden := sorted({frame for finding in review.with_action("blur") for frame in finding.frames}):
            content = self._encode(suffix, blurred(frames_FHWC, hidden), fps, payload)
        identity = self._identity.result()
        if identity is not None:
            content = provenance.sign(content, suffix, origin, identity, _told(facts))
        sha256 = digest(content)
        audit.record("released", file_sha256=sha256, **facts)
        write_whole(path, content)
        return Released(path, review, sha256)

    def _encode(self, suffix: str, frames_FHWC: np.ndarray, fps: float, payload: bytes) -> bytes:
        for mark in self._marks():
            frames_FHWC = mark(frames_FHWC, fps, payload)
        return encode(suffix, frames_FHWC, fps)

    def _marks(self) -> tuple[Mark, ...]:
        """In the order in which they are set."""
        chosen = ((_invisible, self.settings.watermark), (_visible, self.settings.mark))
        return tuple(mark for mark, wanted in chosen if wanted)

    def _facts(self, origin: provenance.Origin, review: Review, payload: bytes) -> dict[str, Any]:
        """For the audit log: hashes and decisions, nothing of the content."""
        facts = origin.facts()
        facts.pop("prompts", None)
        findings = [
            {
                "label": finding.rule.label,
                "action": finding.rule.action,
                "threshold": finding.rule.threshold,
                "worst": round(finding.worst, 4),
                "frames": list(finding.frames),
            }
            for finding in review.findings
        ]
        return {
            **facts,
            "policy": review.policy.name,
            "policy_sha256": review.policy.digest,
            "frames": review.frames,
            "findings": findings,
            "visible_mark": self.settings.mark,
            "watermark": self.settings.watermark,
            "provenance": self.settings.provenance,
            "payload": payload.hex(),
        }


def _told(facts: Mapping[str, Any]) -> dict[str, Any]:
    """What a manifest says of the review and the marks."""
    names = ("policy", "policy_sha256", "frames", "visible_mark", "watermark", "payload")
    # As text: c2pa takes a list of small numbers for bytes.
    findings = [{**finding, "frames": spell_frames(finding["frames"])} for finding in facts["findings"]]
    return {"review": {**{name: facts[name] for name in names}, "findings": findings}}


def _prepare_marks() -> None:
    """What is computed once for all clips, while the sampler is busy."""
    _invisible(np.zeros((1, _LEAST_SIDE, _LEAST_SIDE, 3), np.uint8), 8.0, bytes(PAYLOAD_BYTES))


def _invisible(frames_FHWC: np.ndarray, _: float, payload: bytes) -> np.ndarray:
    """Under the public key. Frames that are too small to hold it are left as they are."""
    if min(frames_FHWC.shape[1:3]) < _LEAST_SIDE:
        return frames_FHWC
    return watermark.embed(frames_FHWC, payload)


def _visible(frames_FHWC: np.ndarray, fps: float, _: bytes) -> np.ndarray:
    return add_badge(frames_FHWC, fps)


def read_classifiers(policy: Policy) -> dict[str, FrameClassifier]:
    """The classifiers that a policy names, by these names.

    Raises:
        FileNotFoundError, ValueError: a file is missing, or holds no classifier.
    """
    found: dict[str, FrameClassifier] = {}
    for name in {rule.classifier for rule in policy.frames}:
        found[name] = _open_nsfw() if name == "open_nsfw" else _trained(name)
    return found


@functools.cache
def _open_nsfw() -> FrameClassifier:
    """Read once a process."""
    from vidgen.safety.nsfw import OpenNsfw

    return OpenNsfw()


def _trained(name: str) -> FrameClassifier:
    from vidgen.sample.classifier import load_classifier

    return load_classifier(name)


def hash_files(files: Sequence[Path]) -> str:
    """SHA-256 of the SHA-256s of files, in the order of their names; "" for none."""
    states = [(file, file.stat()) for file in sorted(files)]
    digests = [_hash_file(file, state.st_mtime_ns, state.st_size) for file, state in states]
    return digest("\n".join(digests)) if digests else ""


@functools.lru_cache(maxsize=64)
def _hash_file(file: Path, *_: int) -> str:
    """Once for each state of a file, which is what tells it from what it was before."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def open_gate(settings: Settings, weights: Sequence[Path] = ()) -> Gate:
    """A gate with the policy of the settings. Raises what `load_policy` raises."""
    return Gate(settings, load_policy(settings.policy), weights)
