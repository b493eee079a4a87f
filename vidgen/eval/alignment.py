# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Do videos show what their prompts say? Identity, direction of motion and left or right, read by a detector.

Every reading has a sign and is bound to an identity: a mirrored video scores as wrong as it is.
"""

import dataclasses
import functools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from vidgen.eval import estimates
from vidgen.eval.suite import mirrored, shuffled
from vidgen.eval.workers import pool
from vidgen.worlds.captions import caption, read_caption
from vidgen.worlds.detect import DetectorConfig, build_detector
from vidgen.worlds.motion import DIRECTIONS, Scene
from vidgen.worlds.scene import SceneConfig, draw_scene
from vidgen.worlds.tracks import Track, is_left_of, read_clip

__all__ = [
    "PromptCase", "Rate", "Scores", "draw_cases", "interval", "mirrored", "moved", "named", "read_clips", "related",
    "scene_config", "score", "score_readings", "shuffled",
]  # fmt: skip

PHRASINGS = 24
"""Captions that are tried for the one that says most of what can be scored."""
FIRST_SEED = 2**40
"""Of the scenes: far from the seeds that training counts up from 0."""


@dataclass(frozen=True)
class PromptCase:
    """A prompt and what is scored of it.

    prompt: the text. scene: what it was written about. names: the two concepts it names. motions: (name, direction) it
    states, directions being left, right, up and down. relation: (what is on the left, what is on the right), if stated.
    """

    prompt: str
    scene: Scene
    names: tuple[str, ...]
    motions: tuple[tuple[str, str], ...]
    relation: tuple[str, str] | None


Trials = tuple[bool | None, ...]
"""Outcomes of one clip; None is what could not be read."""


@dataclass(frozen=True)
class Rate(estimates.Estimate):
    """A share of `n` things, with its 95 % interval; nan where n is 0."""

    def __str__(self) -> str:
        return f"{100 * self.value:.1f} % [{100 * self.low:.1f}, {100 * self.high:.1f}]" if self.n else "none"


@dataclass(frozen=True)
class Scores:
    """What a set of clips scores.

    identity: named concepts that are recognised in at least two frames. motion: stated directions that are right,
    among the things recognised; motion_all counts the others as wrong. motion_x, motion_y: `motion` by axis. relation:
    stated left-right relations that are right, among the pairs recognised together; relation_all counts the others as
    wrong. extra: things a clip that are recognised and were not named. chance: `identity` of one random guess.
    """

    identity: Rate
    motion: Rate
    motion_all: Rate
    motion_x: Rate
    motion_y: Rate
    relation: Rate
    relation_all: Rate
    extra: float
    chance: float

    def to_dict(self) -> dict:
        """For JSON."""
        return dataclasses.asdict(self)


def scene_config(concepts: Sequence[str], frames: int = 17, size: int = 64) -> SceneConfig:
    """Scenes whose truth is plain: two things never shown together in training, at rest or moving straight, inside the
    frame all the time, before a still camera.
    """
    return SceneConfig(
        width=size,
        height=size,
        frames=frames,
        objects=(2, 2),
        concepts=tuple(concepts),
        motions=("still", *DIRECTIONS),
        cameras=("still",),
        crossings=0.0,
        split="heldout",
    )


def draw_cases(config: SceneConfig, n: int, seed: int = 0) -> tuple[PromptCase, ...]:
    """n prompts about scenes of `config` (see `scene_config`); pure. The first k of n cases are the k cases of fewer.

    Of a scene's phrasings that name all its objects, the one with most kinds of scored claims (motion, left or right)
    is taken, and of these the shortest; a scene of which nothing can be scored but the names is passed over.
    Raises ValueError for a config whose scenes have no case.
    """
    cases: list[PromptCase] = []
    for attempt in range(50 * n):
        if len(cases) == n:
            return tuple(cases)
        case = _case(draw_scene(config, FIRST_SEED + seed * 2**20 + attempt))
        if case is not None:
            cases.append(case)
    raise ValueError(f"only {len(cases)} of {n} cases were found; use motions, or two objects side by side: {config}")


def _case(scene: Scene) -> PromptCase | None:
    names = tuple(thing.concept for thing in scene.objects)
    best: tuple[tuple[int, int], PromptCase] | None = None
    for seed in range(PHRASINGS):
        text = caption(scene, seed)
        said = read_caption(text)
        if {claim.subject for claim in said if claim.kind == "object"} != set(names):
            continue
        motions = sorted((c.subject, c.value) for c in said if c.kind == "motion" and c.value in DIRECTIONS)
        relations = sorted(
            (c.subject, c.other) if c.value == "left" else (c.other, c.subject)
            for c in said
            if c.kind == "relation" and c.value in ("left", "right")
        )
        worth = (bool(motions) + bool(relations), -len(text.split()))
        if worth[0] and (best is None or worth > best[0]):
            best = worth, PromptCase(text, scene, names, tuple(motions), relations[0] if relations else None)
    return best[1] if best else None


def read_clips(clips: Sequence[np.ndarray], concepts: Sequence[str], workers: int = 1) -> Iterator[dict[str, Track]]:
    """What each clip (uint8 [F, H, W, 3]) shows, choosing among `concepts`; about a second of a core a clip. workers:
    processes; 1 is this one.
    """
    read = functools.partial(_read, DetectorConfig(concepts=tuple(concepts)))
    if workers == 1:
        yield from map(read, clips)
        return
    with pool(workers) as executor:
        yield from executor.map(read, clips)


def _read(config: DetectorConfig, clip_FHWC: np.ndarray) -> dict[str, Track]:
    return read_clip(clip_FHWC, build_detector(config))


def score(clips: Sequence[np.ndarray], cases: Sequence[PromptCase], concepts: Sequence[str]) -> Scores:
    """Scores of clips (uint8 [F, H, W, 3] each), one a case, the detector choosing among `concepts`."""
    return score_readings(list(read_clips(clips, concepts)), cases, concepts)


def score_readings(
    readings: Sequence[Mapping[str, Track]], cases: Sequence[PromptCase], concepts: Sequence[str]
) -> Scores:
    """Scores of what `read_clips` saw. Readings may be held against other cases than their own, as a control.

    Raises ValueError when there is not one reading a case.
    """
    if len(readings) != len(cases) or not cases:
        raise ValueError(f"one reading a case is needed: {len(readings)} readings, {len(cases)} cases")
    pairs = list(zip(readings, cases, strict=True))

    def rate(outcomes: Callable[[Mapping[str, Track], PromptCase], Trials], missed: bool = False) -> Rate:
        """A miss (None) is left out, or counted as wrong."""
        each = [[bool(hit) for hit in outcomes(*pair) if missed or hit is not None] for pair in pairs]
        return interval([sum(hits) for hits in each], [len(hits) for hits in each])

    def along(*directions: str) -> Callable[[Mapping[str, Track], PromptCase], Trials]:
        return lambda seen, case: moved(seen, case, directions)

    extra = sum(len(set(seen) - set(case.names)) for seen, case in pairs) / len(pairs)
    return Scores(
        identity=rate(named),
        motion=rate(moved),
        motion_all=rate(moved, missed=True),
        motion_x=rate(along("left", "right")),
        motion_y=rate(along("up", "down")),
        relation=rate(related),
        relation_all=rate(related, missed=True),
        extra=extra,
        chance=1 / len(concepts),
    )


def named(seen: Mapping[str, Track], case: PromptCase) -> Trials:
    """For each thing that a prompt names, whether it was seen."""
    return tuple(name in seen for name in case.names)


def moved(seen: Mapping[str, Track], case: PromptCase, directions: Iterable[str] = tuple(DIRECTIONS)) -> Trials:
    """For each motion that a prompt states, whether the thing moved that way; None where it was not seen."""
    return tuple(seen[name].moves(way) if name in seen else None for name, way in case.motions if way in directions)


def related(seen: Mapping[str, Track], case: PromptCase) -> Trials:
    """Whether the one is left of the other, if the prompt says so; None where not both were seen together."""
    if case.relation is None:
        return ()
    left, right = case.relation
    if left not in seen or right not in seen:
        return (None,)
    return (is_left_of(seen[left], seen[right], case.scene.frames),)


def interval(hits: Sequence[int], trials: Sequence[int]) -> Rate:
    """The share of hits; see `estimates.interval`."""
    return Rate(**dataclasses.asdict(estimates.interval(hits, trials)))
