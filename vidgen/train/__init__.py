# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Training: one loop for every model, and one small file a loss."""

from pathlib import Path
from typing import Protocol

from vidgen import config as vidgen_config
from vidgen.train.loop import LoopConfig, Task, train


class Experiment(Protocol):
    """What an experiment file's `get_config()` returns: a frozen dataclass that can make a task."""

    @property
    def loop(self) -> LoopConfig:
        """How long to train and how often to look."""
        ...

    def task(self, workdir: Path) -> Task:
        """What the loop needs."""
        ...


def run(config: Experiment, workdir: Path) -> None:
    """Trains what an experiment describes in `workdir`, or goes on where it stopped.

    Raises:
        ValueError: workdir holds another experiment (only the number of steps, how often to log, and how the work is
            divided over devices may change).
    """
    workdir = Path(workdir)
    workdir.mkdir(parents=True, exist_ok=True)
    text = vidgen_config.to_json(config)
    saved = workdir / "config.json"
    if saved.exists():
        changed = vidgen_config.diff(vidgen_config.from_json(saved.read_text()), config)
        free = ("loop.", "mesh.", "attention")
        forbidden = [entry for entry in changed if not entry[0].startswith(free) or entry[0] == "loop.seed"]
        if forbidden:
            name, old, new = forbidden[0]
            raise ValueError(
                f"{workdir} holds a run with {name} = {old} and this one has {new}: resume it with the same "
                f"configuration, or choose another --workdir"
            )
    saved.write_text(text)
    train(config.task(workdir), config.loop, workdir, text)
