# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Ground truth against pixels: boxes and visible shares against rendered masks, events against paths."""

import dataclasses

import hypothesis
import hypothesis.strategies as st
import numpy as np

from vidgen.worlds.motion import camera_path, screen_poses
from vidgen.worlds.raster import alpha_masks, warp
from vidgen.worlds.render import ground_truth, render
from vidgen.worlds.scene import Camera, Motion, Place, Scene, SceneConfig, SceneObject, draw_scene
from vidgen.worlds.sprites import FIRST_LIGHT

seeds = st.integers(0, 2**32)


@hypothesis.given(seeds, st.floats(0, 1.5))
def test_boxes_bound_the_rendered_object(seed: int, tilt: float) -> None:
    """The pixels that it covers by half or more, also outside of the frame, then cut at the frame's edge.

    At 256 pixels, where no part of the art is thinner than a pixel, and within 1 % of the frame.
    """
    scene = draw_scene(SceneConfig(width=256, height=256, frames=3, tilt=tilt), seed)
    truth, seen = ground_truth(scene), screen_poses(scene)
    for frame in range(scene.frames):
        for row in range(len(scene.objects)):
            patch, left, top = warp(scene, seen, frame, row, clip=False)
            solid = patch[..., 3] > 127
            rows, columns = np.flatnonzero(solid.any(axis=1)), np.flatnonzero(solid.any(axis=0))
            box = np.array([left + columns[0], top + rows[0], left + columns[-1] + 1, top + rows[-1] + 1])
            box = np.clip(box, 0, [scene.width, scene.height] * 2)
            if box[0] < box[2] and box[1] < box[3]:
                assert np.abs(truth.boxes_FN4[frame, row] - box).max() < 2.6, (frame, row, scene)


def test_boxes_are_not_off_to_one_side() -> None:
    """On average over the art no side is off, to half a pixel of the atlas, which is 1.4 pixels here."""
    off = []
    for name in FIRST_LIGHT[::6]:
        scene = Scene(0, 512, 512, 1, Place("red"), Camera(), (SceneObject(name, 0.5, 0.01, 0.02),))
        ((mask, _),) = next(alpha_masks(scene))
        rows, columns = np.flatnonzero((mask > 0.5).any(axis=1)), np.flatnonzero((mask > 0.5).any(axis=0))
        off.append(ground_truth(scene).boxes_FN4[0, 0] - [columns[0], rows[0], columns[-1] + 1, rows[-1] + 1])
    assert np.abs(np.mean(off, axis=0)).max() < 1.4


@hypothesis.settings(max_examples=12)
@hypothesis.given(seeds)
def test_visible_share_against_brute_force(seed: int) -> None:
    """Painted eight times as large, each object in its own flat colour, pixels are counted."""
    scene = draw_scene(SceneConfig(frames=3, objects=(2, 4)), seed)
    truth = ground_truth(scene)
    large = dataclasses.replace(scene, width=512, height=512)
    for frame, masks in enumerate(alpha_masks(large)):
        owner = np.full((512, 512), -1)
        for row in truth.order_N:
            owner[masks[row][0] > 0.5] = row
        for row, (_, area) in enumerate(masks):
            assert abs((owner == row).sum() / area - truth.visible_FN[frame, row]) < 0.04


def test_masks_are_what_rendering_blends() -> None:
    """A scene's frame is the place, plus each object by its mask: black on white shows the mask itself."""
    scene = Scene(0, 64, 64, 1, Place("white"), Camera(), (SceneObject("eight ball", 0.5, 0.1, 0.0),))
    ((mask, area),) = next(iter(alpha_masks(scene)))
    shown = render(scene)[0].max(axis=-1) < 240
    assert (shown[mask > 0.5]).mean() > 0.9 and not shown[mask == 0].any()
    assert abs(mask.sum() - area) < 1


def test_alone_in_the_middle_is_fully_visible_and_outside_is_not() -> None:
    things = (SceneObject("dog", 0.3, 0.0, 0.0), SceneObject("cat", 0.3, 3.0, 0.0))
    truth = ground_truth(Scene(0, 64, 64, 1, Place("red"), Camera(), things))
    assert truth.visible_FN[0, 0] > 0.999 and truth.visible_FN[0, 1] == 0
    assert (truth.boxes_FN4[0, 1] == 0).all()
    assert np.allclose(truth.centers_FN2[0], [[32, 32], [224, 32]])


def test_order_runs_from_far_to_near_and_camera_is_the_path() -> None:
    things = tuple(SceneObject(name, 0.3, 0, 0, depth=d) for name, d in (("dog", 1.0), ("cat", 3.0), ("fox", 2.0)))
    scene = Scene(0, 64, 64, 4, Place("red"), Camera("pan left", dx=-0.3), things)
    truth = ground_truth(scene)
    assert truth.order_N == (1, 2, 0)
    assert np.allclose(truth.camera_F3, camera_path(scene)) and np.isclose(truth.camera_F3[-1, 0], -0.3)
    assert truth.visible_FN[0, 0] > 0.99 > truth.visible_FN[0, 1]


def test_events_of_a_passage() -> None:
    """In from the left, in front of another, out on the right; the other bounces."""
    runner = SceneObject("car", 0.3, -0.7, 0.0, depth=0.0, motion=Motion("right", dx=1.4), enter="left", leave="right")
    ball = SceneObject("basketball", 0.2, 0.0, 0.0, depth=1.0, motion=Motion("bounce", height=0.1, turns=2))
    events = ground_truth(Scene(0, 64, 64, 17, Place("red"), Camera(), (runner, ball))).events
    by_kind = {event.kind: event for event in events}
    assert by_kind["enters"].side == "left" and by_kind["leaves"].side == "right"
    assert by_kind["hidden"].subject == 1 and by_kind["hidden"].other == 0
    passes = [event.frame for event in events if event.kind == "passes"]
    order = [
        by_kind["enters"].frame,
        by_kind["hidden"].frame,
        *passes[:1],
        by_kind["revealed"].frame,
        by_kind["leaves"].frame,
    ]
    assert order == sorted(order)
    assert [event.frame for event in events if event.kind == "bounces"] == [8, 16]
    assert all(0 < event.frame < 17 for event in events)


def test_drawn_entrances_and_exits_happen() -> None:
    config = SceneConfig(objects=(1, 1), crossings=1.0, motions=("left", "right", "up", "down"))
    kinds = set()
    for seed in range(40):
        scene = draw_scene(config, seed)
        (thing,), truth = scene.objects, ground_truth(scene)
        if not (thing.enter or thing.leave):
            assert scene.camera.kind.startswith("zoom")
            continue
        kind, side = ("enters", thing.enter) if thing.enter else ("leaves", thing.leave)
        assert [(event.kind, event.side) for event in truth.events] == [(kind, side)]
        kinds.add((kind, side))
    assert len(kinds) >= 6
