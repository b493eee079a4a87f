# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Captions of stories: what happens in which order, what makes what move, how many, larger, faster, in front.

`story_caption` is called by `captions.caption`; the words are those of `story_words`.
"""

from collections.abc import Callable

import numpy as np

from vidgen.worlds import story_words, words
from vidgen.worlds.claims import Claim, claims, place_name
from vidgen.worlds.motion import Beat, Scene
from vidgen.worlds.sprites import load_atlas

LONG = 45
"""Words of a descriptive caption, at most, but for stories of several parts."""
LEAST = 15


class StoryWriter:
    """One caption in the making. rng: of the caption's seed. synonyms: whether things go by other words."""

    def __init__(self, scene: Scene, rng: np.random.Generator, synonyms: bool) -> None:
        self.scene, self.rng, self.truth = scene, rng, claims(scene)
        self.names = [thing.concept for thing in scene.objects]
        self.place = words.place_words(place_name(scene.place))
        atlas = load_atlas()
        self.words = {
            name: self.pick(atlas[name].synonyms)
            if synonyms and atlas[name].synonyms and scene.theme != "count"
            else name
            for name in dict.fromkeys(self.names)
        }
        self.known = self.chance(0.3)
        self.told: set[int] = set()

    def pick(self, options: tuple[str, ...]) -> str:
        """One of several."""
        return options[int(self.rng.integers(len(options)))]

    def chance(self, share: float) -> bool:
        """True in so many of all cases."""
        return bool(self.rng.random() < share)

    def short(self) -> str:
        """What happens, and at times where."""
        text, at_end = self.core()
        if self.chance(0.3):
            text = f"{text} {self.pick(self.place.at)}" if at_end else f"{self.pick(self.place.at)}, {text}"
        elif self.chance(0.12) and self.scene.theme != "count":
            text = f"{self.pick(story_words.OPENINGS)} {text}"
        return text

    def descriptive(self) -> str:
        """What happens, where, and more that is true; at least 15 words."""
        text, at_end = self.core()
        with_place = self.chance(0.75)
        if with_place and at_end:
            text = f"{text} {self.pick(self.place.at)}"
        elif with_place:
            text = f"{self.pick(self.place.at)}, {text}"
        elif self.chance(0.3) and self.scene.theme != "count":
            text = f"{self.pick(story_words.OPENINGS)} {text}"
        details = [] if with_place else [self.pick(self.place.says)]
        details += self.details()
        if self.scene.frames > 1:
            details.append(self.pick(words.CAMERA["still"]))
        if with_place:
            details.append(self.pick(self.place.says))
        for detail in (*details, *words.FILLERS):
            enough = len(text.split()) >= LEAST
            if not (enough and self.chance(0.7)) and len(text.split()) + len(detail.split()) <= LONG:
                text += self.pick(("; ", ". ")) + detail
        parts = text.split(". ")
        return ". ".join([parts[0], *(part[0].upper() + part[1:] for part in parts[1:])])

    def details(self) -> list[str]:
        """Other things that are true: one relation or comparison, how many there are."""
        rows = sorted(
            (c.subject, c.kind, c.value, c.other) for c in self.truth if c.kind in ("relation", "size") and c.other
        )
        found = []
        if rows:
            subject, kind, value, other = rows[int(self.rng.integers(len(rows)))]
            one, two = (words.noun(self.words[name], known=True) for name in (subject, other))
            if kind == "relation":
                verb = "starts" if self.scene.frames > 1 and self.scene.theme != "size" else "is"
                found.append(f"{one} {verb} {self.pick(words.RELATIONS[value])} {two}")
            elif self.scene.theme != "size":
                found.append(f"{one} {self.verb(subject, value).format(two)}")
        if len(self.names) > 1:
            found.append(self.pick(words.COUNTS[str(len(self.names))]))
        return found

    def noun(self, row: int, adjective: str = "") -> str:
        """An object's word with its article: "the" when it was spoken of before."""
        known = self.known or row in self.told
        self.told.add(row)
        word = self.words[self.names[row]]
        if adjective:
            return f"{'the' if known else 'a'} {adjective} {word}"
        return words.noun(word, known)

    def verb(self, name: str, key: str) -> str:
        """A finite verb phrase for an event or a comparison, "{}" where another thing goes."""
        options = story_words.predicates(load_atlas()[name].category, key)
        return options[int(self.rng.integers(len(options)))].finite

    def says(self, row: int, key: str, other: int = -1) -> str:
        """A clause: who, what, and with whom."""
        text = f"{self.noun(row)} {self.verb(self.names[row], key)}"
        return text.replace("{}", self.noun(other)) if other != -1 else text

    def moves(self, row: int, side: str) -> str:
        """A clause about a straight way."""
        options = words.predicates(load_atlas()[self.names[row]].category, side)
        return f"{self.noun(row)} {options[int(self.rng.integers(len(options)))].finite}"

    def core(self) -> tuple[str, bool]:
        """The caption's heart, and whether a place may follow it."""
        theme = self.scene.theme
        if theme in ("order", "parts"):
            return self.in_order(list(self.scene.story))
        if theme in _CORES:
            return _CORES[theme](self), True
        raise ValueError(f"no caption is known for a story of kind {theme!r}")

    def event(self, beat: Beat) -> str:
        """A clause about one event of a story in order."""
        row, category = beat.subject, load_atlas()[self.names[beat.subject]].category
        if beat.kind == "motion":
            return self.moves(row, beat.side)
        if beat.kind in ("enter", "leave") and self.chance(0.6):
            options = words.predicates(category, f"{beat.kind} {beat.side}")
            return f"{self.noun(row)} {options[int(self.rng.integers(len(options)))].finite}"
        return self.says(row, beat.kind)

    def in_order(self, beats: list[Beat]) -> tuple[str, bool]:
        """The events, as they come or the other way round with words that say so."""
        if len(beats) == 2 and self.chance(0.4):
            late_first = self.chance(0.5)
            if late_first:
                late, early = self.event(beats[1]), self.event(beats[0])
                text = self.pick((f"{late} after {early}", f"before {late}, {early}"))
                return text, not text.startswith("before")
            early, late = self.event(beats[0]), self.event(beats[1])
            text = self.pick((f"{early} before {late}", f"after {early}, {late}", f"once {early}, {late}"))
            return text, text.startswith(early)
        clauses = [self.event(beat) for beat in beats]
        style = self.rng.random()
        if len(clauses) > 2 and style < 0.25:
            return "; ".join(f"{part} {one}" for part, one in zip(story_words.PARTS, clauses, strict=False)), False
        text = f"{self.pick(story_words.FIRST)} {clauses[0]}" if style < 0.7 else clauses[0]
        join = self.pick((", ", "; ", ". "))
        for at, clause in enumerate(clauses[1:], 1):
            last = at == len(clauses) - 1 and len(clauses) > 2
            lead = self.pick(story_words.LAST if last else story_words.NEXT)
            if join == ", " and (last or self.chance(0.4)):
                lead = f"and {lead}"
            text += f"{join}{lead} {clause}"
        return text, False


def _return(writer: StoryWriter) -> str:
    hide, back = writer.scene.story
    first = writer.says(hide.subject, "hide", hide.other)
    way = "through" if hide.side == back.side else "back"
    key = writer.pick(("return", f"return {way}", f"return {way}"))
    if writer.chance(0.7):
        return f"{first} and {writer.verb(writer.names[hide.subject], key)}"
    return f"{first}{writer.pick((', then ', ' and then ', ', and later '))}{writer.says(hide.subject, key)}"


def _push(writer: StoryWriter) -> str:
    mover, hit = writer.scene.story[0].subject, writer.scene.story[0].other
    side = writer.scene.story[1].side
    if writer.chance(0.3):
        return writer.says(mover, f"push {side}", hit)
    return _chain(writer, writer.says(mover, "hit", hit), lambda: writer.moves(hit, side))


def _knock(writer: StoryWriter) -> str:
    mover, hit = writer.scene.story[0].subject, writer.scene.story[0].other
    if writer.chance(0.3):
        return writer.says(mover, "knock", hit)
    return _chain(writer, writer.says(mover, "fall on", hit), lambda: writer.moves(hit, "down"))


def _open(writer: StoryWriter) -> str:
    door, guest = writer.scene.story[0].subject, writer.scene.story[1].subject
    if writer.chance(0.25):
        return writer.says(door, "let out", guest)
    if writer.chance(0.2):
        return writer.says(guest, "emerge from", door)
    return _chain(writer, writer.says(door, "open"), lambda: writer.says(guest, "emerge"))


def _chain(writer: StoryWriter, cause: str, effect: Callable[[], str]) -> str:
    """A cause and what comes of it."""
    join = writer.pick((" and ", " and ", " and then ", ", so ", ", then ", "when"))
    if join == "when":
        return f"when {cause}, {effect()}"
    return f"{cause}{join}{effect()}"


def _count(writer: StoryWriter) -> str:
    number, name = len(writer.names), writer.names[0]
    text = story_words.counted(writer.words[name], number)
    if number > 1 and writer.chance(0.3):
        return f"{writer.pick(story_words.COUNT_OPENINGS)} {text}"
    if writer.chance(0.15):
        return f"{writer.pick(words.CLIP_OPENINGS if writer.scene.frames > 1 else words.IMAGE_OPENINGS)} {text}"
    return text


def _size(writer: StoryWriter) -> str:
    small, large = sorted(range(2), key=lambda row: writer.scene.objects[row].size)
    return writer.says(large, "larger", small) if writer.chance(0.5) else writer.says(small, "smaller", large)


def _speed(writer: StoryWriter) -> str:
    if len(writer.names) == 1:
        side, name = writer.scene.story[0].side, writer.names[0]
        kind = "fast" if Claim("speed", name, "fast") in writer.truth else "slow"
        if writer.chance(0.7):
            return writer.says(0, f"{kind} {side}")
        swift = tuple(word for word, means in story_words.ADJECTIVES.items() if means == kind)
        options = words.predicates(load_atlas()[name].category, side)
        return f"{writer.noun(0, writer.pick(swift))} {options[int(writer.rng.integers(len(options)))].finite}"
    quick = 0 if Claim("pace", writer.names[0], "faster", writer.names[1]) in writer.truth else 1
    if writer.chance(0.6):
        return (
            writer.says(quick, "faster", 1 - quick) if writer.chance(0.6) else writer.says(1 - quick, "slower", quick)
        )
    both = [writer.moves(beat.subject, beat.side) for beat in writer.scene.story]
    return f"{both[0]} and {both[1]}; {writer.says(quick, 'faster', 1 - quick)}"


def _depth(writer: StoryWriter) -> str:
    beat = writer.scene.story[0]
    name, other = writer.names[beat.subject], writer.names[beat.other]
    way = "front" if Claim("depth", name, "front", other) in writer.truth else "behind"
    return writer.says(beat.subject, f"{way} {beat.side}" if writer.chance(0.4) else way, beat.other)


_CORES: dict[str, Callable[[StoryWriter], str]] = {
    "return": _return,
    "push": _push,
    "knock": _knock,
    "open": _open,
    "count": _count,
    "size": _size,
    "speed": _speed,
    "depth": _depth,
}
