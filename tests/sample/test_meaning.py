# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Unknown things become known ones that mean the same, and nothing else of a prompt changes."""

from collections.abc import Sequence

import numpy as np
import pytest

from vidgen.sample.card import CardConcept
from vidgen.sample.meaning import LEAST, reword

KNOWN = (CardConcept("cat"), CardConcept("owl", ("night owl",)), CardConcept("fire engine"), CardConcept("penguin"))
MEANS = {
    "kitten": (1.0, 0.1, 0.0, 0.0),
    "kittens": (1.0, 0.2, 0.0, 0.0),
    "tabby kitten": (0.9, 0.3, 0.1, 0.0),
    "hooter": (0.1, 1.0, 0.0, 0.0),
    "vehicle": (0.0, 0.0, 0.1, 1.0),
    "red vehicle": (0.0, 0.0, 1.0, 0.5),
    "sofa": (0.5, 0.5, 0.5, 0.5),
    "emperor": (0.0, 0.0, 0.1, 1.0),
    "sprints": (1.0, 0.0, 0.0, 0.0),
}


def encode(texts: Sequence[str]) -> np.ndarray:
    """Vectors of which each axis is a concept; what nobody has heard of is like none of them more than of others."""
    rows = []
    for text in texts:
        word = text.removeprefix("a ")
        own = [word.rstrip("s").endswith(one.name) for one in KNOWN]
        rows.append(MEANS.get(word, own if any(own) else (0.5, 0.5, 0.5, -0.5)))
    rows_ND = np.array(rows, np.float32)
    return rows_ND / np.linalg.norm(rows_ND, axis=1, keepdims=True)


@pytest.mark.parametrize(
    ("prompt", "text"),
    [
        ("a kitten moves to the left", "a cat moves to the left"),
        ("a hooter flies up", "an owl flies up"),
        ("A hooter flies up.", "An owl flies up."),
        ("the hooter and two kittens", "the owl and two cats"),
        ("a kitten, a hooter; a kitten", "a cat, an owl; a cat"),
        ("a penguin, hooter", "a penguin, owl"),
        (
            "a fluffy tabby kitten",
            "a fluffy tabby cat",
        ),  # the same thing by more words or by fewer: by what means it best
        ("a red vehicle", "a fire engine"),  # and another thing by more words: that one
        ("a vehicle", "a penguin"),
        # What is known stays, and so does what is like nothing.
        ("a cat and a penguin in the snow", "a cat and a penguin in the snow"),
        ("a sofa in a meadow", "a sofa in a meadow"),
        ("an emperor penguin", "an emperor penguin"),
        ("a cat sprints to the left", "a cat sprints to the left"),
        ("12 cats; the camera pans left", "12 cats; the camera pans left"),
        ("", ""),
    ],
)
def test_only_unknown_things_change(prompt, text) -> None:
    assert reword(prompt, KNOWN, encode).text == text


def test_changes_are_told() -> None:
    found = reword("two kittens and a hooter", KNOWN, encode)
    assert [(word, name) for word, name, _ in found.changes] == [("kittens", "cat"), ("hooter", "owl")]
    assert all(LEAST <= cosine <= 1 for *_, cosine in found.changes)
    assert reword("a hooter", KNOWN, encode, least=0.999).changes == ()
    assert reword("a cat", KNOWN, encode).changes == ()


def test_a_model_that_knows_nothing_by_name_changes_nothing() -> None:
    assert reword("a kitten", (), encode).text == "a kitten"
