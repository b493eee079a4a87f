# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Is what a caption claims to be seen in a clip? Judged from detections, the place and the pixels alone.

    seen = watch(clip_FHWC, names)              # names: concepts that the prompt names
    verdict = judge(seen, claim)                # True, False, or None where it cannot be told

A claim about something that is not recognised is None, not False, so that a suite can count it either way.
"""

from collections.abc import Callable, Sequence

import numpy as np

from vidgen.worlds.backdrop import backdrop
from vidgen.worlds.claims import Claim
from vidgen.worlds.detect import Detection, DetectorConfig, build_detector
from vidgen.worlds.fitting import Pose, paint
from vidgen.worlds.motion import DIRECTIONS
from vidgen.worlds.tracks import looks
from vidgen.worlds.watch import STEADY, Happening, Watched, happenings, rate

LARGER = 1.15
"""Ratio of measured sizes from which on one thing is judged to be larger; captions say it from 1.4 on."""
FASTER = 1.25
"""As LARGER, for speeds; captions say it from 1.7 on."""
SLOW_FAST = 0.25
"""Shares of the frame a second that lie between what captions call slow (0.16 at most) and fast (0.4 at least)."""
OPEN = 0.9
"""A door whose detection explains less than this share of what it did at first is no longer shut."""
APART = 0.4
"""Least distance of the middles of two things that are counted, as a share of the larger one's size."""
NEAR = 0.1
"""Largest gap between two boxes, as a share of the frame, for one to have hit the other, or to have come out of it."""


def judge(seen: Watched, claim: Claim) -> bool | None:
    """Whether a clip shows what a claim says: events, order, causes, returns, numbers, sizes, speeds, who is in front.

    None where a thing that it is about was not recognised. Raises ValueError for kinds of claims that this module does
    not judge (place and camera have modules of their own).
    """
    if claim.kind == "number":
        return number_of(seen.clip_FHWC, claim.subject) == int(claim.value)
    if claim.kind not in _JUDGES:
        raise ValueError(f"claims of kind {claim.kind!r} are not judged here; there are number, {', '.join(_JUDGES)}")
    about = [claim.subject, *([claim.other] if claim.other else [])]
    if any(name not in seen.tracks for name in about):
        return None
    return _JUDGES[claim.kind](seen, claim)


def number_of(clip_FHWC: np.ndarray, name: str, count: int = 3, others: tuple[str, ...] = ()) -> int:
    """How many of a concept a clip shows: the median over `count` looks. others: concepts that it may be taken for."""
    config = DetectorConfig(concepts=(name, *others), sizes=(0.2, 0.7), objects=9, shortlist=3, repeats=True)
    frames = clip_FHWC[list(looks(len(clip_FHWC), count))]
    numbers = [distinct([one for one in found if one.name == name]) for found in build_detector(config)(frames, True)]
    return int(np.median(numbers))


def distinct(found: Sequence[Detection]) -> int:
    """How many detections of a concept are not where a surer one is: what a fit leaves of a thing may look like it."""
    kept: list[Detection] = []
    for one in sorted(found, key=lambda one: -one.score):
        if all(np.hypot(one.x - other.x, one.y - other.y) > APART * max(one.size, other.size) for other in kept):
            kept.append(one)
    return len(kept)


def when(seen: Watched, name: str, kind: str, side: str = "", other: str = "") -> float | None:
    """The look in which a thing does what a claim of one of `story_claims.EVENTS` says; None if it never does.

    side: as the claim's value. other: what it hides behind, hits or comes out of.
    """
    if kind == "open":
        return opening(seen, name)
    for one in happenings(seen, name):
        if _fits(seen, name, one, kind, side, other):
            return one.look
    return None


def _fits(seen: Watched, name: str, one: Happening, kind: str, side: str, other: str) -> bool:
    if kind in ("enter", "leave"):
        return one.kind == kind and side in ("", one.side)
    if kind == "motion":
        return one.kind == "motion" and side in ("", one.side)
    if kind == "land":
        # Down, and then at rest.
        return one.kind == "motion" and one.side == "down" and not np.isnan(seen.path(name)[one.end :, 0]).all()
    if kind == "takeoff":
        return one.kind == "motion" and one.side == "up"
    if kind in ("hide", "return", "emerge"):
        if one.kind != ("vanish" if kind == "hide" else "appear"):
            return False
        return not other or _gap(seen, name, other, round(one.look)) <= NEAR
    if kind == "hit":
        if one.kind not in ("motion", "enter") or not other:
            return False
        return min(_gap(seen, name, other, look) for look in range(one.start, one.end + 2)) <= NEAR
    raise ValueError(f"no event is called {kind!r}")


def opening(seen: Watched, name: str) -> float | None:
    """The look from which on a door no longer looks as it did when it was shut; None if it always does."""
    track = seen.tracks[name]
    scores = dict(zip(track.frames, (one.score for one in track.detections), strict=True))
    shut = OPEN * max(scores.get(frame, 0.0) for frame in seen.looks[: max(2, len(seen.looks) // 8)])
    like = [look for look, frame in enumerate(seen.looks) if shut and scores.get(frame, 0.0) >= shut]
    return float(like[-1] + 1) if like and like[-1] + 1 < len(seen.looks) else None


def _gap(seen: Watched, one: str, other: str, look: int) -> float:
    """The gap of two boxes in a look, as a share of the frame, along the axis on which it is larger; 0: they touch."""
    a, b = seen.box(one, look), seen.box(other, look)
    if a is None or b is None:
        return np.inf
    return float(max(0.0, a[0] - b[2], b[0] - a[2], a[1] - b[3], b[1] - a[3]))


def _event(seen: Watched, claim: Claim) -> bool:
    return when(seen, claim.subject, claim.kind, claim.value, claim.other) is not None


def _motion(seen: Watched, claim: Claim) -> bool | None:
    if claim.value == "still":
        path_L2 = seen.path(claim.subject)
        return float(np.nanmax(np.ptp(path_L2[~np.isnan(path_L2[:, 0])], axis=0))) < STEADY
    return _event(seen, claim) if claim.value in DIRECTIONS else None


def _return(seen: Watched, claim: Claim) -> bool:
    """It vanishes, away from the edges, and is there again, on the side from which it went or on the other one."""
    told = happenings(seen, claim.subject)
    gone = next((one for one in told if one.kind == "vanish"), None)
    back = next((one for one in told if one.kind == "appear" and gone and one.look > gone.look), None)
    if gone is None or back is None:
        return False
    path_L2 = seen.path(claim.subject)
    first, last = path_L2[: int(gone.look) + 1], path_L2[int(back.look) :]
    went = first[~np.isnan(first[:, 0])]
    came = last[~np.isnan(last[:, 0])]
    way = np.array([went[-1] - went[0], came[-1] - came[0]])
    same = bool(np.dot(way[0], way[1]) > 0)
    return claim.value == "" or same == (claim.value == "through")


def in_order(seen: Watched, claim: Claim) -> bool | None:
    """A claim of kind "before": both events are seen, and in this order. None where one of them is not seen."""
    kinds = claim.value.split(">")
    times = [_time(seen, name, kind) for name, kind in zip((claim.subject, claim.other), kinds, strict=True)]
    if times[0] is None or times[1] is None:
        return None
    return times[0] < times[1]


def _time(seen: Watched, name: str, kind: str) -> float | None:
    """When an event happens: of ways, one that does not lead in or out, if there is one; of things that open, the last
    look at them closed.
    """
    told = happenings(seen, name)
    if kind == "motion":
        ways = [one for one in told if one.kind == "motion"]
        borders = [one.look for one in told if one.kind in ("enter", "leave")]
        inner = [one for one in ways if all(not one.start - 1 <= look <= one.end + 1 for look in borders)]
        return (inner or ways)[0].look if ways else None
    if kind == "hit":
        others = [other for other in seen.tracks if other != name]
        return min(
            (look for look in (when(seen, name, "hit", other=o) for o in others) if look is not None), default=None
        )
    if kind == "takeoff":
        ways = [one for one in told if one.kind == "motion" and one.side == "up"]
        return ways[-1].look if ways else None
    return when(seen, name, kind)


def caused(seen: Watched, cause: str, effect: str, kind: str) -> bool | None:
    """Whether one thing makes another move: that rests until the first one is there, and goes only then.

    kind: "push" (sideways), "knock" (down), "open" (what was behind `cause`, out of sight, comes out when it opens).
    """
    if cause not in seen.tracks or effect not in seen.tracks:
        return None
    told = happenings(seen, effect)
    if kind == "open":
        comes = next((one for one in told if one.kind == "appear"), None)
        goes = next((one for one in told if one.kind == "motion"), None)
        if comes is None or goes is None:
            return False
        shut = seen.box(cause, 0)
        box = seen.box(effect, round(comes.look))
        inside = shut is not None and box is not None and _boxes_touch(shut, box)
        opens = opening(seen, cause)
        return inside and opens is not None and opens <= goes.end
    ways = {"push": ("left", "right"), "knock": ("down",)}[kind]
    goes = next((one for one in told if one.kind == "motion" and one.side in ways), None)
    if goes is None:
        return False
    path_L2 = seen.path(effect)
    before = path_L2[: goes.start + 1]
    before = before[~np.isnan(before[:, 0])]
    rested = len(before) > 0 and float(np.ptp(before, axis=0).max()) < STEADY
    hits = min(_gap(seen, cause, effect, look) for look in range(max(0, goes.start - 1), goes.start + 2))
    arrives = seen.tracks[cause].frames[0] <= seen.looks[min(goes.start + 1, len(seen.looks) - 1)]
    return rested and arrives and hits <= NEAR


def _boxes_touch(one: np.ndarray, other: np.ndarray) -> bool:
    return max(one[0] - other[2], other[0] - one[2], one[1] - other[3], other[1] - one[3]) <= NEAR


def goes(seen: Watched, name: str) -> float | None:
    """How far a thing gets from where it is first seen, in shares of the frame; None where it is not seen.

    For what is left without its cause: an effect that still comes about moves.
    """
    path_L2 = seen.path(name)
    path_L2 = path_L2[~np.isnan(path_L2[:, 0])]
    return float(np.abs(path_L2 - path_L2[0]).max()) if len(path_L2) else None


def path_change(seen: Watched, without: Watched, name: str) -> np.ndarray:
    """Where a thing is with the cause, minus where it is without it, in shares of the frame, float64 [L, 2]; nan where
    one of the clips does not show it. Held against the same difference of true renders it is the counterfactual error.
    """
    return seen.path(name) - without.path(name)


def _cause(seen: Watched, claim: Claim) -> bool | None:
    return caused(seen, claim.subject, claim.other, claim.value)


def _size(seen: Watched, claim: Claim) -> bool:
    one, other = (
        float(np.median([found.size for found in seen.tracks[name].detections]))
        for name in (claim.subject, claim.other)
    )
    ratio = one / other if claim.value == "larger" else other / one
    return ratio >= LARGER


def _speed(seen: Watched, claim: Claim) -> bool | None:
    speed = rate(seen, claim.subject)
    if speed is None or speed == 0.0:
        return None
    return (speed < SLOW_FAST) == (claim.value == "slow")


def _pace(seen: Watched, claim: Claim) -> bool | None:
    one, other = rate(seen, claim.subject), rate(seen, claim.other)
    if one is None or other is None or max(one, other) == 0.0:
        return None
    fast, slow = (one, other) if claim.value == "faster" else (other, one)
    return fast >= FASTER * slow


def _depth(seen: Watched, claim: Claim) -> bool | None:
    front = in_front(seen, claim.subject, claim.other)
    return None if front is None else front == (claim.value == "front")


def in_front(seen: Watched, one: str, other: str) -> bool | None:
    """Whether one thing covers another where they overlap: both are painted in both orders, and the order that is
    nearer to the frames is taken. None where they never overlap.
    """
    errors = np.zeros(2)
    for look, frame in enumerate(seen.looks):
        poses = [pose for name in (one, other) if (pose := _pose(seen, name, look)) is not None]
        if len(poses) < 2:
            continue
        shown = seen.clip_FHWC[frame].astype(np.float32)
        empty = np.zeros_like(shown)
        both = np.minimum(paint(poses[0], empty)[1], paint(poses[1], empty)[1]) > 0.7
        if not both.any():
            continue
        back = backdrop(shown)
        for order, (near, far) in enumerate((poses, poses[::-1])):
            picture = paint(near, paint(far, back)[0])[0]
            errors[order] += float(np.minimum(np.square(shown - picture).mean(-1), 60.0**2)[both].sum())
    return bool(errors[0] < errors[1]) if errors.any() else None


def _pose(seen: Watched, name: str, look: int) -> Pose | None:
    """A thing's pose in a look; None before it is first seen and after it is last seen."""
    frames, frame = seen.tracks[name].frames, seen.looks[look]
    return seen.pose(name, frame) if frames[0] <= frame <= frames[-1] else None


_JUDGES: dict[str, Callable[[Watched, Claim], bool | None]] = {
    **dict.fromkeys(("enter", "leave", "land", "takeoff", "hide", "hit", "open", "emerge"), _event),
    "motion": _motion,
    "return": _return,
    "before": in_order,
    "cause": _cause,
    "size": _size,
    "speed": _speed,
    "pace": _pace,
    "depth": _depth,
}
