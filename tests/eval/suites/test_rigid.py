# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The suite of 3-D consistency: true renders pass, each control fails as it must, and prompts name what they expect."""

import numpy as np
import pytest

from vidgen.eval.suite import NotApplicableError, Setting
from vidgen.eval.suites import rigid
from vidgen.worlds.solids.captions import read_solid_caption
from vidgen.worlds.solids.render import missing

SETTING = Setting()
needs_gl = pytest.mark.skipif(bool(missing()), reason=missing())


@needs_gl
def test_true_renders_pass_and_controls_fail_as_they_must():
    cases = rigid.RIGID.source.draw(SETTING, 4, 0)
    assert cases[:2] == rigid.RIGID.source.draw(SETTING, 2, 0)
    clips = [case.render() for case in cases]

    def scores(clips):
        outcomes = [rigid.RIGID.measure(clip, case) for clip, case in zip(clips, cases, strict=True)]
        return {name: estimate.value for name, estimate in rigid.RIGID.summary(outcomes).items()}

    true = scores(clips)
    for bound in rigid.RIGID.floors:
        if bound.score != "found":  # a share of shapes, which four clips cannot tell
            assert bound.holds(true[bound.score]), (bound, true)
    assert true["found"] > 0.8
    for control in rigid.RIGID.controls:
        changed = [control.clip(clip) for clip in clips]
        assert np.array_equal(control.clip(np.stack(clips[:2])), np.stack(changed[:2]))
        found = scores(changed)
        for bound in control.expects:
            assert bound.holds(found[bound.score], true[bound.score]), (control.name, bound, found)


@needs_gl
def test_prompts_name_every_solid_and_the_camera():
    for case in rigid.RIGID.source.draw(SETTING, 6, 1):
        said = read_solid_caption(case.prompt)
        view, shapes = case.expects
        assert {claim.subject for claim in said if claim.kind == "object"} == {f"{c} {s}" for c, s in shapes.items()}
        assert [claim.value for claim in said if claim.kind == "camera"] == [view.kind]


@needs_gl
def test_an_empty_clip_is_a_miss():
    (case,) = rigid.RIGID.source.draw(SETTING, 1, 0)
    outcome = rigid.RIGID.measure(np.full((17, 64, 64, 3), 128, np.uint8), case)
    assert outcome["rigid"] is None and outcome["error"] is None and not any(outcome["found"])
    assert rigid.RIGID.summary([outcome])["rigid"].value == 0


def test_where_it_cannot_run_it_says_why(monkeypatch):
    monkeypatch.setattr(rigid, "missing", lambda: "3-D worlds need the package mujoco")
    with pytest.raises(NotApplicableError, match="mujoco"):
        rigid.RIGID.source.draw(SETTING, 1, 0)
    with pytest.raises(NotApplicableError, match="6 frames"):
        rigid.RIGID.source.draw(Setting(frames=5), 1, 0)
