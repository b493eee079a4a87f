# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Scores, bounds and intervals: what a miss counts as, what nan does, and which clip is the best."""

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidgen.eval.estimates import NOTHING, bootstrap, interval
from vidgen.eval.suite import Bound, Case, Score, Source, Suite, curve, mean_score, mirrored, reversed_in_time

OUTCOMES = [{"hit": (True, None)}, {"hit": (False,)}, {"hit": ()}, {}]


def suite(score):
    return Suite("s", "S", "", Source("none", lambda setting, n, seed: ()), lambda clip, case: {}, (score,))


def test_a_miss_is_left_out_or_counts():
    assert mean_score(OUTCOMES, Score("hit", "")).value == 0.5 and mean_score(OUTCOMES, Score("hit", "")).n == 2
    wrong = mean_score(OUTCOMES, Score("hit", "", miss=False))
    assert wrong.value == pytest.approx(1 / 3) and wrong.n == 3
    assert mean_score(OUTCOMES, Score("hit", "", miss=0.5)).value == 0.5
    assert mean_score([{"hit": None}, {}], Score("hit", "")) == NOTHING


def test_single_values_and_trials_are_alike():
    assert mean_score([{"x": 2.0}, {"x": (4.0, 6.0)}], Score("x", "")).value == 4.0


@given(st.lists(st.floats(-10, 10), min_size=2, max_size=20))
def test_intervals_hold_the_value_and_scale(values):
    found = interval(values, [1] * len(values))
    assert found.low - 1e-9 <= found.value <= found.high + 1e-9 or len(set(values)) > 1
    assert found.value == pytest.approx(np.mean(values), abs=1e-9) and found.n == len(values)
    twice = interval([2 * value for value in values], [1] * len(values))
    assert twice.low == pytest.approx(2 * found.low, abs=1e-9) and twice.high == pytest.approx(2 * found.high, abs=1e-9)


def test_cases_of_more_trials_weigh_more():
    sure = interval([1, 10, 3], [1, 10, 3])
    assert (sure.value, sure.low, sure.high, sure.n) == (1.0, 1.0, 1.0, 14)
    assert interval([0, 9], [1, 9]).value == 0.9


def test_the_bootstrap_of_a_mean_is_the_interval():
    values = np.random.default_rng(0).normal(size=50)
    by_hand = bootstrap(lambda rows: float(values[rows].mean()), 50)
    assert dataclasses.astuple(by_hand) == pytest.approx(dataclasses.astuple(interval(list(values), [1] * 50)))
    # The normal approximation: 1.96 standard errors.
    assert by_hand.high - by_hand.low == pytest.approx(2 * 1.96 * values.std() / math.sqrt(50), rel=0.1)
    assert bootstrap(lambda rows: 0.0, 0) == NOTHING


def test_nothing_is_null_in_json():
    assert NOTHING.to_dict() == {"value": None, "low": None, "high": None, "n": 0}
    assert interval([float("inf")], [1]).to_dict()["value"] is None


def test_bounds():
    assert Bound("x", low=0.99).holds(0.99) and not Bound("x", low=0.99).holds(0.98)
    assert Bound("x", high=0.02).holds(0.02) and not Bound("x", high=0.02).holds(0.03)
    assert Bound("x", same=0.01).holds(0.5, 0.505) and not Bound("x", same=0.01).holds(0.5, 0.52)
    assert not Bound("x", high=1.0).holds(float("nan")) and not Bound("x", same=1.0).holds(0.5)
    assert str(Bound("x", low=0.1, high=0.9)) == "x at least 0.1 and at most 0.9"


def test_quality_sorts_the_better_first():
    share, error = suite(Score("hit", "")), suite(Score("e", "", unit="px", better="lower"))
    assert share.quality({"hit": (True, True)}) > share.quality({"hit": (True, None)}) > share.quality({"hit": False})
    assert share.quality({}) == 0.0
    assert error.quality({"e": 0.1}) > error.quality({"e": 3.0}) > error.quality({"e": None})
    assert error.quality({"e": (0.1, None)}) == error.quality({}) == float("-inf")


def test_a_suite_may_sum_up_in_its_own_way():
    own = dataclasses.replace(suite(Score("x", "")), summarise=lambda outcomes: {"x": interval([9.0], [1])})
    assert own.summary([{"x": 1.0}])["x"].value == 9.0
    assert suite(Score("x", "")).summary([{"x": 1.0}])["x"].value == 1.0


def test_curves_are_means_by_index_as_far_as_all_go():
    assert curve([{"c": (1.0, 2.0, 3.0)}, {"c": (3.0, None)}], "c") == (2.0, 2.0)
    assert curve([], "c") == () and curve([{}], "c") == ()


def test_changes_of_clips_take_pairs_too():
    clips = np.random.default_rng(0).integers(0, 256, (2, 3, 4, 5, 3)).astype(np.uint8)
    for change in (mirrored, reversed_in_time):
        assert np.array_equal(change(clips)[1], change(clips[1])) and np.array_equal(change(change(clips)), clips)
        assert not np.array_equal(change(clips), clips)
    assert np.array_equal(mirrored(clips)[0, 0, 0, 0], clips[0, 0, 0, -1])
    assert np.array_equal(reversed_in_time(clips)[0, 0], clips[0, -1])


def test_a_case_with_a_twin_renders_both():
    case = Case("a", 1, lambda scene: np.full((2, 1, 1, 3), scene, np.uint8))
    pair = dataclasses.replace(case, twin=dataclasses.replace(case, scene=7))
    assert case.render().shape == (2, 1, 1, 3)
    assert pair.render().shape == (2, 2, 1, 1, 3) and pair.render()[1].max() == 7
