# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The suites of mechanics: floors hold on true renders, controls do what they must, and cases are sound."""

import json
import pickle

import numpy as np
import pytest

from vidgen.eval.suite import NotApplicableError, Setting, shuffled
from vidgen.eval.suites import physics
from vidgen.eval.suites.physics import GIVEN, PHYSICS_IQ, SUITES
from vidgen.worlds.phyworld.physics import ground_truth

N = 12
SETTING = Setting(width=48, height=48)


def outcomes(suite, cases, control=None):
    held = shuffled(cases) if control is not None and control.shuffle else cases
    clips = [case.render() for case in cases]
    if control is not None and control.clip is not None:
        changed = [control.clip(clip) for clip in clips]
        assert all(new.shape == old.shape and new.dtype == np.uint8 for new, old in zip(changed, clips, strict=True))
        assert np.array_equal(control.clip(np.stack(clips[:2])), np.stack(changed[:2]))
        clips = changed
    return [suite.measure(clip, case) for clip, case in zip(clips, held, strict=True)]


@pytest.mark.parametrize("suite", SUITES, ids=lambda suite: suite.name)
def test_floors_hold_and_controls_do_what_they_must(suite):
    cases = suite.source.draw(SETTING, N, 0)
    true = outcomes(suite, cases)
    json.dumps(true, allow_nan=False)
    summary = suite.summary(true)
    for bound in suite.floors:
        assert bound.holds(summary[bound.score].value), (bound, summary[bound.score].value)
    assert suite.controls
    for control in suite.controls:
        found = suite.summary(outcomes(suite, cases, control))
        for bound in control.expects:
            value, unchanged = found[bound.score].value, summary[bound.score].value
            assert bound.holds(value, unchanged), (control.name, bound, value)


@pytest.mark.parametrize("suite", SUITES, ids=lambda suite: suite.name)
def test_cases_are_pure_and_sound(suite):
    cases = suite.source.draw(SETTING, N, 3)
    assert suite.source.draw(SETTING, 5, 3) == cases[:5]
    assert suite.source.draw(SETTING, 5, 4) != cases[:5]
    assert len({case.prompt for case in cases}) == N
    pickle.dumps((suite, cases))  # they are sent to workers
    ids = [score.id for score in suite.scores]
    bounds = [*suite.floors, *(bound for control in suite.controls for bound in control.expects)]
    assert {bound.score for bound in bounds} <= set(ids) and len(set(ids)) == len(ids)
    for case in cases:
        assert case.render().shape == (17, 48, 48, 3)
        truth = ground_truth(case.scene)
        # What happens is still to come when the system takes over.
        assert case.given == GIVEN
        assert truth.impact is None or truth.impact > truth.time_F[GIVEN - 1]
        assert truth.visible_FN[: GIVEN + 1].all()


def test_cases_are_as_long_as_the_system_can_and_no_longer_than_phyworlds():
    draw = physics.UNIFORM.source.draw
    assert [draw(Setting(frames=frames), 1, 0)[0].scene.frames for frames in (16, 17, 32, 481)] == [16, 17, 32, 32]
    with pytest.raises(NotApplicableError, match="need 16 frames"):
        draw(Setting(frames=9), 1, 0)
    with pytest.raises(NotApplicableError, match="square, and frames are 64x40"):
        draw(Setting(height=40), 1, 0)


def test_half_of_the_cases_are_out_of_distribution():
    suite = physics.COLLISION
    cases = suite.source.draw(SETTING, N, 0)
    found = suite.summary(outcomes(suite, cases))
    near, far = (found[f"velocity_error_{split}"] for split in (physics.NEAR, physics.FAR))
    assert near.n == far.n == N // 2 and found["velocity_error"].n == N
    assert found["velocity_error"].value == pytest.approx((near.value + far.value) / 2)


def test_a_slow_ball_scores_its_slowness():
    case = physics.UNIFORM.source.draw(SETTING, 1, 0)[0]
    clip = case.render()
    still = np.concatenate([clip[:GIVEN], np.repeat(clip[GIVEN - 1 : GIVEN], len(clip) - GIVEN, axis=0)])
    found = physics.measure(still, case)
    assert found["velocity_error"] == pytest.approx(case.scene.bodies[0].vx, rel=0.02)
    assert found["abnormal"] is False and found["missed"] == 0


def test_physics_iq_is_a_ratio_of_means():
    cases = PHYSICS_IQ.source.draw(SETTING, N, 0)
    second = [PHYSICS_IQ.measure(case.renderer(case.expects), case) for case in cases]
    assert PHYSICS_IQ.summary(second)["physics_iq"].value == pytest.approx(1)
    half = [
        {key: value / 2 if key.startswith("clip") and "mse" not in key else value for key, value in one.items()}
        for one in second
    ]
    assert PHYSICS_IQ.summary(half)["physics_iq"].value == pytest.approx(0.5)
    assert 0 < PHYSICS_IQ.summary(second)["take_spatiotemporal"].value < 1
