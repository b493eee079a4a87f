# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Every task is one mechanism: latents of which some are given, at time 0, and the others are to be made.

A mask says which. Given frames may be the first (a picture that starts to move, a clip that goes on), the last (how a
clip came about), both (two clips that are joined, a loop), or parts of all frames (what is painted over).
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jax import Array

from vidgen.sample.autoencoder import Autoencoder


class Known(NamedTuple):
    """What is known of clips before they are made; the batch may be 1 for many clips alike.

    latent_BTHWC: normalised latents, read where they are given, and where a sampler starts from less than noise alone.
    made_BTHW: bool, True where a cell is to be made.
    """

    latent_BTHWC: np.ndarray | Array
    made_BTHW: np.ndarray | Array


class Piece(NamedTuple):
    """Frames that are given: uint8 [F, H, W, 3], and where in the new clip the first of them is."""

    start: int
    frames_FHWC: np.ndarray


def place(vae: Autoencoder, pieces: Sequence[Piece], frames: int) -> Known:
    """A clip of so many frames in which these pieces are given.

    Latents stand for groups of frames (4, after frame 0), so that a piece from frame 0 on has 1 + a multiple of 4
    frames, and any other begins after a group and has a multiple of 4. The VAE is causal and sees a later piece as if
    its first frame had stood still before.

    Raises:
        ValueError: no piece is given, sizes differ, or a piece does not lie so or overlaps another.
    """
    if not pieces:
        raise ValueError("no frames were given; give at least one piece")
    height, width = pieces[0].frames_FHWC.shape[1:3]
    T, H, W, C = vae.config.latent_shape(frames, height, width)
    latent_THWC, made_THW = np.zeros((T, H, W, C), np.float32), np.ones((T, H, W), bool)
    for piece in pieces:
        if piece.frames_FHWC.shape[1:3] != (height, width):
            raise ValueError(f"pieces of {width}x{height} and of another size were given: fit them to one size")
        first, latent = _encode(vae, piece, frames)
        here = slice(first, first + len(latent))
        if not made_THW[here].all():
            raise ValueError(f"two pieces give frame {piece.start}: let them lie apart")
        latent_THWC[here], made_THW[here] = latent, False
    return Known(latent_THWC[None], made_THW[None])


def _encode(vae: Autoencoder, piece: Piece, frames: int) -> tuple[int, np.ndarray]:
    """(the latent frame that a piece begins with, its latents [T, H, W, C])."""
    group, (start, video) = vae.config.group, piece
    count = len(video)
    late = start > 0
    if not 0 <= start <= frames - count or (start - late) % group or (count - (not late)) % group or not count:
        raise ValueError(
            f"{count} frames from frame {start} on were given for a clip of {frames}; from frame 0 on give 1 + a "
            f"multiple of {group}, and from a frame 1 + a multiple of {group} on a multiple of {group}"
        )
    if late:
        video = np.concatenate([video[:1], video])
    latent = np.asarray(vae.encode(video[None]))[0]
    return (start - 1) // group + 1 if late else 0, latent[1:] if late else latent


def repaint(vae: Autoencoder, video_FHWC: np.ndarray, made_FHW: np.ndarray) -> Known:
    """A clip uint8 [F, H, W, 3] of which the pixels with True are made again, and with them the rest of their cells.

    Raises:
        ValueError: the mask has another shape than the clip, or nothing is to be made.
    """
    if made_FHW.shape != video_FHWC.shape[:3]:
        raise ValueError(f"a mask of shape {made_FHW.shape} was given for a clip of shape {video_FHWC.shape}")
    group, q, r = vae.config.patch
    latent_1THWC = np.asarray(vae.encode(video_FHWC[None]))
    stood = np.concatenate([np.repeat(made_FHW[:1], group - 1, axis=0), made_FHW])
    T, H, W = latent_1THWC.shape[1:4]
    made_1THW = stood.reshape(1, T, group, H, q, W, r).any(axis=(2, 4, 6))
    if not made_1THW.any():
        raise ValueError("the mask leaves nothing to be made; mark at least one pixel")
    return Known(latent_1THWC, np.asarray(made_1THW))


def edit(vae: Autoencoder, video_FHWC: np.ndarray) -> Known:
    """A clip that is known and made again, all of it, from a start between it and noise (SDEdit, arXiv 2108.01073)."""
    return repaint(vae, video_FHWC, np.ones(video_FHWC.shape[:3], bool))
