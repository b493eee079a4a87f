# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Review of frames: every frame is scored by every classifier that the policy names, before a file is written."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Protocol

import cv2
import numpy as np

from vidgen.safety.policy import FrameRule, Policy

BATCH = 32
"""Frames that a classifier sees at once."""
_BLUR = 4
"""Blurred frames keep so many averages a side."""


class FrameClassifier(Protocol):
    """Scores frames: uint8 [F, H, W, 3] -> {label: [F], from 0 to 1}. Frames are judged one by one."""

    def __call__(self, frames_FHWC: np.ndarray) -> Mapping[str, np.ndarray]:
        """A score of each frame for each label."""
        ...


@dataclasses.dataclass(frozen=True)
class Finding:
    """A rule that frames have met. frames: their indices; worst: the highest score."""

    rule: FrameRule
    frames: tuple[int, ...]
    worst: float

    def __str__(self) -> str:
        return f"{self.rule.label} {self.worst:.2f} (from {self.rule.threshold:g} on) in {spell_frames(self.frames)}"


@dataclasses.dataclass(frozen=True)
class Review:
    """What was seen in a clip. scores_F: by (classifier, label), of every frame; frames: how many there are."""

    policy: Policy
    findings: tuple[Finding, ...]
    scores_F: Mapping[tuple[str, str], np.ndarray]
    frames: int

    def with_action(self, action: str) -> tuple[Finding, ...]:
        """The findings that ask for an action."""
        return tuple(finding for finding in self.findings if finding.rule.action == action)

    @property
    def blocked(self) -> bool:
        """Whether the clip must not be written."""
        return bool(self.with_action("block"))


class BlockedError(ValueError):
    """A clip that the policy does not allow; the message names the policy and the frames."""

    def __init__(self, review: Review) -> None:
        what = "; ".join(str(finding) for finding in review.with_action("block"))
        super().__init__(
            f"The policy {review.policy.name!r} blocks what was made: {what}, of {review.frames} frames. Nothing was "
            f"written. Ask for something else, or change the policy (--policy FILE)."
        )
        self.review = review


def review_frames(
    frames_FHWC: np.ndarray, policy: Policy, classifiers: Mapping[str, FrameClassifier], batch: int = BATCH
) -> Review:
    """Scores every frame by every rule of the policy. Frames that are equal in every pixel are scored once.

    Args:
        frames_FHWC: uint8, at the size that is written.
        policy: what to look for.
        classifiers: by the names that the policy's rules use.
        batch: frames at once.

    Raises:
        ValueError: a classifier is missing, has no such label, or gives another number of scores than frames.
    """
    first, same_F = _distinct(frames_FHWC)
    scores: dict[tuple[str, str], np.ndarray] = {}
    for name in {rule.classifier for rule in policy.frames}:
        if name not in classifiers:
            raise ValueError(f"the policy {policy.name!r} names the classifier {name!r}, which was not read")
        parts = [classifiers[name](frames_FHWC[first[at : at + batch]]) for at in range(0, len(first), batch)]
        for label in parts[0]:
            scores[name, label] = np.concatenate([np.asarray(part[label], np.float64) for part in parts])[same_F]
    findings = []
    for rule in policy.frames:
        score_F = scores.get((rule.classifier, rule.label))
        if score_F is None or score_F.shape != (len(frames_FHWC),):
            labels = ", ".join(label for name, label in scores if name == rule.classifier)
            raise ValueError(f"the classifier {rule.classifier!r} tells {labels}; the policy asks for {rule.label!r}")
        # What is no number is as bad as can be: a broken classifier must not let anything pass.
        score_F = np.where(np.isfinite(score_F), score_F, 1.0)
        met = np.flatnonzero(score_F >= rule.threshold)
        if met.size:
            findings.append(Finding(rule, tuple(int(frame) for frame in met), float(score_F[met].max())))
    return Review(policy, tuple(findings), scores, len(frames_FHWC))


def _distinct(frames_FHWC: np.ndarray) -> tuple[list[int], np.ndarray]:
    """The first frame of each kind, and for each frame the place of its kind among these."""
    kinds: dict[bytes, int] = {}
    first: list[int] = []
    same_F = np.empty(len(frames_FHWC), np.int64)
    for index, frame in enumerate(frames_FHWC):
        kind = kinds.setdefault(frame.tobytes(), len(kinds))
        if kind == len(first):
            first.append(index)
        same_F[index] = kind
    return first, same_F


def blurred(frames_FHWC: np.ndarray, which: Sequence[int]) -> np.ndarray:
    """The clip with some frames made unrecognisable: of each, a grid of averages is left."""
    out = frames_FHWC.copy()
    _, height, width, _ = frames_FHWC.shape
    for index in which:
        small = cv2.resize(frames_FHWC[index], (_BLUR, _BLUR), interpolation=cv2.INTER_AREA)
        out[index] = cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)
    return out


def spell_frames(frames: Sequence[int]) -> str:
    """Frame numbers for a reader, as in "frames 0, 3-5"."""
    runs: list[list[int]] = []
    for frame in frames:
        if runs and frame == runs[-1][1] + 1:
            runs[-1][1] = frame
        else:
            runs.append([frame, frame])
    shown = [f"{first}" if first == last else f"{first}-{last}" for first, last in runs]
    more = f" and {len(shown) - 12} more stretches" if len(shown) > 12 else ""
    return f"frame{'s' if len(frames) > 1 else ''} {', '.join(shown[:12])}{more}"
