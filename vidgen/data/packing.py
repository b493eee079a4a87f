# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Clips of many sizes in rows of equally many tokens, as in NaViT (arXiv 2307.06304), so that each keeps its own size.

What is packed is places in a stream, which are numbers; latents are read afterwards, and only those of the rows that a
process needs. So packing costs nothing, depends on sizes and the seed alone, and a plan of it needs no data.
"""

import dataclasses
import functools
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import grain
import numpy as np

from vidgen.data.pipeline import READ_AHEAD, LatentItem, LatentItems, endless, pick_caption
from vidgen.data.tokenizer import AnyTokenizer
from vidgen.models.layers import patchify

SCARCE = 20
"""A size of which there is not one clip in so many batches is starved."""


@dataclasses.dataclass(frozen=True)
class PackingConfig:
    """The rows of a batch.

    Attributes:
        rows: a batch; 0 for no packing: batches of clips of one size.
        tokens: a row.
        clips: at most in a row.
        text: tokens of captions in a row. Where those of its clips are longer together, the longest gives way to
            another of its clip's captions that is shorter, and where there is none, is cut.
        open_rows: how many rows are filled side by side; more of them are filled better, and mix clips that lie farther
            apart in the stream.
    """

    rows: int = 0
    tokens: int = 1024
    clips: int = 16
    text: int = 512
    open_rows: int = 64

    def __post_init__(self) -> None:
        if self.rows < 0 or min(self.tokens, self.clips, self.text, self.open_rows) < 1:
            raise ValueError(f"{self} was given; rows must be 0 or more, and all else at least 1")
        if self.rows and self.open_rows % self.rows:
            raise ValueError(f"open_rows is {self.open_rows}; it must be a multiple of rows, {self.rows}")


class Size(NamedTuple):
    """Clips of one size: what to call them, tokens (frames, rows, columns) of a clip, and their share of all tokens, in
    proportion to the others'.
    """

    name: str
    extent: tuple[int, int, int]
    weight: float

    @property
    def tokens(self) -> int:
        """Of a clip."""
        return math.prod(self.extent)


class Stream(NamedTuple):
    """Encoded clips of one size, the shift of their training times, and tokens of a caption at most."""

    size: Size
    items: LatentItems
    shift: float
    text_length: int


class Captions(NamedTuple):
    """How captions are put into rows.

    tokenizer: of their words. start: places before each, for what its encoder puts there. whole: whether each takes all
    tokens that a caption has at most, since the padding behind it counts as words.
    """

    tokenizer: AnyTokenizer
    start: int
    whole: bool = False

    def room(self, ids_S: np.ndarray) -> int:
        """The places that a padded caption takes. An empty one has a place, for what stands for it."""
        words = len(ids_S) if self.whole else int((ids_S != self.tokenizer.pad_id).sum())
        return self.start + max(words, 1)


class Plan(NamedTuple):
    """What a batch holds on average.

    fill: share of the tokens of a batch that are of clips. tokens: of clips, a batch. clips_N, share_N: for each size,
    clips a batch and share of the tokens.
    """

    fill: float
    tokens: float
    clips_N: tuple[float, ...]
    share_N: tuple[float, ...]


def packed_batches(
    streams: Sequence[Stream],
    config: PackingConfig,
    seed: int,
    captions: Captions,
    patch: tuple[int, int, int],
    rows: Sequence[int] | None = None,
) -> grain.IterDataset:
    """Endless batches of packed rows, of which only `rows` are read and given.

    They hold "tokens_BLP" float16, "positions_BL3", "extent_BL3" and "segments_BL" int32 (see `vidgen.models.rows`),
    "text_BS" and "captions_BS" int32 (see `vidgen.models.text.TextEncoder`), "shift_BE" float32 of each clip, and
    "cells_BL" and "places_BL4" where the items have them.

    Raises:
        ValueError: a clip has more tokens than a row, or a caption than there is room for; a size is starved; a row is
            not in the batch.
    """
    config = with_room(config, captions, max(stream.text_length for stream in streams))
    plan([stream.size for stream in streams], config, seed)
    places = _places([stream.size for stream in streams], [len(stream.items) for stream in streams], seed)
    chosen = tuple(range(config.rows) if rows is None else rows)
    if not chosen or not {*chosen} <= {*range(config.rows)}:
        raise ValueError(f"rows {chosen} were given; a batch of {config.rows} has rows 0 to {config.rows - 1}")

    def read(batch: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        return _stack([row(place_L) for place_L in batch["place"][list(chosen)]])

    def row(place_L: np.ndarray) -> dict[str, np.ndarray]:
        clips, told = zip(*map(clip, _places_in(place_L)), strict=True)
        return _lay(clips, config) | _lay_captions(told, captions, config)

    def clip(place: int) -> tuple[dict[str, np.ndarray], Callable[[int], np.ndarray]]:
        stream, index = _at(places, place)
        size, items, shift, text_length = streams[stream]
        item = items[index]
        pick = functools.partial(_pick, item, [seed, place], captions.tokenizer, text_length)
        return _tokens(item, size.extent, patch) | {"shift": np.asarray(shift, np.float32)}, pick

    return grain.experimental.ThreadPrefetchIterDataset(
        _packed(places, [stream.size for stream in streams], config, seed).map(read), prefetch_buffer_size=READ_AHEAD
    )


def with_room(config: PackingConfig, captions: Captions, longest: int) -> PackingConfig:
    """Rows with no more clips than there is room for the captions of, which have `longest` tokens at most.

    Raises:
        ValueError: there is not room for one.
    """
    most = captions.start + longest
    if most > config.text:
        raise ValueError(
            f"a caption takes up to {most} tokens and a row has room for {config.text}: raise packing.text, or lower "
            f"the streams' text_length"
        )
    room = most if captions.whole else captions.start + 1
    return dataclasses.replace(config, clips=min(config.clips, config.text // room))


def plan(sizes: Sequence[Size], config: PackingConfig, seed: int = 0) -> Plan:
    """What batches hold, found by packing some hundreds of them.

    Raises:
        ValueError: a clip has more tokens than a row, or a size is starved: the message says how to help.
    """
    _check_sizes(sizes)
    largest = max(sizes, key=lambda size: size.tokens)
    if largest.tokens > config.tokens:
        raise ValueError(
            f"a clip of {largest.name} has {largest.tokens} tokens and a row has {config.tokens}: give rows at least "
            f"as many, or make the clips smaller"
        )
    places = _places(sizes, [2**20] * len(sizes), seed)
    batches = max(4 * SCARCE, 4 * config.open_rows // config.rows)
    stream = iter(_packed(places, sizes, config, seed))
    found_N = np.zeros(len(sizes))
    for _ in range(batches):
        for place_L in next(stream)["place"]:
            for place in _places_in(place_L):
                found_N[_at(places, place)[0]] += 1
    return _plan(sizes, found_N / batches, config.rows * config.tokens)


def shares(sizes: Sequence[Size], batch_sizes: Sequence[int]) -> Plan:
    """What batches of clips of one size hold on average, where weights are shares of the batches.

    Raises:
        ValueError: a size is starved.
    """
    _check_sizes(sizes)
    weight_N = np.array([size.weight for size in sizes]) / sum(size.weight for size in sizes)
    clips_N = weight_N * batch_sizes
    return _plan(sizes, clips_N, float(clips_N @ [size.tokens for size in sizes]))


def _plan(sizes: Sequence[Size], clips_N: np.ndarray, room: float) -> Plan:
    """room: tokens of a batch, filled or not."""
    for size, clips in zip(sizes, clips_N, strict=True):
        if clips * SCARCE < 1:
            raise ValueError(
                f"{size.name} is starved: {clips:.3f} clips a batch, and there should be one in {SCARCE} batches; "
                f"raise its weight, or what a batch holds"
            )
    tokens_N = clips_N * [size.tokens for size in sizes]
    total = float(tokens_N.sum())
    return Plan(total / room, total, tuple(clips_N.tolist()), tuple((tokens_N / total).tolist()))


def _check_sizes(sizes: Sequence[Size]) -> None:
    if not sizes or not all(math.isfinite(size.weight) and size.weight > 0 for size in sizes):
        raise ValueError(f"sizes {tuple(sizes)} were given; give at least one, each with a weight above 0")


def _places(sizes: Sequence[Size], counts: Sequence[int], seed: int) -> grain.MapDataset:
    """(which stream, which of its items) at each place of the endless stream of all."""
    streams = []
    for number, (size, count) in enumerate(zip(sizes, counts, strict=True)):
        items = endless(range(count), seed, name=f"order {size.name}")
        streams.append(items.map(lambda index, number=number: (number, int(index))))
    return grain.MapDataset.mix(streams, [size.weight / size.tokens for size in sizes])


def _at(places: grain.MapDataset, place: int) -> tuple[int, int]:
    found = places[place]
    assert found is not None  # the stream is endless, and nothing is left out of it
    return found


def _packed(places: grain.MapDataset, sizes: Sequence[Size], config: PackingConfig, seed: int) -> grain.IterDataset:
    """Batches {"place": [rows, tokens]}: where in the stream the clip of each token stands, from 1; 0 is none."""

    def fill(at: int, place: tuple[int, int]) -> dict[str, np.ndarray]:
        return {"place": np.full(sizes[place[0]].tokens, at + 1, np.int64)}

    rows = grain.experimental.FirstFitPackIterDataset(
        places.map_with_index(fill).to_iter_dataset(grain.ReadOptions(num_threads=0)),
        length_struct={"place": config.tokens},
        num_packing_bins=config.open_rows,
        max_sequences_per_bin=config.clips,
        seed=seed,
    )
    return rows.map(lambda row: {"place": row["place"]}).batch(config.rows)


def _places_in(place_L: np.ndarray) -> Iterator[int]:
    """The places of the clips in a row, in order."""
    starts = np.flatnonzero(np.diff(place_L, prepend=0))
    yield from (int(place) - 1 for place in place_L[starts] if place > 0)


def _tokens(item: LatentItem, extent: tuple[int, int, int], patch: tuple[int, int, int]) -> dict[str, np.ndarray]:
    """A clip's tokens, with all that goes with each."""
    tokens_THWP: Any = patchify(item["latent"][None], patch)[0]  # pyright: ignore[reportArgumentType] - NumPy will do
    if tokens_THWP.shape[:3] != extent:
        raise ValueError(f"a clip of {tokens_THWP.shape[:3]} tokens came in a stream of clips of {extent}")
    L = math.prod(extent)
    found = {
        "tokens": tokens_THWP.reshape(L, -1),
        "positions": np.stack(np.unravel_index(np.arange(L), extent), -1).astype(np.int32),
        "extent": np.broadcast_to(np.array(extent, np.int32), (L, 3)),
    }
    if "cells" in item and "places" in item:
        found |= {"cells": item["cells"].reshape(L), "places": item["places"].reshape(L, 4)}
    return found


def _pick(item: LatentItem, key: list[int], tokenizer: AnyTokenizer, longest: int, limit: int) -> np.ndarray:
    """A caption of at most `limit` tokens, if the clip has one; the same for the same key, if it is not too long."""
    return pick_caption(item, np.random.default_rng(key), tokenizer, min(longest, limit))


def _lay_captions(
    picks: Sequence[Callable[[int], np.ndarray]], captions: Captions, config: PackingConfig
) -> dict[str, np.ndarray]:
    """Captions one after another in a row of fixed length; `picks` give that of each clip, of a length at most."""
    told = [pick(config.text) for pick in picks]
    rooms = np.array([captions.room(ids_S) for ids_S in told])
    share = config.text // len(told) - captions.start
    while rooms.sum() > config.text:
        longest = int(rooms.argmax())
        limit = rooms[longest] - captions.start - (rooms.sum() - config.text)
        told[longest] = picks[longest](max(int(limit), share))
        rooms[longest] = captions.room(told[longest])
    text_S, captions_S = np.zeros((2, config.text), np.int32)
    ends = np.cumsum(rooms)
    for number, (ids_S, room, end) in enumerate(zip(told, rooms, ends, strict=True), 1):
        captions_S[end - room : end] = number
        text_S[end - room + captions.start : end] = ids_S[: room - captions.start]
    return {"text_BS": text_S, "captions_BS": captions_S}


def _lay(clips: Sequence[dict[str, np.ndarray]], config: PackingConfig) -> dict[str, np.ndarray]:
    """Clips one after another in a row of fixed length."""
    L = sum(len(clip["tokens"]) for clip in clips)

    def joined(name: str, empty: int) -> np.ndarray:
        x = np.concatenate([clip[name] for clip in clips])
        return np.concatenate([x, np.full((config.tokens - L, *x.shape[1:]), empty, x.dtype)])

    segments = [np.full(len(clip["tokens"]), number, np.int32) for number, clip in enumerate(clips, 1)]
    shift_E = np.ones(config.clips, np.float32)
    shift_E[: len(clips)] = [clip["shift"] for clip in clips]
    row = {
        "tokens_BLP": joined("tokens", 0),
        "positions_BL3": joined("positions", 0),
        "extent_BL3": joined("extent", 1),
        "segments_BL": np.concatenate([*segments, np.zeros(config.tokens - L, np.int32)]),
        "shift_BE": shift_E,
    }
    if "cells" in clips[0]:
        row |= {"cells_BL": joined("cells", -1), "places_BL4": joined("places", 0)}
    return row


def _stack(rows: Sequence[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    return {name: np.stack([row[name] for row in rows]) for name in rows[0]}
