# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Representation alignment with the truth: a block of the transformer must tell what is in each cell of the clean clip.

The flow loss says nothing of what a thing is; a transformer finds that out through pixels, slowly. A head on an inner
block that is taught it makes generation learn several times faster (arXiv 2410.06940, where the teacher is DINOv2). In
worlds the teacher is the scene itself.
"""

import dataclasses
from typing import NamedTuple

import jax.numpy as jnp
import optax
from jax import Array

from vidgen import trees
from vidgen.data.cells import CellSource
from vidgen.data.pipeline import LatentItems, WorldSource
from vidgen.models.captioner import CaptionerConfig
from vidgen.models.dit import DiTConfig
from vidgen.models.layers import apply
from vidgen.models.reader import CellReader
from vidgen.sample.autoencoder import AnyVAEConfig
from vidgen.worlds.holdout import AnyScenes


@dataclasses.dataclass(frozen=True)
class AlignmentConfig:
    """Which block is taught, and how much.

    Attributes:
        block: from 1; the blocks after it make the velocity.
        weight: of the head's loss beside the flow loss; 0 leaves it out.
        concepts: all that the scenes can show, in the order of the head's outputs.
    """

    block: int = 3
    weight: float = 0.0
    concepts: tuple[str, ...] = ()

    def check(self, model: DiTConfig, scenes: tuple[AnyScenes, ...]) -> None:
        """Raises ValueError when such a head cannot be trained on a transformer of this shape and these scenes."""
        if not self.weight:
            return
        if not 1 <= self.block <= model.layers:
            raise ValueError(f"alignment.block is {self.block}; the transformer has blocks 1 to {model.layers}")
        if model.patch != (1, 1, 1):
            raise ValueError(f"alignment tells what is in one cell and model.patch is {model.patch}: make it (1, 1, 1)")
        shown = {name for config in scenes for name in config.concepts or ("all concepts",)}
        missing = sorted(shown - {*self.concepts})
        if missing:
            raise ValueError(f"the scenes can show {', '.join(missing)}: add it to alignment.concepts")


class Truth(NamedTuple):
    """What is in each token's cell, in rows: cells_BL, the concept or -1, and places_BL4; see `vidgen.worlds.cells`."""

    cells_BL: Array
    places_BL4: Array


def with_cells(latents: LatentItems, worlds: WorldSource, vae: AnyVAEConfig, config: AlignmentConfig) -> CellSource:
    """The items of a stream with what is in their cells."""
    return CellSource(latents, worlds, vae.patch, config.concepts)


def init_reader(config: AlignmentConfig, model: DiTConfig | CaptionerConfig, key: Array) -> dict:
    """Random parameters of the head."""
    features = jnp.zeros((1, 1, model.width))
    return dict(_reader(config, model).init(trees.fold_in_str(key, "cells"), features)["params"])


def cell_loss(
    config: AlignmentConfig,
    model: DiTConfig | CaptionerConfig,
    params: dict,
    features_BLD: Array,
    truth: Truth,
    real_BL: Array,
) -> tuple[Array, dict[str, Array]]:
    """Cross-entropy of the concept in each cell, and squared error of where in the thing it is, and of where that goes,
    where there is one: the loss [B, L]; and metrics with what they count, each a pair of [B, L].

    The metrics are the share of the cells with a thing whose concept is told right, and the share of those whose thing
    moves for which the way that it goes is told within 45 degrees.
    """
    told = apply(_reader(config, model), params, features_BLD)
    covered_BL = (truth.cells_BL >= 0) & real_BL
    label_BL = jnp.where(truth.cells_BL >= 0, truth.cells_BL, len(config.concepts)).astype(jnp.int32)
    entropy_BL = optax.softmax_cross_entropy_with_integer_labels(told.cells_BLO, label_BL)
    missed_BL = jnp.sum(jnp.square(told.places_BL4 - truth.places_BL4), axis=-1)
    right_BL = told.cells_BLO.argmax(-1) == label_BL
    going, said = truth.places_BL4[..., 2:], told.places_BL4[..., 2:]
    moves_BL = covered_BL & (jnp.linalg.norm(going, axis=-1) > 0.1)
    along = jnp.sum(said * going, axis=-1) / (jnp.linalg.norm(said, axis=-1) * jnp.linalg.norm(going, axis=-1) + 1e-6)
    metrics = {"cells_right": (right_BL, covered_BL), "going_right": (along > 0.5**0.5, moves_BL)}
    return entropy_BL + missed_BL * covered_BL, metrics


def _reader(config: AlignmentConfig, model: DiTConfig | CaptionerConfig) -> CellReader:
    return CellReader(len(config.concepts), jnp.dtype(model.dtype))
