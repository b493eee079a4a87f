# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Packed rows: nothing is lost or mixed up, every process makes its part of the same batches, and plans come true."""

import dataclasses
import itertools
import json

import numpy as np
import pytest

from vidgen.data.packing import Captions, PackingConfig, Size, Stream, packed_batches, plan, shares, with_room
from vidgen.data.tokenizer import load_tokenizer

PATCH = (1, 2, 1)
SIZES = (Size("clips", (3, 2, 4), 3.0), Size("pictures", (1, 2, 4), 1.0), Size("tall", (2, 5, 1), 2.0))
ROWS = PackingConfig(rows=4, tokens=40, clips=4, text=40, open_rows=16)
CAPTIONS = Captions(load_tokenizer(), start=1)


class Numbered:
    """Item i of a stream: latents in which every value is its own, and captions that say whose they are."""

    def __init__(self, name: str, count: int, shape: tuple[int, ...]) -> None:
        self.name, self.count, self.shape, self.read = name, count, shape, []

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> dict:
        self.read.append(index)
        latent = np.arange(np.prod(self.shape)).reshape(self.shape) + index / 8
        cells = np.arange(np.prod(self.shape[:3])).reshape(self.shape[:3])
        return {
            "latent": latent.astype(np.float16),
            "captions": tuple(f"{self.name} {index} {word}" for word in ("dog", "cat")),
            "cells": cells[:, ::2].astype(np.int16),
            "places": np.repeat(cells[:, ::2, :, None], 4, axis=-1).astype(np.float16),
        }


def streams(count: int = 7) -> list[Stream]:
    shapes = [(T, H * PATCH[1], W, 3) for T, H, W in (size.extent for size in SIZES)]
    return [
        Stream(size, Numbered(size.name, count + i, shape), 1.0 + i, text_length=12)
        for i, (size, shape) in enumerate(zip(SIZES, shapes, strict=True))
    ]


def batches(
    seed: int = 0,
    rows=None,
    given: list[Stream] | None = None,
    config: PackingConfig = ROWS,
    captions: Captions = CAPTIONS,
):
    return iter(packed_batches(given or streams(), config, seed, captions, PATCH, rows))


def told(batch: dict, row: int) -> list[list[int]]:
    """The places of each caption of a row."""
    owners = batch["captions_BS"][row]
    return [batch["text_BS"][row][owners == clip].tolist() for clip in range(1, owners.max() + 1)]


def equal(a: dict, b: dict) -> bool:
    return a.keys() == b.keys() and all(np.array_equal(a[name], b[name]) for name in a)


def test_rows_hold_whole_clips_with_what_belongs_to_them() -> None:
    tokenizer, by_extent = load_tokenizer(), {size.extent: number for number, size in enumerate(SIZES)}
    whole, seen = streams(), set()
    for batch in itertools.islice(batches(), 12):
        for row in range(ROWS.rows):
            segments = batch["segments_BL"][row]
            assert (np.diff(np.where(segments > 0, segments, 99)) >= 0).all()  # one after another, filling last
            for clip in range(1, segments.max() + 1):
                mine = segments == clip
                extent = tuple(batch["extent_BL3"][row][mine][0].tolist())
                number = by_extent[extent]
                start, *words = told(batch, row)[clip - 1]
                name, index, _ = tokenizer.decode(words).split()
                assert start == 0
                item = whole[number].items[int(index)]
                assert name == SIZES[number].name and batch["shift_BE"][row, clip - 1] == 1.0 + number
                seen.add((name, index))
                T, H, W = extent
                at = batch["positions_BL3"][row][mine]
                assert at.tolist() == [[t, h, w] for t in range(T) for h in range(H) for w in range(W)]
                for (t, h, w), token in zip(at, batch["tokens_BLP"][row][mine], strict=True):
                    np.testing.assert_array_equal(token, item["latent"][t, 2 * h : 2 * h + 2, w].ravel())
                np.testing.assert_array_equal(batch["cells_BL"][row][mine], item["cells"].ravel())
                np.testing.assert_array_equal(batch["places_BL4"][row][mine], item["places"].reshape(-1, 4))
            assert len(told(batch, row)) == segments.max()
            owners = batch["captions_BS"][row]
            assert (np.diff(np.where(owners > 0, owners, 99)) >= 0).all() and not batch["text_BS"][row][
                owners == 0
            ].any()
            filling = segments == 0
            assert (batch["cells_BL"][row][filling] == -1).all() and not batch["tokens_BLP"][row][filling].any()
            assert (batch["extent_BL3"][row][filling] == 1).all()  # nothing is divided by 0
    assert len(seen) == sum(len(stream.items) for stream in whole)


class Wordy(Numbered):
    """Item i has a caption of 3 words and one of 9, or of 9 alone."""

    def __getitem__(self, index: int) -> dict:
        captions = ("dog cat car", "dog cat car " * 3) if self.name == "clips" else ("cat " * 9,)
        return {**super().__getitem__(index), "captions": captions}


def wordy() -> list[Stream]:
    return [one._replace(items=Wordy(one.size.name, 7, one.items.shape)) for one in streams()]


def test_where_captions_are_too_long_together_the_longest_give_way() -> None:
    """To a shorter one of the same clip, or where there is none, they are cut; never more than is needed."""
    gave_way = cut = 0
    tight = dataclasses.replace(ROWS, text=20)
    pairs = zip(itertools.islice(batches(given=wordy()), 20), batches(given=wordy(), config=tight), strict=False)
    for free, batch in pairs:
        for row in range(ROWS.rows):
            before, after = ([len(words) - 1 for words in told(x, row)] for x in (free, batch))
            assert len(before) == len(after) and sum(after) + len(after) <= 20
            if sum(before) + len(before) <= 20:
                assert before == after
            else:
                changed = [(a, b) for a, b in zip(before, after, strict=True) if a != b]
                assert changed and all(b < a for a, b in changed)
                gave_way += sum(b == 3 for _, b in changed)
                cuts = sum(b not in (3, 9) for _, b in changed)
                assert cuts != len(changed) or sum(after) + len(after) == 20
                cut += cuts
    assert gave_way and cut


def test_captions_whose_padding_is_seen_are_whole() -> None:
    whole = dataclasses.replace(ROWS, text=30)
    for batch in itertools.islice(batches(given=wordy(), config=whole, captions=CAPTIONS._replace(whole=True)), 5):
        for row in range(ROWS.rows):
            captions = told(batch, row)
            assert len(captions) <= 2 and all(len(words) == 13 for words in captions)
        assert batch["shift_BE"].shape == (4, 2)


def test_a_row_without_room_for_a_caption_is_refused() -> None:
    assert with_room(ROWS, CAPTIONS, 39) == ROWS
    with pytest.raises(ValueError, match="up to 41 tokens and a row has room for 40"):
        with_room(ROWS, CAPTIONS, 40)


def test_a_resumed_stream_goes_on_with_the_same_batches() -> None:
    for taken in (0, 3, 7):
        stream = batches(seed=5)
        for _ in range(taken):
            next(stream)
        state = json.dumps(stream.get_state())
        expected = [next(stream) for _ in range(6)]
        fresh = batches(seed=5)
        next(fresh)
        fresh.set_state(json.loads(state))
        assert all(equal(next(fresh), batch) for batch in expected)
    assert not equal(next(batches(seed=5)), next(batches(seed=6)))


def test_processes_read_their_own_rows_of_the_same_batches() -> None:
    whole, *parts = [batches(rows=rows, given=streams(1000)) for rows in (None, [0, 1], [2, 3])]
    for _ in range(5):
        batch, pieces = next(whole), [next(part) for part in parts]
        assert equal(batch, {name: np.concatenate([piece[name] for piece in pieces]) for name in batch})
    (state,) = {json.dumps(part.get_state()) for part in [whole, *parts]}
    one = batches(given=streams(1000))
    one.set_state(json.loads(state))
    assert equal(next(one), next(whole))
    with pytest.raises(ValueError, match="a batch of 4 has rows 0 to 3"):
        batches(rows=[4])


def test_a_plan_comes_true() -> None:
    expected = plan(SIZES, ROWS)
    found, filled = np.zeros(3), []
    for batch in itertools.islice(batches(), 64):
        filled.append((batch["segments_BL"] > 0).mean())
        for row in range(ROWS.rows):
            for clip in range(1, batch["segments_BL"][row].max() + 1):
                extent = tuple(batch["extent_BL3"][row][batch["segments_BL"][row] == clip][0].tolist())
                found[[size.extent for size in SIZES].index(extent)] += 1 / 64
    np.testing.assert_allclose(found, expected.clips_N, rtol=0.05)
    assert np.mean(filled) == pytest.approx(expected.fill, abs=0.02)
    np.testing.assert_allclose(expected.share_N, [1 / 2, 1 / 6, 1 / 3], atol=0.01)  # weights are shares of the tokens
    assert expected.tokens == pytest.approx(expected.fill * 160)
    assert plan(SIZES, dataclasses.replace(ROWS, clips=1)).fill < 0.7 < expected.fill


def test_buckets_are_planned_too() -> None:
    found = shares(SIZES, (2, 8, 4))
    np.testing.assert_allclose(found.clips_N, [1, 8 / 6, 8 / 6])
    assert found.fill == 1 and found.tokens == pytest.approx(24 + 8 * 8 / 6 + 10 * 8 / 6)


@pytest.mark.parametrize(
    ("sizes", "config", "message"),
    [
        (SIZES, PackingConfig(4, 23, 4, open_rows=16), "clips has 24 tokens and a row has 23"),
        ((SIZES[0], SIZES[1]._replace(weight=1e-4)), ROWS, "pictures is starved"),
        ((SIZES[0]._replace(weight=0.0),), ROWS, "a weight above 0"),
        ((), ROWS, "give at least one"),
    ],
)
def test_mixes_that_cannot_be_are_refused(sizes, config, message) -> None:
    with pytest.raises(ValueError, match=message):
        plan(sizes, config)


@pytest.mark.parametrize("wrong", [{"tokens": 0}, {"clips": 0}, {"text": 0}, {"rows": 5, "open_rows": 64}])
def test_rows_that_make_no_sense(wrong: dict) -> None:
    with pytest.raises(ValueError, match=r"all else at least 1|a multiple of rows"):
        PackingConfig(**wrong)


def test_a_starved_bucket_is_refused() -> None:
    with pytest.raises(ValueError, match="tall is starved"):
        shares((*SIZES[:2], SIZES[2]._replace(weight=0.01)), (4, 4, 4))
