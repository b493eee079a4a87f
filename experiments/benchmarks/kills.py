# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""SIGKILL and damaged files against a run that must end bit-equal to one that nothing happened to.

    python experiments/benchmarks/kills.py

One run is left alone. Another is killed at random times, every other time while a checkpoint is being written, and
started again by the same call. Then copies of it, shortly before its end, in which a random file of the newest
checkpoint is cut, has one bit flipped or is deleted, go on to the end. Every loss that any of them ever computed, the
last checkpoint's arrays and data position, and the model file are compared, bit for bit. The exit status is 1 if
anything differs.

Most of the time is spent starting processes and writing checkpoints. Each run is a process of its own; they are forked
from one that has imported JAX and has not used it, to save the time of importing it thirty times.
"""

import argparse
import dataclasses
import functools
import hashlib
import multiprocessing
import os
import random
import shutil
import sys
import tempfile
import time
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

SAVE_EVERY = 2
LATE = ("_CHECKPOINT_METADATA", "commit_success.txt")
MODEL = "model.safetensors"
TEMPORARY = "*.orbax-checkpoint-tmp*"


def make_task() -> Any:
    """A network of two layers that takes noise out of clips of 5 frames at 16x16, rendered as training needs them."""
    import jax
    import jax.numpy as jnp

    from vidgen.data.pipeline import WorldSource, video_batches
    from vidgen.train.loop import Task
    from vidgen.train.optim import OptimConfig, make_optimizer
    from vidgen.weights.safetensors import save_params
    from vidgen.worlds.scene import SceneConfig

    width, hidden = 5 * 16 * 16 * 3, 16

    def init(key: Any) -> dict[str, Any]:
        up, down = jax.random.split(key)
        return {
            "up": jax.random.normal(up, (width, hidden)) / width**0.5,
            "down": jax.random.normal(down, (hidden, width)) / hidden**0.5,
        }

    def loss_fn(params: dict, batch: dict, key: Any) -> tuple[Any, dict]:
        clean_BP = batch["video_BFHWC"].reshape(-1, width) / 127.5 - 1.0
        noisy_BP = clean_BP + 0.1 * jax.random.normal(key, clean_BP.shape)
        return jnp.mean((jnp.tanh(noisy_BP @ params["up"]) @ params["down"] - clean_BP) ** 2), {}

    source = WorldSource(SceneConfig(width=16, height=16, frames=5, objects=(1, 2)), size=2**30, seed=0)
    return Task(
        init=init,
        loss_fn=loss_fn,
        batches=video_batches(source, 2, seed=0),
        make_optimizer=lambda params, steps: make_optimizer(OptimConfig(warmup=2), steps, params),
        ema=0.99,
        flops=lambda _: 12.0 * 2 * width * hidden,
        clips=lambda _: 2,
        export=lambda params, folder: (folder.mkdir(exist_ok=True), save_params(folder / MODEL, params))[1],
    )


def child(workdir: str, cache: str, steps: int, tell: Connection) -> None:
    """Trains to the end; tells (step, loss in hexadecimal) after each step, and keeps its words in workdir.log."""
    with open(f"{workdir}.log", "ab") as log:  # noqa: PTH123 - its number is what is wanted
        os.dup2(log.fileno(), 2)
    os.environ["VIDGEN_CACHE"] = cache

    from vidgen.compilation import enable_compilation_cache
    from vidgen.train import log as train_log
    from vidgen.train.log import Log
    from vidgen.train.loop import LoopConfig, train

    enable_compilation_cache()
    whole_step = Log.step

    def step(log: Log, number: int, metrics: dict, *rest: Any) -> None:
        whole_step(log, number, metrics, *rest)
        tell.send((number, float(metrics["loss"]).hex()))

    Log.step = step
    # The peak that utilisation is told against takes longer to measure than this run.
    train_log.peak_flops = lambda *_: (1e9, "not measured")
    train(make_task(), LoopConfig(steps=steps, log_every=1, eval_every=0, save_every=SAVE_EVERY), workdir, "{}")


@dataclasses.dataclass
class Runs:
    """Starts processes and follows them."""

    context: Any
    cache: str
    steps: int

    def start(self, workdir: Path) -> tuple[Any, Connection]:
        """A process that trains in workdir, and what it tells."""
        hear, tell = self.context.Pipe(duplex=False)
        process = self.context.Process(target=child, args=(str(workdir), self.cache, self.steps, tell))
        process.start()
        tell.close()
        return process, hear

    def to_the_end(self, workdir: Path) -> list[tuple[int, str]]:
        """Trains on until the end; raises RuntimeError with the log's end if that fails."""
        process, hear = self.start(workdir)
        losses = _hear(hear, None)
        process.join()
        if process.exitcode:
            raise RuntimeError(f"a run ended with {process.exitcode}: {Path(f'{workdir}.log').read_text()[-2000:]}")
        return losses

    def until(self, workdir: Path, step: int) -> list[tuple[int, str]]:
        """Trains on until a checkpoint of `step` or a later one is there, and kills."""
        process, hear = self.start(workdir)
        losses = []
        while saved_steps(workdir)[-1] < step and (heard := _hear(hear, 1)):
            losses += heard
        process.kill()
        process.join()
        return losses + _hear(hear, None)

    def killed(self, workdir: Path, rng: random.Random, in_save: bool) -> tuple[list[tuple[int, str]], bool]:
        """Kills after a few steps, at a random time or when a save begins; (losses, whether a save was cut short)."""
        process, hear = self.start(workdir)
        losses = _hear(hear, rng.randint(2, 9))
        if in_save:
            deadline = time.monotonic() + 20
            while process.is_alive() and time.monotonic() < deadline:
                if any((workdir / "checkpoints").glob(TEMPORARY)):
                    break
            time.sleep(rng.uniform(0, 0.02))
        else:
            time.sleep(rng.uniform(0, 0.03))
        process.kill()
        process.join()
        return losses + _hear(hear, None), any((workdir / "checkpoints").glob(TEMPORARY))


def _hear(hear: Connection, count: int | None) -> list[tuple[int, str]]:
    """The next so many steps, or all until the process ends."""
    heard = []
    try:
        while count is None or len(heard) < count:
            heard.append(hear.recv())
    except EOFError:
        pass
    return heard


def damage(step: Path, rng: random.Random, kind: str) -> str:
    """Damages one random file of a checkpoint; returns which."""
    # What Orbax notes when a save is over says when it was, and nothing depends on it.
    files = sorted(p for p in step.rglob("*") if p.is_file() and str(p.relative_to(step)) not in LATE)
    file = rng.choice([p for p in files if p.stat().st_size])
    content = bytearray(file.read_bytes())
    if kind == "delete":
        file.unlink()
    elif kind == "truncate":
        file.write_bytes(content[: rng.randrange(len(content))])
    else:
        content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
        file.write_bytes(content)
    return str(file.relative_to(step))


def saved_steps(workdir: Path) -> list[int]:
    """Steps of whole checkpoints."""
    folder = workdir / "checkpoints"
    return sorted(int(p.name) for p in folder.iterdir() if p.name.isdigit()) if folder.is_dir() else []


@functools.cache
def state_shapes(steps: int) -> Any:
    """What a checkpoint of the run holds, without values."""
    import jax

    from vidgen.train import state as train_state

    task = make_task()
    params = jax.eval_shape(task.init, jax.random.key(0))
    optimizer = task.make_optimizer(params, steps)
    return jax.eval_shape(lambda params: train_state.create(params, optimizer), params)


def result(workdir: Path, steps: int) -> str:
    """A digest of all that a run leaves: every array of its last checkpoint, the data position, the model file."""
    import numpy as np

    from vidgen import trees
    from vidgen.weights.checkpoint import Checkpoints

    with Checkpoints(workdir / "checkpoints", read_only=True) as checkpoints:
        found = checkpoints.restore(steps, like=state_shapes(steps))
    assert found is not None
    state, position, _ = found
    digest = hashlib.sha256(repr(position).encode())
    for name, leaf in trees.flatten_names(state).items():
        digest.update(name.encode() + np.asarray(leaf).tobytes())
    digest.update((workdir / "model" / MODEL).read_bytes())
    return digest.hexdigest()


@dataclasses.dataclass
class Comparison:
    """With the run that was left alone. expected: its losses by step; wrong: what differs from it."""

    expected: dict[int, str]
    wrong: list[str] = dataclasses.field(default_factory=list)

    def losses(self, name: str, losses: list[tuple[int, str]]) -> None:
        """Notes losses that differ."""
        self.wrong += [f"{name}: loss of step {step} differs" for step, loss in losses if self.expected[step] != loss]


def kill_often(runs: Runs, workdir: Path, kills: int, rng: random.Random, comparison: Comparison) -> tuple[int, int]:
    """Kills a run so many times; (how many of them cut a save short, steps that were done in all)."""
    in_save = steps_done = 0
    for kill in range(1, kills + 1):
        losses, cut_short = runs.killed(workdir, rng, in_save=kill % 2 == 0)
        comparison.losses(f"kill {kill}", losses)
        in_save += cut_short
        steps_done += len(losses)
        print(f"kill {kill}: at step {losses[-1][0] if losses else 0}", file=sys.stderr)
        if runs.steps in saved_steps(workdir):
            sys.exit(f"the run was over after {kill} kills; give it more --steps")
    return in_save, steps_done


def corrupt(
    runs: Runs, base: Path, copy: Path, kind: str, whole: str, rng: random.Random, comparison: Comparison
) -> tuple[str, ...]:
    """Damages a file in a copy of a run, which goes on to its end; what is said of it in the table."""
    shutil.copytree(base, copy)
    before, newest = saved_steps(copy)[-2:]
    file = damage(copy / "checkpoints" / str(newest), rng, kind)
    losses = runs.to_the_end(copy)
    said = Path(f"{copy}.log").read_text()
    reported = f"checkpoint step {newest} in" in said and "is passed over" in said
    comparison.losses(copy.name, losses)
    equal = result(copy, runs.steps) == whole
    if not (reported and equal and losses[0][0] == before + 1):
        comparison.wrong.append(f"{copy.name}: {kind} {file}")
    told, ended = "yes" if reported else "NO", "equal" if equal else "DIFFERS"
    return file, kind, told, f"{losses[0][0] - 1} of {newest}", ended


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--corruptions", type=int, default=10)
    parser.add_argument("--steps", type=int, default=160, help="of the run; about 6 a kill are needed")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    os.environ["JAX_PLATFORMS"] = "cpu"
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["vidgen.train.optim", "vidgen.train.loop", "vidgen.data.pipeline"])
    rng, began = random.Random(options.seed), time.time()
    table = Table("file of the newest checkpoint", "damage", "reported", "went on from", "result")
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        runs = Runs(context, str(folder / "cache"), options.steps)
        comparison = Comparison(dict(runs.to_the_end(folder / "whole")))
        workdir, base = folder / "killed", folder / "base"
        in_save, steps_done = kill_often(runs, workdir, options.kills, rng, comparison)
        kept = saved_steps(workdir)[-1]
        comparison.losses("before the end", runs.until(workdir, options.steps - 3 * SAVE_EVERY))
        shutil.copytree(workdir, base, ignore=shutil.ignore_patterns(TEMPORARY))
        comparison.losses("after the kills", runs.to_the_end(workdir))
        whole = result(folder / "whole", options.steps)
        if result(workdir, options.steps) != whole:
            comparison.wrong.append("the killed run's result differs")
        for number in range(options.corruptions):
            copy, kind = folder / f"corruption {number + 1}", ("truncate", "flip", "delete")[number % 3]
            table.add_row(*corrupt(runs, base, copy, kind, whole, rng, comparison))
    console = Console(width=max(Console().width, 110))
    console.print(table)
    console.print(
        f"{options.kills} kills, {in_save} of them while a checkpoint was being written: {steps_done} steps were done "
        f"for {kept}, and {'NOT all' if comparison.wrong else 'all'} losses, arrays, data positions and model files "
        f"are bit-equal to the run that was left alone ({time.time() - began:.0f} s)"
    )
    if comparison.wrong:
        sys.exit("\n".join(comparison.wrong))


if __name__ == "__main__":
    main()
