# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Classes as prompts: their numbers, or the names that a model's folder gives them."""

import difflib
import re
from collections.abc import Mapping, Sequence

import numpy as np

NO_CLASS = 0


class LabelTokenizer:
    """The class of a prompt, as one id: 1 for class 0 and so on, 0 for none.

    A prompt is a class's number, or one of its names; the names of a class are parted by commas.
    """

    pad_id = NO_CLASS

    def __init__(self, classes: int, names: Mapping[int, str] | None = None, within: bool = False) -> None:
        """classes: how many there are; names: of each, where they are known; within: whether a text may be a sentence,
        as captions are: its class is the longest name in it, and it has none where there is no name.
        """
        self.classes, self.within = classes, within
        self._ids = {
            one.strip().lower(): number + 1 for number, text in (names or {}).items() for one in text.split(",")
        }

    def batch(self, texts: Sequence[str], length: int) -> np.ndarray:
        """int32 [len(texts), length]: the class of each, and nothing behind it; an empty text is no class.

        Raises:
            ValueError: a text is no class.
        """
        ids_BS = np.full((len(texts), length), NO_CLASS, np.int32)
        ids_BS[:, 0] = [self.find(text) for text in texts]
        return ids_BS

    def find(self, text: str) -> int:
        """The id of one prompt. Raises ValueError where it is no class, with what is near."""
        text = " ".join(text.lower().split())
        if not text:
            return NO_CLASS
        if text.isascii() and text.isdigit():
            if int(text) >= self.classes:
                raise ValueError(f"class {text} was given; the model has classes 0 to {self.classes - 1}")
            return int(text) + 1
        if text not in self._ids and self.within:
            named = [name for name in self._ids if re.search(rf"\b{re.escape(name)}\b", text)]
            return self._ids[max(named, key=len)] if named else NO_CLASS
        if text not in self._ids:
            near = difflib.get_close_matches(text, self._ids, n=3, cutoff=0.5)
            hint = f"; near are {', '.join(near)}" if near else ""
            known = "a name of one" if self._ids else "the folder names none"
            raise ValueError(f"{text!r} is no class: give a number from 0 to {self.classes - 1}, or {known}{hint}")
        return self._ids[text]
