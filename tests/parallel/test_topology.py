# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Names of TPU slices."""

import pytest

from vidgen.parallel.topology import CHIPS, parse_topology, topologies


@pytest.mark.parametrize("generation", list(CHIPS))
def test_every_listed_slice_is_read_back(generation: str) -> None:
    for name in topologies(generation):
        topology = parse_topology(name)
        assert topology.chip is CHIPS[generation]
        assert topology.name.removeprefix("tpu") == name
        assert 1 <= topology.chips <= topology.chip.pod
        assert len(topology.shape) * 2 == topology.chip.ici_links


def test_cubes_beyond_the_list() -> None:
    assert parse_topology("v5p:4x4x12").chips == 192
    assert parse_topology("tpu7x:4x4x4") == parse_topology("7x:4x4x4")


@pytest.mark.parametrize("name", ["v9:2x2", "v5p", "v5p:8x8", "v5p:4x4x6", "v5e:3x3", "v6e:32x32", "v5p:8x4x4", "v5e:"])
def test_a_slice_that_does_not_exist_lists_those_that_do(name: str) -> None:
    with pytest.raises(ValueError, match="2x2") as error:
        parse_topology(name)
    assert name in str(error.value)
