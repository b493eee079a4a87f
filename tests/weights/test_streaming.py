# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Loading takes little memory of the host beside what the devices hold, as the benchmark measures it."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from vidgen.weights.files import Weights
from vidgen.weights.safetensors import write_tensors

BENCHMARK = Path(__file__).parents[2] / "experiments" / "benchmarks" / "streaming_load.py"


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="the system does not tell its memory")
def test_the_host_needs_less_than_the_largest_tensor_and_a_fifth() -> None:
    argv = [sys.executable, str(BENCHMARK), "--width", "1024", "--hidden", "8192", "--layers", "1", "--json"]
    done = subprocess.run(argv, check=True, capture_output=True, text=True)
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["held"] > found["checkpoint"] > 100e6  # vectors are whole on every device
    assert found["beside"] < 1.2 * found["largest"]


def test_values_are_views_of_the_file_that_can_be_given_back(tmp_path) -> None:
    values = np.arange(5000, dtype=np.float32).reshape(50, 100)
    tensors = [
        ("a", (3,), np.dtype("int8"), lambda: np.ones(3, np.int8)),
        ("b", (50, 100), values.dtype, lambda: values),
    ]
    write_tensors(tmp_path / "m.safetensors", tensors)
    weights = Weights(tmp_path)
    view = weights.read("b")
    assert not view.flags.owndata and not view.flags.writeable
    np.testing.assert_array_equal(view, values)
    weights.release("b")
    np.testing.assert_array_equal(view, values)
    only = weights.under(("a",))
    assert list(only.tensors) == ["a"] and only.read("a").tolist() == [1, 1, 1] and len(weights.tensors) == 2
