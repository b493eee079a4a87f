# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Encoded clips of worlds with what is in each of their cells, for a transformer that learns to tell it."""

import dataclasses
import functools

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
        cells_THW, places_THW4 = _cells(self.worlds, index, self.patch, self.concepts)
        return {**self.latents[index], "cells": cells_THW, "places": places_THW4}


@functools.lru_cache(maxsize=2**16)  # a clip takes 5 ms to cut and 3 kB to keep, and is visited many times
def _cells(
    worlds: WorldSource, index: int, patch: tuple[int, int, int], concepts: tuple[str, ...]
) -> tuple[np.ndarray, np.ndarray]:
    scene = worlds.scene(index)
    row_THW, *places = scene_cells(scene, patch)
    # The last entry is what index -1 takes.
    concept_N = np.array([*(concepts.index(thing.concept) for thing in scene.objects), -1], np.int16)
    return concept_N[row_THW], np.concatenate(places, axis=-1).astype(np.float16)
