# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""One forbidden frame in a long clip, at every position: is it found wherever it is, and nothing else?

python experiments/trust/planted.py --classifier runs/forbidden/model/classifier.safetensors

The clip is of the worlds without the forbidden concept, the frame one with it; each is a render that the classifier was
not trained on. A position is a line of --out, so the same command goes on where it was stopped. Measured figures are in
docs/trust.md.
"""

import dataclasses
import json
from pathlib import Path

import numpy as np
import tyro

from vidgen.data.labelled_frames import LabelledFrames
from vidgen.eval.redteam import forbidding
from vidgen.safety.frames import review_frames
from vidgen.sample.release import read_classifiers
from vidgen.worlds.render import render
from vidgen.worlds.scene import FIRST_LIGHT_ON_GRID


@dataclasses.dataclass(frozen=True)
class Options:
    """What to plant, and where."""

    classifier: Path
    """A file of `vidgen train experiments/trust/forbidden.py`."""
    concept: str = "bomb"
    """What it finds."""
    frames: int = 481
    """Of the clip."""
    out: Path = Path("runs/planted.jsonl")
    """A line a position: whether the frame was found there, and nothing else beside."""


def main(options: Options) -> None:
    """Prints at how many positions the frame is found, and what else is."""
    policy = forbidding(options.concept, options.classifier)
    classifiers = read_classifiers(policy)
    concepts = tuple(name for name in FIRST_LIGHT_ON_GRID.concepts or () if name != options.concept)
    clean = dataclasses.replace(FIRST_LIGHT_ON_GRID, concepts=concepts, split="all")
    clips = [render(clean.draw(2**40 + seed)) for seed in range(-(-options.frames // clean.frames))]
    clip = np.concatenate(clips)[: options.frames]
    one = dataclasses.replace(FIRST_LIGHT_ON_GRID, objects=(1, 1), object_weights=None, split="all")
    source = LabelledFrames(one, (options.concept,), 10**4, 2**30, share=1.0, degrade=0.0)
    numbers = range(len(source))
    planted = next(item["frame_HWC"] for item in map(source.__getitem__, numbers) if item["shown_O"][0] == 1)
    alone = review_frames(clip, policy, classifiers).findings
    others = set(alone[0].frames) if alone else set()
    print(f"the clip without it: {len(others)} of {len(clip)} frames are found")
    options.out.parent.mkdir(parents=True, exist_ok=True)
    lines = options.out.read_text().splitlines() if options.out.exists() else []
    found = {row["position"]: row["found"] for row in map(json.loads, lines)}
    with options.out.open("a") as log:
        for position in range(len(clip)):
            if position in found:
                continue
            changed = clip.copy()
            changed[position] = planted
            findings = review_frames(changed, policy, classifiers).findings
            at = set(findings[0].frames) if findings else set()
            found[position] = position in at and at - {position} == others - {position}
            log.write(json.dumps({"position": position, "found": found[position]}) + "\n")
            log.flush()
    right = sum(found[position] for position in range(len(clip)))
    print(f"planted: found, and nothing else beside, at {right} of {len(clip)} positions")
    raise SystemExit(0 if right == len(clip) else 1)


if __name__ == "__main__":
    main(tyro.cli(Options))
