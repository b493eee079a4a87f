# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The tokenizer loses nothing, whatever it is given."""

import re

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from vidgen.data import build_tokenizer
from vidgen.data.tokenizer import Tokenizer, canonical, load_tokenizer, train_tokenizer
from vidgen.worlds.captions import caption
from vidgen.worlds.scene import SceneConfig, draw_scene
from vidgen.worlds.sprites import load_atlas

any_text = st.text(st.characters(exclude_categories=("Cs",)), max_size=40)
tricky_text = st.text(st.sampled_from("\u2581 \t\n\r\0aA<>0x41/s\ufffd\ufeff\u200d\u0301é👩🚀"), max_size=20)


@settings(max_examples=300, deadline=None)
@given(any_text | tricky_text)
@example(" leading and trailing ")
@example("  two  spaces   and more ")
@example("\u2581")
@example(" \u2581 \u2581\u2581")
@example("<pad></s><unk><0x41> \u2047")
@example("👩\u200d🚀 \ufffd \ufeff \0 end")
def test_decode_is_the_inverse_of_encode(text):
    tokenizer = load_tokenizer()
    ids = tokenizer.encode(text)
    assert tokenizer.decode(ids) == text
    assert all(0 < token < tokenizer.vocab_size for token in ids)


@settings(max_examples=50, deadline=None)
@given(st.lists(any_text, max_size=4), st.integers(1, 12))
def test_batch_rows_are_the_canonical_text_cut_or_padded(texts, length):
    tokenizer = load_tokenizer()
    rows = tokenizer.batch(texts, length)
    assert rows.shape == (len(texts), length)
    assert rows.dtype == np.int32
    for row, text in zip(rows, texts, strict=True):
        ids = tokenizer.encode(canonical(text))
        kept = min(length, len(ids))
        assert row[:kept].tolist() == ids[:kept]
        assert (row[kept:] == tokenizer.pad_id).all()


def test_padding_is_not_text():
    tokenizer = load_tokenizer()
    assert tokenizer.decode(tokenizer.batch(["a dog"], 32)[0]) == "a dog"
    assert tokenizer.decode([]) == ""


def test_a_word_is_the_same_piece_wherever_it_stands():
    tokenizer = load_tokenizer()
    assert tokenizer.encode("dog") == tokenizer.encode("a dog")[-1:]


@pytest.mark.parametrize("prompt", ["A  Dog.", " a dog\n", "a dog", "ａ dog ."])
def test_prompts_that_mean_the_same_read_the_same(prompt):
    assert canonical(prompt) == "a dog"


def test_lone_surrogates_are_refused():
    with pytest.raises(ValueError, match="surrogate"):
        load_tokenizer().encode("a \ud800 dog")


def test_bytes_that_are_no_model_are_refused():
    with pytest.raises(ValueError, match="not a SentencePiece model"):
        Tokenizer(b"no model")


def test_training_is_deterministic_and_says_when_it_cannot():
    words = ["red", "green", "blue", "small", "large", "round", "square", "fast", "slow"]
    texts = [f"a {a} {b} {c} thing" for a in words for b in words for c in words]
    first = train_tokenizer(iter(texts), vocab_size=280)
    assert first == train_tokenizer(iter(texts), vocab_size=280)
    tokenizer = Tokenizer(first)
    assert tokenizer.vocab_size == 280
    assert tokenizer.decode(tokenizer.encode("  a  violet\tthing ")) == "  a  violet\tthing "
    with pytest.raises(ValueError, match="vocabulary of 2048"):
        train_tokenizer(iter(texts))


def test_the_shipped_vocabulary_knows_the_words_of_the_worlds():
    tokenizer = load_tokenizer()
    assert tokenizer.vocab_size == 2048
    names = [name for concept in load_atlas().concepts for name in (concept.name, *concept.synonyms)]
    scenes = [draw_scene(SceneConfig(), 10**9 + i) for i in range(100)]
    texts = [*names, *(caption(scene, k) for scene in scenes for k in range(2))]
    words = [word for text in texts for word in re.findall(r"[a-z]+", canonical(text))]
    whole = [len(tokenizer.encode(word)) == 1 for word in words]
    assert sum(whole) >= 0.98 * len(whole)


def test_what_the_shipped_one_is_trained_on_is_always_the_same(monkeypatch):
    monkeypatch.setattr(build_tokenizer, "SCENES", 8)
    texts = list(build_tokenizer.training_texts())
    assert texts == list(build_tokenizer.training_texts())
    assert all(text == canonical(text) for text in texts)
    assert {canonical(f"a {concept.name}") for concept in load_atlas().concepts} <= set(texts)
