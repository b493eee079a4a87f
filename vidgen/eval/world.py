# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The benchmark in worlds with ground truth: draws cases, has clips made and measured, and reports.

Beside a system's scores stand the floors, which are the scores of the true renders, straight and through the system's
VAE, and the controls: changes of the clips or the prompts after which known things must happen. A floor or a control
that is not as it must be is told, for then the benchmark, not the system, is at fault.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from vidgen import __version__
from vidgen.eval import runner
from vidgen.eval.estimates import Estimate
from vidgen.eval.runner import BATCH, CONTROLS, PLAIN, Progress, Subject, digest
from vidgen.eval.suite import Bound, Case, NotApplicableError, Outcome, Setting, Source, Suite, curve
from vidgen.eval.systems import System, through
from vidgen.sample.autoencoder import Autoencoder

PICKS = 3
"""Clips shown of the best, of the median and of the worst."""
UNTRAINED = 48
"""Cases that untrained weights are sampled for: enough to see that a score is chance."""

TRUE, VAE, MODEL, BLANK = "true", "vae", "model", "untrained"


@dataclass(frozen=True)
class Options:
    """How to run. out: folder of all that is kept. n: cases a suite. seed: of cases and noise. workers: processes.
    controls: cases on which controls are measured, the first of all; it is rounded up to whole batches.
    """

    out: Path
    n: int = 200
    seed: int = 0
    workers: int = 1
    controls: int = CONTROLS

    @property
    def controlled(self) -> int:
        """`controls`, in whole batches."""
        return -(-self.controls // BATCH) * BATCH


@dataclass(frozen=True, eq=False)
class Entrants:
    """Who is scored. system: None for floors alone. vae: for the floor through it, and reconstruction. untrained: the
    same system with untrained weights, as a control. setting: what cases are drawn for.
    """

    setting: Setting
    system: System | None = None
    vae: Autoencoder | None = None
    untrained: System | None = None


@dataclass(frozen=True)
class Pick:
    """A clip to show: word is best, median or worst; clips: its file, None for a true render; row: in that file."""

    word: str
    index: int
    case: Case
    quality: float
    clips: Path | None
    row: int

    def frames(self) -> np.ndarray:
        """uint8 [F, H, W, 3]; with a twin, its own clip alone."""
        clip = self.case.render() if self.clips is None else runner.load_clips(self.clips)[self.row]
        return clip if clip.ndim == 4 else clip[0]


@dataclass(frozen=True)
class Check:
    """Whether a score is as it must be. score: its id. bound: what it must be. value: what it is. holds: None where
    nothing was read.
    """

    column: str
    score: str
    bound: Bound
    value: float
    holds: bool | None


@dataclass(frozen=True, eq=False)
class Result:
    """What a suite came to. columns: "model", "true", "vae", "untrained", and "model, mirrored" and its like: estimates
    by score id; curves: means by frame index. not_applicable: why the system has no score, or "". picks: of the
    system's clips, or of true renders.
    """

    suite: Suite
    n: int
    columns: Mapping[str, Mapping[str, Estimate]]
    curves: Mapping[str, Mapping[str, tuple[float, ...]]] = field(default_factory=dict)
    checks: tuple[Check, ...] = ()
    picks: tuple[Pick, ...] = ()
    not_applicable: str = ""


@dataclass(frozen=True, eq=False)
class Report:
    """All results, and what they are of."""

    options: Options
    entrants: Entrants
    results: tuple[Result, ...] = field(default=())

    def to_dict(self) -> dict:
        """For JSON: nothing in it depends on when, where or how fast it was made."""
        system = self.entrants.system
        return {
            "vidgen": __version__,
            "system": {"name": system.name, "key": system.key} if system else None,
            "vae": self.entrants.vae.hash() if self.entrants.vae else None,
            "setting": {**asdict(self.entrants.setting), "concepts": len(self.entrants.setting.concepts)},
            "n": self.options.n,
            "controls": self.options.controlled,
            "seed": self.options.seed,
            "suites": {result.suite.name: _result_dict(result) for result in self.results},
        }

    @property
    def failed(self) -> tuple[tuple[Suite, Check], ...]:
        """Floors and controls that are not as they must be."""
        return tuple((one.suite, check) for one in self.results for check in one.checks if check.holds is False)


def _quiet(*_: object) -> None:
    """Tells nobody."""


def _result_dict(result: Result) -> dict:
    suite = result.suite
    return {
        "title": suite.title,
        "definition": suite.definition,
        "source": suite.source.name,
        "n": result.n,
        "not_applicable": result.not_applicable or None,
        "scores": {score.id: {"title": score.title, "unit": score.unit, "better": score.better, "chance": score.chance}
                   for score in suite.scores},
        "columns": {
            column: {name: estimate.to_dict() for name, estimate in estimates.items()}
            for column, estimates in result.columns.items()
        },
        "curves": {
            column: {name: list(values) for name, values in curves.items()} for column, curves in result.curves.items()
        },
        "checks": [
            {
                "column": check.column,
                "bound": str(check.bound),
                "value": check.value if np.isfinite(check.value) else None,
                "holds": check.holds,
            }
            for check in result.checks
        ],
        "picks": [{"word": pick.word, "index": pick.index, "prompt": pick.case.prompt} for pick in result.picks],
    }  # fmt: skip


def evaluate(suites: Sequence[Suite], entrants: Entrants, options: Options, progress: Progress | None = None) -> Report:
    """Runs suites; what is on disk in options.out is used. The report depends on nothing but the arguments.

    Raises ValueError for a number of cases below 1 or suites of one name.
    """
    if min(options.n, options.controls) < 1:
        raise ValueError(f"n and controls must be at least 1, not {options.n} and {options.controls}")
    names = [suite.name for suite in suites]
    if len(set(names)) != len(names):
        raise ValueError(f"each suite can be run once; given: {', '.join(names)}")
    say = progress or _quiet
    by_source: dict[str, list[Suite]] = {}
    for suite in suites:
        by_source.setdefault(suite.source.name, []).append(suite)
    found: dict[str, Result] = {}
    for group in by_source.values():
        found |= {result.suite.name: result for result in _run_source(group, entrants, options, say)}
    return Report(options, entrants, tuple(found[name] for name in names))


def _run_source(suites: list[Suite], entrants: Entrants, options: Options, say: Progress) -> list[Result]:
    source = suites[0].source
    try:
        cases = source.draw(entrants.setting, options.n, options.seed)
    except NotApplicableError as error:
        return [Result(suite, 0, {}, not_applicable=str(error)) for suite in suites]
    prompted = [suite for suite in suites if suite.made == "prompt"]
    why, work = "", []
    todo: list[tuple[Subject, tuple[Case, ...], list[Suite]]] = [
        (Subject(TRUE, TRUE, None, options.controlled), cases, prompted)
    ]
    if entrants.vae is not None and fits(entrants.vae, cases):
        todo.append((_through_vae(source, entrants.vae, cases, options, say), cases, suites))
    if entrants.system is not None and prompted:
        try:
            entrants.system.check(cases)
            todo.append((_sampled(MODEL, source, entrants.system, cases, options, say), cases, prompted))
            if entrants.untrained is not None:
                few = cases[:UNTRAINED]
                todo.append((_sampled(BLANK, source, entrants.untrained, few, options, say), few, prompted))
        except NotApplicableError as error:
            why = str(error)
    for subject, part, group in todo:
        work += runner.jobs(options.out, subject, part, group)
    runner.measure_all(work, options.workers, say, f"measuring {source.name}")
    return [
        _result(suite, [(subject, part) for subject, part, group in todo if suite in group], options, why)
        for suite in suites
    ]


def fits(vae: Autoencoder, cases: Sequence[Case]) -> bool:
    """Whether a VAE takes frames of the cases' size."""
    scene = cases[0].scene
    return not (scene.height % vae.config.patch[1] or scene.width % vae.config.patch[2])


def _through_vae(source: Source, vae: Autoencoder, cases: tuple[Case, ...], options: Options, say: Progress) -> Subject:
    def make(part: Sequence[Case], _: int) -> np.ndarray:
        clips = [case.render() for case in part]
        return through(vae, np.stack(clips + clips[-1:] * (BATCH - len(clips))))[: len(clips)]

    return _made(VAE, vae.hash(), make, source, cases, options, say, controls=0)


def _sampled(
    name: str, source: Source, system: System, cases: tuple[Case, ...], options: Options, say: Progress
) -> Subject:
    def make(part: Sequence[Case], start: int) -> np.ndarray:
        return system.make(part, int(digest(source.name, options.seed, start)[:7], 16))

    controls = options.controlled if name == MODEL else 0
    return _made(name, system.key, make, source, cases, options, say, controls)


def _made(
    name: str,
    key: str,
    make: Callable[[Sequence[Case], int], np.ndarray],
    source: Source,
    cases: tuple[Case, ...],
    options: Options,
    say: Progress,
    controls: int,
) -> Subject:
    """Has clips made batch by batch; those on disk stay. Raises ValueError for clips of another shape."""
    title, files = f"making {source.name}, {name}", []
    for start, part in runner.batches(cases):
        say(title, start, len(cases))
        wanted = digest(__version__, key, options.seed, [runner.case_key(case) for case in part])
        file = options.out / "clips" / f"{source.name}-{name}-{start:05d}-{wanted}.npz"
        runner.keep_clips(file, lambda part=part, start=start: _checked(make(part, start), part))
        files.append(file)
    say(title, len(cases), len(cases))
    return Subject(name, f"{key}-{options.seed}", tuple(files), controls)


def _checked(clips: np.ndarray, cases: Sequence[Case]) -> np.ndarray:
    scene, pair = cases[0].scene, (2,) if cases[0].twin else ()
    wanted = (len(cases), *pair, scene.frames, scene.height, scene.width, 3)
    if clips.shape != wanted or clips.dtype != np.uint8:
        raise ValueError(f"the system made clips of {clips.dtype} {clips.shape}; the cases need uint8 {wanted}")
    return clips


def _result(suite: Suite, parts: Sequence[tuple[Subject, tuple[Case, ...]]], options: Options, why: str) -> Result:
    columns: dict[str, Mapping[str, Estimate]] = {}
    curves: dict[str, Mapping[str, tuple[float, ...]]] = {}
    plain: dict[str, list[Outcome]] = {}
    unchanged: Mapping[str, Estimate] = {}
    for subject, cases in parts:
        read = runner.read_outcomes(options.out, subject, cases, suite)
        plain[subject.name] = read[PLAIN]
        if subject.name == TRUE:
            unchanged = suite.summary(read[PLAIN][: options.controlled])
        for treatment, outcomes in read.items():
            columns[column(subject.name, treatment)] = suite.summary(outcomes)
        if suite.curves:
            curves[subject.name] = {key: curve(read[PLAIN], key) for key in suite.curves}
    order = sorted(columns, key=lambda name: [MODEL, TRUE, VAE, BLANK].index(name.split(",")[0]))
    best_known = (MODEL, TRUE) if suite.made == "prompt" else (VAE,)
    shown = next((part for name in best_known for part in parts if part[0].name == name), None)
    picks = _picks(suite, *shown, plain[shown[0].name]) if shown else ()
    n = len(parts[0][1]) if parts else 0
    if suite.made == "reconstruction" and not parts:
        why = "it needs a VAE that takes its frames; give --model"
    ordered = {name: columns[name] for name in order}
    return Result(suite, n, ordered, curves, _checks(suite, columns, unchanged), picks, why)


def column(subject: str, treatment: str) -> str:
    """A column's name: "true", or "true, mirrored"."""
    return subject if treatment == PLAIN else f"{subject}, {treatment}"


def _picks(suite: Suite, subject: Subject, cases: Sequence[Case], outcomes: Sequence[Outcome]) -> tuple[Pick, ...]:
    """The best, median and worst clips; fewer where there are few."""
    qualities = [suite.quality(outcome) for outcome in outcomes]
    order = sorted(range(len(cases)), key=lambda at: -qualities[at])
    k = min(PICKS, max(1, len(order) // 3))
    middle = (len(order) - k) // 2
    chosen: dict[int, str] = {}
    for word, some in (("best", order[:k]), ("worst", order[-k:]), ("median", order[middle : middle + k])):
        for at in some:
            chosen.setdefault(at, word)
    picks = [
        Pick(word, at, cases[at], qualities[at], subject.clips[at // BATCH] if subject.clips else None, at % BATCH)
        for at, word in chosen.items()
    ]
    return tuple(
        sorted(picks, key=lambda pick: (("best", "median", "worst").index(pick.word), order.index(pick.index)))
    )


def _checks(
    suite: Suite, columns: Mapping[str, Mapping[str, Estimate]], unchanged: Mapping[str, Estimate]
) -> tuple[Check, ...]:
    """Floors and controls against what they must be. unchanged: scores of the true renders that controls changed."""
    wanted = [(TRUE, bound) for bound in suite.floors] + [(VAE, bound) for bound in suite.vae_floors]
    wanted += [(column(TRUE, control.name), bound) for control in suite.controls for bound in control.expects]
    checks = []
    for name, bound in wanted:
        if name in columns:
            value = columns[name][bound.score].value
            before = unchanged[bound.score].value if bound.score in unchanged else float("nan")
            checks.append(
                Check(name, bound.score, bound, value, bound.holds(value, before) if value == value else None)
            )
    return tuple(checks)
