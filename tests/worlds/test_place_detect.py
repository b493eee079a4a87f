# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The place is read from true renders, whatever stands in it; and what is no place is none."""

import numpy as np
import pytest

from vidgen.worlds.claims import place_name
from vidgen.worlds.place_detect import place_scores, read_place
from vidgen.worlds.places import PLACES
from vidgen.worlds.render import render
from vidgen.worlds.scene import SceneConfig, draw_scene


@pytest.mark.parametrize("name", PLACES)
def test_each_place_is_told(name) -> None:
    for seed in range(2):
        scene = draw_scene(SceneConfig(places=(name,), frames=1), seed)
        assert read_place(render(scene)) == place_name(scene.place)


def test_upside_down_a_gradient_is_another_one() -> None:
    scene = draw_scene(SceneConfig(places=("gradient",), frames=1), 1)
    top, bottom = scene.place.colors
    assert read_place(np.ascontiguousarray(render(scene)[:, ::-1])) == f"gradient {bottom} {top}"


def test_noise_is_no_place() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (1, 64, 64, 3)).astype(np.uint8)
    assert read_place(noise) is None
    assert min(place_scores(noise[0]).values()) > 16


def test_frames_of_other_shapes() -> None:
    scene = draw_scene(SceneConfig(places=("desert",), width=96, height=128, frames=1), 2)
    assert read_place(render(scene)) == "desert"
