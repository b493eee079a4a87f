# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The words of stories: verb phrases for events, comparisons and speeds, plurals, and what joins events in order.

`story_captions` writes from these tables and `reading` reads by them, as with `words`.
"""

import functools

from vidgen.worlds import words
from vidgen.worlds.words import Predicate

_EVENTS: dict[str, tuple[tuple[tuple[str, str], ...], tuple[tuple[str, str], ...]]] = {
    "enter": (
        (("enter", ""),),
        (("enters", "entering"), ("comes in", "coming in"), ("comes into view", "coming into view")),
    ),
    "leave": (
        (("leave", ""),),
        (("leaves", "leaving"), ("goes away", "going away"), ("leaves the scene", "leaving the scene")),
    ),
    "land": (
        (("land", ""),),
        (
            ("lands", "landing"),
            ("comes down and lands", "coming down and landing"),
            ("comes in to land", "coming in to land"),
        ),
    ),
    "takeoff": ((("takeoff", ""),), (("takes off", "taking off"), ("lifts off", "lifting off"))),
    "hide": (
        (("hide", ""),),
        (
            ("goes behind {}", "going behind {}"),
            ("disappears behind {}", "disappearing behind {}"),
            ("hides behind {}", "hiding behind {}"),
            ("moves behind {}", "moving behind {}"),
        ),
    ),
    "return": (
        (("return", ""),),
        (
            ("comes out again", "coming out again"),
            ("appears again", "appearing again"),
            ("comes into view again", "coming into view again"),
        ),
    ),
    "return back": (
        (("return", "back"),),
        (
            ("comes back", "coming back"),
            ("returns", "returning"),
            ("comes back out the same way", "coming back out the same way"),
        ),
    ),
    "return through": (
        (("return", "through"),),
        (
            ("comes out on the other side", "coming out on the other side"),
            ("appears on the other side", "appearing on the other side"),
        ),
    ),
    "hit": (
        (("hit", ""),),
        (("hits {}", "hitting {}"), ("bumps into {}", "bumping into {}"), ("runs into {}", "running into {}")),
    ),
    "fall on": (
        (("hit", ""), ("motion", "down")),
        (("falls on {}", "falling on {}"), ("falls onto {}", "falling onto {}"), ("drops onto {}", "dropping onto {}")),
    ),
    "knock": (
        (("cause", "knock"), ("motion", "down")),
        (
            ("falls and knocks {} down", "falling and knocking {} down"),
            ("knocks {} down from above", "knocking {} down from above"),
        ),
    ),
    "open": ((("open", ""),), (("opens", "opening"), ("swings open", "swinging open"))),
    "emerge": (
        (("emerge", ""),),
        (("comes out", "coming out"), ("steps out", "stepping out"), ("moves out", "moving out")),
    ),
    "emerge from": (
        (("emerge", ""),),
        (("comes out of {}", "coming out of {}"), ("comes out from behind {}", "coming out from behind {}")),
    ),
    "let out": (
        (("cause", "open"), ("open", "")),
        (("opens and lets {} out", "opening and letting {} out"), ("opens to let {} out", "opening to let {} out")),
    ),
    "larger": (
        (("size", "larger"),),
        (
            ("is larger than {}", "larger than {}"),
            ("is bigger than {}", "bigger than {}"),
            ("is much larger than {}", "much larger than {}"),
            ("is much bigger than {}", "much bigger than {}"),
        ),
    ),
    "smaller": (
        (("size", "smaller"),),
        (("is smaller than {}", "smaller than {}"), ("is much smaller than {}", "much smaller than {}")),
    ),
    "faster": (
        (("pace", "faster"),),
        (
            ("moves faster than {}", "moving faster than {}"),
            ("is faster than {}", "faster than {}"),
            ("goes faster than {}", "going faster than {}"),
        ),
    ),
    "slower": (
        (("pace", "slower"),),
        (
            ("moves more slowly than {}", "moving more slowly than {}"),
            ("is slower than {}", "slower than {}"),
            ("goes more slowly than {}", "going more slowly than {}"),
        ),
    ),
    "front": (
        (("depth", "front"),),
        (
            ("passes in front of {}", "passing in front of {}"),
            ("crosses in front of {}", "crossing in front of {}"),
            ("moves past in front of {}", "moving past in front of {}"),
        ),
    ),
    "behind": (
        (("depth", "behind"),),
        (
            ("passes behind {}", "passing behind {}"),
            ("crosses behind {}", "crossing behind {}"),
            ("moves past behind {}", "moving past behind {}"),
        ),
    ),
}
_SIDED = {
    "push": (
        ("cause", "push"),
        (
            ("pushes {} to the {side}", "pushing {} to the {side}"),
            ("knocks {} to the {side}", "knocking {} to the {side}"),
        ),
    ),
    "front": (("depth", "front"), (("passes in front of {} to the {side}", "passing in front of {} to the {side}"),)),
    "behind": (("depth", "behind"), (("passes behind {} to the {side}", "passing behind {} to the {side}"),)),
}
ADVERBS = {"slow": ("slowly",), "fast": ("quickly", "fast")}
ADJECTIVES = {"slow": "slow", "fast": "fast", "quick": "fast"}
"""Adjectives of things that move, and the speed that they claim."""

OPENINGS = ("a video in which", "a clip in which", "an animation in which")
COUNT_OPENINGS = ("there are", "we see", "here are")
"""Stand before a number of things."""
FIRST = ("first", "at first", "in the first part", "to begin with")
_ORDINALS = ("second", "third", "fourth", "fifth", "sixth")
NEXT = ("then", "after that", "next", "later")
LAST = ("finally", "in the end", "in the last part")
SO = ("so",)
PARTS = ("in the first part", *(f"in the {ordinal} part" for ordinal in _ORDINALS))
THEN = (*(lead for word in (*NEXT, *LAST, *SO) for lead in (word, f"and {word}")), *PARTS[1:])
"""Words before a clause that tell of something later than the clause before."""
AFTER = ("after", "when", "once")
"""Before a clause: what it tells is earlier than what the other one tells; BEFORE: later."""
BEFORE = ("before",)


@functools.cache
def predicates(category: str, key: str) -> tuple[Predicate, ...]:
    """Verb phrases for an event or a comparison.

    key: of `all_keys`; "slow left", "fast right" and the like suit a category's verbs. Raises ValueError for others.
    """
    if key in _EVENTS:
        reads, phrases = _EVENTS[key]
        return tuple(Predicate(finite, participle, reads) for finite, participle in phrases)
    kind, _, side = key.partition(" ")
    if kind in _SIDED and side:
        read, phrases = _SIDED[kind]
        reads = (read, ("motion", side)) if kind != "push" else (read,)
        return tuple(Predicate(f.replace("{side}", side), p.replace("{side}", side), reads) for f, p in phrases)
    if kind in ADVERBS and side:
        verbs = (*words.TRAVEL.get(category, ()), ("moves", "moving"), ("goes", "going"))
        ways = {"left": ("to the left", "towards the left"), "right": ("to the right", "towards the right")}[side]
        return tuple(
            Predicate(f"{f} {adverb} {way}", f"{p} {adverb} {way}", (("motion", side), ("speed", kind)))
            for f, p in verbs
            for adverb in ADVERBS[kind]
            for way in ways
        )
    raise ValueError(f"no words for the event {key!r}; there are {', '.join(all_keys())}")


def all_keys() -> tuple[str, ...]:
    """Every key that `predicates` takes."""
    sided = (f"{kind} {side}" for kind in (*_SIDED, *ADVERBS) for side in ("left", "right"))
    return (*_EVENTS, *sided)


_PLURALS = {
    "wolf": "wolves",
    "mouse": "mice",
    "sheep": "sheep",
    "fish": "fish",
    "deer": "deer",
    "squid": "squid",
    "sushi": "pieces of sushi",
    "loaf": "loaves",
    "leaf": "leaves",
    "die": "dice",
    "snowman": "snowmen",
    "jellyfish": "jellyfish",
    "superhero": "superheroes",
    "moai": "moai",
    "broccoli": "heads of broccoli",
}
"""Plurals of nouns that do not follow the rules of `plural`."""


def plural(word: str) -> str:
    """The plural of a concept's name: "dogs", "slices of pizza", "wolves", "cherries"."""
    if " of " in word:
        head, _, rest = word.partition(" of ")
        return f"{plural(head)} of {rest}"
    if word in _PLURALS:
        return _PLURALS[word]
    start, _, last = word.rpartition(" ")
    if last in _PLURALS:
        end = _PLURALS[last]
    elif last.endswith(("s", "x", "ch", "sh")):
        end = f"{last}es"
    elif last.endswith("y") and last[-2] not in "aeiou":
        end = f"{last[:-1]}ies"
    elif last in ("tomato", "volcano", "tornado"):
        end = f"{last}es"
    else:
        end = f"{last}s"
    return f"{start} {end}".strip()


def counted(word: str, number: int) -> str:
    """So many of a concept: "three apples"; "one apple"."""
    return f"{words.NUMBERS[number]} {word if number == 1 else plural(word)}"
