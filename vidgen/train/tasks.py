# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Which parts of clips are given while a transformer learns: all tasks are trained at once, as masks."""

import dataclasses

import jax
import jax.numpy as jnp
from jax import Array

from vidgen import trees
from vidgen.models.rows import Rows


@dataclasses.dataclass(frozen=True)
class TaskMix:
    """How often each task is drawn, in proportion; a picture alone has no other frames, and there frames count as free.

    Attributes:
        free: nothing is given but the text.
        first: the first latent frames, any number of them: pictures that start to move, clips that go on.
        last: the last ones: how a clip came about.
        both: first and last ones: clips that are joined, loops.
        box: all but a box of cells in all frames, or nothing but the box: what is painted over.
    """

    free: float = 1.0
    first: float = 0.0
    last: float = 0.0
    both: float = 0.0
    box: float = 0.0

    def __post_init__(self) -> None:
        weights = dataclasses.astuple(self)
        if min(weights) < 0 or not sum(weights):
            raise ValueError(f"the weights of tasks are {weights}; none may be below 0, and one must be above")

    @property
    def names(self) -> tuple[str, ...]:
        """What a model trained on them can do beside making all of a clip; see `vidgen.sample.card.Card.tasks`."""
        return (*(("ends",) if self.first or self.last or self.both else ()), *(("box",) if self.box else ()))

    @property
    def always_free(self) -> bool:
        """Whether nothing is ever given."""
        return not any((self.first, self.last, self.both, self.box))


def draw_made(key: Array, rows: Rows, clips: int, mix: TaskMix) -> Array:
    """Which tokens of rows of up to `clips` clips are to be made: bool [B, L], at least one of each clip.

    What is drawn for a clip does not depend on its size, and is then measured in its own frames, rows and columns.
    """
    B = rows.tokens_BLP.shape[0]
    weights = jnp.array(dataclasses.astuple(mix))
    kind_BE = jax.random.categorical(trees.fold_in_str(key, "task"), jnp.log(weights), shape=(B, clips))
    T = rows.extent_BL3[..., 0]
    frame_BL = rows.positions_BL3[..., 0]

    def at_most(name: str, most: Array, least: Array) -> Array:
        """A whole number for each clip, evenly from least to most."""
        share = rows.owned(jax.random.uniform(trees.fold_in_str(key, name), (B, clips)))
        return jnp.minimum(least + jnp.floor(share * (most - least + 1)), most).astype(jnp.int32)

    # The number of given frames, of which one is left to be made; with both, at least one frame at each end.
    one, inner = jnp.minimum(1, T - 1), jnp.maximum(T - 2, 0)
    first = at_most("first", T - 1, one)
    last = at_most("last", T - 1, one)
    head = at_most("head", inner, jnp.minimum(1, inner))
    tail = at_most("tail", jnp.maximum(T - 1 - head, 0), jnp.minimum(1, inner))
    boxed_BL, whole_BL = _boxes(key, rows, clips)
    inverted = rows.owned(jax.random.bernoulli(trees.fold_in_str(key, "inverted"), 0.5, (B, clips)))
    given_KBL = jnp.stack(
        [
            jnp.zeros_like(boxed_BL),
            frame_BL < first,
            frame_BL >= T - last,
            (frame_BL < head) | (frame_BL >= T - tail),
            boxed_BL ^ (~inverted | whole_BL),
        ]
    )
    return ~jnp.take_along_axis(given_KBL, rows.owned(kind_BE)[None], axis=0)[0]


def _boxes(key: Array, rows: Rows, clips: int) -> tuple[Array, Array]:
    """A box in each clip, of half of a side on average and at least a token: whether each token lies in it, and whether
    it holds all of the clip; bool [B, L] each.
    """
    boxed = whole = jnp.ones(rows.tokens_BLP.shape[:2], bool)
    for axis, name in ((1, "rows"), (2, "columns")):
        shares = jax.random.uniform(trees.fold_in_str(key, name), (2, len(boxed), clips))
        low, high = (rows.owned(share_BE) for share_BE in jnp.sort(shares, axis=0))
        at, size = rows.positions_BL3[..., axis], rows.extent_BL3[..., axis]
        low = jnp.floor(low * size)
        high = jnp.maximum(jnp.ceil(high * size), low + 1)
        boxed &= (at >= low) & (at < high)
        whole &= (low == 0) & (high >= size)
    return boxed, whole
