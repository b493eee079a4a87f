# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The words of captions of 3-D scenes; captions are both written and read from these tables."""

SHAPE_WORDS: dict[str, tuple[str, ...]] = {
    "ball": ("ball", "ball", "sphere"),
    "box": ("box", "box", "block"),
    "cylinder": ("cylinder",),
}
MATERIAL_WORDS: dict[str, tuple[str, ...]] = {
    "matte": ("matte", "dull"),
    "shiny": ("shiny", "glossy"),
    "metal": ("metal", "metallic"),
}
VERBS: dict[tuple[str, str], tuple[tuple[str, str], ...]] = {
    ("motion", "still"): (
        *(("stays still", "staying still"), ("does not move", "not moving")),
        *(("rests", "resting"), ("stays in place", "staying in place")),
    ),
    ("motion", "rolls"): (("rolls", "rolling"),),
    ("motion", "slides"): (("slides", "sliding"), ("glides", "gliding")),
    ("motion", "falls"): (("falls", "falling"), ("drops", "dropping"), ("falls down", "falling down")),
    ("motion", "topples"): (
        *(("falls over", "falling over"), ("topples over", "toppling over"), ("tips over", "tipping over")),
    ),
    ("way", ""): (("moves", "moving"), ("goes", "going"), ("travels", "travelling")),
    ("hits", ""): (
        *(("hits {}", "hitting {}"), ("bumps into {}", "bumping into {}")),
        *(("runs into {}", "running into {}"), ("collides with {}", "colliding with {}")),
    ),
    ("pushes", ""): (
        *(("pushes {}", "pushing {}"), ("sets {} in motion", "setting {} in motion")),
        *(("makes {} move", "making {} move"),),
    ),
    ("topples", ""): (
        *(("knocks over {}", "knocking over {}"), ("knocks {} over", "knocking {} over")),
        *(("makes {} fall over", "making {} fall over"),),
    ),
}
"""Verbs of a claim (kind, value), third person and participle; "{}" is another solid. A way is said after a verb."""
WAY_WORDS: dict[str, tuple[str, ...]] = {
    "left": ("to the left", "leftwards", "from right to left"),
    "right": ("to the right", "rightwards", "from left to right"),
    "nearer": ("towards the camera", "closer to the camera", "towards the viewer"),
    "farther": ("away from the camera", "away from the viewer", "into the distance"),
}
RELATION_WORDS: dict[str, tuple[str, ...]] = {
    "left": ("left of", "to the left of", "on the left of"),
    "right": ("right of", "to the right of", "on the right of"),
    "in front": ("in front of",),
    "behind": ("behind",),
    "on": ("on top of", "standing on"),
    "under": ("under", "beneath"),
}
CAMERA_WORDS: dict[str, tuple[str, ...]] = {
    "still": ("the camera is still", "the camera does not move", "the camera stays where it is"),
    "orbit left": (
        "the camera orbits to the left",
        "the camera circles to the left",
        "the camera moves around the scene to the left",
    ),
    "orbit right": (
        "the camera orbits to the right",
        "the camera circles to the right",
        "the camera moves around the scene to the right",
    ),
    "dolly in": ("the camera moves closer", "the camera dollies in", "the camera comes nearer"),
    "dolly out": ("the camera moves back", "the camera dollies out", "the camera backs away"),
    "pan left": ("the camera pans left", "the camera pans to the left", "the camera turns to the left"),
    "pan right": ("the camera pans right", "the camera pans to the right", "the camera turns to the right"),
}
FLOOR_WORDS: dict[str, tuple[str, ...]] = {
    "white": ("on a white floor", "on a plain white floor"),
    "grey": ("on a grey floor", "on a plain grey floor"),
    "dark": ("on a dark floor", "on a dark grey floor"),
    "checkered": ("on a checkered floor", "on a floor of light and dark squares"),
    "tiled": ("on a tiled floor", "on pale tiles"),
    "wooden": ("on a wooden floor", "on wooden boards"),
    "sandy": ("on sand", "on sandy ground"),
}
_NUMBERS = ("one", "two", "three", "four", "five", "six")
COUNT_WORDS: dict[str, tuple[str, ...]] = {
    str(n): (f"there {'is' if n == 1 else 'are'} {word} object{'s' * (n > 1)}", f"{word} object{'s' * (n > 1)} in all")
    for n, word in enumerate(_NUMBERS, start=1)
}
OPENINGS_CLIP = ("a video of", "a clip of", "a 3d animation of", "an animation of")
OPENINGS_IMAGE = ("a picture of", "an image of", "a 3d rendering of")
