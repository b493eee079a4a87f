# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Texts held against claims: how much of a caption is true of a scene, and whether one text contradicts another."""

import itertools
import re
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from vidgen.worlds.claims import Claim, claims
from vidgen.worlds.motion import Scene
from vidgen.worlds.reading import read_caption
from vidgen.worlds.words import OPPOSITE

MAIN = ("object", "motion", "place")
"""Kinds of claims that a full description does not leave out: what is there, what it does, and where."""
_ONE_OF = ("place", "camera", "count", "turn", "number", "where", "speed", "return", "depth", "size", "pace")
"""Kinds of claims of which one holds for a subject (and another thing), so that two values contradict."""
_ALONG = ("left", "right", "up", "down", "still")
"""Motions of which a thing has one."""


@dataclass(frozen=True)
class Check:
    """A caption held against the truth, by kind of claim.

    said, true: claims that it makes, and those that hold. wanted, found: claims of the kinds MAIN that hold, and those
    that it makes. unread: 1 for a text that cannot be read, which makes no claims.
    """

    said: Counter[str] = field(default_factory=Counter)
    true: Counter[str] = field(default_factory=Counter)
    wanted: Counter[str] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)
    unread: int = 0

    def __add__(self, other: "Check") -> "Check":
        return Check(
            self.said + other.said,
            self.true + other.true,
            self.wanted + other.wanted,
            self.found + other.found,
            self.unread + other.unread,
        )


def check(text: str, scene: Scene) -> Check:
    """Every claim of a caption against a scene. "left" and "right" are counted once more as the kind "side": what a
    caption says of them in relations between two things that are both there.
    """
    truth = claims(scene)
    wanted = [claim for claim in truth if claim.kind in MAIN]
    try:
        said = read_caption(text)
    except ValueError:
        return Check(wanted=Counter(claim.kind for claim in wanted), unread=1)
    there = {claim.subject for claim in truth if claim.kind == "object"}
    sides = [c for c in said if c.kind == "relation" and c.value in ("left", "right") and {c.subject, c.other} <= there]
    return Check(
        Counter(claim.kind for claim in said) + Counter(side=len(sides)),
        Counter(claim.kind for claim in said & truth) + Counter(side=len(truth.intersection(sides))),
        Counter(claim.kind for claim in wanted),
        Counter(claim.kind for claim in said.intersection(wanted)),
    )


def total(checks: Iterable[Check]) -> Check:
    """The sum of some."""
    return sum(checks, Check())


def contradictions(said: Collection[Claim], asked: Collection[Claim]) -> list[tuple[Claim, Claim]]:
    """Pairs of a claim of one text and a claim of another that cannot both be true."""
    return [pair for pair in itertools.product(said, asked) if _clash(*pair)]


def _clash(one: Claim, two: Claim) -> bool:
    if one.kind != two.kind or one == two or one.subject != two.subject:
        return False
    if one.kind == "relation":
        return one.other == two.other and OPPOSITE[one.value] == two.value
    if one.kind == "motion":
        return one.value in _ALONG and two.value in _ALONG
    if one.kind == "position":
        return OPPOSITE.get(one.value) == two.value or {one.value, two.value} == {"top", "bottom"}
    if one.kind in ("enter", "leave"):
        return bool(one.value and two.value)
    if one.kind == "before":
        return False
    return one.kind in _ONE_OF and one.other == two.other and bool(one.value and two.value)


def swapped_sides(text: str) -> str:
    """A text with "left" and "right" exchanged wherever they stand, as one says who cannot tell them."""
    return re.sub(r"\b(left|right)(?=wards\b|\b)", lambda match: OPPOSITE[match[1]], text)


def mirrored_text(text: str) -> str:
    """What is true of a clip in the mirror, if a text is true of the clip: sides and turns are exchanged."""
    turned = re.sub(r"\b(?:(counter|anti)?clockwise)\b", lambda m: f"{'' if m[1] else 'counter'}clockwise", text)
    return swapped_sides(turned)
