# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Text to token ids and back: a SentencePiece unigram model with byte fallback.

`encode` and `decode` are exact inverses on every string that UTF-8 can write. Three details make that true:
no normalisation in the model, one space put before every text (so that a word at the start is the same piece as
inside a sentence) and taken away again, and the character U+2581, which SentencePiece itself uses to write a space,
spelt as its three bytes.
"""

import functools
import html
import io
import re
import unicodedata
from collections.abc import Iterable, Sequence
from importlib import resources
from pathlib import Path
from typing import Protocol

import ftfy
import numpy as np
import sentencepiece

VOCAB_SIZE = 2048
PAD_ID = 0
_UNKNOWN_ID = 1  # never produced: byte fallback spells what the vocabulary lacks
_SPACE_MARK = "\u2581"


def canonical(text: str) -> str:
    """The form in which a model reads a text: NFKC, lower case, single spaces, no full stop at the end.

    So that "A dog." and "a  dog" are the same prompt. `Tokenizer.batch` applies it; `Tokenizer.encode` does not.
    """
    words = unicodedata.normalize("NFKC", text).lower().split()
    return " ".join(words).rstrip(". ")


class Tokenizer:
    """A trained SentencePiece model.

    Raises ValueError when `model_bytes` is no such model, or one without a padding id of 0 and byte fallback.
    """

    pad_id = PAD_ID

    def __init__(self, model_bytes: bytes) -> None:
        self._processor = sentencepiece.SentencePieceProcessor()
        try:
            self._processor.LoadFromSerializedProto(model_bytes)
        except RuntimeError as error:
            raise ValueError(f"these {len(model_bytes)} bytes are not a SentencePiece model: {error}") from error
        if self._processor.pad_id() != PAD_ID or not self._processor.IsByte(self._processor.PieceToId("<0x00>")):
            raise ValueError("the SentencePiece model must have padding id 0 and byte fallback; rebuild it")
        self._mark_ids = [self._processor.PieceToId(f"<0x{byte:02X}>") for byte in _SPACE_MARK.encode()]

    @property
    def vocab_size(self) -> int:
        """Number of ids, padding and bytes included."""
        return self._processor.GetPieceSize()

    def piece(self, token: int) -> str:
        """The vocabulary entry of one id, with U+2581 for a space."""
        return self._processor.IdToPiece(int(token))

    def encode(self, text: str) -> list[int]:
        """The ids of a text, without padding. Raises ValueError for text that UTF-8 cannot write (lone surrogates)."""
        if not text:
            return []
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise ValueError(f"the text {text!r} has a lone surrogate; pass valid Unicode") from error
        first, *rest = (" " + text).split(_SPACE_MARK)
        ids = list(self._processor.EncodeAsIds(first))
        for part in rest:
            ids += self._mark_ids
            ids += self._processor.EncodeAsIds(part)
        return ids

    def decode(self, ids: Iterable[int]) -> str:
        """The text of some ids; padding is left out."""
        text = self._processor.DecodeIds([int(i) for i in ids if int(i) != PAD_ID])
        return text.removeprefix(" ")

    def batch(self, texts: Sequence[str], length: int) -> np.ndarray:
        """int32 [len(texts), length]: each text in `canonical` form, cut at `length` ids or padded with `pad_id`.

        An empty text is a row of padding.
        """
        if length < 1:
            raise ValueError(f"length={length} was given; a row of tokens has a length of at least 1")
        rows_BS = np.full((len(texts), length), PAD_ID, np.int32)
        for row_S, text in zip(rows_BS, texts, strict=True):
            ids = self.encode(canonical(text))[:length]
            row_S[: len(ids)] = ids
        return rows_BS


class AnyTokenizer(Protocol):
    """What turns captions into ids, of which `pad_id` fills up rows."""

    pad_id: int

    def batch(self, texts: Sequence[str], length: int) -> np.ndarray:
        """int32 [len(texts), length]."""
        ...


class PublicTokenizer:
    """The SentencePiece model of a public text encoder of the T5 family (a file spiece.model), with its ending.

    Texts are cleaned as Wan's are: broken Unicode is mended, HTML's entities are undone, spaces are made single.
    Raises FileNotFoundError or ValueError when there is no such model.
    """

    pad_id = PAD_ID

    def __init__(self, path: str | Path) -> None:
        if not Path(path).is_file():
            raise FileNotFoundError(f"{path} is missing: the tokenizer's SentencePiece model belongs there")
        self._processor = sentencepiece.SentencePieceProcessor()
        try:
            self._processor.Load(str(path))
        except RuntimeError as error:
            raise ValueError(f"{path} is not a SentencePiece model: {error}") from error

    def batch(self, texts: Sequence[str], length: int) -> np.ndarray:
        """int32 [len(texts), length]: each text cut so that its ending fits, or padded with `pad_id`."""
        rows_BS = np.full((len(texts), length), PAD_ID, np.int32)
        for row_S, text in zip(rows_BS, texts, strict=True):
            ids = [*self._processor.EncodeAsIds(clean(text))[: length - 1], self._processor.eos_id()]
            row_S[: len(ids)] = ids
        return rows_BS


def clean(text: str) -> str:
    """See `PublicTokenizer`."""
    text = html.unescape(html.unescape(ftfy.fix_text(text)))
    return re.sub(r"\s+", " ", text).strip()


@functools.cache
def load_tokenizer() -> Tokenizer:
    """The tokenizer that ships with the package: 2,048 entries, trained on the captions of the worlds."""
    return Tokenizer(resources.files("vidgen").joinpath("assets/tokenizer.model").read_bytes())


def train_tokenizer(texts: Iterable[str], vocab_size: int = VOCAB_SIZE) -> bytes:
    """Trains a model on texts, one a line, and returns its bytes; the same texts give the same bytes.

    Raises ValueError when the texts are too few or too alike for `vocab_size` entries.
    """
    lines = list(texts)
    # SentencePiece looks for pieces in the list of different words, and takes what it finds there twice: so a word that
    # is no part of another one would be cut up, however common it is. With a comma it is another word.
    words = dict.fromkeys(word for line in lines for word in line.split())
    lines += [f"{word}," for word in words]
    model = io.BytesIO()
    try:
        sentencepiece.SentencePieceTrainer.Train(
            sentence_iterator=(" " + line for line in lines),
            model_writer=model,
            model_type="unigram",
            vocab_size=vocab_size,
            byte_fallback=True,
            normalization_rule_name="identity",
            add_dummy_prefix=False,
            remove_extra_whitespaces=False,
            pad_id=PAD_ID,
            unk_id=_UNKNOWN_ID,
            bos_id=-1,
            eos_id=-1,
            character_coverage=1.0,
            num_threads=1,
            minloglevel=1,
        )
    except RuntimeError as error:
        raise ValueError(f"the texts do not fill a vocabulary of {vocab_size}: {error}") from error
    return model.getvalue()
