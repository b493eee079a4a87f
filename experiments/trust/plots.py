# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""ROC plots of the measurements."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np


def draw_roc(
    path: Path, curves: Mapping[str, tuple[Sequence[float], Sequence[float]]], below: str, decades: int = 4
) -> None:
    """Share found against share of false alarms, on a logarithmic axis of so many decades, a line a curve.

    Args:
        path: a PNG.
        curves: by name, scores of what should be found and of what should not.
        below: what is written below the axis.
        decades: shown; rates below one over the number of scores say nothing, so choose them by that.
    """
    figure, ax = plt.subplots(figsize=(8.2, 4.6), layout="constrained")
    rates = np.geomspace(10.0**-decades, 1, 50 * decades)
    colors = plt.get_cmap("turbo")(np.linspace(0.05, 0.95, len(curves)))
    for (name, (made, other)), color in zip(curves.items(), colors, strict=True):
        thresholds = np.quantile(other, 1 - rates)
        found = [float(np.mean(np.asarray(made) > threshold)) for threshold in thresholds]
        ax.semilogx(rates, found, label=name, color=color)
    ax.set(xlabel=below, ylabel="found", xlim=(10.0**-decades, 1), ylim=(0, 1.01))
    ax.grid(color="#dddddd")
    figure.legend(loc="outside right upper", frameon=False, fontsize=7)
    figure.savefig(path, dpi=110)
    plt.close(figure)
