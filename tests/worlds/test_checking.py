# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Captions are held against scenes claim by claim; events have times and are true."""

import itertools

import pytest

from vidgen.worlds.captions import caption, read_caption
from vidgen.worlds.checking import check, contradictions, mirrored_text, swapped_sides, total
from vidgen.worlds.claims import claims
from vidgen.worlds.event_captions import Event, event_caption, events, read_events, write_events
from vidgen.worlds.scene import FIRST_LIGHT_ON_GRID
from vidgen.worlds.story import StoryConfig

SCENES = [FIRST_LIGHT_ON_GRID.draw(seed) for seed in range(12)]
STORIES = ("order", "return", "push", "knock", "open", "count", "size", "speed", "depth")


def test_true_captions_are_true_and_others_are_not() -> None:
    own = total(check(caption(scene, 1, "descriptive"), scene) for scene in SCENES)
    assert own.true == own.said and own.said["object"] and own.unread == 0
    others = total(check(caption(scene, 1), other) for scene, other in itertools.pairwise(SCENES))
    assert others.true["object"] < 0.3 * others.said["object"]


def test_recall_counts_what_there_is_to_say() -> None:
    scene = next(scene for scene in SCENES if len(scene.objects) == 2)
    one, both = scene.objects[0].concept, scene.objects[1].concept
    assert check(f"a {one}", scene).found["object"] == 1
    assert check(f"a {one} and a {both}", scene).found["object"] == check("", scene).wanted["object"] == 2
    assert check("what is this", scene).unread == 1


def test_swapped_sides_are_told_wrong() -> None:
    texts = [(caption(scene, seed, "descriptive"), scene) for scene in SCENES for seed in range(4)]
    straight = total(check(text, scene) for text, scene in texts)
    swapped = total(check(swapped_sides(text), scene) for text, scene in texts)
    assert straight.said["side"] == straight.true["side"] == swapped.said["side"] > 0
    assert swapped.true["side"] == 0


def test_a_mirrored_text_is_true_of_the_mirrored_scene() -> None:
    said = "A bird right of a dog spins anticlockwise in the bright sky and leaves on the left, rightwards."
    turned = "A bird left of a dog spins clockwise in the bright sky and leaves on the right, leftwards."
    assert mirrored_text(said) == turned
    assert mirrored_text(mirrored_text(turned)) == turned


@pytest.mark.parametrize(
    ("one", "two", "clash"),
    [
        ("a dog moves left", "a dog moves right", True),
        ("a dog moves left", "a dog stays in place", True),
        ("a dog moves left", "a cat moves right", False),
        ("a dog left of a cat", "a cat left of a dog", True),
        ("a dog left of a cat", "a dog above a cat", False),
        ("a dog on the moon", "a dog in the desert", True),
        ("a dog; the camera is still", "a dog; the camera pans left", True),
        ("a dog; the dog is on the left side of the frame", "a dog; the dog is at the right of the frame", True),
        ("a dog; the dog is near the top of the frame", "a dog; the dog is at the left of the frame", False),
        ("a dog enters from the left", "a dog enters from the right", True),
        ("a dog enters from the left", "a dog enters", False),
    ],
)
def test_what_cannot_both_be_true(one: str, two: str, clash: bool) -> None:
    assert bool(contradictions(read_caption(one), read_caption(two))) == clash


@pytest.mark.parametrize("kind", STORIES)
def test_events_are_true_and_begin_when_they_do(kind: str) -> None:
    config = StoryConfig(kind=kind)
    for seed in range(3):
        scene = config.draw(seed)
        found = events(scene, seed)
        truth = claims(scene)
        for event in found:
            false = {claim for claim in read_caption(event.text) - truth if claim.kind != "before"}
            assert not false, event
        if kind not in ("count", "size"):
            assert [event.seconds for event in found] == sorted(beat.start / 8 for beat in scene.story)
        text = event_caption(scene, seed)
        assert read_events(text) == tuple(Event(float(f"{e.seconds:.1f}"), e.text) for e in found)
        assert write_events(read_events(text)) == text


def test_a_text_without_times_tells_no_events() -> None:
    with pytest.raises(ValueError, match="tells no events"):
        read_events("a dog enters")
