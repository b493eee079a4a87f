# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Story suites: prompts claim what is scored and is true, true renders pass, and each control fails where it should."""

import pickle

import numpy as np
import pytest

from vidgen.eval.suite import NotApplicableError, Setting, shuffled
from vidgen.eval.suites import camera, static, stories
from vidgen.worlds.captions import Claim, claims, read_caption

SUITES = {suite.name: suite for suite in (*stories.SUITES, *camera.SUITES, static.PLACE)}
N = 2


def cases_of(suite, n=N, seed=0):
    setting = Setting(frames=25) if suite.name == "parts" else Setting()
    return suite.source.draw(setting, n, seed)


@pytest.mark.parametrize("name", SUITES)
def test_true_renders_pass_and_controls_fail_as_they_must(name):
    suite = SUITES[name]
    cases = cases_of(suite)
    clips = [case.render() for case in cases]
    true = suite.summary([suite.measure(clip, case) for clip, case in zip(clips, cases, strict=True)])
    for bound in suite.floors:
        assert bound.holds(true[bound.score].value), bound
    for control in suite.controls:
        held = shuffled(cases) if control.shuffle else cases
        changed = clips if control.clip is None else [control.clip(clip) for clip in clips]
        assert all(new.shape == old.shape and new.dtype == np.uint8 for new, old in zip(changed, clips, strict=True))
        scores = suite.summary([suite.measure(clip, case) for clip, case in zip(changed, held, strict=True)])
        for bound in control.expects:
            score = scores[bound.score]
            assert not score.n or bound.holds(score.value, true[bound.score].value), (control.name, bound, score)


@pytest.mark.parametrize("name", [name for name in SUITES if name in {suite.name for suite in stories.SUITES}])
def test_prompts_claim_what_is_scored_and_what_is_true(name):
    for case in cases_of(SUITES[name], 4):
        said, truth = read_caption(case.prompt), claims(case.scene)
        assert case.expects.claims and set(case.expects.claims) | set(case.expects.events) <= said & truth
        assert set(case.names) == {claim.subject for claim in said if claim.kind == "object"}
        assert pickle.loads(pickle.dumps(case)) == case  # noqa: S301


def test_cases_depend_on_the_seed_and_fewer_are_the_first():
    for suite in SUITES.values():
        assert cases_of(suite, 4)[:2] == cases_of(suite, 2) != cases_of(suite, 2, seed=1)


def test_a_cause_and_its_twin_begin_alike():
    for case in cases_of(SUITES["cause"], 3):
        own, without = case.render()
        start = case.scene.story[0].start
        assert np.array_equal(own[: start + 1], without[: start + 1]) and not np.array_equal(own, without)
        assert not [claim for claim in read_caption(case.twin.prompt) if claim.kind == "cause"]
        assert set(case.twin.names) <= set(case.names)
        (claim,) = case.expects.claims
        # The same clip for both is no counterfactual: the effect comes about without its cause.
        same = SUITES["cause"].measure(np.stack([own, own]), case)
        assert same["right"] is True and not same["both"]
        assert same["change_error"] is None or same["change_error"] > 0.02
        assert claim.kind == "cause"


def test_what_cannot_be_told():
    for name, setting in (("order", Setting(frames=9)), ("parts", Setting(frames=17)), ("camera", Setting(frames=1))):
        with pytest.raises(NotApplicableError):
            SUITES[name].source.draw(setting, 2, 0)
    # Without a door or a window nothing opens, but things still push and fall.
    few = Setting(concepts=tuple(concept for concept in Setting().concepts if concept not in ("door", "window")))
    kinds = {case.scene.theme for case in SUITES["cause"].source.draw(few, 4, 0)}
    assert kinds == {"push", "knock"}


def test_speed_tells_slow_things_from_fast_ones():
    suite = SUITES["speed"]
    cases = cases_of(suite, 16)
    slow = [case for case in cases if any(claim.value == "slow" for claim in case.expects.claims)][:2]
    assert slow
    for case in slow:
        clip = case.render()
        assert suite.measure(clip, case)["slow"] == (True,)
        assert suite.measure(stories.hurried(clip), case)["slow"] == (False,)


def test_a_wrong_number_is_wrong_by_so_many():
    case = cases_of(SUITES["count"], 1)[0]
    (claim,) = case.expects.claims
    wrong = stories.Told((Claim("number", claim.subject, str(int(claim.value) + 2)),))
    outcome = stories.measure_count(case.render(), stories.replace(case, expects=wrong))
    assert outcome == {"right": False, "few": False if int(claim.value) <= 2 else (), "error": 2.0}


def test_up_to_four_are_told_apart_from_more():
    for case in cases_of(SUITES["count"], 12):
        (claim,) = case.expects.claims
        outcome = stories.measure_count(case.render(), case)
        assert outcome["right"] and outcome["few"] == (True if int(claim.value) <= 4 else ())
