# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Goodput: the share of a run's time that went into steps which its result contains, over all its starts."""

import json
import time

from etils import epath

from vidgen.train.storage import is_bucket

ALIVE_SECONDS = 10.0
"""How often a run notes that it is alive: at most so much of the time of one that is killed is not counted."""
_KEPT = 16


class Goodput:
    """Counts productive time, and keeps the count in a file, so that it goes on over restarts.

    Productive is the time of steps, waiting for their data included. Not productive are starting, compiling, restoring,
    evaluating, waiting for saves, exporting, and steps that were lost because they came after the last checkpoint. Time
    in which no process ran is counted apart.

    Args:
        file: JSON; None keeps nothing, for processes that do not write.
        step: at which the run goes on; productive time after it is forgotten, since its steps are done again.
        began: `time.time()` when this process started to work for the run.
    """

    def __init__(self, file: epath.Path | None, step: int, began: float):
        self._file, self._began = file, began
        before = _read(file)
        self._saved = {at: spent for at, spent in before["saved"].items() if int(at) <= step}
        self.starts = before["starts"] + 1
        self.productive = self._saved.get(str(step), 0.0) if step else 0.0
        # As it will be read by the next start, which adds this one's time.
        self._ran = before["ran"] + max(0.0, before["alive"] - before["began"])
        self.down = before["down"] + (max(0.0, began - before["alive"]) if before["alive"] else 0.0)
        self._note()

    def add(self, seconds: float) -> None:
        """Counts a step, and notes now and then that the run is alive."""
        self.productive += seconds
        if time.time() - self._noted > ALIVE_SECONDS:
            self._note()

    def saved(self, step: int) -> None:
        """To be called when a step's checkpoint is on its way."""
        self._saved[str(step)] = self.productive
        self._note()

    def running(self) -> float:
        """Seconds in which the run had a process, up to now."""
        return self._ran + time.time() - self._began

    def share(self) -> float:
        """Productive time by running time, 0 to 1."""
        return min(1.0, self.productive / max(self.running(), 1e-9))

    def summary(self) -> str:
        """One line."""
        starts = f"{self.starts} start{'s' if self.starts > 1 else ''}"
        down = f", and {_duration(self.down)} between them" if self.starts > 1 else ""
        return (
            f"goodput {100 * self.share():.0f} %: {_duration(self.productive)} of productive steps in "
            f"{_duration(self.running())} of running, {starts}{down}"
        )

    def close(self) -> None:
        """Notes when the run ended."""
        self._note()

    def _note(self) -> None:
        self._noted = time.time()
        if self._file is None:
            return
        self._saved = dict(sorted(self._saved.items(), key=lambda item: int(item[0]))[-_KEPT:])
        content = {
            "starts": self.starts,
            "ran": self._ran,
            "down": self.down,
            "began": self._began,
            "alive": self._noted,
            "saved": self._saved,
        }
        if is_bucket(self._file):
            self._file.write_text(json.dumps(content))  # a bucket shows a file when it is whole
            return
        partial = self._file.parent / f"{self._file.name}.partial"
        partial.write_text(json.dumps(content))
        partial.replace(self._file)


def _read(file: epath.Path | None) -> dict:
    nothing = {"starts": 0, "ran": 0.0, "down": 0.0, "began": 0.0, "alive": 0.0, "saved": {}}
    if file is None or not file.exists():
        return nothing
    try:
        return {**nothing, **json.loads(file.read_text())}
    except (ValueError, TypeError):
        return nothing  # a figure, and no reason to stop a run


def _duration(seconds: float) -> str:
    hours = seconds / 3600
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min" if hours < 2 else f"{hours:.1f} h"
