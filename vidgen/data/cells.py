# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Encoded clips of worlds with what is in each of their cells, for a transformer that learns to tell it."""

import dataclasses

import numpy as np

from vidgen.data.pipeline import LatentItem, LatentItems, WorldSource
from vidgen.worlds.cells import scene_cells


@dataclasses.dataclass(frozen=True)
class CellSource:
    """The items of `latents` with their cells.

    Attributes:
        latents: what was encoded.
        worlds: the scenes of which it was encoded, in the same order.
        patch: frames, rows and columns of pixels in a cell.
        concepts: all that the scenes can show.
    """

    latents: LatentItems
    worlds: WorldSource
    patch: tuple[int, int, int]
    concepts: tuple[str, ...]

    def __post_init__(self) -> None:
        if len(self.latents) != len(self.worlds):
            raise ValueError(f"{len(self.latents)} latents and {len(self.worlds)} scenes were given: pair them")

    def __len__(self) -> int:
        return len(self.latents)

    def __getitem__(self, index: int) -> LatentItem:
        scene = self.worlds.scene(index)
        row_THW, place_THW2 = scene_cells(scene, self.patch)
        # The last entry is what index -1 takes.
        concept_N = np.array([*(self.concepts.index(thing.concept) for thing in scene.objects), -1], np.int16)
        return {**self.latents[index], "cells": concept_N[row_THW], "places": place_THW2}
