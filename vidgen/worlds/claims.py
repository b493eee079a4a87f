# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""What captions can say, and what of it is true of a scene, by where things are."""

import functools
from dataclasses import dataclass

from vidgen.worlds.motion import DIRECTIONS, Scene, poses, screen_poses
from vidgen.worlds.places import Place
from vidgen.worlds.story_claims import story_claims

APART = 0.25
"""Least distance of two centres in the first frame, as a share of the frame, for "left of" or "above" to be said."""
STAYS = 0.1
"""Least such distance through the first half of the clip."""
MOVES = 0.2
"""Least displacement on the screen, as a share of the frame, for a direction to be said."""


@dataclass(frozen=True)
class Claim:
    """One thing that a caption says.

    kind and value: "object"; "motion" (still, left, right, up, down, bounce, arc, orbit, spin, approach, recede,
    follow); "turn" (clockwise, counterclockwise); "enter", "leave" (a side); "relation" (subject is left, right, above,
    below other); "position" (left, right, top, bottom, centre of the first frame); "where" (sky, ground); "place" (a
    name of PLACES, or "gradient TOP BOTTOM"); "camera" (a kind of CAMERAS); "count" (of objects); "number" (of things
    of the subject's kind). Of stories: "enter", "leave" also with the value ""; "land"; "takeoff"; "hide" (behind
    other); "return" ("back", "through" or ""); "hit" (other); "open"; "emerge" (from behind other, or ""); "cause"
    (push, knock, open: what subject does to other); "before" ("KIND>KIND": an event of subject, and a later one of
    other); "depth" (front, behind: as subject passes other); "size" (larger, smaller than other); "speed" (slow, fast);
    "pace" (faster, slower than other). subject, other: concept names.
    """

    kind: str
    subject: str = ""
    value: str = ""
    other: str = ""


def place_name(place: Place) -> str:
    """A place's name in claims: a gradient's holds its colours."""
    return " ".join((place.name, *place.colors))


@functools.lru_cache(maxsize=16)
def claims(scene: Scene) -> frozenset[Claim]:
    """Everything that is true of a scene and that captions can say. The last few scenes are remembered."""
    scene = scene.in_sight()
    found = {Claim(*row) for row in story_claims(scene)}
    found |= {Claim("place", value=place_name(scene.place)), Claim("count", value=str(len(scene.objects)))}
    if scene.frames > 1:
        found.add(Claim("camera", value=scene.camera.kind))
    seen = screen_poses(scene)
    across_FN, down_FN = seen.x_FN / scene.width, seen.y_FN / scene.height
    inside_N = (abs(across_FN[0] - 0.5) < 0.5) & (abs(down_FN[0] - 0.5) < 0.5)
    names = [thing.concept for thing in scene.objects]
    for row, thing in enumerate(scene.objects):
        found.add(Claim("object", thing.concept))
        if names.count(thing.concept) > 1:
            continue  # which of them?
        if scene.frames > 1 and not thing.acts:
            shift = (across_FN[-1, row] - across_FN[0, row], down_FN[-1, row] - down_FN[0, row])
            found |= _motion_claims(scene, row, shift)
        if inside_N[row]:
            found |= _position_claims(thing.concept, across_FN[0, row], down_FN[0, row])
        found |= _where_claims(scene, row)
        for other in range(len(scene.objects)):
            if names[other] != names[row] and inside_N[row] and inside_N[other]:
                for axis_FN, less, more in ((across_FN, "left", "right"), (down_FN, "above", "below")):
                    gap_F = axis_FN[:, other] - axis_FN[:, row]
                    half_F = gap_F[: (scene.frames + 1) // 2]
                    for sign, value in ((1, less), (-1, more)):
                        if sign * gap_F[0] > APART and (sign * half_F).min() > STAYS:
                            found.add(Claim("relation", thing.concept, value, scene.objects[other].concept))
    return frozenset(found)


def _motion_claims(scene: Scene, row: int, shift: tuple[float, float]) -> set[Claim]:
    thing = scene.objects[row]
    motion, name = thing.motion, thing.concept
    target = scene.objects[motion.target].concept if motion.target != -1 else ""
    found = {Claim("enter", name, thing.enter)} if thing.enter else set()
    found |= {Claim("leave", name, thing.leave)} if thing.leave else set()
    if motion.kind not in DIRECTIONS:
        found.add(Claim("motion", name, motion.kind, target))
    if motion.kind == "spin":
        found.add(Claim("turn", name, "clockwise" if motion.turns > 0 else "counterclockwise"))
    if motion.kind in (*DIRECTIONS, "arc", "follow"):
        for value, (x, y) in DIRECTIONS.items():
            # Both in the world and as the camera sees it, so that nobody can read the words another way.
            if x * motion.dx + y * motion.dy > 0 and x * shift[0] + y * shift[1] > MOVES:
                found.add(Claim("motion", name, value))
    return found


def _position_claims(name: str, x: float, y: float) -> set[Claim]:
    found = set()
    for value, so in (("left", x < 0.36), ("right", x > 0.64), ("top", y < 0.36), ("bottom", y > 0.64)):
        if so:
            found.add(Claim("position", name, value))
    if max(abs(x - 0.5), abs(y - 0.5)) < 0.12:
        found.add(Claim("position", name, "centre"))
    return found


def _where_claims(scene: Scene, row: int) -> set[Claim]:
    """Above the horizon all the time, or standing below it all the time."""
    if not scene.place.has_ground:
        return set()
    world, name = poses(scene), scene.objects[row].concept
    y_F, size_F = world.y_FN[:, row] - scene.place.horizon, world.size_FN[:, row]
    if (y_F < -0.15 * size_F).all():
        return {Claim("where", name, "sky")}
    if (y_F + 0.3 * size_F > 0).all():
        return {Claim("where", name, "ground")}
    return set()
