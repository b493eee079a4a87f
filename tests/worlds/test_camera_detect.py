# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The camera's motion is read from true renders: what kind, how far, and to which side."""

import numpy as np
import pytest

from vidgen.worlds.camera_detect import camera_kind, camera_motion, register
from vidgen.worlds.motion import CAMERAS
from vidgen.worlds.places import GROUNDS, SKIES
from vidgen.worlds.raster import backgrounds
from vidgen.worlds.render import render
from vidgen.worlds.scene import SceneConfig, draw_scene


def scene(camera: str, seed: int, frames: int = 9, motions=("still",), places=(*GROUNDS, *SKIES)):
    return draw_scene(
        SceneConfig(cameras=(camera,), motions=motions, places=places, objects=(1, 2), frames=frames), seed
    )


def names(drawn) -> tuple[str, ...]:
    return tuple(thing.concept for thing in drawn.objects)


@pytest.mark.parametrize("camera", CAMERAS)
def test_each_kind_is_told(camera) -> None:
    assert [camera_kind(render(scene(camera, seed))) for seed in (0, 1)] == [camera] * 2


@pytest.mark.parametrize(("camera", "way"), [("still", "left"), ("pan left", "left"), ("zoom out", "right")])
def test_what_moves_by_itself_is_not_taken_for_the_camera(camera, way) -> None:
    for seed in (0, 1):
        drawn = scene(camera, seed, motions=(way,))
        assert camera_kind(render(drawn), names(drawn)) == camera


@pytest.mark.parametrize("camera", ["pan right", "pan up", "zoom in"])
def test_before_a_plain_colour_the_things_stand_for_the_place(camera) -> None:
    drawn = scene(camera, 0, places=("red", "blue"))
    assert camera_kind(render(drawn), names(drawn)) == camera


def test_the_sea_moved_sideways_does_not_drift() -> None:
    drawn = scene("pan right", 4, motions=("up",), places=("sea",))
    shift_x, shift_y, zoom = camera_motion(render(drawn), names(drawn))
    assert shift_x == pytest.approx(-drawn.camera.dx, abs=0.02) and abs(shift_y) < 0.02 and abs(zoom) < 0.03


@pytest.mark.parametrize(("camera", "seed"), [("pan down", 0), ("pan down", 6), ("pan down", 10), ("pan up", 3)])
def test_the_sea_moved_up_or_down_does_not_drift_sideways(camera: str, seed: int) -> None:
    drawn = scene(camera, seed, frames=17, motions=("left",), places=("sea", "road"))
    assert camera_kind(render(drawn), names(drawn)) == camera


def test_it_is_measured_how_far() -> None:
    panned = scene("pan right", 3)
    shift_x, shift_y, zoom = camera_motion(render(panned))
    assert shift_x == pytest.approx(-panned.camera.dx, abs=0.01) and abs(shift_y) < 0.01 and abs(zoom) < 0.02
    zoomed = scene("zoom in", 4)
    grown = np.log(zoomed.camera.zoom_end / zoomed.camera.zoom_start)
    assert camera_motion(render(zoomed))[2] == pytest.approx(grown, abs=0.02)


def test_a_mirror_and_the_end_first_turn_it_round() -> None:
    clip = render(scene("pan left", 5))
    assert camera_kind(np.ascontiguousarray(clip[:, :, ::-1])) == "pan right"
    assert camera_kind(np.ascontiguousarray(clip[::-1])) == "pan right"


def test_a_shift_is_found_to_a_fraction_of_a_pixel() -> None:
    picture = backgrounds(scene("still", 6))[0]
    picture += render(scene("still", 6))[0] * 0.5
    moved = np.roll(picture, (2, -3), axis=(0, 1))[4:-4, 4:-4]
    shift = register(picture[4:-4, 4:-4], moved)
    np.testing.assert_allclose(shift, [-3, 2, 0], atol=0.1)
