# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""How the benchmark's reports say things: figures with their units, columns, what was run. Shared by all pages."""

import math

from vidgen.eval.estimates import NOTHING, Estimate
from vidgen.eval.suite import Score, Suite
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
    size = abs(value)
    form = "g" if size == 0 else ".2f" if size >= 1 else ".4f" if size >= 1e-3 else ".1e"
    return f"{value:{form}} {unit}".rstrip()


def span(estimate: Estimate, unit: str) -> str:
    """The interval, without unit; "" where there is none."""
    if not estimate.n or math.isnan(estimate.low):
        return ""
    low, high = (number(value, unit).removesuffix(unit).strip() for value in (estimate.low, estimate.high))
    return f"[{low}, {high}]"


def full(estimate: Estimate, unit: str) -> str:
    """Value, interval and n."""
    if not estimate.n:
        return "none"
    parts = (number(estimate.value, unit), span(estimate, unit), f"n {estimate.n}")
    return " ".join(part for part in parts if part)


def estimate_of(result: Result, column: str, score: Score) -> Estimate:
    """A cell of a result's table."""
    return result.columns.get(column, {}).get(score.id, NOTHING)


def plain_columns(result: Result) -> list[str]:
    """The columns that are no controls by a change of clips or prompts."""
    return [column for column in result.columns if ", " not in column]


def verdict(check: Check, suite: Suite) -> str:
    """What a floor or control is, must be, and whether that is well."""
    score = next(one for one in suite.scores if one.id == check.score)
    bound = check.bound
    wanted = [
        f"{word} {number(value, score.unit)}"
        for word, value in (("at least", bound.low), ("at most", bound.high), ("as unchanged within", bound.same))
        if value is not None
    ]
    word = {True: "as it must be", False: "but must be", None: "nothing was read; it must be"}[check.holds]
    return f"{score.title}: {number(check.value, score.unit)}, {word}, {' and '.join(wanted)}"


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
