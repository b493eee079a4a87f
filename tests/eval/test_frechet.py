# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Distances of two sets: closed forms for Gaussians, no distance to oneself, and the bias of few samples."""

import numpy as np
import pytest

from vidgen.eval.frechet import frechet_distance, mmd

RNG = np.random.default_rng(0)
SET = RNG.normal(size=(400, 5)) @ RNG.normal(size=(5, 5))


def test_frechet_of_a_set_and_itself_is_zero():
    assert frechet_distance(SET, SET) == pytest.approx(0, abs=1e-9)


def test_frechet_of_a_shift_is_its_square():
    assert frechet_distance(SET, SET + np.array([3, 0, 4, 0, 0])) == pytest.approx(25)


def test_frechet_of_scaled_sets():
    # Equal means, S2 = 4 S1: tr(S1 + 4 S1 - 2 * 2 S1) = tr S1.
    centred = SET - SET.mean(0)
    assert frechet_distance(centred, 2 * centred) == pytest.approx(np.trace(np.cov(SET, rowvar=False)))
    assert frechet_distance(2 * centred, centred) == pytest.approx(frechet_distance(centred, 2 * centred))


def test_frechet_of_fewer_samples_than_features():
    few = RNG.normal(size=(3, 10))
    assert frechet_distance(few, few) == pytest.approx(0, abs=1e-6)


def test_mmd_of_constant_sets():
    # All x are a, all y are b: k(a, a) + k(b, b) - 2 k(a, b).
    one, other = np.tile([1.0, 0.0], (4, 1)), np.tile([0.0, 2.0], (6, 1))
    assert mmd(one, other) == pytest.approx((1 / 2 + 1) ** 3 + (4 / 2 + 1) ** 3 - 2)


def test_mmd_is_unbiased_and_sees_a_difference():
    same = [mmd(*np.split(np.random.default_rng(seed).normal(size=(80, 3)), 2)) for seed in range(60)]
    assert abs(np.mean(same)) < 2.5 * np.std(same) / np.sqrt(len(same)) and min(same) < 0
    first, second = np.split(np.random.default_rng(1).normal(size=(80, 3)), 2)
    assert mmd(first, second + 2) > 10 * max(map(abs, same))


@pytest.mark.parametrize("pair", [(SET, SET[:, :3]), (SET[:1], SET), (SET[0], SET)])
def test_what_is_not_two_sets(pair):
    for distance in (frechet_distance, mmd):
        with pytest.raises(ValueError, match="two sets"):
            distance(*pair)
