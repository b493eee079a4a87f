# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""One loop for every model: step, log, evaluate, save; resume by the same command; nothing lost on Ctrl-C."""

import dataclasses
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grain
import jax
import numpy as np
import optax
from jax.sharding import Mesh, NamedSharding
from jax.sharding import PartitionSpec as P

from vidgen import trees
from vidgen.parallel import shard
from vidgen.parallel.mesh import MeshConfig, make_mesh
from vidgen.train import state as train_state
from vidgen.train.log import Log
from vidgen.train.state import LossFn, TrainState
from vidgen.weights.checkpoint import Checkpoints


@dataclasses.dataclass(frozen=True)
class LoopConfig:
    """How long to train and how often to look.

    Attributes:
        steps: in all; raise it and run the same command to go on.
        seed: of parameters, data order and noise.
        log_every, eval_every, save_every: in steps; 0 turns evaluation off.
        keep: how many checkpoints stay on disk.
    """

    steps: int = 10_000
    seed: int = 0
    log_every: int = 20
    eval_every: int = 500
    save_every: int = 500
    keep: int = 2


@dataclasses.dataclass(frozen=True)
class Results:
    """What an evaluation gives back: numbers, and pictures as uint8 [H, W, 3]."""

    scalars: dict[str, float] = dataclasses.field(default_factory=dict)
    pictures: dict[str, np.ndarray] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Task:
    """What a model brings to the loop.

    Attributes:
        init: key -> parameters.
        loss_fn: (params, batch, key) -> (loss, metrics).
        batches: a resumable stream of dictionaries of arrays.
        make_optimizer: (params, steps) -> optimiser.
        ema: decay of the moving average of parameters.
        flops: batch -> floating point operations that a step on it needs in theory (not counting recomputation).
        clips: batch -> how many clips are in it.
        evaluations: called with the averaged parameters every `eval_every` steps and at the end.
        export: (averaged parameters, folder) -> None; called after each save, so that a run's model can always be used.
        mesh: the devices that share the work; None is one device. `loss_fn` is traced under it.
    """

    init: Callable[[jax.Array], Any]
    loss_fn: LossFn
    batches: grain.IterDataset
    make_optimizer: Callable[[Any, int], optax.GradientTransformation]
    ema: float
    flops: Callable[[dict[str, np.ndarray]], float]
    clips: Callable[[dict[str, np.ndarray]], int]
    evaluations: tuple[Callable[[Any], Results], ...] = ()
    export: Callable[[Any, Path], None] | None = None
    mesh: Mesh | None = None


class NotFiniteError(RuntimeError):
    """Training stopped at a batch whose loss or gradient is not finite."""


def train(task: Task, config: LoopConfig, workdir: Path, config_json: str) -> TrainState:
    """Trains until `config.steps`, resuming from workdir if it holds checkpoints.

    SIGTERM and Ctrl-C finish the step, save and return. A run that was killed goes on from its last checkpoint, and
    its parameters, averages and data are bit for bit those of a run that was not.

    Raises:
        NotFiniteError: a loss or gradient was not finite; the state before that step is saved, and so is the batch.
    """
    workdir.mkdir(parents=True, exist_ok=True)
    mesh = make_mesh(MeshConfig()) if task.mesh is None else task.mesh
    with jax.set_mesh(mesh):
        return _train(task, config, workdir, config_json, mesh)


def _train(task: Task, config: LoopConfig, workdir: Path, config_json: str, mesh: Mesh) -> TrainState:
    key = trees.fold_in_str(jax.random.key(config.seed), "init")
    shapes = jax.eval_shape(task.init, key)
    shardings = shard.parameter_shardings(shapes, mesh)
    params = jax.jit(task.init, out_shardings=shardings)(key)
    optimizer = task.make_optimizer(params, config.steps)
    state, kept = train_state.create_on(mesh, params, shardings, optimizer)
    step = train_state.make_step(task.loss_fn, optimizer, task.ema, config.seed)
    step_fn = jax.jit(step, donate_argnums=0, out_shardings=(kept, NamedSharding(mesh, P())))
    batches = iter(task.batches)
    with Checkpoints(workdir / "checkpoints", config.keep) as checkpoints, interruptions() as interrupted:
        restored = checkpoints.restore(like=state)
        if restored is not None:
            state, data_state, start = restored
            batches.set_state(data_state)
        else:
            start = 0
        run = _Run(task, config, workdir, config_json, checkpoints, mesh)
        with Log(workdir, start, config.steps, config.log_every) as log:
            log.say(
                f"{'resuming at step ' + str(start) if start else 'starting'} in {workdir}: "
                f"{trees.count(state.params):,} parameters, {config.steps:,} steps{_where(mesh)}"
            )
            state = run.steps(state, start, step_fn, batches, log, interrupted)
    return state


def _where(mesh: Mesh) -> str:
    """How the devices share the work, if there is more than one to speak of."""
    axes = ", ".join(f"{axis} {size}" for axis, size in mesh.shape.items() if size > 1)
    if axes:
        return f", on {mesh.size} devices: {axes}"
    return f", on 1 of {jax.device_count()} devices (see mesh)" if jax.device_count() > 1 else ""


@dataclasses.dataclass(frozen=True)
class _Run:
    """The loop's body and its parts, which share what does not change."""

    task: Task
    config: LoopConfig
    workdir: Path
    config_json: str
    checkpoints: Checkpoints
    mesh: Mesh

    def steps(
        self, state: TrainState, start: int, step_fn: Callable, batches: Any, log: Log, interrupted: Callable
    ) -> TrainState:
        config, seen_shapes = self.config, set()
        for step in range(start + 1, config.steps + 1):
            batch = next(batches)
            state, metrics = step_fn(state, shard.place_batch(batch, self.mesh))
            if not bool(metrics["finite"]):
                self._stop_at(step, state, batch, batches, metrics)
            log.step(step, metrics, self.task.clips(batch), self.task.flops(batch))
            shape = tuple(x.shape for x in batch.values())
            if shape not in seen_shapes:
                seen_shapes.add(shape)
                log.pause()
            stop = interrupted()
            if step % config.save_every == 0 or step == config.steps or stop:
                self._save(step, state, batches)
                log.pause()
            if config.eval_every and (step % config.eval_every == 0 or step == config.steps) and not stop:
                self._evaluate(step, state, log)
                log.pause()
            if stop:
                log.say(f"stopped by {stop} at step {step}, which is saved; the same command goes on from here")
                break
        return state

    def _save(self, step: int, state: TrainState, batches: Any) -> None:
        self.checkpoints.save(step, state, batches.get_state(), self.config_json)
        if self.task.export is not None:
            self.task.export(state.ema, self.workdir / "model")

    def _evaluate(self, step: int, state: TrainState, log: Log) -> None:
        for evaluation in self.task.evaluations:
            results = evaluation(state.ema)
            if results.scalars:
                log.scalars(step, results.scalars)
            for name, picture in results.pictures.items():
                log.picture(step, name, picture)

    def _stop_at(self, step: int, state: TrainState, batch: dict, batches: Any, metrics: dict) -> None:
        """Keeps the batch and the last good state, and says where they are."""
        file = self.workdir / f"not_finite_step_{step}.npz"
        np.savez(file, **batch)
        raise NotFiniteError(
            f"step {step}: loss {float(metrics['loss'])}, gradient norm {float(metrics['grad_norm'])}; the parameters "
            f"were left as they were. The batch is in {file}, the data position is {batches.get_state()}. Lower the "
            f"learning rate or look at that batch, then run the same command: it goes on from the last checkpoint."
        )


@contextmanager
def interruptions() -> Iterator[Callable[[], str]]:
    """Turns SIGTERM and SIGINT into a question: the name of the signal that came, or "". A second Ctrl-C is real."""
    came: list[str] = []

    def remember(number: int, _: Any) -> None:
        if came and number == signal.SIGINT:
            raise KeyboardInterrupt
        came.append(signal.Signals(number).name)

    try:
        old = {number: signal.signal(number, remember) for number in (signal.SIGTERM, signal.SIGINT)}
    except ValueError:  # not in the main thread, as in a notebook's worker: signals are someone else's
        yield lambda: ""
        return
    try:
        yield lambda: came[0] if came else ""
    finally:
        for number, handler in old.items():
            signal.signal(number, handler)
