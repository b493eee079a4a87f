# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Whether an experiment trains slower than at an earlier revision: the same command in both, in turns.

    python experiments/benchmarks/against.py --revision 37eaa0f~1 --experiment experiments/first_light/vae.py

Each revision runs its own file of that name, from nothing, in a work tree of its own. The first report of a run, which
holds compilation, is left out.
"""

import dataclasses
import os
import re
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import tyro
from rich.progress import track

ROOT = Path(__file__).parents[2]
REPORT = 10
"""Steps between two reports."""


@dataclasses.dataclass(frozen=True)
class Options:
    """What to compare, and how long."""

    revision: str
    """The earlier one, as git names it."""
    experiment: str = "experiments/first_light/vae.py"
    """A file that is in both."""
    steps: int = 60
    """Of each run, a multiple of ten."""
    rounds: int = 3
    """How often both take turns."""


def rates(tree: Path, options: Options) -> list[float]:
    """Clips a second between the reports of one run, but for the first."""
    with tempfile.TemporaryDirectory() as workdir:
        command = [sys.executable, "-m", "vidgen.cli.main", "train", options.experiment, "--workdir", workdir,
                   "--loop.steps", str(options.steps), "--loop.log-every", str(REPORT), "--loop.eval-every", "0",
                   "--loop.save-every", str(10 * options.steps)]  # fmt: skip
        env = {**os.environ, "PYTHONPATH": str(tree)}
        done = subprocess.run(command, cwd=tree, env=env, check=False, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} in {tree}: {done.stderr[-2000:]}")
    return [float(rate) for rate in re.findall(r"([\d.]+) clips/s", done.stdout + done.stderr)][1:]


def main(options: Options) -> None:
    """Prints both rates and their ratio."""
    if options.steps < 2 * REPORT or options.steps % REPORT:
        raise ValueError(f"steps is {options.steps}; give a multiple of {REPORT} from {2 * REPORT} on")
    with tempfile.TemporaryDirectory() as folder:
        before = Path(folder) / "before"
        subprocess.run(["git", "worktree", "add", "--detach", str(before), options.revision], cwd=ROOT, check=True)
        try:
            found: dict[Path, list[float]] = {before: [], ROOT: []}
            for _ in track(range(options.rounds), description="rounds"):
                for tree, rate in found.items():
                    rate += rates(tree, options)
        finally:
            subprocess.run(["git", "worktree", "remove", "--force", str(before)], cwd=ROOT, check=True)
    then, now = (statistics.median(found[tree]) for tree in (before, ROOT))
    for name, tree in ((options.revision, before), ("now", ROOT)):
        values = found[tree]
        print(
            f"{name}: {statistics.median(values):.2f} clips/s ({min(values):.2f} to {max(values):.2f}, {len(values)})"
        )
    print(f"now / then: {now / then:.3f}")


if __name__ == "__main__":
    main(tyro.cli(Options, description=__doc__))
