# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""A network read from its file and written again is the same network; on bytes it nearly is."""

import numpy as np
import onnxruntime
import pytest

from vidgen.safety import int8
from vidgen.safety.int8 import Graph, Node, field


def ints(name: str, numbers: tuple[int, ...]) -> bytes:
    return field(1, name) + b"".join(field(8, number) for number in numbers) + field(20, 7)


def tiny() -> bytes:
    """Transpose, convolution, ReLU, convolution, sum with a shortcut, ReLU."""
    rng = np.random.default_rng(0)
    tensors = {
        "w1": rng.normal(size=(8, 3, 3, 3)).astype(np.float32)
        * np.linspace(0.01, 1, 8, dtype=np.float32)[:, None, None, None],
        "b1": rng.normal(size=8).astype(np.float32),
        "w2": rng.normal(size=(8, 8, 1, 1)).astype(np.float32),
        "b2": rng.normal(size=8).astype(np.float32),
    }
    kernel = [ints("kernel_shape", (3, 3)), ints("pads", (1, 1, 1, 1)), ints("strides", (1, 1))]
    one = [ints("kernel_shape", (1, 1)), ints("strides", (1, 1))]
    nodes = [
        Node("Transpose", ["x"], ["t"], [ints("perm", (0, 3, 1, 2))]),
        Node("Conv", ["t", "w1", "b1"], ["c1"], kernel),
        Node("Relu", ["c1"], ["r1"], []),
        Node("Conv", ["r1", "w2", "b2"], ["c2"], one),
        Node("Add", ["c2", "r1"], ["s"], []),
        Node("Relu", ["s"], ["y"], []),
    ]

    def value(name: str, shape: tuple[int, ...]) -> bytes:
        sizes = b"".join(field(1, field(1, size)) for size in shape)
        return field(1, name) + field(2, field(1, field(1, 1) + field(2, sizes)))

    rest = [field(2, "tiny"), field(11, value("x", (1, 6, 6, 3))), field(12, value("y", (1, 8, 6, 6)))]
    return int8.write_graph(Graph(nodes, tensors, ["x"], rest))


def run(model: bytes, x: np.ndarray) -> np.ndarray:
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    return session.run(["y"], {"x": x})[0]


X = np.random.default_rng(1).normal(size=(1, 6, 6, 3)).astype(np.float32)


def test_a_network_survives_being_read_and_written() -> None:
    again = int8.write_graph(int8.read_graph(tiny()))
    np.testing.assert_array_equal(run(again, X), run(tiny(), X))


def test_on_bytes_it_says_nearly_the_same_and_no_more_than_ranges_allow() -> None:
    graph = int8.read_graph(tiny())
    names = int8.quantised_tensors(graph)
    assert names == ["x", "t", "r1", "c2", "y"]
    ranges = {"x": (-4.0, 4.0), "t": (-4.0, 4.0), "r1": (0.0, 25.0), "c2": (-60.0, 60.0), "y": (0.0, 60.0)}
    whole = int8.quantise(tiny(), ranges)
    y, rounded = run(tiny(), X), run(whole, X)
    assert 0 < np.abs(rounded - y).max() < 0.06 * y.max()
    assert np.unique(rounded).size <= 256
    narrow = run(int8.quantise(tiny(), {**ranges, "c2": (-1.0, 1.0), "r1": (0.0, 1.0)}), X)
    assert y.max() > 3 > 2.01 > narrow.max() > 1.5  # at most 1 + 1
    with pytest.raises(ValueError, match="no range was measured for 'c2'"):
        int8.quantise(tiny(), {name: value for name, value in ranges.items() if name != "c2"})


@pytest.mark.parametrize("number", [0, 1, 127, 128, 300, 2**40])
def test_fields_survive(number) -> None:
    assert list(int8.fields(field(3, number) + field(9, b"abc"))) == [(3, 0, number), (9, 2, b"abc")]
