# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Scenes lie in the ranges of their split, splits do not overlap, and captions are true."""

import numpy as np
import pytest

from vidgen.worlds.phyworld.physics import Body, PhyScene, ground_truth
from vidgen.worlds.phyworld.scene import (
    AFTER,
    FAR_RADIUS,
    FAR_VELOCITY,
    GAP,
    RADIUS,
    SPLITS,
    TASKS,
    VELOCITY,
    PhyConfig,
    caption,
    description,
    draw_scene,
    jittered,
)

N = 60


def draw(task, split, n=N, **options):
    return [draw_scene(PhyConfig(task, split, **options), seed) for seed in range(n)]


def within(value, *ranges):
    return any(low <= value <= high for low, high in ranges)


@pytest.mark.parametrize("task", ["uniform", "collision", "parabola"])
def test_ranges_in_and_out_of_distribution(task):
    for split in ("train", "in_distribution"):
        for scene in draw(task, split):
            assert all(within(abs(body.vx), VELOCITY) and within(body.radius, RADIUS) for body in scene.bodies)
    far = draw(task, "out_of_distribution", 4 * N)
    for scene in far:
        sizes = [within(body.radius, *FAR_RADIUS) for body in scene.bodies]
        speeds = [within(abs(body.vx), *FAR_VELOCITY) for body in scene.bodies]
        for size, speed, body in zip(sizes, speeds, scene.bodies, strict=True):
            assert size or within(body.radius, RADIUS)
            assert speed or within(abs(body.vx), VELOCITY)
        assert any(sizes + speeds)
    for ranges, value in ((FAR_VELOCITY, lambda body: abs(body.vx)), (FAR_RADIUS, lambda body: body.radius)):
        for low, high in ranges:
            assert any(low <= value(body) <= high for scene in far for body in scene.bodies), (low, high)


def test_every_task_starts_in_view_and_stays_for_a_while():
    for task in TASKS:
        for split in SPLITS:
            for scene in draw(task, split, 20):
                truth = ground_truth(scene)
                assert truth.visible_FN[0].all()
                assert truth.visible_FN.all(-1).sum() >= 6
                assert scene.gravity == (-2.5 if task == "parabola" else 0.0)


@pytest.mark.parametrize("frames", [32, 17, 8])
def test_balls_meet_in_the_middle_of_the_clip_and_are_seen_after_it(frames):
    for split in SPLITS:
        for scene in draw("collision", split, 30, frames=frames):
            truth = ground_truth(scene)
            length = frames * scene.step
            assert truth.impact is not None and 0.25 * length <= truth.impact <= 0.75 * length
            assert (truth.visible_FN.all(-1) & (truth.time_F >= truth.impact)).sum() >= AFTER
            assert scene.bodies[0].y == scene.bodies[1].y


def test_the_gap_and_the_flip():
    speeds = np.array([[scene.bodies[0].vx for scene in draw("gap", split)] for split in SPLITS])
    inside = (speeds > GAP[0]) & (speeds < GAP[1])
    assert not inside[:2].any() and inside[2].all()
    assert (speeds[0] < GAP[0]).any() and (speeds[0] > GAP[1]).any()
    narrow = [scene.bodies[0].vx for scene in draw("gap", "out_of_distribution", gap=(2.0, 3.0))]
    assert min(narrow) >= 2 and max(narrow) <= 3
    train, same, far = (np.array([scene.bodies[0].vx for scene in draw("flip", split)]) for split in SPLITS)
    for both in (train, same):
        assert (both > 0).any() and (both < 0).any() and (np.abs(both) >= 2.5).all()
    assert (far >= 1).all() and (far <= 2.5).all()


@pytest.mark.parametrize("task", [task for task in TASKS if "-" in task])
def test_attributes_that_go_together_are_swapped_out_of_distribution(task):
    read = {
        "color": lambda body: body.color == "blue",
        "size": lambda body: body.radius > 1.05,
        "velocity": lambda body: body.vx > 2.5,
        "shape": lambda body: body.shape == "square",
    }
    first, second = task.split("-")
    for split in SPLITS:
        bodies = [scene.bodies[0] for scene in draw(task, split)]
        values = [(read[first](body), read[second](body)) for body in bodies]
        assert len(set(values)) == 2
        assert all((a != b) == (split == "out_of_distribution") for a, b in values)
        # What is not paired stays: a red ball.
        assert "color" in task or all(body.color == "red" for body in bodies)
        assert "shape" in task or all(body.shape == "disc" for body in bodies)


def test_draws_are_pure_and_splits_share_no_scene():
    for task in ("uniform", "collision"):
        assert draw(task, "train", 5) == draw(task, "train", 5)
        scenes = [scene.bodies for split in SPLITS for scene in draw(task, split)]
        assert len(set(scenes)) == len(scenes)


def test_a_second_take_is_near_the_first():
    for scene in draw("collision", "train", 20):
        again = jittered(scene, 3)
        assert again != scene and again == jittered(scene, 3) and again != jittered(scene, 4)
        first, second = ground_truth(scene), ground_truth(again)
        assert again.bodies[0].y == again.bodies[1].y
        assert np.abs(first.position_FN2[0] - second.position_FN2[0]).max() < 0.15
        np.testing.assert_allclose(second.velocity_FN2[0], first.velocity_FN2[0], rtol=0.1)
        assert jittered(scene, 3, amount=0) == scene


def test_captions_say_what_happens():
    seen = set()
    for task in TASKS:
        for split in SPLITS:
            for scene in draw(task, split, 20):
                text = caption(scene)
                seen.add(text)
                assert ("collide" in text) == (task == "collision")
                assert ("falls" in text) == (task == "parabola")
                for body in scene.bodies:
                    assert f"{body.color} {'ball' if body.shape == 'disc' else 'square'}" in text
                    assert "small" not in text or min(b.radius for b in scene.bodies) < 0.9
                    assert "large" not in text or max(b.radius for b in scene.bodies) > 1.2
                assert "right" not in text or scene.bodies[0].vx > 0
                assert "left" not in text or scene.bodies[0].vx < 0
                assert "slowly" not in text or abs(scene.bodies[0].vx) < 2
                assert "fast" not in text or abs(scene.bodies[0].vx) > 3
    assert len(seen) > 30


def test_captions_of_scenes_made_by_hand():
    two = (Body(2, 2, 1, 0, 1, "red"), Body(6, 8, -1, 0, 1, "blue"))
    late = (Body(1.2, 5, 0.1, 0, 1, "red"), Body(8, 5, -0.1, 0, 1, "blue"))
    assert caption(PhyScene("collision", two)) == "a red ball and a blue ball never touch"
    assert caption(PhyScene("collision", late)) == "a red ball and a blue ball never touch"
    assert caption(PhyScene("uniform", (Body(5, 5, 0, 0, 1),))) == "a red ball stays still"
    assert caption(PhyScene("uniform", (Body(5, 5, 0, -2.5, 1),))) == "a red ball moves down"
    assert caption(PhyScene("parabola", (Body(5, 5, 0, 0, 0.8),), -2.5)) == "a small red ball falls"


def test_descriptions_say_all_of_a_scene():
    two = (Body(2, 5, 1.5, 0, 1, "red"), Body(6, 5, -1, 0, 0.755, "blue"))
    assert description(PhyScene("collision", two)) == (
        "a red ball of radius 1.00 at (2.00, 5.00) moving at (1.50, 0.00) and "
        "a blue ball of radius 0.76 at (6.00, 5.00) moving at (-1.00, 0.00) units a second"
    )
    square = PhyScene("parabola", (Body(5, 5, 0, 0, 0.8, "blue", "square"),), -2.5)
    assert description(square) == (
        "a blue square of half side 0.80 at (5.00, 5.00) moving at (0.00, 0.00) units a second, gravity 2.50"
    )
    told = [description(scene) for task in TASKS for split in SPLITS for scene in draw(task, split, 20)]
    assert len(set(told)) == len(told)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: PhyConfig("billiards"), "there are uniform, collision"),
        (lambda: PhyConfig(split="test"), "there are train, in_distribution"),
        (lambda: PhyConfig(gap=(0.5, 2)), "gap lies within"),
        (lambda: PhyConfig(frames=7), "at least 8 frames"),
    ],
)
def test_mistakes_get_a_clear_line(make, message):
    with pytest.raises(ValueError, match=message):
        make()
