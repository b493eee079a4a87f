# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""A table of scores as Markdown: one row a score, one column a set of clips."""

from collections.abc import Mapping

from vidgen.eval.alignment import Rate, Scores

ROWS: dict[str, str] = {
    "identity": "named concept found",
    "motion": "sign of motion, where found",
    "motion_all": "sign of motion, a miss is wrong",
    "motion_x": "sign of motion along x, where found",
    "motion_y": "sign of motion along y, where found",
    "relation": "left or right, where both found",
    "relation_all": "left or right, a miss is wrong",
}
"""Fields of `Scores` that are rates, and what they are called in the table."""


def table(columns: Mapping[str, Scores]) -> str:
    """Markdown: per cent, 95 % interval and n of every rate in ROWS, for each named set of clips.

    Raises ValueError when there is none.
    """
    if not columns:
        raise ValueError("a table needs at least one set of scores")
    lines = [
        "| score | " + " | ".join(columns) + " |",
        "|---|" + "---|" * len(columns),
    ]
    for field, title in ROWS.items():
        cells = [_cell(getattr(scores, field)) for scores in columns.values()]
        lines.append(f"| {title} | " + " | ".join(cells) + " |")
    lines.append("| found but not named, a clip | " + " | ".join(f"{s.extra:.2f}" for s in columns.values()) + " |")
    chance = next(iter(columns.values())).chance
    lines += ["", f"Chance of a guess: {100 * chance:.1f} % for a named concept, 50 % for a sign."]
    return "\n".join(lines) + "\n"


def _cell(rate: Rate) -> str:
    return f"{rate} of {rate.n}" if rate.n else "none"
