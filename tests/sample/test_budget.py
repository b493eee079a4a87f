# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""A program that sizes share makes the clips that programs of their own make."""

import dataclasses
import math

import jax
import numpy as np
import pytest

from tests.sample.test_pipeline import PIPELINE as SMALL
from vidgen.sample import budget
from vidgen.sample.pipeline import Pipeline
from vidgen.sample.tasks import Known

EXACT = dataclasses.replace(
    SMALL.networks,
    dit=dataclasses.replace(SMALL.networks.dit, dtype="float32"),
    vae=dataclasses.replace(SMALL.networks.vae, dtype="float32"),
)
CARD = {"size": [32, 32], "frames": 5, "max_frames": 9}
PIPELINE: Pipeline = dataclasses.replace(SMALL, networks=EXACT, card=CARD)
HOW = {"steps": 3, "guidance": 4.0, "rescale": 0.5, "seed": 3}


@pytest.mark.parametrize(("frames", "width", "height"), [(5, 32, 16), (1, 16, 48), (9, 48, 32)])
def test_it_is_the_clip_of_its_own_program(frames: int, width: int, height: int) -> None:
    """Also where a token is several cells, and a part of the row and of the canvas is filling."""
    size = {"frames": frames, "width": width, "height": height}
    prompts = ["a dog", "a cat walks to the left"]
    own = PIPELINE.generate(prompts, **size, **HOW, shared=False)
    shared = PIPELINE.generate(prompts, **size, **HOW, shared=True)
    assert shared.shape == own.shape == (2, frames, height, width, 3) and own.std() > 10
    assert np.abs(shared.astype(int) - own).max() <= 1


def test_what_is_given_stays_given() -> None:
    shape = PIPELINE.networks.vae.latent_shape(9, 32, 48)
    made = np.ones((1, *shape[:-1]), bool)
    made[:, 0], made[:, 1, :2] = False, False
    known = Known(np.random.default_rng(0).normal(size=(1, *shape)).astype(np.float32), made)
    size = {"frames": 9, "width": 48, "height": 32, "known": known, "start": 0.8}
    own, shared = (PIPELINE.generate(["a dog"], **size, **HOW, shared=one) for one in (False, True))
    assert np.abs(shared.astype(int) - own).max() <= 1
    noise = np.random.default_rng(1).normal(size=(1, *shape)).astype(np.float32)
    own, shared = (PIPELINE.generate(["a dog"], **size, **HOW, shared=one, noise_BTHWC=noise) for one in (False, True))
    assert np.abs(shared.astype(int) - own).max() <= 1


def test_sizes_of_one_budget_are_compiled_once() -> None:
    """A new size waits for nothing; sizes that the card names have programs of their own."""
    PIPELINE.generate(["a dog"], frames=5, width=48, height=48, steps=2)
    before = budget.budget_to_video._cache_size()
    for width, height in ((48, 32), (32, 48), (16, 48)):
        assert PIPELINE.generate(["a dog"], frames=5, width=width, height=height, steps=2).shape[2:4] == (height, width)
    assert budget.budget_to_video._cache_size() - before <= 2
    before = budget.budget_to_video._cache_size()
    PIPELINE.generate(["a dog"], frames=5, width=32, height=32, steps=2)
    assert budget.budget_to_video._cache_size() == before


def test_shots_are_not_lost() -> None:
    """What a shared program cannot do is refused, not left out."""
    with pytest.raises(ValueError, match="leave it out"):
        PIPELINE.generate(["a dog", "a cat"], frames=9, width=48, height=32, shots=(0, 5), shared=True)


def test_budgets_hold_their_sizes_without_much_waste() -> None:
    for patch in ((1, 1, 1), (1, 2, 2), (2, 2, 4)):
        kinds = set()
        for T in (1, 2, 5, 17, 121):
            for H in range(6, 13):
                for W in range(6, 13):
                    shape = T * patch[0], H * patch[1], W * patch[2]
                    size = budget.budget_of(shape, patch)
                    kinds.add(size)
                    tokens = T * H * W
                    assert tokens <= size.tokens < 2 * tokens
                    assert size.frames >= shape[0] and size.side >= max(shape[1:])
                    assert size.frames % patch[0] == size.side % patch[1] == size.side % patch[2] == 0
        assert len(kinds) < 60 < 5 * 49


def test_every_cell_has_its_place() -> None:
    """Tokens cut from a clip's numbered cells, laid on the canvas, give the numbers back in their places."""
    shape, patch = (4, 6, 10), (2, 2, 2)
    size = budget.budget_of(shape, patch)
    layout = budget.lay_out(shape, patch, size)
    numbers = np.arange(math.prod(shape))
    row = np.concatenate([numbers, np.full(len(layout.order_N) - len(numbers), -1)])[np.asarray(layout.order_N)]
    canvas = row[np.asarray(layout.place_TSS)]
    np.testing.assert_array_equal(canvas[:4, :6, :10], numbers.reshape(shape))
    assert layout.inside_SS.sum() == 60 and layout.segments_L.sum() == 30
    noise = jax.random.normal(jax.random.key(0), (7, 3))
    np.testing.assert_array_equal(noise[:5], jax.random.normal(jax.random.key(0), (5, 3)))
    assert layout.positions_L3[29].tolist() == [1, 2, 4]
