# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Judges see on true renders what captions claim; and not in a mirror, reversed in time, or without the cause."""

from dataclasses import replace

import numpy as np
import pytest

from vidgen.worlds.captions import Claim, claims
from vidgen.worlds.detect import DetectorConfig, build_detector
from vidgen.worlds.judge import caused, distinct, goes, in_front, judge, number_of, path_change, when
from vidgen.worlds.motion import Act, Beat, Camera, Scene, SceneObject
from vidgen.worlds.places import Place
from vidgen.worlds.render import render
from vidgen.worlds.story import CAUSES, StoryConfig, draw_story, without_cause
from vidgen.worlds.watch import Watched, happenings, rate, watch


def watched(scene: Scene, clip=None) -> Watched:
    return watch(render(scene) if clip is None else clip, [thing.concept for thing in scene.objects])


def verdicts(kind: str, key: tuple[str, ...], seeds: range, frames: int = 17, turn=None) -> list[bool | None]:
    """What is judged of the claims of some kinds that are true of stories; turn: what is done to the clips."""
    found = []
    for seed in seeds:
        scene = draw_story(StoryConfig(kind=kind, frames=frames), seed)
        clip = render(scene)
        seen = watched(scene, clip if turn is None else np.ascontiguousarray(turn(clip)))
        found += [judge(seen, one) for one in sorted(claims(scene), key=str) if one.kind in key]
    return found


@pytest.mark.parametrize(
    ("kind", "key"),
    [
        ("order", ("before", "enter", "leave", "land", "takeoff")),
        ("return", ("return", "hide")),
        ("push", ("cause", "hit")),
        ("knock", ("cause", "hit")),
        ("open", ("cause", "open", "emerge")),
        ("count", ("number",)),
        ("size", ("size",)),
        ("speed", ("speed", "pace")),
        ("depth", ("depth",)),
    ],
)
def test_what_is_true_is_seen(kind, key) -> None:
    # Floors of hundreds are measured elsewhere; of a few clips all must be right.
    found = verdicts(kind, key, range(700, 702))
    assert found and all(one is True for one in found), found


def test_reversed_in_time_nothing_is_in_order() -> None:
    found = verdicts("order", ("before",), range(700, 702), turn=lambda clip: clip[::-1])
    assert found and not any(found), found


def test_in_a_mirror_sides_are_wrong() -> None:
    scene = draw_story(StoryConfig(kind="push"), 3)
    seen = watched(scene, np.ascontiguousarray(render(scene)[:, :, ::-1]))
    sides = [one for one in claims(scene) if one.kind in ("motion", "enter") and one.value in ("left", "right")]
    assert sides and not any(judge(seen, one) for one in sides)


@pytest.mark.parametrize("kind", CAUSES)
def test_without_a_cause_there_is_no_effect(kind) -> None:
    scene = draw_story(StoryConfig(kind=kind), 11)
    other = without_cause(scene)
    effect = next(beat for beat in scene.story if beat.cause != -1)
    cause = scene.story[effect.cause].subject
    names = [scene.objects[cause].concept, scene.objects[effect.subject].concept]
    seen, without = watched(scene), watched(scene, render(other))
    assert caused(seen, *names, kind) is True
    assert not caused(without, *names, kind)
    assert goes(seen, names[1]) > 0.2 and (goes(without, names[1]) or 0.0) < 0.03
    change_L2 = path_change(seen, without, names[1])
    if kind == "open":
        assert np.isnan(change_L2).all()  # it never comes out
    else:
        assert np.abs(change_L2[: effect.start]).max() < 0.02 and np.abs(change_L2[-1]).max() > 0.2


def scene_of(*objects: SceneObject, story: tuple[Beat, ...] = (), frames: int = 17, place: str = "white") -> Scene:
    return Scene(0, 64, 64, frames, Place(place), Camera(), objects, story, "order" if story else "")


def test_events_are_found_where_they_are() -> None:
    comes = SceneObject("dog", 0.3, -0.75, 0.2, acts=(Act(2, 8, dx=0.6),))
    goes_up = SceneObject("rocket", 0.3, 0.25, 0.1, acts=(Act(9, 15, dy=-0.85),))
    seen = watched(scene_of(comes, goes_up))
    kinds = [(one.kind, one.side) for one in happenings(seen, "dog")]
    assert kinds == [("enter", "left"), ("motion", "right")]
    assert [(one.kind, one.side) for one in happenings(seen, "rocket")] == [("motion", "up"), ("leave", "up")]
    assert 3 <= when(seen, "dog", "enter") <= 6 and 12 <= when(seen, "rocket", "leave", "up") <= 15
    assert when(seen, "dog", "leave") is None
    assert judge(seen, Claim("before", "dog", "enter>takeoff", "rocket")) is True
    assert judge(seen, Claim("before", "rocket", "takeoff>enter", "dog")) is False
    assert judge(seen, Claim("before", "dog", "enter>leave", "cat")) is None
    with pytest.raises(ValueError, match="not judged here"):
        judge(seen, Claim("place", value="moon"))


def test_a_push_without_a_touch_is_no_cause() -> None:
    # The robot goes before the ball is near; and: it goes while the ball stays away.
    robot = SceneObject("robot", 0.3, 0.0, 0.0, acts=(Act(3, 8, dx=0.32),))
    late = SceneObject("apple", 0.3, -0.72, 0.0, acts=(Act(8, 14, dx=0.4),))
    assert caused(watched(scene_of(robot, late)), "apple", "robot", "push") is False
    away = SceneObject("apple", 0.28, -0.35, -0.35)
    aside = SceneObject("robot", 0.28, 0.05, 0.1, acts=(Act(3, 8, dx=0.3),))
    assert caused(watched(scene_of(aside, away)), "apple", "robot", "push") is False


def test_speed_is_measured_in_shares_of_the_frame_a_second() -> None:
    seen = watched(scene_of(SceneObject("car", 0.3, -0.3, 0.0, acts=(Act(2, 12, dx=0.6),))))
    assert rate(seen, "car") == pytest.approx(0.6 * 8 / 10, rel=0.05)
    assert rate(seen, "dog") is None


def test_the_nearer_one_is_in_front() -> None:
    for near, far, first in (("dog", "bus", True), ("bus", "dog", False)):
        things = [
            SceneObject(name, 0.36, 0.0 if name == "bus" else 0.1, 0.05, float(name == far)) for name in (near, far)
        ]
        assert in_front(watched(scene_of(*things, frames=3)), "dog", "bus") is first
    apart = [SceneObject("dog", 0.3, -0.3, 0.0), SceneObject("bus", 0.3, 0.3, 0.0)]
    assert in_front(watched(scene_of(*apart, frames=3)), "dog", "bus") is None


def test_what_is_found_twice_at_one_place_counts_once() -> None:
    scene = draw_story(
        StoryConfig(kind="count", counts=(4, 4), concepts=("life ring",), frames=1, places=("white",)), 0
    )
    one = build_detector(DetectorConfig(concepts=("life ring",)))(render(scene))[0][0]
    beside = replace(one, x=one.x + 0.5 * one.size)
    assert distinct([one, replace(one, x=one.x + 0.3 * one.size, score=0.5), beside]) == 2


@pytest.mark.parametrize("number", [1, 4, 6])
def test_numbers_are_counted_among_look_alikes(number) -> None:
    scene = draw_story(
        StoryConfig(kind="count", counts=(number, number), concepts=("apple", "tomato"), frames=1), number
    )
    name = scene.objects[0].concept
    other = {"apple": "tomato", "tomato": "apple"}[name]
    clip = render(scene)
    assert number_of(clip, name, others=(other,)) == number
    assert number_of(clip, other, others=(name,)) < number
