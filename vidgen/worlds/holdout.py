# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Combinations that training never sees: which they are, whether a scene has one, and scenes with and without them.

Each axis holds out about a tenth of its combinations, by a stable hash of their names; "range" holds out values.
"""

import functools
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from vidgen.worlds.claims import claims, place_name
from vidgen.worlds.motion import FPS, Scene, screen_poses
from vidgen.worlds.scene import HELD_OUT_SHARE, SceneConfig, pair_held_out
from vidgen.worlds.story import StoryConfig

AXES = ("pair", "motion", "relation", "place", "range")
"""pair: two concepts in one scene. motion: a concept and what it does. relation: two concepts and how they are placed.
place: a concept and the place's kind. range: sizes outside of SIZES, and ways of a story above FASTEST."""
SIZES = (0.25, 0.57)
"""World sizes that training sees."""
FASTEST = 0.5
"""Shares of the frame a second of the fastest straight way of a story that training sees."""
ATTEMPTS = 400

_MIRROR = {"right": "left", "below": "above"}
"""Relations that say the same with the two things exchanged."""


def combination_held_out(axis: str, *parts: str) -> bool:
    """Whether a combination is kept from training: stable on every machine.

    parts: pair: two concepts; motion: a concept and a claim's kind and value ("motion left", "land"); relation: the
    relation, the subject, the other ("left", "dog", "cat"); place: a concept and a name of PLACES. "pair" and
    "relation" do not depend on who is named first. Raises ValueError for another axis.
    """
    if axis == "pair":
        return pair_held_out(*parts)
    if axis not in ("motion", "relation", "place"):
        raise ValueError(f"combinations are held out along pair, motion, relation and place, not {axis!r}")
    if axis == "relation" and parts[0] in _MIRROR:
        parts = (_MIRROR[parts[0]], parts[2], parts[1])
    return _chosen(axis, parts)


@functools.lru_cache(maxsize=1 << 16)
def _chosen(axis: str, parts: tuple[str, ...]) -> bool:
    digest = hashlib.blake2b("\0".join((axis, *parts)).encode(), digest_size=4).digest()
    return int.from_bytes(digest) < HELD_OUT_SHARE * 2**32


def combinations(scene: Scene) -> Iterator[tuple[str, ...]]:
    """Every combination that a scene shows, as (axis, *parts) of `combination_held_out`."""
    names = list(dict.fromkeys(thing.concept for thing in scene.in_sight().objects))
    yield from (("pair", a, b) for row, a in enumerate(names) for b in names[:row])
    yield from (("place", name, place_name(scene.place).split(" ")[0]) for name in names)
    for claim in sorted(claims(scene), key=lambda one: (one.kind, one.subject, one.value, one.other)):
        if claim.kind == "motion":
            yield "motion", claim.subject, f"motion {claim.value}"
        elif claim.kind in ("land", "takeoff", "hide", "hit", "emerge"):
            yield "motion", claim.subject, claim.kind
        elif claim.kind == "relation":
            yield "relation", claim.value, claim.subject, claim.other


def held_out_axes(scene: Scene) -> tuple[str, ...]:
    """The axes along which a scene shows what training must not see, in the order of AXES."""
    found = {axis for axis, *parts in combinations(scene) if combination_held_out(axis, *parts)}
    if _out_of_range(scene):
        found.add("range")
    return tuple(axis for axis in AXES if axis in found)


def _out_of_range(scene: Scene) -> bool:
    scene = scene.in_sight()
    if any(not SIZES[0] <= thing.size <= SIZES[1] for thing in scene.objects):
        return True
    return any(speed > FASTEST for speed in speeds(scene))


def speeds(scene: Scene) -> list[float]:
    """Mean speeds of a story's straight ways, in shares of the frame a second."""
    seen = screen_poses(scene)
    path_FN2 = np.stack([seen.x_FN / scene.width, seen.y_FN / scene.height], axis=-1)
    ways = [(beat.subject, beat.start, beat.end) for beat in scene.story if beat.kind == "motion"]
    return [
        float(np.abs(path_FN2[end, row] - path_FN2[start, row]).max()) * FPS / (end - start) for row, start, end in ways
    ]


@dataclass(frozen=True)
class SplitConfig:
    """Scenes of other configs, only such as a split may show.

    scenes: what is drawn, from each config as often; all of one size and length. axes: taken from AXES. split: "train":
    no scene shows anything that is held out along any of the axes; "heldout": each scene does, along one of them at
    least.
    """

    scenes: tuple[SceneConfig | StoryConfig, ...]
    axes: tuple[str, ...] = AXES
    split: str = "train"

    def __post_init__(self) -> None:
        if not self.axes or not set(self.axes) <= set(AXES):
            raise ValueError(f"axes must be taken from {', '.join(AXES)}; given: {self.axes}")
        if self.split not in ("train", "heldout"):
            raise ValueError(f"split must be train or heldout, not {self.split!r}")
        if not self.scenes or any(one.split != "all" for one in self.scenes):
            raise ValueError("scenes are split here: give one config at least, each of split 'all'")
        shapes = {(one.frames, one.height, one.width) for one in self.scenes}
        if len(shapes) > 1:
            raise ValueError(f"the scenes have (frames, height, width) of {sorted(shapes)}; make them the same")

    @property
    def frames(self) -> int:
        """Of each scene."""
        return self.scenes[0].frames

    @property
    def height(self) -> int:
        """Of each scene, pixels."""
        return self.scenes[0].height

    @property
    def width(self) -> int:
        """Of each scene, pixels."""
        return self.scenes[0].width

    @property
    def concepts(self) -> tuple[str, ...] | None:
        """All that scenes can show, in the order of first mention; None is all of the atlas."""
        named = [one.concepts for one in self.scenes]
        if None in named:
            return None
        return tuple(dict.fromkeys(name for concepts in named for name in concepts or ()))

    def draw(self, seed: int) -> Scene:
        """The scene of a seed; pure. Its own seed is the one that it was drawn with.

        Raises ValueError where 400 draws find none, as when the axes leave nothing of few concepts.
        """
        for attempt in range(ATTEMPTS):
            # Other draws must not be the first draws of other seeds.
            own = seed if attempt == 0 else int(np.random.SeedSequence((seed, attempt)).generate_state(1, np.uint64)[0])
            scene = self.scenes[own % len(self.scenes)].draw(own)
            if bool(set(held_out_axes(scene)) & set(self.axes)) == (self.split == "heldout"):
                return scene
        raise ValueError(
            f"{ATTEMPTS} draws found no scene for the split {self.split!r} along {', '.join(self.axes)}; give more "
            f"concepts, or fewer axes"
        )


AnyScenes = SceneConfig | StoryConfig | SplitConfig
"""What scenes of one size and length can be drawn from."""
