# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""One loop for every model: step, log, evaluate, save; resume by the same command; nothing lost on Ctrl-C.

Several processes run the same loop. Each reads its own rows of a batch and writes its own part of a checkpoint; the
first alone logs, evaluates and exports.
"""

import dataclasses
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import grain
import jax
import numpy as np
import optax
from etils import epath
from jax.sharding import Mesh

from vidgen import trees
from vidgen.parallel import hosts, shard
from vidgen.parallel.mesh import MeshConfig, make_mesh
from vidgen.train import state as train_state
from vidgen.train.goodput import Goodput
from vidgen.train.log import Log
from vidgen.train.state import LossFn, TrainState
from vidgen.train.stop import agreeing_step, interruptions
from vidgen.train.storage import written_locally
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
        batches: a resumable stream of dictionaries of arrays: of each batch the rows of `shard.own_rows`.
        make_optimizer: (params that are trained, steps) -> optimiser.
        ema: decay of the moving average of parameters.
        flops: whole batch -> floating point operations that a step on it needs in theory (not counting recomputation).
        clips: whole batch -> how many clips are in it.
        evaluations: called with the averaged parameters every `eval_every` steps and at the end.
        export: (averaged parameters, folder) -> None; called after each save, so that a run's model can always be used.
            Of several processes the first alone calls it and the evaluations, with arrays on its own devices.
        mesh: the devices that share the work; None is one device. `loss_fn` is traced under it.
        frozen: names at the top of the tree of parameters that stay as they are; see `vidgen.train.state`.
    """

    init: Callable[[jax.Array], Any]
    loss_fn: LossFn
    batches: grain.IterDataset
    make_optimizer: Callable[[Any, int], optax.GradientTransformation]
    ema: float
    flops: Callable[[dict[str, jax.Array]], float]
    clips: Callable[[dict[str, jax.Array]], int]
    evaluations: tuple[Callable[[Any], Results], ...] = ()
    export: Callable[[Any, Path], None] | None = None
    mesh: Mesh | None = None
    frozen: tuple[str, ...] = ()


class NotFiniteError(RuntimeError):
    """Training stopped at a batch whose loss or gradient is not finite."""


def train(
    task: Task, config: LoopConfig, workdir: epath.PathLike, config_json: str, began: float | None = None
) -> TrainState:
    """Trains until `config.steps`, resuming from workdir if it holds checkpoints.

    SIGTERM and Ctrl-C, in any process, finish the step, save and return. A run that was killed goes on from its last
    sound checkpoint, and its parameters, averages and data are bit for bit those of a run that was not. It may go on
    on another mesh and with another number of processes, with the same batches.

    Args:
        task: what to train.
        config: for how long.
        workdir: a folder, or a bucket (gs://...).
        config_json: the experiment, saved with each checkpoint.
        began: `time.time()` when this process began to work for the run, for its goodput; now, if None.

    Raises:
        NotFiniteError: a loss or gradient was not finite; the state before that step is saved, and so is the batch.
    """
    began = time.time() if began is None else began
    workdir = epath.Path(workdir)
    workdir.mkdir(parents=True, exist_ok=True)
    mesh = make_mesh(MeshConfig()) if task.mesh is None else task.mesh
    with jax.set_mesh(mesh):
        return _train(task, config, workdir, config_json, mesh, began)


def _train(
    task: Task, config: LoopConfig, workdir: epath.Path, config_json: str, mesh: Mesh, began: float
) -> TrainState:
    def init() -> Any:
        return task.init(trees.fold_in_str(jax.random.key(config.seed), "init"))

    shardings = shard.parameter_shardings(jax.eval_shape(init), mesh)
    params = jax.jit(init, out_shardings=shardings)()
    optimizer = task.make_optimizer(train_state.trained(params, task.frozen), config.steps)
    state, kept = train_state.create_on(mesh, params, shardings, optimizer, task.frozen)
    step = train_state.make_step(task.loss_fn, optimizer, task.ema, config.seed, task.frozen)
    step_fn = agreeing_step(step, kept, mesh)
    batches = iter(task.batches)
    with Checkpoints(workdir / "checkpoints", config.keep) as checkpoints, interruptions() as interrupted:
        state, start, passed_over = _restore(checkpoints, state, batches)
        goodput = Goodput(workdir / "goodput.json" if hosts.is_first() else None, start, began)
        run = _Run(task, config, workdir, config_json, checkpoints, mesh, goodput)
        with Log(workdir, start, config.steps, config.log_every, mesh.size) as log:
            for line in passed_over:
                log.say(line)
            log.say(
                f"{'resuming at step ' + str(start) if start else 'starting'} in {workdir}: "
                f"{_size(state)}, {config.steps:,} steps{_where(mesh)}"
            )
            state = run.steps(state, start, step_fn, batches, log, interrupted)
            checkpoints.wait()
            log.say(goodput.summary())
        goodput.close()
    return state


def _restore(checkpoints: Checkpoints, state: TrainState, batches: Any) -> tuple[TrainState, int, list[str]]:
    """(state, step, what was wrong with newer checkpoints), with the data set to its position."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", RuntimeWarning)
        restored = checkpoints.restore(like=state)
    lines = [str(warning.message) for warning in caught if warning.category is RuntimeWarning]
    for warning in caught:
        if warning.category is not RuntimeWarning:
            warnings.warn_explicit(warning.message, warning.category, warning.filename, warning.lineno)
    if restored is None:
        return state, 0, lines
    state, position, start = restored
    batches.set_state(position)
    return state, start, lines


def _size(state: TrainState) -> str:
    """How many parameters there are, and how many of them are trained."""
    all_of_them, moving = trees.count(state.params), trees.count(state.ema)
    part = "" if moving == all_of_them else f", of which {moving:,} are trained"
    return f"{all_of_them:,} parameters{part}"


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
    workdir: epath.Path
    config_json: str
    checkpoints: Checkpoints
    mesh: Mesh
    goodput: Goodput

    def steps(
        self, state: TrainState, start: int, step_fn: Callable, batches: Any, log: Log, interrupted: Callable
    ) -> TrainState:
        config, seen_shapes = self.config, set()
        for step in range(start + 1, config.steps + 1):
            began = time.perf_counter()
            rows = next(batches)
            batch = shard.place_batch(rows, self.mesh)
            state, metrics, stop = step_fn(state, batch, interrupted)
            if not bool(metrics["finite"]):
                self._stop_at(step, rows, batches, metrics)
            spent = time.perf_counter() - began
            log.step(step, metrics, self.task.clips(batch), self.task.flops(batch))
            shape = tuple(x.shape for x in batch.values())
            if shape in seen_shapes:
                self.goodput.add(spent)
            else:
                seen_shapes.add(shape)
                log.pause()
            if step % config.save_every == 0 or step == config.steps or stop():
                self._save(step, state, batches, log)
                log.pause()
            if config.eval_every and (step % config.eval_every == 0 or step == config.steps) and not stop():
                self._evaluate(step, state, log)
                log.pause()
            if stop():
                log.say(f"stopped by {stop()} at step {step}, which is saved; the same command goes on from here")
                break
        return state

    def _save(self, step: int, state: TrainState, batches: Any, log: Log) -> None:
        """Starts a save and exports the model; stores for how long training stood still."""
        began = time.perf_counter()
        self.checkpoints.save(step, state, batches.get_state(), self.config_json)
        saving = time.perf_counter() - began
        self.goodput.saved(step)
        if self.task.export is not None and (averages := hosts.on_first(state.averages, self.mesh)):
            params, mesh = averages
            with jax.set_mesh(mesh), written_locally(self.workdir / "model") as folder:
                self.task.export(params, folder)
        stalls = {"save_stall_seconds": saving, "export_seconds": time.perf_counter() - began - saving}
        log.scalars(step, {**stalls, "goodput": self.goodput.share()})

    def _evaluate(self, step: int, state: TrainState, log: Log) -> None:
        if not self.task.evaluations or not (averages := hosts.on_first(state.averages, self.mesh)):
            return
        params, mesh = averages
        with jax.set_mesh(mesh):
            for evaluation in self.task.evaluations:
                results = evaluation(params)
                if results.scalars:
                    log.scalars(step, results.scalars)
                for name, picture in results.pictures.items():
                    log.picture(step, name, picture)

    def _stop_at(self, step: int, rows: dict, batches: Any, metrics: dict) -> None:
        """Keeps the batch, and says where it and the last good state are."""
        process = f"_process_{jax.process_index()}" if jax.process_count() > 1 else ""
        file = self.workdir / f"not_finite_step_{step}{process}.npz"
        with file.open("wb") as stream:
            np.savez(stream, **rows)
        raise NotFiniteError(
            f"step {step}: loss {float(metrics['loss'])}, gradient norm {float(metrics['grad_norm'])}; the parameters "
            f"were left as they were. The batch is in {file}, the data position is {batches.get_state()}. Lower the "
            f"learning rate or look at that batch, then run the same command: it goes on from the last checkpoint."
        )
