# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Words that a model was never told, shown to it as those that it was: "a kitten" as "a cat", by what they mean to a
sentence encoder trained on a billion pairs of texts (all-MiniLM-L6-v2), which is not in the package.
"""

import dataclasses
import functools
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import jax
import numpy as np

from vidgen.models.layers import apply
from vidgen.models.sentence import SentenceConfig, SentenceEncoder
from vidgen.sample.card import CardConcept, names_of
from vidgen.sample.public import read_json
from vidgen.worlds.reading import known_words
from vidgen.worlds.story_words import plural
from vidgen.worlds.words import noun

LEAST = 0.6
"""Cosine from which on words are taken to mean the same; experiments/one_model/synonyms.py measures it."""
LONGEST = 4
"""The most words in a row that are looked at as one name."""
_JOINS = frozenset(
    "a an the and or while with without is are was in on at to of from by for as over under across through into onto "
    "behind before after near next off up down left right away it its he his she her they their that which who then "
    "one two three four five six seven eight nine ten".split()
)
"""Words that no name of a thing begins with."""
_ROOM = 16
"""The most tokens of a name, and names of a batch: one shape, so that one program serves all."""

Encode = Callable[[Sequence[str]], np.ndarray]
"""encode(texts) -> float32 [N, D], each of length 1: the nearer in direction, the nearer in meaning."""


@dataclasses.dataclass(frozen=True)
class Reworded:
    """A prompt in words that a model knows. changes: (words of the prompt, the concept that they became, cosine)."""

    text: str
    changes: tuple[tuple[str, str, float], ...] = ()


@dataclasses.dataclass(frozen=True, eq=False)
class SentenceModel:
    """A sentence encoder with its parameters and its tokenizer, as an `Encode` of short texts."""

    config: SentenceConfig
    params: Any
    tokenizer: Any

    def __call__(self, texts: Sequence[str]) -> np.ndarray:
        """float32 [len(texts), D] of length 1; texts are cut at 16 tokens."""
        length = min(_ROOM, self.config.positions)
        ids_NS = np.zeros((-(-len(texts) // _ROOM) * _ROOM, length), np.int32)
        for row_S, text in zip(ids_NS, texts, strict=False):
            ids = self.tokenizer.encode(text).ids
            ids = [*ids[: length - 1], ids[-1]] if len(ids) > length else ids  # the last one says that it ends
            row_S[: len(ids)] = ids
        ids_NS[len(texts) :, 0] = 1  # so that no mean is of nothing
        parts = [_encode(self.config, self.params, ids_NS[at : at + _ROOM]) for at in range(0, len(ids_NS), _ROOM)]
        return np.concatenate([np.asarray(part) for part in parts])[: len(texts)]


@functools.partial(jax.jit, static_argnums=0)
def _encode(config: SentenceConfig, params: Any, ids_BS: Any) -> Any:
    return apply(SentenceEncoder(config), params, ids_BS)


def load_sentences(folder: str | Path) -> SentenceModel:
    """Reads a folder of BERT's kind as sentence-transformers keeps it: config.json, model.safetensors, tokenizer.json.

    Raises:
        FileNotFoundError: a file is missing.
        ValueError: the folder holds another kind of network, or is damaged.
        ModuleNotFoundError: the package tokenizers is not there.
    """
    from vidgen.weights import keymap
    from vidgen.weights.files import Weights
    from vidgen.weights.public import bert
    from vidgen.weights.shapes import init_shapes

    folder = Path(folder)
    said = read_json(folder / "config.json")
    if said.get("model_type") != "bert" or said.get("hidden_act", "gelu") != "gelu":
        raise ValueError(f"{folder} holds a {said.get('model_type')!r}: give a sentence encoder of BERT's kind")
    config = SentenceConfig(
        vocabulary=said["vocab_size"],
        width=said["hidden_size"],
        layers=said["num_hidden_layers"],
        heads=said["num_attention_heads"],
        hidden=said["intermediate_size"],
        positions=said["max_position_embeddings"],
        eps=said["layer_norm_eps"],
    )
    like = init_shapes(SentenceEncoder(config), jax.ShapeDtypeStruct((1, 4), np.int32))
    weights = Weights(folder / "model.safetensors").under(bert.PREFIXES)
    return SentenceModel(config, keymap.load(weights, bert.encoder(), like), _tokenizer(folder / "tokenizer.json"))


def _tokenizer(path: Path) -> Any:
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing: the sentence encoder's tokenizer belongs there")
    try:
        from tokenizers import Tokenizer
    except ModuleNotFoundError:
        raise ModuleNotFoundError('reading words takes the package tokenizers: pip install "vidgen[meaning]"') from None
    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:
        raise ValueError(f"{path} is no tokenizer that can be read: {error}") from error
    tokenizer.no_padding()
    return tokenizer


def reword(prompt: str, concepts: Sequence[CardConcept], encode: Encode, least: float = LEAST) -> Reworded:
    """A prompt in which names that the model does not know are those of the concepts that mean the same.

    What is looked at are up to four words in a row with an unknown one at their end, where a thing may be named: not
    behind the name of a thing, where a verb stands. What ends as a plural becomes one, and articles fit.

    Args:
        concepts: what the model knows.
        least: cosine below which a word stays.
    """
    if not concepts:
        return Reworded(prompt)
    names, known_ND = _known(tuple(concepts), encode)
    text, changes, at = "", [], 0
    for phrases in _unknown(prompt, concepts):
        cosine_PN = encode([_asked(prompt[slice(*phrase)]) for phrase in phrases]) @ known_ND.T
        fits_P = cosine_PN.max(axis=1) >= least
        if not fits_P.any():
            continue
        # The more words, the more is meant; of those that mean the same thing, the words that mean it best.
        longest = max(np.flatnonzero(fits_P), key=lambda row: len(prompt[slice(*phrases[row])].split()))
        thing = names[cosine_PN[longest].argmax()]
        alike_N = np.array([name == thing for name in names])
        row, column = np.unravel_index(np.where(alike_N, cosine_PN, -1).argmax(), cosine_PN.shape)
        begin, end = phrases[row]
        article = re.search(r"\b(an?) $", prompt[at:begin], re.IGNORECASE)
        name, several = names[column], not article and re.search(r"[^su]s$", prompt[begin:end])
        fitted = noun(name) if article else plural(name) if several else name
        before = prompt[at : begin - len(article[0])] if article else prompt[at:begin]
        text += before + (fitted.capitalize() if article and article[1][0].isupper() else fitted)
        changes.append((prompt[begin:end], name, float(cosine_PN[row, column])))
        at = end
    return Reworded(text + prompt[at:], tuple(changes))


def _asked(name: str) -> str:
    return f"a {name}"  # as prompts say it; alone, "a coach" is as much a trainer


@functools.lru_cache(maxsize=4)
def _known(concepts: tuple[CardConcept, ...], encode: Encode) -> tuple[list[str], np.ndarray]:
    """Concepts, each by every word for it in both numbers, and what these mean."""
    said = [(concept.name, word) for concept in concepts for word in (concept.name, *concept.synonyms)]
    said += [(name, plural(word)) for name, word in said]
    return [name for name, _ in said], encode([_asked(word) for _, word in said])


def _unknown(prompt: str, concepts: Sequence[CardConcept]) -> Iterator[list[tuple[int, int]]]:
    """For each row of words that may name an unknown thing, the places in the prompt of what may be its name: some of
    the row's words, with one that is unknown at their end.
    """
    for row in _rows(prompt, concepts):
        ends = [i for i, (_, strange) in enumerate(row) if strange]
        if ends:
            yield [(row[i][0][0], row[j][0][1]) for j in ends for i in range(max(0, j - LONGEST + 1), j + 1)]


def _rows(prompt: str, concepts: Sequence[CardConcept]) -> Iterator[list[tuple[tuple[int, int], bool]]]:
    """Words that follow each other with nothing between, each with its place and whether it is unknown: no joining
    words, no names that are known, nor what stands before these, as in "emperor penguin", or behind, where verbs are.
    """
    lower = prompt.lower()
    taken = [match.span() for match in names_of(concepts).finditer(lower)]
    row: list[tuple[tuple[int, int], bool]] = []
    verb, end = False, 0  # whether the name of a thing stands before, and where the word before ends
    for match in re.finditer(r"[\w'-]+", lower):
        is_name = any(low <= match.start() < high for low, high in taken)
        apart = bool(prompt[end : match.start()].strip())
        names_nothing = match[0] in _JOINS or match[0].isdigit()
        if row and (is_name or apart or names_nothing):
            if apart or not is_name:
                yield row
            row = []
        verb, end = is_name or (verb and not apart and not names_nothing), match.end()
        if not verb and not names_nothing:
            row.append((match.span(), match[0] not in known_words()))
    if row:
        yield row
