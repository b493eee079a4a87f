# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""How the benchmark's reports say things: figures with their units, columns, what was run. Shared by all pages."""

import math

from vidgen.eval.estimates import NOTHING, Estimate
from vidgen.eval.suite import Score
from vidgen.eval.world import BLANK, MODEL, TRUE, VAE, Check, Report, Result

ABOUT = (
    "Every case is a simulated world whose truth is known, and a prompt that was written from it. The floors are the "
    "scores of the true renders, straight and through the model's VAE: no model can be told from the truth beyond "
    "them. The controls are changes of the clips or of the prompts after which known things must happen to a score; "
    "they are measured on the first 96 cases. "
    "Intervals are 95 %, by the bootstrap over cases."
)


def title(column: str, report: Report) -> str:
    """A column's heading."""
    subject, _, treatment = column.partition(", ")
    system = report.entrants.system
    names = {
        MODEL: system.name if system else "model",
        TRUE: "true renders",
        VAE: "true renders through the VAE",
        BLANK: "untrained weights",
    }
    return f"{names[subject]}, {treatment}" if treatment else names[subject]


def number(value: float, unit: str) -> str:
    """A value with its unit; "-" for what is not known."""
    if math.isnan(value):
        return "-"
    if unit == "%":
        return f"{100 * value:.1f} %"
    digits = (
        f"{value:.2f}" if abs(value) >= 1 else f"{value:.4f}" if abs(value) >= 1e-3 or value == 0 else f"{value:.1e}"
    )
    return f"{digits} {unit}".rstrip()


def span(estimate: Estimate, unit: str) -> str:
    """The interval, without unit; "" where there is none."""
    if not estimate.n or math.isnan(estimate.low):
        return ""
    low, high = (number(value, unit).removesuffix(unit).strip() for value in (estimate.low, estimate.high))
    return f"[{low}, {high}]"


def full(estimate: Estimate, unit: str) -> str:
    """Value, interval and n."""
    return f"{number(estimate.value, unit)} {span(estimate, unit)} n {estimate.n}" if estimate.n else "none"


def estimate_of(result: Result, column: str, score: Score) -> Estimate:
    """A cell of a result's table."""
    return result.columns.get(column, {}).get(score.id, NOTHING)


def plain_columns(result: Result) -> list[str]:
    """The columns that are no controls by a change of clips or prompts."""
    return [column for column in result.columns if ", " not in column]


def verdict(check: Check, result: Result) -> str:
    """What a floor or control must be, is, and whether that is well."""
    units = {score.id: score.unit for score in result.suite.scores}
    score = check.text.split(" ", 1)[0]
    word = {True: "as it must be", False: "NOT as it must be", None: "not known: nothing was read"}[check.holds]
    return f"{check.text}: {number(check.value, units.get(score, ''))}, {word}"


def facts(report: Report) -> list[tuple[str, str]]:
    """What was run."""
    system, setting = report.entrants.system, report.entrants.setting
    return [
        ("scored", f"{system.name} ({system.key})" if system else "nothing: floors alone"),
        ("cases a suite", str(report.options.n)),
        ("seed", str(report.options.seed)),
        ("clips", f"{setting.width}x{setting.height} pixels, up to {setting.frames} frames, {setting.fps} a second"),
        ("concepts", str(len(setting.concepts))),
    ]
