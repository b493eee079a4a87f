# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Two processes with four devices each are one with eight, and a run goes from either to the other."""

import json
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import jax
import numpy as np
import pytest

from vidgen.config import load_experiment
from vidgen.parallel.mesh import MeshConfig, make_mesh
from vidgen.sample.autoencoder import load_autoencoder
from vidgen.weights.checkpoint import Checkpoints

PROGRAM = Path(__file__).with_name("hosts.py")


def recorded_run(*arguments, **options) -> dict:
    """See hosts.py."""
    load_experiment(PROGRAM)  # which also makes it a module
    (module,) = (sys.modules[name] for name in sys.modules if name.startswith("vidgen_experiment_hosts"))
    return module.recorded_run(*arguments, **options)


def saved_steps(workdir: Path) -> list[int]:
    with Checkpoints(workdir / "checkpoints", read_only=True) as checkpoints:
        return checkpoints.steps()


@pytest.fixture(scope="module")
def session(tmp_path_factory) -> tuple[Path, dict, list[dict]]:
    """(folder, what one process says, what each of two says); `one` and `two` in the folder are runs to go on with."""
    folder = tmp_path_factory.mktemp("hosts")
    alone = recorded_run(folder / "whole", steps=2)
    shutil.copytree(folder / "whole", folder / "one")
    more = recorded_run(folder / "whole")
    alone = {
        "rows": {**alone["rows"], **more["rows"]},
        "losses": {**alone["losses"], **more["losses"]},
        "last": more["last"],
    }
    with socket.socket() as free:
        free.bind(("localhost", 0))
        address = f"localhost:{free.getsockname()[1]}"
    both = []
    try:
        for index in range(2):
            with (folder / f"errors{index}").open("w") as errors:
                command = [sys.executable, str(PROGRAM), str(index), address, str(folder)]
                both.append(subprocess.Popen(command, stderr=errors))
        for index, process in enumerate(both):
            assert process.wait(timeout=1500) == 0, (folder / f"errors{index}").read_text()[-5000:]
    finally:
        for process in both:
            process.kill()
            process.wait()
    return folder, alone, [json.loads((folder / f"told{index}.json").read_text()) for index in range(2)]


def test_the_order_of_the_data_is_that_of_one_process_bit_for_bit(session) -> None:
    _, alone, both = session
    assert sorted(alone["rows"]) == [1, 2, 3, 4]
    for name, steps in (("fresh", (1, 2)), ("continued", (3,))):
        for step in steps:
            parts = [told[name]["rows"][str(step)] for told in both]
            assert [sorted(map(int, part)) for part in parts] == [[0, 1, 2, 3], [4, 5, 6, 7]]  # each reads its own
            read = {int(row): digest for part in parts for row, digest in part.items()}
            assert read == alone["rows"][step]


def test_the_loss_is_that_of_one_process(session) -> None:
    _, alone, both = session
    for told in both:
        losses = {**told["fresh"]["losses"], **told["continued"]["losses"]}
        assert {int(step) for step in losses} == {1, 2, 3}
        for step, loss in losses.items():
            np.testing.assert_allclose(loss, alone["losses"][int(step)], rtol=1e-5)


def test_all_processes_stop_after_the_same_step_and_save_it(session) -> None:
    folder, _, both = session
    assert [told["continued"]["last"] for told in both] == [3, 3]
    assert saved_steps(folder / "one") == [2, 3]


def test_the_first_process_alone_writes_evaluations_and_the_model(session) -> None:
    folder, _, _ = session
    assert [file.name for file in (folder / "two" / "samples").iterdir()] == ["eval-reconstruction-0000002.png"]
    assert len(list((folder / "two" / "tensorboard").iterdir())) == 1
    model = load_autoencoder(folder / "two" / "model" / "vae.safetensors")
    with Checkpoints(folder / "two" / "checkpoints", read_only=True) as checkpoints:
        found = checkpoints.restore_part(like={"ema": jax.eval_shape(lambda: model.params)})
    assert found is not None
    for exported, saved in zip(jax.tree.leaves(model.params), jax.tree.leaves(found[0]["ema"]), strict=True):
        np.testing.assert_allclose(exported, saved, rtol=1e-3, atol=1e-6)  # float16
    assert not (folder / "one" / "model").exists()


@pytest.mark.parametrize("devices", [8, 4])
def test_a_run_of_two_processes_goes_on_in_one(session, tmp_path, devices) -> None:
    folder, alone, _ = session
    shutil.copytree(folder / "two", tmp_path / "two")
    assert saved_steps(tmp_path / "two") == [2]
    mesh = make_mesh(MeshConfig(data=2, fsdp=devices // 2), jax.devices()[:devices])
    told = recorded_run(tmp_path / "two", mesh)
    assert told["last"] == 4
    assert told["rows"] == {step: alone["rows"][step] for step in (3, 4)}
    for step in (3, 4):
        np.testing.assert_allclose(told["losses"][step], alone["losses"][step], rtol=1e-5)
