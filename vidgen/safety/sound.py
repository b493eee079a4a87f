# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""How an English word sounds, roughly: words that are spelt differently and said alike have one key.

Consonants are kept by sound, the first vowel by its sound, long or short, later ones only as "some vowel", since these
are hardly said. So "nood" is "nude" and "swaztika" is "swastika", while "wrap" is not "rape" nor "knocked" "naked", as
keys without vowels (Soundex, Metaphone) would have it.
"""

import functools
import re

_VOWELS = (
    (r"ee|ea|ie(?!$)", "I"), (r"oo|ew|ue(?!$)|ui(?!c)", "U"), (r"ai|ay|ei|ey(?!$)", "A"), (r"oa|ow", "O"),
    (r"e?y$|ie$", "Y"),
)  # fmt: skip
"""Long vowels are capitals."""
_CONSONANTS = (
    (r"^[kgp]n", "n"), (r"^wr", "r"), (r"^ps", "s"), (r"^wh", "w"), (r"ph", "f"),
    (r"igh(?=t|$)", "J"), (r"gh(?=t|$)", ""),
    (r"tch|t(?=ur[eaio])", "C"), (r"ch", "C"), (r"sh", "S"), (r"th", "T"), (r"dg(?=[eiy])", "j"),
    (r"s?c(?=[eiy])", "s"), (r"gg", "G"), (r"g(?=[eiy](?!$))", "j"), (r"G", "g"),
    (r"qu(?=[aeioI])", "kw"), (r"ck|[cq](?!h)|k", "k"), (r"x", "ks"), (r"z", "s"),
    (r"(.)\1+", r"\1"), (r"Cure$", "Cer"),
)  # fmt: skip
_RULES = tuple((re.compile(pattern), said) for pattern, said in (*_VOWELS, *_CONSONANTS))
_SILENT = re.compile(r"([aiou])([bdfgjklmnprstvCST])e$")
"""An "e" at the end makes the vowel before it long, and is not said."""
_LONG = {"a": "A", "i": "J", "o": "O", "u": "U"}
_END = re.compile(r"(?<=[^aeiouAIOUJ])e$")
_FIRST = re.compile(r"[aeiouyAIOUJY]+")
_LATER = re.compile(r"[aeiouy]+")
_SAID_ER = re.compile(r"er|re")


@functools.lru_cache(maxsize=4096)
def sound(word: str) -> str:
    """The key of a word of small Latin letters."""
    for pattern, said in _RULES:
        word = pattern.sub(said, word)
    word = _SILENT.sub(lambda match: _LONG[match[1]] + match[2], word)
    word = _END.sub("", word)
    match = _FIRST.search(word)
    if match is None:
        return word
    vowel = "U" if match[0][0] == "u" and len(match[0]) > 1 else match[0][0]
    return word[: match.start()] + vowel + _SAID_ER.sub("@r", _LATER.sub("@", word[match.end() :]))
