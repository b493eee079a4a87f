# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Captions of 3-D scenes read back into claims, by the same tables that they are written from."""

import functools
import re
from collections.abc import Iterable, Mapping

from vidgen.worlds.claims import Claim
from vidgen.worlds.solids import words
from vidgen.worlds.solids.claims import OPPOSITE
from vidgen.worlds.solids.scene import COLORS

_THING = r"<o\d+>"
_LIST = re.compile(rf"{_THING}(?:(?:, {_THING})+ and {_THING}| and {_THING}(?=$| on |; |\. |, and ))")
_JOIN = re.compile(r"; |\. |, and |, while | while | and |, ")


def read_solid_caption(text: str) -> frozenset[Claim]:
    """What a caption says. Raises ValueError, quoting what is not understood, for a text of any other shape.

    Case, a final full stop and spacing do not matter.
    """
    plain = " ".join(text.lower().split()).rstrip(".")
    things: list[tuple[str, str]] = []

    def mark(match: re.Match[str]) -> str:
        material, color, shape = match.groups()
        things.append((f"{color} {_shapes()[shape]}", _materials()[material] if material else ""))
        return f"<o{len(things) - 1}>"

    rest = _nouns().sub(mark, plain)
    claims = {Claim("object", name) for name, _ in things}
    claims |= {Claim("material", name, material) for name, material in things if material}
    names = [name for name, _ in things]
    rest = _openings().sub("", rest)
    while True:
        end = _clause(rest, names, claims)
        if end is None:
            shown = re.sub(_THING, "...", rest)
            raise ValueError(f"cannot read the caption {text!r} from {shown!r} on; see solids.words")
        rest = rest[end:]
        if not rest:
            return frozenset(claims)
        join = _JOIN.match(rest)
        rest = rest[join.end() :] if join else f"?{rest}"


def _clause(rest: str, names: list[str], claims: set[Claim]) -> int | None:
    """Reads one clause into `claims`; returns where it ends, None where it is not understood."""
    alone, values = _alone()
    if said := alone.match(rest):
        claims.add(values[said[0]])
        return said.end()
    if listed := _LIST.match(rest):
        return _floor(rest, listed.end(), claims)
    subject = re.match(_THING, rest)
    if subject is None:
        return None
    name, at = names[int(subject[0][2:-1])], subject.end()
    relations, sides = _relations()
    if said := relations.match(rest, at):
        other = names[int(said[2])]
        claims.add(Claim("relation", name, sides[said[1]], other))
        claims.add(Claim("relation", other, OPPOSITE[sides[said[1]]], name))
        return _floor(rest, said.end(), claims)
    verbs, reads = _verbs()
    for join in (" ", " and "):
        said = verbs.match(rest, at + len(join)) if rest.startswith(join, at) else None
        if said is None:
            break
        target = re.search(_THING, said[1])
        kind, value = reads[re.sub(_THING, "{}", said[1])]
        if kind != "way":
            claims.add(Claim(kind, name, value, names[int(target[0][2:-1])] if target else ""))
        if said[2]:
            claims.add(Claim("way", name, _ways()[said[2]]))
        at = said.end()
    return _floor(rest, at, claims)


def _floor(rest: str, at: int, claims: set[Claim]) -> int:
    floors, values = _floors()
    if said := floors.match(rest, at):
        claims.add(Claim("floor", value=values[said[1]]))
        return said.end()
    return at


def _any(texts: Iterable[str]) -> str:
    return "|".join(sorted({re.escape(text) for text in texts}, key=lambda text: (-len(text), text)))


def _inverse(table: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    found: dict[str, str] = {}
    for value, texts in table.items():
        for text in texts:
            if found.setdefault(text, value) != value:
                raise ValueError(f"the words {text!r} mean {found[text]} and {value}; change one of the tables")
    return found


@functools.cache
def _shapes() -> dict[str, str]:
    return _inverse(words.SHAPE_WORDS)


@functools.cache
def _materials() -> dict[str, str]:
    return _inverse(words.MATERIAL_WORDS)


@functools.cache
def _ways() -> dict[str, str]:
    return _inverse(words.WAY_WORDS)


@functools.cache
def _nouns() -> re.Pattern[str]:
    return re.compile(rf"\b(?:an?|the) (?:({_any(_materials())}) )?({_any(COLORS)}) ({_any(_shapes())})\b")


@functools.cache
def _openings() -> re.Pattern[str]:
    return re.compile(rf"^(?:{_any((*words.OPENINGS_CLIP, *words.OPENINGS_IMAGE))}) ")


@functools.cache
def _relations() -> tuple[re.Pattern[str], dict[str, str]]:
    values = _inverse(words.RELATION_WORDS)
    return re.compile(rf"(?: is| starts)? ({_any(values)}) <o(\d+)>"), values


@functools.cache
def _floors() -> tuple[re.Pattern[str], dict[str, str]]:
    values = _inverse(words.FLOOR_WORDS)
    return re.compile(rf" ({_any(values)})(?!\w)"), values


@functools.cache
def _alone() -> tuple[re.Pattern[str], dict[str, Claim]]:
    """Clauses that stand for themselves."""
    claims = {text: Claim("camera", value=value) for text, value in _inverse(words.CAMERA_WORDS).items()}
    claims |= {text: Claim("count", value=value) for text, value in _inverse(words.COUNT_WORDS).items()}
    claims |= {
        f"it all happens {text}": Claim("floor", value=value) for text, value in _inverse(words.FLOOR_WORDS).items()
    }
    return re.compile(rf"(?:{_any(claims)})(?!\w)"), claims


@functools.cache
def _verbs() -> tuple[re.Pattern[str], dict[str, tuple[str, str]]]:
    """Verbs with what may follow them, and what each reads as."""
    reads = {text: key for key, forms in words.VERBS.items() for form in forms for text in form}
    verbs = _any(reads).replace(re.escape("{}"), _THING)
    return re.compile(rf"({verbs})(?!\w)(?: ({_any(_ways())})(?!\w))?"), reads
