# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Texts from a captioner, word by word, in one XLA program: greedy, sampled, or by beam search.

The keys and values of what was read and written stay in a cache, so that a word costs one token's work. `cached=False`
reads everything again for every word: the same texts, slowly, to hold the cache against.
"""

import dataclasses
import functools
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from vidgen.models.captioner import END, Cache, Captioner, CaptionerConfig, Tokens, empty_cache, prefix_mask
from vidgen.models.layers import ShardFn, apply, unsharded


@dataclasses.dataclass(frozen=True)
class Decoding:
    """How a text is chosen.

    Attributes:
        length: tokens of a text at most.
        least: tokens before which no text ends.
        temperature: 0 takes the likeliest word, 1 draws from the network's own distribution.
        top_p: draws are from the likeliest words that have so much probability together (arXiv 1904.09751).
        beams: texts that are kept side by side; more than 1 is beam search, which draws nothing.
        length_power: beams are compared by log-probability / length ** length_power (arXiv 1609.08144, equation 14
            has a like term); 0 favours short texts.
        cached: whether keys and values are kept.
    """

    length: int = 40
    least: int = 0
    temperature: float = 0.0
    top_p: float = 1.0
    beams: int = 1
    length_power: float = 0.6
    cached: bool = True

    def __post_init__(self) -> None:
        if not 0 <= self.least <= self.length or self.length < 1:
            raise ValueError(f"length={self.length} and least={self.least} were given; 0 <= least <= length is needed")
        if self.temperature < 0 or not 0 < self.top_p <= 1 or self.beams < 1:
            raise ValueError(
                f"temperature={self.temperature}, top_p={self.top_p} and beams={self.beams} were given; temperature is "
                f"0 or more, top_p in (0, 1], beams 1 or more"
            )
        if self.beams > 1 and self.temperature > 0:
            raise ValueError(f"beams={self.beams} search and temperature={self.temperature} draws: choose one")


class Decoded(NamedTuple):
    """ids_BS: int32, padded with 0. score_B: log-probability of each text with its end, where it has one."""

    ids_BS: Array
    score_B: Array


class _State(NamedTuple):
    """The loop's: rows are texts, those of one prefix side by side where there are beams."""

    place: Array
    ids_RS: Array
    done_R: Array
    score_R: Array
    cache: Cache
    key: Array


@functools.partial(jax.jit, static_argnums=(0, 1, 6))
def decode(
    config: CaptionerConfig,
    how: Decoding,
    params: dict,
    prefix: Tokens,
    style_B: Array,
    key: Array,
    shard: ShardFn = unsharded,
    begin_BS: Array | None = None,
) -> Decoded:
    """A text for each prefix.

    Args:
        prefix: of `Captioner.read_clip` or `Captioner.read_prompt`.
        style_B: the kind of text.
        key: of the draws.
        begin_BS: ids that each text begins with, padded with 0; at most `how.length` of them.
    """
    model, beams = Captioner(config, shard), how.beams
    B, L = prefix.real_BL.shape
    prefix = Tokens(*(jnp.repeat(x, beams, axis=0) for x in prefix))
    style_R, R = jnp.repeat(style_B, beams), B * beams
    begin_BS = jnp.zeros((B, how.length), jnp.int32) if begin_BS is None else begin_BS
    begin_RS = jnp.repeat(jnp.pad(begin_BS, ((0, 0), (0, how.length - begin_BS.shape[1]))), beams, axis=0)
    next_logits = _cached(model, params, prefix, style_R) if how.cached else _again(model, params, prefix, style_R)
    choose = _search if beams > 1 else _pick

    def step(state: _State) -> _State:
        logits_RV, cache = next_logits(state)
        log_RV = jax.nn.log_softmax(logits_RV)
        ended = jnp.where(jnp.arange(config.vocabulary) == END, 0.0, -jnp.inf)
        may_RV = jnp.where((jnp.arange(config.vocabulary) == END) & (state.place < how.least), -jnp.inf, log_RV)
        given_R = begin_RS[:, state.place]
        forced = jnp.where(jnp.arange(config.vocabulary) == given_R[:, None], log_RV, -jnp.inf)
        may_RV = jnp.where((given_R != END)[:, None], forced, may_RV)
        may_RV = jnp.where(state.done_R[:, None], ended, may_RV)
        key, now = jax.random.split(state.key)
        return choose(how, state._replace(cache=cache, key=key), may_RV, now)

    def goes_on(state: _State) -> Array:
        return (state.place < how.length) & ~jnp.all(state.done_R)

    # Of the beams of a prefix, all but the first are impossible at first: they would be copies of it.
    first_R = jnp.where(jnp.arange(R) % beams == 0, 0.0, -jnp.inf)
    cache = empty_cache(config, R, L + how.length if how.cached else 0)
    if how.cached:
        seen = jnp.broadcast_to(prefix.real_BL[:, None], (R, L, L))
        _, kept, _ = apply(model, params, prefix, empty_cache(config, R, 0), seen, method=Captioner.run)
        cache = Cache(*(whole.at[:, :, :L].set(part) for whole, part in zip(cache, kept, strict=True)))
    state = _State(
        jnp.zeros((), jnp.int32), jnp.zeros((R, how.length), jnp.int32), jnp.zeros(R, bool), first_R, cache, key
    )
    state = jax.lax.while_loop(goes_on, step, state)
    return _best(how, state, B)


def _cached(model: Captioner, params: dict, prefix: Tokens, style_R: Array) -> Any:
    """state -> (logits of the next word, the cache with the newest token's keys and values in it)."""
    L = prefix.real_BL.shape[1]

    def next_logits(state: _State) -> tuple[Array, Cache]:
        before_R = jnp.take(state.ids_RS, jnp.maximum(state.place - 1, 0), axis=1)
        token = apply(model, params, before_R, state.place, style_R, method=Captioner.read_word)
        written = jnp.arange(state.ids_RS.shape[1]) < state.place
        seen_RS = jnp.concatenate(
            [prefix.real_BL, jnp.broadcast_to(written, state.ids_RS.shape), jnp.ones((len(before_R), 1), bool)], axis=1
        )
        x, new, _ = apply(model, params, token, state.cache, seen_RS[:, None], method=Captioner.run)
        cache = Cache(
            *(
                jax.lax.dynamic_update_slice_in_dim(old, part, L + state.place, axis=2)
                for old, part in zip(state.cache, new, strict=True)
            )
        )
        return apply(model, params, x, method=Captioner.logits)[:, 0], cache

    return next_logits


def _again(model: Captioner, params: dict, prefix: Tokens, style_R: Array) -> Any:
    """The same without a cache: everything is read again."""
    L = prefix.real_BL.shape[1]

    def next_logits(state: _State) -> tuple[Array, Cache]:
        text = apply(model, params, state.ids_RS[:, :-1], style_R, method=Captioner.read_text)
        tokens = Tokens(*(jnp.concatenate(pair, axis=1) for pair in zip(prefix, text, strict=True)))
        seen = prefix_mask(prefix.real_BL, text.real_BL.shape[1])
        x, _, _ = apply(model, params, tokens, state.cache, seen, method=Captioner.run)
        x = jax.lax.dynamic_slice_in_dim(x, L + state.place, 1, axis=1)
        return apply(model, params, x, method=Captioner.logits)[:, 0], state.cache

    return next_logits


def _pick(how: Decoding, state: _State, may_RV: Array, key: Array) -> _State:
    """One word a row: the likeliest, or a drawn one."""
    if how.temperature > 0:
        scaled_RV = _nucleus(may_RV / how.temperature, how.top_p)
        word_R = jax.random.categorical(key, scaled_RV)
    else:
        word_R = jnp.argmax(may_RV, axis=-1)
    score_R = state.score_R + jnp.take_along_axis(may_RV, word_R[:, None], axis=1)[:, 0]
    return _write(state, state.ids_RS, word_R, score_R, state.done_R)


def _nucleus(logits_RV: Array, top_p: float) -> Array:
    """Logits of the likeliest words that have `top_p` of the probability together; the likeliest always stays."""
    if top_p >= 1:
        return logits_RV
    sorted_RV = jnp.sort(logits_RV, axis=-1)[:, ::-1]
    before_RV = jnp.cumsum(jax.nn.softmax(sorted_RV), axis=-1) - jax.nn.softmax(sorted_RV)
    least_R = jnp.min(jnp.where(before_RV < top_p, sorted_RV, jnp.inf), axis=-1)
    return jnp.where(logits_RV >= least_R[:, None], logits_RV, -jnp.inf)


def _search(how: Decoding, state: _State, may_RV: Array, key: Array) -> _State:
    """The best continuations of all beams of a prefix together."""
    del key
    R, V = may_RV.shape
    total_BKV = (state.score_R[:, None] + may_RV).reshape(-1, how.beams * V)
    score_BK, choice_BK = jax.lax.top_k(total_BKV, how.beams)
    row_R = (choice_BK // V + jnp.arange(len(choice_BK))[:, None] * how.beams).reshape(R)
    cache = Cache(*(part[:, row_R] for part in state.cache)) if how.cached else state.cache
    state = state._replace(cache=cache)
    return _write(state, state.ids_RS[row_R], (choice_BK % V).reshape(R), score_BK.reshape(R), state.done_R[row_R])


def _write(state: _State, ids_RS: Array, word_R: Array, score_R: Array, done_R: Array) -> _State:
    ids_RS = jax.lax.dynamic_update_slice_in_dim(ids_RS, word_R[:, None].astype(jnp.int32), state.place, axis=1)
    return state._replace(place=state.place + 1, ids_RS=ids_RS, score_R=score_R, done_R=done_R | (word_R == END))


def _best(how: Decoding, state: _State, batch: int) -> Decoded:
    """The best beam of each prefix."""
    length_R = jnp.sum(state.ids_RS != END, axis=1) + 1
    worth_BK = (state.score_R / length_R**how.length_power).reshape(batch, how.beams)
    row_B = jnp.argmax(worth_BK, axis=1) + jnp.arange(batch) * how.beams
    return Decoded(state.ids_RS[row_B], state.score_R[row_B])
