# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Rendering: the same pixels every time, smooth below a pixel, the nearer in front, at any size and duration."""

import dataclasses

import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest

from vidgen.worlds.places import PLACES, PLAIN, Place, paint
from vidgen.worlds.raster import alpha_masks, pyramid
from vidgen.worlds.render import render
from vidgen.worlds.scene import Camera, Motion, Scene, SceneConfig, SceneObject, draw_scene
from vidgen.worlds.sprites import load_atlas


def still(
    *objects: SceneObject, place: str = "black", side: int = 64, frames: int = 1, camera: Camera | None = None
) -> Scene:
    return Scene(0, side, side, frames, Place(place), camera or Camera(), objects)


@hypothesis.settings(max_examples=25)
@hypothesis.given(st.integers(1, 120), st.integers(1, 120), st.sampled_from([1, 2, 6, 17]), st.integers(0, 2**20))
def test_any_size_and_duration_renders_the_same_twice(width: int, height: int, frames: int, seed: int) -> None:
    scene = draw_scene(SceneConfig(width=width, height=height, frames=frames), seed)
    video = render(scene)
    assert video.dtype == np.uint8 and video.shape == (frames, height, width, 3)
    assert (video == render(scene)).all()


def centroids(scene: Scene) -> np.ndarray:
    """Middle of what differs from the empty scene, in pixels, [F, 2]."""
    mass = (render(scene).astype(float) - render(dataclasses.replace(scene, objects=(), frames=1))).sum(axis=-1)
    middles = np.arange(mass.shape[-1]) + 0.5
    total = mass.sum(axis=(1, 2))
    return np.stack([(mass * middles).sum((1, 2)) / total, (mass * middles[:, None]).sum((1, 2)) / total], axis=1)


@pytest.mark.parametrize("name", ["astronaut", "dog", "unicorn", "castle", "bicycle", "star", "photo camera", "zebra"])
@pytest.mark.parametrize(("size", "angle"), [(0.25, 0.0), (0.4, 0.6), (0.55, 0.0)])
def test_motion_below_a_pixel_is_smooth(name: str, size: float, angle: float) -> None:
    """The centroid keeps to a line within 0.05 pixels, and brightness does not flicker, over steps of 0.27 pixels."""
    motion = Motion("right", dx=0.0671, dy=0.0313)
    scene = still(SceneObject(name, size, -0.11, -0.06, angle=angle, motion=motion), frames=17)
    u = np.linspace(0, 1, 17)[:, None]
    off_line = centroids(scene) - u * 64 * np.array([motion.dx, motion.dy])
    assert np.abs(off_line - off_line.mean(axis=0)).max() < 0.05


def test_size_place_and_mirror_are_exact() -> None:
    """A symmetric thing lands where it is put; a flip mirrors; twice the resolution shows the same picture."""
    for x, y in ((0.0, 0.0), (0.13, -0.21)):
        ((mask, area),) = next(alpha_masks(still(SceneObject("basketball", 0.4, x, y))))
        middles = np.arange(64) + 0.5
        at = (mask * middles).sum() / area, (mask * middles[:, None]).sum() / area
        assert np.allclose(at, [32 + 64 * x, 32 + 64 * y], atol=0.2)
        assert np.isclose(area, np.pi / 4 * (0.4 * 64) ** 2, rtol=0.03)
    thing = SceneObject("horse", 0.5, 0.0, 0.0)
    plain, flipped = render(still(thing))[0], render(still(dataclasses.replace(thing, flip=True)))[0]
    assert np.abs(plain[:, ::-1].astype(int) - flipped).max() <= 2
    large = render(still(thing, side=128))[0].astype(float)
    shrunk = large.reshape(64, 2, 64, 2, 3).mean(axis=(1, 3))
    assert np.abs(shrunk - plain).mean() < 1.0


def test_a_quarter_turn_turns_the_picture_clockwise() -> None:
    thing = SceneObject("rocket", 0.6, 0.0, 0.0)
    upright, turned = (render(still(dataclasses.replace(thing, angle=angle)))[0] for angle in (0.0, np.pi / 2))
    assert np.abs(np.rot90(upright, -1).astype(int) - turned).max() <= 3


def test_the_nearer_object_covers_the_farther() -> None:
    ball, book = SceneObject("eight ball", 0.4, 0.0, 0.0, depth=1.0), SceneObject("book", 0.4, 0.0, 0.0, depth=2.0)
    alone = render(still(ball, place="white"))[0]
    for objects in ((ball, book), (book, ball)):
        assert np.abs(render(still(*objects, place="white"))[0, 32, 32].astype(int) - alone[32, 32]).max() <= 1
    behind = render(still(dataclasses.replace(ball, depth=3.0), book, place="white"))[0]
    assert np.abs(behind[32, 32].astype(int) - alone[32, 32]).max() > 50


def test_edges_are_blended_not_cut() -> None:
    """Pixels of a pale thing on black take values between the two, on a ring around it."""
    image = render(still(SceneObject("moon", 0.6, 0.01, 0.0)))[0, :, :, 0].astype(int)
    row = image[32]
    edge = int(np.flatnonzero(row > 30)[0])
    assert 30 < row[edge] < row[edge + 3] and row[edge - 1] <= 30


@pytest.mark.parametrize(
    ("camera", "x", "y"),
    [
        (Camera("pan left", dx=-0.25), 16, 0),
        (Camera("pan right", dx=0.25), -16, 0),
        (Camera("pan up", dy=-0.25), 0, 16),
        (Camera("pan down", dy=0.25), 0, -16),
    ],
)
def test_a_pan_moves_everything_the_other_way(camera: Camera, x: int, y: int) -> None:
    scene = Scene(0, 64, 64, 5, Place("moon", seed=3), camera, (SceneObject("star", 0.3, 0.0, 0.0),))
    first, last = render(scene)[[0, -1]].astype(int)
    moved = np.roll(first, (y, x), axis=(0, 1))[20:44, 20:44]
    assert np.abs(moved - last[20:44, 20:44]).mean() < 1.5


def test_a_zoom_scales_things_and_place_about_the_middle() -> None:
    camera = Camera("zoom in", zoom_start=0.5, zoom_end=1.0)
    for objects, far in ((), 0.6), ((SceneObject("book", 0.4, 0.0, 0.0),), 2.0):
        scene = Scene(0, 64, 64, 3, Place("road", seed=1), camera, objects)
        first, last = render(scene)[[0, -1]].astype(float)
        shrunk = last.reshape(32, 2, 32, 2, 3).mean(axis=(1, 3))
        assert np.abs(shrunk - first[16:48, 16:48]).mean() < far


@pytest.mark.parametrize("name", PLACES)
def test_places_do_not_depend_on_resolution_or_crop(name: str) -> None:
    place = Place(name, ("blue", "pink") if name == "gradient" else (), 0.05, seed=7)
    large = paint(place, -0.5, -0.5, 0.5, 0.5, 128, 128).astype(float)
    small = paint(place, -0.5, -0.5, 0.5, 0.5, 64, 64).astype(float)
    assert np.abs(large.reshape(64, 2, 64, 2, 3).mean(axis=(1, 3)) - small).mean() < 2
    right = paint(place, 0.0, -0.5, 0.5, 0.5, 32, 64).astype(float)
    assert np.abs(right - small[:, 32:]).mean() < 2


def test_plain_places_are_plain() -> None:
    for name, color in PLAIN.items():
        assert (render(still(place=name)) == np.array(color, np.uint8)).all()


def test_textures_are_smooth_enough_to_compress() -> None:
    """Neighbouring pixels of a place differ little on average: no grain."""
    for name in PLACES:
        place = Place(name, ("blue", "pink") if name == "gradient" else (), 0.05, seed=11)
        image = paint(place, -0.5, -0.5, 0.5, 0.5, 64, 64).astype(float)
        assert np.abs(np.diff(image, axis=0)).mean() < 6 and np.abs(np.diff(image, axis=1)).mean() < 4


def test_pyramid_keeps_the_coverage_of_the_art() -> None:
    for name in ("dog", "bicycle", "snowflake"):
        levels = pyramid(load_atlas().index(name))
        shares = [level[..., 3].mean() for level in levels]
        assert np.allclose(shares, shares[0], rtol=0.02)
        assert all((level[..., :3].max(axis=-1) <= level[..., 3].astype(int) + 1).all() for level in levels)
