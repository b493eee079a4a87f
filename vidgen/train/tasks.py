# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Which parts of clips are given while a transformer learns: all tasks are trained at once, as masks."""

import dataclasses

import jax
import jax.numpy as jnp
from jax import Array

from vidgen import trees


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
    def always_free(self) -> bool:
        """Whether nothing is ever given."""
        return not any((self.first, self.last, self.both, self.box))


def draw_made(key: Array, shape: tuple[int, int, int, int], mix: TaskMix, patch: tuple[int, int, int]) -> Array:
    """Masks of clips [B, T, H, W], True where a cell is to be made: whole tokens of `patch`, at least one a clip.

    Raises:
        ValueError: tokens do not divide the clips.
    """
    B, T, H, W = (size // side for size, side in zip(shape, (1, *patch), strict=True))
    if (B, T * patch[0], H * patch[1], W * patch[2]) != shape:
        raise ValueError(f"clips of {shape[1:]} latent cells cannot be cut into tokens of {patch}")
    weights = jnp.array(dataclasses.astuple(mix))
    kind_B = jax.random.categorical(trees.fold_in_str(key, "task"), jnp.log(weights), shape=(B,))

    def at_most(name: str, most: int | Array, least: int = 0) -> Array:
        """A whole number for each clip, evenly from least to most."""
        share_B = jax.random.uniform(trees.fold_in_str(key, name), (B,))
        return jnp.minimum(least + jnp.floor(share_B * (most - least + 1)), most).astype(jnp.int32)

    # The number of given frames, of which one is left to be made; with both, at least one frame at each end.
    first_B = at_most("first", max(T - 1, 0), least=min(1, T - 1))
    last_B = at_most("last", max(T - 1, 0), least=min(1, T - 1))
    head_B = at_most("head", max(T - 2, 0), least=min(1, max(T - 2, 0)))
    tail_B = at_most("tail", jnp.maximum(T - 1 - head_B, 0), least=min(1, max(T - 2, 0)))
    frame_1T = jnp.arange(T)[None]
    given_first_BT = frame_1T < first_B[:, None]
    given_last_BT = frame_1T >= T - last_B[:, None]
    given_both_BT = (frame_1T < head_B[:, None]) | (frame_1T >= T - tail_B[:, None])
    box_BHW = _boxes(key, B, H, W)
    inverted_B = jax.random.bernoulli(trees.fold_in_str(key, "inverted"), 0.5, (B,))
    whole_B = box_BHW.all((1, 2))
    given_box_BHW = box_BHW ^ (~inverted_B | whole_B)[:, None, None]
    frames = [jnp.zeros((B, T), bool), given_first_BT, given_last_BT, given_both_BT]
    given = [*(jnp.broadcast_to(x[..., None, None], (B, T, H, W)) for x in frames)]
    given += [jnp.broadcast_to(given_box_BHW[:, None], (B, T, H, W))]
    made_BTHW = ~jnp.take_along_axis(jnp.stack(given), kind_B[None, :, None, None, None], axis=0)[0]
    for axis, side in enumerate(patch, start=1):
        made_BTHW = jnp.repeat(made_BTHW, side, axis=axis)
    return made_BTHW


def _boxes(key: Array, B: int, H: int, W: int) -> Array:
    """Boxes of half of a side on average, at least a token: bool [B, H, W], True inside."""
    inside = []
    for name, size in (("rows", H), ("columns", W)):
        low_B, high_B = jnp.sort(jax.random.uniform(trees.fold_in_str(key, name), (2, B)), axis=0)
        low_B = jnp.floor(low_B * size)
        high_B = jnp.maximum(jnp.ceil(high_B * size), low_B + 1)
        at_1S = jnp.arange(size)[None]
        inside.append((at_1S >= low_B[:, None]) & (at_1S < high_B[:, None]))
    return inside[0][:, :, None] & inside[1][:, None, :]
