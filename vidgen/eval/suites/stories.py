# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Prompts that tell a story: how many, what comes first, what returns, what makes what happen, who is larger, faster,
in front. A clip is watched for the things that its prompt names, and the prompt's claims are judged one by one.
"""

import functools
from dataclasses import dataclass, replace

import numpy as np

from vidgen.eval.suite import Bound, Case, Control, NotApplicableError, Outcome, Score, Setting, Source, Suite
from vidgen.eval.suites.drawing import draw_until, shortest_prompt
from vidgen.eval.suites.seeing import RIGHT, VAE_RIGHT, WRONG, backwards, hold, mirror, other_prompts, watched
from vidgen.worlds.claims import Claim
from vidgen.worlds.judge import goes, judge, number_of, path_change
from vidgen.worlds.motion import FPS, Scene, screen_poses
from vidgen.worlds.render import render
from vidgen.worlds.story import CAUSES, StoryConfig, draw_story, without_cause
from vidgen.worlds.story_claims import EVENTS
from vidgen.worlds.watch import WAY
from vidgen.worlds.words import NUMBERS

FRAMES = 17
"""Frames of most cases, where the system makes so many; those that tell several parts are as long as can be."""
LONGEST = 60 * FPS + 1
FEW = 4
"""Numbers up to this one are scored by themselves, too: more than four things have to be small."""
OTHERS = 0.1
"""Largest share that clips of other prompts may reach: few of them show what is claimed, by chance."""


@dataclass(frozen=True)
class Told:
    """What a prompt says: the claims that are scored, and events, which are part of them or told beside them."""

    claims: tuple[Claim, ...]
    events: tuple[Claim, ...] = ()


def draw(
    setting: Setting, n: int, seed: int, kinds: tuple[str, ...], scored: tuple[str, ...], frames: int
) -> tuple[Case, ...]:
    """Stories of these kinds in turn, with prompts that claim something of the kinds scored; pairs that training never
    showed together, but where one thing may be alone. frames: of a case, at most.
    """
    configs = [_config(setting, kind, min(frames, setting.frames)) for kind in kinds]
    usable = [config for config in configs if config is not None]
    if not usable:
        raise NotApplicableError(
            f"no story of {', '.join(kinds)} fits {setting.frames} frames and these {len(setting.concepts)} concepts"
        )

    def case(_: int, scene_seed: int) -> Case | None:
        try:
            return _case(draw_story(usable[scene_seed % len(usable)], scene_seed), scored)
        except ValueError as error:
            raise NotApplicableError(f"no story can be drawn: {error}") from error

    return draw_until(n, seed, case, "what is scored")


def _config(setting: Setting, kind: str, frames: int) -> StoryConfig | None:
    """None where such a story cannot be told."""
    split = "all" if kind in ("count", "speed") else "heldout"
    try:
        return StoryConfig(kind, setting.width, setting.height, frames, setting.concepts, split=split)
    except ValueError:
        return None


def _case(scene: Scene, scored: tuple[str, ...]) -> Case | None:
    """A prompt that names everything and claims something that is scored."""
    prompt = shortest_prompt(scene, lambda said: any(claim.kind in scored for claim in said))
    if prompt is None:
        return None
    text, said = prompt
    ordered = sorted(said, key=lambda claim: (claim.kind, claim.subject, claim.value, claim.other))
    claims = tuple(claim for claim in ordered if claim.kind in scored)
    events = tuple(claim for claim in ordered if claim.kind in EVENTS and claim.value != "still")
    return Case(text, scene, render, Told(claims, events), tuple(sorted({thing.concept for thing in scene.objects})))


def draw_causes(setting: Setting, n: int, seed: int) -> tuple[Case, ...]:
    """Stories with a cause, each with a twin: the same scene, its cause left out."""
    cases = draw(setting, n, seed, CAUSES, ("cause",), FRAMES)
    twins = []
    for case in cases:
        scene = without_cause(case.scene)
        prompt = shortest_prompt(scene, bool)
        assert prompt is not None
        names = tuple(thing.concept for thing in scene.in_sight().objects)
        twins.append(replace(case, twin=Case(prompt[0], scene, render, None, names)))
    return tuple(twins)


def measure(clip_FHWC: np.ndarray, case: Case) -> Outcome:
    """right: each claim's verdict; events: that of each event told."""
    seen, told = watched(clip_FHWC, case.names), case.expects
    return {
        "right": tuple(judge(seen, claim) for claim in told.claims),
        "events": tuple(judge(seen, claim) for claim in told.events),
    }


def measure_speed(clip_FHWC: np.ndarray, case: Case) -> Outcome:
    """As `measure`; slow: verdicts of the claims that something is slow."""
    seen, told = watched(clip_FHWC, case.names), case.expects
    slow = tuple(judge(seen, claim) for claim in told.claims if claim.value == "slow")
    return {"right": tuple(judge(seen, claim) for claim in told.claims), "slow": slow}


def measure_count(clip_FHWC: np.ndarray, case: Case) -> Outcome:
    """right: whether there are as many as the prompt says; few: the same where it says up to four; error: by how many
    it is wrong.
    """
    (claim, *_) = case.expects.claims
    asked = int(claim.value)
    error = abs(number_of(clip_FHWC, claim.subject) - asked)
    return {"right": error == 0, "few": error == 0 if asked <= FEW else (), "error": float(error)}


def measure_cause(clips_2FHWC: np.ndarray, case: Case) -> Outcome:
    """right: the effect follows from the cause; without: it does not come about without; both; change_error: of how the
    affected thing's path differs with and without the cause, against the true difference, in shares of the frame.
    """
    (claim, *_) = case.expects.claims
    seen, without = (watched(clip_FHWC, case.names) for clip_FHWC in clips_2FHWC)
    right, way = judge(seen, claim), goes(without, claim.other)
    # What is behind a door that stays shut is rightly not seen; anything else must be there, at rest.
    rests = (True if claim.value == "open" else None) if way is None else way < WAY
    both = None if right is None or rests is None else right and rests
    change = path_change(seen, without, claim.other) - _true_change(case, claim.other, seen.looks)
    read = change[np.isfinite(change[:, 0])]
    error = float(np.linalg.norm(read, axis=1).mean()) if len(read) else None
    return {"right": right, "without": rests, "both": both, "change_error": error}


def _true_change(case: Case, name: str, looks: tuple[int, ...]) -> np.ndarray:
    """Where a thing is with the cause minus where it is without, in shares of the frame, [L, 2]."""
    assert case.twin is not None
    paths = []
    for scene in (case.scene, case.twin.scene):
        row = [thing.concept for thing in scene.objects].index(name)
        seen = screen_poses(scene)
        paths.append(np.stack([seen.x_FN[:, row] / scene.width, seen.y_FN[:, row] / scene.height], axis=1))
    return (paths[0] - paths[1])[list(looks)]


def exchanged(clips_2FHWC: np.ndarray) -> np.ndarray:
    """A clip for its twin."""
    return clips_2FHWC[::-1]


def hurried(clips_FHWC: np.ndarray) -> np.ndarray:
    """Three times as fast, then at rest; any leading axes."""
    frames = clips_FHWC.shape[-4]
    return np.take(clips_FHWC, np.minimum(3 * np.arange(frames), frames - 1), axis=-4)


_JUDGED = (
    "A prompt claims {what}. The things that it names are tracked over the clip's frames by a detector that knows "
    "their pictures alone, and the claim is judged from their paths. {how} What is not recognised counts as wrong in "
    "the first row and is left out in the second. {source}"
)


def _suite(
    name: str,
    title: str,
    what: str,
    how: str,
    source: str,
    kinds: tuple[str, ...],
    scored: tuple[str, ...],
    controls: tuple[Control, ...],
    frames: int = FRAMES,
    extra: tuple[Score, ...] = (),
) -> Suite:
    """A suite of stories whose claims are judged one by one."""
    return Suite(
        name=name,
        title=title,
        definition=_JUDGED.format(what=what, how=how, source=source).strip(),
        source=Source(name, functools.partial(draw, kinds=kinds, scored=scored, frames=frames)),
        measure=measure,
        scores=(
            Score("right", "right, a miss is wrong", miss=False, name="right_all"),
            Score("right", "right, where it could be judged"),
            *extra,
        ),
        controls=controls,
        floors=(Bound("right_all", low=RIGHT),),
        vae_floors=(Bound("right_all", low=VAE_RIGHT),),
    )


_EVENTS = Score("events", "events told that are seen", miss=False)
_HOLD = hold(Bound("right_all", high=WRONG))
COUNT = Suite(
    name="count",
    title="Counting",
    definition=(
        "A prompt names one to six of one kind of thing. A detector that may find a concept several times counts them; "
        "the median of three frames. The share of exact numbers, and the mean error. As in the numeracy of "
        "T2V-CompBench (Sun et al., arXiv:2407.14505), whose detector has no known floor. Cases are single pictures."
    ),
    source=Source("count", functools.partial(draw, kinds=("count",), scored=("number",), frames=1)),
    measure=measure_count,
    scores=(
        Score("right", "exactly as many"),
        Score("few", f"exactly as many, where up to {NUMBERS[FEW]} are asked for"),
        Score("error", "mean error of the number", unit="", better="lower"),
    ),
    controls=(mirror(Bound("right", same=0.02)), other_prompts(Bound("right", high=OTHERS))),
    floors=(Bound("right", low=RIGHT),),
    vae_floors=(Bound("right", low=VAE_RIGHT),),
)
ORDER = _suite(
    "order",
    "Order of events",
    "that one thing happens before another: somebody comes in, lands, goes one way, leaves",
    "Both events must be seen, and their times must be in the order told.",
    "The share of pairs of events in the captioned order, after the motion order understanding of VBench-2.0 (Zheng et "
    "al., arXiv:2503.21755), which asks a language model.",
    ("order",),
    ("before",),
    (backwards(Bound("right_all", high=WRONG)), _HOLD),
    extra=(_EVENTS,),
)
PARTS = replace(
    _suite(
        "parts",
        "Order of many parts",
        "three to six events in a row, over the longest clip that the system makes (60 s at most)",
        "Each two neighbouring events must be seen, and their times must be in the order told.",
        "",
        ("parts",),
        ("before",),
        # Of many parts some do alike: what is told of one may be seen of another.
        (backwards(Bound("right_all", high=0.3)), _HOLD),
        frames=LONGEST,
        extra=(_EVENTS,),
    ),
    floors=(),
    vae_floors=(),
)
PERMANENCE = _suite(
    "permanence",
    "Permanence",
    "that something goes behind another thing, out of sight, and comes out again, where it came from or beyond",
    "It must be tracked before and after, lost between, away from the frame's edges, and come back on the side told.",
    "After object permanence in Physion (Bear et al., arXiv:2106.08261), as a generation task.",
    ("return",),
    ("return",),
    (_HOLD, other_prompts(Bound("right_all", high=OTHERS))),
)
CAUSE = Suite(
    name="cause",
    title="Cause and effect, with the counterfactual",
    definition=(
        "A prompt tells of a cause: one thing hits another, which then moves; one falls on another and knocks it down; "
        "a door opens and something comes out. Its twin tells of the same scene without the cause, and is made from "
        "the same noise. Judged are whether the effect follows the cause (the affected thing rests until the other is "
        "there, and moves only then), whether it stays away without the cause, and both at once. The counterfactual "
        "error is the distance between the change that the cause makes to the affected thing's path and the change in "
        "the true simulation, in shares of the frame. After counterfactual prediction in CLEVRER (Yi et al., "
        "arXiv:1910.01442)."
    ),
    source=Source("cause", draw_causes),
    measure=measure_cause,
    scores=(
        Score("both", "effect with its cause, and none without, a miss is wrong", miss=False),
        Score("right", "effect follows cause, a miss is wrong", miss=False),
        Score("without", "no effect without cause, a miss is wrong", miss=False),
        Score("change_error", "counterfactual error, shares of the frame", unit="", better="lower"),
    ),
    controls=(
        hold(Bound("right", high=WRONG), Bound("without", same=0.02)),
        Control("exchanged", "clip and twin exchanged", (Bound("both", high=WRONG),), exchanged),
    ),
    floors=(Bound("both", low=RIGHT), Bound("change_error", high=0.02)),
    vae_floors=(Bound("both", low=VAE_RIGHT),),
)
DEPTH = _suite(
    "depth",
    "Depth order",
    "that one thing passes in front of another, or behind it",
    "Where the two overlap both are painted over the background in both orders, and the order nearer to the frames is "
    "taken.",
    "After the spatial relations of T2V-CompBench (Sun et al., arXiv:2407.14505), which estimate depth by a network.",
    ("depth",),
    ("depth",),
    (mirror(Bound("right_all", same=0.02)), other_prompts(Bound("right_all", high=OTHERS))),
)
SIZE = replace(
    _suite(
        "size",
        "Comparison of size",
        "that one thing is larger, or smaller, than another (by 1.4 times at least)",
        "The measured sizes must differ by 1.15 times at least, in the way told. Cases are single pictures.",
        "",
        ("size",),
        ("size",),
        (mirror(Bound("right_all", same=0.02)), other_prompts(Bound("right_all", high=OTHERS))),
        frames=1,
    ),
)
SPEED = replace(
    _suite(
        "speed",
        "Speed",
        "that something moves fast (0.4 of the frame a second at least), slowly (0.16 at most), faster or slower than "
        "another (1.7 times at least)",
        "Speeds are read from paths.",
        "",
        ("speed",),
        ("speed", "pace"),
        (
            Control("hurried", "three times as fast, then at rest", (Bound("slow", high=WRONG),), hurried),
            _HOLD,
        ),
        extra=(Score("slow", "slow, where it should be and could be judged"),),
    ),
    measure=measure_speed,
)
SUITES = (COUNT, SIZE, DEPTH, SPEED, ORDER, PARTS, PERMANENCE, CAUSE)
