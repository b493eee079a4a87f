# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Rows of tokens: what a transformer sees of clips, one clip a row or several clips of any sizes in one."""

from typing import NamedTuple

import jax.numpy as jnp
from jax import Array

from vidgen.models import rope
from vidgen.models.dit import DiT, Prediction, Segments
from vidgen.models.layers import apply, patchify, unpatchify
from vidgen.models.memory import TextMemory


class Rows(NamedTuple):
    """Clips in rows.

    tokens_BLP: patches of latents (P = patch volume x channels).
    positions_BL3: (frame, row, column) of each token in its own clip, in patches.
    extent_BL3: (frames, rows, columns) of the clip that each token belongs to.
    segments_BL: which of the row's clips that is, from 1, and 0 where the row is only filled up; None where all of a
        row is one clip.
    """

    tokens_BLP: Array
    positions_BL3: Array
    extent_BL3: Array
    segments_BL: Array | None = None

    def owned(self, x_BE: Array) -> Array:
        """The value of each token's own clip, [B, E] -> [B, L]; filling has that of the first."""
        if self.segments_BL is None:
            return jnp.broadcast_to(x_BE[:, :1], self.tokens_BLP.shape[:2])
        return jnp.take_along_axis(x_BE, jnp.maximum(self.segments_BL - 1, 0), axis=1)

    @property
    def real(self) -> Array:
        """Which tokens are of a clip: [B, L]."""
        if self.segments_BL is None:
            return jnp.ones(self.tokens_BLP.shape[:2], bool)
        return self.segments_BL > 0


def lay_out(x_BTHWC: Array, patch: tuple[int, int, int], multiple: int = 1) -> Rows:
    """One clip a row, filled up to a `multiple` of tokens, so that a mesh can divide it."""
    tokens_BTHWP = patchify(x_BTHWC, patch)
    B, T, H, W, P = tokens_BTHWP.shape
    L, fill = T * H * W, -(T * H * W) % multiple
    positions_BL3 = jnp.broadcast_to(rope.grid_positions(T, H, W), (B, L, 3))
    extent_BL3 = jnp.broadcast_to(jnp.array([T, H, W]), positions_BL3.shape)
    rows = Rows(tokens_BTHWP.reshape(B, L, P), positions_BL3, extent_BL3)
    if not fill:
        return rows
    # Filling repeats the last token, in a segment of its own.
    tokens, positions, extent = (jnp.pad(a, ((0, 0), (0, fill), (0, 0)), "edge") for a in rows[:3])
    segments_BL = jnp.broadcast_to(jnp.arange(L + fill) < L, (B, L + fill)).astype(jnp.int32)
    return Rows(tokens, positions, extent, segments_BL)


def apply_to_rows(
    model: DiT,
    params: dict,
    rows: Rows,
    t_BE: Array,
    text_BESD: Array | TextMemory,
    text_real_BES: Array,
    given_BL: Array | None = None,
    captions_BL: Array | None = None,
    of_text_BS: Array | None = None,
) -> Prediction:
    """`Prediction` of rows whose tokens are noisy.

    Args:
        t_BE: the time of what follows each caption of a row; text_BESD, text_real_BES: the caption's features, or
            what is remembered of them, and which of them are not padding.
        given_BL: bool, the tokens that are given, whose time is 0; None where nothing is.
        captions_BL: which of the captions, from 0, each token follows; None where each clip has its own, in order.
        of_text_BS: where captions lie one after another in text_BESD, as if they were one: which of them each of its
            tokens is of, from 0, and -1 where it is of none. None where each has as much room as the longest.
    """
    (B, E), (_, room, S, D) = t_BE.shape, text_BESD.shape
    several = captions_BL is not None or rows.segments_BL is not None
    if captions_BL is None:
        captions_BL = rows.owned(jnp.broadcast_to(jnp.arange(E), (B, E)))
    ids_BL = captions_BL
    if given_BL is not None:
        # A time belongs to one caption, so that each has its own 0.
        t_BE, ids_BL = jnp.concatenate([t_BE, jnp.zeros_like(t_BE)], axis=1), ids_BL + E * given_BL
    segments = None
    if several:
        if of_text_BS is None:
            of_text_BS = jnp.broadcast_to(jnp.repeat(jnp.arange(E), S), (B, E * S))
        segments = Segments(rows.segments_BL, captions_BL, of_text_BS)
    memory = None
    if isinstance(text_BESD, TextMemory):
        text_BESD, memory = text_BESD.features_BESD, text_BESD.of_blocks()
    text_BSD, real_BS = text_BESD.reshape(B, room * S, D), text_real_BES.reshape(B, room * S)
    return apply(model, params, *rows[:3], t_BE, ids_BL, text_BSD, real_BS, segments, memory)


def apply_to_grid(
    model: DiT,
    params: dict,
    x_BTHWC: Array,
    t_B: Array,
    text_BESD: Array | TextMemory,
    text_real_BES: Array,
    given_BTHW: Array | None = None,
    multiple: int = 1,
    captions_T: Array | None = None,
    spare: bool = False,
) -> Array:
    """The velocity of a batch of whole clips, latents [B, T, H, W, C], in their shape: a solver's view of the network.

    With `spare`, what it says beside the velocity comes behind it: [B, T, H, W, 2 C].

    Args:
        t_B: the time of what is made; given_BTHW: bool, the cells that are given, the same for all of a token.
        text_BESD, text_real_BES: as in `apply_to_rows`, of each clip's captions; several need captions_T.
        multiple: see `lay_out`.
        captions_T: which of its captions, from 0, each latent frame of a clip follows.
    """
    B, T, H, W, _ = x_BTHWC.shape
    p, q, r = patch = model.config.patch
    rows, given_BL = lay_out(x_BTHWC, patch, multiple), None
    L = T * H * W // (p * q * r)
    if given_BTHW is not None:
        fill = rows.tokens_BLP.shape[1] - L
        given_BL = jnp.pad(given_BTHW[:, ::p, ::q, ::r].reshape(B, L), ((0, 0), (0, fill)))
    captions_BL = None
    if captions_T is not None:
        captions_BL = captions_T[::p][rows.positions_BL3[..., 0]]
    t_BE = jnp.broadcast_to(t_B[:, None], text_BESD.shape[:2])
    said = apply_to_rows(model, params, rows, t_BE, text_BESD, text_real_BES, given_BL, captions_BL)
    wanted = [said.velocity_BLP, said.spare_BLP] if spare else [said.velocity_BLP]
    grids = [unpatchify(x[:, :L].reshape(B, T // p, H // q, W // r, -1), patch) for x in wanted if x is not None]
    return grids[0] if len(grids) == 1 else jnp.concatenate(grids, axis=-1)
