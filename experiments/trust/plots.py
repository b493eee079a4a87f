# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""ROC plots of the measurements, drawn with Pillow alone."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

_SCALE = 2  # drawn so many times larger, then made small: lines are smooth
_WIDE, _TALL, _LEFT, _TOP, _KEY = 460, 360, 48, 14, 190


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
    size = _SCALE * (_LEFT + _WIDE + _KEY), _SCALE * (_TOP + _TALL + 48)
    picture = Image.new("RGB", size, "white")
    draw, font = ImageDraw.Draw(picture), ImageFont.load_default(size=12 * _SCALE)

    def at(x: float, y: float) -> tuple[float, float]:
        return _SCALE * (_LEFT + _WIDE * x), _SCALE * (_TOP + _TALL * (1 - y))

    for decade in range(decades + 1):
        draw.line([at(decade / decades, 0), at(decade / decades, 1)], fill="#dddddd", width=_SCALE)
        draw.text(at(decade / decades, -0.02), f"{10.0 ** (decade - decades):g}", "black", font, anchor="mt")
    for tenth in range(0, 11, 2):
        draw.line([at(0, tenth / 10), at(1, tenth / 10)], fill="#dddddd", width=_SCALE)
        draw.text(at(-0.015, tenth / 10), f"{tenth / 10:g}", "black", font, anchor="rm")
    draw.text(at(0.5, -0.08), below, "black", font, anchor="mt")
    rates = np.geomspace(10.0**-decades, 1, 50 * decades)
    for number, (name, (made, other)) in enumerate(curves.items()):
        color = f"hsl({360 * number // len(curves)}, 80%, {35 + 15 * (number % 2)}%)"
        thresholds = np.quantile(other, 1 - rates)
        found = [float(np.mean(np.asarray(made) > threshold)) for threshold in thresholds]
        line = [at(1 + np.log10(rate) / decades, share) for rate, share in zip(rates, found, strict=True)]
        draw.line(line, fill=color, width=3 * _SCALE // 2, joint="curve")
        left, top = at(1.02, 1)
        draw.text((left, top + 16 * _SCALE * number), name, color, font, anchor="lt")
    picture = picture.resize((size[0] // _SCALE, size[1] // _SCALE), Image.Resampling.LANCZOS)
    picture.quantize(64, dither=Image.Dither.NONE).save(path, optimize=True)
