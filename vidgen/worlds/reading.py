# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Captions read back into claims, by the same tables that they are written from."""

import functools
import re
from collections.abc import Iterable

from vidgen.worlds import words
from vidgen.worlds.claims import Claim
from vidgen.worlds.sprites import load_atlas

_THING = r"<o\d+>"
_LIST = re.compile(rf"{_THING}(?:(?:, {_THING})* and {_THING})?")
_JOIN = re.compile(r"; |\. |, and |, while | while | and |, ")


def read_caption(text: str) -> frozenset[Claim]:
    """What a caption says. Raises ValueError, quoting what is not understood, for a text of any other shape.

    Case, a final full stop and spacing do not matter.
    """
    plain = " ".join(text.lower().split()).rstrip(".")
    phrases, meanings = _phrases()
    claims: set[Claim] = set()
    spots: list[tuple[str, str]] = []

    def mark(match: re.Match[str]) -> str:
        spots.append(meanings[match[0]])
        return f"<{spots[-1][0][0]}{len(spots) - 1}>"

    marked = phrases.sub(mark, plain)
    things, names = _things()
    marked = things.sub(lambda match: f"<o{names[match[0]]}>", marked)
    marked = re.sub(r"^<x\d+> ", "", marked)  # an opening, such as "a picture of"
    at = 0
    while True:
        at = _clause(marked, at, spots, claims, text)
        if at == len(marked):
            return frozenset(claims)
        join = _JOIN.match(marked, at)
        if join is None:
            raise _not_understood(text, marked, at)
        at = join.end()


def _not_understood(text: str, marked: str, at: int) -> ValueError:
    rest = re.sub(r"<\w+>", "...", marked[at:])
    return ValueError(
        f"cannot read the caption {text!r} from {rest!r} on; see vidgen.worlds.words for what can be said"
    )


def _clause(marked: str, at: int, spots: list[tuple[str, str]], claims: set[Claim], text: str) -> int:
    """Read one clause at `at` into `claims`; returns where it ends."""
    concepts = load_atlas().concepts
    subjects = _LIST.match(marked, at)
    if subjects is None:
        alone = re.compile(r"<([pcnf])(\d+)>").match(marked, at)
        if alone is None:
            raise _not_understood(text, marked, at)
        _claim_spot(spots[int(alone[2])], "", claims)
        return alone.end()
    names = [concepts[int(number)].name for number in re.findall(r"\d+", subjects[0])]
    claims.update(Claim("object", name) for name in names)
    at = subjects.end()
    if len(names) == 1:
        at = _says(marked, at, names[0], claims)
    while spot := re.compile(r"(?: is| starts)? <([pwl])(\d+)>").match(marked, at):
        _claim_spot(spots[int(spot[2])], names[0], claims)
        at = spot.end()
    return at


def _says(marked: str, at: int, name: str, claims: set[Claim]) -> int:
    """A relation or up to two verb phrases after a subject."""
    concepts = load_atlas().concepts
    relations, values = _relations()
    if relation := relations.match(marked, at):
        other = concepts[int(relation[2])].name
        value = values[relation[1]]
        claims |= {Claim("object", other), Claim("relation", name, value, other)}
        claims.add(Claim("relation", other, words.OPPOSITE[value], name))
        return relation.end()
    predicates, reads = _predicates()
    for join in (" ", " and "):
        said = predicates.match(marked, at + len(join)) if marked.startswith(join, at) else None
        if said is None:
            break
        target = re.search(_THING, said[0])
        other = concepts[int(target[0][2:-1])].name if target else ""
        if other:
            claims.add(Claim("object", other))
        for row, (kind, value) in enumerate(reads[re.sub(_THING, "{}", said[0])]):
            claims.add(Claim(kind, name, value, other if row == 0 else ""))
        at = said.end()
    return at


def _claim_spot(spot: tuple[str, str], subject: str, claims: set[Claim]) -> None:
    kind, value = spot
    claim = {"place": "place", "camera": "camera", "number": "count", "where": "where", "location": "position"}.get(
        kind
    )
    if claim is not None:
        claims.add(Claim(claim, subject if claim in ("where", "position") else "", value))


def _longest_first(texts: Iterable[str]) -> str:
    return "|".join(sorted((re.escape(text) for text in texts), key=len, reverse=True))


@functools.cache
def _phrases() -> tuple[re.Pattern[str], dict[str, tuple[str, str]]]:
    """Phrases that stand for themselves, and the kind and value of each; kinds differ in their first letter."""
    meanings: dict[str, tuple[str, str]] = {}

    def add(texts: Iterable[str], kind: str, value: str) -> None:
        for text in texts:
            known = meanings.setdefault(text.lower(), (kind, value))
            if known != (kind, value):
                raise ValueError(f"the phrase {text!r} means {known} and {(kind, value)}; change one of the tables")

    for name in words.place_names():
        place = words.place_words(name)
        add((*place.at, *place.across, *place.says), "place", name)
        add(place.sky, "where", "sky")
    for value, texts in words.WHERE.items():
        add(texts, "where", value)
    for value, texts in words.POSITIONS.items():
        add(texts, "location", value)
    for value, texts in words.CAMERA.items():
        add(texts, "camera", value)
    for value, texts in words.COUNTS.items():
        add(texts, "number", value)
    add(words.FILLERS, "filler", "")
    add(words.OPENINGS, "x opening", "")
    return re.compile(rf"\b(?:{_longest_first(meanings)})(?!\w)"), meanings


@functools.cache
def _things() -> tuple[re.Pattern[str], dict[str, int]]:
    """Concepts with their articles, and the atlas row of each such phrase."""
    rows: dict[str, int] = {}
    for row, concept in enumerate(load_atlas().concepts):
        for word in (concept.name, *concept.synonyms):
            rows[words.noun(word).lower()] = row
            rows[words.noun(word, known=True).lower()] = row
    return re.compile(rf"\b(?:{_longest_first(rows)})(?![\w'-])"), rows


@functools.cache
def _relations() -> tuple[re.Pattern[str], dict[str, str]]:
    values = {text: value for value, texts in words.RELATIONS.items() for text in texts}
    return re.compile(rf"(?: is| starts)? ({_longest_first(values)}) <o(\d+)>"), values


@functools.cache
def _predicates() -> tuple[re.Pattern[str], dict[str, tuple[tuple[str, str], ...]]]:
    """Verb phrases of all categories, and what each reads as."""
    reads: dict[str, tuple[tuple[str, str], ...]] = {words.BEING: ()}
    for category in words.categories():
        for key in words.motion_keys():
            for predicate in words.predicates(category, key):
                for text in (predicate.finite, predicate.participle):
                    if reads.setdefault(text, predicate.reads) != predicate.reads:
                        raise ValueError(f"the words {text!r} mean {reads[text]} and {predicate.reads}; change one")
    pattern = _longest_first(reads).replace(re.escape("{}"), _THING)
    return re.compile(rf"(?:{pattern})(?!\w)"), reads
