# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Scores of clips against their prompts: true renders pass, and each control fails where it should."""

import numpy as np
import pytest

from vidgen.eval.alignment import (
    draw_cases,
    interval,
    mirrored,
    read_clips,
    scene_config,
    score,
    score_readings,
    shuffled,
)
from vidgen.eval.report import ROWS, table
from vidgen.worlds.captions import Claim, claims, read_caption
from vidgen.worlds.render import render
from vidgen.worlds.scene import pair_held_out
from vidgen.worlds.sprites import FIRST_LIGHT

CONCEPTS = FIRST_LIGHT[::3]
CONFIG = scene_config(CONCEPTS, frames=5)


@pytest.fixture(scope="module")
def cases():
    return draw_cases(CONFIG, 6)


@pytest.fixture(scope="module")
def clips(cases):
    return np.stack([render(case.scene) for case in cases])


@pytest.fixture(scope="module")
def readings(clips):
    return list(read_clips(clips, CONCEPTS))


def test_two_processes_read_the_same_in_the_same_order(clips, readings):
    assert list(read_clips(clips[:3], CONCEPTS, workers=2)) == readings[:3]


def test_cases_are_true_and_never_trained():
    many = draw_cases(CONFIG, 12, seed=3)
    for case in many:
        assert (pair_held_out(*case.names) and case.motions) or case.relation
        truth, said = claims(case.scene), read_caption(case.prompt)
        scored = {Claim("object", name) for name in case.names}
        scored |= {Claim("motion", name, way) for name, way in case.motions}
        assert scored <= truth and scored <= said
        if case.relation:
            left, right = case.relation
            ways = {Claim("relation", left, "left", right), Claim("relation", right, "right", left)}
            assert ways <= truth and ways & said
    assert sum(len(case.motions) for case in many) >= 6 and sum(case.relation is not None for case in many) >= 2


def test_cases_depend_on_the_seed_alone(cases):
    assert draw_cases(CONFIG, 6) == cases and draw_cases(CONFIG, 3) == cases[:3]
    assert draw_cases(CONFIG, 8, seed=1) != cases


def test_true_renders_pass(readings, cases):
    scores = score_readings(readings, cases, CONCEPTS)
    assert scores.identity.value >= 0.9 and scores.identity.n == 12
    assert scores.motion.value == 1.0 and scores.relation.value == 1.0
    assert scores.motion_x.n + scores.motion_y.n == scores.motion.n > 0
    assert scores.motion_all.n == sum(len(case.motions) for case in cases)
    assert scores.chance == 1 / len(CONCEPTS)


def test_mirrored_clips_fail_along_x_only(clips, cases):
    scores = score(mirrored(clips), cases, CONCEPTS)
    assert scores.identity.value >= 0.9  # things are the same in the mirror
    assert scores.motion_x.value == 0.0 and scores.relation.value == 0.0 and scores.motion_x.n and scores.relation.n
    assert scores.motion_y.n == 0 or scores.motion_y.value == 1.0


def test_time_reversed_clips_fail_in_motion_only(clips, cases):
    scores = score(clips[:, ::-1], cases, CONCEPTS)
    assert scores.motion.value == 0.0 and scores.identity.value >= 0.9


def test_other_prompts_fail(readings, cases):
    other = shuffled(cases)
    assert sorted(case.prompt for case in other) == sorted(case.prompt for case in cases)
    assert all(one != two for one, two in zip(other, cases, strict=True))
    assert score_readings(readings, other, CONCEPTS).identity.value <= 0.25


def test_a_miss_is_left_out_or_wrong(readings, cases):
    blind = [{} for _ in cases]
    scores = score_readings(blind, cases, CONCEPTS)
    assert scores.identity.value == scores.motion_all.value == scores.relation_all.value == 0.0
    assert scores.motion.n == scores.relation.n == 0 and np.isnan(scores.motion.value)
    half = score_readings([*readings[:4], *blind[4:]], cases, CONCEPTS)
    assert half.motion.value == 1.0 and 0 < half.motion_all.value < 1


def test_things_not_named_are_counted(readings, cases):
    track = next(iter(readings[0].values()))
    plus = [{**seen, "something else": track} for seen in readings]
    assert score_readings(plus, cases, CONCEPTS).extra == score_readings(readings, cases, CONCEPTS).extra + 1


def test_intervals():
    assert interval([0, 0], [0, 0]).n == 0
    sure = interval([2] * 20, [2] * 20)
    assert (sure.value, sure.low, sure.high, sure.n) == (1.0, 1.0, 1.0, 40)
    coin = interval([1, 0] * 50, [1] * 100)
    # The normal approximation of a share of 0.5 of 100: 0.5 +- 1.96 * 0.05.
    assert coin.low == pytest.approx(0.402, abs=0.015) and coin.high == pytest.approx(0.598, abs=0.015)
    # Trials of one case are not independent: grouped, the same share is less certain.
    grouped = interval([10, 0] * 5, [10] * 10)
    assert grouped.high - grouped.low > 2 * (coin.high - coin.low)


def test_a_table_has_every_rate(readings, cases):
    blind = score_readings([{}] * len(cases), cases, CONCEPTS)
    text = table({"floor": score_readings(readings, cases, CONCEPTS), "blind": blind})
    lines = text.splitlines()
    assert lines[0] == "| score | floor | blind |" and all(title in text for title in ROWS.values())
    assert lines[2].startswith("| named concept found |") and "0.0 % [0.0, 0.0] of 12" in lines[2]
    with pytest.raises(ValueError, match="at least one"):
        table({})


def test_wrong_numbers_of_readings(readings, cases):
    with pytest.raises(ValueError, match="one reading a case"):
        score_readings(readings[:3], cases, CONCEPTS)
