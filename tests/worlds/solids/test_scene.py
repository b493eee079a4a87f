# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""3-D scenes: drawn purely from seeds, in view, within their split, and back from JSON as they were."""

import dataclasses
import json
import math

import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest

from vidgen.worlds.solids.draw import HELD_OUT, ORBITS, PLAYS, SolidConfig, draw_solids, held_out
from vidgen.worlds.solids.scene import COLORS, VIEWS, Push, Solid, SolidScene, View, solid_name, solids_from_dict
from vidgen.worlds.solids.viewpoint import camera_rig, first_quaternion, outlines, rotation_matrices

BALL = Solid("ball", "red", "matte", (0.3, 0.3, 0.3), 0.0, 0.0, 0.3)

STILL = View()


def scene_of(*solids: Solid, view: View = STILL, frames: int = 5, pushes: tuple[Push, ...] = ()) -> SolidScene:
    return SolidScene(0, 64, 64, frames, "grey", 0.8, view, solids, pushes)


@hypothesis.settings(max_examples=40)
@hypothesis.given(st.integers(0, 2**40), st.sampled_from(PLAYS), st.sampled_from(VIEWS), st.sampled_from([1, 17]))
def test_a_seed_gives_one_scene_that_is_in_view(seed, play, view, frames):
    config = SolidConfig(plays=(play,), views=(view,), frames=frames)
    scene = draw_solids(config, seed)
    assert scene == draw_solids(config, seed)
    assert solids_from_dict(json.loads(json.dumps(scene.to_dict()))) == scene
    middles = np.array([[(solid.x, solid.y, solid.z) for solid in scene.solids]] * frames)
    at_FN2, depth_FN = camera_rig(scene).project(middles)
    assert (depth_FN > 1).all()
    assert (at_FN2[0] > 0).all() and (at_FN2[0] < 64).all()
    for row, solid in enumerate(scene.solids):
        assert solid.z >= solid.rise - 1e-9
        for other in scene.solids[:row]:  # nothing is inside another thing
            apart = math.dist((solid.x, solid.y), (other.x, other.y))
            assert apart > 0.9 * min(solid.reach, other.reach) or abs(solid.z - other.z) > 0.9 * (
                solid.rise + other.rise
            )


def test_seeds_differ_and_everything_comes_up():
    scenes = [draw_solids(SolidConfig(), seed) for seed in range(150)]
    assert len({scene.solids for scene in scenes}) == 150
    assert {scene.view.kind for scene in scenes} == set(VIEWS)
    assert {solid.color for scene in scenes for solid in scene.solids} == set(COLORS)
    assert {len(scene.solids) for scene in scenes} >= {1, 2, 3, 4}


def test_what_is_held_out_is_never_trained_on():
    train, rest = SolidConfig(split="train"), SolidConfig(split="heldout")
    for seed in range(120):
        assert not any(held_out(solid) for solid in draw_solids(train, seed).solids)
        assert any(held_out(solid) for solid in draw_solids(rest, seed).solids)
    seen = {(s.color, s.shape) for seed in range(300) for s in draw_solids(train, seed).solids}
    for color, shape in HELD_OUT:  # each half of a pair is seen, with others
        assert any(c == color for c, _ in seen) and any(s == shape for _, s in seen)


def test_orbits_keep_everything_apart_and_in_the_frame():
    for seed in range(12):
        scene = draw_solids(ORBITS, seed)
        rig = camera_rig(scene)
        still = np.array([[(solid.x, solid.y, solid.z) for solid in scene.solids]] * scene.frames)
        turns = np.array([[first_quaternion(solid) for solid in scene.solids]] * scene.frames)
        boxes = [(points.min(1), points.max(1)) for points in outlines(scene, rig, still, turns)]
        assert min(low.min() for low, _ in boxes) > 0 and max(high.max() for _, high in boxes) < 64
        assert 5 <= len(scene.solids) <= 6 and 0.6 <= scene.view.turn <= 1.0


def test_the_camera_sees_right_and_left_as_people_do():
    corner = np.array([[[1.0, 0.0, 0.0], [-1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]])
    scene = scene_of(BALL, frames=1, view=View(target=(0, 0, 0)))
    (right, left, far, up), depth = (values[0] for values in camera_rig(scene).project(corner))
    assert right[0] > 32 > left[0] and right[1] == pytest.approx(32) == left[1]
    assert depth[2] > depth[0] and far[1] < 32 and up[1] < far[1]
    # A metre at the target's distance is focal / distance pixels.
    assert right[0] - 32 == pytest.approx(32 / math.tan(math.radians(20)) / 5.5)
    behind = np.array([[[0.0, -50.0, 0.0]]])
    assert np.isnan(camera_rig(scene).project(behind)[0]).all()


@pytest.mark.parametrize("kind", VIEWS)
def test_cameras_go_where_their_names_say(kind):
    view = View(kind, turn=0.5, approach={"dolly in": 0.7, "dolly out": 1.4}.get(kind, 1.0))
    rig = camera_rig(scene_of(BALL, view=view, frames=9))
    shift = rig.axes_F33[0] @ (rig.position_F3[-1] - rig.position_F3[0])
    ahead = rig.axes_F33[0] @ rig.axes_F33[-1, 2]  # where it looks in the end, in its first axes
    side = {"left": -1, "right": 1}.get(kind.split()[-1], 0)
    assert np.sign(round(shift[0], 9)) == (side if kind.startswith("orbit") else 0)
    assert np.sign(round(shift[2], 9)) == {"in": 1, "out": -1}.get(kind.split()[-1], 1 if "orbit" in kind else 0)
    assert np.sign(round(ahead[0], 9)) == (side if kind.startswith("pan") else -side)
    assert np.allclose(rig.axes_F33 @ rig.axes_F33.transpose(0, 2, 1), np.eye(3))
    assert np.allclose(np.linalg.det(rig.axes_F33), 1)


def test_a_lying_cylinder_points_where_its_yaw_says():
    solid = Solid("cylinder", "red", "matte", (0.3, 0.3, 0.5), 0, 0, 0.3, yaw=0.7, lying=True)
    axis = rotation_matrices(first_quaternion(solid)[None, None])[0, 0, :, 2]
    assert np.allclose(axis, [math.cos(0.7), math.sin(0.7), 0])


def test_mistakes_get_a_clear_line():
    assert solid_name(BALL) == "red ball"
    for change, message in (
        ({"shape": "cone"}, "shape must be one of ball"),
        ({"color": "beige"}, "color must be one of red"),
        ({"size": (0.3, 0.2, 0.3)}, "a ball is round"),
        ({"size": (0.0, 0.0, 0.0)}, "positive"),
        ({"lying": True}, "only a cylinder"),
    ):
        with pytest.raises(ValueError, match=message):
            dataclasses.replace(BALL, **change)
    with pytest.raises(ValueError, match="colour of its own"):
        scene_of(BALL, BALL)
    with pytest.raises(ValueError, match="must name one of 1"):
        scene_of(BALL, pushes=(Push(1, 0.0, (1, 0, 0)),))
    with pytest.raises(ValueError, match="no camera is called"):
        View("tilt")
    for options, message in (
        ({"solids": (0, 2)}, "1 <= low"),
        ({"plays": ("dance",)}, "plays must be taken from"),
        ({"colors": ("red", "blue")}, "as many colours"),
        ({"apart": True}, "at rest"),
        ({"sizes": (0.2, 0.9)}, "sizes must be"),
        ({"split": "heldout", "shapes": ("ball",), "colors": ("red", "blue", "green", "pink")}, "heldout"),
    ):
        with pytest.raises(ValueError, match=message):
            SolidConfig(**options)
