# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The 3-D worlds as a data set: what is stored is what is rendered, with its truth, and splits do not leak."""

import numpy as np
import pytest

from vidgen.data.builders import solids
from vidgen.data.builders.solids import SolidsOptions
from vidgen.data.catalog import build, open_dataset
from vidgen.worlds.solids.captions import read_solid_caption, solid_claims
from vidgen.worlds.solids.draw import held_out
from vidgen.worlds.solids.render import missing, render_solids
from vidgen.worlds.solids.scene import solids_from_dict


@pytest.mark.skipif(bool(missing()), reason=missing())
def test_solids_are_stored_without_loss_and_with_their_truth(tmp_path):
    report = build("solids", tmp_path / "out", width=32, height=24, frames=3, train=4, heldout=2, seed=4)
    assert report.splits == {"train": 4, "heldout": 2}
    for split in report.splits:
        built = open_dataset(tmp_path / "out", split)
        for index in range(len(built)):
            origin, item = built.origin(index), built[index]
            scene = solids_from_dict(origin["scene"])
            assert np.array_equal(render_solids(scene), item["video"])
            assert any(held_out(solid) for solid in scene.solids) == (split == "heldout")
            assert all(read_solid_caption(caption) <= solid_claims(scene) for caption in item["captions"])
            assert np.shape(origin["truth"]["boxes_FN4"]) == (3, len(scene.solids), 4)
            assert np.shape(origin["truth"]["run"]["positions_FN3"]) == (3, len(scene.solids), 3)
            assert ["red", "cylinder"] in origin["held_out"]


def test_what_is_missing_is_said_before_anything_is_made(tmp_path, monkeypatch):
    def fail():
        raise ModuleNotFoundError("3-D worlds need the package mujoco")

    monkeypatch.setattr(solids, "load_mujoco", fail)
    with pytest.raises(ModuleNotFoundError, match="mujoco"):
        build("solids", tmp_path / "out", width=32, height=32, frames=3, train=1, heldout=0)
    assert not (tmp_path / "out").exists()


def test_options_are_checked():
    with pytest.raises(ValueError, match="one clip at least"):
        SolidsOptions(train=0, heldout=0)
    with pytest.raises(ValueError, match="must be positive"):
        SolidsOptions(width=0)
