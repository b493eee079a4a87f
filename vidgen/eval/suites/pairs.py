# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Two named things at rest or moving straight: are they there, do they move as stated, is the right one on the left?

And, on the same clips, the unsigned spatial score of VBench, which a mirrored clip does not change.
"""

from dataclasses import dataclass

import numpy as np

from vidgen.eval.alignment import PromptCase, draw_cases, moved, named, related, scene_config
from vidgen.eval.suite import Bound, Case, NotApplicableError, Outcome, Score, Setting, Source, Suite
from vidgen.eval.suites.seeing import RIGHT, VAE_RIGHT, WRONG, backwards, mirror, other_prompts, tracks_of
from vidgen.worlds.render import render
from vidgen.worlds.tracks import looks

FRAMES = 17
"""Frames of a case, where the system makes so many."""
IOU = 0.1
"""VBench's threshold on the intersection over union of two boxes."""


@dataclass(frozen=True)
class Pair:
    """What a clip must show, and the concepts among which the detector chooses."""

    case: PromptCase
    concepts: tuple[str, ...]


def draw(setting: Setting, n: int, seed: int) -> tuple[Case, ...]:
    """Prompts of two concepts that are never shown together in training; see `alignment.draw_cases`."""
    if min(setting.width, setting.height) < 32 or setting.frames < 5:
        raise NotApplicableError("its cases need 5 frames of 32x32 pixels")
    try:
        config = scene_config(setting.concepts, min(FRAMES, setting.frames), min(setting.width, setting.height))
        drawn = draw_cases(config, n, seed)
    except ValueError as error:
        raise NotApplicableError(f"no cases can be drawn: {error}") from error
    return tuple(Case(one.prompt, one.scene, render, Pair(one, setting.concepts), one.names) for one in drawn)


PAIRS = Source("pairs", draw)


def measure_identity(clip_FHWC: np.ndarray, case: Case) -> Outcome:
    """identity: whether each named thing is seen. extra: things that are seen and not named."""
    seen = tracks_of(clip_FHWC, case.expects.concepts)
    extra = len(set(seen) - set(case.names))
    return {"identity": named(seen, case.expects.case), "extra": float(extra)}


def measure_motion(clip_FHWC: np.ndarray, case: Case) -> Outcome:
    """motion: whether each motion has its stated sign; motion_x, motion_y: those along an axis."""
    seen, told = tracks_of(clip_FHWC, case.expects.concepts), case.expects.case
    return {
        "motion": moved(seen, told),
        "motion_x": moved(seen, told, ("left", "right")),
        "motion_y": moved(seen, told, ("up", "down")),
    }


def measure_relation(clip_FHWC: np.ndarray, case: Case) -> Outcome:
    """relation: whether what should be on the left is; nothing where the prompt does not say."""
    return {"relation": related(tracks_of(clip_FHWC, case.expects.concepts), case.expects.case)}


def measure_unsigned(clip_FHWC: np.ndarray, case: Case) -> Outcome:
    """unsigned: VBench's score, the mean over the frames looked at; relation: ours, of the same reading."""
    told: PromptCase = case.expects.case
    if told.relation is None:
        return {"unsigned": (), "relation": ()}
    seen = tracks_of(clip_FHWC, case.expects.concepts)
    scores = []
    for frame in looks(len(clip_FHWC)):
        boxes = [
            one.box
            for name in told.relation
            if name in seen
            for at, one in zip(seen[name].frames, seen[name].detections, strict=True)
            if at == frame
        ]
        scores.append(max((unsigned(a, b) for row, a in enumerate(boxes) for b in boxes[row + 1 :]), default=0.0))
    return {"unsigned": float(np.mean(scores)), "relation": related(seen, told)}


Box = tuple[float, float, float, float]


def unsigned(one: Box, other: Box) -> float:
    """VBench's score of two boxes (x0, y0, x1, y1) for "on the left of" and for "on the right of" alike.

    0 unless the middles are further apart across than down; else 1 where the boxes' intersection over union I is under
    0.1, and 0.1 / I where it is not.
    """
    across = abs((other[0] + other[2]) - (one[0] + one[2]))
    down = abs((other[1] + other[3]) - (one[1] + one[3]))
    if across <= down:
        return 0.0
    width = max(0.0, min(one[2], other[2]) - max(one[0], other[0]))
    height = max(0.0, min(one[3], other[3]) - max(one[1], other[1]))
    areas = sum((box[2] - box[0]) * (box[3] - box[1]) for box in (one, other))
    iou = width * height / (areas - width * height)
    return 1.0 if iou < IOU else IOU / iou


IDENTITY = Suite(
    name="identity",
    title="Identity",
    definition=(
        "Each prompt names two things that were never shown together in training. The share of the named things that "
        "a detector, which chooses among all concepts, recognises in at least two of five frames. The detector is "
        "matched to the concepts' pictures alone (analysis by synthesis) and has seen no model's output. After the "
        "object class and multiple objects dimensions of VBench (Huang et al., CVPR 2024, arXiv:2311.17982), with a "
        "detector that has a known floor."
    ),
    source=PAIRS,
    measure=measure_identity,
    scores=(
        Score("identity", "named things found"),
        Score("extra", "things found and not named, a clip", unit="", better="lower"),
    ),
    controls=(mirror(Bound("identity", same=0.01)), other_prompts(Bound("identity", high=0.1))),
    floors=(Bound("identity", low=RIGHT),),
    vae_floors=(Bound("identity", low=VAE_RIGHT),),
)
MOTION = Suite(
    name="motion",
    title="Direction of motion",
    definition=(
        "The share of the motions stated (left, right, up, down) that the named thing makes: the sign of its way "
        "between the first and the last frame in which it is seen, if that is at least 5 % of the frame. A thing that "
        "is not recognised counts as wrong in the first row and is left out in the others. After the motion binding "
        "of T2V-CompBench (Sun et al., arXiv:2407.14505), which is signed, too."
    ),
    source=PAIRS,
    measure=measure_motion,
    scores=(
        Score("motion", "right, a miss is wrong", miss=False, name="motion_all"),
        Score("motion", "right, where the thing is found", chance=0.5),
        Score("motion_x", "along x, where found", chance=0.5),
        Score("motion_y", "along y, where found", chance=0.5),
    ),
    controls=(
        mirror(Bound("motion_x", high=WRONG), Bound("motion_y", same=0.01)),
        backwards(Bound("motion", high=WRONG)),
    ),
    floors=(Bound("motion_all", low=RIGHT),),
    vae_floors=(Bound("motion_all", low=VAE_RIGHT),),
)
RELATION = Suite(
    name="relation",
    title="Left and right, bound to identity",
    definition=(
        "Of the prompts that say that one thing is left or right of another, the share where it is: the mean of the "
        "signed distance of their middles over the frames of the clip's first half that show both, each bound to its "
        "name. A clip that does not show both is wrong in the first row and left out in the second. Signed as in "
        "T2V-CompBench (Sun et al., arXiv:2407.14505)."
    ),
    source=PAIRS,
    measure=measure_relation,
    scores=(
        Score("relation", "right, a miss is wrong", miss=False, name="relation_all"),
        Score("relation", "right, where both are found", chance=0.5),
    ),
    controls=(mirror(Bound("relation", high=WRONG)),),
    floors=(Bound("relation_all", low=RIGHT),),
    vae_floors=(Bound("relation_all", low=VAE_RIGHT),),
)
UNSIGNED = Suite(
    name="vbench-relation",
    title="VBench's spatial relationship, which has no sign",
    definition=(
        "The formula of VBench's spatial relationship dimension (Huang et al., CVPR 2024, arXiv:2311.17982; as "
        "published in its vbench/spatial_relationship.py) on our detector's boxes: a frame scores 1 when the middles "
        "of two boxes, each of either name, are further apart across than down, times 0.1 / IoU where their "
        "intersection over union is 0.1 or more; a clip scores the mean of its frames. It takes no notice of which one "
        "is on the left. It stands here to show that a mirrored clip scores the same, while the signed score, below it "
        "and on the same boxes, collapses."
    ),
    source=PAIRS,
    measure=measure_unsigned,
    scores=(
        Score("unsigned", "VBench's unsigned score"),
        Score("relation", "ours, signed and bound to identity", miss=False),
    ),
    controls=(mirror(Bound("unsigned", same=0.01), Bound("relation", high=WRONG)),),
)
SUITES = (IDENTITY, MOTION, RELATION, UNSIGNED)
