# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""`vidgen info`: what a model is, what it was trained on, its scores and its limits."""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import tyro

from vidgen.config import parse_arguments

if TYPE_CHECKING:
    from vidgen.sample.card import Card

DESCRIPTION = "Shows a model's parameters, what it was trained on, its scores and its limits."
EXAMPLES = """
examples:
  vidgen info
  vidgen info runs/first/export
"""

WIDTH = 100


@dataclass(frozen=True)
class Info:
    """Options of the command."""

    model: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="MODEL")] = "default"
    """The model: "default" ships in the package, or the folder of one that you trained."""


def run(argv: Sequence[str]) -> None:
    """Runs the command; a model that is missing or damaged is a `ValueError` or an `OSError`."""
    options: Info = parse_arguments(Info, argv, prog="vidgen info", description=DESCRIPTION, epilog=EXAMPLES)

    from vidgen.sample.card import Card
    from vidgen.sample.pipeline import load_card

    print(page(Card.from_dict(load_card(options.model))))


def page(card: "Card") -> str:
    """Returns the card as text."""
    known, longest = ((frames - 1) / card.fps for frames in (card.frames, card.max_frames))
    lengths = f"{known:g} seconds" + (f" (takes up to {longest:g})" if longest > known else "")
    sizes = (
        f"{card.size[0]}x{card.size[1]} pixels (takes {card.least_side} to {card.most_side}, by {card.size_multiple})"
    )
    parameters = {"all": sum(card.parameters.values()), **card.parameters}
    sections = [
        ("parameters", [f"{name:<12} {count:>12,}" for name, count in parameters.items()]),
        ("makes", [f"{sizes}, {card.fps} frames a second, {lengths}"]),
        ("trained on", [card.trained_on]),
        ("sampled with", [f"{name}: {value}" for name, value in card.sampler.items()]),
        ("scores", [f"{name}: {score}" for name, score in card.scores.items()]),
        ("limits", [f"- {limit}" for limit in card.limits]),
        (f"knows {len(card.concepts)} things", [", ".join(concept.name for concept in card.concepts)]),
    ]
    lines = [card.name]
    for title, paragraphs in sections:
        if not paragraphs:
            continue
        lines += ["", title]
        for paragraph in paragraphs:
            lines += textwrap.wrap(
                paragraph, WIDTH, initial_indent="  ", subsequent_indent="    ", break_long_words=False
            )
    return "\n".join(lines)
