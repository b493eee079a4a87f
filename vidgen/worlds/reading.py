# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Captions read back into claims, by the same tables that they are written from."""

import functools
import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from vidgen.worlds import story_words, words
from vidgen.worlds.claims import Claim
from vidgen.worlds.motion import DIRECTIONS
from vidgen.worlds.sprites import load_atlas
from vidgen.worlds.story_claims import EVENTS

_THING = r"<o\d+>"
_LIST = re.compile(rf"{_THING}(?:(?:, {_THING})* and {_THING})?")
_LEADS = "|".join(
    sorted((*story_words.FIRST, *story_words.THEN, *story_words.AFTER, *story_words.BEFORE), key=len, reverse=True)
)
_LEAD = re.compile(rf"(?:{_LEADS})(?= )")
# "and then" is a lead, "and" before anything else a join.
_JOIN = re.compile(rf"; |\. |, (?=(?:{_LEADS}) )|, and |, while | while | (?=(?:{_LEADS}) )| and |, ")
_SWIFT = re.compile(rf"\b(?:an?|the) ({'|'.join(story_words.ADJECTIVES)}) (?=\w)")


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
    numbers = _numbers()

    def name(match: re.Match[str]) -> str:
        row, number = numbers.get(match[0]) or (names[match[0]], 0)
        if number:
            claims.add(Claim("number", load_atlas().concepts[row].name, str(number)))
        return f"<o{row}>"

    # "a fast dog" is "the dog", which is fast.
    marked = _SWIFT.sub(lambda match: f"<v{story_words.ADJECTIVES[match[1]]}>the ", marked)
    marked = things.sub(name, marked)
    for speed, row in re.findall(r"<v(\w+)><o(\d+)>", marked):
        claims.add(Claim("speed", load_atlas().concepts[int(row)].name, speed))
    marked = re.sub(r"<v\w+>(?=<o)", "", marked)
    marked = re.sub(r"^<x\d+> ", "", marked)  # an opening, such as "a picture of"
    order, joined, at = _Order(), "", 0
    while True:
        lead = _LEAD.match(marked, at)
        at = lead.end() + 1 if lead else at
        events: list[tuple[str, str]] = []
        at = _clause(marked, at, spots, claims, text, events)
        order.add(events, lead[0] if lead else "", joined == " ")
        if at == len(marked):
            return frozenset(claims | order.claims())
        join = _JOIN.match(marked, at)
        if join is None:
            raise _not_understood(text, marked, at)
        joined, at = join[0], join.end()


def read_parts(text: str) -> frozenset[Claim]:
    """What those parts of a text say that can be read, between commas, semicolons and full stops; the rest says nothing
    here.
    """
    found: set[Claim] = set()
    for part in re.split(r"[;,.] ?| while ", text):
        try:
            found |= read_caption(part)
        except ValueError:
            continue
    return frozenset(found)


@functools.cache
def known_words() -> frozenset[str]:
    """Every word of captions but the names of things: of places, motions, relations, cameras, and what joins them."""
    texts = [*_phrases()[1], *_relations()[1], *_predicates()[1], *words.NUMBERS, *story_words.ADJECTIVES]
    texts += [*story_words.FIRST, *story_words.THEN, *story_words.AFTER, *story_words.BEFORE]
    texts += ["a an the and while with is are starts in on at"]
    return frozenset(word for text in texts for word in re.findall(r"[\w'-]+", text.lower()))


@dataclass
class _Order:
    """Which clauses tell of something earlier than others. An event is a subject and a kind of EVENTS."""

    clauses: list[list[tuple[str, str]]] = field(default_factory=list)
    pairs: set[tuple[int, int]] = field(default_factory=set)
    pending: str = ""

    def add(self, events: list[tuple[str, str]], lead: str, inside: bool) -> None:
        """The next clause. lead: the word before it; inside: that word follows a clause in the same sentence part."""
        if not events:
            return
        now = len(self.clauses)
        self.clauses.append(events)
        if now and self.pending:
            self.pairs.add((now - 1, now) if self.pending in story_words.AFTER else (now, now - 1))
        self.pending = ""
        if lead in story_words.THEN and now:
            self.pairs.add((now - 1, now))
        elif lead in (*story_words.AFTER, *story_words.BEFORE):
            if inside and now:
                self.pairs.add((now - 1, now) if lead in story_words.BEFORE else (now, now - 1))
            else:
                self.pending = lead

    def claims(self) -> set[Claim]:
        """Every pair of events in their order, also of those that are not told next to each other."""
        found: set[Claim] = set()
        count = len(self.clauses)
        reach = {row: {b for a, b in self.pairs if a == row} for row in range(count)}
        for _ in range(count):
            reach = {row: later.union(*(reach[b] for b in later)) for row, later in reach.items()}
        for row, later in reach.items():
            for one, kind in self.clauses[row]:
                for two, other in (event for b in later for event in self.clauses[b]):
                    found.add(Claim("before", one, f"{kind}>{other}", two))
        for events in self.clauses:
            # "goes behind the tree and comes back": one after the other, as the words say.
            kinds = [kind for _, kind in events]
            if kinds == ["hide", "return"]:
                found.add(Claim("before", events[0][0], "hide>return", events[1][0]))
        return found


def _not_understood(text: str, marked: str, at: int) -> ValueError:
    rest = re.sub(r"<\w+>", "...", marked[at:])
    return ValueError(
        f"cannot read the caption {text!r} from {rest!r} on; see vidgen.worlds.words for what can be said"
    )


def _clause(
    marked: str,
    at: int,
    spots: list[tuple[str, str]],
    claims: set[Claim],
    text: str,
    events: list[tuple[str, str]],
) -> int:
    """Read one clause at `at` into `claims`, and what happens in it into `events`; returns where it ends."""
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
        at = _says(marked, at, names[0], claims, events)
    while spot := re.compile(r"(?: is| starts)? <([pwl])(\d+)>").match(marked, at):
        _claim_spot(spots[int(spot[2])], names[0], claims)
        at = spot.end()
    return at


def _says(marked: str, at: int, name: str, claims: set[Claim], events: list[tuple[str, str]]) -> int:
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
            if kind in EVENTS and (kind != "motion" or value in DIRECTIONS):
                events.append((name, kind))
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
    add((*words.OPENINGS, *story_words.OPENINGS, *story_words.COUNT_OPENINGS), "x opening", "")
    return re.compile(rf"\b(?:{_longest_first(meanings)})(?!\w)"), meanings


@functools.cache
def _things() -> tuple[re.Pattern[str], dict[str, int]]:
    """Concepts with their articles, and the atlas row of each such phrase."""
    rows: dict[str, int] = {}
    for row, concept in enumerate(load_atlas().concepts):
        for word in (concept.name, *concept.synonyms):
            rows[words.noun(word).lower()] = row
            rows[words.noun(word, known=True).lower()] = row
            rows[f"the {word.lower()}"] = row  # of names without an article, too: "a slow Santa"
    rows |= {phrase: row for phrase, (row, _) in _numbers().items()}
    return re.compile(rf"\b(?:{_longest_first(rows)})(?![\w'-])"), rows


@functools.cache
def _numbers() -> dict[str, tuple[int, int]]:
    """Numbers of things, "three apples", with the atlas row and the number."""
    return {
        story_words.counted(concept.name, number).lower(): (row, number)
        for row, concept in enumerate(load_atlas().concepts)
        if concept.name not in words.UNIQUE
        for number in range(1, len(words.NUMBERS))
    }


@functools.cache
def _relations() -> tuple[re.Pattern[str], dict[str, str]]:
    values = {text: value for value, texts in words.RELATIONS.items() for text in texts}
    return re.compile(rf"(?: is| starts)? ({_longest_first(values)}) <o(\d+)>"), values


@functools.cache
def _predicates() -> tuple[re.Pattern[str], dict[str, tuple[tuple[str, str], ...]]]:
    """Verb phrases of all categories, and what each reads as."""
    reads: dict[str, tuple[tuple[str, str], ...]] = {words.BEING: ()}
    for category in words.categories():
        said = [predicate for key in words.motion_keys() for predicate in words.predicates(category, key)]
        said += [predicate for key in story_words.all_keys() for predicate in story_words.predicates(category, key)]
        for predicate in said:
            for text in (predicate.finite, predicate.participle):
                if reads.setdefault(text, predicate.reads) != predicate.reads:
                    raise ValueError(f"the words {text!r} mean {reads[text]} and {predicate.reads}; change one")
    pattern = _longest_first(reads).replace(re.escape("{}"), _THING)
    return re.compile(rf"(?:{pattern})(?!\w)"), reads
