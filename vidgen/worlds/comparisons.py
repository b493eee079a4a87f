# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The plots of stories that compare: how many there are, which is larger, faster, nearer; see `vidgen.worlds.plots`."""

import math

import numpy as np

from vidgen.worlds.motion import DIRECTIONS, FPS
from vidgen.worlds.shapes import fill, spread
from vidgen.worlds.stage import Actor, Stage

COUNT_SIZES = {1: (0.4, 0.55), 2: (0.33, 0.42), 3: (0.29, 0.36), 4: (0.27, 0.33), 5: (0.25, 0.29), 6: (0.24, 0.28)}
"""Smallest and largest size by how many there are."""
SLOW, FAST = 0.16, 0.4
"""Shares of the frame a second up to which, and from which on, something is said to move slowly, or fast."""


def count(stage: Stage, concepts: list[str]) -> bool:
    """So many of one thing, well apart; their number is the length of `concepts`."""
    rng, number = stage.rng, len(concepts)
    low, high = COUNT_SIZES[number]
    wide = stage.extent[0] >= stage.extent[1] if stage.extent[0] != stage.extent[1] else rng.random() < 0.5
    # On a raster three stand on four places: in a row they would overlap.
    crowd = stage.raster is not None and number > 2
    short = 2 if crowd else max(1, int(math.sqrt(number)))
    cells = (math.ceil(number / short), short) if wide else (short, math.ceil(number / short))
    size = stage.size(low, high, "small" if crowd else "size")
    for at in rng.permutation(cells[0] * cells[1])[:number]:
        each = size if stage.raster else size * float(rng.uniform(0.95, 1.05))
        middle = [((at // (1, cells[0])[k]) % cells[k] + 0.5) / cells[k] - 0.5 for k in (0, 1)]
        free = [max(0.0, 0.5 * stage.extent[k] / cells[k] - 0.5 * each * spread(concepts[0])[k]) for k in (0, 1)]
        aside = [0.0 if crowd else float(rng.uniform(-free[k], free[k])) for k in (0, 1)]
        x, y = (middle[k] * stage.extent[k] + aside[k] for k in (0, 1))
        stage.actors.append(Actor(concepts[0], each, *stage.on_raster(x, y, each)))
    stage.layer()
    return True


def size(stage: Stage, concepts: list[str]) -> bool:
    """Two things at rest, one much larger than the other."""
    rng = stage.rng
    small = stage.size(0.24, 0.3, "small")
    large = stage.size(min(max(0.43, 1.6 * small), 0.56), 0.56, "large")
    for concept, length in zip(concepts, rng.permutation([small, large]), strict=True):
        stage.actors.append(Actor(concept, float(length), *stage.spot(concept, float(length))))
    areas = sorted(fill(actor.concept) * actor.size**2 for actor in stage.actors)
    stage.layer()
    return areas[1] > 1.6 * areas[0]


def speed(stage: Stage, concepts: list[str]) -> bool:
    """One thing moves slowly, or fast; of two, one at least twice as fast as the other."""
    rng, last = stage.rng, stage.frames - 1
    fast = False
    if len(concepts) == 1:
        fast = rng.random() < 0.5
        lasts = int(rng.integers(8, 11)) if fast else min(last - 1, 40)
        lasts = min(lasts, last - 1)
        rate = rng.uniform(0.46, 0.58) if fast else min(0.15, rng.uniform(0.22, 0.5) * FPS / lasts)
        if not fast and rate * lasts / FPS < 0.215:
            return False
        ways = [float(rate) * lasts / FPS]
    else:
        lasts = min(last - 1, int(rng.integers(12, 25)))
        ways = [float(way) for way in rng.permutation([rng.uniform(0.22, 0.26), rng.uniform(0.53, 0.58)])]
    start = int(rng.integers(1, max(1, min(8, last - lasts)) + 1))
    if stage.raster:
        # What is slow goes half a way in two paces; what is fast a whole in one, or, beside what is slow, in two.
        step, pace = stage.raster.way / 2, stage.raster.pace
        lasts = pace if fast else 2 * pace
        start = pace * int(rng.integers((last - lasts) // pace + 1))
        ways = [2 * step if way > 1.5 * step else step for way in ways]
    for row, (concept, way) in enumerate(zip(concepts, ways, strict=True)):
        actor = Actor(concept, stage.size(0.27, 0.34), 0.0, 0.0)
        side = "right" if rng.random() < 0.5 else "left"
        sign, way = DIRECTIONS[side][0], way * stage.extent[0]
        (left, top), (right, low) = stage.room(concept, actor.size)
        if right - left < way:
            return False
        x = float(rng.uniform(left, right - way))
        if len(concepts) == 2 and not stage.place.has_ground:
            top, low = (top, min(low, -0.17)) if row == 0 else (max(top, 0.17), low)
        actor.place(*stage.on_raster(x if sign > 0 else x + way, float(rng.uniform(top, low)), actor.size))
        stage.actors.append(actor)
        beat = stage.beat("motion", row, (start, start + lasts), side=side)
        actor.go(start, start + lasts, actor.x + sign * way, actor.y, beat=beat)
    stage.layer()
    return True


def depth(stage: Stage, concepts: list[str]) -> bool:
    """The first actor passes the second one, in front of it or behind it."""
    rng, last = stage.rng, stage.frames - 1
    front = bool(rng.random() < 0.5)
    mover, other = (Actor(name, stage.size(0.29, 0.36, "small"), 0.0, 0.0) for name in concepts)
    mover.depth, other.depth = (0.0, 1.0) if front else (1.0, 0.0)
    side = "right" if rng.random() < 0.5 else "left"
    sign = DIRECTIONS[side][0]
    x = float(rng.uniform(-0.06, 0.06)) * stage.extent[0]
    other.place(*stage.on_raster(x, stage.spot(other.concept, other.size)[1], other.size))
    (_, top), (right, low) = stage.room(mover.concept, mover.size)
    y = other.y + float(rng.uniform(-0.05, 0.05))
    if stage.place.has_ground:
        # What is nearer stands lower.
        tall = [0.5 * one.size * spread(one.concept)[1] for one in (mover, other)]
        y = other.y + tall[1] - tall[0] + float(rng.uniform(0.01, 0.05)) * (1 if front else -1)
    mover.place(-sign * right * float(rng.uniform(0.96, 1.0)), float(np.clip(y, top, low)))
    lasts = round(min(40, (last - 2) * rng.uniform(0.8, 1.0)))
    start = int(rng.integers(1, max(1, last - 1 - lasts) + 1))
    start, end = stage.times(start, start + lasts, paces=(0, 2))
    stage.actors += [mover, other]
    beat = stage.beat("pass", 0, (start, end), other=1, side=side)
    x = sign * right * float(rng.uniform(0.96, 1.0))
    if stage.raster:
        # From side by side to side by side, on one line.
        beside = sign * (mover.size + other.size) / 2
        mover.place(other.x - beside, other.y)
        x = other.x + beside
    mover.go(start, end, x, mover.y, beat=beat)
    apart = [abs(x - other.x) for x in (mover.at[0], mover.x)]
    return min(apart) > 0.4 * (mover.size + other.size)
