# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Clips with texts of every style, and short prompts with their expansions: what a captioner learns from."""

import dataclasses
import functools
import itertools
import re
import zlib
from collections.abc import Sequence
from typing import NamedTuple, TypedDict

import grain
import numpy as np

from vidgen.data.pipeline import WorldSource, batched, endless
from vidgen.data.tokenizer import Tokenizer
from vidgen.worlds.captions import caption, read_caption
from vidgen.worlds.cells import scene_cells
from vidgen.worlds.checking import mirrored_text
from vidgen.worlds.event_captions import event_caption
from vidgen.worlds.render import render

STYLES = ("short", "descriptive", "events")
"""Kinds of text that a captioner is asked for: what is there, everything, and what happens when."""
PHRASINGS = 4
"""Texts of each style that a clip is labelled with."""
MIRRORED = 0.5
"""Share of clips that are shown mirrored, with "left" and "right" exchanged in their texts."""
BARE = 0.15
"""Share of prompts without articles, as people type them."""
MIRROR_4 = np.array([-1, 1, -1, 1], np.float16)


class LabelledItem(TypedDict):
    """A clip and one text of it, and a prompt with its expansion.

    video_FHWC: uint8. style: int32, of STYLES. text_S, prompt_S, wish_S: int32 ids, padded. cells_THW, places_THW4: as
    in `vidgen.data.pipeline.LatentItem`.
    """

    video_FHWC: np.ndarray
    style: np.ndarray
    text_S: np.ndarray
    prompt_S: np.ndarray
    wish_S: np.ndarray
    cells_THW: np.ndarray
    places_THW4: np.ndarray


class Labelled(NamedTuple):
    """What is kept of a clip: its pixels, compressed; texts of each style; (prompt, expansion) that fit together; what
    is in its cells.
    """

    pixels: bytes
    texts: tuple[tuple[str, ...], ...]
    pairs: tuple[tuple[str, str], ...]
    cells_THW: np.ndarray
    places_THW4: np.ndarray


@dataclasses.dataclass(frozen=True)
class LabelledSource:
    """The scenes of `worlds` with their labels; each is rendered once and then kept in memory.

    patch: frames, rows and columns of pixels in a token. stride: every so manieth frame of a scene is shown. concepts:
    all that the scenes can show.
    """

    worlds: WorldSource
    patch: tuple[int, int, int]
    stride: int
    concepts: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.worlds)

    def __getitem__(self, index: int) -> Labelled:
        return _labelled(self.worlds, index, self.patch, self.stride, self.concepts)


@functools.lru_cache(maxsize=2**15)  # some 40 kB each
def _labelled(
    worlds: WorldSource, index: int, patch: tuple[int, int, int], stride: int, concepts: tuple[str, ...]
) -> Labelled:
    scene = worlds.scene(index)
    short, descriptive = (
        tuple(caption(scene, seed, style) for seed in range(PHRASINGS)) for style in ("short", "descriptive")
    )
    events = tuple(event_caption(scene, seed) for seed in range(PHRASINGS if scene.story else 1))
    row_THW, *places = scene_cells(scene, (stride * patch[0], *patch[1:]))
    concept_N = np.array([*(concepts.index(thing.concept) for thing in scene.objects), -1], np.int16)
    return Labelled(
        zlib.compress(render(scene)[::stride].tobytes(), 1),
        (short, descriptive, events),
        expansions(short, descriptive),
        concept_N[row_THW],
        np.concatenate(places, axis=-1).astype(np.float16),
    )


def expansions(short: Sequence[str], descriptive: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Pairs of a short text and a longer one that says everything that the short one says; all pairs if there is none.

    The texts are true of one scene, so that none contradicts another.
    """
    claims = {text: read_caption(text) for text in (*short, *descriptive)}
    pairs = tuple(itertools.product(short, descriptive))
    return tuple(pair for pair in pairs if claims[pair[0]] <= claims[pair[1]]) or pairs


def bare(text: str) -> str:
    """A text without its articles, in lower case."""
    return re.sub(r"\b(?:an?|the) ", "", text.lower())


def labelled_batches(
    source: LabelledSource,
    batch_size: int,
    seed: int,
    tokenizer: Tokenizer,
    lengths: tuple[int, int],
    styles: Sequence[float],
    rows: Sequence[int] | None = None,
) -> grain.IterDataset:
    """Endless batches of `LabelledItem`s, the names with a leading B; otherwise as `video_batches`.

    lengths: tokens of a text and of a prompt; phrasings that are longer are passed over, and cut where all are.
    styles: how often each of STYLES is asked for. What a visit takes depends on the seed and the place in the stream.
    """
    shares = np.asarray(styles, float) / np.sum(styles)

    def pick(item: Labelled, rng: np.random.Generator) -> dict[str, np.ndarray]:
        T, H, W = item.cells_THW.shape
        p, q, r = source.patch
        style = int(rng.choice(len(STYLES), p=shares))
        mirror = rng.random() < MIRRORED
        said = mirrored_text if mirror else str
        text_S = _fitting([said(text) for text in item.texts[style]], rng, tokenizer, lengths[0])
        prompt, wish = item.pairs[int(rng.integers(len(item.pairs)))]
        wishes = [wish, *(two for one, two in item.pairs if one == prompt)]
        shown = np.frombuffer(zlib.decompress(item.pixels), np.uint8).reshape(1 + p * (T - 1), q * H, r * W, 3)
        cells, places = item.cells_THW, item.places_THW4
        if mirror:  # what goes to the right is where x grows
            shown, cells, places = shown[:, :, ::-1], cells[:, :, ::-1], places[:, :, ::-1] * MIRROR_4
        return {
            "video_BFHWC": shown,
            "style_B": np.asarray(style, np.int32),
            "text_BS": text_S,
            "prompt_BS": tokenizer.batch([said(bare(prompt) if rng.random() < BARE else prompt)], lengths[1])[0],
            "wish_BS": _fitting([said(text) for text in wishes], None, tokenizer, lengths[0]),
            "cells_BTHW": cells,
            "places_BTHW4": places,
        }

    items = endless(source, seed, name="labelled").random_map(pick, seed=seed)
    return batched(items, batch_size, rows)


def _fitting(texts: Sequence[str], rng: np.random.Generator | None, tokenizer: Tokenizer, length: int) -> np.ndarray:
    """One of some texts that fits, at random or the first: int32 [length]; cut where none fits."""
    order = range(len(texts)) if rng is None else rng.permutation(len(texts))
    row_S = np.zeros(0, np.int32)
    for at in order:
        row_S = tokenizer.batch([texts[int(at)]], length + 1)[0]
        if row_S[-1] == tokenizer.pad_id:
            break
    return row_S[:length]
