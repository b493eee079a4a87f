# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The words of captions: phrases for places, motions, relations and cameras, each with what it claims.

`captions` both writes and reads captions from these tables, so that a phrase cannot mean two things.
"""

import functools
import itertools
from dataclasses import dataclass

from vidgen.worlds.places import PLAIN


@dataclass(frozen=True)
class Predicate:
    """A verb phrase: finite ("runs to the right"), participle ("running to the right"), and its claims.

    reads: pairs of claim kind and value, about the subject. A "{}" in the text is another object, to which the first
    claim then refers.
    """

    finite: str
    participle: str
    reads: tuple[tuple[str, str], ...]


# Verbs of motion along a line, third person and participle.
_MOVES = (("moves", "moving"), ("travels", "travelling"), ("goes", "going"))
_SLIDES = (("slides", "sliding"), ("glides", "gliding"))
_DRIFTS = (("drifts", "drifting"), ("floats", "floating"), ("glides", "gliding"))
TRAVEL: dict[str, tuple[tuple[str, str], ...]] = {
    "person": (("walks", "walking"), ("runs", "running"), ("strolls", "strolling"), ("hurries", "hurrying")),
    "character": _SLIDES + _DRIFTS[:2],
    "animal": (("runs", "running"), ("walks", "walking"), ("trots", "trotting"), ("hurries", "hurrying")),
    "bird": (("flies", "flying"), ("glides", "gliding")),
    "insect": (("crawls", "crawling"), ("creeps", "creeping"), ("scurries", "scurrying")),
    "fish": (("swims", "swimming"), ("glides", "gliding")),
    "vehicle": (("drives", "driving"), ("rolls", "rolling"), ("speeds", "speeding")),
    "boat": (("sails", "sailing"), ("glides", "gliding")),
    "aircraft": (("flies", "flying"), ("soars", "soaring")),
    "space": _DRIFTS,
    "weather": _DRIFTS,
}
"""Verbs that suit a category; any other category slides and glides. "moves" and its like suit everything."""

STILL: dict[str, tuple[tuple[str, str], ...]] = {
    "person": (("stands still", "standing still"), ("stands", "standing"), ("waits", "waiting")),
    "animal": (("stands still", "standing still"), ("sits", "sitting"), ("rests", "resting")),
    "bird": (("sits still", "sitting still"), ("rests", "resting")),
    "vehicle": (("is parked", "parked"), ("stands still", "standing still"), ("waits", "waiting")),
    "building": (("stands", "standing"), ("stands still", "standing still")),
    "plant": (("stands", "standing"), ("stands still", "standing still")),
    "space": (("hangs", "hanging"), ("hangs still", "hanging still")),
    "weather": (("hangs", "hanging"), ("hangs still", "hanging still")),
    "aircraft": (("hovers", "hovering"), ("hangs still", "hanging still")),
}
_STILL_ANY = (("stays in place", "staying in place"), ("does not move", "not moving"))
_STILL_THING = (("rests", "resting"), ("lies still", "lying still"))

ACROSS: dict[str, tuple[str, ...]] = {
    side: (f"to the {side}", f"to the {side}", f"towards the {side}", f"from {other} to {side}", side, f"{side}wards")
    for side, other in (("left", "right"), ("right", "left"))
}
_UP = (
    *(("rises", "rising"), ("rises up", "rising up"), ("climbs upwards", "climbing upwards")),
    *(("floats up", "floating up"), ("moves up", "moving up"), ("moves upwards", "moving upwards")),
    *(("moves to the top", "moving to the top"), ("goes up", "going up")),
)
_DOWN = (
    *(("falls", "falling"), ("falls down", "falling down"), ("sinks", "sinking"), ("drops down", "dropping down")),
    *(("moves down", "moving down"), ("moves downwards", "moving downwards")),
    *(("moves to the bottom", "moving to the bottom"), ("goes down", "going down")),
)
_BOUNCE = (
    *(("bounces up and down", "bouncing up and down"), ("bounces", "bouncing")),
    *(("hops up and down", "hopping up and down"), ("jumps up and down", "jumping up and down")),
)
_ARC = (
    *(("flies in an arc to the {side}", "flying in an arc to the {side}"),),
    *(("leaps to the {side} in a high arc", "leaping to the {side} in a high arc"),),
    *(("jumps in an arc to the {side}", "jumping in an arc to the {side}"),),
)
_ORBIT = (
    *(("orbits {}", "orbiting {}"), ("circles around {}", "circling around {}")),
    *(("goes around {}", "going around {}"), ("moves in circles around {}", "moving in circles around {}")),
)
_CIRCLE = (
    *(("moves in a circle", "moving in a circle"), ("circles around", "circling around")),
    *(("goes round in a circle", "going round in a circle"),),
)
_SPIN = (
    *(("spins around", "spinning around", ""), ("spins on the spot", "spinning on the spot", "")),
    *(("spins {turn}", "spinning {turn}", "turn"), ("rotates {turn}", "rotating {turn}", "turn")),
    *(("turns round and round", "turning round and round", ""),),
)
TURNS = {"clockwise": ("clockwise",), "counterclockwise": ("counterclockwise", "anticlockwise")}
_APPROACH = (
    *(("comes closer", "coming closer"), ("moves towards the camera", "moving towards the camera")),
    *(("comes towards the viewer", "coming towards the viewer"), ("approaches", "approaching")),
    *(("grows larger as it comes closer", "growing larger as it comes closer"),),
)
_RECEDE = (
    *(("moves away", "moving away"), ("recedes into the distance", "receding into the distance")),
    *(("goes away from the camera", "going away from the camera"),),
    *(("gets smaller as it moves away", "getting smaller as it moves away"),),
)
_FOLLOW = (("follows {}", "following {}"), ("chases {}", "chasing {}"), ("goes after {}", "going after {}"))
_EDGES = {"left": ("the left",), "right": ("the right",), "up": ("the top", "above"), "down": ("the bottom", "below")}
_OUT = {"left": "on the left", "right": "on the right", "up": "at the top", "down": "at the bottom"}
_ENTER = (
    ("enters from", "entering from"),
    ("comes in from", "coming in from"),
    ("comes into view from", "coming into view from"),
)
_LEAVE = (("leaves", "leaving"), ("leaves the frame", "leaving the frame"), ("goes out of view", "going out of view"))


@functools.cache
def predicates(category: str, motion: str) -> tuple[Predicate, ...]:
    """Verb phrases that suit a category for a motion: a kind of MOTIONS, or "arc left", "follow right" and the like,
    "orbit" with another object in the text and "circle" without, "spin clockwise", "enter left", "leave up".
    """
    kind, _, side = motion.partition(" ")
    still = STILL.get(category, _STILL_THING) + _STILL_ANY
    fixed = {"still": still, "up": _UP, "down": _DOWN, "bounce": _BOUNCE, "approach": _APPROACH, "recede": _RECEDE}
    if kind in fixed:
        return tuple(Predicate(finite, participle, (("motion", kind),)) for finite, participle in fixed[kind])
    if kind in ACROSS:
        verbs = TRAVEL.get(category, _SLIDES) + _MOVES[:1]
        return tuple(
            Predicate(f"{finite} {way}", f"{participle} {way}", (("motion", kind),))
            for (finite, participle), way in itertools.product(verbs, ACROSS[kind])
        )
    if kind == "arc":
        reads = (("motion", "arc"), ("motion", side))
        return tuple(Predicate(finite.format(side=side), part.format(side=side), reads) for finite, part in _ARC)
    if kind in ("orbit", "circle"):
        phrases = _ORBIT if kind == "orbit" else _CIRCLE
        return tuple(Predicate(finite, participle, (("motion", "orbit"),)) for finite, participle in phrases)
    if kind == "spin":
        return tuple(
            Predicate(
                finite.format(turn=turn), part.format(turn=turn), (("motion", kind), *([(key, side)] if key else []))
            )
            for finite, part, key in _SPIN
            for turn in TURNS[side]
        )
    if kind == "follow":
        plain = tuple(Predicate(finite, part, (("motion", kind),)) for finite, part in _FOLLOW)
        ways = {"up": ("upwards",), "down": ("downwards",)}.get(side) or (f"to the {side}", f"towards the {side}")
        reads = (("motion", kind), ("motion", side))
        return plain + tuple(Predicate(f"{f} {way}", f"{p} {way}", reads) for f, p in _FOLLOW for way in ways)
    if kind == "enter":
        return tuple(
            Predicate(f"{f} {edge}", f"{p} {edge}", (("enter", side),)) for f, p in _ENTER for edge in _EDGES[side]
        )
    if kind == "leave":
        return tuple(Predicate(f"{f} {_OUT[side]}", f"{p} {_OUT[side]}", (("leave", side),)) for f, p in _LEAVE)
    raise ValueError(f"no words for the motion {motion!r}")


RELATIONS: dict[str, tuple[str, ...]] = {
    "left": ("left of", "to the left of", "on the left of"),
    "right": ("right of", "to the right of", "on the right of"),
    "above": ("above", "higher than"),
    "below": ("below", "under", "lower than"),
}
OPPOSITE = {"left": "right", "right": "left", "above": "below", "below": "above"}
POSITIONS: dict[str, tuple[str, ...]] = {
    "left": ("on the left side of the frame", "at the left of the frame"),
    "right": ("on the right side of the frame", "at the right of the frame"),
    "top": ("near the top of the frame", "in the upper part of the frame"),
    "bottom": ("near the bottom of the frame", "in the lower part of the frame"),
    "centre": ("in the middle of the frame", "near the centre of the frame"),
}
CAMERA: dict[str, tuple[str, ...]] = {
    "still": ("the camera is still", "the camera does not move", "the view stays fixed", "the shot is steady"),
    **{
        f"pan {way}": (f"the camera pans {way}", f"the view pans {way}", f"the camera slowly pans {way}")
        for way in ("left", "right", "up", "down")
    },
    "zoom in": ("the camera zooms in", "the view zooms in", "the camera slowly zooms in", "we zoom in"),
    "zoom out": ("the camera zooms out", "the view zooms out", "the camera slowly zooms out", "we zoom out"),
}
NUMBERS = ("no", "one", "two", "three", "four", "five", "six")
COUNTS: dict[str, tuple[str, ...]] = {
    "1": ("nothing else is in view", "there is nothing else to be seen", "it is the only thing in the scene"),
    **{
        str(n): (f"there are {NUMBERS[n]} things in the scene", f"{NUMBERS[n]} things can be seen in all")
        for n in (2, 3, 4, 5, 6)
    },
}
FILLERS = ("the shapes are smooth and clear", "the colours are plain to see")
IMAGE_OPENINGS = ("a picture of", "an image of", "a still picture of", "a photo of")
CLIP_OPENINGS = ("a video of", "a clip of", "an animation of", "a short video of")
OPENINGS = IMAGE_OPENINGS + CLIP_OPENINGS


@dataclass(frozen=True)
class PlaceWords:
    """at: where something is. across: what it crosses. says: a clause of its own. sky: up there, in this place."""

    at: tuple[str, ...]
    across: tuple[str, ...]
    says: tuple[str, ...]
    sky: tuple[str, ...] = ()


SKY_ANY = ("high in the sky", "up in the sky")
ON_GROUND = ("on the ground",)
WHERE = {"sky": SKY_ANY, "ground": ON_GROUND}
BEING = "is there"
"""Says only that something is in the scene, where a clause needs a verb."""
_PLACE_WORDS: dict[str, PlaceWords] = {
    "moon": PlaceWords(
        ("on the moon", "on the moon", "on the surface of the moon", "on the grey dust of the moon"),
        ("across the moon", "across the moon", "across the surface of the moon", "across the grey dust of the moon"),
        ("the scene is on the moon", "the ground is the grey dust of the moon"),
        ("in the black sky",),
    ),
    "mars": PlaceWords(
        ("on Mars", "on Mars", "on the surface of Mars", "on the red sand of Mars"),
        ("across Mars", "across Mars", "across the red sand of Mars"),
        ("the scene is on Mars", "the ground is the red sand of Mars"),
        ("in the dusty sky",),
    ),
    "desert": PlaceWords(
        ("in the desert", "in the desert", "in a sandy desert", "in a desert"),
        ("across the desert", "across the desert", "across the sand of the desert", "across a sandy desert"),
        ("the scene is in a desert", "all around is the sand of the desert"),
        ("in the clear sky",),
    ),
    "meadow": PlaceWords(
        ("in a meadow", "in a meadow", "in a green meadow", "on the grass of a meadow", "in the meadow"),
        ("across a meadow", "across the meadow", "across a green meadow", "across the green grass"),
        ("the scene is in a meadow", "green grass covers the ground"),
        ("in the bright sky",),
    ),
    "sea": PlaceWords(
        ("at sea", "on the sea", "at the sea", "by the blue sea"),
        ("across the sea", "across the sea", "across the blue water of the sea"),
        ("the scene is at sea", "the blue sea reaches to the horizon"),
        ("in the wide sky",),
    ),
    "road": PlaceWords(
        ("on a road", "on the road", "on a grey road", "by a road"),
        ("along a road", "along the road", "along a grey road", "across the road"),
        ("the scene is on a road", "a grey road runs through the scene"),
        ("in the pale sky",),
    ),
    "snow": PlaceWords(
        ("in the snow", "in the snow", "on the white snow", "in a snowy field"),
        ("across the snow", "through the snow", "across the white snow", "across a snowy field"),
        ("the scene is in the snow", "white snow covers the ground"),
        ("in the cold sky",),
    ),
    "night sky": PlaceWords(
        ("in the night sky", "in the night sky", "against the night sky", "in a starry night sky"),
        ("across the night sky", "across the night sky", "across a starry night sky"),
        ("behind is the night sky", "the night sky is full of stars"),
    ),
    "blue sky": PlaceWords(
        ("in the blue sky", "in a blue sky", "against the blue sky", "in a cloudy blue sky"),
        ("across the blue sky", "across the blue sky", "across a cloudy blue sky"),
        ("behind is the blue sky", "white clouds float in the blue sky"),
    ),
}


@functools.cache
def place_words(place: str) -> PlaceWords:
    """The words for a place: a name of PLACES, or "gradient TOP BOTTOM" with two colour names."""
    if place in _PLACE_WORDS:
        return _PLACE_WORDS[place]
    colors = place.split()[1:] if place.startswith("gradient") else [place]
    spellings = [(color, "gray") if color == "grey" else (color,) for color in colors]
    words = [PlaceWords((), (), ())]
    for spelled in itertools.product(*spellings):
        if len(spelled) == 1:
            (color,) = spelled
            a = "an" if color == "orange" else "a"
            at = (
                f"on {a} {color} background",
                f"against {a} {color} background",
                f"in front of a plain {color} background",
            )
            words.append(
                PlaceWords(
                    (*at, f"on {a} {color} background", f"on {color}"),
                    (f"across {a} {color} background", f"across a plain {color} background"),
                    (f"the background is {color}", f"the background is plain {color}"),
                )
            )
        else:
            top, bottom = spelled
            words.append(
                PlaceWords(
                    (
                        f"on a {top} to {bottom} gradient".replace("a orange", "an orange"),
                        f"against a gradient from {top} to {bottom}",
                    ),
                    (f"across a gradient from {top} to {bottom}",),
                    (f"the background fades from {top} at the top to {bottom} at the bottom",),
                )
            )
    return PlaceWords(
        *(
            tuple(itertools.chain.from_iterable(getattr(one, part) for one in words))
            for part in ("at", "across", "says")
        )
    )


def motion_keys() -> tuple[str, ...]:
    """Every key that `predicates` takes."""
    sided = [f"{kind} {side}" for kind in ("follow", "enter", "leave") for side in _EDGES]
    arcs = [f"arc {side}" for side in ACROSS]
    spins = [f"spin {turn}" for turn in TURNS]
    return ("still", *_EDGES, "bounce", "approach", "recede", "orbit", "circle", *arcs, *spins, *sided)


def categories() -> tuple[str, ...]:
    """Categories whose verbs differ; "" stands for all others."""
    return (*dict.fromkeys((*TRAVEL, *STILL)), "")


def place_names() -> tuple[str, ...]:
    """Every place that a caption can claim."""
    gradients = [f"gradient {a} {b}" for a, b in itertools.permutations(PLAIN, 2)]
    return (*PLAIN, *_PLACE_WORDS, *gradients)


_BARE = {
    "earth": "the Earth", "moon": "the moon", "sun": "the sun", "planet earth": "planet Earth", "saturn": "Saturn",
    "santa claus": "Santa Claus", "santa": "Santa", "father christmas": "Father Christmas",
    "statue of liberty": "the Statue of Liberty", "full moon": "the full moon", "globe": "the globe",
    "shining sun": "the shining sun",
}  # fmt: skip
"""Names that take no article, or always "the"."""
UNIQUE = frozenset({"earth", "moon", "sun", "Santa Claus", "Statue of Liberty"})
"""Concepts of which there is only one."""


def noun(word: str, known: bool = False) -> str:
    """A concept's word with its article: "a dog", "an octopus", "the Earth"; "the dog" when it is known already."""
    if word.lower() in _BARE:
        return _BARE[word.lower()]
    if known:
        return f"the {word}"
    vowel = word[0].lower() in "aeiou" and not word.lower().startswith(("uni", "ufo", "u-"))
    return f"{'an' if vowel or word.lower().startswith('hour') else 'a'} {word}"
