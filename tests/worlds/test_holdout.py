# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Nothing of what is held out is in training, every held-out scene has some of it, and about a tenth is held out."""

import itertools

import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest

from vidgen.data.builders.worlds import WorldsOptions
from vidgen.worlds.captions import caption, claims, read_caption
from vidgen.worlds.holdout import (
    AXES,
    FASTEST,
    SIZES,
    SplitConfig,
    combination_held_out,
    combinations,
    held_out_axes,
    speeds,
)
from vidgen.worlds.motion import screen_poses
from vidgen.worlds.scene import SceneConfig, pair_held_out
from vidgen.worlds.sprites import load_atlas
from vidgen.worlds.story import StoryConfig, draw_story, without_cause

NAMES = [concept.name for concept in load_atlas().concepts]
BOTH = (SceneConfig(), StoryConfig())
seeds = st.integers(0, 2**40)


@hypothesis.settings(max_examples=30, deadline=None)
@hypothesis.given(seeds)
def test_nothing_that_is_held_out_leaks_into_training(seed) -> None:
    """Looked for from scratch: in what a scene's captions say, in its things, places, sizes and paths."""
    scene = SplitConfig(BOTH).draw(seed)
    names = {thing.concept for thing in scene.objects}
    assert not any(pair_held_out(a, b) for a, b in itertools.combinations(names, 2))
    assert not any(combination_held_out("place", name, scene.place.name) for name in names)
    assert all(SIZES[0] <= thing.size <= SIZES[1] for thing in scene.objects)
    said = {claim for words_seed in range(6) for claim in read_caption(caption(scene, words_seed))}
    for claim in said:
        if claim.kind == "relation":
            assert not combination_held_out("relation", claim.value, claim.subject, claim.other)
        if claim.kind == "motion":
            assert not combination_held_out("motion", claim.subject, f"motion {claim.value}")
        if claim.kind in ("land", "takeoff", "hide", "hit", "emerge"):
            assert not combination_held_out("motion", claim.subject, claim.kind)
    seen = screen_poses(scene)
    for beat in scene.story:
        if beat.kind == "motion":
            way = max(
                abs(path_FN[beat.end, beat.subject] - path_FN[beat.start, beat.subject]) / side
                for path_FN, side in ((seen.x_FN, scene.width), (seen.y_FN, scene.height))
            )
            assert way * 8 / (beat.end - beat.start) <= FASTEST


@pytest.mark.parametrize("axis", AXES)
def test_each_axis_splits_scenes_in_two(axis) -> None:
    for seed in range(8):
        for scenes in BOTH:
            train, held = (SplitConfig((scenes,), (axis,), split).draw(seed) for split in ("train", "heldout"))
            assert axis not in held_out_axes(train)
            assert axis in held_out_axes(held)


@hypothesis.settings(max_examples=15, deadline=None)
@hypothesis.given(seeds, st.sampled_from(["train", "heldout"]))
def test_a_split_is_pure_in_its_seed(seed, split) -> None:
    config = SplitConfig(BOTH, ("pair", "motion"), split)
    assert config.draw(seed) == config.draw(seed)


def test_about_a_tenth_is_held_out_whoever_is_named_first() -> None:
    pairs = list(itertools.combinations(NAMES[:60], 2))
    for axis, parts in (
        ("relation", [("left", a, b) for a, b in pairs]),
        ("motion", [(name, f"motion {way}") for name in NAMES for way in ("left", "right", "spin")]),
        ("place", [(name, place) for name in NAMES for place in ("moon", "red", "sea")]),
    ):
        assert 0.07 < np.mean([combination_held_out(axis, *one) for one in parts]) < 0.13
    for a, b in pairs[:300]:
        assert combination_held_out("relation", "left", a, b) == combination_held_out("relation", "right", b, a)
        assert combination_held_out("relation", "above", a, b) == combination_held_out("relation", "below", b, a)
        assert combination_held_out("pair", a, b) == combination_held_out("pair", b, a)
    # Left of and right of are two things to learn.
    assert any(
        combination_held_out("relation", "left", a, b) != combination_held_out("relation", "left", b, a)
        for a, b in pairs[:300]
    )
    # A data set that was trained on must not change with a Python or NumPy version.
    assert [name for name in NAMES[:60] if combination_held_out("place", name, "moon")] == [
        *("firefighter", "superhero", "king", "alien", "dog", "horse"),
    ]


def test_what_is_never_seen_is_no_combination() -> None:
    scene = draw_story(StoryConfig(kind="push"), 4)
    other = without_cause(scene)
    assert not any(axis == "pair" for axis, *_ in combinations(other))
    assert any(axis == "pair" for axis, *_ in combinations(scene))
    assert claims(other) != claims(scene) and not speeds(other)


def test_a_split_is_as_large_as_its_scenes_and_shows_what_they_show() -> None:
    shape = {"width": 32, "height": 48, "frames": 9}
    parts = (
        SceneConfig(**shape, objects=(1, 1), concepts=("dog", "cat")),
        StoryConfig("push", **shape | {"frames": 13}, concepts=("cat", "rocket")),
    )
    with pytest.raises(ValueError, match=r"\(9, 48, 32\), \(13, 48, 32\)"):
        SplitConfig(parts)
    mixed = SplitConfig((parts[0], SceneConfig(**shape, concepts=("rocket", "cat"), objects=(1, 2))))
    scene = mixed.draw(0)
    assert (mixed.frames, mixed.height, mixed.width) == (scene.frames, scene.height, scene.width) == (9, 48, 32)
    assert mixed.concepts == ("dog", "cat", "rocket")
    assert SplitConfig(BOTH).concepts is None


def test_wrong_requests_are_refused() -> None:
    with pytest.raises(ValueError, match="axes must be taken"):
        SplitConfig(BOTH, ("colour",))
    with pytest.raises(ValueError, match="split 'all'"):
        SplitConfig((SceneConfig(split="train"),))
    with pytest.raises(ValueError, match="train or heldout"):
        SplitConfig(BOTH, split="all")
    with pytest.raises(ValueError, match="held out along"):
        combination_held_out("colour", "red", "dog")
    alone = SceneConfig(objects=(1, 1), concepts=("dog",), frames=1)
    with pytest.raises(ValueError, match="found no scene"):
        SplitConfig((alone,), ("pair",), "heldout").draw(0)
    for wrong in ({"holdout": ("colour",)}, {"holdout": ()}, {"plain": False}):
        with pytest.raises(ValueError, match=r"holdout|stories"):
            WorldsOptions(**wrong)


def test_a_data_set_of_stories_is_half_of_stories() -> None:
    options = WorldsOptions(stories=("order", "push"), holdout=("pair", "place"))
    for split in ("train", "heldout"):
        drawn = [options.scene_config(split).draw(seed) for seed in range(30)]
        assert 0.25 < np.mean([bool(scene.theme) for scene in drawn]) < 0.75
        assert all(bool({"pair", "place"} & set(held_out_axes(scene))) == (split == "heldout") for scene in drawn)
    assert all(WorldsOptions(stories=("count",), plain=False).scene_config("train").draw(s).theme for s in range(9))
    assert WorldsOptions().scene_config("train") == SceneConfig(split="train")
