# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Stories: pure in their seed, told as they happen, true by measured events, the same without their cause up to it."""

import json

import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest

from vidgen.worlds import story_words, words
from vidgen.worlds.captions import Claim, caption, claims, read_caption
from vidgen.worlds.motion import Act, screen_poses
from vidgen.worlds.render import Event, ground_truth, render
from vidgen.worlds.scene import Scene, SceneConfig, draw_scene, pair_held_out, scene_from_dict
from vidgen.worlds.shapes import contact, cover, mask
from vidgen.worlds.sprites import load_atlas
from vidgen.worlds.stage import CLOSE, Actor, Raster, Stage
from vidgen.worlds.story import CAUSES, RASTERED, THEMES, StoryConfig, draw_story, without_cause

seeds = st.integers(0, 2**32)
themes = st.sampled_from(THEMES)


def story(kind: str, seed: int, frames: int = 17, **more) -> Scene:
    return draw_story(StoryConfig(kind=kind, frames=max(frames, 33) if kind == "parts" else frames, **more), seed)


@hypothesis.settings(max_examples=25, deadline=None)
@hypothesis.given(themes, seeds, st.sampled_from([17, 40, 481]), st.sampled_from([(64, 64), (96, 64), (48, 80)]))
def test_a_story_is_pure_in_its_seed_and_survives_json(kind, seed, frames, shape) -> None:
    width, height = shape
    scene = story(kind, seed, frames, width=width, height=height)
    assert scene == story(kind, seed, frames, width=width, height=height)
    assert scene == scene_from_dict(json.loads(json.dumps(scene.to_dict())))
    assert scene.theme == kind
    assert all(beat.end < scene.frames for beat in scene.story)


@hypothesis.settings(max_examples=80, deadline=None)
@hypothesis.given(
    themes, seeds, st.integers(0, 2**16), st.sampled_from(["short", "descriptive"]), st.sampled_from([17, 33, 481])
)
def test_a_storys_caption_reads_back_to_what_is_true(kind, seed, words_seed, style, frames) -> None:
    scene = story(kind, seed, frames)
    text = caption(scene, words_seed, style)
    said = read_caption(text)
    assert said and said <= claims(scene), (text, said - claims(scene))
    core = {
        "order": "before",
        "parts": "before",
        "return": "return",
        "count": "number",
        "size": "size",
        "depth": "depth",
    }
    if kind in core:
        assert any(claim.kind == core[kind] for claim in said), text
    if kind in CAUSES:
        assert any(claim.kind in ("cause", "hit", "open", "emerge") for claim in said), text


def when(claim_kind: str, subject: str, scene: Scene, events: tuple[Event, ...]) -> list[int]:
    """Frames of measured events that a claim's event may be, by another road than the claims themselves."""
    names = [thing.concept for thing in scene.objects]
    kinds = {
        "enter": ("enters",), "leave": ("leaves",), "land": ("enters",), "takeoff": ("leaves",), "motion": ("starts",),
        "hide": ("vanishes",), "return": ("reappears",), "hit": ("touches",), "open": ("opens",),
        "emerge": ("reappears",),
    }[claim_kind]  # fmt: skip
    return [event.frame for event in events if event.kind in kinds and names[event.subject] == subject]


@hypothesis.settings(max_examples=25, deadline=None)
@hypothesis.given(st.sampled_from(["order", "parts", "return", *CAUSES]), seeds)
def test_what_captions_tell_of_events_is_measured_in_this_order(kind, seed) -> None:
    """The truth is taken from masks and paths in each frame, and knows nothing of the story."""
    scene = story(kind, seed)
    events = ground_truth(scene).events
    told = {claim for words_seed in range(4) for claim in read_caption(caption(scene, words_seed))}
    for claim in told:
        if claim.kind in ("enter", "leave") and claim.value:
            sides = [(event.kind[:5], event.side) for event in events if event.kind in ("enters", "leaves")]
            assert (claim.kind, claim.value) in sides
        if claim.kind == "motion" and claim.value in ("left", "right", "up", "down"):
            assert any(event.kind == "starts" and event.side == claim.value for event in events)
        if claim.kind == "before":
            first, second = claim.value.split(">")
            earlier, later = when(first, claim.subject, scene, events), when(second, claim.other, scene, events)
            assert earlier and later, (claim, events)
            assert min(earlier) <= max(later), (claim, events)
            if claim.subject != claim.other and kind == "order" and "motion" not in claim.value:
                assert max(earlier) < min(later), (claim, events)


@hypothesis.settings(max_examples=30, deadline=None)
@hypothesis.given(st.sampled_from(CAUSES), seeds)
def test_without_its_cause_a_scene_is_the_same_until_the_cause_begins(kind, seed) -> None:
    scene = story(kind, seed)
    other = without_cause(scene)
    begins = scene.story[0].start
    clip, still = render(scene), render(other)
    assert begins >= 2
    assert np.array_equal(clip[: begins + 1], still[: begins + 1])
    assert (still == still[0]).all()
    assert not np.array_equal(clip[-1], still[-1])
    # The effect's path differs from its own beginning on, and not before.
    effect = next(beat for beat in scene.story if beat.cause != -1)
    paths = [
        np.stack([one.x_FN[:, effect.subject], one.y_FN[:, effect.subject]])
        for one in map(screen_poses, (scene, other))
    ]
    differs_F = np.abs(paths[0] - paths[1]).max(0) > 1e-9
    assert not differs_F[: effect.start + 1].any() and differs_F[effect.start + 1 :].all()
    text = caption(other, 0)
    said = read_caption(text)
    assert said <= claims(other) and not any(claim.kind in ("cause", "hit", "emerge") for claim in said)
    unseen = [thing.concept for thing in other.objects if thing.unseen]
    assert len(unseen) == 1 and Claim("object", unseen[0]) not in said


@hypothesis.settings(max_examples=15, deadline=None)
@hypothesis.given(seeds)
def test_what_hides_is_out_of_sight_and_comes_back(seed) -> None:
    scene = story("return", seed)
    visible_F = ground_truth(scene).visible_FN[:, 0]
    hide, back = scene.story
    assert visible_F[0] > 0.7 and visible_F[-1] > 0.7
    assert (visible_F[hide.end : back.start + 1] < 0.05).all()
    way = "through" if hide.side == back.side else "back"
    assert Claim("return", scene.objects[0].concept, way) in claims(scene)


@hypothesis.settings(max_examples=15, deadline=None)
@hypothesis.given(st.sampled_from(["push", "knock"]), seeds)
def test_things_touch_when_one_hits_the_other_and_not_before(kind, seed) -> None:
    scene = story(kind, seed)
    touches = [event.frame for event in ground_truth(scene).events if event.kind == "touches"]
    hit = scene.story[0]
    # Within a pixel's width: the masks are those of 64 pixels.
    assert touches and hit.start < min(touches) <= hit.end + 1
    assert min(touches) >= hit.end - 2


def test_counts_are_right_and_things_are_apart() -> None:
    for seed in range(30):
        scene = story("count", seed, frames=1)
        number = len(scene.objects)
        assert Claim("number", scene.objects[0].concept, str(number)) in claims(scene)
        assert ground_truth(scene).visible_FN.min() > 0.85
    drawn = {len(story("count", seed, counts=(2, 3)).objects) for seed in range(20)}
    assert drawn == {2, 3}


@hypothesis.settings(max_examples=80, deadline=None)
@hypothesis.given(st.sampled_from(RASTERED), seeds)
def test_on_a_raster_things_stand_and_go_by_whole_steps(kind, seed) -> None:
    raster = Raster(step=0.125)
    scene = story(kind, seed, counts=(1, 4), raster=raster)
    assert {thing.size for thing in scene.objects} <= {0.375, 0.5, 0.625}
    edges = [at - thing.size / 2 for thing in scene.objects for at in (thing.x, thing.y)]
    # A door turns on its hinge.
    ways = [way for thing in scene.objects for act in thing.acts if act.wide == 1 for way in (act.dx, act.dy)]
    assert all(number % 0.125 == 0 for number in (*edges, *ways)), (edges, ways)
    assert all(at % 4 == 0 and at <= 16 for beat in scene.story for at in (beat.start, beat.end))
    said = read_caption(caption(scene, seed))
    assert said and said <= claims(scene)
    if kind == "order":
        first, second = sorted(scene.story, key=lambda beat: beat.start)
        assert first.end <= second.start and any(claim.kind == "before" for claim in said)


def test_on_a_raster_what_is_counted_stands_apart() -> None:
    for seed in range(20):
        things = story("count", seed, frames=1, counts=(3, 4), raster=Raster(step=0.125)).objects
        for row, thing in enumerate(things):
            assert all(max(abs(thing.x - one.x), abs(thing.y - one.y)) >= 0.5 for one in things[:row])


def test_on_a_raster_the_better_hiding_place_is_taken() -> None:
    place = Stage((1.0, 1.0), 17, draw_scene(SceneConfig(), 0).place, np.random.default_rng(0), Raster(step=0.125))
    for name in ("ghost", "mushroom", "apple", "house"):
        front, back = Actor(name, 0.625, 0, 0), Actor("dog", 0.375, 0, 0)
        dx, dy, share = place.hiding(front, back)
        assert (dx, dy) in ((0, 0), (0, 0.125))
        assert share == max(cover(front.mask(), back.mask(), 0, at) for at in (0.0, 0.125))


def test_on_a_raster_something_hides_wholly_and_pushes_what_it_touches() -> None:
    for seed in range(6):
        scene = story("return", seed, raster=Raster(step=0.125))
        assert ground_truth(scene).visible_FN[4:8, 0].max() < 0.05
        scene = story("push", seed, raster=Raster(step=0.125))
        hit = next(beat for beat in scene.story if beat.kind == "hit")
        seen = screen_poses(scene)
        gap = abs(seen.x_FN[hit.end, 0] - seen.x_FN[hit.end, 1]) / 64
        assert gap == pytest.approx(0.375)
        one, other = (thing.concept for thing in scene.objects)
        side = "right" if scene.objects[0].x < scene.objects[1].x else "left"
        masks = (mask(thing.concept, thing.size, thing.flip) for thing in scene.objects)
        touch = contact(*masks, 0.0, side)
        assert touch is not None and touch > 0.375 - CLOSE, (one, other)


def test_a_raster_changes_where_things_are_and_not_who_they_are() -> None:
    for seed in range(8):
        on, off = (story("count", seed, counts=(1, 4), raster=raster) for raster in (Raster(), None))
        assert [thing.concept for thing in on.objects] == [thing.concept for thing in off.objects]
        assert on != off


def test_a_minute_is_told_part_by_part() -> None:
    scene = story("parts", 5, frames=481)
    assert len(scene.story) >= 3 and scene.frames == 481
    ends = [beat.end for beat in scene.story]
    assert ends == sorted(ends) and ends[-1] > 300
    said = {claim for seed in range(6) for claim in read_caption(caption(scene, seed)) if claim.kind == "before"}
    first, last = scene.objects[scene.story[0].subject].concept, scene.objects[scene.story[-1].subject].concept
    assert any(claim.subject == first and claim.other == last for claim in said)


def test_splits_keep_pairs_apart() -> None:
    for kind in ("order", "push", "size"):
        for seed in range(20):
            one, other = (thing.concept for thing in story(kind, seed, split="train").objects)
            assert not pair_held_out(one, other)
            one, other = (thing.concept for thing in story(kind, seed, split="heldout").objects)
            assert pair_held_out(one, other)


def test_any_kind_draws_them_all() -> None:
    assert {draw_story(StoryConfig(frames=33), seed).theme for seed in range(80)} == set(THEMES)
    assert "parts" not in StoryConfig(frames=17).kinds()


def test_acts_add_up_and_rest_between() -> None:
    scene = story("order", 1)
    still = Scene(0, 64, 64, 9, scene.place, scene.camera, (scene.objects[0],))
    acts = (Act(0, 2, dx=0.2), Act(4, 6, dx=-0.1, dy=0.3, pace="gaining"), Act(6, 8, wide=0.5, around=True))
    moved = Scene(0, 64, 64, 9, scene.place, scene.camera, (type(scene.objects[0])("dog", 0.3, 0.0, 0.0, acts=acts),))
    seen = screen_poses(moved)
    np.testing.assert_allclose((seen.x_FN[:, 0] - 32) / 64, [0, 0.1, 0.2, 0.2, 0.2, 0.175, 0.1, 0.1, 0.1])
    np.testing.assert_allclose((seen.y_FN[:, 0] - 32) / 64, [0, 0, 0, 0, 0, 0.075, 0.3, 0.3, 0.3])
    np.testing.assert_allclose(seen.wide_FN[:, 0], [1, 1, 1, 1, 1, 1, -1, -0.75, -0.5])
    assert still.frames == moved.frames


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"kind": "opera"}, "kind must be taken"),
        ({"kind": "parts", "frames": 9}, "frames must be at least 25"),
        ({"kind": "open", "concepts": ("dog", "cat")}, "door"),
        ({"kind": "count", "split": "heldout"}, "no pairs"),
        ({"counts": (0, 3)}, "counts"),
        ({"concepts": ("unknown",)}, "no concept"),
        ({"kind": "parts", "frames": 33, "raster": Raster()}, "kind must be taken from any, order, return"),
        ({"kind": "speed", "raster": Raster(), "width": 96}, "square"),
        ({"kind": "order", "raster": Raster(), "frames": 13}, "more than 16"),
        ({"kind": "count", "raster": Raster()}, "four things"),
        ({"kind": "size", "raster": Raster(small=0.5, large=0.4)}, "large between small and 1"),
    ],
)
def test_wrong_requests_are_refused(wrong, says) -> None:
    with pytest.raises(ValueError, match=says):
        StoryConfig(**wrong)


def test_a_story_without_a_cause_says_so() -> None:
    with pytest.raises(ValueError, match="has no cause"):
        without_cause(story("order", 0))
    with pytest.raises(ValueError, match="has no cause"):
        without_cause(draw_scene(SceneConfig(), 0))


def test_acts_are_checked() -> None:
    with pytest.raises(ValueError, match="start < end"):
        Act(3, 3)
    with pytest.raises(ValueError, match="pace"):
        Act(0, 1, pace="wild")


DOG_ROCKET = {("leave", "dog"), ("land", "rocket"), ("before", "dog", "leave>land", "rocket")}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("first the dog leaves, then a rocket lands", DOG_ROCKET),
        ("a rocket lands after the dog leaves", DOG_ROCKET),
        ("before a rocket lands, the dog leaves", DOG_ROCKET),
        ("the dog leaves. Then a rocket lands.", DOG_ROCKET),
        (
            "the basketball hits the robot and the robot moves to the right",
            {("hit", "basketball", "", "robot"), ("motion", "robot", "right")},
        ),
        (
            "the cat goes behind the tree and comes back",
            {("hide", "cat", "", "tree"), ("return", "cat", "back"), ("before", "cat", "hide>return", "cat")},
        ),
        (
            "a door opens, so a cat comes out",
            {("open", "door"), ("emerge", "cat"), ("before", "door", "open>emerge", "cat")},
        ),
        ("three apples", {("number", "apple", "3")}),
        ("The dog is larger than the cat.", {("size", "dog", "larger", "cat")}),
        ("a fast octopus moves to the left", {("speed", "octopus", "fast"), ("motion", "octopus", "left")}),
        ("the dog passes in front of the bus", {("depth", "dog", "front", "bus")}),
    ],
)
def test_known_captions_read_as_they_should(text, expected) -> None:
    assert {claim for claim in read_caption(text) if claim.kind != "object"} == {Claim(*one) for one in expected}


@pytest.mark.parametrize("text", ["then", "the dog leaves after", "three apple", "a slowly dog", "seven apples"])
def test_half_a_story_is_refused(text) -> None:
    with pytest.raises(ValueError, match="cannot read"):
        read_caption(text)


def test_every_name_is_read_back_with_an_adjective() -> None:
    for concept in load_atlas().concepts:
        for word in (concept.name, *concept.synonyms):
            for article in ("a", "the"):
                said = read_caption(f"{article} slow {word} on a red background")
                assert {Claim("object", concept.name), Claim("speed", concept.name, "slow")} <= said, word


def test_every_plural_is_read_back() -> None:
    concepts = [one for one in load_atlas().concepts if one.name not in words.UNIQUE]
    for number, concept in enumerate(concepts):
        many = 1 + number % 6
        assert read_caption(story_words.counted(concept.name, many)) == {
            Claim("object", concept.name),
            Claim("number", concept.name, str(many)),
        }
    assert [story_words.plural(one) for one in ("slice of pizza", "cherry", "bus", "monkey", "maple leaf")] == [
        *("slices of pizza", "cherries", "buses", "monkeys", "maple leaves"),
    ]
