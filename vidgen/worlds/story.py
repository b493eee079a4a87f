# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Stories drawn from seeds: scenes in which things happen in an order, hide and return, make each other move, are so
many, are larger, faster or nearer than others. What happens is in `Scene.story`, how it looks in the objects' acts.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from vidgen.worlds import comparisons, plots
from vidgen.worlds.motion import Camera, Scene, poses
from vidgen.worlds.places import GROUNDS, PLACES
from vidgen.worlds.scene import DEFAULT_PLACES, SPLITS, draw_place, pair_held_out
from vidgen.worlds.shapes import fill
from vidgen.worlds.sprites import load_atlas
from vidgen.worlds.stage import Raster, Stage
from vidgen.worlds.words import UNIQUE

ATTEMPTS = 400
"""Draws of concepts, place and plot until one works out."""
CANDIDATES = 10
"""Draws among which the one is taken that keeps things best apart, in the plots whose things should not meet."""
ENOUGH = 1.05
"""Distance of two things, in their mean size, from which on they count as apart."""


@dataclass(frozen=True)
class _Theme:
    """A plot; how many actors it has, the fewest frames it needs, whether they keep apart, whether on a ground."""

    plot: Callable[[Stage, list[str]], bool]
    actors: tuple[int, int]
    frames: int
    apart: bool = False
    ground: bool = True


_THEMES: dict[str, _Theme] = {
    "order": _Theme(plots.order, (2, 2), 13, apart=True),
    "parts": _Theme(plots.parts, (2, 3), 25, apart=True),
    "return": _Theme(plots.comes_back, (2, 2), 13),
    "push": _Theme(plots.push, (2, 2), 13),
    "knock": _Theme(plots.knock, (2, 2), 13, ground=False),
    "open": _Theme(plots.open_door, (2, 2), 13),
    "count": _Theme(comparisons.count, (1, 6), 1, ground=False),
    "size": _Theme(comparisons.size, (2, 2), 1, apart=True),
    "speed": _Theme(comparisons.speed, (1, 2), 16, apart=True),
    "depth": _Theme(comparisons.depth, (2, 2), 9),
}
THEMES: tuple[str, ...] = tuple(_THEMES)
"""Kinds of stories. order: two events. parts: three to six, also a minute long. return: out of sight behind something,
and back. push, knock, open: a cause and its effect. count: one to six of one thing. size: larger and smaller. speed:
fast, slow, faster. depth: in front of, behind."""
RASTERED = tuple(kind for kind in THEMES if kind != "parts")
"""The themes that can be played on a raster: those of at most two events."""
CAUSES = ("push", "knock", "open")
"""The themes with a cause and an effect; see `without_cause`."""


@dataclass(frozen=True)
class StoryConfig:
    """What stories may be drawn.

    kind: one of THEMES, or "any": each as often as the others. concepts: names in the atlas, None is all ("open" needs
    the door or the window among them). counts: smallest and largest number of things of "count". split: as in
    `SceneConfig`, about pairs of concepts; see `holdout` for other combinations. raster: where things stand and when
    events begin, in the kinds of RASTERED, so that a patch VAE sees few views of things; None is anywhere, at any time.
    """

    kind: str = "any"
    width: int = 64
    height: int = 64
    frames: int = 17
    concepts: tuple[str, ...] | None = None
    places: tuple[str, ...] = DEFAULT_PLACES
    counts: tuple[int, int] = (1, 6)
    split: str = "all"
    raster: Raster | None = None

    def __post_init__(self) -> None:
        for given, allowed, what in (
            ((self.kind,), ("any", *(THEMES if self.raster is None else RASTERED)), "kind"),
            (self.places, PLACES, "places"),
            ((self.split,), SPLITS, "split"),
        ):
            if not given or not set(given) <= set(allowed):
                raise ValueError(f"{what} must be taken from {', '.join(allowed)}; given: {given}")
        if not 1 <= self.counts[0] <= self.counts[1] <= 6:
            raise ValueError(f"counts must be (low, high) with 1 <= low <= high <= 6, not {self.counts}")
        if self.raster is not None:
            self._check_raster(self.raster)
        for name in self.concepts or ():
            load_atlas().index(name)
        if not self.kinds():
            least = _THEMES.get(self.kind, _THEMES["size"]).frames
            raise ValueError(
                f"no story of kind {self.kind!r} can be drawn with frames={self.frames}, split={self.split!r} and "
                f"these concepts; frames must be at least {least}, 'open' needs the concept 'door' or 'window', and "
                f"'count' has no pairs to hold out"
            )

    def _check_raster(self, raster: Raster) -> None:
        if self.width != self.height:
            raise ValueError(f"a raster is of square frames, not of {self.width}x{self.height}: leave it out")
        still = self.kind in ("count", "size") or (self.kind == "any" and self.frames == 1)
        if not still and self.frames <= 2 * raster.pace:
            raise ValueError(f"two events of {raster.pace} frames need more than {2 * raster.pace}, not {self.frames}")
        if self.kind in ("any", "count") and self.counts[1] > 4:
            raise ValueError(f"four things of one kind have room on a raster: counts are {self.counts}")
        if not 0 < raster.small <= 0.5 or not raster.small < raster.large < 1 or not 0 < raster.size <= 0.5:
            raise ValueError(f"size and small must be up to 0.5, large between small and 1: {raster}")

    def kinds(self) -> tuple[str, ...]:
        """The themes that this config allows."""
        kinds = (THEMES if self.raster is None else RASTERED) if self.kind == "any" else (self.kind,)
        doors = self.concepts is None or set(plots.DOORS) & set(self.concepts)
        return tuple(
            kind
            for kind in kinds
            if self.frames >= _THEMES[kind].frames
            and (kind != "open" or doors)
            and (kind != "count" or self.split != "heldout")
        )

    def draw(self, seed: int) -> Scene:
        """`draw_story` of this config."""
        return draw_story(self, seed)


def draw_story(config: StoryConfig, seed: int) -> Scene:
    """The story of a seed: pure, so the same config and seed give the same scene on every machine.

    Raises ValueError when the config's concepts and places have no story that fits its split.
    """
    rng = np.random.default_rng(seed)
    kinds = config.kinds()
    kind = kinds[int(rng.integers(len(kinds)))]
    theme = _THEMES[kind]
    short = min(config.width, config.height)
    extent = (config.width / short, config.height / short)
    best: tuple[float, Scene] | None = None
    fits, places = 0, _places(config, theme)
    concepts = _draw_concepts(config, kind, theme, rng)
    for _ in range(ATTEMPTS):
        stage = Stage(extent, config.frames, draw_place(places, concepts, extent, rng), rng, config.raster)
        if not theme.plot(stage, concepts):
            # It may be about things that cannot play it.
            concepts = concepts if fits else _draw_concepts(config, kind, theme, rng)
            continue
        objects = tuple(actor.thing() for actor in stage.actors)
        scene = Scene(
            seed, config.width, config.height, config.frames, stage.place, Camera(), objects, tuple(stage.beats), kind
        )
        apart = _apart(scene) if theme.apart else ENOUGH
        if best is None or apart > best[0]:
            best = apart, scene
        fits += 1
        if fits >= CANDIDATES or best[0] >= ENOUGH:
            break
    if best is None:
        raise ValueError(
            f"no story of kind {kind!r} was found in {ATTEMPTS} draws; give more concepts or places: {config}"
        )
    return best[1]


def without_cause(scene: Scene) -> Scene:
    """The same scene with what a cause does, and all that follows from it, left out.

    Up to the frame in which the cause begins (`scene.story[0].start`) the two are the same, pixel by pixel. What comes
    in to be the cause stays out of the frame; what is at rest stays so. Raises ValueError for a story without a cause.
    """
    dropped = {beat.cause for beat in scene.story if beat.cause != -1}
    if not dropped:
        raise ValueError(f"a story of kind {scene.theme!r} has no cause; stories of {', '.join(CAUSES)} have one")
    dropped |= {row for row, beat in enumerate(scene.story) if beat.cause in dropped}
    kept = [row for row in range(len(scene.story)) if row not in dropped]
    # What would have come in or out is not seen at all.
    hidden = {scene.story[row].subject for row in dropped if scene.story[row].kind in ("hit", "emerge")}
    objects = tuple(
        replace(
            thing,
            unseen=at in hidden,
            acts=tuple(
                replace(act, beat=kept.index(act.beat) if act.beat != -1 else -1)
                for act in thing.acts
                if act.beat not in dropped
            ),
        )
        for at, thing in enumerate(scene.objects)
    )
    return replace(scene, objects=objects, story=tuple(scene.story[row] for row in kept), theme="")


def _places(config: StoryConfig, theme: _Theme) -> tuple[str, ...]:
    """Where there is ground things stand on it, which some plots have no use for, if there are other places."""
    return (theme.ground and config.places) or tuple(p for p in config.places if p not in GROUNDS) or config.places


def _draw_concepts(config: StoryConfig, kind: str, theme: _Theme, rng: np.random.Generator) -> list[str]:
    """A name for each actor, different ones unless they are counted, that the split allows together."""
    names = list(config.concepts or [concept.name for concept in load_atlas().concepts])
    if kind == "count":
        names = [name for name in names if name not in UNIQUE] or names
        low, high = config.counts
        return [names[int(rng.integers(len(names)))]] * int(rng.integers(low, high + 1))
    low, high = theme.actors
    # Pairs are held out of every split but one, which needs two.
    count = int(rng.integers(max(low, 2) if config.split == "heldout" else low, high + 1))
    seconds = names
    if kind == "open":
        seconds = [name for name in names if name in plots.DOORS]
    elif kind == "return":
        seconds = [name for name in names if fill(name) >= plots.SOLID]
    pools = [names, seconds, names][:count]
    for _ in range(20 * ATTEMPTS):
        chosen = [pool[int(rng.integers(len(pool)))] for pool in pools if pool]
        if len(set(chosen)) < count:
            continue
        held = any(pair_held_out(a, b) for row, a in enumerate(chosen) for b in chosen[:row])
        if config.split == "all" or held == (config.split == "heldout"):
            return chosen
    raise ValueError(
        f"split {config.split!r} leaves no {count} of these concepts for a story of kind {kind!r}: {names}"
    )


def _apart(scene: Scene) -> float:
    """The least distance of two things at any time, in their mean size; at most ENOUGH."""
    world = poses(scene)
    least = ENOUGH
    for row, thing in enumerate(scene.objects):
        for other in range(row):
            gap_F = np.maximum(
                abs(world.x_FN[:, row] - world.x_FN[:, other]), abs(world.y_FN[:, row] - world.y_FN[:, other])
            )
            least = min(least, float(gap_F.min()) / (0.5 * (thing.size + scene.objects[other].size)))
    return least
