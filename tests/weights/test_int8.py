# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Matrices in 8 bits: as near as 8 bits are, a quarter of float32's memory, the same however they are read."""

from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from vidgen import trees
from vidgen.models.presets import DIT_XL_2, IMAGENET, UMT5_XXL, WAN_1_3B
from vidgen.parallel.mesh import MeshConfig, make_mesh
from vidgen.sample import classes, wan
from vidgen.sample.pipeline import load_pipeline
from vidgen.sample.public import read_part
from vidgen.weights import int8
from vidgen.weights.shapes import dit_shapes, text_shapes

GOLDEN = Path(__file__).parents[1] / "golden"


def test_no_weight_is_off_by_more_than_half_a_step() -> None:
    kernel = np.random.default_rng(0).normal(size=(2, 30, 5)).astype(np.float32)
    kernel[1, :, 2] = 0
    small, scale = int8.rounded(kernel)
    assert small.dtype == np.int8 and scale.shape == (2, 5) and np.abs(small).max() == 127
    assert (np.abs(small * scale[:, None] - kernel) <= 0.5001 * scale[:, None]).all()
    assert (small[1, :, 2] == 0).all() and (small[0] != 0).mean() > 0.9


@pytest.mark.parametrize("part", [0, 1])
def test_what_is_rounded_as_it_is_read_is_what_is_rounded_later(part: int) -> None:
    """On devices too."""
    one = wan.wan_parts(GOLDEN / "wan_pipeline")[part]
    plain = {one.name: read_part(GOLDEN / "wan_pipeline", one)}
    later = trees.flatten_names(int8.quantise(plain))
    mesh = make_mesh(MeshConfig(fsdp=2, tensor=2), jax.devices()[:4])
    for placed in (None, mesh):
        read = trees.flatten_names({one.name: read_part(GOLDEN / "wan_pipeline", one, placed, in_int8=True)})
        assert set(read) == set(later)
        for name, leaf in read.items():
            assert leaf.dtype == later[name].dtype, name
            np.testing.assert_array_equal(leaf, later[name])
    like = trees.flatten_names(int8.quantised_shapes(plain))
    assert {name: (x.shape, x.dtype) for name, x in like.items()} == {n: (x.shape, x.dtype) for n, x in later.items()}


def test_pictures_are_nearly_the_same() -> None:
    folder, asked = GOLDEN / "dit_pipeline", {"frames": 1, "width": 32, "height": 32, "steps": 4, "solver": "euler"}
    exact, small = (load_pipeline(folder, in_int8=small) for small in (False, True))
    kernels = jax.tree.leaves(small.params["dit"]["blocks"])
    assert sum(leaf.dtype == jnp.int8 for leaf in kernels) == 7
    noise = np.random.default_rng(0).normal(size=(1, 1, 8, 8, 4)).astype(np.float32)
    pictures = [model.generate(["207"], **asked, noise_BTHWC=noise).astype(float) for model in (exact, small)]
    assert 0 < np.abs(pictures[0] - pictures[1]).mean() < 8  # of 255, on random weights
    assert pictures[0].std() > 30


def test_it_takes_half_of_bfloat16() -> None:
    def size(tree: dict, of: int) -> int:
        return sum(x.size * (of if x.dtype == jnp.float32 and not name.endswith("_scale") else x.dtype.itemsize)
                   for name, x in trees.flatten_names(tree).items())  # fmt: skip

    for shapes, most in (
        ({"dit": dit_shapes(WAN_1_3B)}, 0.53),
        ({"dit": dit_shapes(DIT_XL_2), "text": text_shapes(IMAGENET)}, 0.53),
        ({"text": text_shapes(UMT5_XXL)}, 0.61),  # the table of words stays
    ):
        assert 0.5 < size(int8.quantised_shapes(shapes), 2) / size(shapes, 2) < most


def test_own_models_take_it_too() -> None:
    assert load_pipeline(in_int8=True).params["dit"]["blocks"]["up"]["kernel"].dtype == jnp.int8
    assert classes.class_parts(GOLDEN / "dit_pipeline")[0].counts()["text"] == 1001 * 16
