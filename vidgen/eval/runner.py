# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Runs suites: makes the clips, measures them in worker processes, and keeps both, so that a run can go on.

Everything is done in batches, and a batch that is done is on disk: what is interrupted loses the batches in work. Files
are named by what they depend on, so that no file of another model, seed or case is ever taken for one of this run.
"""

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import as_completed
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vidgen import __version__
from vidgen.eval.suite import Case, Outcome, Suite, shuffled
from vidgen.eval.workers import pool

BATCH = 8
"""Cases whose outcomes are kept in one file."""
CONTROLS = 12 * BATCH
"""Cases on which controls are measured where nothing else is asked for: what must collapse is seen to collapse on so
many."""
PLAIN = "plain"
"""The treatment of clips that are left as they are; the others are named by the controls."""

Progress = Callable[[str, int, int], None]
"""Told (what is being done, how much of it is done, of how much)."""


@dataclass(frozen=True)
class Job:
    """A batch of cases whose clips are to be measured by some suites; sent to a worker.

    clips: a file with the clips, uint8 [B, ...] under "clips"; None is the true renders. cases, others: the cases, and
    those that the clips are held against instead when a control shuffles. controls: whether they are measured too.
    """

    cases: tuple[Case, ...]
    others: tuple[Case, ...]
    suites: tuple[Suite, ...]
    clips: Path | None
    controls: bool


Measured = dict[str, dict[str, list[Outcome]]]
"""Outcomes by suite, by treatment, one a case."""


def measure_job(job: Job) -> Measured:
    """Runs in a worker: all suites and controls of a batch, clip by clip, so that they share what a detector sees."""
    kept = load_clips(job.clips) if job.clips else None
    found: Measured = {suite.name: {name: [] for name in treatments(suite, job.controls)} for suite in job.suites}
    for row, (case, other) in enumerate(zip(job.cases, job.others, strict=True)):
        clip = case.render() if kept is None else kept[row]
        changed = {PLAIN: clip}
        for suite in job.suites:
            found[suite.name][PLAIN].append(plain(suite.measure(clip, case)))
        # Controls of one name do one thing: a mirrored clip is made, and looked at, once.
        for suite in job.suites:
            for control in suite.controls if job.controls else ():
                if control.name not in changed:
                    changed[control.name] = clip if control.clip is None else control.clip(clip)
                held = other if control.shuffle else case
                found[suite.name][control.name].append(plain(suite.measure(changed[control.name], held)))
    return found


def treatments(suite: Suite, controls: bool) -> tuple[str, ...]:
    """What a suite measures of a clip: as it is, and under each control."""
    return (PLAIN, *(control.name for control in suite.controls)) if controls else (PLAIN,)


def plain(outcome: Outcome) -> Outcome:
    """An outcome as it is kept in JSON: Python's own numbers, floats to seven digits, and tuples."""
    return {
        key: tuple(map(_scalar, value)) if isinstance(value, tuple) else _scalar(value)
        for key, value in outcome.items()
    }


def _scalar(value: object) -> bool | float | None:
    if value is None or isinstance(value, bool | np.bool_):
        return None if value is None else bool(value)
    if isinstance(value, int | float | np.number):
        return float(f"{float(value):.7g}")
    raise TypeError(f"an outcome holds bool, float and None, not {type(value).__name__}")


def revive(outcome: dict) -> Outcome:
    """What JSON gives back of a `plain` outcome: lists become tuples again."""
    return {key: tuple(value) if isinstance(value, list) else value for key, value in outcome.items()}


def load_clips(path: Path) -> np.ndarray:
    """The clips of a file of `keep_clips`."""
    with np.load(path) as kept:
        return kept["clips"]


def keep_clips(path: Path, make: Callable[[], np.ndarray]) -> None:
    """Makes clips and writes them, unless the file is there. A file appears whole or not at all."""
    if path.exists():
        return
    clips = make()
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(f".{os.getpid()}.npz")
    np.savez_compressed(partial, clips=clips)
    partial.replace(path)


@dataclass(frozen=True)
class Subject:
    """Whose clips of a source are measured: "model", "true", "vae" or "untrained".

    key: of what made them. clips: one file a batch; None is the true renders. controls: so many cases, the first of all
    (and whole batches), have their controls measured too.
    """

    name: str
    key: str
    clips: tuple[Path, ...] | None
    controls: int


def batches(cases: Sequence[Case], size: int = BATCH) -> Iterator[tuple[int, tuple[Case, ...]]]:
    """(start, part) of the cases; the last part may be shorter."""
    for start in range(0, len(cases), size):
        yield start, tuple(cases[start : start + size])


def jobs(
    folder: Path, subject: Subject, cases: Sequence[Case], suites: Sequence[Suite]
) -> Iterator[tuple[Job, dict[str, Path]]]:
    """The batches of a subject that are not on disk yet, and the file of each of their suites."""
    others = shuffled(cases)
    for number, (start, part) in enumerate(batches(cases)):
        files = {suite.name: outcome_file(folder, subject, suite, cases, start) for suite in suites}
        todo = tuple(suite for suite in suites if not files[suite.name].exists())
        if todo:
            clips = subject.clips[number] if subject.clips else None
            job = Job(part, others[start : start + len(part)], todo, clips, controlled(subject, start))
            yield job, {suite.name: files[suite.name] for suite in todo}


def controlled(subject: Subject, start: int) -> bool:
    """Whether the batch that begins with case `start` has its controls measured."""
    return start < subject.controls


def outcome_file(folder: Path, subject: Subject, suite: Suite, cases: Sequence[Case], start: int) -> Path:
    """Named by all that the outcomes of a batch depend on; shuffled cases depend on how many there are."""
    around = [case_key(case) for case in (*cases[start : start + BATCH], *shuffled(cases)[start : start + BATCH])]
    names = (suite.name, suite.definition, treatments(suite, controlled(subject, start)))
    key = digest(__version__, subject.key, names, around)
    return folder / "outcomes" / suite.name / f"{subject.name}-{start:05d}-{key}.json"


def case_key(case: Case) -> str:
    """Of everything that a case holds."""
    return digest(case.prompt, repr(case.scene), repr(case.expects), case.given, case.twin and case_key(case.twin))


def measure_all(work: Sequence[tuple[Job, dict[str, Path]]], workers: int, progress: Progress, title: str) -> None:
    """Measures batches in worker processes (in this one for workers = 1) and writes what they found."""
    progress(title, 0, len(work))
    results = _in_turn(work) if workers == 1 else _in_pool(work, workers)
    for done, (measured, files) in enumerate(results, 1):
        write_outcomes(measured, files)
        progress(title, done, len(work))


def _in_turn(work: Sequence[tuple[Job, dict[str, Path]]]) -> Iterator[tuple[Measured, dict[str, Path]]]:
    for job, files in work:
        yield measure_job(job), files


def _in_pool(work: Sequence[tuple[Job, dict[str, Path]]], workers: int) -> Iterator[tuple[Measured, dict[str, Path]]]:
    """As they are done."""
    if not work:
        return
    with pool(min(workers, len(work))) as executor:
        waiting = {executor.submit(measure_job, job): files for job, files in work}
        for future in as_completed(waiting):
            yield future.result(), waiting[future]


def write_outcomes(measured: Measured, files: dict[str, Path]) -> None:
    """One JSON file a suite."""
    for name, outcomes in measured.items():
        files[name].parent.mkdir(parents=True, exist_ok=True)
        partial = files[name].with_suffix(f".{os.getpid()}.partial")
        partial.write_text(json.dumps(outcomes) + "\n", encoding="utf-8")
        partial.replace(files[name])


def read_outcomes(folder: Path, subject: Subject, cases: Sequence[Case], suite: Suite) -> dict[str, list[Outcome]]:
    """All outcomes of a subject by treatment, in the order of the cases; controls have those of the first cases."""
    found: dict[str, list[Outcome]] = {name: [] for name in treatments(suite, subject.controls > 0)}
    for start, _ in batches(cases):
        text = outcome_file(folder, subject, suite, cases, start).read_text(encoding="utf-8")
        for name, outcomes in json.loads(text).items():
            found[name] += [revive(outcome) for outcome in outcomes]
    return found


def digest(*values: object) -> str:
    """12 hexadecimal digits of values that JSON takes."""
    return hashlib.sha256(json.dumps(values, sort_keys=True, default=str).encode()).hexdigest()[:12]
