# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The art: a few hundred concepts that can be told apart at 24 to 40 pixels, and one atlas image with a cell for each.

`concepts.tsv` is the source of truth for names; `atlas.webp` is made from it by `python -m vidgen.worlds.build_atlas`.
"""

import functools
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

CELL = 96
"""Pixels a side of one atlas cell."""
CONTENT = 92
"""Pixels of the longer side of the object's alpha box inside its cell, which leaves an empty margin around it."""
COLUMNS = 18
"""Cells in a row of the atlas image."""

_HERE = Path(__file__).parent
ATLAS_FILE = _HERE / "atlas.webp"
CONCEPTS_FILE = _HERE / "concepts.tsv"


@dataclass(frozen=True)
class Concept:
    """One thing that a scene can show.

    name: what a person would type. synonyms: other words for it. category: which verbs suit it (see `captions`).
    code: the emoji's code points in hexadecimal, joined by "-"; the file name in the art package.
    facing: "left" or "right" where the art looks to one side, "" where it does not.
    easy: belongs to FIRST_LIGHT.
    """

    name: str
    synonyms: tuple[str, ...]
    category: str
    code: str
    facing: str = ""
    easy: bool = False


@dataclass(frozen=True, eq=False)
class Atlas:
    """Concepts and their pictures. images_NHWC: uint8 [n, 96, 96, 4], straight (not premultiplied) alpha, centred."""

    concepts: tuple[Concept, ...]
    images_NHWC: np.ndarray
    _rows: dict[str, int] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        self._rows.update({concept.name: row for row, concept in enumerate(self.concepts)})

    def index(self, name: str) -> int:
        """The row of `name`. Raises ValueError for a name that the atlas does not have (synonyms are not names)."""
        try:
            return self._rows[name]
        except KeyError:
            raise ValueError(
                f"no concept is called {name!r}; names are listed in {CONCEPTS_FILE.name}, for example "
                f"{', '.join(concept.name for concept in self.concepts[:5])}"
            ) from None

    def __getitem__(self, name: str) -> Concept:
        return self.concepts[self.index(name)]


def read_concepts(path: Path = CONCEPTS_FILE) -> tuple[Concept, ...]:
    """Concepts in atlas order from a tab-separated file with a header line; lines that begin with # are comments.

    Raises ValueError for a malformed line and for a name or synonym that occurs twice.
    """
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
    concepts: list[Concept] = []
    seen: dict[str, str] = {}
    for line in lines[1:]:
        cells = line.split("\t")
        if len(cells) != 6:
            raise ValueError(f"{path}: {line!r} has {len(cells)} columns, 6 are needed: {lines[0]!r}")
        name, synonyms, category, facing, easy, code = (cell.strip() for cell in cells)
        words = tuple(word.strip() for word in synonyms.split(",") if word.strip())
        for word in (name, *words):
            if word.lower() in seen:
                raise ValueError(f"{path}: {word!r} stands for {seen[word.lower()]!r} and for {name!r}; keep one")
            seen[word.lower()] = name
        concepts.append(Concept(name, words, category, code, facing, easy == "1"))
    return tuple(concepts)


@functools.cache
def load_atlas() -> Atlas:
    """The atlas that ships with the package; read once a process (12 MB). Treat the array as read-only."""
    concepts = read_concepts()
    sheet = cv2.imdecode(np.frombuffer(ATLAS_FILE.read_bytes(), np.uint8), cv2.IMREAD_UNCHANGED)
    rows = -(-len(concepts) // COLUMNS)
    if sheet is None or sheet.shape != (rows * CELL, COLUMNS * CELL, 4):
        raise ValueError(
            f"{ATLAS_FILE} does not hold the {len(concepts)} concepts of {CONCEPTS_FILE.name} "
            f"({COLUMNS} cells of {CELL} px a row, RGBA); rebuild it with: python -m vidgen.worlds.build_atlas"
        )
    cells = cv2.cvtColor(sheet, cv2.COLOR_BGRA2RGBA).reshape(rows, CELL, COLUMNS, CELL, 4).swapaxes(1, 2)
    images = np.ascontiguousarray(cells.reshape(-1, CELL, CELL, 4)[: len(concepts)])
    images.flags.writeable = False
    return Atlas(concepts, images)


FIRST_LIGHT: tuple[str, ...] = tuple(concept.name for concept in read_concepts() if concept.easy)
"""The 112 names that are easiest to tell apart in colour and silhouette: what the first shipped model is trained on."""


@functools.cache
def mean_colors() -> np.ndarray:
    """Each concept's mean RGB over its visible pixels, float32 [n, 3] in [0, 255]."""
    images = load_atlas().images_NHWC.reshape(-1, CELL * CELL, 4)
    # One concept at a time: the whole atlas in float32 would be 48 MB.
    return np.stack([np.average(one[:, :3], axis=0, weights=one[:, 3]) for one in images]).astype(np.float32)
