# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""What `vidgen verify` found, as one HTML page with the frames inside."""

import base64
import io
from collections.abc import Sequence
from html import escape

import numpy as np
from PIL import Image

from vidgen.eval.verify import Verdict, errors, summary
from vidgen.eval.web import STYLE

FRAMES = 8
"""Frames of a file that are shown."""
_SIDE = 256
_STYLE = """
figure.strips { display: grid; grid-template-columns: repeat(auto-fit, minmax(17rem, 1fr)); gap: .3rem; }
figure.strips img { max-width: 44rem; }
"""
_WORDS = {"trusted": "yes", "valid": "yes", "tampered": "no", "absent": "unknown"}


def page(verdicts: Sequence[Verdict]) -> str:
    """The whole page."""
    known = "".join(f"<li><b>{escape(name)}</b>: {escape(text)}.</li>" for name, text in errors().items())
    parts = [
        "<!doctype html>",
        '<html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>Where these files come from</title><style>{STYLE}{_STYLE}</style></head><body><main>",
        "<h1>Where these files come from</h1>",
        *(_section(verdict) for verdict in verdicts),
        f'<h3>What is known of errors</h3><ul class="soft">{known}</ul>',
        "</main></body></html>",
    ]
    return "\n".join(parts) + "\n"


def _section(verdict: Verdict) -> str:
    rows = "".join(f"<dt>{escape(name)}</dt><dd>{escape(said)}</dd>" for name, said in summary(verdict))
    checks = "".join(f'<li class="{word}">{escape(said)}</li>' for word, said in _checks(verdict))
    head = f'<h2>{escape(verdict.path.name)}</h2><ul class="checks">{checks}</ul>'
    return f"<section>{head}<dl>{rows}</dl>{_strips(verdict)}</section>"


def _checks(verdict: Verdict) -> list[tuple[str, str]]:
    """(class, what) of each way to tell, in short. That a mark is not there says nothing against a file."""
    manifest = {"trusted": "signed, trusted", "valid": "signed, valid", "tampered": "tampered", "absent": "not signed"}
    checks = [(_WORDS[verdict.manifest.state], manifest[verdict.manifest.state])]
    if verdict.badge is not None:
        checks.append(_check(verdict.badge >= 0.5, "visible mark"))
    checks += [_check(said["payload"] is not None, name) for name, said in verdict.marks.items()]
    if verdict.looks is not None:
        checks.append(
            _check(verdict.looks["looks_like_vidgen"], "looks like the shipped model's", "does not look like")
        )
    return checks


def _check(holds: bool, what: str, absent: str = "no") -> tuple[str, str]:
    return ("yes", what) if holds else ("unknown", f"{absent} {what.removeprefix('looks like ')}")


def _strips(verdict: Verdict) -> str:
    """Frames side by side, from the first to the last: two strips, which lie one below the other where it is narrow."""
    frames = verdict.frames_FHWC
    if frames is None:
        return ""
    shown = np.unique(np.round(np.linspace(0, len(frames) - 1, FRAMES)).astype(int))
    # Pixels of small frames are shown as they are; large frames are made smaller, and must be made so smoothly.
    style = "" if max(frames.shape[1:3]) <= _SIDE // 2 else ' style="image-rendering: auto"'
    halves = [half for half in (shown[: FRAMES // 2], shown[FRAMES // 2 :]) if len(half)]
    images = "".join(
        f'<img alt="frames {half[0]} to {half[-1]}"{style} src="{_strip(frames[half])}">' for half in halves
    )
    return f'<figure class="strips">{images}</figure>'


def _strip(frames_FHWC: np.ndarray) -> str:
    """As the address of a picture, which it holds."""
    tiles = []
    for frame in frames_FHWC:
        picture = Image.fromarray(frame)
        picture.thumbnail((_SIDE, _SIDE))
        tiles += [np.asarray(picture), np.full((picture.height, 2, 3), 255, np.uint8)]
    buffer = io.BytesIO()
    Image.fromarray(np.concatenate(tiles[:-1], axis=1)).save(buffer, "WEBP", quality=85)
    return f"data:image/webp;base64,{base64.b64encode(buffer.getvalue()).decode()}"
