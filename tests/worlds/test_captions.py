# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Captions: never false, read back to what they say, of the promised lengths, and in many phrasings."""

import re

import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest

from vidgen.worlds import words
from vidgen.worlds.captions import Claim, caption, claims, read_caption
from vidgen.worlds.motion import screen_poses
from vidgen.worlds.scene import Camera, Motion, Place, Scene, SceneConfig, SceneObject, draw_scene
from vidgen.worlds.sprites import load_atlas

configs = st.builds(
    SceneConfig,
    width=st.sampled_from([64, 96]),
    frames=st.sampled_from([1, 9, 17, 33]),
    crossings=st.sampled_from([0.1, 0.8]),
)


@hypothesis.settings(max_examples=100)
@hypothesis.given(
    configs, st.integers(0, 2**32), st.integers(0, 2**16), st.sampled_from(["short", "descriptive", "any"])
)
def test_a_caption_reads_back_to_what_is_true(config: SceneConfig, seed: int, words_seed: int, style: str) -> None:
    scene = draw_scene(config, seed)
    text = caption(scene, words_seed, style)
    said = read_caption(text)
    assert said and said <= claims(scene), (text, said - claims(scene))
    if style == "descriptive":
        assert {claim.subject for claim in said if claim.kind == "object"} == {o.concept for o in scene.objects}
    length = len(text.split())
    low, high = {"short": (2, 14), "descriptive": (15, 45), "any": (2, 45)}[style]
    assert low <= length <= high, text
    assert text == caption(scene, words_seed, style)


@hypothesis.settings(max_examples=60)
@hypothesis.given(configs, st.integers(0, 2**32))
def test_claims_agree_with_where_things_are(config: SceneConfig, seed: int) -> None:
    """Directions and relations against centres on the screen, worked out here from scratch."""
    scene = draw_scene(config, seed)
    seen = screen_poses(scene)
    path = {
        thing.concept: np.stack([seen.x_FN[:, row] / scene.width, seen.y_FN[:, row] / scene.height])
        for row, thing in enumerate(scene.objects)
    }
    ways = {"left": (0, -1), "right": (0, 1), "up": (1, -1), "down": (1, 1), "above": (1, -1), "below": (1, 1)}
    for claim in claims(scene):
        if claim.kind == "motion" and claim.value in ways:
            axis, sign = ways[claim.value]
            assert sign * (path[claim.subject][axis, -1] - path[claim.subject][axis, 0]) > 0.2
        if claim.kind == "relation":
            axis, sign = ways[claim.value]
            gap = sign * (path[claim.subject][axis] - path[claim.other][axis])
            assert gap[0] > 0.25 and (gap[: (scene.frames + 1) // 2] > 0).all()
            assert Claim("relation", claim.other, words.OPPOSITE[claim.value], claim.subject) in claims(scene)


def scene_of(*objects: SceneObject, place: str = "moon", camera: Camera | None = None, frames: int = 17) -> Scene:
    return Scene(0, 64, 64, frames, Place(place, horizon=0.1), camera or Camera(), objects)


def test_claims_of_a_scene_written_by_hand() -> None:
    walker = SceneObject("astronaut", 0.4, -0.25, 0.2, motion=Motion("right", dx=0.5))
    globe = SceneObject("earth", 0.3, 0.3, -0.3)
    assert claims(scene_of(walker, globe, camera=Camera("pan left", dx=-0.1))) == {
        Claim("object", "astronaut"), Claim("object", "earth"), Claim("place", value="moon"), Claim("count", value="2"),
        Claim("camera", value="pan left"), Claim("motion", "astronaut", "right"), Claim("motion", "earth", "still"),
        Claim("relation", "astronaut", "left", "earth"), Claim("relation", "earth", "right", "astronaut"),
        Claim("relation", "astronaut", "below", "earth"), Claim("relation", "earth", "above", "astronaut"),
        Claim("position", "astronaut", "left"), Claim("position", "astronaut", "bottom"),
        Claim("position", "earth", "right"), Claim("position", "earth", "top"),
        Claim("where", "astronaut", "ground"), Claim("where", "earth", "sky"),
        Claim("number", "astronaut", "1"), Claim("number", "earth", "1"),
    }  # fmt: skip


def test_mirroring_a_scene_turns_its_claims_round() -> None:
    dog = SceneObject("dog", 0.3, -0.2, 0.0, motion=Motion("left", dx=-0.3))
    cat = SceneObject("cat", 0.3, 0.2, 0.0)
    mirrored = scene_of(
        SceneObject("dog", 0.3, 0.2, 0.0, motion=Motion("left", dx=0.3)), SceneObject("cat", 0.3, -0.2, 0.0)
    )
    assert Claim("relation", "dog", "left", "cat") in claims(scene_of(dog, cat))
    assert Claim("relation", "dog", "right", "cat") in claims(mirrored)
    assert Claim("motion", "dog", "right") in claims(mirrored) and Claim("motion", "dog", "left") not in claims(
        mirrored
    )


def test_what_is_not_clear_is_not_claimed() -> None:
    near = scene_of(SceneObject("dog", 0.3, -0.1, 0.0), SceneObject("cat", 0.3, 0.1, 0.0))
    assert not [claim for claim in claims(near) if claim.kind == "relation"]
    # The dog starts on the left, and is on the right of the cat after a quarter of the clip.
    passing = scene_of(
        SceneObject("dog", 0.3, -0.3, 0.0, motion=Motion("right", dx=1.4)), SceneObject("cat", 0.3, 0.0, 0.0)
    )
    assert not [claim for claim in claims(passing) if claim.kind == "relation"]
    # The camera follows so fast that the dog goes left on the screen.
    overtaken = scene_of(
        SceneObject("dog", 0.3, 0, 0, motion=Motion("right", dx=0.3)), camera=Camera("pan right", dx=0.6)
    )
    assert not [claim for claim in claims(overtaken) if claim.kind == "motion"]
    assert not [claim for claim in claims(scene_of(SceneObject("dog", 0.3, 0, 0), frames=1)) if claim.kind == "motion"]


DESCRIPTIVE = (
    "an astronaut walks to the right across the grey dust of the moon while the Earth hangs in the black sky; "
    "the camera pans left"
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("an astronaut", {Claim("object", "astronaut")}),
        ("a spaceman.", {Claim("object", "astronaut")}),
        (
            "an astronaut moves to the right across the moon",
            {Claim("object", "astronaut"), Claim("motion", "astronaut", "right"), Claim("place", value="moon")},
        ),
        (
            "A dog left of a cat",
            {
                *(Claim("object", "dog"), Claim("object", "cat")),
                *(Claim("relation", "dog", "left", "cat"), Claim("relation", "cat", "right", "dog")),
            },
        ),
        (
            DESCRIPTIVE,
            {
                *(Claim("object", "astronaut"), Claim("object", "earth"), Claim("place", value="moon")),
                *(Claim("motion", "astronaut", "right"), Claim("motion", "earth", "still")),
                *(Claim("where", "earth", "sky"), Claim("camera", value="pan left")),
            },
        ),
        (
            "the moon orbits the Earth on a black background",
            {
                *(Claim("object", "earth"), Claim("object", "moon"), Claim("place", value="black")),
                Claim("motion", "moon", "orbit", "earth"),
            },
        ),
    ],
)
def test_known_captions_read_as_they_should(text: str, expected: set[Claim]) -> None:
    assert read_caption(text) == expected


@pytest.mark.parametrize(
    "text", ["", "a dog eats a cat", "a dragoon", "a dog left of", "a dog moves to the moon", "on the moon a"]
)
def test_other_text_is_refused_by_name(text: str) -> None:
    with pytest.raises(ValueError, match="cannot read the caption"):
        read_caption(text)


def test_the_issued_prompt_can_be_written() -> None:
    scene = scene_of(SceneObject("astronaut", 0.4, -0.25, 0.2, motion=Motion("right", dx=0.5)))
    written = {caption(scene, seed, "short") for seed in range(2000)}
    assert "an astronaut moves to the right across the moon" in written
    assert len(written) > 150


def test_every_word_of_every_concept_is_read_back_in_every_place() -> None:
    atlas = load_atlas()
    for concept in atlas.concepts:
        for word in (concept.name, *concept.synonyms):
            for known in (False, True):
                assert read_caption(words.noun(word, known)) == {Claim("object", concept.name)}
    for place in words.place_names():
        phrases = words.place_words(place)
        for phrase in (*phrases.at, *phrases.across):
            assert read_caption(f"a dog {phrase}") == {Claim("object", "dog"), Claim("place", value=place)}


def test_articles_suit_their_nouns() -> None:
    nouns = {words.noun(word) for concept in load_atlas().concepts for word in (concept.name, *concept.synonyms)}
    assert {"an astronaut", "an hourglass", "a unicorn", "a UFO", "an umbrella", "a T-shirt", "the Earth"} <= nouns
    for noun in nouns:
        article = noun.split()[0]
        if article in ("a", "an"):
            odd = re.match(r"an? (unicorn|ufo|hourglass)", noun.lower())
            assert odd or (article == "an") == (noun.split()[1][0].lower() in "aeiou"), noun


def test_synonyms_come_in_about_a_seventh_of_captions() -> None:
    scene = scene_of(SceneObject("astronaut", 0.4, 0.0, 0.2))
    share = np.mean([bool(re.search("cosmonaut|spaceman", caption(scene, seed))) for seed in range(400)])
    assert 0.1 < share < 0.2


def test_short_captions_of_two_name_both() -> None:
    for seed in range(80):
        scene = draw_scene(SceneConfig(objects=(2, 2)), seed)
        named = {claim.subject for claim in read_caption(caption(scene, seed, "short")) if claim.kind == "object"}
        assert named == {thing.concept for thing in scene.objects}


def test_wrong_requests_are_refused() -> None:
    with pytest.raises(ValueError, match="style"):
        caption(scene_of(SceneObject("dog", 0.3, 0, 0)), 0, "long")
    with pytest.raises(ValueError, match="without objects"):
        caption(scene_of(), 0)
