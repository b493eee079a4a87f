# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The harness: floors, controls, what is not applicable, going on where a run stopped, and one report for one seed."""

import dataclasses
import functools
import json

import numpy as np
import pytest

from vidgen.eval import runner, world
from vidgen.eval.suite import (
    Bound,
    Case,
    Control,
    NotApplicableError,
    Score,
    Setting,
    Source,
    Suite,
    mirrored,
    shuffled,
)
from vidgen.eval.systems import Function
from vidgen.eval.world import Entrants, Options, evaluate


@dataclasses.dataclass(frozen=True)
class Bar:
    """A world of one bright column: where it stands is all that there is to say."""

    column: int
    width: int = 32
    height: int = 8
    frames: int = 3


def render_bar(bar):
    clip = np.zeros((bar.frames, bar.height, bar.width, 3), np.uint8)
    clip[:, :, bar.column] = 255
    return clip


def draw_bars(setting, n, seed, twins=False):
    if setting.frames < 3:
        raise NotApplicableError("its cases need 3 frames")
    # All different, and none in the mirror image of another.
    cases = [Case(f"bar {row} of seed {seed}", Bar(1 + row % 15), render_bar, 1 + row % 15) for row in range(n)]
    if twins:
        cases = [dataclasses.replace(case, twin=Case("no bar", Bar(0), render_bar, 0)) for case in cases]
    return tuple(cases)


def measure_bar(clip, case):
    where = clip.astype(int).sum((0, 1, 3)).argmax() if clip.ndim == 4 else clip[0].astype(int).sum((0, 1, 3)).argmax()
    dark = clip.max() == 0
    return {"at": None if dark else np.bool_(where == case.expects), "where": float(where), "frames": (1.0, 2, None)}


BARS = Suite(
    name="bars",
    title="Bars",
    definition="Where the bar is.",
    source=Source("bars", draw_bars),
    measure=measure_bar,
    scores=(
        Score("at", "in its place", miss=False),
        Score("where", "column", unit="px", better=""),
        Score("at", "in its place, where seen", name="seen"),
    ),
    controls=(
        Control("mirrored", "mirrored", (Bound("at", high=0.02),), mirrored),
        Control("shuffled", "shuffled", (Bound("at", high=0.0),), shuffle=True),
    ),
    floors=(Bound("at", low=0.99),),
    curves=("frames",),
)


def coin(cases, seed):
    """Every clip shows what it should, but the first of a batch is dark."""
    clips = np.stack([case.render() if case.twin is None else render_bar(case.scene) for case in cases])
    clips[0] = 0
    return clips


FAKE = Function("coin", coin, Setting())


def run(tmp_path, suites=(BARS,), system=FAKE, n=11, seed=0, controls=96, **more):
    setting = system.setting if system else Setting()
    return evaluate(suites, Entrants(setting, system, **more), Options(tmp_path, n, seed, controls=controls))


def text(report):
    return json.dumps(report.to_dict(), indent=2)


def test_scores_floors_and_controls(tmp_path):
    (result,) = run(tmp_path).results
    assert list(result.columns) == [
        "model",
        "model, mirrored",
        "model, shuffled",
        "true",
        "true, mirrored",
        "true, shuffled",
    ]
    # 11 cases are two batches, whose first clips are dark: a miss is wrong, or left out.
    assert result.columns["model"]["at"].value == pytest.approx(9 / 11)
    assert result.columns["model"]["seen"].value == 1.0 and result.columns["model"]["seen"].n == 9
    assert result.columns["true"]["at"].value == 1.0
    assert result.columns["true, mirrored"]["at"].value == 0.0
    assert [(check.column, check.holds) for check in result.checks] == [
        ("true", True), ("true, mirrored", True), ("true, shuffled", True),
    ]  # fmt: skip
    assert result.curves["model"]["frames"] == (1.0, 2.0, 0.0)


def test_a_change_that_changes_nothing_is_held_against_the_same_cases(tmp_path):
    late = dataclasses.replace(
        BARS,
        measure=lambda clip, case: {"at": case.expects <= 8},  # right in the first 8 cases, and there alone
        controls=(Control("kept", "nothing is done", (Bound("at", same=0.0),)),),
    )
    (result,) = run(tmp_path, (late,), controls=5).results
    assert result.columns["true"]["at"].value == pytest.approx(8 / 11)
    assert result.columns["true, kept"]["at"].n == 8 and result.columns["true, kept"]["at"].value == 1.0
    assert [check.holds for check in result.checks] == [False, True]


def test_a_measure_that_is_blind_is_found_out(tmp_path):
    blind = dataclasses.replace(BARS, measure=lambda clip, case: {"at": True, "where": 0.0})
    report = run(tmp_path, (blind,))
    assert {check.column for _, check in report.failed} == {"true, mirrored", "true, shuffled"}


def test_the_same_seed_gives_the_same_report_and_another_seed_another(tmp_path):
    one, two = run(tmp_path / "a"), run(tmp_path / "b")
    assert text(one) == text(two) and "Infinity" not in text(one) and "NaN" not in text(one)
    assert text(run(tmp_path / "a")) == text(one)  # from what is on disk
    assert text(run(tmp_path / "c", seed=1)) != text(one)


def test_what_is_on_disk_is_not_made_again(tmp_path, monkeypatch):
    made = []
    counted = Function("coin", lambda cases, seed: made.append(len(cases)) or coin(cases, seed))
    first = run(tmp_path, system=counted)
    assert made == [8, 3]
    measured = []
    monkeypatch.setattr(runner, "measure_job", functools.partial(_count, measured, runner.measure_job))
    assert text(run(tmp_path, system=counted)) == text(first) and made == [8, 3] and measured == []
    # One more suite of the same source: its outcomes are measured on the clips that are there.
    more = dataclasses.replace(BARS, name="more")
    report = run(tmp_path, (BARS, more), counted)
    assert made == [8, 3] and {suite.name for job in measured for suite in job.suites} == {"more"}
    assert report.results[1].columns == report.results[0].columns == first.results[0].columns
    # Another model's clips and outcomes are its own.
    dark = Function("dark", lambda cases, seed: 0 * counted.generate(cases, seed))
    report = run(tmp_path, system=dark)
    assert made == [8, 3, 8, 3] and report.results[0].columns["model"]["at"].value == 0.0


def _count(measured, original, job):
    measured.append(job)
    return original(job)


def test_an_interrupted_run_loses_at_most_a_batch(tmp_path):
    calls = []

    def interrupted(cases, seed):
        calls.append(cases[0].prompt)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return coin(cases, seed)

    system = Function("coin", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, system=system)
    report = run(tmp_path, system=system)
    assert len(calls) == 3 and calls[1] == calls[2]
    assert text(report) == text(run(tmp_path / "straight"))


def test_what_cannot_be_scored_is_not_applicable(tmp_path):
    class Refuses(Function):
        def check(self, cases):
            raise NotApplicableError("it makes no bars")

    report = run(tmp_path, system=Refuses("none", coin))
    (result,) = report.results
    assert result.not_applicable == "it makes no bars"
    assert "true" in result.columns and "model" not in result.columns
    short = Function("short", coin, Setting(frames=1))
    (result,) = run(tmp_path, system=short).results
    assert result.not_applicable == "its cases need 3 frames" and not result.columns


def test_floors_alone(tmp_path):
    (result,) = run(tmp_path, system=None).results
    assert set(result.columns) == {"true", "true, mirrored", "true, shuffled"} and not result.not_applicable
    assert result.picks and all(pick.clips is None for pick in result.picks)


def test_untrained_weights_are_scored_beside(tmp_path):
    dark = Function("dark", lambda cases, seed: 0 * coin(cases, seed))
    (result,) = run(tmp_path, untrained=dark).results
    assert result.columns["untrained"]["at"].value == 0.0 and "untrained, mirrored" not in result.columns


def test_picks_go_from_best_to_worst(tmp_path):
    (result,) = run(tmp_path).results
    assert [pick.word for pick in result.picks] == ["best"] * 3 + ["median"] * 3 + ["worst"] * 3
    qualities = [pick.quality for pick in result.picks]
    assert qualities == sorted(qualities, reverse=True) and qualities[0] == 1 and qualities[-1] == 0
    assert result.picks[-1].frames().max() == 0 and result.picks[0].frames().max() == 255
    (few,) = run(tmp_path / "few", n=2).results
    assert [pick.word for pick in few.picks] == ["best", "worst"]


def test_twins_are_made_from_one_seed(tmp_path):
    seeds = []
    paired = dataclasses.replace(BARS, source=Source("paired", functools.partial(draw_bars, twins=True)))
    system = Function("coin", lambda cases, seed: seeds.append(seed) or coin(cases, seed))
    (result,) = run(tmp_path, (paired,), system).results
    assert seeds[0] == seeds[1] and seeds[2] == seeds[3] and seeds[0] != seeds[2]
    assert result.columns["true"]["at"].value == 1.0 and result.columns["true, mirrored"]["at"].value == 0.0
    assert result.picks[0].frames().shape == (3, 8, 32, 3)


def test_clips_of_another_shape_are_refused(tmp_path):
    with pytest.raises(ValueError, match="cases need uint8"):
        run(tmp_path, system=Function("short", lambda cases, seed: coin(cases, seed)[:, :2]))


def test_wrong_requests(tmp_path):
    with pytest.raises(ValueError, match="at least 1"):
        run(tmp_path, n=0)
    with pytest.raises(ValueError, match="once"):
        run(tmp_path, (BARS, BARS))


def test_workers_find_what_one_process_finds(tmp_path):
    from vidgen.eval.suites.static import FLICKER

    setting = Setting(frames=5)
    reports = [evaluate((FLICKER,), Entrants(setting), Options(tmp_path / str(w), 9, 0, workers=w)) for w in (1, 2)]
    assert text(reports[0]) == text(reports[1])


def test_shuffling_moves_every_case():
    for n in (2, 3, 8, 11):
        assert sorted(shuffled(range(n))) == list(range(n)) and all(
            a != b for a, b in zip(shuffled(range(n)), range(n), strict=True)
        )


def test_outcomes_of_another_kind_are_refused():
    assert runner.plain({"a": np.float32(0.1), "b": np.bool_(True), "c": (None, 1)}) == {
        "a": 0.1,
        "b": True,
        "c": (None, 1.0),
    }
    with pytest.raises(TypeError, match="not str"):
        runner.plain({"a": "left"})


def test_every_name_in_use_is_kept_on_disk_once(tmp_path):
    run(tmp_path)
    names = sorted(path.name for path in tmp_path.rglob("*") if path.is_file())
    assert len(names) == 2 + 2 * 2 and not [name for name in names if "partial" in name]
    assert world.column("true", runner.PLAIN) == "true"
