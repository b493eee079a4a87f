# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""What a disguised text says: letters that look alike become one, and other readings of the same characters are listed.

Disguises change how a word is written and not how it is read: other alphabets, invisible characters, digits for
letters, gaps inside a word, letters said twice. Each reading undoes one kind; a policy looks into all of them. Rules
for letters follow Unicode's normal forms and character names (UAX 15, UTS 39).
"""

import functools
import html
import re
import unicodedata
from collections.abc import Iterator

_LOOKALIKES = {
    # Cyrillic, Greek, Armenian, Cherokee and signs whose shape, not whose sound, is that of a Latin letter.
    "a": "аαλ∂ªᎪ", "b": "ЬвьƅВβᏴ฿", "c": "сϲⅽ¢©ᏟСς", "d": "ԁժᎠԀđ", "e": "еєҽεξ℮ℯ∊ᎬЕ€ēё", "f": "ғƒϝ", "g": "ԍɡցᏀƃ",
    "h": "һնհʜᎻНн", "i": "іι¡ӏɩᎥІ", "j": "јϳյᎫ", "k": "кκᏦКҝ", "l": "ⅼՍ׀ᏞӀ", "m": "мᎷМϻ", "n": "ոпηήŋИ", "o": "оοσօөΘ",
    "p": "рρϱᏢРþ", "q": "ԛգզ", "r": "гяʀᎡᏒГ®", "s": "ѕᏚЅ§", "t": "тτᎢТ†", "u": "υսцμᑌ", "v": "ѵνᏙѴ", "w": "ԝшщωᎳ",
    "x": "хχ×Х", "y": "уγүУЎў", "z": "ᴢᏃ",
}  # fmt: skip
_NAMED = re.compile(
    r"\bLETTER (?:(?:SMALL|CAPITAL|TURNED|REVERSED|OPEN|CLOSED|SCRIPT|DOTLESS|INSULAR|SIDEWAYS|BARRED) )*([A-Z])"
    r"(?: WITH .*)?$"
)
_BLANK = "\u00a0\u115f\u1160\u2800\u3164\uffa0"
"""Characters that show nothing, and are letters or signs to Unicode."""
_FIXED = str.maketrans({letter: latin for latin, letters in _LOOKALIKES.items() for letter in letters.casefold()})
_UNFLIPPED = str.maketrans("ɐqɔpǝɟƃɥᴉɾʞɯudbɹnʌʍʎm69", "abcdefghijkmnpqruvwyw96")
"""What letters are that stand on their heads; others are the same both ways."""
_DIGITS = {"0": "o", "3": "e", "4": "a", "5": "s", "6": "g", "7": "t", "8": "b", "9": "g", "@": "a", "$": "s", "+": "t"}
_LEET_I = str.maketrans({**_DIGITS, "1": "i", "!": "i", "|": "i"})
_LEET_L = str.maketrans({**_DIGITS, "1": "l", "!": "l", "|": "l"})
_LEET = re.compile(r"[0-9@$+!|]")
_WORD = re.compile(r"[^\W_]+")
_MASKED = re.compile(r"[^\W_]+(?:[*#?%•·.]+[^\W_]+)+")


@functools.lru_cache(maxsize=4096)
def _fold(character: str) -> str:
    """A character as a small Latin letter, if it looks like one; nothing, if it shows nothing."""
    if character.isascii():
        return character
    if character in _BLANK or character.isspace():
        return " "
    if unicodedata.category(character) in ("Cf", "Mn", "Me", "Cc", "Co", "Cn"):
        return ""
    fixed = character.translate(_FIXED)
    if fixed != character:
        return fixed
    name = unicodedata.name(character, "")
    match = _NAMED.search(name)
    return match[1].lower() if match and ("LATIN" in name or "REGIONAL INDICATOR" in name) else character


def skeleton(text: str) -> str:
    """A text in small letters, without accents, invisible characters and entities, look-alikes as Latin letters."""
    text = html.unescape(html.unescape(text))
    text = unicodedata.normalize("NFKC", text).casefold()
    text = "".join(_fold(character) for character in unicodedata.normalize("NFD", text))
    return unicodedata.normalize("NFKC", text).casefold()


def words(text: str) -> list[str]:
    """The words of a skeleton; an apostrophe does not divide one."""
    return _WORD.findall(re.sub(r"(?<=\w)['’](?=\w)", "", text))


def squeezed(word: str) -> str:
    """A word with each letter that stands several times in a row written once."""
    return re.sub(r"(.)\1+", r"\1", word)


def readings(text: str) -> Iterator[tuple[str, list[str]]]:
    """(how it is read, the words), the first as it stands. The words of a reading are in the text's order."""
    plain = skeleton(text)
    seen: set[tuple[str, ...]] = set()
    for how, words_read in _readings(text, plain):
        key = tuple(words_read)
        if key not in seen:
            seen.add(key)
            yield how, words_read


def _readings(text: str, plain: str) -> Iterator[tuple[str, list[str]]]:
    written = words(plain)
    yield "as written", written
    for loose in (0, 1, 2):
        yield "letters apart", letters_joined(written, loose)
    yield "parts joined", ["".join(words(chunk)) for chunk in plain.split()]
    if any("TURNED" in unicodedata.name(character, "") for character in text):
        yield "upside down", words(skeleton(text.casefold().translate(_UNFLIPPED)[::-1]))
    if _LEET.search(plain):
        for table in (_LEET_I, _LEET_L):
            chunks = [_unleet(chunk, table) for chunk in plain.split()]
            read = words(" ".join(chunks))
            yield "digits as letters", read
            for loose in (0, 1, 2):
                yield "digits as letters, apart", letters_joined(read, loose)
            yield "digits as letters, joined", ["".join(words(chunk)) for chunk in chunks]


def _unleet(chunk: str, table: dict) -> str:
    """A chunk between spaces with signs read as letters, unless it is a plain number or has none."""
    core = chunk.strip(".,;:!?\"'()")  # what ends a sentence is no letter
    has_letter = any(character.isalpha() for character in core)
    lone = len(core) == 1 and core in _DIGITS
    return (
        core.translate(table) if has_letter or lone or re.fullmatch(r"[0-9@$+!|]*[@$+!|][0-9@$+!|]*", core) else chunk
    )


def letters_joined(read: list[str], loose: int = 0) -> list[str]:
    """Runs of three or more single letters become one word: "d a g g e r".

    loose: 1 leaves out the first letter of a run, 2 the last: they may be words of their own, as in "a d a g g e r".
    """
    joined: list[str] = []
    run: list[str] = []
    for word in [*read, ""]:
        if len(word) == 1:
            run.append(word)
            continue
        inner = run[loose == 1 : len(run) - (loose == 2)]
        joined += ["".join(inner)] if len(inner) > 2 else run
        run = []
        joined += [word] if word else []
    return joined


def masked_words(text: str) -> list[str]:
    """Words in which signs stand for letters, as "n*ked", each sign as one "*"."""
    found = _MASKED.findall(skeleton(text))
    return [re.sub(r"[#?%•·.]", "*", word) for word in found]
