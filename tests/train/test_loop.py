# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The loop: interruption, a loss that is not finite, a changed experiment, evaluation and files."""

import dataclasses
import json
import os
import signal
from pathlib import Path

import grain
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from vidgen.train import stop
from vidgen.train.loop import LoopConfig, NotFiniteError, Results, Task, train
from vidgen.train.optim import OptimConfig, make_optimizer, schedule


class Numbers:
    """Item i is the number i, so that a loss can tell which items it was given."""

    def __len__(self) -> int:
        return 1000

    def __getitem__(self, index: int) -> dict[str, np.ndarray]:
        return {"x": np.float32(index)}


def make_task(loss_fn=None, **changes) -> Task:
    """Fits w to the mean of the data, by plain gradient descent."""

    def default_loss(params, batch, key):
        noise = 0.01 * jax.random.normal(key)
        return jnp.mean((params["w"] - batch["x"] / 1000) ** 2) + noise * params["w"].sum(), {}

    batches = grain.MapDataset.source(Numbers()).shuffle(seed=1).repeat().batch(4).to_iter_dataset()
    task = Task(
        init=lambda key: {"w": jax.random.normal(key, (3, 1))},
        loss_fn=loss_fn or default_loss,
        batches=batches,
        make_optimizer=lambda params, steps: optax.sgd(0.1),
        ema=0.9,
        flops=lambda batch: 1.0,
        clips=lambda batch: 4,
    )
    return dataclasses.replace(task, **changes)


CONFIG = LoopConfig(steps=6, log_every=1, eval_every=3, save_every=2)


def test_interrupted_and_resumed_is_uninterrupted(tmp_path: Path) -> None:
    whole = train(make_task(), CONFIG, tmp_path / "whole", "{}")
    seen = []

    def interrupt_once(batch) -> int:
        seen.append(batch["x"].tolist())
        if len(seen) == 3:
            os.kill(os.getpid(), signal.SIGTERM)
        return 4

    half = train(make_task(clips=interrupt_once), CONFIG, tmp_path / "halves", "{}")
    assert int(half.step) == 3
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL  # the handler is gone again
    resumed = train(make_task(clips=interrupt_once), CONFIG, tmp_path / "halves", "{}")
    assert int(resumed.step) == 6
    assert len(seen) == 6 and len({tuple(x) for x in seen}) == 6
    for a, b in zip(jax.tree.leaves(whole), jax.tree.leaves(resumed), strict=True):
        assert np.asarray(a).tobytes() == np.asarray(b).tobytes()


def test_a_loss_that_is_not_finite_stops_with_the_batch_named(tmp_path: Path) -> None:
    def loss_fn(params, batch, key):
        bad = jnp.where(batch["x"][0] < 200, jnp.nan, 1.0)
        return jnp.mean(params["w"] ** 2) * bad, {}

    with pytest.raises(NotFiniteError, match=r"step \d+: loss nan.*not_finite_step_\d+\.npz") as error:
        train(make_task(loss_fn), dataclasses.replace(CONFIG, steps=500), tmp_path, "{}")
    file = next(tmp_path.glob("not_finite_step_*.npz"))
    assert str(file) in str(error.value)
    assert np.load(file)["x"][0] < 200


def test_a_step_that_is_not_finite_leaves_the_state_alone() -> None:
    from vidgen.train import state as train_state

    optimizer = optax.adam(0.1)
    state = train_state.create({"w": jnp.ones(3)}, optimizer)
    step = train_state.make_step(lambda p, b, k: (jnp.sum(p["w"]) * b, {}), optimizer, 0.9, seed=0)
    after, metrics = step(state, jnp.nan)
    assert not metrics["finite"]
    for a, b in zip(jax.tree.leaves(state), jax.tree.leaves(after), strict=True):
        np.testing.assert_array_equal(a, b)
    after, metrics = step(state, jnp.float32(1))
    assert metrics["finite"] and after.step == 1 and jnp.all(after.params["w"] < 1)


def test_keys_depend_on_seed_and_step_alone() -> None:
    from vidgen.train import state as train_state

    def drawn(seed: int, at: int) -> float:
        optimizer = optax.sgd(0.0)
        state = train_state.create({"w": jnp.ones(1)}, optimizer)
        state.step = jnp.int32(at)
        step = train_state.make_step(lambda p, b, k: (jnp.sum(p["w"]) * jax.random.normal(k), {}), optimizer, 0.9, seed)
        return float(step(state, 0)[1]["loss"])

    assert drawn(0, 5) == drawn(0, 5)
    assert len({drawn(0, 5), drawn(0, 6), drawn(1, 5)}) == 3


def test_evaluations_see_the_average_and_leave_files(tmp_path: Path) -> None:
    given = []

    def evaluation(ema) -> Results:
        given.append(np.asarray(ema["w"]))
        return Results({"score": 1.0}, {"grid": np.zeros((4, 4, 3), np.uint8)})

    state = train(make_task(evaluations=(evaluation,)), CONFIG, tmp_path, "{}")
    assert len(given) == 2
    np.testing.assert_array_equal(given[-1], state.ema["w"])
    assert not np.array_equal(state.ema["w"], state.params["w"])
    assert [f.name for f in sorted((tmp_path / "samples").iterdir())] == ["grid-0000003.png", "grid-0000006.png"]
    assert any((tmp_path / "tensorboard").iterdir())


def test_another_experiment_in_the_same_folder_is_refused(tmp_path: Path) -> None:
    from vidgen import train as training
    from vidgen.config import load_experiment

    config = load_experiment(Path(__file__).with_name("tiny.py"))
    short = dataclasses.replace(config, loop=dataclasses.replace(config.loop, steps=2))
    training.run(short, tmp_path)
    with pytest.raises(ValueError, match="batch_size = 2"):
        training.run(dataclasses.replace(short, batch_size=3), tmp_path)


def test_learning_rate_warms_up_stays_and_comes_down() -> None:
    lr = schedule(OptimConfig(lr=1.0, warmup=10, cooldown=0.2, lr_end=0.1), 100)
    assert [round(float(lr(s)), 3) for s in (0, 5, 10, 79, 90, 100)] == [0.0, 0.5, 1.0, 1.0, 0.55, 0.1]


def test_muon_turns_hidden_matrices_and_leaves_the_rest_to_adam() -> None:
    params = {
        "blocks": {"up": {"kernel": jnp.ones((2, 4, 8)), "bias": jnp.zeros((2, 8))}},
        "embedding": jnp.ones((9, 4)),
    }
    optimizer = make_optimizer(OptimConfig(name="muon", warmup=0, weight_decay=0.0), 10, params)
    grads = jax.tree.map(lambda p: jax.random.normal(jax.random.key(p.size), p.shape), params)
    updates, _ = optimizer.update(grads, optimizer.init(params), params)
    singular = np.linalg.svd(np.asarray(updates["blocks"]["up"]["kernel"]), compute_uv=False)
    assert singular.max() / singular.min() < 2  # orthogonalised, layer by layer
    with pytest.raises(ValueError, match="sgdm"):
        make_optimizer(dataclasses.replace(OptimConfig(), name="sgdm"), 10, params)


def test_a_second_interrupt_is_a_keyboard_interrupt() -> None:
    with stop.interruptions() as interrupted:
        assert interrupted() == ""
        os.kill(os.getpid(), signal.SIGINT)
        assert interrupted() == "SIGINT"
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)


def test_a_handler_that_python_did_not_set_becomes_the_default(monkeypatch) -> None:
    set_to = []
    monkeypatch.setattr(signal, "signal", lambda number, handler: set_to.append((number, handler)))
    with stop.interruptions():
        pass
    assert set_to[2:] == [(signal.SIGTERM, signal.SIG_DFL), (signal.SIGINT, signal.SIG_DFL)]


def test_stalls_and_goodput_are_logged_and_damage_is_told_in_one_line(tmp_path: Path, capfd) -> None:
    train(make_task(), CONFIG, tmp_path, "{}")
    said = capfd.readouterr().err
    assert "save_stall_seconds" in said and "goodput" in said.splitlines()[-1]
    (file,) = (tmp_path / "checkpoints" / "6" / "config").glob("config.json")
    file.write_text("[]")
    seen = []
    train(make_task(clips=lambda batch: seen.append(batch["x"].tolist()) or 4), CONFIG, tmp_path, "{}")
    lines = [line for line in capfd.readouterr().err.splitlines() if "passed over" in line]
    where = tmp_path / "checkpoints"
    reason = "(config/config.json was changed)"
    assert lines == [f"checkpoint step 6 in {where} cannot be read and is passed over {reason}"]
    assert len(seen) == 2  # steps 5 and 6 again
    assert json.loads((tmp_path / "goodput.json").read_text())["starts"] == 2


def test_a_vae_can_be_trained_on_single_things(tmp_path: Path) -> None:
    from vidgen.config import load_experiment

    config = load_experiment(Path(__file__).with_name("tiny.py"))
    single = dataclasses.replace(config, scenes=dataclasses.replace(config.scenes, objects=(1, 1)))
    assert next(iter(single.task(tmp_path).batches))["video_BFHWC"].shape == (2, 5, 16, 16, 3)


def test_a_decoder_trained_alone_leaves_latents_as_they_are(tmp_path: Path) -> None:
    """A transformer that has learned them can go on with the new decoder."""
    from vidgen import train as training
    from vidgen.config import load_experiment
    from vidgen.sample.autoencoder import load_autoencoder

    config = load_experiment(Path(__file__).with_name("tiny.py"))
    alone = dataclasses.replace(config, loss=dataclasses.replace(config.loss, decoder_only=True))
    with pytest.raises(ValueError, match="start_from is empty"):
        alone.task(tmp_path)
    training.run(config, tmp_path / "both")
    start = tmp_path / "both" / "model" / "vae.safetensors"
    optim = dataclasses.replace(config.optim, weight_decay=1.0)  # which must leave the encoder alone
    training.run(dataclasses.replace(alone, optim=optim, start_from=str(start)), tmp_path / "decoder")
    before, after = (load_autoencoder(tmp_path / name / "model" / "vae.safetensors") for name in ("both", "decoder"))
    assert before.hash() == after.hash()  # of the encoder and the space
    changed = [
        np.abs(a - b).max()
        for a, b in zip(*map(jax.tree.leaves, (before.params["decoder"], after.params["decoder"])), strict=True)
    ]
    assert min(changed) > 0


def test_a_run_on_two_devices_goes_on_on_one(tmp_path: Path) -> None:
    """The mesh may change from one start to the next, and the numbers stay those of one device."""
    from vidgen import train as training
    from vidgen.config import load_experiment
    from vidgen.parallel.mesh import MeshConfig
    from vidgen.sample.autoencoder import load_autoencoder

    config = load_experiment(Path(__file__).with_name("tiny.py"))

    def steps(n: int, **mesh: int) -> object:
        loop = dataclasses.replace(config.loop, steps=n)
        devices = MeshConfig(**mesh) if mesh else MeshConfig()
        return dataclasses.replace(config, loop=loop, mesh=devices)

    with pytest.raises(ValueError, match=r"needs 2 devices and 8"):
        training.run(steps(2, data=2), tmp_path / "wrong")
    training.run(steps(2, data=2, sequence=4), tmp_path / "moved")
    training.run(steps(3), tmp_path / "moved")
    training.run(steps(3), tmp_path / "stayed")
    moved, stayed = (load_autoencoder(tmp_path / n / "model" / "vae.safetensors").params for n in ("moved", "stayed"))
    for a, b in zip(jax.tree.leaves(moved), jax.tree.leaves(stayed), strict=True):
        np.testing.assert_allclose(a, b, rtol=0.02, atol=2e-3)
