# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The atlas: enough concepts, one meaning a word, small, and as its builder makes it."""

import numpy as np
import pytest
from PIL import Image

from vidgen.worlds.build_atlas import fit_cell
from vidgen.worlds.sprites import ATLAS_FILE, CELL, CONTENT, FIRST_LIGHT, load_atlas, mean_colors, read_concepts

REQUIRED = {"astronaut", "earth", "moon", "rocket", "ringed planet", "alien", "comet", "dog", "cat"}


def test_there_are_enough_concepts_and_no_word_means_two() -> None:
    concepts = load_atlas().concepts
    words = [word.lower() for concept in concepts for word in (concept.name, *concept.synonyms)]
    assert len(concepts) >= 256
    assert len(words) == len(set(words))
    assert len({concept.code for concept in concepts}) == len(concepts)


def test_first_light_holds_what_it_must() -> None:
    names = {concept.name for concept in load_atlas().concepts}
    assert set(FIRST_LIGHT) <= names and set(FIRST_LIGHT) >= REQUIRED
    assert len(FIRST_LIGHT) == 112


def test_the_atlas_is_small_and_its_licence_is_beside_it() -> None:
    assert ATLAS_FILE.stat().st_size <= 3_000_000
    assert "MIT License" in (ATLAS_FILE.parent / "ATLAS_LICENSE.txt").read_text()


def test_every_cell_is_filled_and_centred() -> None:
    solid = load_atlas().images_NHWC[..., 3] > 16
    assert solid.shape[1:] == (CELL, CELL)
    for cell in solid:
        rows, columns = np.flatnonzero(cell.any(axis=1)), np.flatnonzero(cell.any(axis=0))
        extents = (rows[-1] - rows[0] + 1, columns[-1] - columns[0] + 1)
        assert CONTENT - 3 <= max(extents) <= CONTENT
        for line in (rows, columns):
            assert abs(line[0] + line[-1] - (CELL - 1)) <= 3


def test_no_two_concepts_of_first_light_look_the_same() -> None:
    atlas = load_atlas()
    small = np.stack(
        [
            np.asarray(Image.fromarray(atlas.images_NHWC[atlas.index(name)]).resize((24, 24)), np.float32)
            for name in FIRST_LIGHT
        ]
    )
    seen = 128 + (small[..., :3] - 128) * small[..., 3:] / 255
    distance = np.sqrt(((seen[:, None] - seen[None]) ** 2).mean(axis=(2, 3, 4)))
    assert (distance + 1e3 * np.eye(len(seen))).min() > 20


def test_index_finds_names_and_says_what_is_missing() -> None:
    atlas = load_atlas()
    assert all(atlas.index(concept.name) == row for row, concept in enumerate(atlas.concepts))
    with pytest.raises(ValueError, match="unheard of"):
        atlas.index("unheard of")


def test_a_word_with_two_meanings_is_refused(tmp_path) -> None:
    table = tmp_path / "concepts.tsv"
    table.write_text(
        "name\tsynonyms\tcategory\tfacing\tfirst\tcode\ndog\thound\tanimal\t\t\t1\nwolf\tHound\tanimal\t\t\t2\n"
    )
    with pytest.raises(ValueError, match=r"Hound.*dog.*wolf"):
        read_concepts(table)


def test_a_picture_is_cropped_scaled_and_centred() -> None:
    picture = Image.new("RGBA", (256, 256))
    picture.paste((255, 0, 0, 255), (10, 200, 110, 250))
    box = fit_cell(picture).getchannel("A").point([255 * (a > 127) for a in range(256)]).getbbox()
    assert box == ((CELL - CONTENT) // 2, (CELL - CONTENT // 2) // 2, (CELL + CONTENT) // 2, (CELL + CONTENT // 2) // 2)


def test_mean_colours_are_of_visible_pixels() -> None:
    atlas = load_atlas()
    red, green, blue = mean_colors()[atlas.index("heart")]
    assert red > 200 and red > green + 80 and red > blue + 80
