# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Even motion is told from motion that jumps where a latent frame begins."""

import numpy as np
import pytest

from vidgen.eval.evenness import jumps


def moving(places) -> np.ndarray:
    """A bright column at each of these places in turn."""
    clip = np.zeros((len(places), 4, 64, 3), np.uint8)
    for frame, place in enumerate(places):
        clip[frame, :, place : place + 8] = 200
    return clip


def test_even_motion_is_1_and_jumps_are_as_much_more_as_they_change() -> None:
    even = moving([2 * frame for frame in range(9)])
    jerky = moving([0, 5, 6, 7, 8, 13, 14, 15, 16])  # 5 columns where a group begins, 1 within
    still = np.repeat(even[:1], 9, axis=0)
    np.testing.assert_allclose(jumps(np.stack([even, jerky, still]), 4), [1.0, 5.0, np.nan])


@pytest.mark.parametrize(("frames", "group"), [(9, 1), (8, 4), (5, 4), (1, 4)])
def test_other_lengths_are_refused(frames: int, group: int) -> None:
    with pytest.raises(ValueError, match="frames in groups of"):
        jumps(np.zeros((1, frames, 4, 4, 3), np.uint8), group)
