# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Silhouettes: when two touch, and how much of one hides behind another."""

import numpy as np
import pytest

from vidgen.worlds.shapes import contact, cover, fill, hiding_place, mask, spread

SQUARE = np.pad(np.ones((40, 40), np.float32), 10)
"""A square of 40 samples, 96 a world unit."""
SMALL = np.pad(np.ones((10, 10), np.float32), 5)


@pytest.mark.parametrize("side", ["left", "right", "up", "down"])
def test_squares_touch_at_half_of_both(side) -> None:
    assert contact(SMALL, SQUARE, 0.0, side) == pytest.approx(25 / 96, abs=1.5 / 96)
    assert contact(SMALL, SQUARE, 0.2, side) == pytest.approx(25 / 96, abs=1.5 / 96)
    assert contact(SMALL, SQUARE, 0.3, side) is None


@pytest.mark.parametrize(("side", "aside"), [("right", -1), ("left", -1), ("down", 1), ("up", 1)])
def test_what_is_aside_meets_another_part(side, aside) -> None:
    # A square whose upper right quarter is missing, in world coordinates, y down.
    notched = SQUARE.copy()
    notched[:30, 30:] = 0
    near = {"right": 25, "left": 5, "down": 5, "up": 25}[side]
    assert contact(SMALL, notched, aside * 0.1, side) == pytest.approx(near / 96, abs=1.5 / 96)


def test_cover_is_a_share_of_what_is_behind() -> None:
    assert cover(SQUARE, SMALL, 0.0, 0.0) == pytest.approx(1.0)
    assert cover(SQUARE, SMALL, 20 / 96, 0.0) == pytest.approx(0.5, abs=0.06)
    assert cover(SQUARE, SMALL, 0.0, 1.0) == 0.0
    assert cover(SMALL, SQUARE, 0.0, 0.0) == pytest.approx(1 / 16)


def test_the_hiding_place_is_low_and_hides_all() -> None:
    dx, dy, share = hiding_place(SQUARE, SMALL)
    assert (
        share == pytest.approx(1.0)
        and dx == pytest.approx(0.0, abs=1.5 / 96)
        and dy == pytest.approx(15 / 96, abs=1.5 / 96)
    )
    assert cover(SQUARE, SMALL, dx, dy) == pytest.approx(share, abs=1e-4)
    assert hiding_place(SMALL, SQUARE)[2] == pytest.approx(1 / 16)


def test_masks_are_of_the_concepts() -> None:
    assert spread("giraffe")[1] == pytest.approx(1.0, abs=0.02) and spread("giraffe")[0] < 0.95
    assert fill("window") > 0.9 > fill("giraffe")
    solid = mask("apple", 0.4, False)
    assert len(solid) % 2 == 0 and (solid.sum() / 96**2) == pytest.approx(fill("apple") * 0.4**2, rel=0.05)
    assert np.array_equal(mask("snail", 0.4, True), mask("snail", 0.4, False)[:, ::-1])
