# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Prompt upsampling: a short prompt becomes a description in the style of the training captions (DALL-E 3, section 3.5;
15 to 80 words, as there), which never contradicts it.

A writer proposes texts: the captioner's network, or any other. A text is taken if it says all that the prompt says and
nothing against it, as far as the claims of both can be read; if no draw of several rounds does, the prompt stays.
"""

import dataclasses
import difflib
import functools
import re
from collections.abc import Callable, Sequence

import numpy as np

from vidgen.data.tokenizer import canonical, load_tokenizer
from vidgen.sample.captioner import TrainedCaptioner
from vidgen.sample.card import CardConcept, names_of
from vidgen.worlds.checking import contradictions
from vidgen.worlds.claims import Claim
from vidgen.worlds.reading import known_words, read_caption, read_parts
from vidgen.worlds.sprites import load_atlas
from vidgen.worlds.words import noun

WORDS = (15, 80)
"""Words of an expanded prompt (DALL-E 3, section 3.5)."""
DRAWS, ROUNDS = 8, 6
"""Texts of a round, and rounds after which a prompt is left as it is."""
_PAIRS = (("left", "right"), ("up", "down"), ("top", "bottom"), ("above", "below"))
_AGAINST = {one: other for pair in _PAIRS for one, other in (pair, pair[::-1])}

Writer = Callable[[str, int, int], Sequence[str]]
"""write(prompt, count, seed) -> up to `count` texts: what proposes them."""


@dataclasses.dataclass(frozen=True)
class Unknown:
    """A word of a prompt that a model was not trained on; nearest: a concept that it was, or ""."""

    word: str
    nearest: str = ""


@dataclasses.dataclass(frozen=True)
class Upsampled:
    """A prompt and what became of it.

    prompt: as given. text: what to show the model. expanded: whether they differ. unknown: words that the model does
    not know, which the text keeps. tried: texts that were looked at. refused: of these, how many contradicted the
    prompt.
    """

    prompt: str
    text: str
    expanded: bool
    unknown: tuple[Unknown, ...] = ()
    tried: int = 0
    refused: int = 0


def network_writer(captioner: TrainedCaptioner, temperature: float = 0.8, top_p: float = 0.95) -> Writer:
    """The captioner as a writer. A prompt that cannot be read as a caption is the beginning of its text, word for word,
    so that nothing of it is lost. Texts that do not end are left out, and so is after a prompt that can be read what
    cannot: the network writes nothing that its captions do not say.
    """
    how = captioner.decoding(temperature=temperature, top_p=top_p)

    def write(prompt: str, count: int, seed: int) -> list[str]:
        readable = claims_of(prompt) is not None
        begin = [""] * DRAWS if readable else [prompt] * DRAWS
        texts = captioner.expand([prompt] * DRAWS, how, seed, begin, batch=DRAWS)[:count]
        ended = [text for text in texts if has_room(text, how.length - 1)]
        return [text for text in ended if not readable or claims_of(text) is not None]

    return write


def upsample(
    prompt: str,
    write: Writer,
    *,
    concepts: Sequence[CardConcept] = (),
    tokens: int = 0,
    seed: int = 0,
    variants: int = 1,
) -> list[Upsampled]:
    """Expansions of a prompt that do not contradict it, `variants` different ones where so many are found; one that is
    not expanded where there is none.

    Args:
        write: what proposes texts.
        concepts: what the model knows; words for other things are kept, and told.
        tokens: that the model reads of a prompt; longer texts are passed over. 0 for any length.
        seed: another one gives other texts.
    """
    prompt = " ".join(prompt.split())
    strange, found = unknown_words(prompt, concepts), {}
    tried = refused = 0
    for round_ in range(ROUNDS):
        for text in write(prompt, DRAWS, seed * ROUNDS + round_):
            tried += 1
            text = _without_repeats(" ".join(text.split()))
            verdict = judge(prompt, text)
            refused += verdict == "contradicts"
            if verdict == "fits" and has_room(text, tokens) and canonical(text) != canonical(prompt):
                found.setdefault(canonical(text), text)
        if len(found) >= variants:
            break
    texts = list(found.values())[:variants]
    if not texts:
        return [Upsampled(prompt, prompt, False, strange, tried, refused)]
    return [Upsampled(prompt, text, True, strange, tried, refused) for text in texts]


def judge(prompt: str, text: str) -> str:
    """How a text stands to a prompt: it "fits"; it "contradicts", if it says anything against the prompt or names other
    things; or it "omits", if it leaves something out or is too short or too long.
    """
    low, high = WORDS
    asked, said = claims_of(prompt), claims_of(text)
    if said is None or asked is None:
        verdict = _judge_words(prompt, text)
    else:
        verdict = _judge_claims(asked, said)
    if verdict == "fits" and not low <= len(text.split()) <= high:
        return "omits"
    return verdict


def claims_of(text: str) -> frozenset[Claim] | None:
    """What a text says, None where it cannot be read as a caption. Articles may be left out."""
    for version in (text, _with_articles(text)):
        try:
            return read_caption(version)
        except ValueError:
            continue
    return None


def unknown_words(prompt: str, concepts: Sequence[CardConcept]) -> tuple[Unknown, ...]:
    """Words of a prompt that are neither those of captions nor names of `concepts`; none without concepts."""
    if not concepts:
        return ()
    rest = " ".join(re.findall(r"[\w'-]+", prompt.lower()))
    rest = names_of(concepts).sub(" ", rest)
    strange: list[str] = []
    for thing in sorted(_atlas_names().keys() - known_words(), key=len, reverse=True):  # "hot dog" is one word
        if re.search(rf"\b{re.escape(thing)}(?:s|es)?\b", rest):
            strange.append(thing)
            rest = re.sub(rf"\b{re.escape(thing)}(?:s|es)?\b", " ", rest)
    strange += [word for word in rest.split() if word not in known_words() and not word.isdigit()]
    return tuple(Unknown(word, nearest_concept(word, concepts)) for word in dict.fromkeys(strange))


def nearest_concept(word: str, concepts: Sequence[CardConcept]) -> str:
    """The known concept that is nearest to a word: one of like spelling; for a thing of the atlas, the one of its
    category that looks most like it; "" where there is none.
    """
    by_name = {name: concept.name for concept in concepts for name in (concept.name.lower(), *concept.synonyms)}
    if close := difflib.get_close_matches(word.lower(), by_name, n=1, cutoff=0.8):
        return by_name[close[0]]
    row = _atlas_names().get(word.lower())
    if row is None:
        return ""
    atlas = load_atlas()
    own = atlas.concepts[row]
    known = [atlas.index(c.name) for c in concepts if c.name in {one.name for one in atlas.concepts}]
    alike = [other for other in known if atlas.concepts[other].category == own.category]
    if not alike:
        return ""
    small_N = atlas.images_NHWC[:, ::8, ::8].astype(np.float32)
    return atlas.concepts[min(alike, key=lambda other: float(np.square(small_N[other] - small_N[row]).sum()))].name


def _judge_claims(asked: frozenset[Claim], said: frozenset[Claim]) -> str:
    things = {claim.subject for claim in asked if claim.kind == "object"}
    named = {claim.subject for claim in said if claim.kind == "object"}
    # What a prompt does not name should not appear.
    if contradictions(said, asked) or (things and named - things) or contradictions(said, said):
        return "contradicts"
    return "fits" if asked <= said else "omits"


def _judge_words(prompt: str, text: str) -> str:
    """By words alone, and by those parts that can be read."""
    plain, other = canonical(prompt), canonical(text)
    asked = read_parts(plain)
    said = read_parts(other[len(plain) :] if other.startswith(plain) else other)
    things, told = _things_in(plain), _things_in(other)
    if contradictions(said, asked) or told - things:
        return "contradicts"
    # The moon of "on the moon" is where things are, and stands beside none of them; nor does a thing beside itself.
    about = things | {claim.subject for claim in asked}
    if any(c.other not in about or c.other == c.subject for c in said if c.kind == "relation"):
        return "contradicts"
    words, new = (set(re.findall(r"[\w'-]+", version)) for version in (plain, other))
    if any(side in new - words and _AGAINST[side] in words for side in _AGAINST):
        return "contradicts"
    # Words that captions do not have stay; synonyms of things may change.
    kept = {word for word in words - known_words() if not any(word in name.split() for name in _atlas_names())}
    return "fits" if things <= told and _AGAINST.keys() & words <= new and kept <= new else "omits"


def _things_in(text: str) -> set[str]:
    """Concepts of the atlas that a text names. "the moon" may be the place."""
    found, atlas = set(), load_atlas()
    for name, row in sorted(_atlas_names().items(), key=lambda entry: -len(entry[0])):
        if re.search(rf"\b{re.escape(name)}(?:s|es)?\b", text):
            text = re.sub(rf"\b{re.escape(name)}(?:s|es)?\b", " ", text)
            found.add(atlas.concepts[row].name)
    return found - {"moon"}


def has_room(text: str, tokens: int) -> bool:
    """Whether a model that reads so many tokens reads a text to its end; 0 is any number."""
    return not tokens or len(load_tokenizer().encode(canonical(text))) <= tokens


def _without_repeats(text: str) -> str:
    """A text in which no clause stands twice, as small networks like to write."""
    clauses = re.split(r"(; |\. )", text)
    kept = clauses[:1]
    seen = {canonical(clauses[0])}
    for join, clause in zip(clauses[1::2], clauses[2::2], strict=True):
        if canonical(clause) not in seen:
            seen.add(canonical(clause))
            kept += [join, clause]
    return "".join(kept)


def _with_articles(text: str) -> str:
    """A text in which every known thing has an article, as "dog on the moon" has none."""
    names = "|".join(re.escape(name) for name in sorted(_atlas_names(), key=len, reverse=True))
    plain = canonical(text)
    return re.sub(rf"(?<!\ba )(?<!\ban )(?<!\bthe )(?<![\w'-])({names})(?![\w'-])", lambda match: noun(match[1]), plain)


@functools.cache
def _atlas_names() -> dict[str, int]:
    """Every name and synonym, in lower case, with its row."""
    return {
        name.lower(): row
        for row, concept in enumerate(load_atlas().concepts)
        for name in (concept.name, *concept.synonyms)
    }
