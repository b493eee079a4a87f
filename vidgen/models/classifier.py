# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""A small network that tells what is in single frames: for review, so it is made of matrix products and cheap."""

import dataclasses

import jax
import jax.numpy as jnp
from flax import linen as nn
from flax.linen import initializers
from jax import Array

from vidgen.models.layers import Dense, LayerNorm, gelu, patchify


@dataclasses.dataclass(frozen=True)
class ClassifierConfig:
    """Its shape.

    Attributes:
        labels: what is told, each for itself.
        size: height and width to which frames are brought before; a multiple of patch * 2 ** (stages - 1).
        patch: pixels of a side of the first stage's cells.
        widths: of each stage; the cells' sides double from one to the next.
    """

    labels: tuple[str, ...]
    size: int = 64
    patch: int = 4
    widths: tuple[int, ...] = (48, 96, 160)

    def __post_init__(self) -> None:
        coarsest = self.patch * 2 ** (len(self.widths) - 1)
        if not self.labels or not self.widths or self.size % coarsest:
            raise ValueError(f"a classifier needs labels, widths, and a size that {coarsest} divides; given: {self}")


class FrameNet(nn.Module):
    """Frames in [-1, 1] [B, H, W, 3] -> logits [B, O].

    Each stage looks at cells and their neighbours. What is told is the greatest of all cells of the last stage, softly,
    so that a small thing counts as much as a large one, wherever it is.
    """

    config: ClassifierConfig

    @nn.compact
    def __call__(self, x_BHWC: Array) -> Array:
        cfg = self.config
        x = patchify(x_BHWC[:, None], (1, cfg.patch, cfg.patch))
        for stage, width in enumerate(cfg.widths):
            if stage:
                x = patchify(x, (1, 2, 2))
            x = Dense(width, name=f"in{stage}")(x)
            seen = neighbours(LayerNorm(affine=True, name=f"norm{stage}")(x))
            x = x + Dense(width, name=f"down{stage}")(gelu(Dense(2 * width, name=f"up{stage}")(seen)))
        told = Dense(len(cfg.labels), name="told")(LayerNorm(affine=True, name="norm")(x).astype(jnp.float32))
        B, cells = told.shape[0], told[0, ..., 0].size
        rare = self.param("rare", initializers.constant(-2.0), (len(cfg.labels),))
        return jax.nn.logsumexp(told.reshape(B, cells, -1), axis=1) + rare


def neighbours(x_BTHWD: Array) -> Array:
    """Each cell beside its eight neighbours, zeros beyond the edge: [..., D] -> [..., 9 D]."""
    H, W = x_BTHWD.shape[2:4]
    padded = jnp.pad(x_BTHWD, ((0, 0), (0, 0), (1, 1), (1, 1), (0, 0)))
    return jnp.concatenate([padded[:, :, i : i + H, j : j + W] for i in range(3) for j in range(3)], axis=-1)
