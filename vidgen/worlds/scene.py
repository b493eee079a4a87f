# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Scenes drawn from seeds: which objects, which motions, which place, and the split into train and held out.

The dataclasses that make up a scene are in `motion` and are re-exported here; `layout` puts the objects into the frame.
"""

import dataclasses
import functools
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vidgen.worlds import layout
from vidgen.worlds.motion import (
    CAMERAS,
    DIRECTIONS,
    FPS,
    MOTIONS,
    Camera,
    Motion,
    Scene,
    SceneObject,
    scene_from_dict,
)
from vidgen.worlds.places import GROUNDS, PLACES, PLAIN, Place, main_colors
from vidgen.worlds.sprites import FIRST_LIGHT, load_atlas, mean_colors

__all__ = [
    "CAMERAS", "FIRST_LIGHT_ON_GRID", "FIRST_LIGHT_SCENES", "FPS", "MOTIONS", "PLACES", "Camera", "Motion", "Place",
    "Scene", "SceneConfig", "SceneObject", "draw_scene", "pair_held_out", "scene_from_dict",
]  # fmt: skip

SIZES: dict[int, tuple[float, float]] = {1: (0.4, 0.65), 2: (0.33, 0.48), 3: (0.27, 0.38), 4: (0.24, 0.33)}
"""Smallest and largest object size by the number of objects, as a share of the frame's shorter side."""
SPLITS = ("train", "heldout", "all")
HELD_OUT_SHARE = 0.1
CONTRAST = 55.0
"""Least distance in RGB between an object's mean colour and the main colours of the place behind it."""
CANDIDATES = 12
"""Placements tried for a scene of several objects; the one that keeps them best apart is taken."""

_DEFAULT_MOTIONS = (*MOTIONS, "still", "left", "left", "right", "right", "up", "down")
_DEFAULT_CAMERAS = (*CAMERAS, *("still",) * 6)
DEFAULT_PLACES = (*PLACES, "gradient", "gradient", *GROUNDS)
"""Plain places, and gradients and grounds more often than each of those."""
SKY = frozenset({"space", "weather", "aircraft", "bird", "insect"})
"""Categories of what belongs above the horizon."""


@dataclass(frozen=True)
class SceneConfig:
    """What scenes may be drawn. In motions, cameras and places a name that is given twice is drawn twice as often.

    objects: smallest and largest number of objects; object_weights: how often each number in that range, None is even.
    concepts: names in the atlas, None is all. sizes: object size as a share of the frame's shorter side, None is by the
    number of objects (SIZES). crossings: share of straight movers that come in or go out at an edge. tilt: largest tilt
    in the first frame, radians. grid: pixels; where things are in the first frame, from its middle, and how far
    straight movers go are multiples of it, so that a patch VAE sees few views of a thing; 0 is anywhere. camera_amount:
    least and most that a camera pans, as a share of the frame; zooms follow it. split: "train" never pairs two concepts
    for which `pair_held_out` is true, "heldout" always has such a pair, "all" does not care.
    """

    width: int = 64
    height: int = 64
    frames: int = 17
    objects: tuple[int, int] = (1, 4)
    object_weights: tuple[float, ...] | None = None
    concepts: tuple[str, ...] | None = None
    motions: tuple[str, ...] = _DEFAULT_MOTIONS
    cameras: tuple[str, ...] = _DEFAULT_CAMERAS
    places: tuple[str, ...] = DEFAULT_PLACES
    sizes: tuple[float, float] | None = None
    crossings: float = 0.12
    tilt: float = 0.0
    grid: int = 0
    split: str = "all"
    camera_amount: tuple[float, float] = (0.22, 0.34)

    def __post_init__(self) -> None:
        low, high = self.objects
        if not 1 <= low <= high <= 4:
            raise ValueError(f"objects must be (low, high) with 1 <= low <= high <= 4, not {self.objects}")
        if self.object_weights is not None and len(self.object_weights) != high - low + 1:
            raise ValueError(f"object_weights needs {high - low + 1} numbers for objects {self.objects}")
        if not 0 <= self.grid <= min(self.width, self.height) // 4:
            raise ValueError(f"grid is {self.grid}; it must be 0 to a quarter of the frame's shorter side, in pixels")
        if not 0 < self.camera_amount[0] <= self.camera_amount[1] <= 0.5:
            raise ValueError(f"camera_amount must be (low, high) with 0 < low <= high <= 0.5, not {self.camera_amount}")
        for given, allowed, what in (
            (self.motions, MOTIONS, "motions"),
            (self.cameras, CAMERAS, "cameras"),
            (self.places, PLACES, "places"),
            ((self.split,), SPLITS, "split"),
        ):
            if not given or not set(given) <= set(allowed):
                raise ValueError(f"{what} must be taken from {', '.join(allowed)}; given: {given}")
        if self.split == "heldout" and high < 2:
            raise ValueError("split 'heldout' is about pairs: it needs objects to allow at least 2")
        for name in self.concepts or ():
            load_atlas().index(name)
        if self.concepts is not None and len(set(self.concepts)) < high:
            raise ValueError(f"{high} objects need as many concepts; given: {self.concepts}")
        if self.motions == ("follow",) or (set(self.motions) == {"follow"}):
            raise ValueError("motions needs one besides 'follow': somebody must lead")

    def draw(self, seed: int) -> Scene:
        """`draw_scene` of this config."""
        return draw_scene(self, seed)


FIRST_LIGHT_SCENES = SceneConfig(
    objects=(1, 2),
    object_weights=(0.5, 0.5),
    concepts=FIRST_LIGHT,
    motions=("still", "left", "right", "up", "down"),
    cameras=("still",),
    places=tuple(name for name in DEFAULT_PLACES if name != "gradient"),
    sizes=(0.42, 0.5),
    crossings=0.0,
    split="train",
)
"""What the first shipped model is trained on: one or two things of nearly one size that stay inside the frame."""
FIRST_LIGHT_ON_GRID = dataclasses.replace(FIRST_LIGHT_SCENES, sizes=(0.5, 0.5), grid=8)
"""The same with things of one size, half of the frame, that stand and move in steps of a latent cell."""


def pair_held_out(a: str, b: str) -> bool:
    """Whether scenes with both concepts are kept from training: a stable, symmetric choice of about 10 % of pairs."""
    digest = hashlib.blake2b("\0".join(sorted((a, b))).encode(), digest_size=4).digest()
    return a != b and int.from_bytes(digest) < HELD_OUT_SHARE * 2**32


def draw_scene(config: SceneConfig, seed: int) -> Scene:
    """The scene of a seed: pure, so the same config and seed give the same scene on every machine.

    Raises ValueError when the config's concepts have no choice that fits its split.
    """
    rng = np.random.default_rng(seed)
    count = _draw_count(config, rng)
    concepts = _draw_concepts(config, count, rng)
    extent = (config.width / min(config.width, config.height), config.height / min(config.width, config.height))
    camera = _draw_camera(config, extent, rng)
    place = draw_place(config.places, concepts, extent, rng)
    low, high = config.sizes or SIZES[count]
    sizes = rng.uniform(low, high, count)
    kinds = _draw_kinds(config, count, rng)
    frame = layout.Frame.of(extent, camera, config.frames, config.grid / min(config.width, config.height))
    plans = layout.plan(kinds, sizes, frame, config.crossings, rng)
    objects = _put(plans, concepts, place, frame, config.tilt, rng)
    return Scene(seed, config.width, config.height, config.frames, place, camera, objects)


def _draw_count(config: SceneConfig, rng: np.random.Generator) -> int:
    low = config.objects[0]
    if config.split == "heldout":
        low = max(low, 2)
    weights = np.asarray(config.object_weights or (1.0,) * (config.objects[1] - config.objects[0] + 1))
    weights = weights[low - config.objects[0] :]
    return low + int(np.searchsorted(np.cumsum(weights) / weights.sum(), rng.random(), side="right"))


@functools.lru_cache(maxsize=8)
def _names(concepts: tuple[str, ...] | None) -> tuple[str, ...]:
    return concepts if concepts is not None else tuple(concept.name for concept in load_atlas().concepts)


def _draw_concepts(config: SceneConfig, count: int, rng: np.random.Generator) -> list[str]:
    """Distinct names, in random order, that the split allows together."""
    names = _names(config.concepts)
    for _ in range(500):
        chosen = [names[rng.integers(len(names))]]
        if config.split == "heldout":
            partners = [name for name in names if pair_held_out(chosen[0], name)]
            if not partners:
                continue
            chosen.append(partners[rng.integers(len(partners))])
            if rng.random() < 0.5:
                chosen.reverse()
        for _ in range(20 * count):
            if len(chosen) == count:
                return chosen
            name = names[rng.integers(len(names))]
            if name not in chosen and not (
                config.split == "train" and any(pair_held_out(name, other) for other in chosen)
            ):
                chosen.append(name)
    raise ValueError(f"split {config.split!r} leaves no {count} of these concepts together; give more of them: {names}")


def _draw_camera(config: SceneConfig, extent: tuple[float, float], rng: np.random.Generator) -> Camera:
    kind = config.cameras[rng.integers(len(config.cameras))] if config.frames > 1 else "still"
    amount = rng.uniform(*config.camera_amount)
    if kind.startswith("pan"):
        x, y = DIRECTIONS[kind.split()[1]]
        return Camera(kind, dx=x * amount * extent[0], dy=y * amount * extent[1])
    if kind.startswith("zoom"):
        far, near = 1 - 0.7 * amount, 1 + 0.5 * amount
        return Camera(kind, zoom_start=far, zoom_end=near) if kind == "zoom in" else Camera(kind, 0, 0, near, far)
    return Camera()


def draw_place(
    places: Sequence[str], concepts: Sequence[str], extent: tuple[float, float], rng: np.random.Generator
) -> Place:
    """One of `places` that every object stands out from, if a few draws find one. extent: as in `Scene`."""
    atlas = load_atlas()
    colors_N3 = mean_colors()[[atlas.index(name) for name in concepts]]
    best, best_contrast = Place(places[0], ("blue", "white") if places[0] == "gradient" else ()), -1.0
    shades = tuple(PLAIN)
    for _ in range(8):
        name = places[int(rng.integers(len(places)))]
        ends: tuple[str, ...] = ()
        if name == "gradient":
            first = int(rng.integers(len(shades)))
            ends = (shades[first], shades[(first + 1 + int(rng.integers(len(shades) - 1))) % len(shades)])
        place = Place(name, ends, float(rng.uniform(-0.06, 0.2)) * extent[1], int(rng.integers(2**31)))
        contrast = float(np.linalg.norm(colors_N3[:, None] - main_colors(place)[None], axis=-1).min())
        if contrast > best_contrast:
            best, best_contrast = place, contrast
        if contrast >= CONTRAST:
            break
    return best


def _draw_kinds(config: SceneConfig, count: int, rng: np.random.Generator) -> list[str]:
    """A motion for each object. Only object 1 follows or orbits another one, and that is object 0."""
    if config.frames == 1:
        return ["still"] * count
    kinds = [config.motions[rng.integers(len(config.motions))] for _ in range(count)]
    others = [kind for kind in config.motions if kind != "follow"]
    kinds = [
        others[rng.integers(len(others))] if kind == "follow" and row != 1 else kind for row, kind in enumerate(kinds)
    ]
    if count > 1 and kinds[1] == "follow":
        leads = [kind for kind in config.motions if kind in DIRECTIONS]
        kinds[0] = leads[rng.integers(len(leads))] if leads else kinds[0]
        if kinds[0] not in DIRECTIONS:
            kinds[1] = others[rng.integers(len(others))]
    return kinds


def _put(
    plans: list[layout.Plan],
    concepts: list[str],
    place: Place,
    frame: layout.Frame,
    tilt: float,
    rng: np.random.Generator,
) -> tuple[SceneObject, ...]:
    """Objects in world coordinates. Over a ground, most things stand on it and most flying things are above it."""
    atlas = load_atlas()
    size_N = np.array([plan.size for plan in plans])
    in_sky_N = np.array([atlas[name].category in SKY for name in concepts])
    wish_N = (rng.random(len(plans)) < 0.85) & place.has_ground
    lowest_N = np.where(wish_N & ~in_sky_N, place.horizon + 0.04 - 0.45 * size_N, -np.inf)
    highest_N = np.where(wish_N & in_sky_N, place.horizon - 0.2 * size_N, np.inf)
    at_N2 = layout.place(plans, frame, lowest_N, highest_N, CANDIDATES, rng)
    # On a ground the lower is the nearer; elsewhere anything may cover anything.
    nearness_N = at_N2[:, 1] + size_N / 2 - 10 * in_sky_N if place.has_ground else rng.random(len(plans))
    depth_N = np.argsort(np.argsort(-nearness_N))
    objects = []
    for row, (plan, name) in enumerate(zip(plans, concepts, strict=True)):
        going = "right" if plan.motion.dx > 0 else "left"
        sideways = plan.motion.kind in ("left", "right", "arc", "follow") and plan.motion.dx != 0
        objects.append(
            SceneObject(
                concept=name,
                size=plan.size,
                x=float(at_N2[row, 0]),
                y=float(at_N2[row, 1]),
                depth=float(depth_N[row]),
                flip=sideways and atlas[name].facing not in ("", going),
                angle=float(rng.uniform(-tilt, tilt)) if tilt else 0.0,
                motion=plan.motion,
                enter=plan.enter,
                leave=plan.leave,
            )
        )
    return tuple(objects)
