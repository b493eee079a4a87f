# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The plots of stories in which something happens: who does what when, in each kind of story. `story.draw_story`
chooses among a few of each.

A plot is a function of a `Stage` and the concepts of its actors, which puts actors and beats on the stage. It returns
False where the draw does not work out (a thing too thin to hide behind), and is then drawn again.
"""

from vidgen.worlds.motion import DIRECTIONS
from vidgen.worlds.shapes import cover, spread
from vidgen.worlds.sprites import load_atlas
from vidgen.worlds.stage import Actor, Stage

FLYERS = frozenset({"aircraft", "bird", "insect"})
"""Categories that land and take off."""
DOORS = ("door", "window")
SOLID = 0.62
"""Least `shapes.fill` of what others hide behind."""
BACK = {"left": "right", "right": "left", "up": "down", "down": "up"}
HIDDEN = 0.97
"""Share of a thing that must be covered for it to be hidden."""


def flies(concept: str) -> bool:
    """Whether a concept lands and takes off."""
    return load_atlas()[concept].category in FLYERS


def order(stage: Stage, concepts: list[str]) -> bool:
    """Each actor does one thing, one after the other."""
    return _events(stage, concepts, list(range(len(concepts))))


def parts(stage: Stage, concepts: list[str]) -> bool:
    """Three to six events in a row; what a thing does it does once."""
    most = max(2, min(6, (stage.frames - 1) // 7))
    count = int(stage.rng.integers(min(3, most), most + 1))
    turns = [int(row) for row in stage.rng.permutation(len(concepts))]
    while len(turns) < count:
        turns.append(int(stage.rng.choice([row for row in range(len(concepts)) if row != turns[-1]])))
    return len(turns) == count and _events(stage, concepts, turns)


def _events(stage: Stage, concepts: list[str], turns: list[int]) -> bool:
    rng = stage.rng
    for concept in concepts:
        stage.actors.append(Actor(concept, stage.size(0.27, 0.36), 0.0, 0.0))
    spans = stage.slots(len(turns))
    inside: dict[int, bool] = {}
    for row, span in zip(turns, spans, strict=True):
        actor = stage.actors[row]
        done = {beat.kind for beat in stage.beats if beat.subject == row}
        wings = flies(actor.concept)
        kinds = ["land" if wings and rng.random() < 0.7 else "enter"] if inside.get(row) is not True else []
        if inside.get(row) is not False:
            kinds += ["motion", "takeoff" if wings and rng.random() < 0.7 else "leave"]
        kinds = [kind for kind in kinds if kind not in done]
        if not kinds:
            return False
        kind = kinds[int(rng.integers(len(kinds)))]
        if row not in inside:
            grounded = not wings or kind in ("land", "takeoff") or rng.random() < 0.5
            actor.place(*stage.spot(actor.concept, actor.size, sky=not grounded))
        _EVENTS[kind](stage, row, span, row not in inside)
        inside[row] = kind not in ("leave", "takeoff")
    stage.layer()
    return True


def _enter(stage: Stage, row: int, span: tuple[int, int], first: bool) -> None:
    side = _edge(stage)
    _come(stage, row, span, "enter", side, first)


def _land(stage: Stage, row: int, span: tuple[int, int], first: bool) -> None:
    _come(stage, row, span, "land", "up", first)


def _come(stage: Stage, row: int, span: tuple[int, int], kind: str, side: str, first: bool) -> None:
    actor = stage.actors[row]
    x, y = (actor.x, actor.y) if first else stage.spot(actor.concept, actor.size)
    outside = stage.beyond(actor, side, x, y)
    if first:
        actor.place(*outside)
    else:
        # It left before, perhaps by another edge: from one frame to the next it is where it comes in, out of sight.
        left = max(beat.end for beat in stage.beats if beat.subject == row)
        actor.slide(left, left + 1, *outside)
    beat = stage.beat(kind, row, span, side=side)
    actor.go(*span, x, y, "slowing" if kind == "land" else "steady", beat=beat)


def _leave(stage: Stage, row: int, span: tuple[int, int], _first: bool) -> None:
    _go_out(stage, row, span, "leave", _edge(stage))


def _takeoff(stage: Stage, row: int, span: tuple[int, int], _first: bool) -> None:
    _go_out(stage, row, span, "takeoff", "up")


def _go_out(stage: Stage, row: int, span: tuple[int, int], kind: str, side: str) -> None:
    actor = stage.actors[row]
    beat = stage.beat(kind, row, span, side=side)
    actor.go(
        *span, *stage.beyond(actor, side, actor.x, actor.y), "gaining" if kind == "takeoff" else "steady", beat=beat
    )


def _motion(stage: Stage, row: int, span: tuple[int, int], _first: bool) -> None:
    """Along one axis, by at least 0.28 of the frame, the way where there is most room."""
    actor, rng = stage.actors[row], stage.rng
    (left, top), (right, low) = stage.room(actor.concept, actor.size)
    ways = {"left": actor.x - left, "right": right - actor.x}
    if not stage.place.has_ground:
        ways |= {"up": actor.y - top, "down": low - actor.y}
    far = {way: room for way, room in ways.items() if room >= 0.3 * stage.extent[way in ("up", "down")]}
    side = str(rng.choice(sorted(far))) if far else max(ways, key=lambda way: ways[way])
    least = 0.3 * stage.extent[side in ("up", "down")]
    by = float(rng.uniform(least, max(least, min(ways[side], 2 * least))))
    across, down = DIRECTIONS[side]
    if stage.raster:
        # From one side of the middle to the other.
        by = stage.raster.way
        actor.place(*(-0.5 * by * sign if sign else at for sign, at in ((across, actor.x), (down, actor.y))))
    beat = stage.beat("motion", row, span, side=side)
    actor.go(*span, actor.x + across * by, actor.y + down * by, beat=beat)


_EVENTS = {"enter": _enter, "land": _land, "leave": _leave, "takeoff": _takeoff, "motion": _motion}


def _edge(stage: Stage) -> str:
    sides = ("left", "right") if stage.place.has_ground else ("left", "right", "left", "right", "up", "down")
    return sides[int(stage.rng.integers(len(sides)))]


def comes_back(stage: Stage, concepts: list[str]) -> bool:
    """The first actor goes behind the second one, out of sight, and comes out again: where it came from, or beyond."""
    rng, ground = stage.rng, stage.place.has_ground
    front = Actor(concepts[1], stage.size(0.45, 0.58, "large"), 0.0, 0.0, depth=0.0)
    actor = Actor(concepts[0], stage.size(0.24, 0.3, "small"), 0.0, 0.0, depth=1.0)
    side = "right" if rng.random() < 0.5 else "left"
    sign, through = DIRECTIONS[side][0], rng.random() < 0.4
    actor.face(side)
    dx, dy, share = stage.hiding(front, actor)
    if share < HIDDEN:
        return False
    (left, _), (right, _) = stage.room(actor.concept, actor.size)
    _, (reach, _) = stage.room(front.concept, front.size)
    x = float(rng.uniform(-0.05, 0.05)) if through else sign * float(rng.uniform(0.3, 1.0)) * reach
    (_, top), (_, low) = stage.room(front.concept, front.size)
    height = float(rng.uniform(top, low)) if ground else float(rng.uniform(max(top, -0.15), min(low, 0.15)))
    front.place(*stage.on_raster(x, height, front.size))
    y, away = front.y + dy, (left if sign > 0 else right)
    home, _ = stage.on_raster(away * float(rng.uniform(0.9, 1.0)), y, actor.size)
    beyond, _ = stage.on_raster(-away * float(rng.uniform(0.9, 1.0)), y, actor.size)
    out = beyond if through else home
    seen = [1 - cover(front.mask(), actor.mask(), at - front.x, dy) for at in (home, out)]
    if min(seen) < 0.75:
        return False
    last = stage.frames - 1
    start, end = 1, 1 + round(min(24, last * rng.uniform(0.26, 0.32)))
    back = end + round(max(2, last * rng.uniform(0.14, 0.22)))
    stop = min(last - 1, back + (end - start))
    start, end, back, stop = stage.times(start, end, back, stop, paces=(0, 0.5, 1, 1.5))
    actor.place(home, y)
    stage.actors += [actor, front]
    hide = stage.beat("hide", 0, (start, end), other=1, side=side)
    actor.go(start, end, front.x + dx, y, beat=hide)
    again = stage.beat("return", 0, (back, stop), other=1, side=side if through else BACK[side])
    actor.go(back, stop, out, y, beat=again)
    return True


def push(stage: Stage, concepts: list[str]) -> bool:
    """The first actor comes in from a side, hits the second one, and that slides away."""
    rng = stage.rng
    side = "right" if rng.random() < 0.5 else "left"
    sign = DIRECTIONS[side][0]
    mover, hit = (Actor(name, stage.size(0.28, 0.36, "small"), 0.0, 0.0) for name in concepts)
    mover.face(side)
    (left, top), (right, low) = stage.room(hit.concept, hit.size)
    by = stage.far(float(rng.uniform(0.27, 0.34)) * stage.extent[0], 0.5)
    reach = (right if sign > 0 else -left) - by
    x = float(rng.uniform(min(reach, -0.08), reach))
    # On a raster as far as it may be, so that what hits it has room.
    x = sign * (reach if stage.raster else x)
    hit.place(*stage.on_raster(x, float(rng.uniform(top, low)), hit.size))
    # They stand on one line, or meet head on.
    tall = [0.5 * one.size * spread(one.concept)[1] for one in (mover, hit)]
    aside = tall[1] - tall[0] if stage.place.has_ground else float(rng.uniform(-0.04, 0.04))
    aside = 0.0 if stage.raster else aside
    gap = stage.contact(mover, hit, aside, side)
    if gap is None:
        return False
    mover.place(*stage.beyond(mover, BACK[side], hit.x, hit.y + aside))
    last = stage.frames - 1
    start = round(max(2, min(12, 0.1 * last)))
    touch = start + round(max(4, min(20, last * rng.uniform(0.3, 0.4))))
    stop = min(last - 1, touch + round(max(4, min(20, last * rng.uniform(0.3, 0.4)))))
    start, touch, stop = stage.times(start, touch, stop, paces=(0, 1, 2))
    stage.actors += [mover, hit]
    cause = stage.beat("hit", 0, (start, touch), other=1, side=side)
    mover.go(start, touch, hit.x - sign * gap, mover.y, beat=cause)
    effect = stage.beat("pushed", 1, (touch, stop), other=0, side=side, cause=cause)
    hit.slide(touch, stop, hit.x + sign * by, hit.y, "slowing", beat=effect)
    stage.layer()
    return True


def knock(stage: Stage, concepts: list[str]) -> bool:
    """The first actor falls onto the second one, and both go down."""
    rng = stage.rng
    mover, hit = (Actor(name, stage.size(0.28, 0.34, "small"), 0.0, 0.0) for name in concepts)
    (left, _), (right, _) = stage.room(hit.concept, hit.size)
    (_, top), (_, low) = stage.room(hit.concept, hit.size)
    by = stage.far(float(rng.uniform(0.28, 0.36)) * stage.extent[1], 0.5)
    lean = float(rng.uniform(-0.05, 0.05))
    aside = 0.0 if stage.raster else lean
    gap = stage.contact(mover, hit, aside, "down")
    if gap is None:
        return False
    # At the touch at least half of what falls is in the frame.
    least = gap - 0.5 * stage.extent[1] + 0.25 * mover.size
    if max(top, least) > low - by:
        return False
    hit.place(
        *stage.on_raster(float(rng.uniform(left, right)), float(rng.uniform(max(top, least), low - by)), hit.size)
    )
    mover.place(*stage.beyond(mover, "up", hit.x + aside, hit.y))
    last = stage.frames - 1
    start = round(max(2, min(12, 0.12 * last)))
    touch = start + round(max(3, min(12, last * rng.uniform(0.25, 0.35))))
    stop = min(last - 1, touch + round(max(4, min(14, last * rng.uniform(0.3, 0.4)))))
    start, touch, stop = stage.times(start, touch, stop, paces=(0, 1, 2))
    stage.actors += [mover, hit]
    cause = stage.beat("hit", 0, (start, touch), other=1, side="down")
    mover.go(start, touch, mover.x, hit.y - gap, "gaining", beat=cause)
    effect = stage.beat("knocked", 1, (touch, stop), other=0, side="down", cause=cause)
    turn = float(rng.uniform(0.1, 0.25)) * (1 if lean < 0 else -1)
    hit.slide(touch, stop, hit.x, hit.y + by, turn=turn, beat=effect)
    mover.slide(touch, stop, mover.x, mover.y + by, beat=effect)
    stage.layer()
    return True


def open_door(stage: Stage, concepts: list[str]) -> bool:
    """The second actor is a door; it opens, and the first one, who was behind it, comes out."""
    rng = stage.rng
    door = Actor(concepts[1], stage.size(0.52, 0.62, "large"), 0.0, 0.0, depth=0.0)
    actor = Actor(concepts[0], stage.size(0.23, 0.29, "small"), 0.0, 0.0, depth=1.0)
    actor.face("right")
    dx, dy, share = stage.hiding(door, actor)
    if share < HIDDEN:
        return False
    (left, top), (_, low) = stage.room(door.concept, door.size)
    # Away from the edge: what comes out of it must not seem to come in there.
    x, y = float(rng.uniform(min(left + 0.12, -0.08), -0.08)), float(rng.uniform(top, low))
    door.place(*stage.on_raster(x, y, door.size))
    actor.place(door.x + dx, door.y + dy)
    _, (right, _) = stage.room(actor.concept, actor.size)
    least = actor.x + stage.far(0.3 * stage.extent[0], 0.75)
    if least > right:
        return False
    last = stage.frames - 1
    start = round(max(2, min(12, 0.14 * last)))
    opened = start + round(max(3, min(10, last * rng.uniform(0.2, 0.26))))
    stop = min(last - 1, opened + 1 + round(max(5, min(24, last * rng.uniform(0.35, 0.45)))))
    start, opened, out, stop = stage.times(start, opened, opened + 1, stop, paces=(0.5, 1, 1, 2))
    stage.actors += [actor, door]
    cause = stage.beat("open", 1, (start, opened))
    narrow = 0.16
    # It turns on its left edge, which stays where it is.
    hinge = -0.5 * (1 - narrow) * door.size * spread(door.concept)[0]
    door.slide(start, opened, door.x + hinge, door.y, wide=narrow, beat=cause)
    effect = stage.beat("emerge", 0, (out, stop), other=1, side="right", cause=cause)
    x, _ = stage.on_raster(float(rng.uniform(least, right)), actor.y, actor.size)
    actor.go(out, stop, x, actor.y, beat=effect)
    return True
