# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""A caption that is dropped is the empty one, whether captions share a row or not."""

import jax.numpy as jnp
import pytest

from vidgen.models.text import TextConfig
from vidgen.train.flow import LaidOut, drop_captions


def laid(text: list[int], captions: list[int] | None) -> LaidOut:
    owners = None if captions is None else jnp.array([captions])
    return LaidOut(None, 0, jnp.array([text]), owners, jnp.ones((1, 3)), None)  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(
    ("start", "empty", "expected"),
    [
        (True, (), [0, 7, 8, 0, 0, 0, 0, 5, 0]),
        (True, (9,), [0, 7, 8, 0, 9, 0, 0, 5, 0]),
        (False, (9,), [0, 7, 8, 9, 0, 0, 0, 5, 0]),
    ],
)
def test_a_dropped_caption_of_a_row_leaves_the_others_alone(start: bool, empty: tuple, expected: list) -> None:
    row = laid([0, 7, 8, 0, 3, 4, 0, 5, 0], [1, 1, 1, 2, 2, 2, 3, 3, 0])
    found = drop_captions(TextConfig(start=start), row, jnp.array([[False, True, False]]), empty)
    assert found.tolist() == [expected]


def test_what_fills_up_a_row_stays_empty() -> None:
    row = laid([3, 4, 5, 0, 0], [1, 1, 2, 0, 0])
    found = drop_captions(TextConfig(start=False), row, jnp.array([[True, False, False]]), (9,))
    assert found.tolist() == [[9, 0, 5, 0, 0]]


def test_a_dropped_caption_alone() -> None:
    for dropped, expected in ((True, [9, 0, 0]), (False, [7, 8, 0])):
        found = drop_captions(TextConfig(), laid([7, 8, 0], None), jnp.array([[dropped]]), (9,))
        assert found.tolist() == [expected]
