# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Measures of mechanics: near nothing on true renders, and exactly the damage where the damage is known."""

import dataclasses

import numpy as np
import pytest

from vidgen.eval.physics import (
    FAULTS,
    conservation_drift,
    counted_frames,
    faults,
    fit_gravity,
    kept_attributes,
    velocity_error,
)
from vidgen.worlds.phyworld.discs import DiscReading, read_discs, render
from vidgen.worlds.phyworld.physics import Body, PhyScene, ground_truth
from vidgen.worlds.phyworld.scene import PhyConfig, draw_scene

COLLISION = PhyScene("collision", (Body(2, 5, 3, 0, 1, "red"), Body(7, 5, -1, 0, 0.8, "blue")), frames=20)
PARABOLA = PhyScene("parabola", (Body(1.5, 8.5, 2, 0, 1),), -2.5)
UNIFORM = PhyScene("uniform", (Body(1.5, 5, 2, 0, 1),))


def read(scene):
    return read_discs(render(scene), tuple(body.color for body in scene.bodies))


def perfect(truth):
    """A reading that is the truth, where a body is wholly visible."""
    shown = np.where(truth.visible_FN, 1.0, np.nan)
    return DiscReading(
        position_FN2=truth.position_FN2 * shown[..., None],
        radius_FN=np.sqrt(truth.mass_N / np.pi) * shown,
        squareness_FN=truth.square_N * shown,
        stray_F=np.zeros(len(shown)),
    )


def changed(reading, **fields):
    return dataclasses.replace(reading, **fields)


@pytest.mark.parametrize("task", ["uniform", "collision", "parabola"])
def test_true_renders_obey(task):
    for split in ("in_distribution", "out_of_distribution"):
        for seed in range(6):
            scene = draw_scene(PhyConfig(task, split), seed)
            truth, reading = ground_truth(scene), read(scene)
            error = velocity_error(reading, truth, given=3)
            assert error.error < 0.03 and error.missed == 0
            assert faults(reading, truth, given=3) == ()
            drift = conservation_drift(reading, truth, given=3)
            if truth.velocity_FN2[0].max() > 0.5:
                assert drift.energy < 0.02 and drift.momentum < 0.01
            if task == "parabola":
                gravity = fit_gravity(reading, truth, given=3)
                assert abs(gravity.value + 2.5) < 0.05
                assert abs(gravity.value + 2.5) < 6 * gravity.error + 1e-3


def test_a_known_error_of_velocity_is_what_is_measured():
    truth = ground_truth(UNIFORM)
    for along, across in ((0.5, 0.0), (0.0, -0.5), (0.3, 0.4)):
        slower = changed(
            perfect(truth), position_FN2=perfect(truth).position_FN2 + truth.time_F[:, None, None] * (along, across)
        )
        assert velocity_error(slower, truth).error == pytest.approx(0.5)
        assert velocity_error(slower, truth).missed == 0
    # A constant shift is no error of velocity.
    assert velocity_error(changed(perfect(truth), position_FN2=perfect(truth).position_FN2 + 1), truth).error < 1e-12


def test_given_frames_and_those_before_the_impact_do_not_count():
    truth = ground_truth(COLLISION)
    exact = perfect(truth)
    early = truth.time_F < truth.impact
    assert early.sum() > 5 and (~early).sum() > 5
    wrong = exact.position_FN2.copy()
    wrong[early] += np.random.default_rng(0).normal(size=wrong[early].shape)
    assert velocity_error(changed(exact, position_FN2=wrong), truth).error < 1e-12
    assert velocity_error(changed(exact, position_FN2=-wrong), truth).error > 1
    rows = counted_frames(truth, given=10)
    assert not rows[:9].any() and (rows[9:] == counted_frames(truth)[9:]).all()
    # The step from the last given frame to the first made one counts.
    alone = ground_truth(UNIFORM)
    shifted = perfect(alone).position_FN2 + (np.arange(32) >= 3)[:, None, None] * np.array([0.1, 0])
    steps = int(counted_frames(alone, 3).sum()) - 1
    assert velocity_error(changed(perfect(alone), position_FN2=shifted), alone, 3).error == pytest.approx(1 / steps)
    assert velocity_error(changed(perfect(alone), position_FN2=shifted), alone, 4).error < 1e-12


def test_what_is_not_read_is_missed_and_not_right():
    truth = ground_truth(UNIFORM)
    holes = perfect(truth).position_FN2.copy()
    holes[10] = np.nan
    steps = int(counted_frames(truth).sum()) - 1
    found = velocity_error(changed(perfect(truth), position_FN2=holes), truth)
    assert found.error < 1e-12 and found.missed == pytest.approx(2 / steps)
    empty = read_discs(np.full((32, 64, 64, 3), 255, np.uint8))
    found = velocity_error(empty, truth)
    assert np.isnan(found.error) and found.missed == 1
    assert np.isnan(conservation_drift(empty, truth).energy)
    assert np.isnan(fit_gravity(empty, truth).value)
    never = ground_truth(dataclasses.replace(UNIFORM, bodies=(Body(-5, 5, 0, 0, 1),)))
    assert np.isnan(velocity_error(empty, never).error) and np.isnan(velocity_error(empty, never).missed)


def test_drift_by_hand():
    truth = ground_truth(UNIFORM)
    faster = perfect(truth).position_FN2 + truth.time_F[:, None, None] * np.array([0.2, 0])
    drift = conservation_drift(changed(perfect(truth), position_FN2=faster), truth)
    assert drift.energy == pytest.approx(1.1**2 - 1) and drift.momentum == pytest.approx(0.1)
    # A ball that passes the other one instead of bouncing: both energy and momentum are wrong after the impact only if
    # the masses differ; here the red ball stops dead and the blue one goes on as before.
    hit = ground_truth(COLLISION)
    after = hit.time_F >= hit.impact
    stuck = perfect(hit).position_FN2.copy()
    stuck[after] = stuck[after][:1]
    drift = conservation_drift(changed(perfect(hit), position_FN2=stuck), hit)
    assert drift.energy == pytest.approx(1)
    mass, speed = hit.mass_N, hit.velocity_FN2[-1, :, 0]
    assert drift.momentum == pytest.approx(abs(mass @ speed) / (mass @ np.abs(speed)))


def test_energy_counts_height_under_gravity():
    truth = ground_truth(PARABOLA)
    assert conservation_drift(perfect(truth), truth).energy < 1e-9
    higher = changed(perfect(truth), position_FN2=perfect(truth).position_FN2 + np.array([0, 1.0]))
    total = 0.5 * 4 + 2.5 * 8.5
    assert conservation_drift(higher, truth).energy == pytest.approx(2.5 / total)
    assert conservation_drift(higher, truth).momentum < 1e-9


def test_the_fitted_gravity_and_its_error():
    truth = ground_truth(PARABOLA)
    exact = fit_gravity(perfect(truth), truth)
    assert exact.value == pytest.approx(-2.5) and exact.error < 1e-9
    floating = ground_truth(dataclasses.replace(PARABOLA, gravity=0.0))
    assert fit_gravity(perfect(floating), truth).value == pytest.approx(0, abs=1e-9)
    rng = np.random.default_rng(1)
    off = []
    for _ in range(200):
        noisy = perfect(truth).position_FN2 + rng.normal(0, 0.02, truth.position_FN2.shape)
        fit = fit_gravity(changed(perfect(truth), position_FN2=noisy), truth)
        off.append((fit.value + 2.5) / fit.error)
    assert abs(np.mean(off)) < 0.25 and 0.85 < np.std(off) < 1.25


def test_each_fault_is_named_and_a_wrong_motion_is_none():
    for scene in (UNIFORM, dataclasses.replace(UNIFORM, bodies=(Body(1.5, 5, 2, 0, 1, "blue", "square"),))):
        truth = ground_truth(scene)
        exact = perfect(truth)
        late = np.arange(32) > 10
        assert faults(exact, truth) == ()
        drifting = exact.position_FN2 + truth.time_F[:, None, None] * np.array([1.0, 0])
        ways = {
            (): {"position_FN2": drifting},
            ("lost",): {"radius_FN": np.where(late[:, None], np.nan, exact.radius_FN)},
            ("resized",): {"radius_FN": np.where(late[:, None], 1.2, 1) * exact.radius_FN},
            ("reshaped",): {"squareness_FN": np.where(late[:, None], 1 - truth.square_N, exact.squareness_FN)},
            ("stray",): {"stray_F": 0.5 * truth.mass_N[0] * late},
            ("jumped",): {"position_FN2": exact.position_FN2 + late[:, None, None] * np.array([0, 0.6])},
        }
        assert {name for key in ways for name in key} == set(FAULTS)
        for names, fields in ways.items():
            assert faults(changed(exact, **fields), truth, given=3) == names
        # Within the given frames nothing is the model's.
        assert faults(changed(exact, stray_F=9.0 * (np.arange(32) < 5)), truth, given=5) == ()


def test_a_ball_that_splits_or_vanishes_is_abnormal_in_pixels():
    clip = render(UNIFORM)
    truth = ground_truth(UNIFORM)
    other = render(dataclasses.replace(UNIFORM, bodies=(Body(1.5, 8, 2, 0, 0.8),)))
    assert faults(read_discs(np.minimum(clip, other)), truth) == ("stray",)
    gone = clip.copy()
    gone[12:] = 255
    assert faults(read_discs(gone), truth) == ("lost",)


@pytest.mark.parametrize("task", ["color-shape", "color-size", "color-velocity", "size-velocity", "velocity-shape"])
def test_what_a_clip_keeps_of_its_attributes(task):
    swapped = {
        "color": lambda body: {"color": "blue" if body.color == "red" else "red"},
        "shape": lambda body: {"shape": "square" if body.shape == "disc" else "disc"},
        "size": lambda body: {"radius": 0.8 if body.radius > 1.05 else 1.3},
        "velocity": lambda body: {"vx": 1.4 if body.vx > 2.5 else 3.5},
    }
    for seed in range(4):
        scene = draw_scene(PhyConfig(task, "out_of_distribution"), seed)
        body = scene.bodies[0]
        scene = dataclasses.replace(scene, bodies=(dataclasses.replace(body, x=max(body.radius, 1.3)),))
        assert set(kept_attributes(render(scene), scene, 3).values()) == {True}
        for name, swap in swapped.items():
            other = dataclasses.replace(scene, bodies=(dataclasses.replace(scene.bodies[0], **swap(body)),))
            kept = kept_attributes(render(other), scene, 3)
            assert [key for key, value in kept.items() if value is False] == [name], (task, seed, name, kept)
    nothing = kept_attributes(np.full((32, 64, 64, 3), 255, np.uint8), scene, 3)
    assert set(nothing.values()) == {None}
