# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Goodput over restarts, with a clock that the test turns."""

import json

import pytest
from etils import epath

from vidgen.train import goodput
from vidgen.train.goodput import Goodput


class Clock:
    def __init__(self):
        self.now = 1000.0

    def time(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(goodput, "time", clock)
    return clock


def start(clock: Clock, file: epath.Path | None, step: int) -> Goodput:
    """A start that takes 10 seconds until its first step."""
    began = clock.now
    clock.now += 10
    return Goodput(file, step, began)


def steps(clock: Clock, run: Goodput, count: int, seconds: float = 1.0) -> None:
    for _ in range(count):
        clock.now += seconds
        run.add(seconds)


def test_one_start(clock, tmp_path) -> None:
    run = start(clock, epath.Path(tmp_path / "goodput.json"), 0)
    steps(clock, run, 30)
    clock.now += 20  # an evaluation
    assert (run.productive, run.running(), run.share()) == (30, 60, 0.5)
    assert run.summary() == "goodput 50 %: 30 s of productive steps in 60 s of running, 1 start"


def test_lost_steps_are_not_productive_and_waiting_is_not_running(clock, tmp_path) -> None:
    file = epath.Path(tmp_path / "goodput.json")
    run = start(clock, file, 0)
    steps(clock, run, 30)
    run.saved(30)
    steps(clock, run, 20)  # then it is killed, and has noted so much a second or more after each 10
    noted = json.loads(file.read_text())["alive"]
    assert clock.now - noted <= goodput.ALIVE_SECONDS
    lost = noted - 1000 - 10 - 30
    clock.now = noted + 100
    run = start(clock, file, 30)
    assert (run.productive, run.down, run.starts) == (30, 100, 2)
    assert run.running() == 10 + 30 + lost + 10
    steps(clock, run, 5)
    run.saved(35)
    run.close()
    run = start(clock, file, 30)  # the newest checkpoint was damaged
    assert run.productive == 30 and run.starts == 3
    assert "3 starts, and 100 s between them" in run.summary()


def test_a_damaged_file_and_none_start_anew(clock, tmp_path) -> None:
    file = epath.Path(tmp_path / "goodput.json")
    for content in ("", "[1]", "{"):
        file.write_text(content)
        assert start(clock, file, 0).starts == 1
    assert start(clock, None, 7).share() == 0
