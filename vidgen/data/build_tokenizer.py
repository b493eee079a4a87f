# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Rebuilds the tokenizer that ships: `python -m vidgen.data.build_tokenizer [FILE]`.

It is trained on captions of worlds with all concepts, and on each concept's name and synonyms by themselves, so that
a name is few pieces however seldom it is drawn. Captions alone have too few words to fill the vocabulary; the rest is
filled from the Unicode names of pictographs ("sunrise over mountains"), plain English words for things that can be
seen, which never change. The same texts give the same file, byte for byte.
"""

import sys
import unicodedata
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

from vidgen.data.tokenizer import Tokenizer, canonical, train_tokenizer
from vidgen.worlds.captions import caption
from vidgen.worlds.scene import SceneConfig, draw_scene
from vidgen.worlds.sprites import load_atlas

SCENES = 6_000
CAPTIONS_PER_SCENE = 2
IMAGE_EVERY = 4  # images are captioned in other words
NAME_REPEATS = 20
PICTOGRAPH_REPEATS = 4
# Blocks without a gap since Unicode 14, which Python 3.11 knows: so every Python gives the same names.
PICTOGRAPHS = (
    range(0x2600, 0x27C0),  # signs
    range(0x1F300, 0x1F650),  # weather, plants, food, animals, people, faces
    range(0x1F680, 0x1F6D3),  # vehicles
    range(0x1F90C, 0x1FA00),  # more of all these
)


def training_texts() -> Iterator[str]:
    """The texts, always in the same order."""
    for concept in load_atlas().concepts:
        for name in (concept.name, *concept.synonyms):
            yield from [canonical(f"a {name}")] * NAME_REPEATS
    for code in (code for block in PICTOGRAPHS for code in block):
        yield from [canonical(unicodedata.name(chr(code)))] * PICTOGRAPH_REPEATS
    for seed in range(SCENES):
        frames = 1 if seed % IMAGE_EVERY == 0 else 17
        scene = draw_scene(SceneConfig(frames=frames, split="all"), seed)
        yield from (canonical(caption(scene, phrasing)) for phrasing in range(CAPTIONS_PER_SCENE))


def main(argv: list[str]) -> None:
    """Trains, writes, and reports."""
    path = Path(argv[0]) if argv else Path(str(resources.files("vidgen"))) / "assets" / "tokenizer.model"
    model = train_tokenizer(training_texts())
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(model)
    tokenizer = Tokenizer(model)
    lengths = [len(tokenizer.encode(canonical(concept.name))) for concept in load_atlas().concepts]
    print(f"{path}: {tokenizer.vocab_size} entries, {len(model)} bytes")  # noqa: T201 (a command's output)
    print(f"pieces a concept name: {sum(lengths) / len(lengths):.2f} on average, {max(lengths)} at most")  # noqa: T201


if __name__ == "__main__":
    main(sys.argv[1:])
