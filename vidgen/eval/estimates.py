# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Numbers with their 95 % intervals, by the percentile bootstrap over cases.

Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 13. The resampling is seeded: the same values
give the same interval in every run.
"""

import dataclasses
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

RESAMPLES = 2000
NAN = float("nan")


@dataclass(frozen=True)
class Estimate:
    """A value of `n` things, with its 95 % interval; nan where n is 0."""

    value: float
    low: float
    high: float
    n: int

    def to_dict(self) -> dict[str, float | int | None]:
        """For JSON, which has no nan and no infinity: they are None."""
        plain = dataclasses.asdict(self)
        return {key: value if math.isfinite(value) else None for key, value in plain.items()}


NOTHING = Estimate(NAN, NAN, NAN, 0)
"""Of no cases."""


def interval(sums: Sequence[float], trials: Sequence[int]) -> Estimate:
    """The mean over all trials, and its interval; cases, each of several trials, are resampled.

    sums: the sum of a case's values, such as its hits. trials: how many values that were.
    """
    sums_N, trials_N = np.asarray(sums, float), np.asarray(trials, float)
    if not trials_N.sum():
        return NOTHING
    rows = resamples(len(sums_N))
    total = trials_N[rows].sum(1)
    shares = sums_N[rows].sum(1)[total > 0] / total[total > 0]
    # An infinite value, such as the PSNR of equal frames, has no interval.
    low, high = np.percentile(shares, [2.5, 97.5]) if np.isfinite(shares).all() else (NAN, NAN)
    return Estimate(float(sums_N.sum() / trials_N.sum()), float(low), float(high), int(trials_N.sum()))


def bootstrap(statistic: Callable[[np.ndarray], float], n: int, times: int = RESAMPLES) -> Estimate:
    """A statistic of n cases, and its interval. statistic: given the indices of cases, some repeated; int [n]."""
    if not n:
        return NOTHING
    drawn = [statistic(row) for row in resamples(n, times)]
    low, high = np.percentile(drawn, [2.5, 97.5])
    return Estimate(float(statistic(np.arange(n))), float(low), float(high), n)


def resamples(n: int, times: int = RESAMPLES) -> np.ndarray:
    """Indices of n cases drawn from n with replacement, int [times, n]; always the same."""
    return np.random.default_rng(0).integers(n, size=(times, n))
