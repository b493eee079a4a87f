# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Simulated solids: they fall as Newton says, roll as they should, and who moved because of whom is known."""

import dataclasses
import importlib.util
import sys

import numpy as np
import pytest

from vidgen.worlds.solids.scene import FPS, Push, Solid, SolidScene, View
from vidgen.worlds.solids.simulate import FLOOR, GRAVITY, counterfactual, load_mujoco, simulate

needs_mujoco = pytest.mark.skipif(not importlib.util.find_spec("mujoco"), reason="needs the extra worlds3d")
BALL = Solid("ball", "red", "matte", (0.3, 0.3, 0.3), -1.0, 0.0, 0.3)
BOX = Solid("box", "blue", "shiny", (0.3, 0.3, 0.3), 0.0, 0.0, 0.3)


def scene_of(*solids: Solid, pushes: tuple[Push, ...] = (), frames: int = 9) -> SolidScene:
    return SolidScene(0, 64, 64, frames, "grey", 0.8, View(), solids, pushes)


@needs_mujoco
def test_a_thing_falls_as_newton_says_and_lands():
    run = simulate(scene_of(dataclasses.replace(BALL, z=1.8)))
    for frame in range(4):  # it reaches the floor after 0.55 s
        seconds = frame / FPS
        assert run.positions_FN3[frame, 0, 2] == pytest.approx(1.8 - GRAVITY * seconds**2 / 2, abs=0.01)
        assert run.velocities_FN3[frame, 0, 2] == pytest.approx(-GRAVITY * seconds, abs=0.01)
    landing = run.touches[0]
    assert (landing.row, landing.other) == (0, FLOOR)
    assert landing.time == pytest.approx((2 * 1.5 / GRAVITY) ** 0.5, abs=0.01)
    assert landing.speed == pytest.approx((2 * 1.5 * GRAVITY) ** 0.5, abs=0.1)


@needs_mujoco
def test_a_pushed_ball_rolls_without_slipping():
    run = simulate(scene_of(BALL, pushes=(Push(0, 0.0, (1.2, 0.9, 0.0)),)))
    assert np.allclose(run.velocities_FN3[:, 0], [1.2, 0.9, 0.0], atol=0.05)
    # v = spin x (from the point of contact to the middle).
    assert np.allclose(np.cross(run.spins_FN3[:, 0], [0, 0, 0.3]), run.velocities_FN3[:, 0], atol=0.05)
    assert np.allclose(run.positions_FN3[-1, 0] - run.positions_FN3[0, 0], [1.2, 0.9, 0.0], atol=0.05)


@needs_mujoco
def test_a_later_push_comes_later():
    run = simulate(scene_of(BALL, pushes=(Push(0, 0.5, (2.0, 0.0, 0.0)),)))
    assert np.abs(run.positions_FN3[:5, 0] - run.positions_FN3[0, 0]).max() < 0.01
    assert run.positions_FN3[-1, 0, 0] - run.positions_FN3[0, 0, 0] == pytest.approx(1.0, abs=0.05)


@needs_mujoco
def test_cause_and_effect_and_the_world_without_the_cause():
    far = dataclasses.replace(BOX, color="green", x=0.0, y=2.0)
    scene = scene_of(BALL, BOX, far, pushes=(Push(0, 0.0, (2.5, 0.0, 0.0)),))
    run = simulate(scene)
    assert run.moved_by == (-1, 0, -1)
    hit = next(touch for touch in run.touches if touch.other != FLOOR)
    assert (hit.row, hit.other) == (0, 1)
    assert hit.time == pytest.approx(0.4 / 2.5, abs=0.02) and hit.speed == pytest.approx(2.5, abs=0.1)
    assert run.positions_FN3[-1, 1, 0] > 0.2 and np.abs(run.positions_FN3[-1, 2] - run.positions_FN3[0, 2]).max() < 0.01
    without = simulate(counterfactual(scene))
    assert without.moved_by == (-1, -1, -1)
    assert np.abs(without.positions_FN3 - without.positions_FN3[0]).max() < 0.01
    assert np.array_equal(without.positions_FN3[0], run.positions_FN3[0])


@needs_mujoco
def test_in_the_air_momentum_is_kept_and_energy_does_not_grow():
    one = dataclasses.replace(BALL, z=6.0)
    other = Solid("ball", "blue", "matte", (0.4, 0.4, 0.4), 0.0, 0.1, 6.0)
    run = simulate(scene_of(one, other, pushes=(Push(0, 0.0, (2.0, 0.0, 0.0)),), frames=8))
    hit = run.touches[0]
    assert (hit.row, hit.other) == (0, 1) and len(run.touches) == 1
    mass_N1 = np.array([[0.3**3], [0.4**3]])
    momentum_F3 = (mass_N1 * run.velocities_FN3).sum(1)
    assert np.allclose(momentum_F3[:, :2], momentum_F3[0, :2], atol=1e-3)
    level_F = (mass_N1[:, 0] * np.square(run.velocities_FN3[..., :2]).sum(-1)).sum(-1)
    assert level_F[-1] < 0.99 * level_F[0] and run.velocities_FN3[-1, 1, 0] > 0.3


@needs_mujoco
def test_a_pile_stands_still_and_a_hit_one_does_not():
    top = dataclasses.replace(BOX, color="green", size=(0.25, 0.25, 0.3), z=0.9)
    pile = scene_of(BOX, top, frames=17)
    run = simulate(pile)
    assert np.abs(run.positions_FN3 - run.positions_FN3[0]).max() < 0.01 and run.moved_by == (-1, -1)
    hit = simulate(scene_of(BOX, top, BALL, pushes=(Push(2, 0.0, (4.0, 0.0, 0.0)),), frames=17))
    assert hit.moved_by[0] == 2 and hit.moved_by[1] in (0, 2)


@needs_mujoco
def test_a_run_is_the_same_again():
    scene = scene_of(BALL, BOX, pushes=(Push(0, 0.0, (2.5, 0.3, 0.0)),))
    first = simulate(scene)
    simulate.cache_clear()
    again = simulate(scene)
    assert again is not first
    assert np.array_equal(first.positions_FN3, again.positions_FN3) and first.touches == again.touches


def test_without_the_package_the_error_says_how_to_install_it(monkeypatch):
    monkeypatch.delitem(sys.modules, "mujoco", raising=False)
    monkeypatch.setattr(sys, "meta_path", [_Hide(), *sys.meta_path])
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'vidgen\[worlds3d\]'"):
        load_mujoco()


class _Hide:
    """As if mujoco were not installed."""

    def find_spec(self, name, path=None, target=None):
        if name == "mujoco":
            raise ModuleNotFoundError("No module named 'mujoco'", name="mujoco")
