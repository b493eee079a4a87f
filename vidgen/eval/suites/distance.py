# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""How far a set of clips is from a set of true ones, in features that are named: means of colour and of change."""

from collections.abc import Callable, Sequence

import cv2
import numpy as np

from vidgen.eval.estimates import NOTHING, Estimate, bootstrap
from vidgen.eval.frechet import frechet_distance, mmd
from vidgen.eval.suite import Bound, Case, Control, Outcome, Score, Suite
from vidgen.eval.suites.pairs import PAIRS

GRID = 3
"""Cells along each side of a frame."""
LEAST = 8
"""Cases below which no distance is told."""
RESAMPLES = 200
"""Of the bootstrap: each draw needs two decompositions."""


def colour_and_change(clip_FHWC: np.ndarray) -> tuple[float, ...]:
    """36 features of a clip: in each cell of a 3x3 grid the mean red, green and blue, and the mean absolute change from
    frame to frame; all as shares of the range.
    """
    clip = clip_FHWC.astype(np.float32) / 255
    change = np.abs(np.diff(clip, axis=0)).mean((0, 3)) if len(clip) > 1 else np.zeros(clip.shape[1:3], np.float32)
    picture = np.dstack([clip.mean(0), change])
    return tuple(float(value) for value in cv2.resize(picture, (GRID, GRID), interpolation=cv2.INTER_AREA).ravel())


def measure(clip_FHWC: np.ndarray, case: Case) -> Outcome:
    """The clip's features, and those of the true clip of its case."""
    return {"clip": colour_and_change(clip_FHWC), "true": colour_and_change(case.render())}


def summarise(outcomes: Sequence[Outcome]) -> dict[str, Estimate]:
    """Both distances. Clips of one half of the cases are held against true clips of the other half, and the other way
    around, so that the true clips themselves have a floor above 0 that tells what the number of cases allows.
    """
    if len(outcomes) < LEAST:
        return {"frechet": NOTHING, "mmd": NOTHING}
    clip, true = (np.array([outcome[key] for outcome in outcomes], float) for key in ("clip", "true"))

    def across(distance: Callable[[np.ndarray, np.ndarray], float]) -> Callable[[np.ndarray], float]:
        def mean(rows: np.ndarray) -> float:
            # By parity of the case, not of the draw: a case that is drawn twice stays on one side.
            even, odd = rows[rows % 2 == 0], rows[rows % 2 == 1]
            if min(len(even), len(odd)) < 2:
                return 0.0
            return (distance(clip[even], true[odd]) + distance(clip[odd], true[even])) / 2

        return mean

    found = {"frechet": across(frechet_distance), "mmd": across(mmd)}
    return {name: bootstrap(statistic, len(outcomes), RESAMPLES) for name, statistic in found.items()}


def greyed(clips_FHWC: np.ndarray) -> np.ndarray:
    """Colours are taken out; any leading axes."""
    return np.repeat(clips_FHWC.mean(-1, keepdims=True).round().astype(np.uint8), 3, axis=-1)


DISTANCE = Suite(
    name="distance",
    title="Distance on colour-and-change features",
    definition=(
        "The squared Frechet distance (Dowson and Landau, 1982) and the squared maximum mean discrepancy with the "
        "cubic kernel (Binkowski et al., arXiv:1801.01401) between the clips and true renders of other prompts, on 36 "
        "features: in each cell of a 3x3 grid the mean red, green, blue and change from frame to frame. These are no "
        "features of a trained network, and the numbers are no FVD. Sets with repeated cases are further apart, so "
        "that intervals lie above the values: compare values with the floor, which has as many clips."
    ),
    source=PAIRS,
    measure=measure,
    scores=(
        Score("frechet", "Frechet distance, squared, on colour-and-change features", unit="", better="lower"),
        Score("mmd", "MMD, squared, on colour-and-change features", unit="", better="lower"),
    ),
    controls=(Control("greyed", "colours taken out", (Bound("frechet", low=0.02), Bound("mmd", low=0.002)), greyed),),
    summarise=summarise,
)
SUITES = (DISTANCE,)
