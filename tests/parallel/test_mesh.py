# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Meshes: what is left over, what does not fit, and where slices lie."""

import jax
import numpy as np
import pytest

from vidgen.parallel.mesh import AXES, MeshConfig, make_mesh


def test_the_default_is_one_device() -> None:
    mesh = make_mesh(MeshConfig())
    assert dict(mesh.shape) == dict.fromkeys(AXES, 1)
    assert mesh.devices.item() == jax.devices()[0]


def test_what_is_left_goes_to_the_open_axis() -> None:
    mesh = make_mesh(MeshConfig(fsdp=-1, tensor=2))
    assert dict(mesh.shape) == {"data": 1, "guidance": 1, "fsdp": 4, "sequence": 1, "tensor": 2}
    assert len(set(mesh.devices.flat)) == 8
    assert MeshConfig(data=-1, slices=2).shape(8) == (8, 1, 1, 1, 1)


def test_tensor_neighbours_are_neighbours_and_slices_are_outermost() -> None:
    mesh = make_mesh(MeshConfig(data=4, tensor=2, slices=2))
    ids = np.vectorize(lambda device: device.id)(mesh.devices).reshape(4, 2)
    np.testing.assert_array_equal(ids, np.arange(8).reshape(4, 2))


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ({"data": 0}, "data = 0"),
        ({"data": -1, "fsdp": -1}, "at most one"),
        ({"data": 3, "slices": 2}, "multiple of slices"),
        ({"slices": 0}, "slices = 0"),
        ({"guidance": 3}, "it must be 1 or 2"),
        ({"guidance": -1}, "it must be 1 or 2"),
    ],
)
def test_sizes_that_make_no_sense(sizes: dict[str, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        MeshConfig(**sizes)


@pytest.mark.parametrize(
    ("sizes", "needs"),
    [
        ({"data": 3}, "needs 3 devices and 8 are here"),
        ({"data": 4}, "needs 4 devices and 8"),
        ({"data": 16}, "needs 16 devices"),
        ({"fsdp": -1, "tensor": 3}, "needs a multiple of 3 devices"),
        ({"data": -1, "tensor": 4, "slices": 4}, "needs a multiple of 16 devices"),
    ],
)
def test_meshes_that_do_not_fit_say_what_they_need(sizes: dict[str, int], needs: str) -> None:
    with pytest.raises(ValueError, match=needs):
        make_mesh(MeshConfig(**sizes))
