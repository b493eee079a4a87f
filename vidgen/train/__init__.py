# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Training: one loop for every model, and one small file a loss."""

import time
from pathlib import Path
from typing import Any, Protocol

from etils import epath

from vidgen import config as vidgen_config
from vidgen.parallel import hosts
from vidgen.train.loop import LoopConfig, Task, train
from vidgen.train.storage import check_reachable, local_folder


class Experiment(Protocol):
    """What an experiment file's `get_config()` returns: a frozen dataclass that can make a task."""

    @property
    def loop(self) -> LoopConfig:
        """How long to train and how often to look."""
        ...

    def task(self, workdir: Path) -> Task:
        """What the loop needs. `workdir` is a folder of this machine, for what can be made again."""
        ...


def run(config: Experiment, workdir: epath.PathLike) -> None:
    """Trains what an experiment describes in `workdir`, or goes on where it stopped.

    Args:
        config: the same in all processes.
        workdir: a folder that all processes see, or a bucket (gs://...).

    Raises:
        ValueError: workdir holds another experiment, or the processes were given different ones, or it is a bucket and
            the package gcsfs is not there. Only the number of steps, how often to log, how the work is divided over
            devices, and what is unrolled or made again may change.
    """
    began = time.time()
    workdir = epath.Path(workdir)
    check_reachable(workdir)
    text = vidgen_config.to_json(config)
    for process, other in enumerate(hosts.gather_texts(text)):
        if other != text:
            raise ValueError(
                f"process {process} was given another configuration than this one: give all the same command"
            )
    # One process looks and writes; all hear what it found, so that none waits for one that has given up.
    if refusal := hosts.gather_texts(_claim(config, workdir, text) if hosts.is_first() else "")[0]:
        raise ValueError(refusal)
    train(config.task(local_folder(workdir)), config.loop, workdir, text, began)


def _claim(config: Any, workdir: epath.Path, text: str) -> str:
    """Writes the configuration into workdir, or says why it cannot be used."""
    workdir.mkdir(parents=True, exist_ok=True)
    saved = workdir / "config.json"
    if saved.exists():
        try:
            changed = vidgen_config.diff(vidgen_config.from_json(saved.read_text()), config)
        except ValueError as error:
            return f"{saved} cannot be read: {error}"
        free = ("loop.", "mesh.", "attention", "model.remat", "model.unroll")
        forbidden = [entry for entry in changed if not entry[0].startswith(free) or entry[0] == "loop.seed"]
        if forbidden:
            name, old, new = forbidden[0]
            return (
                f"{workdir} holds a run with {name} = {old} and this one has {new}: resume it with the same "
                f"configuration, or choose another --workdir"
            )
    saved.write_text(text)
    return ""
