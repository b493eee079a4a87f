# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Captions of 3-D scenes, in many phrasings, never saying anything that is false.

`solid_claims` lists what is true; `solid_caption` says some of it; `read_solid_caption` takes a caption apart again.
"""

import numpy as np

from vidgen.worlds.claims import Claim
from vidgen.worlds.solids import words
from vidgen.worlds.solids.claims import solid_claims
from vidgen.worlds.solids.reading import read_solid_caption
from vidgen.worlds.solids.scene import SolidScene, solid_name

__all__ = ["read_solid_caption", "solid_caption", "solid_claims"]

STYLES = ("short", "descriptive", "any")
SHORT_WORDS = (2, 16)
DESCRIPTIVE_WORDS = (12, 60)


def solid_caption(scene: SolidScene, seed: int, style: str = "any") -> str:
    """A caption of a 3-D scene; another seed may phrase it otherwise and say more or less.

    style: "short" (2 to 16 words), "descriptive" (12 to 60 words; names everything), "any" (either).
    Raises ValueError for another style, ModuleNotFoundError where MuJoCo is missing.
    """
    if style not in STYLES:
        raise ValueError(f"style must be one of {', '.join(STYLES)}, not {style!r}")
    rng = np.random.default_rng((seed, scene.seed))
    if style == "any":
        style = "short" if rng.random() < 0.5 else "descriptive"
    writer = _Writer(scene, rng)
    text = writer.short() if style == "short" else writer.descriptive()
    if rng.random() < 0.25:
        text = text[0].upper() + text[1:] + "."
    return text


class _Writer:
    """One caption in the making."""

    def __init__(self, scene: SolidScene, rng: np.random.Generator) -> None:
        self.scene, self.rng, self.truth = scene, rng, sorted(solid_claims(scene), key=_order)
        self.names = [solid_name(solid) for solid in scene.solids]
        self.moving = scene.frames > 1
        self.named: set[str] = set()
        said = rng.random() < 0.5
        self.words = {
            name: " ".join(
                (
                    *((self.pick(words.MATERIAL_WORDS[solid.material]),) if said and rng.random() < 0.7 else ()),
                    solid.color,
                    self.pick(words.SHAPE_WORDS[solid.shape]),
                )
            )
            for solid, name in zip(scene.solids, self.names, strict=True)
        }

    def pick(self, options: tuple[str, ...]) -> str:
        return options[int(self.rng.integers(len(options)))]

    def chance(self, share: float) -> bool:
        return bool(self.rng.random() < share)

    def noun(self, name: str) -> str:
        """A solid with its article: "a red ball" when it comes up first, "the red ball" from then on."""
        noun, known = self.words[name], name in self.named
        self.named.add(name)
        return f"{'the' if known else 'an' if noun[0] in 'aeiou' else 'a'} {noun}"

    def about(self, *kinds: str, subject: str = "") -> list[Claim]:
        return [c for c in self.truth if c.kind in kinds and (not subject or c.subject == subject)]

    def floor(self, share: float) -> str:
        return " " + self.pick(words.FLOOR_WORDS[self.scene.floor]) if self.chance(share) else ""

    def opening(self, share: float) -> str:
        return (
            self.pick(words.OPENINGS_CLIP if self.moving else words.OPENINGS_IMAGE) + " " if self.chance(share) else ""
        )

    def verb(self, claim: Claim, participle: bool) -> str:
        key = (claim.kind, claim.value) if claim.kind == "motion" else (claim.kind, "")
        options = words.VERBS[key]
        text = options[int(self.rng.integers(len(options)))][int(participle)]
        if claim.kind == "way":
            return f"{text} {self.pick(words.WAY_WORDS[claim.value])}"
        return text.format(self.noun(claim.other)) if claim.other else text

    def does(self, name: str, participle: bool = False) -> str:
        """What a solid does, in up to two verbs; "" where there is nothing to say."""
        motions, ways = self.about("motion", subject=name), self.about("way", subject=name)
        first = ""
        if motions:
            motion = motions[int(self.rng.integers(len(motions)))]
            first = self.verb(motion, participle)
            if ways and motion.value in ("rolls", "slides"):
                first += " " + self.pick(words.WAY_WORDS[ways[0].value])
        elif ways:
            first = self.verb(ways[0], participle)
        acts = self.about("hits", "pushes", "topples", subject=name)
        if acts and (not first or self.chance(0.75)):
            act = self.verb(acts[int(self.rng.integers(len(acts)))], participle)
            return f"{first} and {act}" if first else act
        return first

    def relation(self) -> Claim | None:
        found = self.about("relation")
        return found[int(self.rng.integers(len(found)))] if found else None

    def listed(self) -> str:
        nouns = [self.noun(self.names[int(row)]) for row in self.rng.permutation(len(self.names))]
        return nouns[0] if len(nouns) == 1 else f"{', '.join(nouns[:-1])} and {nouns[-1]}"

    def short(self) -> str:
        """A caption as people type them."""
        low, high = SHORT_WORDS
        for _ in range(12):
            self.named.clear()
            text = self.short_draft()
            if low <= len(text.split()) <= high:
                return text
        self.named.clear()
        return self.noun(self.names[0])

    def short_draft(self) -> str:
        dice, related = self.rng.random(), self.relation()
        actors = [c.subject for c in self.about("hits", "pushes", "topples", "way", "motion") if c.value != "still"]
        if actors and dice < 0.55:
            name = actors[int(self.rng.integers(len(actors)))]
            opening = self.opening(0.15)
            return f"{opening}{self.noun(name)} {self.does(name, bool(opening) or self.chance(0.3))}" + self.floor(0.3)
        if related and dice < 0.8:
            relation = self.pick(words.RELATION_WORDS[related.value])
            return (
                f"{self.opening(0.1)}{self.noun(related.subject)} {relation} {self.noun(related.other)}"
                + self.floor(0.3)
            )
        return self.opening(0.15) + self.listed() + self.floor(0.4)

    def descriptive(self) -> str:
        """Names everything, says what it does and where it is; what is less important goes when it gets long."""
        low, high = DESCRIPTIVE_WORDS
        for does in (True, True, False):
            self.named.clear()
            text = self.main_sentence(does)
            if len(text.split()) <= high - 12:
                break
        details, padding = self.details(text)
        for detail in (*details, *padding):
            enough = len(text.split()) >= low and (detail in padding or self.chance(0.45))
            if not enough and len(text.split()) + len(detail.split()) <= high - 1:
                text += self.pick(("; ", "; ", ". ", ", and ")) + detail
        parts = text.split(". ")
        return ". ".join([parts[0], *(part[0].upper() + part[1:] for part in parts[1:])])

    def main_sentence(self, does: bool) -> str:
        if not self.moving or not does:
            return self.opening(0.5) + self.listed() + self.floor(0.6)
        text = ""
        for row, name in enumerate(self.names):
            joins = ("",) if row == 0 else (" while ", ", while ", ", and ", "; ") if row == 1 else (", and ", "; ")
            text += self.pick(joins) + self.noun(name)
            act = self.does(name)
            text += (f" {act}" if act else "") + (self.floor(0.5) if row == 0 else "")
        return text

    def details(self, text: str) -> tuple[list[str], list[str]]:
        """Clauses that may follow, the more important first, and ones that only fill up a short caption."""
        details = []
        if self.moving and (self.scene.view.kind != "still" or self.chance(0.3)):
            details.append(self.pick(words.CAMERA_WORDS[self.scene.view.kind]))
        related = self.about("relation")
        for at in self.rng.permutation(len(related))[:2]:
            claim = related[int(at)]
            rests = all(Claim("motion", name, "still") in self.truth for name in (claim.subject, claim.other))
            relation = self.pick(words.RELATION_WORDS[claim.value])
            verb = "starts" if self.moving and not rests else "is"
            details.append(f"{self.noun(claim.subject)} {verb} {relation} {self.noun(claim.other)}")
        count = self.pick(words.COUNT_WORDS[str(len(self.names))])
        padding = [count]
        if self.moving and not any(said in details for said in words.CAMERA_WORDS[self.scene.view.kind]):
            padding.append(self.pick(words.CAMERA_WORDS[self.scene.view.kind]))
        if not any(said in text for said in words.FLOOR_WORDS[self.scene.floor]):
            padding.append("it all happens " + self.pick(words.FLOOR_WORDS[self.scene.floor]))
        return details, padding


def _order(claim: Claim) -> tuple[str, str, str, str]:
    return claim.kind, claim.subject, claim.value, claim.other
