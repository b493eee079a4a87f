# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Flicker, drift, reconstruction and distances: their formulas by hand, their floors, and their controls."""

import numpy as np
import pytest

from vidgen.eval.suite import NotApplicableError, Setting
from vidgen.eval.suites import catalog, distance, reconstruction, static
from vidgen.worlds.captions import read_caption
from vidgen.worlds.sprites import FIRST_LIGHT

SETTING = Setting(concepts=FIRST_LIGHT[::3], frames=9)
SUITES = (*static.SUITES, *distance.SUITES)


@pytest.mark.parametrize("suite", SUITES, ids=lambda suite: suite.name)
def test_true_renders_pass_and_controls_fail_as_they_must(suite):
    cases = suite.source.draw(SETTING, 24 if suite.name == "distance" else 4, 0)
    clips = [case.render() for case in cases]
    true = suite.summary([suite.measure(clip, case) for clip, case in zip(clips, cases, strict=True)])
    for bound in suite.floors:
        assert bound.holds(true[bound.score].value), bound
    for control in suite.controls:
        if control.clip is None:
            continue
        changed = [control.clip(clip) for clip in clips]
        assert np.array_equal(control.clip(np.stack(clips[:2])), np.stack(changed[:2]))
        scores = suite.summary([suite.measure(clip, case) for clip, case in zip(changed, cases, strict=True)])
        for bound in control.expects:
            assert bound.holds(scores[bound.score].value, true[bound.score].value), (control.name, bound)


def test_prompts_say_that_nothing_moves_and_where():
    for case in static.STATIC.draw(SETTING, 6, 0):
        said = read_caption(case.prompt)
        assert {claim.value for claim in said if claim.kind == "motion"} == {"still"}
        assert [claim.value for claim in said if claim.kind == "place"] == [case.expects]
        assert case.scene.frames == 9
    assert static.STATIC.draw(Setting(frames=2000), 1, 0)[0].scene.frames == 481


def test_flicker_by_hand():
    clip = np.zeros((3, 4, 4, 3), np.uint8)
    clip[1] = 51
    assert static.measure_flicker(clip, None)["flicker"] == pytest.approx(0.8)


def test_drift_by_hand():
    clip = np.broadcast_to((np.arange(9) * 2).astype(np.uint8)[:, None, None, None], (9, 4, 4, 3))
    drift = static.measure_drift(clip, None)
    assert drift["slope"] == pytest.approx(2 * 8 / 255) and drift["error"][4] == pytest.approx(8 / 255)
    assert drift["rise"] == pytest.approx(16 / 255)
    # What blinks, and does not drift, has no slope to speak of.
    assert abs(static.measure_drift(static.brightness_alternates(0 * clip), None)["slope"]) < 0.01


def test_reconstruction_by_frame():
    (case,) = reconstruction.RECONSTRUCTION.source.draw(SETTING, 1, 0)
    noisy = case.render().copy()
    noisy[-1] = 255 - noisy[-1]
    outcome = reconstruction.measure(noisy, case)
    assert len(outcome["psnr"]) == len(outcome["ssim"]) == 9
    assert outcome["psnr_first"] == float("inf") and outcome["psnr_last"] == outcome["psnr"][-1] < 20
    assert outcome["ssim"][0] == pytest.approx(1) and outcome["ssim"][-1] < 0.9
    with pytest.raises(NotApplicableError, match="11x11"):
        reconstruction.draw(Setting(width=8, height=8), 1, 0)


def test_distances_need_clips():
    case = distance.PAIRS.draw(SETTING, 1, 0)[0]
    outcome = distance.measure(case.render(), case)
    assert outcome["clip"] == outcome["true"] and len(outcome["clip"]) == 36
    assert distance.summarise([outcome] * 7)["frechet"].n == 0
    assert distance.summarise([outcome] * 8)["frechet"].value == pytest.approx(0, abs=1e-9)


def test_features_are_colours_and_change():
    clip = np.zeros((2, 9, 9, 3), np.uint8)
    clip[:, :3, :3] = (255, 0, 51)
    clip[1, 6:, 6:] = 255
    features = np.array(distance.colour_and_change(clip)).reshape(3, 3, 4)
    assert features[0, 0] == pytest.approx([1, 0, 0.2, 0]) and features[2, 2] == pytest.approx([0.5, 0.5, 0.5, 1])
    assert not features[1].any()


def test_the_catalog_is_sound():
    names = [suite.name for suite in catalog.SUITES]
    assert len(set(names)) == len(names)
    sources = {}
    for suite in catalog.SUITES:
        assert sources.setdefault(suite.source.name, suite.source) == suite.source
        ids = [score.id for score in suite.scores]
        assert len(set(ids)) == len(ids)
        bounds = [*suite.floors, *suite.vae_floors, *(bound for control in suite.controls for bound in control.expects)]
        assert {bound.score for bound in bounds} <= set(ids), suite.name
        # The same treatment has the same name everywhere: clips are changed once for all suites of a source.
        assert len({control.name for control in suite.controls}) == len(suite.controls)
    by_name = {}
    for control in (control for suite in catalog.SUITES for control in suite.controls):
        assert by_name.setdefault((control.name, control.shuffle), control.clip) == control.clip, control.name
    assert [suite.name for suite in catalog.choose(["drift", "identity"])] == ["identity", "drift"]
