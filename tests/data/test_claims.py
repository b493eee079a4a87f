# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Captions as arrays of claims: what is in the arrays is what the caption says, and no more."""

import dataclasses

import numpy as np
import pytest

from vidgen.data.claims import ATTRIBUTES, SETTINGS, SUBJECTS, ClaimSource, claim_arrays, claim_batches
from vidgen.data.tokenizer import load_tokenizer
from vidgen.worlds.scene import FIRST_LIGHT_SCENES

CONCEPTS = ("cat", "dog", "rocket", "moon")
DOORS = ("door", "cat")
SOURCE = ClaimSource(
    dataclasses.replace(FIRST_LIGHT_SCENES, concepts=CONCEPTS, split="all"), CONCEPTS, load_tokenizer(), 24, 100, 3
)


def said_of(arrays: dict, name: str) -> set[tuple[str, str]]:
    row = list(arrays["subject_N"]).index(CONCEPTS.index(name))
    return {ATTRIBUTES[i] for i in np.flatnonzero(arrays["attributes_NO"][row])}


def test_each_claim_is_bound_to_its_thing() -> None:
    arrays = claim_arrays("a dog moves to the left on a blue background while a rocket moves up", CONCEPTS)
    np.testing.assert_array_equal(arrays["named_O"], [0, 1, 1, 0])
    assert said_of(arrays, "dog") == {("motion", "left")}
    assert said_of(arrays, "rocket") == {("motion", "up")}
    assert [SETTINGS[i] for i in np.flatnonzero(arrays["settings_O"])] == [("place", "blue")]
    assert arrays["attributes_NO"].shape == (SUBJECTS, len(ATTRIBUTES))


def test_a_relation_is_said_of_both() -> None:
    arrays = claim_arrays("a cat to the left of a dog on a yellow background", CONCEPTS)
    assert said_of(arrays, "cat") == {("relation", "left")}
    assert said_of(arrays, "dog") == {("relation", "right")}


def test_a_story_is_said_of_who_does_it_and_to_whom() -> None:
    """Who is first and who hits whom is bound to the thing, as motion is."""
    arrays = claim_arrays("The door opens, so the cat moves out on a gray background.", DOORS)
    row = list(arrays["subject_N"])
    said = [{ATTRIBUTES[i] for i in np.flatnonzero(arrays["attributes_NO"][row.index(at)])} for at in (0, 1)]
    assert said == [{("open", ""), ("order", "first")}, {("emerge", ""), ("order", "later")}]
    arrays = claim_arrays("a dog runs into a cat and the cat moves to the right", CONCEPTS)
    assert said_of(arrays, "dog") == {("hit", "")}
    assert said_of(arrays, "cat") == {("hit of another", ""), ("motion", "right")}
    assert said_of(claim_arrays("three cats in a meadow", CONCEPTS), "cat") == {("number", "3")}


def test_unknown_concepts_are_an_error() -> None:
    with pytest.raises(ValueError, match="astronaut"):
        claim_arrays("an astronaut on the moon", CONCEPTS)


def test_batches_are_pure_and_resumable_and_captions_are_whole() -> None:
    batches = iter(claim_batches(SOURCE, 4, seed=1))
    first = next(batches)
    position = batches.get_state()
    second = next(batches)
    again = iter(claim_batches(SOURCE, 4, seed=1))
    again.set_state(position)
    resumed = next(again)
    assert not np.array_equal(first["text_BS"], second["text_BS"])
    for name, value in second.items():
        np.testing.assert_array_equal(value, resumed[name])
    for row_S, subjects_N in zip(first["text_BS"], first["subject_BN"], strict=True):
        text = SOURCE.tokenizer.decode([int(i) for i in row_S if i != SOURCE.tokenizer.pad_id])
        named = {CONCEPTS[i] for i in subjects_N if i >= 0}
        assert claim_arrays(text, CONCEPTS)["named_O"].sum() == len(named)


def test_a_length_that_no_caption_fits_is_an_error() -> None:
    with pytest.raises(ValueError, match="raise text_length"):
        dataclasses.replace(SOURCE, text_length=1)[0]
