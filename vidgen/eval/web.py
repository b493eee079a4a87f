# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The benchmark's report as one HTML page, which needs nothing else: pictures are inside, and there is no script."""

import base64
import io
from html import escape

import numpy as np
from PIL import Image

from vidgen.eval.suite import Score
from vidgen.eval.wording import ABOUT, estimate_of, facts, number, plain_columns, span, title, verdict
from vidgen.eval.world import MODEL, TRUE, Pick, Report, Result

STRIP = 6
"""Frames of a clip that are shown."""
STYLE = """
:root { color-scheme: light dark; --ink: #1c2024; --soft: #667078; --paper: #fbfaf7; --card: #fff; --line: #e4e2dc;
  --mark: #2f6fde; --floor: #c9c6bd; --good: #1d8a55; --bad: #c4362e; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8e6e1; --soft: #9aa2a9; --paper: #15171a; --card: #1d2024;
  --line: #31353a; --mark: #6ea3ff; --floor: #50555b; --good: #53c28b; --bad: #ff7b72; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.55 system-ui, -apple-system, "Segoe UI",
  Roboto, "Helvetica Neue", Arial, sans-serif; -webkit-text-size-adjust: 100%; }
main { max-width: 62rem; margin: 0 auto; padding: 1.5rem 1rem 4rem; }
h1 { font-size: 1.9rem; line-height: 1.15; margin: 1rem 0 .5rem; letter-spacing: -.02em; }
h2 { font-size: 1.3rem; margin: 0 0 .25rem; letter-spacing: -.01em; }
h3 { font-size: .8rem; text-transform: uppercase; letter-spacing: .07em; color: var(--soft); margin: 1.4rem 0 .4rem; }
p { margin: .5rem 0; max-width: 46rem; }
.soft { color: var(--soft); font-size: .9rem; }
dl { display: grid; grid-template-columns: auto 1fr; gap: .1rem 1rem; font-size: .9rem; margin: 1rem 0; }
dt { color: var(--soft); } dd { margin: 0; overflow-wrap: anywhere; }
section, .card { background: var(--card); border: 1px solid var(--line); border-radius: .9rem; padding: 1.1rem 1.2rem;
  margin: 1.2rem 0; }
.row { display: grid; grid-template-columns: 13rem 1fr 7.5rem; gap: .2rem .9rem; align-items: center; padding: .45rem 0;
  border-top: 1px solid var(--line); color: inherit; text-decoration: none; }
.row:first-child { border-top: 0; }
.row b { font-weight: 600; } .row .value { text-align: right; font-variant-numeric: tabular-nums; }
.bar { position: relative; height: .85rem; border-radius: .45rem; background: var(--line); overflow: hidden; }
.bar i { position: absolute; left: 0; top: 0; bottom: 0; background: var(--mark); border-radius: .45rem; }
.bar s { position: absolute; top: 0; bottom: 0; width: 3px; background: var(--ink); opacity: .55; }
.bar u { position: absolute; top: 38%; height: 24%; background: var(--ink); opacity: .35; }
.scroll { overflow-x: auto; -webkit-overflow-scrolling: touch; }
table { border-collapse: collapse; font-size: .88rem; font-variant-numeric: tabular-nums; min-width: 100%; }
th, td { text-align: left; padding: .35rem .9rem .35rem 0; border-top: 1px solid var(--line); vertical-align: top; }
th { font-weight: 500; color: var(--soft); border-top: 0; }
td small { color: var(--soft); white-space: nowrap; display: block; }
ul.checks { list-style: none; padding: 0; margin: .3rem 0; font-size: .88rem; }
.checks li { padding: .1rem 0 .1rem 1.4rem; position: relative; }
.checks li::before { position: absolute; left: 0; }
.yes::before { content: "\\2713"; color: var(--good); } .no::before { content: "\\2717"; color: var(--bad); }
.unknown::before { content: "\\00b7"; color: var(--soft); }
.no { color: var(--bad); }
.picks { display: grid; gap: .7rem 1rem; max-width: 42rem; } .small { grid-template-columns: repeat(3, 1fr); }
td:first-child { min-width: 9rem; }
figure { margin: 0; } figure img { width: 100%; image-rendering: pixelated; display: block;
  border-radius: .35rem; }
figcaption { font-size: .85rem; margin-bottom: .2rem; } figcaption em { color: var(--soft); font-style: normal; }
svg { max-width: 100%; height: auto; }
@media (max-width: 40rem) { main { padding: .5rem .7rem 3rem; } section, .card { padding: .9rem .85rem; }
  .row { grid-template-columns: 1fr auto; } .row .bar, .row .soft { grid-column: 1 / -1; grid-row: 2; } }
"""


def page(report: Report) -> str:
    """The whole page."""
    system = report.entrants.system
    heading = f"{system.name}, in worlds with ground truth" if system else "Floors, in worlds with ground truth"
    parts = [
        "<!doctype html>",
        '<html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{escape(heading)}</title><style>{STYLE}</style></head><body><main>",
        f"<h1>{escape(heading)}</h1><p>{escape(ABOUT)}</p>",
        "<dl>" + "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in facts(report)) + "</dl>",
        _overview(report),
        *(_section(result, report) for result in report.results),
        "</main></body></html>",
    ]
    return "\n".join(parts) + "\n"


def _overview(report: Report) -> str:
    rows = "".join(_row(result) for result in report.results)
    failed = "".join(
        f'<li class="no">{escape(suite.title)}, {escape(title(check.column, report))}: '
        f"{escape(verdict(check, suite))}</li>"
        for suite, check in report.failed
    )
    told = (
        f'<h3>Floors and controls that are not as they must be</h3><ul class="checks">{failed}</ul>' if failed else ""
    )
    key = "Bars are shares; the dark line is the floor of the true renders, the thin line across is the interval."
    return f'<div class="card">{rows}</div><p class="soft">{key}</p>{told}'


def _row(result: Result) -> str:
    headline = result.suite.scores[0]
    shown = estimate_of(result, _main_column(result), headline)
    bar = _bar(result, headline) if headline.unit == "%" and shown.n else ""
    value = number(shown.value, headline.unit) if shown.n else "-"
    note = f'<span class="soft">{escape(headline.title)}</span>'
    if result.not_applicable:
        value, bar, note = "n/a", "", f'<span class="soft">not applicable: {escape(result.not_applicable)}</span>'
    link = f'<a class="row" href="#{result.suite.name}">'
    return f'{link}<b>{escape(result.suite.title)}</b>{bar or note}<span class="value">{escape(value)}</span></a>'


def _main_column(result: Result) -> str:
    """The system's, if it has one."""
    return next(iter(result.columns), TRUE)


def _bar(result: Result, score: Score) -> str:
    shown, floor = (estimate_of(result, column, score) for column in (_main_column(result), TRUE))
    marks = f'<i style="width:{_percent(shown.value)}"></i>'
    marks += f'<u style="left:{_percent(shown.low)};width:{_percent(shown.high - shown.low)}"></u>'
    if floor.n and _main_column(result) == MODEL:
        marks += f'<s style="left:calc({_percent(floor.value)} - 3px)"></s>'
    return f'<span class="bar">{marks}</span>'


def _percent(share: float) -> str:
    return f"{100 * min(max(share, 0.0), 1.0):.2f}%"


def _section(result: Result, report: Report) -> str:
    suite = result.suite
    parts = [f'<section id="{suite.name}"><h2>{escape(suite.title)}</h2>', f"<p>{escape(suite.definition)}</p>"]
    if result.not_applicable:
        parts.append(f"<p><b>Not applicable:</b> {escape(result.not_applicable)}.</p>")
    if result.columns:
        parts.append(f'<p class="soft">--suite {suite.name}, {result.n} cases</p>')
        parts += ["<h3>Scores</h3>", _table(result, report, plain_columns(result))]
        controls = [column for column in result.columns if ", " in column]
        parts += ["<h3>Controls</h3>", _table(result, report, controls)] if controls else []
        parts.append(_checks(result, report))
        parts += [_curve(result, report, key) for key in suite.curves]
    if result.picks:
        strips = "".join(_strip(pick) for pick in result.picks)
        # Frames are not larger where clips are short.
        size = "picks small" if all(pick.case.scene.frames <= 2 for pick in result.picks) else "picks"
        parts.append(f'<h3>Best, median and worst</h3><div class="{size}">{strips}</div>')
    return "".join(parts) + "</section>"


def _table(result: Result, report: Report, columns: list[str]) -> str:
    head = "".join(f"<th>{escape(title(column, report))}</th>" for column in columns)
    rows = ""
    for score in result.suite.scores:
        chance = f"<small>chance {100 * score.chance:g} %</small>" if score.chance is not None else ""
        rows += f"<tr><td>{escape(score.title)}{chance}</td>"
        for column in columns:
            cell = estimate_of(result, column, score)
            small = f"<small>{span(cell, score.unit)} n {cell.n}</small>" if cell.n else ""
            rows += f"<td>{escape(number(cell.value, score.unit))}{small}</td>"
        rows += "</tr>"
    return f'<div class="scroll"><table><tr><th>score</th>{head}</tr>{rows}</table></div>'


def _checks(result: Result, report: Report) -> str:
    names = {True: "yes", False: "no", None: "unknown"}
    lines = "".join(
        f'<li class="{names[check.holds]}">{escape(title(check.column, report))}: '
        f"{escape(verdict(check, result.suite))}</li>"
        for check in result.checks
    )
    return f'<ul class="checks">{lines}</ul>' if lines else ""


def _curve(result: Result, report: Report, key: str) -> str:
    """Means by frame index as an SVG, a line for each column."""
    lines = {column: curves[key] for column, curves in result.curves.items() if np.isfinite(curves.get(key, ())).all()}
    lines = {column: values for column, values in lines.items() if len(values) > 1}
    if not lines:
        return ""
    low, high = min(map(min, lines.values())), max(map(max, lines.values()))
    reach = (high - low) or 1.0
    drawn, colours = "", ("--mark", "--soft", "--good", "--bad")
    for (column, values), colour in zip(lines.items(), colours, strict=False):
        points = " ".join(
            f"{40 + 540 * at / (len(values) - 1):.1f},{110 - 90 * (value - low) / reach:.1f}"
            for at, value in enumerate(values)
        )
        drawn += f'<polyline fill="none" stroke="var({colour})" stroke-width="2" points="{points}"><title>'
        drawn += f"{escape(title(column, report))}</title></polyline>"
    frames = max(map(len, lines.values()))
    labels = "".join(
        f'<text x="{x}" y="{y}" font-size="11" fill="currentColor" text-anchor="{anchor}">{escape(text)}</text>'
        for x, y, anchor, text in (
            (36, 24, "end", f"{high:.3g}"), (36, 112, "end", f"{low:.3g}"), (40, 128, "start", "frame 0"),
            (580, 128, "end", f"frame {frames - 1}"),
        )
    )  # fmt: skip
    names = ", ".join(escape(title(column, report)) for column in lines)
    return f'<h3>{escape(key)} by frame: {names}</h3><svg viewBox="0 0 600 134" width="600">{drawn}{labels}</svg>'


def _strip(pick: Pick) -> str:
    """Frames of a clip side by side, under its prompt."""
    clip_FHWC = pick.frames()
    rows = np.unique(np.round(np.linspace(0, len(clip_FHWC) - 1, STRIP)).astype(int))
    gap = np.full((clip_FHWC.shape[1], 2, 3), 255, np.uint8)
    tiles = [tile for row in rows for tile in (clip_FHWC[row], gap)][:-1]
    buffer = io.BytesIO()
    Image.fromarray(np.concatenate(tiles, axis=1)).save(buffer, "WEBP", quality=90, method=6)
    source = f"data:image/webp;base64,{base64.b64encode(buffer.getvalue()).decode()}"
    prompt = escape(pick.case.prompt)
    return (
        f'<figure><figcaption><em>{pick.word}:</em> {prompt}</figcaption><img alt="{prompt}" src="{source}"></figure>'
    )
