# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""What is true of a story: its events and their order, causes, returns, numbers, sizes, speeds, and who is in front.

Claims are (kind, subject, value, other) as in `claims.Claim`.
"""

from collections import Counter

import numpy as np

from vidgen.worlds.comparisons import FAST, SLOW
from vidgen.worlds.motion import DIRECTIONS, FPS, Beat, Scene, screen_poses
from vidgen.worlds.plots import BACK
from vidgen.worlds.shapes import fill

Row = tuple[str, str, str, str]

LARGER = 1.4
"""Least ratio of longer sides, and of areas, for one thing to be called larger than another."""
FASTER = 1.7
"""Least ratio of speeds for one thing to be called faster than another."""
CAUSE_OF = {"pushed": "push", "knocked": "knock"}


def story_claims(scene: Scene) -> set[Row]:
    """Everything that a scene's story makes true; of a plain scene the numbers of things only."""
    names = [thing.concept for thing in scene.objects]
    found: set[Row] = {("number", name, str(number), "") for name, number in Counter(names).items() if number <= 6}
    if scene.theme:
        found |= _size_claims(scene)
    told: list[tuple[Beat, set[str]]] = []
    for beat in scene.story:
        rows = _beat_claims(scene, beat)
        found |= rows
        kinds = {kind for kind, subject, _, _ in rows if subject == names[beat.subject] and kind in EVENTS}
        told.append((beat, kinds))
    for beat, kinds in told:
        for later, others in told:
            if beat.end <= later.start:
                found |= {
                    ("before", names[beat.subject], f"{one}>{two}", names[later.subject])
                    for one in kinds
                    for two in others
                }
    return found | _speed_claims(scene)


EVENTS = ("enter", "leave", "land", "takeoff", "motion", "hide", "return", "hit", "open", "emerge")
"""Kinds of claims that are events, which can come before one another."""


def _beat_claims(scene: Scene, beat: Beat) -> set[Row]:
    name = scene.objects[beat.subject].concept
    other = scene.objects[beat.other].concept if beat.other != -1 else ""
    found: set[Row] = set()
    enters = {"enter": beat.side, "land": "up", "hit": BACK[beat.side] if beat.side else ""}
    leaves = {"leave": beat.side, "takeoff": "up"}
    for kind, sides in (("enter", enters), ("leave", leaves)):
        if beat.kind in sides:
            found |= {(kind, name, sides[beat.kind], ""), (kind, name, "", "")}
    if beat.kind in ("land", "takeoff", "open"):
        found.add((beat.kind, name, "", ""))
    if beat.kind == "hide":
        found.add(("hide", name, "", other))
    if beat.kind == "return":
        went = next(one.side for one in scene.story if one.kind == "hide" and one.subject == beat.subject)
        found |= {("return", name, value, "") for value in ("", "through" if went == beat.side else "back")}
    if beat.kind == "hit":
        found.add(("hit", name, "", other))
    if beat.kind == "emerge":
        found |= {("emerge", name, "", other), ("emerge", name, "", ""), ("cause", other, "open", name)}
    if beat.kind in CAUSE_OF:
        found.add(("cause", other, CAUSE_OF[beat.kind], name))
    if beat.kind == "pass":
        nearer = scene.objects[beat.subject].depth < scene.objects[beat.other].depth
        found.add(("depth", name, "front" if nearer else "behind", other))
    if beat.kind in ("motion", "hit", "pushed", "knocked", "emerge", "pass"):
        found.add(("motion", name, beat.side, ""))
    return found


def _size_claims(scene: Scene) -> set[Row]:
    """By the pictures' longer sides and by their areas: nobody should see it otherwise."""
    found: set[Row] = set()
    for one in scene.objects:
        for other in scene.objects:
            area = fill(one.concept) * one.size**2 / (fill(other.concept) * other.size**2)
            if one.concept != other.concept and min(one.size / other.size, area) >= LARGER:
                found |= {
                    ("size", one.concept, "larger", other.concept),
                    ("size", other.concept, "smaller", one.concept),
                }
    return found


def _speed_claims(scene: Scene) -> set[Row]:
    """Of things that move once, by as many shares of the frame a second as the camera sees."""
    found: set[Row] = set()
    rates: dict[str, float] = {}
    seen = screen_poses(scene)
    for beat in scene.story:
        if beat.kind == "motion" and sum(one.subject == beat.subject for one in scene.story) == 1:
            across = DIRECTIONS[beat.side][0] != 0
            path_F = (seen.x_FN / scene.width if across else seen.y_FN / scene.height)[:, beat.subject]
            way = abs(float(path_F[beat.end] - path_F[beat.start]))
            rates[scene.objects[beat.subject].concept] = way * FPS / (beat.end - beat.start)
    for name, rate in rates.items():
        if rate <= SLOW or rate >= FAST:
            found.add(("speed", name, "slow" if rate <= SLOW else "fast", ""))
        for other, slower in rates.items():
            if rate >= FASTER * max(slower, np.finfo(float).tiny) and other != name:
                found |= {("pace", name, "faster", other), ("pace", other, "slower", name)}
    return found
