# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Captions of a scene: short ("an astronaut") and descriptive, in many phrasings, never saying anything that is false.

`claims` lists what is true of a scene; `caption` says some of it in words; `read_caption` takes a caption apart again.
"""

import numpy as np

from vidgen.worlds import words
from vidgen.worlds.claims import Claim, claims, place_name
from vidgen.worlds.motion import DIRECTIONS, Scene
from vidgen.worlds.reading import read_caption
from vidgen.worlds.sprites import load_atlas
from vidgen.worlds.story_captions import StoryWriter

__all__ = ["Claim", "caption", "claims", "read_caption"]

STYLES = ("short", "descriptive", "any")
SHORT_WORDS = (2, 14)
DESCRIPTIVE_WORDS = (15, 45)
SYNONYM_SHARE = 0.15
"""Share of captions that call things by a synonym."""


def caption(scene: Scene, seed: int, style: str = "any") -> str:
    """A caption of a scene; another seed may phrase it otherwise and say more or less.

    style: "short" (2 to 14 words; often without place or motion), "descriptive" (15 to 45 words), "any" (either). A
    story takes as many words as it has parts. Raises ValueError for another style, and for a scene without objects.
    """
    if style not in STYLES:
        raise ValueError(f"style must be one of {', '.join(STYLES)}, not {style!r}")
    if not scene.objects:
        raise ValueError("a scene without objects has no caption; give it at least one object")
    rng = np.random.default_rng((seed, scene.seed))
    if style == "any":
        style = "short" if rng.random() < 0.5 else "descriptive"
    scene = scene.in_sight()
    writer = StoryWriter(scene, rng, rng.random() < SYNONYM_SHARE) if scene.theme else _Writer(scene, rng)
    text = writer.short() if style == "short" else writer.descriptive()
    if rng.random() < 0.25:
        text = text[0].upper() + text[1:] + "."
    return text


class _Writer:
    """One caption in the making: the scene, what is true of it, and the word chosen for each object."""

    def __init__(self, scene: Scene, rng: np.random.Generator) -> None:
        self.scene, self.rng, self.truth = scene, rng, claims(scene)
        self.moving = scene.frames > 1
        self.names = [thing.concept for thing in scene.objects]
        self.place = words.place_words(place_name(scene.place))
        atlas = load_atlas()
        other_words = rng.random() < SYNONYM_SHARE
        self.words = [
            self.pick(atlas[name].synonyms) if other_words and atlas[name].synonyms else name for name in self.names
        ]

    def pick(self, options: tuple[str, ...]) -> str:
        return options[int(self.rng.integers(len(options)))]

    def chance(self, share: float) -> bool:
        return bool(self.rng.random() < share)

    def noun(self, row: int, known: bool = False) -> str:
        return words.noun(self.words[row], known)

    def is_true(self, kind: str, row: int, value: str, other: str = "") -> bool:
        return Claim(kind, self.names[row], value, other) in self.truth

    def motion_key(self, row: int) -> str | None:
        """The key of `words.predicates` for what an object does, None where that cannot be said."""
        motion = self.scene.objects[row].motion
        directions = [value for value in DIRECTIONS if self.is_true("motion", row, value)]
        if motion.kind in DIRECTIONS:
            return motion.kind if motion.kind in directions else None
        if motion.kind in ("arc", "follow"):
            return f"{motion.kind} {directions[0]}" if directions else None
        if motion.kind == "orbit":
            return "orbit" if motion.target != -1 else "circle"
        if motion.kind == "spin":
            return f"spin {'clockwise' if motion.turns > 0 else 'counterclockwise'}"
        return motion.kind

    def predicate(self, row: int, participle: bool = False, known: bool = False) -> str | None:
        """What an object does, in words; None for images and where it cannot be said."""
        key = self.motion_key(row) if self.moving else None
        if key is None:
            return None
        thing, category = self.scene.objects[row], load_atlas()[self.names[row]].category
        if key == "still" and self.is_true("where", row, "sky"):
            category = "weather"  # nothing stands or sits up there

        def say(key: str) -> str:
            options = words.predicates(category, key)
            chosen = options[int(self.rng.integers(len(options)))]
            return chosen.participle if participle else chosen.finite

        text = say(key)
        if thing.motion.target != -1:
            text = text.replace("{}", self.noun(thing.motion.target, known))
        if thing.enter and self.chance(0.6):
            text = f"{say(f'enter {thing.enter}')} and {text}" if self.chance(0.6) else say(f"enter {thing.enter}")
        elif thing.leave and self.chance(0.6):
            text = f"{text} and {say(f'leave {thing.leave}')}"
        return text

    def where(self, row: int) -> str:
        """Up in the sky or on the ground, for something at rest; "" where there is nothing to say."""
        if self.scene.objects[row].motion.kind != "still":
            return ""
        if self.is_true("where", row, "sky"):
            return " " + self.pick((*words.SKY_ANY, *self.place.sky))
        return " " + self.pick(words.ON_GROUND) if self.is_true("where", row, "ground") else ""

    def setting(self, row: int) -> str:
        """Where it happens: "across the moon" for something that crosses it, "on the moon" for anything."""
        crosses = self.moving and self.scene.objects[row].motion.kind in ("left", "right", "follow")
        return " " + self.pick(self.place.across if crosses and self.chance(0.6) else self.place.at)

    def relation(self) -> tuple[int, str, int] | None:
        """One of the true relations: the subject's row, a key of RELATIONS, the other's row; None without any."""
        rows = {name: row for row, name in enumerate(self.names)}
        found = sorted((rows[c.subject], c.value, rows[c.other]) for c in self.truth if c.kind == "relation")
        return found[int(self.rng.integers(len(found)))] if found else None

    def listed(self, known: bool = False) -> str:
        """All objects in random order: "a dog, a cat and a bus"."""
        nouns = [self.noun(int(row), known) for row in self.rng.permutation(len(self.names))]
        return nouns[0] if len(nouns) == 1 else f"{', '.join(nouns[:-1])} and {nouns[-1]}"

    def opening(self, share: float) -> str:
        if not self.chance(share):
            return ""
        return self.pick(words.CLIP_OPENINGS if self.moving else words.IMAGE_OPENINGS) + " "

    def short(self) -> str:
        """A caption as people type them: often only what is there, sometimes where or what it does."""
        low, high = SHORT_WORDS
        for _ in range(8):
            text = self.short_draft()
            if low <= len(text.split()) <= high:
                return text
        return f"{self.pick(words.OPENINGS if not self.moving else words.CLIP_OPENINGS)} {self.noun(0)}"

    def short_draft(self) -> str:
        """One or two objects are all named, since what a short prompt does not name should not appear."""
        count, dice = len(self.names), self.rng.random()
        at = " " + self.pick(self.place.at) if self.chance(0.45) else ""
        related = self.relation() if count == 2 or dice < 0.2 else None
        if count > 1 and related and dice < 0.5:
            subject, value, other = related
            text = f"{self.noun(subject)} {self.pick(words.RELATIONS[value])} {self.noun(other)}"
            return self.opening(0.1) + text + at
        if count == 2 and dice > 0.7:
            parts = [self.predicate(0), self.predicate(1)]
            if all(parts) and all(thing.motion.target == -1 for thing in self.scene.objects):
                return f"{self.noun(0)} {parts[0]} and {self.noun(1)} {parts[1]}{at}"
        leads = count == 2 and self.scene.objects[1].motion.target == 0
        row = 1 if leads else int(self.rng.integers(count))
        if count == 1 or leads or (count > 2 and dice > 0.85):
            opening = self.opening(0.15)
            says = self.predicate(row, participle=bool(opening) or self.chance(0.3))
            if says and self.chance(0.7):
                return f"{opening}{self.noun(row)} {says}{self.setting(row) if at else ''}"
        return self.opening(0.15) + self.listed() + at

    def descriptive(self) -> str:
        """Names everything, says where it is and what it does; the least important parts go when it gets long."""
        low, high = DESCRIPTIVE_WORDS
        for rich in (True, True, True, False):
            text, with_place = self.main_sentence(rich)
            if len(text.split()) <= high:
                break
        details, padding = self.details(with_place)
        for detail in (*details, *padding):
            enough = len(text.split()) >= low and (detail in padding or self.chance(0.5))
            if not enough and len(text.split()) + len(detail.split()) <= high - 1:
                text += self.pick(("; ", "; ", ". ", ", and ")) + detail
        parts = text.split(". ")
        return ". ".join([parts[0], *(part[0].upper() + part[1:] for part in parts[1:])])

    def main_sentence(self, rich: bool) -> tuple[str, bool]:
        """The first sentence, and whether it names the place. rich: says what each object does."""
        with_place = self.chance(0.75)
        if not self.moving or not rich:
            setting = " " + self.pick(self.place.at) if with_place else ""
            return self.opening(0.5) + self.listed() + setting, with_place
        text = ""
        for row in range(len(self.names)):
            says = self.predicate(row, known=True) or words.BEING
            extra = self.setting(row) if with_place and row == 0 else self.where(row) if self.chance(0.6) else ""
            join = "" if row == 0 else self.pick((" while ", ", while ", ", and ", "; "))
            text += f"{join}{self.noun(row)} {says}{extra}"
        return text, with_place

    def details(self, with_place: bool) -> tuple[list[str], list[str]]:
        """Clauses that may follow, the more important first, and ones that only fill up a short caption."""
        count, details = len(self.names), []
        if not with_place:
            details.append(self.pick(self.place.says))
        if self.moving and (self.scene.camera.kind != "still" or self.chance(0.4)):
            details.append(self.pick(words.CAMERA[self.scene.camera.kind]))
        related = self.relation()
        if related:
            subject, value, other = related
            verb = "starts" if self.moving and self.chance(0.3) else "is"
            relation = self.pick(words.RELATIONS[value])
            details.append(f"{self.noun(subject, True)} {verb} {relation} {self.noun(other, True)}")
        for row in self.rng.permutation(count):
            spots = [value for value in words.POSITIONS if self.is_true("position", int(row), value)]
            if spots:
                verb = "starts" if self.moving else "is"
                spot = self.pick(words.POSITIONS[self.pick(tuple(spots))])
                details.append(f"{self.noun(int(row), True)} {verb} {spot}")
                break
        padding = [self.pick(words.COUNTS[str(count)])]
        if (
            self.moving
            and self.scene.camera.kind == "still"
            and not any(text in details for text in words.CAMERA["still"])
        ):
            padding.append(self.pick(words.CAMERA["still"]))
        if with_place:
            padding.append(self.pick(self.place.says))
        return details, [*padding, *words.FILLERS]
