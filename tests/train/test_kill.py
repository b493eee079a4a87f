# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""kill -9 at random moments, resumed by the same command, ends bit for bit where an uninterrupted run ends."""

import random
import signal
import subprocess
import sys
from pathlib import Path

import jax
import numpy as np

from vidgen import trees
from vidgen.config import load_experiment
from vidgen.train import state as train_state
from vidgen.weights.checkpoint import Checkpoints

PROGRAM = [sys.executable, str(Path(__file__).with_name("tiny.py"))]


def run(workdir: Path, kill_at: int | None = None) -> int:
    """Runs the tiny experiment, killed at step `kill_at` if that is given. Returns its status."""
    command = [*PROGRAM, str(workdir), *([] if kill_at is None else [str(kill_at)])]
    return subprocess.run(command, stderr=subprocess.DEVNULL, check=False).returncode


def final(workdir: Path) -> tuple[dict[str, np.ndarray], object]:
    """Every array of the last checkpoint by name, and the data position."""
    task = load_experiment(Path(__file__).with_name("tiny.py")).task(workdir)
    params = jax.eval_shape(task.init, jax.random.key(0))
    optimizer = task.make_optimizer(params, 12)
    like = jax.eval_shape(lambda params: train_state.create(params, optimizer), params)
    with Checkpoints(workdir / "checkpoints", read_only=True) as checkpoints:
        restored = checkpoints.restore(like=like)
    assert restored is not None
    state, position, step = restored
    assert step == 12
    return {name: np.asarray(leaf) for name, leaf in trees.flatten_names(state).items()}, position


def test_three_kills_change_nothing(tmp_path: Path) -> None:
    assert run(tmp_path / "whole") == 0
    moments = sorted(random.Random(0).sample(range(1, 11), 3))
    for kill_at in moments:
        assert run(tmp_path / "killed", kill_at) == -signal.SIGKILL
    assert run(tmp_path / "killed") == 0
    (expected, expected_position), (got, position) = final(tmp_path / "whole"), final(tmp_path / "killed")
    assert expected.keys() == got.keys()
    assert any("ema" in name for name in got) and any("params" in name for name in got)
    for name, array in expected.items():
        assert array.tobytes() == got[name].tobytes(), f"{name} differs"
    assert position == expected_position
    models = [(tmp_path / name / "model" / "vae.safetensors").read_bytes() for name in ("whole", "killed")]
    assert models[0] == models[1]
