# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""What the suites share to draw cases: scene after scene until there are enough, and the prompt that says enough."""

from collections.abc import Callable

from vidgen.eval.alignment import FIRST_SEED, PHRASINGS
from vidgen.eval.suite import Case, NotApplicableError
from vidgen.worlds.captions import Claim, caption, read_caption
from vidgen.worlds.motion import Scene

TRIES = 50
"""Scenes tried a case."""
Said = frozenset[Claim]


def draw_until(n: int, seed: int, case: Callable[[int, int], Case | None], what: str) -> tuple[Case, ...]:
    """n cases. case: given (how many there are, the seed of a scene), a case, or None where that scene makes none.

    Raises NotApplicableError, saying `what` is lacking, when TRIES scenes a case are not enough.
    """
    cases: list[Case] = []
    for attempt in range(TRIES * n):
        if len(cases) == n:
            break
        found = case(len(cases), FIRST_SEED + seed * 2**20 + attempt)
        if found is not None:
            cases.append(found)
    if len(cases) < n:
        raise NotApplicableError(f"only {len(cases)} of {n} prompts were found that say {what}")
    return tuple(cases)


def shortest_prompt(scene: Scene, says: Callable[[Said], bool]) -> tuple[str, Said] | None:
    """The shortest of some captions of a scene that names everything in it and of whose claims `says` is true, and its
    claims; None where none is.
    """
    names = {thing.concept for thing in scene.in_sight().objects}
    found = []
    for seed in range(PHRASINGS):
        text = caption(scene, seed)
        said = read_caption(text)
        if {claim.subject for claim in said if claim.kind == "object"} == names and says(said):
            found.append((len(text.split()), text, said))
    return min(found, key=lambda one: one[:2])[1:] if found else None
