# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""What a suite of the benchmark is: cases with a known truth, what is measured of a clip, and how it is summed up.

A suite is a frozen value. Its functions are defined at the top level of a module (or `functools.partial`s of such), so
that a suite and its cases can be sent to worker processes. `vidgen.eval.suites` lists all suites.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from vidgen.eval.estimates import Estimate, interval
from vidgen.worlds.sprites import FIRST_LIGHT

Value = bool | float | None | tuple[bool | float | None, ...]
Outcome = Mapping[str, Value]
"""What was measured of one clip, by key. A tuple holds several trials of one kind (two names of one prompt); None is a
trial that could not be read. Values must survive JSON: plain bool, float and None."""


class NotApplicableError(ValueError):
    """A suite cannot be run here; the message says why, in words that stand after "not applicable: "."""


@dataclass(frozen=True)
class Setting:
    """What the system under test can show; cases that follow it are drawn by it.

    concepts: names in the atlas that it knows; the detector chooses among them. width, height: pixels. frames: of its
    longest clip. fps: frames a second.
    """

    concepts: tuple[str, ...] = FIRST_LIGHT
    width: int = 64
    height: int = 64
    frames: int = 17
    fps: int = 8


@dataclass(frozen=True)
class Case:
    """A prompt, the world that it was written about, and what a clip of it must show.

    prompt: the text. scene: a value with `width`, `height` and `frames`. renderer: scene -> uint8 [F, H, W, 3]; a
    top-level function. expects: of the suite's own kind; data, not code. names: atlas concepts that the prompt names.
    given: so many first frames of the true clip are given to the system besides the prompt. twin: the same world with
    one thing changed, such as a cause removed; a system makes both from one noise, and the clips of such a case are
    uint8 [2, F, H, W, 3], its own first.
    """

    prompt: str
    scene: Any
    renderer: Callable[[Any], np.ndarray]
    expects: Any = None
    names: tuple[str, ...] = ()
    given: int = 0
    twin: "Case | None" = None

    def render(self) -> np.ndarray:
        """The true clip, uint8 [F, H, W, 3]; with a twin [2, F, H, W, 3]."""
        own = self.renderer(self.scene)
        return own if self.twin is None else np.stack([own, self.twin.render()])


@dataclass(frozen=True)
class Source:
    """Where cases come from. Suites of one source are scored on the same clips, which are made once.

    name: a word, which names the files that clips are kept in. draw: (setting, n, seed) -> n cases; pure, and the first
    k of n cases are the k cases of fewer. It raises NotApplicableError where the setting has no such cases, or where
    something is not installed.
    """

    name: str
    draw: Callable[[Setting, int, int], tuple[Case, ...]]


@dataclass(frozen=True)
class Score:
    """One number of a suite: the mean of an outcome's trials over all cases.

    key: of the outcome. title: what a reader sees. unit: "%" for a share (outcomes are bools or numbers in [0, 1]) or
    such as "dB", "px" and "". better: "higher", "lower", or "" for a number that is only told. miss: what a trial that
    could not be read counts as (False: as wrong); None leaves it out. chance: of a guess, if there is one. name: in
    reports; "" is the key. Two scores of one key (a miss is left out, a miss is wrong) need it.
    """

    key: str
    title: str
    unit: str = "%"
    better: str = "higher"
    miss: bool | float | None = None
    chance: float | None = None
    name: str = ""

    @property
    def id(self) -> str:
        """The score's name in reports."""
        return self.name or self.key


@dataclass(frozen=True)
class Bound:
    """What a score (by its id) must be: at least low, at most high, within `same` of its value on unchanged clips."""

    score: str
    low: float | None = None
    high: float | None = None
    same: float | None = None

    def holds(self, value: float, unchanged: float = float("nan")) -> bool:
        """Whether a value keeps the bound; nan never does."""
        return (
            value == value
            and (self.low is None or value >= self.low)
            and (self.high is None or value <= self.high)
            and (self.same is None or abs(value - unchanged) <= self.same)
        )

    def __str__(self) -> str:
        parts = [
            f"{word} {value:g}"
            for word, value in (("at least", self.low), ("at most", self.high), ("as unchanged within", self.same))
            if value is not None
        ]
        return f"{self.score} {' and '.join(parts)}"


@dataclass(frozen=True)
class Control:
    """A change after which known things must happen to the scores; applied to true renders, and to a system's clips.

    name: a word. title: what is done. clip: uint8 [..., F, H, W, 3] -> the same shape; None leaves clips as they are.
    shuffle: every clip is held against the case half the list further on. expects: of the scores of true renders.
    """

    name: str
    title: str
    expects: tuple[Bound, ...]
    clip: Callable[[np.ndarray], np.ndarray] | None = None
    shuffle: bool = False


@dataclass(frozen=True)
class Suite:
    """A suite.

    name: a word for --suite. title: a heading. definition: what is measured, in a few sentences, with the published
    source. source: of its cases. measure: (clip, case) -> outcome; pure; the clip is uint8 [F, H, W, 3] of the case's
    size and length ([2, F, H, W, 3] where the case has a twin). scores: the first is the headline. floors, vae_floors:
    what true renders must reach, straight and through the system's VAE. summarise: (outcomes) -> estimates by score id,
    for scores that are no means over cases, such as a distance of two sets; it goes over the means. made: "prompt" (a
    system makes the clip) or "reconstruction" (the system's VAE encodes and decodes the true clip). curves: keys of
    outcomes whose trials are one a frame; reports draw their means by frame index.
    """

    name: str
    title: str
    definition: str
    source: Source
    measure: Callable[[np.ndarray, Case], Outcome]
    scores: tuple[Score, ...]
    controls: tuple[Control, ...] = ()
    floors: tuple[Bound, ...] = ()
    vae_floors: tuple[Bound, ...] = ()
    summarise: Callable[[Sequence[Outcome]], dict[str, Estimate]] | None = None
    made: Literal["prompt", "reconstruction"] = "prompt"
    curves: tuple[str, ...] = ()

    def summary(self, outcomes: Sequence[Outcome]) -> dict[str, Estimate]:
        """Each score's estimate, by the score's id."""
        found = {score.id: mean_score(outcomes, score) for score in self.scores}
        return found | (self.summarise(outcomes) if self.summarise else {})

    def quality(self, outcome: Outcome) -> float:
        """By which clips are sorted, the better the greater: the headline's mean, a miss counting as the worst."""
        headline = self.scores[0]
        sign = -1.0 if headline.better == "lower" else 1.0
        worst = 0.0 if headline.unit == "%" and sign > 0 else float("-inf")
        values = [worst if trial is None else sign * float(trial) for trial in _trials(outcome.get(headline.key, ()))]
        return float(np.mean(values)) if values else worst


def mean_score(outcomes: Sequence[Outcome], score: Score) -> Estimate:
    """The mean of an outcome's trials; a trial that could not be read is left out, or counts as `score.miss`."""
    sums, trials = [], []
    for outcome in outcomes:
        values = [score.miss if value is None else value for value in _trials(outcome.get(score.key, ()))]
        read = [float(value) for value in values if value is not None]
        sums.append(sum(read))
        trials.append(len(read))
    return interval(sums, trials)


def curve(outcomes: Sequence[Outcome], key: str) -> tuple[float, ...]:
    """The mean over cases of each frame's trial, to six digits; as long as the shortest, without what was not read."""
    rows = [[np.nan if one is None else float(one) for one in _trials(outcome.get(key, ()))] for outcome in outcomes]
    shortest = min((len(row) for row in rows), default=0)
    values = np.array([row[:shortest] for row in rows]).reshape(len(rows), shortest)
    read = np.isfinite(values)
    means = np.where(read, values, 0).sum(0) / np.maximum(read.sum(0), 1)
    return tuple(float(f"{mean:.6g}") for mean in means)


def _trials(value: Value) -> tuple[bool | float | None, ...]:
    return value if isinstance(value, tuple) else (value,)


def mirrored(clips_FHWC: np.ndarray) -> np.ndarray:
    """Left and right exchanged; any leading axes."""
    return np.ascontiguousarray(clips_FHWC[..., ::-1, :])


def reversed_in_time(clips_FHWC: np.ndarray) -> np.ndarray:
    """The last frame first; any leading axes."""
    return np.ascontiguousarray(clips_FHWC[..., ::-1, :, :, :])


def shuffled(cases: Sequence[Any]) -> tuple[Any, ...]:
    """Every clip is held against the case of another one, half the list further on."""
    half = len(cases) // 2
    return (*cases[half:], *cases[:half])
