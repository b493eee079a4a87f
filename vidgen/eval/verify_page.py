# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""What `vidgen verify` found, as one HTML page with the frames inside."""

import base64
import io
from collections.abc import Sequence
from html import escape

import numpy as np
from PIL import Image

from vidgen.eval.verify import ERRORS, Verdict, summary
from vidgen.eval.web import STYLE

FRAMES = 8
"""Frames of a file that are shown."""
_SIDE = 256
_WORDS = {"trusted": "yes", "valid": "yes", "tampered": "no", "absent": "unknown"}


def page(verdicts: Sequence[Verdict]) -> str:
    """The whole page."""
    known = "".join(f"<li><b>{escape(name)}</b>: {escape(text)}.</li>" for name, text in ERRORS.items())
    parts = [
        "<!doctype html>",
        '<html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>Where these files come from</title><style>{STYLE}</style></head><body><main>",
        "<h1>Where these files come from</h1>",
        *(_section(verdict) for verdict in verdicts),
        f'<h3>What is known of errors</h3><ul class="soft">{known}</ul>',
        "</main></body></html>",
    ]
    return "\n".join(parts) + "\n"


def _section(verdict: Verdict) -> str:
    rows = "".join(f"<dt>{escape(name)}</dt><dd>{escape(said)}</dd>" for name, said in summary(verdict))
    word = _WORDS[verdict.manifest.state]
    mark = f'<ul class="checks"><li class="{word}">{escape(verdict.manifest.state)}</li></ul>'
    return f"<section><h2>{escape(verdict.path.name)}</h2>{mark}<dl>{rows}</dl>{_strip(verdict)}</section>"


def _strip(verdict: Verdict) -> str:
    """Frames side by side, from the first to the last."""
    frames = verdict.frames_FHWC
    if frames is None:
        return ""
    tiles = []
    for index in np.unique(np.round(np.linspace(0, len(frames) - 1, FRAMES)).astype(int)):
        picture = Image.fromarray(frames[index])
        picture.thumbnail((_SIDE, _SIDE))
        tiles += [np.asarray(picture), np.full((picture.height, 2, 3), 255, np.uint8)]
    buffer = io.BytesIO()
    Image.fromarray(np.concatenate(tiles[:-1], axis=1)).save(buffer, "WEBP", quality=85)
    source = base64.b64encode(buffer.getvalue()).decode()
    return f'<figure><img alt="frames" src="data:image/webp;base64,{source}"></figure>'
