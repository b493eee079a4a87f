# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Every change of a folder's files is found, and told in a few words."""

import os

import jax.numpy as jnp
import pytest
from etils import epath

from vidgen.weights import digests
from vidgen.weights.checkpoint import Checkpoints


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "state" / "d").mkdir(parents=True)
    (tmp_path / "state" / "d" / "large").write_bytes(bytes(range(256)) * 100)
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "empty").touch()
    folder = epath.Path(tmp_path)
    assert not digests.has_digests(folder)
    digests.write_digests(folder)
    assert digests.has_digests(folder)
    return folder


def flip(file, place):
    content = bytearray(file.read_bytes())
    content[place] ^= 1
    file.write_bytes(bytes(content))


def test_a_whole_folder_is_sound_and_later_files_do_not_matter(folder):
    (folder / "commit_success.txt").write_text("")
    assert digests.damage(folder) == ""


@pytest.mark.parametrize("place", [0, 12_345, -1])
def test_one_flipped_bit_is_found(folder, place):
    flip(folder / "state" / "d" / "large", place)
    assert digests.damage(folder) == "state/d/large was changed"


def test_a_file_that_is_cut_grown_or_gone_is_found(folder):
    os.truncate(folder / "state" / "d" / "large", 1000)
    assert digests.damage(folder) == "state/d/large has 1000 bytes, not 25600"
    (folder / "state" / "d" / "large").unlink()
    assert digests.damage(folder) == "state/d/large is missing"
    (folder / "empty").write_text("x")
    assert digests.damage(folder) in ("state/d/large is missing", "empty has 1 bytes, not 0")


def test_the_digests_themselves_are_covered(folder):
    whole = (folder / digests.NAME).read_bytes()
    for place in range(0, len(whole), 37):
        flip(folder / digests.NAME, place)
        assert digests.NAME in digests.damage(folder), place
        (folder / digests.NAME).write_bytes(whole)
    os.truncate(folder / digests.NAME, len(whole) // 2)
    assert digests.damage(folder) == f"{digests.NAME} was changed"


def test_a_checkpoint_has_digests_of_all_that_is_read(tmp_path):
    like = {"w": jnp.arange(5.0)}
    with Checkpoints(tmp_path) as checkpoints:
        for step in (1, 2):
            checkpoints.save(step, like, {"position": step}, "{}")
    listed = (tmp_path / "2" / digests.NAME).read_text()
    files = {str(p.relative_to(tmp_path / "2")) for p in (tmp_path / "2").rglob("*") if p.is_file()}
    assert {name for name in files if f'"{name}"' not in listed} == {digests.NAME, *digests._LATE}
    (tmp_path / "2" / digests.NAME).unlink()
    with (
        Checkpoints(tmp_path) as checkpoints,
        pytest.warns(RuntimeWarning, match=r"step 2 .*\(digests.json is missing"),
    ):
        assert checkpoints.restore(like=like)[2] == 1
    with Checkpoints(tmp_path) as checkpoints, pytest.raises(RuntimeError, match=r"step 2 .* cannot be read"):
        checkpoints.restore(2, like=like)
    (tmp_path / "1" / digests.NAME).unlink()
    with Checkpoints(tmp_path) as checkpoints:  # a directory from before there were digests
        assert checkpoints.restore(like=like)[2] == 2
