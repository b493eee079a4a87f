# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""What is in each cell, against the pixels and the paths of the scene."""

import dataclasses

import numpy as np
import pytest

from vidgen.worlds.cells import COVERED, scene_cells
from vidgen.worlds.render import render
from vidgen.worlds.scene import FIRST_LIGHT_ON_GRID, SceneConfig
from vidgen.worlds.truth import ground_truth

PATCH = (4, 8, 8)
MANY = SceneConfig(objects=(2, 4), cameras=("still",), places=("yellow",), frames=5)


@pytest.mark.parametrize("seed", range(6))
def test_what_a_cell_shows_changes_its_pixels_when_it_is_taken_away(seed: int) -> None:
    scene = MANY.draw(seed)
    row_THW = scene_cells(scene, PATCH).row_THW
    whole_FHWC = render(scene).astype(float)
    change_NHW = []
    for row in range(len(scene.objects)):
        # Sizes of nothing, so that nobody's target changes.
        gone = tuple(
            dataclasses.replace(thing, size=1e-4) if i == row else thing for i, thing in enumerate(scene.objects)
        )
        less_FHWC = render(dataclasses.replace(scene, objects=gone)).astype(float)
        differs_HW = np.abs(whole_FHWC[0] - less_FHWC[0]).max(-1) > 8
        change_NHW.append(differs_HW.reshape(8, 8, 8, 8).mean((1, 3)))
    for y, x in np.ndindex(8, 8):
        row = row_THW[0, y, x]
        if row >= 0:
            assert change_NHW[row][y, x] > 0.1
        else:
            assert max(change[y, x] for change in change_NHW) < COVERED + 0.2


@pytest.mark.parametrize("seed", range(8))
def test_a_place_and_the_path_give_the_middle_of_the_cell(seed: int) -> None:
    scene = dataclasses.replace(FIRST_LIGHT_ON_GRID, objects=(1, 1), object_weights=None).draw(seed)
    row_THW, place_THW2, going_THW2 = scene_cells(scene, PATCH)
    centers_F2, size = ground_truth(scene).centers_FN2[:, 0], 0.5 * 64
    middle_T2 = np.stack([centers_F2[0], *(centers_F2[i : i + 4].mean(0) for i in range(1, 17, 4))])
    t_N, y_N, x_N = np.nonzero(row_THW == 0)
    assert len(t_N) > 5 * 4  # it is 4 cells wide and high, and moves by one in a latent frame
    found_N2 = middle_T2[t_N] + size * place_THW2[t_N, y_N, x_N]
    np.testing.assert_allclose(found_N2, np.stack([8 * x_N + 4, 8 * y_N + 4], -1), atol=1e-3)
    assert np.abs(place_THW2).max() < 0.75
    assert not place_THW2[row_THW < 0].any() and not going_THW2[row_THW < 0].any()
    way_2 = (middle_T2[-1] - middle_T2[0]) / size
    np.testing.assert_allclose(going_THW2[t_N, y_N, x_N], np.broadcast_to(way_2, (len(t_N), 2)), atol=1e-4)


def test_cells_move_with_the_thing() -> None:
    config = dataclasses.replace(FIRST_LIGHT_ON_GRID, objects=(1, 1), object_weights=None, motions=("right",))
    row_THW, _, going_THW2 = scene_cells(config.draw(1), PATCH)
    assert (going_THW2[row_THW == 0][:, 0] > 0.5).all()
    first, last = (np.nonzero(row_THW[t] == 0)[1].mean() for t in (0, -1))
    assert last - first > 2


def test_a_scene_that_does_not_divide_is_refused() -> None:
    with pytest.raises(ValueError, match="6 frames of 64x64"):
        scene_cells(dataclasses.replace(MANY, frames=6).draw(0), PATCH)
