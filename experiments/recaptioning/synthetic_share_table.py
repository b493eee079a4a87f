# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The grid that synthetic_share.py runs: its cells, its table, its plot, and whether the rule in that file holds."""

import dataclasses
import functools
import itertools
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

from vidgen.eval.estimates import Estimate, interval

SHARES, SWAPPED, SEEDS = (0.0, 0.65, 0.8, 0.95, 1.0), (0.0, 0.25, 0.5), (0, 1, 2)
SUITES = ("identity", "relation", "motion", "camera")
"""Each suite's main score has its name."""
FLOORS = {"true": "true renders", "vae": "through the VAE"}

Cell = tuple[str, float, float, int]
"""Name, share of new captions, share of swapped ones, seed."""


def cells() -> list[Cell]:
    """The whole grid; seeds are outermost."""
    plain = [(f"share{100 * share:g}", share, 0.0) for share in SHARES]
    swapped = [(f"swapped{100 * part:g}", 0.95, part) for part in SWAPPED if part]
    return [(f"{name}-seed{seed}", share, part, seed) for seed in SEEDS for name, share, part in (*plain, *swapped)]


def over_seeds(found: dict[str, Any], cell: str, suite: str, misses: bool = False) -> tuple[Estimate, list[float]]:
    """The mean over a cell's seeds with the interval over their totals, and each seed's own score, nan where nothing
    was read. With `misses` what was not found is wrong: the trials are those of true renders, where all is found.
    """
    seeds = [one[suite] for seed in SEEDS if (one := found.get(f"{cell}-seed{seed}"))]
    hits = [one["n"] * (one["value"] or 0.0) for one in seeds]
    trials = [found[FLOORS["true"]][suite]["n"] if misses else one["n"] for one in seeds]
    values = [hit / n if n else float("nan") for hit, n in zip(hits, trials, strict=True)]
    read = [at for at, n in enumerate(trials) if n]
    spread = interval([hits[at] for at in read], [trials[at] for at in read])
    mean = float(np.mean([values[at] for at in read])) if read else float("nan")
    return dataclasses.replace(spread, value=mean), values


def verdict(found: dict[str, Any], misses: bool = False) -> dict[str, bool]:
    """The rule of the file, part by part, of a whole grid; with `misses`, where what is not found counts as wrong."""
    judged = functools.partial(over_seeds, found, misses=misses)
    none, most = ({suite: judged("share" + share, suite) for suite in SUITES} for share in ("0", "95"))
    rising = [
        [judged(f"share{share}", suite)[0].value for share in (0, 65, 80, 95)] for suite in ("identity", "relation")
    ]
    swapped = [over_seeds(found, name, "relation") for name in ("share95", "swapped25", "swapped50")]
    return {
        "1, 95 % is above 0 % in every seed": all(
            high > low
            for suite in ("identity", "relation")
            for low, high in zip(none[suite][1], most[suite][1], strict=True)
        ),
        "2, no fall by more than 2 points": all(
            b >= a - 0.02 for means in rising for a, b in itertools.pairwise(means)
        ),
        "3, intervals of identity do not overlap": most["identity"][0].low > none["identity"][0].high,
        "cause, relation falls in every seed": all(
            a > b > c for a, b, c in zip(*(values for _, values in swapped), strict=True)
        ),
        "cause, near chance at 50 %": abs(swapped[-1][0].value - 0.5) <= 0.15,
    }


def draw(found: dict[str, Any], file: Path) -> None:
    """The scores against the share of new captions, and the sides against the share of swapped ones."""
    figure, axes = plt.subplots(1, 5, figsize=(13, 3.2), sharey=True, layout="constrained")
    shares = [(100 * share, f"share{100 * share:g}") for share in SHARES]
    sides = [(100 * part, f"swapped{100 * part:g}" if part else "share95") for part in SWAPPED]
    for ax, suite in zip(axes[:4], SUITES, strict=True):
        panel(ax, found, shares, suite)
        ax.set(title=suite, xlabel="new captions, %", ylim=(0, 104))
    panel(axes[1], found, shares, "relation", misses=True)
    axes[1].legend(frameon=False, fontsize=8)
    panel(axes[4], found, sides, "relation")
    axes[4].axhline(50, color="grey", linewidth=0.8, linestyle=":")
    axes[4].set(title="relation, sides swapped", xlabel="captions with sides swapped, %")
    axes[0].set_ylabel("%")
    figure.savefig(file, dpi=110)
    plt.close(figure)


def panel(ax: Axes, found: dict[str, Any], points: list[tuple[float, str]], suite: str, misses: bool = False) -> None:
    """A suite's means with their intervals, each seed as a dot, and what true renders score through the VAE."""
    rows = [(at, *over_seeds(found, name, suite, misses)) for at, name in points]
    rows = [(at, mean, seeds) for at, mean, seeds in rows if mean.n]
    means = [100 * mean.value for _, mean, _ in rows]
    spread = [[100 * (one.value - one.low) for _, one, _ in rows], [100 * (one.high - one.value) for _, one, _ in rows]]
    label = "a miss is wrong" if misses else "where found"
    ax.errorbar([at for at, _, _ in rows], means, yerr=np.maximum(spread, 0), marker="o", capsize=3, label=label)
    for at, _, seeds in rows:
        ax.scatter([at] * len(seeds), [100 * value for value in seeds], color="black", s=8, zorder=3)
    ax.axhline(100 * found[FLOORS["vae"]][suite]["value"], color="green", linewidth=0.8, linestyle="--")
    ax.grid(color="#dddddd")


COLUMNS = {
    "identity": ("identity", False),
    "relation, where found": ("relation", False),
    "relation, a miss is wrong": ("relation", True),
    "motion, where found": ("motion", False),
    "camera": ("camera", False),
}
"""Of the table: a suite, and whether a miss is wrong."""


def table(found: dict[str, Any]) -> list[str]:
    """Markdown, a row a generator, and, of a whole grid, whether the rule holds."""
    lines = [f"| cell | {' | '.join(COLUMNS)} |", f"|---|{'---|' * len(COLUMNS)}"]
    for name in dict.fromkeys(cell[0].rpartition("-seed")[0] for cell in cells()):
        rows = [over_seeds(found, name, suite, misses) for suite, misses in COLUMNS.values()]
        told = [
            f"{100 * mean.value:.1f} % [{100 * mean.low:.1f}, {100 * mean.high:.1f}] of {mean.n}, {len(seeds)} seeds"
            for mean, seeds in rows
        ]
        lines.append(f"| {name} | {' | '.join(told)} |")
    for name in FLOORS.values():
        values = [f"{100 * found[name][suite]['value']:.1f} %" for suite, _ in COLUMNS.values()]
        lines.append(f"| {name} | {' | '.join(values)} |")
    if all(cell[0] in found for cell in cells()):
        for title, misses in (("the rule", False), ("the same, where what is not found is wrong", True)):
            parts = verdict(found, misses).items()
            lines += ["", title, *(f"- {part}: {'holds' if holds else 'does not hold'}" for part, holds in parts)]
    return lines
