# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Writes the benchmark's report: report.json, report.md with its contact sheets, and report.html."""

import json
from pathlib import Path

import numpy as np
from PIL import Image

from vidgen.eval import web
from vidgen.eval.wording import ABOUT, estimate_of, facts, full, plain_columns, title, verdict
from vidgen.eval.world import Report, Result
from vidgen.sample.export import contact_sheet

COLUMNS = 7
"""Frames of a clip on a contact sheet."""


def write(report: Report) -> tuple[Path, ...]:
    """Writes all files into the report's folder; returns those to open."""
    folder = report.options.out
    folder.mkdir(parents=True, exist_ok=True)
    texts = {
        "report.json": json.dumps(report.to_dict(), indent=2, allow_nan=False) + "\n",
        "report.md": markdown(report),
        "report.html": web.page(report),
    }
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    for result in report.results:
        if result.picks:
            (folder / "sheets").mkdir(exist_ok=True)
            Image.fromarray(_sheet(result)).save(folder / sheet_name(result))
    return tuple(folder / name for name in texts)


def sheet_name(result: Result) -> str:
    """A suite's contact sheet, relative to the report's folder."""
    return f"sheets/{result.suite.name}.png"


def _sheet(result: Result) -> np.ndarray:
    clips = [pick.frames() for pick in result.picks]
    labels = [f"{pick.word}: {pick.case.prompt}" for pick in result.picks]
    return contact_sheet(clips, labels, columns=COLUMNS, scale=2)


def markdown(report: Report) -> str:
    """The report as Markdown: a table of headlines, then a section for each suite."""
    lines = ["# Worlds with ground truth", "", ABOUT, ""]
    lines += [f"- {name}: {value}" for name, value in facts(report)]
    lines += ["", *_headlines(report)]
    for suite, check in report.failed:
        lines.append(f"- **{suite.title}, {title(check.column, report)}**: {verdict(check, suite)}")
    for result in report.results:
        lines += ["", *_section(result, report)]
    return "\n".join(lines) + "\n"


def _headlines(report: Report) -> list[str]:
    columns = [name for name in ("model", "true", "vae", "untrained") if any(name in r.columns for r in report.results)]
    lines = ["| suite | score | " + " | ".join(title(name, report) for name in columns) + " |"]
    lines.append("|---|---|" + "---|" * len(columns))
    for result in report.results:
        headline = result.suite.scores[0]
        cells = [full(estimate_of(result, name, headline), headline.unit) for name in columns]
        if result.not_applicable:
            cells[0] = f"not applicable: {result.not_applicable}"
        lines.append(
            f"| [{result.suite.title}](#{_anchor(result.suite.title)}) | {headline.title} | {' | '.join(cells)} |"
        )
    return [*lines, ""]


def _anchor(text: str) -> str:
    """As GitHub makes it of a heading."""
    kept = "".join(letter for letter in text.lower() if letter.isalnum() or letter in " -")
    return kept.replace(" ", "-")


def _section(result: Result, report: Report) -> list[str]:
    suite = result.suite
    lines = [f"## {suite.title}", "", suite.definition, ""]
    if result.not_applicable:
        lines += [f"Not applicable: {result.not_applicable}.", ""]
    if not result.columns:
        return lines
    lines += [f"Suite `{suite.name}`, {result.n} cases of `{suite.source.name}`.", ""]
    lines += _table(result, report, plain_columns(result))
    controls = [column for column in result.columns if ", " in column]
    if controls:
        lines += ["", "Controls:", "", *_table(result, report, controls)]
    lines += ["", *(f"- {title(check.column, report)}: {verdict(check, suite)}" for check in result.checks)]
    return [*lines, "", f"![best, median and worst clips]({sheet_name(result)})"] if result.picks else lines


def _table(result: Result, report: Report, columns: list[str]) -> list[str]:
    lines = ["| score | " + " | ".join(title(column, report) for column in columns) + " |"]
    lines.append("|---|" + "---|" * len(columns))
    for score in result.suite.scores:
        cells = [full(estimate_of(result, column, score), score.unit) for column in columns]
        chance = f" (chance {100 * score.chance:g} %)" if score.chance is not None else ""
        lines.append(f"| {score.title}{chance} | {' | '.join(cells)} |")
    return lines
