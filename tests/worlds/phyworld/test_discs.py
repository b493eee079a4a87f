# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Discs cover exactly the area that they should, and what was drawn is what is read, also through a blur."""

import time

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidgen.worlds.phyworld.discs import SQUARE, disc_coverage, read_discs, render, square_coverage
from vidgen.worlds.phyworld.physics import EXTENT, Body, PhyScene, ground_truth
from vidgen.worlds.phyworld.scene import SPLITS, PhyConfig, draw_scene

PIXEL = EXTENT / 64


def still(x, y, radius, size=64, color="red", shape="disc"):
    return PhyScene("uniform", (Body(x, y, 0, 0, radius, color, shape),), frames=1, size=size)


def read(scene, change=lambda clip: clip):
    return read_discs(change(render(scene)), tuple(body.color for body in scene.bodies))


def velocity_errors(scenes, change=lambda clip: clip):
    """The mean |v - v_hat| of each scene over steps between frames in which all is wholly visible."""
    errors = []
    for scene in scenes:
        truth, reading = ground_truth(scene), read(scene, change)
        steps = np.diff(reading.position_FN2 - truth.position_FN2, axis=0) / scene.step
        visible_F = truth.visible_FN.all(-1)
        error_FN = np.linalg.norm(steps, axis=-1)[visible_F[1:] & visible_F[:-1]]
        assert not np.isnan(error_FN).any()
        errors.append(error_FN.mean())
    return np.array(errors)


def blurred(sigma):
    return lambda clip: np.stack([cv2.GaussianBlur(frame, (0, 0), sigma) for frame in clip])


@settings(max_examples=60, deadline=None)
@given(st.floats(-3, 15), st.floats(-3, 15), st.floats(0.2, 14))
def test_coverage_is_the_area_within_each_pixel(x, y, radius):
    for cover, whole in ((disc_coverage, np.pi), (square_coverage, 4)):
        shares = cover(np.array([x]), np.array([y]), radius, 12)[0]
        assert shares.min() > -1e-9 and shares.max() < 1 + 1e-9
        fine = (np.arange(12 * 40) + 0.5) / 40
        across, down = np.abs(fine - x), np.abs(fine - y)[:, None]
        inside = across**2 + down**2 < radius**2 if cover is disc_coverage else np.maximum(across, down) < radius
        np.testing.assert_allclose(shares, inside.reshape(12, 40, 12, 40).mean((1, 3)), atol=0.03)
        if radius < min(x, y, 12 - x, 12 - y):
            assert shares.sum() == pytest.approx(whole * radius**2, rel=1e-12)


@settings(max_examples=40, deadline=None)
@given(st.floats(0, 1), st.floats(0, 1), st.floats(0.7, 2), st.sampled_from([32, 64, 128]))
def test_pixel_middles_are_the_right_coordinates(u, v, radius, size):
    x, y = (radius + share * (EXTENT - 2 * radius) for share in (u, v))
    reading = read(still(x, y, radius, size))
    pixel = EXTENT / size
    np.testing.assert_allclose(reading.position_FN2[0, 0], (x, y), atol=0.02 * pixel)
    assert reading.radius_FN[0, 0] == pytest.approx(radius, abs=0.01 * pixel)


def test_the_other_convention_stretches_space():
    # Pixel c at c / (S - 1), which is right for a renderer that samples there, is off by half a pixel at the borders
    # here.
    for x in (1.0, 9.0):
        scene = still(x, 5, 0.9)
        share = 1 - render(scene)[0, :, :, 1] / 255.0
        column = (share.sum(0) @ np.arange(64)) / share.sum()
        assert abs((column + 0.5) * PIXEL - x) < 0.01 * PIXEL
        assert abs(column / 63 * EXTENT - x) > 0.35 * PIXEL


@pytest.mark.parametrize("task", ["uniform", "collision", "parabola"])
def test_velocity_is_read_from_true_renders(task):
    scenes = [draw_scene(PhyConfig(task, "in_distribution"), seed) for seed in range(8)]
    assert velocity_errors(scenes).mean() < 0.004
    far = [draw_scene(PhyConfig(task, "out_of_distribution"), seed) for seed in range(8)]
    assert velocity_errors(far).mean() < 0.01


def test_a_blur_and_a_tint_do_not_move_what_is_read():
    scenes = [draw_scene(PhyConfig(task, "in_distribution"), seed) for seed in range(3) for task in ("collision",)]
    clear = velocity_errors(scenes).mean()
    assert velocity_errors(scenes, blurred(1.0)).mean() < 2 * clear + 0.01

    def damaged(clip):
        rng = np.random.default_rng(0)
        soft = 8 + 0.93 * np.stack([cv2.GaussianBlur(frame, (0, 0), 1.0) for frame in clip.astype(np.float32)])
        return np.clip(soft + rng.normal(0, 4, soft.shape), 0, 255).astype(np.uint8)

    assert velocity_errors(scenes, damaged).mean() < 0.1
    for scene in scenes:
        truth, reading = ground_truth(scene), read(scene, damaged)
        seen = truth.visible_FN & reading.seen
        assert seen.sum() == truth.visible_FN.sum()
        assert np.abs(reading.radius_FN - truth.radius_N)[seen].max() < 0.15
        assert np.abs(reading.position_FN2 - truth.position_FN2)[seen].max() < 0.05


def test_a_ground_that_is_not_quite_white_weighs_nothing():
    for radius in (0.4, 1.2):
        reading = read(still(4.3, 5.2, radius), lambda clip: np.minimum(clip, 240))
        assert reading.radius_FN[0, 0] == pytest.approx(radius, rel=0.04)
        np.testing.assert_allclose(reading.position_FN2[0, 0], (4.3, 5.2), atol=0.003)


def test_touching_discs_are_told_apart():
    bodies = (Body(3, 5, 0, 0, 1.2, "red"), Body(5.1, 5, 0, 0, 0.9, "blue"))
    scene = PhyScene("collision", bodies, frames=1)
    for change in (lambda clip: clip, blurred(1.0)):
        reading = read(scene, change)
        np.testing.assert_allclose(reading.position_FN2[0], [(3, 5), (5.1, 5)], atol=0.02)
        np.testing.assert_allclose(reading.radius_FN[0], [1.2, 0.9], atol=0.03)
        assert reading.stray_F[0] == 0


def test_it_abstains_where_a_thing_is_not_wholly_inside():
    for x, seen in ((-2.0, False), (-0.5, False), (0.5, False), (0.9, False), (0.96, False), (1.0, True), (1.5, True)):
        for way in (lambda v: (v, 5.0), lambda v: (10 - v, 5.0), lambda v: (5.0, v), lambda v: (5.0, 10 - v)):
            reading = read(still(*way(x), 1.0))
            assert reading.seen[0, 0] == seen, (x, way(x))
            assert np.isnan(reading.position_FN2[0, 0]).all() == (not seen)
    empty = read_discs(np.full((2, 64, 64, 3), 255, np.uint8), ("red", "blue"))
    assert not empty.seen.any() and not empty.stray_F.any()
    # A thing of the other colour is not there.
    assert not read_discs(render(still(5, 5, 1)), ("blue",)).seen.any()


def test_shapes_are_told_apart_at_any_sharpness():
    for radius in (0.7, 1.05, 1.4):
        for shape in ("disc", "square"):
            for change in (lambda clip: clip, blurred(1.0), blurred(1.5)):
                squareness = read(still(4.93, 5.11, radius, shape=shape), change).squareness_FN[0, 0]
                assert (squareness > SQUARE) == (shape == "square"), (radius, shape, squareness)


def test_more_than_there_should_be_is_noticed():
    clip = render(still(3, 3, 1.0))
    extra = render(still(7, 7, 0.5))
    both = np.minimum(clip, extra)
    assert read_discs(clip).stray_F[0] == 0
    assert read_discs(both).stray_F[0] == pytest.approx(np.pi * 0.25, rel=0.2)
    np.testing.assert_allclose(read_discs(both).position_FN2[0, 0], (3, 3), atol=0.01)


def test_every_task_is_drawn_whole_and_on_its_ground():
    for task, split in (("collision", SPLITS[2]), ("color-shape", SPLITS[0]), ("parabola", SPLITS[2])):
        scene = draw_scene(PhyConfig(task, split, frames=8, size=40), 2)
        clip = render(scene)
        assert clip.shape == (8, 40, 40, 3) and clip.dtype == np.uint8
        assert (clip.reshape(8, -1, 3).max(1) == 255).all()
        assert np.array_equal(clip, render(scene))
    # Things far outside leave no trace.
    assert (render(still(-50, 5, 1)) == 255).all() and (render(still(5, 50, 1)) == 255).all()


def test_y_points_up():
    high = render(still(5, 8, 1))[0, ..., 1].mean(1)
    assert high[:32].min() < 255 and (high[32:] == 255).all()


def test_mistakes_get_a_clear_line():
    clip = np.full((2, 64, 64, 3), 255, np.uint8)
    for bad, colors, message in (
        (clip[0], ("red",), "uint8"),
        (clip / 255, ("red",), "uint8"),
        (clip[:, :32], ("red",), "square"),
        (clip, (), "each once"),
        (clip, ("red", "red"), "each once"),
        (clip, ("green",), "each once"),
    ):
        with pytest.raises(ValueError, match=message):
            read_discs(bad, colors)


def test_a_clip_is_drawn_in_milliseconds():
    scenes = [draw_scene(PhyConfig("uniform"), seed) for seed in range(20)]
    render(scenes[0])
    began = time.process_time()
    for scene in scenes:
        render(scene)
    assert (time.process_time() - began) / len(scenes) < 0.02
