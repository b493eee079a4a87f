# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""A run that says what it read and what it lost, alone or as one of several processes.

As a program, `python hosts.py INDEX ADDRESS FOLDER`, it is one of two processes with four devices each.
"""

import dataclasses
import hashlib
import json
import os
import signal
import sys
from pathlib import Path

import jax
import numpy as np
from jax.sharding import Mesh

from vidgen import config as vidgen_config
from vidgen.parallel import hosts, shard
from vidgen.parallel.mesh import MeshConfig, make_mesh
from vidgen.train.log import Log
from vidgen.train.loop import train
from vidgen.train.vae import VAETraining

MESH = MeshConfig(data=2, fsdp=4)


def get_config(eval_every: int = 0) -> VAETraining:
    """Four steps of the tiny experiment in float32, eight clips a batch."""
    tiny = vidgen_config.load_experiment(Path(__file__).with_name("tiny.py"))
    return dataclasses.replace(
        tiny,
        model=dataclasses.replace(tiny.model, dtype="float32"),
        loop=dataclasses.replace(tiny.loop, steps=4, save_every=2, eval_every=eval_every),
        batch_size=8,
        mesh=MESH,
    )


class Recording:
    """A stream that notes which rows each batch has, under the step that it is for.

    rows_of: where to, {step: {row: digest of its pixels}}. own: the rows of this process. stop_in: a step in which this
    process gets SIGTERM.
    """

    def __init__(self, inner, rows_of, own, stop_in):
        self.inner, self.rows_of, self.own, self.stop_in = inner, rows_of, own, stop_in

    def __iter__(self):
        return Recording(iter(self.inner), self.rows_of, self.own, self.stop_in)

    def __next__(self):
        step = self.inner.get_state()["next_index"] + 1
        batch = next(self.inner)
        digests = [hashlib.sha256(clip.tobytes()).hexdigest() for clip in batch["video_BFHWC"]]
        self.rows_of[step] = dict(zip(self.own, digests, strict=True))
        if step == self.stop_in:
            os.kill(os.getpid(), signal.SIGTERM)
        return batch

    def get_state(self):
        return self.inner.get_state()

    def set_state(self, state):
        self.inner.set_state(state)


def recorded_run(
    workdir: Path, mesh: Mesh | None = None, stop_in: int = 0, steps: int = 4, eval_every: int = 0
) -> dict:
    """Trains up to a step, however many the optimiser was made for.

    Args:
        workdir: of the run.
        mesh: another one than the config's.
        stop_in: a step in which this process gets SIGTERM.
        steps: after so many the run ends, as if it had been told to.
        eval_every: see `LoopConfig`; with 0 no model is exported either, which saves compiling.

    Returns:
        {"rows": {step: {row: digest of its pixels}}, "losses": {step: loss}, "last": the last step}.
    """
    config = get_config(eval_every)
    task = config.task(workdir)
    make_optimizer = task.make_optimizer
    rows_of: dict[int, dict[int, str]] = {}
    losses: dict[int, float] = {}
    mesh = task.mesh if mesh is None else mesh
    own = shard.own_rows(mesh, config.batch_size)

    whole_step = Log.step

    def noted_step(log, step, metrics, clips, flops):
        losses[step] = float(metrics["loss"])
        assert clips == config.batch_size
        whole_step(log, step, metrics, clips, flops)

    Log.step = noted_step
    try:
        task = dataclasses.replace(
            task,
            batches=Recording(task.batches, rows_of, own, stop_in),
            mesh=mesh,
            export=task.export if eval_every else None,
            make_optimizer=lambda params, _: make_optimizer(params, 4),
        )
        state = train(task, dataclasses.replace(config.loop, steps=steps), workdir, vidgen_config.to_json(config))
    finally:
        Log.step = whole_step
    return {"rows": rows_of, "losses": losses, "last": int(state.step)}


def check_rows_and_gathering() -> None:
    """What needs several processes to be seen, beside runs."""
    spread = make_mesh(MeshConfig(sequence=8))
    assert shard.own_rows(spread, 3) == (0, 1, 2)  # the chips of both share every clip
    assert shard.own_rows(make_mesh(MESH), 16) == tuple(range(8 * jax.process_index(), 8 * jax.process_index() + 8))
    whole = np.arange(48.0).reshape(16, 3)
    own = shard.own_rows(make_mesh(MESH), 16)
    placed = shard.place_batch({"x": whole[list(own)]}, make_mesh(MESH))["x"]
    assert placed.shape == whole.shape
    for part in placed.addressable_shards:
        np.testing.assert_array_equal(part.data, whole[part.index])
    old, hosts.GATHER_BYTES = hosts.GATHER_BYTES, 100  # so that layers are gathered one by one
    try:
        path = {"dit": {"blocks": {"up": {"kernel": placed.reshape(2, 8, 3)}}}}
        found = hosts.on_first(path, make_mesh(MESH))
    finally:
        hosts.GATHER_BYTES = old
    assert (found is not None) == hosts.is_first()
    if found:
        params, mesh = found
        np.testing.assert_array_equal(params["dit"]["blocks"]["up"]["kernel"], whole.reshape(2, 8, 3))
        assert mesh.size == 4
    assert hosts.gather_texts(f"text {'x' * jax.process_index()}") == ["text ", "text x"]


def main() -> None:
    index, address, folder = int(sys.argv[1]), sys.argv[2], Path(sys.argv[3])
    jax.config.update("jax_platforms", "cpu")
    jax.config.update("jax_num_cpu_devices", 4)
    jax.config.update("jax_compilation_cache_dir", str(folder / f"xla{index}"))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
    hosts.join(address, 2, index)
    check_rows_and_gathering()
    told = {
        "fresh": recorded_run(folder / "two", steps=2, eval_every=2),
        # Process 1 alone is told to stop, in the third step: both must, after the same one.
        "continued": recorded_run(folder / "one", stop_in=3 if index else 0),
    }
    (folder / f"told{index}.json").write_text(json.dumps(told))


if __name__ == "__main__":
    main()
