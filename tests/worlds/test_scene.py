# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Scenes: pure in their seed, inside the config and the split, well in view, and the same after a trip through JSON."""

import dataclasses
import itertools
import json

import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest

from vidgen.worlds.motion import DIRECTIONS, clip_time, poses, screen_poses
from vidgen.worlds.render import ground_truth
from vidgen.worlds.scene import (
    FIRST_LIGHT_ON_GRID,
    MOTIONS,
    Camera,
    Motion,
    Place,
    Scene,
    SceneConfig,
    SceneObject,
    draw_scene,
    pair_held_out,
    scene_from_dict,
)
from vidgen.worlds.sprites import FIRST_LIGHT, load_atlas

configs = st.builds(
    SceneConfig,
    width=st.integers(8, 200),
    height=st.integers(8, 200),
    frames=st.sampled_from([1, 2, 5, 17, 81]),
    split=st.sampled_from(["train", "heldout", "all"]),
)
seeds = st.integers(0, 2**32)


@hypothesis.given(configs, seeds)
def test_a_scene_is_pure_in_its_seed_and_survives_json(config: SceneConfig, seed: int) -> None:
    scene = draw_scene(config, seed)
    assert scene == draw_scene(config, seed)
    assert scene == scene_from_dict(json.loads(json.dumps(scene.to_dict())))
    assert (scene.width, scene.height, scene.frames) == (config.width, config.height, config.frames)


def test_seeds_differ() -> None:
    config = SceneConfig()
    assert len({json.dumps(draw_scene(config, seed).to_dict()) for seed in range(50)}) == 50


def test_a_scene_does_not_depend_on_pixels() -> None:
    for seed in range(20):
        small, large = (draw_scene(SceneConfig(width=side, height=side), seed) for side in (32, 256))
        assert dataclasses.replace(large, width=32, height=32) == small


def pairs(scene: Scene) -> list[bool]:
    names = [thing.concept for thing in scene.objects]
    return [pair_held_out(a, b) for row, a in enumerate(names) for b in names[:row]]


def test_training_never_sees_a_held_out_pair_and_held_out_scenes_have_one() -> None:
    for seed in range(200):
        assert not any(pairs(draw_scene(SceneConfig(split="train"), seed)))
        assert any(pairs(draw_scene(SceneConfig(split="heldout"), seed)))


def test_about_a_tenth_of_pairs_is_held_out_whatever_the_order() -> None:
    names = [concept.name for concept in load_atlas().concepts]
    held = [pair_held_out(a, b) for row, a in enumerate(names) for b in names[:row]]
    assert 0.09 < np.mean(held) < 0.11
    assert all(pair_held_out(a, b) == pair_held_out(b, a) for a, b in itertools.pairwise(names))
    assert not any(pair_held_out(name, name) for name in names)
    # The split of a data set that is already trained on must not change with a Python or NumPy version.
    assert [b for b in FIRST_LIGHT[:40] if pair_held_out("dog", b)] == ["alien", "smiley face", "flamingo", "whale"]


def test_the_config_is_kept() -> None:
    config = SceneConfig(
        objects=(2, 3), concepts=FIRST_LIGHT, motions=("left", "spin"), cameras=("zoom in",), places=("moon", "red"),
        sizes=(0.2, 0.25), object_weights=(0.0, 1.0),
    )  # fmt: skip
    for seed in range(40):
        scene = draw_scene(config, seed)
        assert len(scene.objects) == 3
        assert len({thing.concept for thing in scene.objects} & set(FIRST_LIGHT)) == 3
        assert {thing.motion.kind for thing in scene.objects} <= {"left", "spin"}
        assert all(0.2 <= thing.size <= 0.25 for thing in scene.objects)
        assert scene.camera.kind == "zoom in" and scene.place.name in ("moon", "red")


def test_an_image_does_not_move() -> None:
    for seed in range(40):
        scene = draw_scene(SceneConfig(frames=1), seed)
        assert scene.camera == Camera()
        assert all(thing.motion == Motion() and not thing.enter for thing in scene.objects)


@pytest.mark.parametrize(("width", "height"), [(64, 64), (96, 64), (48, 96)])
def test_objects_are_well_in_view(width: int, height: int) -> None:
    inside, all_inside = [], []
    for seed in range(60):
        scene = draw_scene(SceneConfig(width=width, height=height, crossings=0.0), seed)
        truth = ground_truth(scene)
        inside.append(truth.inside_FN.mean())
        all_inside.append(truth.inside_FN.min())
    assert np.mean(inside) > 0.96
    assert np.quantile(all_inside, 0.1) > 0.6


def test_straight_movers_travel_far_and_the_way_they_are_called() -> None:
    ways = {"left": (-1, 0), "right": (1, 0), "up": (0, -1), "down": (0, 1)}
    travels = []
    for seed in range(200):
        scene = draw_scene(SceneConfig(objects=(1, 2), motions=tuple(ways)), seed)
        seen = screen_poses(scene)
        for row, thing in enumerate(scene.objects):
            x, y = ways[thing.motion.kind]
            moved = x * (seen.x_FN[-1, row] - seen.x_FN[0, row]) + y * (seen.y_FN[-1, row] - seen.y_FN[0, row])
            travels.append(moved / scene.width)
            assert x * thing.motion.dx + y * thing.motion.dy > 0
    assert min(travels) > 0.25 and np.mean(np.array(travels) >= 0.35) > 0.9


def test_on_a_grid_things_start_and_move_in_its_steps_and_stay_inside() -> None:
    for seed in range(200):
        for thing in FIRST_LIGHT_ON_GRID.draw(seed).objects:
            start, way = 64 * np.array([thing.x, thing.y]), 64 * np.array([thing.motion.dx, thing.motion.dy])
            np.testing.assert_allclose(start, 8 * np.round(start / 8), atol=1e-6)
            assert thing.motion.kind == "still" or np.abs(way).max() == pytest.approx(32)
            assert max(np.abs(start).max(), np.abs(start + way).max()) <= 16 + 1e-6


def test_two_objects_start_apart() -> None:
    apart = []
    for seed in range(200):
        scene = draw_scene(SceneConfig(objects=(2, 2)), seed)
        world = poses(scene)
        gap = max(abs(world.x_FN[0, 0] - world.x_FN[0, 1]), abs(world.y_FN[0, 0] - world.y_FN[0, 1]))
        apart.append(gap / world.size_FN[0].mean())
    assert np.quantile(apart, 0.1) > 0.75


@pytest.mark.parametrize("kind", MOTIONS)
def test_every_motion_is_drawn_and_moves_as_it_says(kind: str) -> None:
    config = SceneConfig(objects=(2, 2), motions=(kind, "right") if kind == "follow" else (kind,), cameras=("still",))
    scene = next(
        scene for scene in (draw_scene(config, seed) for seed in range(50)) if scene.objects[1].motion.kind == kind
    )
    world, thing = poses(scene), scene.objects[1]
    x_F, y_F, size_F, angle_F = (a[:, 1] for a in (world.x_FN, world.y_FN, world.size_FN, world.angle_FN))
    u_F = clip_time(scene.frames)
    straight_F = y_F[0] + (y_F[-1] - y_F[0]) * u_F
    checks = {
        "still": np.ptp(x_F) + np.ptp(y_F) + np.ptp(size_F) + np.ptp(angle_F) == 0,
        "left": (np.diff(x_F) < 0).all(),
        "right": (np.diff(x_F) > 0).all(),
        "up": (np.diff(y_F) < 0).all(),
        "down": (np.diff(y_F) > 0).all(),
        "bounce": np.isclose(y_F.min(), y_F[0] - thing.motion.height, atol=0.02) and y_F.max() <= y_F[0] + 1e-9,
        "arc": np.isclose((straight_F - y_F).max(), thing.motion.height) and abs(x_F[-1] - x_F[0]) > 0.25,
        "spin": abs(angle_F[-1] - angle_F[0]) > np.pi,
        "approach": size_F[-1] > 1.5 * size_F[0],
        "recede": size_F[-1] < size_F[0] / 1.5,
    }
    if kind == "orbit":
        target = thing.motion.target
        middle = (thing.x, thing.y) if target == -1 else (world.x_FN[:, target], world.y_FN[:, target])
        assert np.allclose(np.hypot(x_F - middle[0], y_F - middle[1]), thing.motion.radius)
        assert abs(thing.motion.turns) >= 0.7
    elif kind == "follow":
        behind = world.x_FN[:, 0] - x_F
        assert np.allclose(behind, behind[0]) and (behind[0] > 0) and (np.diff(x_F) > 0).all()
    else:
        assert checks[kind]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"objects": (0, 2)}, "objects"),
        ({"motions": ("fly",)}, "motions"),
        ({"places": ()}, "places"),
        ({"split": "test"}, "split"),
        ({"split": "heldout", "objects": (1, 1)}, "pairs"),
        ({"concepts": ("dog",)}, "concepts"),
        ({"concepts": ("dog", "cat", "fox", "nothing such")}, "nothing such"),
        ({"motions": ("follow",)}, "lead"),
        ({"object_weights": (1.0,)}, "object_weights"),
        ({"grid": 17}, "grid"),
        ({"camera_amount": (0.3, 0.2)}, "camera_amount"),
    ],
)
def test_a_wrong_config_is_refused(change: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        SceneConfig(**change)


def test_a_camera_pans_as_far_as_it_is_told() -> None:
    for kind, way in (("pan left", (-0.25, 0.0)), ("pan down", (0.0, 0.25))):
        camera = draw_scene(SceneConfig(cameras=(kind,), camera_amount=(0.25, 0.25)), 3).camera
        assert (camera.dx, camera.dy) == way


def test_things_go_as_told_in_the_world_or_rest_where_the_camera_outruns_them() -> None:
    """A camera that pans by half the frame leaves a thing of half the frame no room to go against it."""
    config = SceneConfig(objects=(1, 1), sizes=(0.5, 0.5), motions=tuple(DIRECTIONS), camera_amount=(0.5, 0.5), grid=8)
    kinds = set()
    for seed, pan in itertools.product(range(12), DIRECTIONS):
        scene = draw_scene(dataclasses.replace(config, cameras=(f"pan {pan}",)), seed)
        motion = scene.objects[0].motion
        kinds.add((motion.kind, pan))
        if motion.kind in DIRECTIONS:
            assert np.dot((motion.dx, motion.dy), DIRECTIONS[motion.kind]) > 0.1
        else:
            assert (motion.kind, motion.dx, motion.dy) == ("still", 0, 0)
    assert {("left", "left"), ("up", "left"), ("still", "left")} <= kinds
    assert not {("right", "left"), ("up", "down")} & kinds


def test_a_split_that_leaves_nothing_is_an_error() -> None:
    lone = next(b for b in FIRST_LIGHT if pair_held_out("dog", b))
    with pytest.raises(ValueError, match="split 'train'"):
        draw_scene(SceneConfig(objects=(2, 2), concepts=("dog", lone), split="train"), 0)


def test_wrong_parts_of_a_scene_are_refused() -> None:
    with pytest.raises(ValueError, match="teleport"):
        Motion("teleport")
    with pytest.raises(ValueError, match="shake"):
        Camera("shake")
    with pytest.raises(ValueError, match="nowhere"):
        Place("nowhere")
    with pytest.raises(ValueError, match="target"):
        Scene(0, 8, 8, 1, Place("red"), Camera(), (SceneObject("dog", 0.5, 0, 0, motion=Motion("follow", target=0)),))
    with pytest.raises(ValueError, match="at least 1"):
        Scene(0, 0, 8, 1, Place("red"), Camera(), ())
