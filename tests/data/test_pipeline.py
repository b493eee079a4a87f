# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Streams of batches: complete, reproducible, and resumable bit for bit."""

import itertools
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidgen.data.pipeline import READ_AHEAD, WorldSource, latent_batches, mix, video_batches
from vidgen.data.tokenizer import load_tokenizer
from vidgen.worlds.scene import SceneConfig


class NumberedSource:
    """Item i is filled with i and has the captions "i a", "i b" and "i c"."""

    def __init__(self, size, frames=1):
        self.size, self.frames = size, frames

    def __len__(self):
        return self.size

    def __getitem__(self, index):
        return {
            "video": np.full((self.frames, 2, 2, 3), index, np.uint8),
            "latent": np.full((self.frames, 1, 1, 4), index, np.float16),
            "captions": tuple(f"{index} {letter}" for letter in "abc"),
        }


def number_batches(size, batch_size, seed, **options):
    return video_batches(NumberedSource(size), batch_size, seed, **options)


def order(dataset, count):
    batches = itertools.islice(iter(dataset), count)
    return [int(video[0, 0, 0, 0]) for batch in batches for video in batch["video_BFHWC"]]


def equal(a, b):
    return a.keys() == b.keys() and all(np.array_equal(a[key], b[key]) for key in a)


STREAMS = {
    "video": lambda seed: number_batches(11, 3, seed),
    "in order": lambda seed: number_batches(11, 3, seed, shuffle=False),
    "latent": lambda seed: latent_batches(NumberedSource(7), 4, seed, load_tokenizer(), 16),
    "mix": lambda seed: mix(
        [
            latent_batches(NumberedSource(5), 2, seed, load_tokenizer(), 8),
            latent_batches(NumberedSource(9, frames=3), 4, seed + 1, load_tokenizer(), 8),
        ],
        [1.5, 0.5],
    ),
    "worlds": lambda seed: video_batches(WorldSource(SceneConfig(width=16, height=16, frames=5), 6, seed), 2, seed),
}


@pytest.mark.parametrize("name", STREAMS)
@settings(max_examples=3, deadline=None)
@given(seed=st.integers(0, 2**31 - 1), taken=st.integers(0, 9))
def test_a_resumed_stream_goes_on_with_the_same_batches(name, seed, taken):
    whole = iter(STREAMS[name](seed))
    for _ in range(taken):
        next(whole)
    state = json.dumps(whole.get_state())
    assert len(state) < 1000
    expected = [next(whole) for _ in range(5)]
    fresh = iter(STREAMS[name](seed))
    next(fresh)  # an iterator that has begun, and has read ahead, resumes as well
    fresh.set_state(json.loads(state))
    assert all(equal(next(fresh), batch) for batch in expected)


@settings(max_examples=4, deadline=None)
@given(seed=st.integers(0, 2**31 - 1), hosts=st.sampled_from([1, 2, 4]), other=st.sampled_from([1, 2, 4]))
def test_rows_of_several_processes_make_the_whole_batch_and_go_on_in_another_number(seed, hosts, other):
    read = []

    class Noted(NumberedSource):
        def __getitem__(self, index):
            read.append(index)
            return super().__getitem__(index)

    def stream(rows, source):
        batches = latent_batches(source, 4, seed, load_tokenizer(), 8, rows=rows)
        return iter(mix([batches, latent_batches(source, 4, seed + 1, load_tokenizer(), 8, rows=rows)], [1, 1]))

    def split(number):
        return [range(i * 4 // number, (i + 1) * 4 // number) for i in range(number)]

    whole = iter(stream(None, NumberedSource(7)))
    parts = [stream(rows, NumberedSource(7)) for rows in split(hosts)]
    for turn in range(6):
        if turn == 3:
            (state,) = {json.dumps(part.get_state()) for part in [*parts, whole]}  # the same in every process
            parts = [stream(rows, NumberedSource(7)) for rows in split(other)]
            for part in parts:
                part.set_state(json.loads(state))
        batch, pieces = next(whole), [next(part) for part in parts]
        assert equal(batch, {name: np.concatenate([piece[name] for piece in pieces]) for name in batch})
    next(iter(video_batches(Noted(250), 250, seed, rows=[5, 249])))
    assert len(read) <= 2 * (READ_AHEAD + 2)  # and no other row of a batch is read


def test_rows_that_are_not_in_the_batch_are_refused():
    for rows in ([], [4], [-1]):
        with pytest.raises(ValueError, match="a batch of 4 has rows 0 to 3"):
            video_batches(NumberedSource(9), 4, 0, rows=rows)


@settings(max_examples=8, deadline=None)
@given(size=st.integers(1, 30), batch_size=st.integers(1, 8), seed=st.integers(0, 2**31 - 1))
def test_every_pass_visits_every_item_once(size, batch_size, seed):
    visits = order(number_batches(size, batch_size, seed), 2 * size)[: 2 * size]
    assert sorted(visits[:size]) == list(range(size))
    assert sorted(visits[size:]) == list(range(size))


def test_passes_differ_and_seeds_differ():
    one = order(number_batches(64, 64, seed=1), 3)
    two = order(number_batches(64, 64, seed=2), 3)
    passes = [tuple(run[i : i + 64]) for run in (one, two) for i in (0, 64, 128)]
    assert len(set(passes)) == 6


def test_without_shuffle_the_order_is_the_source_s():
    assert order(number_batches(5, 2, seed=0, shuffle=False), 5) == [*range(5), *range(5)]


def test_captions_belong_to_their_latents_and_vary():
    tokenizer = load_tokenizer()
    stream = iter(latent_batches(NumberedSource(4), 4, 0, tokenizer, 8))
    seen = set()
    for batch in itertools.islice(stream, 12):
        assert batch["latent_BTHWC"].dtype == np.float16
        assert batch["text_BS"].dtype == np.int32
        for latent, row in zip(batch["latent_BTHWC"], batch["text_BS"], strict=True):
            number, letter = tokenizer.decode(row).split()
            assert int(number) == int(latent[0, 0, 0, 0])
            seen.add((number, letter))
    assert len(seen) == 12  # every caption of every item comes up


def test_captions_that_fit_are_preferred_to_cut_ones():
    tokenizer = load_tokenizer()
    long = "a cat in the snow " * 9
    items = [{"latent": np.zeros((1, 1, 1, 1), np.float16), "captions": (long, "a dog", long)}]
    (row,) = next(iter(latent_batches(items, 1, 0, tokenizer, 8)))["text_BS"]
    assert tokenizer.decode(row) == "a dog"
    items[0]["captions"] = (long,)
    (row,) = next(iter(latent_batches(items, 1, 0, tokenizer, 8)))["text_BS"]
    assert np.array_equal(row, tokenizer.batch([long], 8)[0])


@settings(max_examples=8, deadline=None)
@given(weights=st.lists(st.sampled_from([0.1, 0.25, 1.0, 3.0, 10.0]), min_size=1, max_size=3))
def test_mix_keeps_the_proportions(weights):
    streams = [number_batches(1, i + 1, seed=0) for i in range(len(weights))]
    count = 60
    sizes = [batch["video_BFHWC"].shape[0] for batch in itertools.islice(iter(mix(streams, weights)), count)]
    for i, weight in enumerate(weights):
        assert abs(sizes.count(i + 1) - count * weight / sum(weights)) <= len(weights)


@pytest.mark.parametrize("weights", [[1.0], [1.0, 0.0], [1.0, -1.0], [1.0, float("nan")]])
def test_mix_refuses_weights_that_mean_nothing(weights):
    with pytest.raises(ValueError, match="weight"):
        mix([number_batches(3, 1, seed=0)] * 2, weights)


def test_empty_sources_and_batches_are_refused():
    with pytest.raises(ValueError, match="empty"):
        number_batches(0, 2, seed=0)
    with pytest.raises(ValueError, match="batch_size=0"):
        number_batches(3, 0, seed=0)
    with pytest.raises(ValueError, match="no stream"):
        mix([], [])
    with pytest.raises(ValueError, match="size=0"):
        WorldSource(SceneConfig(), 0, seed=0)


def test_worlds_are_a_function_of_config_seed_and_index():
    config = SceneConfig(width=16, height=16, frames=5)
    a, b, other = WorldSource(config, 3, seed=7), WorldSource(config, 9, seed=7), WorldSource(config, 3, seed=8)
    for i in range(3):
        assert np.array_equal(a[i]["video"], b[i]["video"])
        assert a[i]["captions"] == b[i]["captions"]
        assert len(a[i]["captions"]) == 8
        assert a[i]["video"].shape == (5, 16, 16, 3)
    assert not any(np.array_equal(a[i]["video"], other[j]["video"]) for i in range(3) for j in range(3))
    with pytest.raises(IndexError, match="scenes 0 to 2"):
        a[3]
