# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Pictures of solids: where projections say, in their colours, with shadows; and errors that say what to install."""

import ctypes.util
import dataclasses

import cv2
import numpy as np
import pytest

from vidgen.worlds.solids import render as solids_render
from vidgen.worlds.solids.draw import SolidConfig, draw_solids
from vidgen.worlds.solids.render import choose_gl, missing, render_solids, shoot
from vidgen.worlds.solids.scene import COLORS, FLOORS, Push, Solid, SolidScene, View
from vidgen.worlds.solids.simulate import simulate
from vidgen.worlds.solids.truth import solid_truth
from vidgen.worlds.solids.viewpoint import camera_rig, outlines

needs_gl = pytest.mark.skipif(bool(missing()), reason=missing())
BALL = Solid("ball", "red", "matte", (0.4, 0.4, 0.4), 0.0, 0.0, 0.4)


def scene_of(*solids: Solid, frames: int = 1, floor: str = "grey", pushes: tuple[Push, ...] = ()) -> SolidScene:
    return SolidScene(0, 64, 48, frames, floor, 0.8, View("orbit left", turn=0.6), solids, pushes)


@needs_gl
def test_what_is_drawn_is_where_the_projection_says():
    scene = draw_solids(SolidConfig(plays=("topple",), frames=5, width=64, height=48), 3)
    run, shot, truth = simulate(scene), shoot(scene), solid_truth(scene)
    hulls = outlines(scene, camera_rig(scene), run.positions_FN3, run.quaternions_FN4)
    for row in range(len(scene.solids)):
        for frame in (0, 4):
            large = np.zeros((48 * 4, 64 * 4), np.uint8)
            corners = cv2.convexHull((hulls[row][frame] * 4).astype(np.float32)).round().astype(int)
            cv2.fillConvexPoly(large, corners, 1)
            inside_HW = large.reshape(48, 4, 64, 4).mean((1, 3))
            shown_HW = shot.segments_FHWN[frame, ..., row]
            # Nothing is drawn outside of an outline, and where nothing covers it the outline is full.
            assert np.maximum(shown_HW - inside_HW, 0).sum() < 0.06 * inside_HW.sum() + 1
            if truth.visible_FN[frame, row] > 0.99:
                assert shown_HW.sum() == pytest.approx(inside_HW.sum(), rel=0.08)
            box = truth.boxes_FN4[frame, row]
            down, across = np.nonzero(shown_HW > 0.5)
            if len(down):
                assert box[0] - 1 < across.min() and across.max() < box[2] and box[1] - 1 < down.min()
                assert down.max() < box[3]
    assert shot.segments_FHWN.sum(-1).max() <= 1
    assert np.array_equal(shot.frames_FHWC, render_solids(scene))


@needs_gl
@pytest.mark.parametrize("color", COLORS)
def test_a_solid_has_its_colour(color):
    shot = shoot(scene_of(dataclasses.replace(BALL, color=color)))
    mean = shot.frames_FHWC[0][shot.segments_FHWN[0, ..., 0] == 1].mean(0)
    wanted = np.array(COLORS[color], float)
    cosine = float(mean @ wanted / np.linalg.norm(mean) / np.linalg.norm(wanted))
    assert cosine > 0.97 and 0.4 < np.linalg.norm(mean) / np.linalg.norm(wanted) < 1.3


@needs_gl
def test_a_solid_throws_a_shadow():
    lone, beside = scene_of(dataclasses.replace(BALL, x=30.0)), scene_of(BALL)
    dark_HW = render_solids(lone)[0].mean(-1) - render_solids(beside)[0].mean(-1)
    floor_HW = shoot(beside).segments_FHWN[0, ..., 0] == 0
    assert (dark_HW[floor_HW] > 25).sum() > 10


@needs_gl
def test_floors_look_different():
    looks = [render_solids(scene_of(BALL, floor=floor)).astype(int) for floor in FLOORS]
    for row, look in enumerate(looks):
        for other in looks[:row]:
            assert np.abs(look - other).mean() > 4


@needs_gl
def test_truth_names_events_and_visibility():
    near = Solid("box", "blue", "matte", (0.3, 0.3, 0.3), 1.0, 0.0, 0.3)
    scene = scene_of(dataclasses.replace(BALL, x=-0.5), near, frames=9, pushes=(Push(0, 0.0, (3.0, 0.0, 0.0)),))
    truth = solid_truth(scene)
    kinds = [(event.kind, event.subject, event.other) for event in truth.events]
    assert kinds.index(("hits", 0, 1)) < kinds.index(("starts", 1, 0)) and ("starts", 0, -1) in kinds
    small = dataclasses.replace(near, size=(0.12, 0.12, 0.12), x=0.0, y=0.65, z=0.12)
    hidden = solid_truth(scene_of(BALL, small))
    assert hidden.visible_FN[0, 0] > 0.93 > 0.2 > hidden.visible_FN[0, 1]
    assert hidden.depths_FN[0, 0] < hidden.depths_FN[0, 1]


def test_without_libraries_the_error_names_debians_packages(monkeypatch):
    monkeypatch.delenv("MUJOCO_GL", raising=False)
    monkeypatch.setattr(ctypes.util, "find_library", lambda name: None)
    with pytest.raises(RuntimeError, match=r"apt-get install -y libegl1 libegl-mesa0 .* libosmesa6"):
        choose_gl()
    if not missing().startswith("3-D worlds need the package"):
        assert "libEGL and libOSMesa" in missing()


def test_egl_comes_first_and_mujoco_gl_is_heeded(monkeypatch):
    there = {"EGL", "OSMesa"}
    monkeypatch.setattr(ctypes.util, "find_library", lambda name: name if name in there else None)
    monkeypatch.delenv("MUJOCO_GL", raising=False)
    assert choose_gl() == "egl"
    monkeypatch.setenv("MUJOCO_GL", "OSMesa")
    assert choose_gl() == "osmesa"
    monkeypatch.setenv("MUJOCO_GL", "glfw")
    with pytest.raises(RuntimeError, match="MUJOCO_GL=glfw"):
        choose_gl()
    monkeypatch.setenv("MUJOCO_GL", "vulkan")
    with pytest.raises(ValueError, match="'vulkan'"):
        choose_gl()
    monkeypatch.delenv("MUJOCO_GL")
    there.remove("EGL")
    assert choose_gl() == "osmesa"


@needs_gl
def test_a_context_that_fails_says_what_to_install(monkeypatch):
    def fail(name):
        raise ImportError("no device")

    monkeypatch.setattr(solids_render.importlib, "import_module", fail)
    monkeypatch.setattr(solids_render, "load_mujoco", lambda: None)
    with pytest.raises(RuntimeError, match=r"no device.*apt-get install"):
        solids_render._Studio(scene_of(BALL))
