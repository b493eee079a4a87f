# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Latents with what is in their cells, as batches."""

import dataclasses

import numpy as np
import pytest

from vidgen.data.cells import CellSource
from vidgen.data.pipeline import WorldSource, latent_batches
from vidgen.data.tokenizer import load_tokenizer
from vidgen.worlds.scene import FIRST_LIGHT_ON_GRID
from vidgen.worlds.sprites import FIRST_LIGHT

WORLDS = WorldSource(dataclasses.replace(FIRST_LIGHT_ON_GRID, objects=(2, 2), object_weights=None, frames=5), 6, 0)


class Latents:
    """Item i is filled with i."""

    def __len__(self) -> int:
        return len(WORLDS)

    def __getitem__(self, index: int) -> dict:
        return {"latent": np.full((2, 8, 8, 4), index, np.float16), "captions": WORLDS[index]["captions"]}


def test_cells_name_the_concepts_of_their_own_scene() -> None:
    source = CellSource(Latents(), WORLDS, (4, 8, 8), FIRST_LIGHT)
    batch = next(iter(latent_batches(source, 4, 0, load_tokenizer(), 24)))
    assert batch["cells_BTHW"].shape == (4, 2, 8, 8) and batch["places_BTHW4"].shape == (4, 2, 8, 8, 4)
    for latent, cells in zip(batch["latent_BTHWC"], batch["cells_BTHW"], strict=True):
        named = {FIRST_LIGHT.index(thing.concept) for thing in WORLDS.scene(int(latent[0, 0, 0, 0])).objects}
        assert {-1} < set(cells.ravel().tolist()) <= {-1, *named}


def test_other_scenes_are_refused() -> None:
    with pytest.raises(ValueError, match="6 latents and 5 scenes"):
        CellSource(Latents(), dataclasses.replace(WORLDS, size=5), (4, 8, 8), FIRST_LIGHT)
