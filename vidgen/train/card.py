# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""What a trained model says of itself before anybody has measured it."""

import json
import math
from collections.abc import Mapping
from pathlib import Path

from vidgen.sample.card import Card, CardConcept
from vidgen.sample.sampler import DEFAULTS, SampleConfig, for_card
from vidgen.train.streams import Streams
from vidgen.worlds.motion import FPS
from vidgen.worlds.sprites import load_atlas


def run_card(
    name: str,
    streams: Streams,
    parameters: Mapping[str, int],
    tasks: tuple[str, ...],
    known: tuple[CardConcept, ...] = (),
    how: SampleConfig = DEFAULTS,
) -> Card:
    """The card of a model that was trained on these streams.

    Args:
        name: of the run.
        parameters: how many, by part of the model; tasks: see `Card`.
        known: what the model that it was made from knows, and it has not unlearned.
        how: it is to be sampled.
    """
    scenes = [data.scenes for data in streams.data]
    # Of clips those that most of training is about; pictures only where there is nothing else.
    own = max(streams.data, key=lambda one: (one.scenes.frames > 1, one.weight, one.scenes.frames))
    sides = [side for one in streams.data for side in (one.width, one.height)]
    atlas, before = load_atlas(), {concept.name for concept in known}
    everything = tuple(concept.name for concept in atlas.concepts)
    shown = dict.fromkeys(concept for one in scenes for concept in one.concepts or everything)
    found = [atlas.concepts[atlas.index(concept)] for concept in shown if concept not in before]
    multiples = [cells * pixels for cells, pixels in zip(streams.patch[1:], streams.vae.patch[1:], strict=True)]
    kinds = [f"{data.name} ({data.width}x{data.height}, {data.scenes.frames} frames)" for data in streams.data]
    return Card(
        name=name,
        parameters=parameters,
        trained_on=", ".join(kinds),
        scores={},
        limits=("Nobody has measured it.",),
        concepts=(*known, *(CardConcept(concept.name, tuple(concept.synonyms)) for concept in found)),
        size=(own.width, own.height),
        size_multiple=math.lcm(*multiples),
        least_side=min(sides),
        most_side=max(sides),
        max_frames=max(one.frames for one in scenes),
        fps=FPS,
        frames=own.scenes.frames,
        tasks=tasks,
        sampler=for_card(how),
    )


def card_beside(weights: str | Path) -> Card | None:
    """The card that lies beside a file of weights, if any."""
    card = Path(weights).with_name("card.json")
    return Card.from_dict(json.loads(card.read_text(encoding="utf-8"))) if card.is_file() else None
