# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Pairs: floors and controls on few concepts; VBench's formula by hand, and that it cannot tell left from right."""

import numpy as np
import pytest

from vidgen.eval.suite import NotApplicableError, Setting, mirrored, shuffled
from vidgen.eval.suites import pairs
from vidgen.eval.suites.pairs import UNSIGNED, unsigned
from vidgen.worlds.sprites import FIRST_LIGHT

SETTING = Setting(concepts=FIRST_LIGHT[::3], frames=5)


@pytest.fixture(scope="module")
def cases():
    return pairs.PAIRS.draw(SETTING, 4, 0)


@pytest.fixture(scope="module")
def clips(cases):
    return [case.render() for case in cases]


@pytest.mark.parametrize("suite", pairs.SUITES, ids=lambda suite: suite.name)
def test_true_renders_pass_and_controls_fail_as_they_must(suite, cases, clips):
    true = suite.summary([suite.measure(clip, case) for clip, case in zip(clips, cases, strict=True)])
    for bound in suite.floors:
        assert bound.holds(true[bound.score].value), bound
    for control in suite.controls:
        held = shuffled(cases) if control.shuffle else cases
        changed = clips if control.clip is None else [control.clip(clip) for clip in clips]
        scores = suite.summary([suite.measure(clip, case) for clip, case in zip(changed, held, strict=True)])
        for bound in control.expects:
            score = scores[bound.score]
            assert not score.n or bound.holds(score.value, true[bound.score].value), (control.name, bound, score)


def test_mirrored_clips_keep_the_unsigned_score_and_lose_the_signed_one(cases, clips):
    told = [case for case in cases if case.expects.case.relation]
    assert told
    for case in told:
        clip = clips[cases.index(case)]
        own, other = (UNSIGNED.measure(one, case) for one in (clip, mirrored(clip)))
        assert own["unsigned"] == pytest.approx(other["unsigned"])
        assert own["relation"] == (True,) and other["relation"] == (False,)


def test_the_unsigned_score_by_hand():
    left, right = (0.0, 0.0, 10.0, 10.0), (30.0, 5.0, 40.0, 15.0)
    assert unsigned(left, right) == unsigned(right, left) == 1.0
    assert unsigned(left, (5.0, 30.0, 15.0, 40.0)) == 0.0  # further down than across
    assert unsigned(left, (5.0, 5.0, 15.0, 15.0)) == 0.0  # as far down as across
    # Intersection 6 x 10, union 200 - 60: IoU 3 / 7, of which 0.1 is allowed.
    assert unsigned(left, (4.0, 0.0, 14.0, 10.0)) == pytest.approx(0.1 * 7 / 3)
    # IoU 1 / 19, under 0.1.
    assert unsigned(left, (9.0, 0.0, 19.0, 10.0)) == 1.0


def test_a_clip_without_both_scores_nothing(cases):
    told = next(case for case in cases if case.expects.case.relation)
    blank = np.full((5, 64, 64, 3), 120, np.uint8)
    assert UNSIGNED.measure(blank, told) == {"unsigned": 0.0, "relation": (None,)}


def test_settings_without_cases():
    for setting in (Setting(frames=1), Setting(width=16, height=16), Setting(concepts=FIRST_LIGHT[:1])):
        with pytest.raises(NotApplicableError):
            pairs.PAIRS.draw(setting, 2, 0)
