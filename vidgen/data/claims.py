# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Captions with what they claim, as arrays: what a text encoder learns to read."""

import dataclasses
from collections.abc import Sequence
from typing import TypedDict

import grain
import numpy as np

from vidgen.data.pipeline import DrawsScenes, WorldSource, batched, endless
from vidgen.data.tokenizer import Tokenizer
from vidgen.worlds.captions import caption, read_caption
from vidgen.worlds.motion import CAMERAS, MOTIONS
from vidgen.worlds.places import PLACES
from vidgen.worlds.story import CAUSES

ATTRIBUTES: tuple[tuple[str, str], ...] = (
    *(("motion", kind) for kind in MOTIONS),
    *(("relation", side) for side in ("left", "right", "above", "below")),
    *(("position", side) for side in ("left", "right", "top", "bottom", "centre")),
    *(("where", half) for half in ("sky", "ground")),
    *(("number", str(number)) for number in range(1, 7)),
    *((kind, side) for kind in ("enter", "leave") for side in ("", "left", "right", "up", "down")),
    *((kind, "") for kind in ("land", "takeoff", "hide", "hit", "open", "emerge")),
    *(("return", way) for way in ("", "back", "through")),
    *(("cause", kind) for kind in CAUSES),
    *(("depth", place) for place in ("front", "behind")),
    *(("size", than) for than in ("larger", "smaller")),
    *(("speed", rate) for rate in ("fast", "slow")),
    *(("pace", than) for than in ("faster", "slower")),
    *((f"{kind} of another", value) for kind, value in (("hide", ""), ("hit", ""), *(("cause", c) for c in CAUSES))),
    *(("order", place) for place in ("first", "later")),
)
"""(kind, value) of the claims about one thing that are read; see `vidgen.worlds.claims.Claim`. Where one thing does
something to another, the other has it too, "of another". order: what it does is told to come before something else, or
after."""
SETTINGS: tuple[tuple[str, str], ...] = (
    *(("place", name) for name in PLACES),
    *(("camera", kind) for kind in CAMERAS),
)
"""(kind, value) of the claims about a whole clip that are read."""
SUBJECTS = 4
"""Things of a caption whose attributes are read; the most that a scene shows."""


class ClaimItem(TypedDict):
    """A caption and what it says.

    text_S: int32 ids, padded. named_O: float32, 1 for each concept it names. settings_O: float32, 1 for each of
    SETTINGS it states. subject_N: int32 [SUBJECTS], concepts it names, -1 for none. attributes_NO: float32, 1 for each
    of ATTRIBUTES that it states of each subject.
    """

    text_S: np.ndarray
    named_O: np.ndarray
    settings_O: np.ndarray
    subject_N: np.ndarray
    attributes_NO: np.ndarray


def claim_arrays(text: str, concepts: Sequence[str]) -> dict[str, np.ndarray]:
    """What a caption says, as arrays of `ClaimItem` without the text.

    Raises:
        ValueError: it names a concept that is not in `concepts`, more than SUBJECTS of them, or cannot be read.
    """
    said = read_caption(text)
    names = sorted({claim.subject for claim in said if claim.kind == "object"})
    unknown = [name for name in names if name not in concepts]
    if unknown or len(names) > SUBJECTS:
        raise ValueError(f"the caption {text!r} names {names}; at most {SUBJECTS} of the given concepts are allowed")
    row = {name: i for i, name in enumerate(concepts)}
    subject_N = np.full(SUBJECTS, -1, np.int32)
    subject_N[: len(names)] = [row[name] for name in names]
    stated = {(claim.subject, claim.kind, claim.value) for claim in said}
    stated |= {(claim.other, f"{claim.kind} of another", claim.value) for claim in said}
    stated |= {(claim.subject, "order", "first") for claim in said if claim.kind == "before"}
    stated |= {(claim.other, "order", "later") for claim in said if claim.kind == "before"}
    # A gradient's claim holds its colours.
    settings = {(claim.kind, "gradient" if claim.value.startswith("gradient") else claim.value) for claim in said}
    attributes = [[(name, *attribute) in stated for attribute in ATTRIBUTES] for name in names]
    attributes += [[False] * len(ATTRIBUTES)] * (SUBJECTS - len(names))
    return {
        "named_O": np.isin(np.arange(len(concepts)), subject_N).astype(np.float32),
        "settings_O": np.array([setting in settings for setting in SETTINGS], np.float32),
        "subject_N": subject_N,
        "attributes_NO": np.array(attributes, np.float32),
    }


@dataclasses.dataclass(frozen=True)
class ClaimSource:
    """`size` captions of scenes drawn from `config`; item i depends on (config, seed, i) alone.

    concepts: all that the scenes can show. text_length: tokens of a caption; longer ones are not taken.
    """

    config: DrawsScenes
    concepts: tuple[str, ...]
    tokenizer: Tokenizer
    text_length: int
    size: int
    seed: int

    def __len__(self) -> int:
        return self.size

    def __getitem__(self, index: int) -> ClaimItem:
        scene = WorldSource(self.config, self.size, self.seed).scene(index)
        for phrasing in range(64):
            text = caption(scene, phrasing)
            row_S = self.tokenizer.batch([text], self.text_length + 1)[0]
            if row_S[-1] == self.tokenizer.pad_id:
                return ClaimItem(text_S=row_S[:-1], **claim_arrays(text, self.concepts))
        raise ValueError(f"no caption of scene {index} fits into {self.text_length} tokens; raise text_length")


def claim_batches(
    source: ClaimSource, batch_size: int, seed: int, rows: Sequence[int] | None = None
) -> grain.IterDataset:
    """Endless batches of `ClaimItem`s, the names with a leading B; otherwise as `video_batches`."""
    items = endless(source, seed)
    return batched(items.map(lambda item: {_with_batch(name): value for name, value in item.items()}), batch_size, rows)


def _with_batch(name: str) -> str:
    what, letters = name.split("_")
    return f"{what}_B{letters}"
