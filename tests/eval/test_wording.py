# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Figures are written with their units, and what is not known is not written as a number."""

import pytest

from vidgen.eval.estimates import NOTHING, Estimate
from vidgen.eval.wording import full, number, span

NAN = float("nan")


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.1234, "%", "12.3 %"),
        (25.128, "dB", "25.13 dB"),
        (0.01234, "", "0.0123"),
        (0.0, "px", "0 px"),
        (0.00012, "", "1.2e-04"),
        (-0.00012, "", "-1.2e-04"),
        (-2.5, "", "-2.50"),
        (float("inf"), "dB", "inf dB"),
        (NAN, "%", "-"),
    ],
)
def test_numbers(value, unit, text):
    assert number(value, unit) == text


def test_intervals():
    assert full(Estimate(0.5, 0.25, 0.75, 8), "%") == "50.0 % [25.0, 75.0] n 8"
    assert full(Estimate(25.0, 24.0, 26.0, 3), "dB") == "25.00 dB [24.00, 26.00] n 3"
    assert full(NOTHING, "%") == "none" and span(NOTHING, "%") == ""
    assert full(Estimate(float("inf"), NAN, NAN, 3), "dB") == "inf dB n 3"
