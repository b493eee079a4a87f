# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Sources and resumable batches.

A source is anything with a length and random access to items: rendered worlds, a data set on disk, cached latents.
The functions here turn a source into an endless Grain stream of batches. A stream is a pure function of its
arguments, and `iterator.get_state()` is a small JSON-able value: a fresh iterator that is given that state goes on
with bit-identical batches. Reading ahead is done by threads of this process.

Where several processes share the work, each reads its own `rows` of every batch and no others. What a row holds depends
on its place in the whole batch alone, and the state counts whole batches, so that it is the same in all processes and a
stream may go on in another number of them.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NotRequired, Protocol, TypedDict

import grain
import numpy as np

from vidgen.data.tokenizer import AnyTokenizer
from vidgen.worlds.captions import caption
from vidgen.worlds.motion import Scene
from vidgen.worlds.render import render

CAPTIONS_PER_CLIP = 8
SYNTHETIC_SHARE = 0.95
"""How often a clip that was recaptioned is shown with what the captioner wrote (DALL-E 3, section 3.4)."""
READ_THREADS = 2
READ_AHEAD = 4  # batches held ready


class VideoItem(TypedDict):
    """One clip: `video` uint8 [F, H, W, C] and its captions; `synthetic` has those that a captioner wrote, if any."""

    video: np.ndarray
    captions: tuple[str, ...]
    synthetic: NotRequired[tuple[str, ...]]


class LatentItem(TypedDict):
    """One encoded clip: `latent` float16 [T, H, W, C] and its captions; `synthetic` has what a captioner wrote, if any,
    and `synthetic_share` how often that is shown (SYNTHETIC_SHARE where nothing is said).

    Where it is known what is in each cell (see `vidgen.data.cells`): `cells` int16 [T, H, W], the concept or -1, and
    `places` float16 [T, H, W, 4], where in the thing the cell is and where the thing goes.
    """

    latent: np.ndarray
    captions: tuple[str, ...]
    synthetic: NotRequired[tuple[str, ...]]
    synthetic_share: NotRequired[float]
    cells: NotRequired[np.ndarray]
    places: NotRequired[np.ndarray]


class VideoSource(Protocol):
    """Random access to clips."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> VideoItem: ...


class LatentItems(Protocol):
    """Random access to encoded clips."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> LatentItem: ...


class DrawsScenes(Protocol):
    """What scenes are drawn from: a `SceneConfig`, a `StoryConfig`, or a `SplitConfig` of such."""

    def draw(self, seed: int) -> Scene:
        """The scene of a seed; pure."""
        ...


@dataclass(frozen=True)
class WorldSource:
    """`size` scenes drawn from `config`, rendered when they are asked for; item i depends on (config, seed, i) alone.

    Two sources with different seeds share no scene seed.
    """

    config: DrawsScenes
    size: int
    seed: int

    def __post_init__(self) -> None:
        if not 1 <= self.size < 2**31:
            raise ValueError(f"a world source holds 1 to 2**31 - 1 scenes; size={self.size} was given")
        if not 0 <= self.seed < 2**31:
            raise ValueError(f"the seed of a world source lies in 0 to 2**31 - 1; {self.seed} was given")

    def __len__(self) -> int:
        return self.size

    def scene(self, index: int) -> Scene:
        """The scene behind item `index`, with its ground truth."""
        if not 0 <= index < self.size:
            raise IndexError(f"scene {index} was asked for; this source has scenes 0 to {self.size - 1}")
        return self.config.draw((self.seed << 32) + int(index))

    def __getitem__(self, index: int) -> VideoItem:
        scene = self.scene(index)
        return {"video": render(scene), "captions": tuple(caption(scene, k) for k in range(CAPTIONS_PER_CLIP))}


def video_batches(
    source: VideoSource, batch_size: int, seed: int, shuffle: bool = True, rows: Sequence[int] | None = None
) -> grain.IterDataset:
    """Endless batches {"video_BFHWC": uint8 [batch_size, F, H, W, C]} of any source of clips of one shape.

    Every pass over the source is in a new order; without `shuffle`, in the source's order. With `rows`, only those of
    each batch are read and given, in that order.
    Raises ValueError when the source is empty, `batch_size` is not positive, or a row is not in the batch.
    """
    items = endless(source, seed, shuffle).map(lambda item: {"video_BFHWC": item["video"]})
    return batched(items, batch_size, rows)


def captioned_batches(
    source: VideoSource,
    batch_size: int,
    seed: int,
    tokenizer: AnyTokenizer,
    text_length: int,
    rows: Sequence[int] | None = None,
) -> grain.IterDataset:
    """`video_batches` with one of each clip's captions, as `latent_batches` picks them: "text_BS", int32."""

    def pick(item: VideoItem, rng: np.random.Generator) -> dict[str, np.ndarray]:
        return {"video_BFHWC": item["video"], "text_BS": pick_caption(item, rng, tokenizer, text_length)}

    items = endless(source, seed).random_map(pick, seed=_named_seed(seed, "caption"))
    return batched(items, batch_size, rows)


def latent_batches(
    source: LatentItems,
    batch_size: int,
    seed: int,
    tokenizer: AnyTokenizer,
    text_length: int,
    shuffle: bool = True,
    rows: Sequence[int] | None = None,
    shift: float = 1.0,
) -> grain.IterDataset:
    """Endless batches {"latent_BTHWC": float16, "text_BS": int32 [batch_size, text_length], "shift_B": float32, that of
    the times}, and "cells_BTHW" and "places_BTHW4" where the items have them.

    Each visit of an item picks a caption, see `pick_caption`; which one depends on the seed and the place in the stream
    alone. `rows` and errors are those of `video_batches`; a ValueError too for an item without a caption.
    """

    def pick(item: LatentItem, rng: np.random.Generator) -> dict[str, np.ndarray]:
        text_S = pick_caption(item, rng, tokenizer, text_length)
        batch = {"latent_BTHWC": item["latent"], "text_BS": text_S, "shift_B": np.float32(shift)}
        if "cells" in item and "places" in item:
            batch |= {"cells_BTHW": item["cells"], "places_BTHW4": item["places"]}
        return batch

    items = endless(source, seed, shuffle).random_map(pick, seed=_named_seed(seed, "caption"))
    return batched(items, batch_size, rows)


def pick_caption(
    item: VideoItem | LatentItem, rng: np.random.Generator, tokenizer: AnyTokenizer, text_length: int
) -> np.ndarray:
    """One of an item's captions, at random among those that `text_length` tokens hold; where all are longer, one is
    cut: int32 [text_length]. Of an item with captions that a captioner wrote, its "synthetic_share" are these. Raises
    ValueError for an item without a caption.
    """
    texts, written = item["captions"], item.get("synthetic", ())
    if written and (not texts or rng.random() < item.get("synthetic_share", SYNTHETIC_SHARE)):
        texts = written
    if not texts:
        raise ValueError("an item has no caption; give every item of a text-to-video source at least one")
    row_S = np.zeros(0, np.int32)
    for choice in rng.permutation(len(texts)):
        row_S = tokenizer.batch([texts[int(choice)]], text_length + 1)[0]
        if row_S[-1] == tokenizer.pad_id:
            break  # it fits
    return row_S[:text_length]


def mix(datasets: Sequence[grain.IterDataset], weights: Sequence[float]) -> grain.IterDataset:
    """Whole batches drawn in turn from several streams, in the proportion of `weights` (which need not add up to 1).

    The order is fixed, not random: after n batches each stream has given its share of n to within about one batch,
    so a run meets every shape early and the mixture never drifts. Batches of different streams may differ in shape.
    Raises ValueError for no stream, a different number of weights, or a weight that is not positive and finite.
    """
    if not datasets:
        raise ValueError("no stream to mix was given; give at least one")
    if len(datasets) != len(weights):
        raise ValueError(f"{len(datasets)} streams and {len(weights)} weights were given; give one weight a stream")
    if not all(math.isfinite(w) and w > 0 for w in weights):
        raise ValueError(f"weights {tuple(weights)} were given; each must be positive: leave a stream out instead")
    return grain.IterDataset.mix(list(datasets), [float(w) for w in weights])


def endless(source: Any, seed: int, shuffle: bool = True, name: str = "order") -> grain.MapDataset:
    """The endless stream of a source's items, every pass in a new order; streams of other names have others. Raises
    ValueError when it is empty.
    """
    if len(source) == 0:
        raise ValueError(f"the data source is empty: {source!r}; check its path and split, or build it again")
    items = grain.MapDataset.source(source)
    if shuffle:
        items = items.shuffle(seed=_named_seed(seed, name))
    return items.repeat()


def batched(stream: grain.MapDataset, batch_size: int, rows: Sequence[int] | None = None) -> grain.IterDataset:
    """Batches of a stream of dictionaries; of each batch, the given rows alone are read.

    Raises ValueError when `batch_size` is not positive or a row is not in the batch.
    """
    if batch_size < 1:
        raise ValueError(f"batch_size={batch_size} was given; it must be at least 1")
    chosen = tuple(range(batch_size) if rows is None else rows)
    if not chosen or min(chosen) < 0 or max(chosen) >= batch_size:
        raise ValueError(f"rows {chosen} were given; a batch of {batch_size} has rows 0 to {batch_size - 1}")

    def read(number: int) -> dict[str, np.ndarray]:
        items: list[Any] = [stream[number * batch_size + row] for row in chosen]
        return {name: np.stack([item[name] for item in items]) for name in items[0]}

    options = grain.ReadOptions(num_threads=READ_THREADS, prefetch_buffer_size=READ_AHEAD)
    # An endless stream has no remainder, and Grain counts whole batches alone in exact integers.
    return grain.MapDataset.range(len(stream) // batch_size).map(read).to_iter_dataset(options)


def _named_seed(seed: int, name: str) -> int:
    """An independent 32-bit seed for one use.

    Grain shuffles epoch e with seed + e, so neighbouring seeds would otherwise repeat each other's orders.
    """
    return int(np.random.SeedSequence([seed, *name.encode()]).generate_state(1)[0])
