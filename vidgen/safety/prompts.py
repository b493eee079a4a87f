# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Which prompts are refused: terms by category, sought in every reading of a text; a place for learned classifiers.

Terms match whole words alone, so that a harmless word around one is none ("Scunthorpe"). Guesses that could hit
harmless words (neighbours joined, letters swapped, words reversed, words that sound alike) leave common words alone.
"""

import dataclasses
import functools
import re
from collections.abc import Iterable, Mapping, Sequence
from importlib import resources
from typing import Protocol

from vidgen.safety import text as reading
from vidgen.safety.sound import sound

_REVERSIBLE = 5
"""Letters from which on a word is read backwards too; shorter ones hit other words."""
_SHUFFLED = 4
"""Letters from which on inner letters may be swapped."""
_MISSPELT = 7
"""Letters from which on one of them may be wrong, missing or too many, though not the first."""
_PIECES = 3
"""Words that a term may be torn into."""
_EVIDENT = 3
"""Letters that a masked word must show."""
_SPOKEN = 4
"""Letters from which on a term may be spelt as it sounds."""
_LONGEST = 24
"""Letters up to which it is asked how a word sounds."""
_GLUED = 6
"""Letters from which on a word may be a term with a common word before or after it."""
_UNSPACED = re.compile("[\u3040-\u30ff\u3400-\u9fff\u0e00-\u0e7f]")
"""Kana, Han and Thai."""


class TextClassifier(Protocol):
    """A learned judge of texts. `name` says which; a call gives each of its labels a score from 0 to 1 a text."""

    @property
    def name(self) -> str:
        """How it is told in verdicts."""
        ...

    def __call__(self, texts: Sequence[str]) -> Mapping[str, Sequence[float]]:
        """{label: a score for each text}."""
        ...


@dataclasses.dataclass(frozen=True)
class Finding:
    """Why a text is refused: the category, the term of the policy, and how it was read ("as written", ...)."""

    category: str
    term: str
    reading: str

    def __str__(self) -> str:
        how = "" if self.reading == "as written" else f", {self.reading}"
        return f"{self.category} ({self.term!r}{how})"


@dataclasses.dataclass(frozen=True)
class Verdict:
    """All that was found in a text, each category once."""

    findings: tuple[Finding, ...] = ()

    @property
    def allowed(self) -> bool:
        """Whether nothing was found."""
        return not self.findings


@dataclasses.dataclass(frozen=True)
class Category:
    """What is refused under one name.

    Attributes:
        terms: words or phrases; a last "*" takes any ending. Plurals are taken as well.
        together: sets of lists; a text with a word of each list of a set is refused.
        allow: words and phrases that are never part of a match.
    """

    name: str
    terms: tuple[str, ...]
    together: tuple[tuple[tuple[str, ...], ...], ...] = ()
    allow: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class PromptPolicy:
    """Categories of what is refused; innocent: words that guesses leave alone, beside the common ones."""

    categories: tuple[Category, ...]
    innocent: frozenset[str] = frozenset()

    def check(
        self,
        text: str,
        classifiers: Sequence[TextClassifier] = (),
        thresholds: Mapping[str, float] | None = None,
        normalise: bool = True,
    ) -> Verdict:
        """Judges a text.

        Args:
            text: of any length and script.
            classifiers: asked about the text too; a label counts from its threshold on.
            thresholds: by label; 0.5 where a label is not named.
            normalise: look behind disguises. Without it only small letters are compared, for comparison.
        """
        if normalise:
            read = list(reading.readings(text))
            masked = reading.masked_words(text)
        else:
            read, masked = [("as written", re.findall(r"[^\W_]+", text.lower()))], []
        found = [finding for one in self._compiled if (finding := one.find(read, masked, normalise))]
        for classifier in classifiers:
            for label, scores in classifier([text]).items():
                if scores[0] >= (thresholds or {}).get(label, 0.5):
                    found.append(Finding(label, f"score {scores[0]:.2f}", classifier.name))
        return Verdict(tuple(found))

    @functools.cached_property
    def _compiled(self) -> "tuple[_Matcher, ...]":
        innocent = common_words() | self.innocent
        return tuple(_Matcher(category, innocent) for category in self.categories)


@functools.cache
def common_words() -> frozenset[str]:
    """Frequent English words; what is made of them by joining, reversing or swapping is no disguise."""
    return frozenset((resources.files("vidgen.safety") / "common_words.txt").read_text(encoding="utf-8").split())


class _Matcher:
    """A category, prepared for search."""

    def __init__(self, category: Category, innocent: frozenset[str]) -> None:
        self.name = category.name
        self.innocent = innocent
        self.allow = [tuple(reading.words(reading.skeleton(one))) for one in category.allow]
        self.whole: dict[tuple[str, ...], str] = {}
        self.prefixes: dict[tuple[str, ...], str] = {}
        for term in category.terms:
            self._add(term)
        self.longest = max((len(key) for key in (*self.whole, *self.prefixes)), default=0)
        self.together = [
            (" + ".join(words[0] for words in groups), [_plurals(words) for words in groups])
            for groups in category.together
        ]
        # One word each, for guesses; a phrase without its spaces is a word too.
        self.single = {"".join(key): term for key, term in (*self.whole.items(), *self.prefixes.items())}
        self.patterns = [(_stretched(word), term) for word, term in self.single.items() if len(word) > 2]
        self.shuffled = {
            (word[0], "".join(sorted(word[1:-1])), word[-1]): term
            for word, term in self.single.items()
            if len(word) >= _SHUFFLED and word.isascii()
        }
        self.long = [(word, term) for word, term in self.single.items() if len(word) >= _MISSPELT and word.isascii()]
        self.sounds = {
            sound(word): term
            for word, term in self.single.items()
            if word.isascii() and word.isalpha() and len(term.rstrip("*")) >= _SPOKEN
        }
        # Scripts that put no spaces between words.
        self.unspaced = [(word, term) for word, term in self.single.items() if _UNSPACED.search(word)]

    def _add(self, term: str) -> None:
        key = tuple(reading.words(reading.skeleton(term)))
        if not key:
            raise ValueError(f"the term {term!r} of the category {self.name!r} has no letters: take it out")
        if term.endswith("*"):
            self.prefixes[key] = term
        else:
            self.whole |= {(*key[:-1], last): term for last in _plurals([key[-1]])}

    def find(self, read: list[tuple[str, list[str]]], masked: list[str], guess: bool) -> Finding | None:
        """The first match, or None."""
        for how, words in read:
            kept = self._without_allowed(words)
            if term := self._exact(kept):
                return Finding(self.name, term, how)
            for title, groups in self.together:
                if all(any(word in group for word in kept) for group in groups):
                    return Finding(self.name, title, how)
        if guess:
            for how, words in read:
                kept = self._without_allowed(words)
                for name, way in (
                    ("letters repeated", self._repeated), ("parts joined", self._joined), ("backwards", self._reversed),
                    ("letters swapped", self._swapped), ("words glued", self._glued), ("misspelt", self._misspelt),
                    ("spelt by sound", self._spoken),
                ):  # fmt: skip
                    if term := way(kept):
                        return Finding(self.name, term, name if how == "as written" else f"{how}, {name}")
        for word in masked if guess else ():
            if term := self._masked(word):
                return Finding(self.name, term, "letters masked")
        return None

    def _without_allowed(self, words: Sequence[str]) -> list[str]:
        """The words with those of allowed phrases as "", which matches nothing."""
        kept = list(words)
        for phrase in self.allow:
            for start in range(len(kept) - len(phrase) + 1):
                if tuple(kept[start : start + len(phrase)]) == phrase:
                    kept[start : start + len(phrase)] = [""] * len(phrase)
        return kept

    def _exact(self, words: Sequence[str]) -> str | None:
        for start in range(len(words)):
            for end in range(start + 1, min(start + self.longest, len(words)) + 1):
                key = tuple(words[start:end])
                if term := self.whole.get(key):
                    return term
                for prefix, term in self.prefixes.items():
                    if len(prefix) == len(key) and key[:-1] == prefix[:-1] and key[-1].startswith(prefix[-1]):
                        return term
            if term := self.single.get(words[start]):
                return term
            for piece, term in self.unspaced:
                if piece in words[start]:
                    return term
        return None

    def _repeated(self, words: Iterable[str]) -> str | None:
        for word in words:
            if len(word) > 3 and reading.squeezed(word) != word and word not in self.innocent:
                for pattern, term in self.patterns:
                    if pattern.fullmatch(word):
                        return term
        return None

    def _joined(self, words: Sequence[str]) -> str | None:
        for start in range(len(words)):
            for count in range(2, _PIECES + 1):
                pieces = words[start : start + count]
                strange = [piece for piece in pieces if piece not in self.innocent]
                if len(pieces) == count and strange and (term := self.single.get("".join(pieces))):
                    return term
        return None

    def _reversed(self, words: Iterable[str]) -> str | None:
        found = (
            self.single.get(word[::-1]) for word in words if len(word) >= _REVERSIBLE and word not in self.innocent
        )
        return next((term for term in found if term), None)

    def _swapped(self, words: Iterable[str]) -> str | None:
        for word in words:
            if len(word) >= _SHUFFLED and word not in self.innocent:
                key = (word[0], "".join(sorted(word[1:-1])), word[-1])
                if (term := self.shuffled.get(key)) and word not in self.single:
                    return term
        return None

    def _glued(self, words: Iterable[str]) -> str | None:
        for word in words:
            if len(word) < _GLUED or word in self.innocent:
                continue
            for cut in range(2, len(word) - 1):
                left, right = word[:cut], word[cut:]
                for beside, part in ((left, right), (right, left)):
                    if beside in self.innocent and len(part) > _EVIDENT and (term := self._exact([part])):
                        return term
        return None

    def _misspelt(self, words: Iterable[str]) -> str | None:
        for word in words:
            if len(word) < _MISSPELT - 1 or word in self.innocent:
                continue
            for term_word, term in self.long:
                stem = word[: len(term_word) + 1] if term.endswith("*") else word
                ends = {stem, stem[:-1], stem[:-2]} if term.endswith("*") else {stem}
                if any(_one_off(end, term_word) for end in ends):
                    return term
        return None

    def _spoken(self, words: Iterable[str]) -> str | None:
        for word in words:
            asked = _SPOKEN <= len(word) <= _LONGEST and word.isascii() and word not in self.innocent
            if asked and (term := self.sounds.get(sound(word))):
                return term
        return None

    def _masked(self, word: str) -> str | None:
        if len(word.replace("*", "")) < _EVIDENT:
            return None
        pattern = re.compile(re.escape(word).replace(r"\*", "[^*]"))
        return next((term for single, term in self.single.items() if pattern.fullmatch(single)), None)


def _plurals(words: Iterable[str]) -> frozenset[str]:
    """The words of a list and their plurals; scripts without plurals by "s" are left as they are."""
    folded = [word for one in words for word in reading.words(reading.skeleton(one))]
    return frozenset(
        form for word in folded for form in ((word, f"{word}s", f"{word}es") if word.isascii() else (word,))
    )


def _one_off(word: str, term: str) -> bool:
    """Whether a word with the same first letter becomes the term by one letter changed, added or left out."""
    if word[:1] != term[:1] or abs(len(word) - len(term)) > 1:
        return False
    same = next((at for at, (a, b) in enumerate(zip(word, term, strict=False)) if a != b), min(len(word), len(term)))
    if len(word) == len(term):
        return word[same + 1 :] == term[same + 1 :]
    longer, shorter = (word, term) if len(word) > len(term) else (term, word)
    return longer[same + 1 :] == shorter[same:]


def _stretched(word: str) -> re.Pattern[str]:
    """Matches a word with any of its letters said more often."""
    runs = [match.group() for match in re.finditer(r"(.)\1*", word)]
    return re.compile("".join(f"{re.escape(run[0])}{{{len(run)},}}" for run in runs))
