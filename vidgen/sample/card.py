# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The model card: what a model says about itself, and which requests it takes, known before any weight is read."""

import dataclasses
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self


@dataclasses.dataclass(frozen=True)
class CardConcept:
    """A thing that the model was trained on, with the other words for it that its captions used."""

    name: str
    synonyms: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class Card:
    """A typed view of the dictionary that a model carries as `card.json`.

    tasks: what it was trained on beside making all of a clip from text: "ends", frames at the beginning or the end were
    given, "box", parts of all frames, and "storyboard", several prompts in one clip. Sizes are (width, height) in
    pixels: `size` and `frames` are of a clip as the model knows them best. Width and height must each be a multiple of
    `size_multiple` from `least_side` to `most_side`; `max_frames` is the longest clip that it takes, and `frames`
    the same where a card does not say. upsample: whether short prompts are expanded to descriptions like the captions
    that it knows. sampler: how it is sampled, where that is not as for every model; see `vidgen.sample.sampler`.
    """

    name: str
    parameters: Mapping[str, int]
    trained_on: str
    scores: Mapping[str, str]
    limits: tuple[str, ...]
    concepts: tuple[CardConcept, ...]
    size: tuple[int, int]
    size_multiple: int
    least_side: int
    most_side: int
    max_frames: int
    fps: int
    frames: int = 0
    tasks: tuple[str, ...] = ()
    upsample: bool = False
    sampler: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "frames", own_frames(vars(self)))

    @classmethod
    def from_dict(cls, card: Mapping[str, Any]) -> Self:
        """Reads a card; keys that are not fields are left aside.

        Raises:
            ValueError: A field is missing.
        """
        fields = {field.name: field for field in dataclasses.fields(cls)}
        missing = [name for name, field in fields.items() if name not in card and _needed(field)]
        if missing:
            raise ValueError(f"The model's card lacks {', '.join(missing)}: it is damaged or of another version.")
        values = {name: card[name] for name in fields if name in card}
        values["concepts"] = tuple(
            CardConcept(concept["name"], tuple(concept.get("synonyms", ()))) for concept in card["concepts"]
        )
        values["limits"] = tuple(card["limits"])
        values["tasks"] = tuple(card.get("tasks", ()))
        values["size"] = (int(card["size"][0]), int(card["size"][1]))
        return cls(**values)

    def save(self, folder: Path) -> None:
        """Writes card.json, which makes a folder with weights one that can be sampled from."""
        text = json.dumps(dataclasses.asdict(self), indent=2)
        (folder / "card.json").write_text(text + "\n", encoding="utf-8")

    def check_size(self, width: int, height: int) -> None:
        """Raises a `ValueError` unless the model takes this size."""
        for name, side in (("width", width), ("height", height)):
            if side % self.size_multiple or not self.least_side <= side <= self.most_side:
                raise ValueError(
                    f"The {name} {side} is not one that {self.name} takes: multiples of {self.size_multiple} "
                    f"from {self.least_side} to {self.most_side} (its own size is {self.size[0]}x{self.size[1]})."
                )

    def known_in(self, prompt: str) -> list[str]:
        """Returns the names of the concepts that a prompt mentions, by name or synonym, singular or plural."""
        text = " ".join(prompt.lower().split())
        return [concept.name for concept in self.concepts if names_of([concept]).search(text)]


def own_frames(card: Mapping[str, Any]) -> int | None:
    """Frames of a clip as a model knows them best, by its card as a dictionary; None where that does not say."""
    return card.get("frames") or card.get("max_frames")


def names_of(concepts: Sequence[CardConcept]) -> re.Pattern[str]:
    """Finds every word for these concepts in a text in lower case, the longest first, singular or plural."""
    words = sorted((word for one in concepts for word in (one.name, *one.synonyms)), key=len, reverse=True)
    return re.compile(rf"\b(?:{'|'.join(re.escape(word.lower()) for word in words)})(?:s|es)?\b")


def _needed(field: dataclasses.Field) -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
