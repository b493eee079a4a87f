# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""What captions of 3-D scenes can say, and what of it is true, by where the camera sees things and what they do."""

import functools
import math

import numpy as np

from vidgen.worlds.claims import Claim
from vidgen.worlds.solids.scene import Solid, SolidScene, solid_name
from vidgen.worlds.solids.simulate import Run, simulate
from vidgen.worlds.solids.truth import MOVED, TOPPLES, solid_events, tilts
from vidgen.worlds.solids.viewpoint import Rig, camera_rig

OPPOSITE = {"left": "right", "right": "left", "in front": "behind", "behind": "in front", "on": "under", "under": "on"}
MOTIONS = ("still", "rolls", "slides", "falls", "topples")
WAYS = ("left", "right", "nearer", "farther")

APART, STAYS = 0.18, 0.08
"""Least distance of two middles, as a share of the frame's width, for "left of" to be said: in the first frame, and
through the first half of the clip."""
DEEPER, STAYS_DEEPER = 0.7, 0.35
"""Least difference in distance to the camera, metres, for "behind" to be said: as above."""
BESIDE = 0.4
"""Two things that are further apart than this share of the width are beside rather than behind each other."""
RESTS, RESTS_TURN = 0.03, math.radians(6)
"""What never moves further than this (metres) nor turns further (radians) is still."""
GOES, SHIFTS = 0.4, 0.1
"""Least displacement on the floor, metres, to have rolled or gone somewhere; and on the screen, as a share of the
width, to have gone to the left or right."""
STRAIGHT = 0.8
"""Least share of a displacement that is along a direction for that direction to be said."""
SLIDES = 0.25
FALLS = 0.4
"""Least displacement of a thing that slides, and least loss of height of one that falls, metres."""


@functools.lru_cache(maxsize=16)
def solid_claims(scene: SolidScene) -> frozenset[Claim]:
    """Everything that is true of a scene and that captions can say. The last few scenes are remembered.

    Kinds of claims: "object"; "material"; "relation" (subject is left, right, in front, behind, on, under other, as the
    camera sees it in the first frame and through the first half); "motion" (a value of MOTIONS); "way" (one of WAYS:
    left, right, nearer to the camera, farther from it); "hits" (other); "pushes" (sets other in motion); "topples"
    (knocks other over); "floor"; "camera" (a kind of VIEWS); "count". Subjects are named as by `solid_name`.
    Raises ModuleNotFoundError where MuJoCo is missing.
    """
    run, rig = simulate(scene), camera_rig(scene)
    names = [solid_name(solid) for solid in scene.solids]
    found = {Claim("floor", value=scene.floor), Claim("count", value=str(len(names)))}
    if scene.frames > 1:
        found.add(Claim("camera", value=scene.view.kind))
    for solid, name in zip(scene.solids, names, strict=True):
        found |= {Claim("object", name), Claim("material", name, solid.material)}
    found |= _relations(scene, run, rig, names)
    if scene.frames > 1:
        found |= _motions(scene, run, rig, names)
    return frozenset(found)


def _relations(scene: SolidScene, run: Run, rig: Rig, names: list[str]) -> set[Claim]:
    half = slice(0, (scene.frames + 1) // 2)
    centers_FN2, depths_FN = rig.project(run.positions_FN3)
    across_FN = centers_FN2[half, :, 0] / scene.width
    found = set()
    for row, name in enumerate(names):
        for other, other_name in enumerate(names):
            if row == other:
                continue
            values = []
            gap_F = across_FN[:, other] - across_FN[:, row]
            if gap_F[0] > APART and gap_F.min() > STAYS:
                values.append("left")
            deeper_F = depths_FN[half, other] - depths_FN[half, row]
            if deeper_F[0] > DEEPER and deeper_F.min() > STAYS_DEEPER and abs(gap_F).max() < BESIDE:
                values.append("in front")
            if _stands_on(scene.solids[row], scene.solids[other]):
                values.append("on")
            for value in values:
                found.add(Claim("relation", name, value, other_name))
                found.add(Claim("relation", other_name, OPPOSITE[value], name))
    return found


def _stands_on(solid: Solid, other: Solid) -> bool:
    """Whether one stands upon the other as the clip begins."""
    level = abs(solid.z - solid.rise - other.z - other.rise) < 0.02
    return level and math.dist((solid.x, solid.y), (other.x, other.y)) < other.size[0]


def _motions(scene: SolidScene, run: Run, rig: Rig, names: list[str]) -> set[Claim]:
    events = solid_events(scene)
    away_FN = np.linalg.norm(run.positions_FN3 - run.positions_FN3[0], axis=-1)
    dot_FN = np.abs(np.einsum("FNi,Ni->FN", run.quaternions_FN4, run.quaternions_FN4[0]))
    turned_FN = 2 * np.arccos(np.minimum(dot_FN, 1))
    tilt_FN = tilts(run)
    found = {Claim("hits", names[e.subject], "", names[e.other]) for e in events if e.kind == "hits"}
    for row, (solid, name) in enumerate(zip(scene.solids, names, strict=True)):
        shift = run.positions_FN3[-1, row] - run.positions_FN3[0, row]
        height_F, far = run.positions_FN3[:, row, 2], float(np.hypot(shift[0], shift[1]))
        level = height_F.max() - height_F.min() < 0.1
        if away_FN[:, row].max() < RESTS and turned_FN[:, row].max() < RESTS_TURN:
            found.add(Claim("motion", name, "still"))
        if solid.rolls and far > GOES and level:
            found.add(Claim("motion", name, "rolls"))
        if not solid.rolls and far > SLIDES and level and tilt_FN[:, row].max() < math.radians(15):
            found.add(Claim("motion", name, "slides"))
        if height_F[0] - height_F[-1] > FALLS:
            found.add(Claim("motion", name, "falls"))
        toppled = not solid.rolls and tilt_FN[:, row].max() > TOPPLES
        if toppled:
            found.add(Claim("motion", name, "topples"))
        way = _way(scene, run, rig, row) if level else ""
        if way:
            found.add(Claim("way", name, way))
        mover = run.moved_by[row]
        if mover != -1 and away_FN[:, row].max() > MOVED:
            found.add(Claim("pushes", names[mover], "", name))
            if toppled:
                found.add(Claim("topples", names[mover], "", name))
    return found


def _way(scene: SolidScene, run: Run, rig: Rig, row: int) -> str:
    """Where a solid goes, both in the world as the first frame shows it and on the screen; "" where it is not clear."""
    shift = run.positions_FN3[-1, row] - run.positions_FN3[0, row]
    right, _, forward = rig.axes_F33[0]
    ahead = np.array([forward[0], forward[1], 0]) / math.hypot(forward[0], forward[1])
    far = float(np.hypot(shift[0], shift[1]))
    if far < GOES:
        return ""
    centers_FN2, depths_FN = rig.project(run.positions_FN3)
    across, deeper = centers_FN2[-1, row, 0] - centers_FN2[0, row, 0], depths_FN[-1, row] - depths_FN[0, row]
    sideways, onwards = float(shift @ right), float(shift @ ahead)
    if abs(sideways) > STRAIGHT * far and across * np.sign(sideways) > SHIFTS * scene.width:
        return "right" if sideways > 0 else "left"
    if abs(onwards) > STRAIGHT * far and deeper * np.sign(onwards) > 0.5 * GOES:
        return "farther" if onwards > 0 else "nearer"
    return ""
