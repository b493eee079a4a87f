# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The captioner reads prefixes both ways and texts from left to right; what it writes does not depend on its cache."""

import dataclasses
import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from vidgen.models.captioner import (
    END,
    Captioner,
    CaptionerConfig,
    Tokens,
    empty_cache,
    init_captioner,
    prefix_mask,
    text_logits,
)
from vidgen.models.decoding import Decoding, decode
from vidgen.models.layers import apply
from vidgen.models.vae import Stage

TINY = CaptionerConfig(
    vocabulary=7, table=4, width=12, layers=2, heads=2, hidden=8, cells=Stage(2, 6, 2, 8, 1), merge=2, dtype="float32"
)
PROMPTS = jnp.array([[1, 2, 3, 0], [4, 5, 0, 0]])
STYLES = jnp.array([0, 1])
KEY = jax.random.key(0)


@pytest.fixture(scope="module")
def params() -> dict:
    found = jax.jit(lambda key: init_captioner(TINY, key))(jax.random.key(1))
    # Far from uniform, so that texts differ and no two words are equally likely.
    return {**found, "words": {**found["words"], "embedding": 4 * found["words"]["embedding"]}}


@pytest.fixture(scope="module")
def prefix(params: dict) -> Tokens:
    return jax.jit(lambda p: apply(Captioner(TINY), p, PROMPTS, method=Captioner.read_prompt))(params)


@pytest.mark.parametrize(
    "how",
    [
        Decoding(length=5),
        Decoding(length=5, temperature=1.0, top_p=0.8, least=2),
        Decoding(length=5, beams=3),
    ],
    ids=["greedy", "sampled", "beams"],
)
def test_a_cache_changes_nothing(params: dict, prefix: Tokens, how: Decoding) -> None:
    begin = jnp.array([[3], [0]])
    fast = decode(TINY, how, params, prefix, STYLES, KEY, begin_BS=begin)
    slow = decode(TINY, dataclasses.replace(how, cached=False), params, prefix, STYLES, KEY, begin_BS=begin)
    np.testing.assert_array_equal(fast.ids_BS, slow.ids_BS)
    np.testing.assert_allclose(fast.score_B, slow.score_B, rtol=1e-5)
    assert fast.ids_BS[0, 0] == 3


def test_greedy_takes_the_likeliest_word_at_every_place(params: dict, prefix: Tokens) -> None:
    found = decode(TINY, Decoding(length=4), params, prefix, STYLES, KEY)
    log_BSV = jax.nn.log_softmax(text_logits(TINY, params, prefix, found.ids_BS, STYLES))
    for row, ids in enumerate(np.asarray(found.ids_BS)):
        length = int((ids != END).sum())
        told = [*ids[:length], *([END] if length < 4 else [])]
        np.testing.assert_array_equal(np.argmax(log_BSV[row, : len(told)], axis=-1), told)
        score = sum(float(log_BSV[row, place, word]) for place, word in enumerate(told))
        assert float(found.score_B[row]) == pytest.approx(score, rel=1e-4)


def test_enough_beams_find_the_best_of_all_texts(params: dict, prefix: Tokens) -> None:
    words = range(1, TINY.vocabulary)
    texts = [text for n in range(4) for text in itertools.product(words, repeat=n)]
    ids = jnp.array([[*text, *[END] * (3 - len(text))] for text in texts])
    one = Tokens(*(jnp.repeat(x[:1], len(ids), axis=0) for x in prefix))
    log_BSV = np.asarray(jax.nn.log_softmax(text_logits(TINY, params, one, ids, jnp.zeros(len(ids), jnp.int32))))
    # A text of full length needs no end.
    scores = [
        sum(log_BSV[row, place, word] for place, word in enumerate([*text, END][:3])) for row, text in enumerate(texts)
    ]
    best = int(np.argmax(scores))
    how = Decoding(length=3, beams=len(words) ** 2 + 8, length_power=0.0)
    found = decode(TINY, how, params, prefix, STYLES, KEY)
    np.testing.assert_array_equal(found.ids_BS[0], ids[best])
    assert float(found.score_B[0]) == pytest.approx(float(scores[best]), rel=1e-4)


def test_prefixes_see_all_of_themselves_and_texts_what_was_before(params: dict) -> None:
    model, ids = Captioner(TINY), jnp.array([[1, 2, 3]])

    def read(noise_L: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Features of the prefix and logits of the text where the embeddings of both are off by some noise."""
        prefix = apply(model, params, PROMPTS[:1, :3], method=Captioner.read_prompt)
        text = apply(model, params, ids, STYLES[:1], method=Captioner.read_text)
        moved = Tokens(prefix.x_BLD + noise_L[None, :3, None], prefix.positions_BL3, prefix.real_BL)
        shifted = Tokens(text.x_BLD + noise_L[None, 3:, None], text.positions_BL3, text.real_BL)
        both = Tokens(*(jnp.concatenate(pair, axis=1) for pair in zip(moved, shifted, strict=True)))
        x, _, _ = apply(
            model, params, both, empty_cache(TINY, 1, 0), prefix_mask(prefix.real_BL, 4), method=Captioner.run
        )
        return x[0, :3].sum(-1), apply(model, params, x[:, 3:], method=Captioner.logits)[0].sum(-1)

    to_prefix, to_text = jax.jit(jax.jacobian(read))(jnp.zeros(7))
    assert np.all(to_prefix[:, :3] != 0)
    np.testing.assert_array_equal(to_prefix[:, 3:], 0)
    assert np.all(to_text[:, :3] != 0)
    np.testing.assert_array_equal(np.triu(to_text[:, 3:], k=1), 0)
    assert np.all(np.tril(to_text[:, 3:]) == to_text[:, 3:]) and np.all(np.diag(to_text[:, 3:]) != 0)


def test_padding_of_prompts_changes_nothing(params: dict) -> None:
    def logits(ids: jax.Array) -> jax.Array:
        prefix = apply(Captioner(TINY), params, ids, method=Captioner.read_prompt)
        return text_logits(TINY, params, prefix, jnp.array([[1, 2]]), STYLES[:1])

    np.testing.assert_allclose(logits(PROMPTS[1:]), logits(PROMPTS[1:, :2]), atol=1e-5)


def test_clips_of_any_length_and_size_are_read(params: dict) -> None:
    read = jax.jit(lambda video: apply(Captioner(TINY), params, video, method=Captioner.read_clip))
    clip = jax.random.normal(KEY, (1, 7, 8, 12, 3))
    assert read(clip[:, :1]).x_BLD.shape == (1, 6, TINY.width)
    whole = read(clip)
    assert whole.x_BLD.shape == (1, 3 * 6, TINY.width)
    assert whole.positions_BL3.max() == -1  # right before the text
    filled = jnp.concatenate([clip, clip[:, -1:], clip[:, -1:]], axis=1)
    np.testing.assert_allclose(whole.x_BLD, read(filled).x_BLD, atol=1e-5)
    with pytest.raises(ValueError, match="multiples of 4"):
        TINY.clip_tokens(1, 6, 8)


def test_texts_are_as_long_as_they_must_be(params: dict, prefix: Tokens) -> None:
    found = decode(TINY, Decoding(length=5, least=5, temperature=3.0), params, prefix, STYLES, KEY)
    assert np.all(found.ids_BS != END)


def test_a_small_nucleus_holds_the_likeliest_word_alone(params: dict, prefix: Tokens) -> None:
    narrow = decode(TINY, Decoding(length=5, temperature=5.0, top_p=1e-6), params, prefix, STYLES, KEY)
    greedy = decode(TINY, Decoding(length=5), params, prefix, STYLES, KEY)
    np.testing.assert_array_equal(narrow.ids_BS, greedy.ids_BS)


@pytest.mark.parametrize("wrong", [{"least": 41}, {"top_p": 0.0}, {"beams": 2, "temperature": 1.0}])
def test_a_decoding_that_makes_no_sense_says_so(wrong: dict) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Decoding(**wrong)
