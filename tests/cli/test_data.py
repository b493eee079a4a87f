# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""`vidgen data` lists, builds and draws data sets, and refuses bad input in one line."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vidgen.cli import main as cli
from vidgen.data.video import write_mp4

TINY = str(Path(__file__).parents[1] / "train" / "tiny_dit.py")
TINY_VAE = str(Path(__file__).parents[1] / "train" / "tiny.py")


@pytest.fixture
def videos(tmp_path):
    """A folder of two short videos with captions and one broken file."""
    folder = tmp_path / "videos"
    folder.mkdir()
    for index in range(2):
        frames = np.full((9, 32, 48, 3), 60 + 90 * index, np.uint8)
        write_mp4(folder / f"clip{index}.mp4", frames, fps=8)
        (folder / f"clip{index}.txt").write_text(f"grey number {index}\n")
    (folder / "broken.mp4").write_bytes(b"not a video")
    (folder / "broken.txt").write_text("nothing\n")
    return folder


def test_list_names_what_build_takes(capsys):
    assert cli.main(["data", "list"]) == 0
    names = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    assert {"worlds", "folder"} <= set(names)
    for name in names:
        assert cli.main(["data", "build", name, "--help"]) == 0
        assert f"usage: vidgen data build {name}" in capsys.readouterr().out


def test_a_plan_says_what_batches_hold(capsys):
    """Pictures of 4 tokens and clips of 32: 8 of each in turn, or as many tokens of each in rows of 64."""
    assert cli.main(["data", "plan", TINY]) == 0
    alone = capsys.readouterr().out
    assert "4.00" in alone and "88.9 %" in alone and "100.0 % filled" in alone
    assert cli.main(["data", "plan", TINY, "--packing.rows", "2", "--packing.tokens", "64"]) == 0
    assert "2 rows of 64 tokens, at most 16 clips in each and 512 tokens of captions" in capsys.readouterr().out


def test_build_and_look_at_a_folder_of_videos(videos, tmp_path, capsys):
    built, sheet = tmp_path / "built", tmp_path / "sheet.png"
    options = ["--width", "32", "--height", "32", "--frames", "5"]
    assert cli.main(["data", "build", "folder", "--out", str(built), "--folder", str(videos), *options]) == 0
    out, err = capsys.readouterr()
    assert out.startswith(f"{built}: ")
    assert "2" in out
    assert err.startswith("left out ") and "broken.mp4" in err and err.count("\n") == 1
    assert cli.main(["data", "look", str(built), "--out", str(sheet), "--clips", "2"]) == 0
    assert capsys.readouterr().out == f"{sheet}\n"
    with Image.open(sheet) as picture:
        assert picture.width > 100 and picture.height > 200


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["buidl"], "Unknown command 'data buidl': did you mean build?"),
        (["list", "x"], "takes no arguments"),
        (["build"], "NAME"),
        (["plan", "--packing.rows", "2"], "The experiment file comes first"),
        (["plan", TINY_VAE], "a plan is for experiments of DiTTraining"),
        (["plan", TINY, "--packing.rows", "2", "--packing.tokens", "31"], "clips has 32 tokens and a row has 31"),
        (["plan", TINY, "--data.0.weight", "1e-4"], "images is starved"),
        (["build", "movies", "--out", "OUT"], "no data set 'movies'"),
        (["build", "worlds"], "--out"),
        (["build", "--out", "OUT", "worlds"], "The data set comes first"),
        (["build", "folder", "--out", "OUT"], "--folder"),
        (["build", "folder", "--out", "OUT", "--folder", "absent"], "vidgen: absent is not a folder"),
        (["build", "folder", "--out", "OUT", "--folder", "EMPTY"], "EMPTY"),
        (["build", "folder", "--out", "EMPTY", "--folder", "VIDEOS"], "exist"),
        (["build", "folder", "--out", "OUT", "--folder", "VIDEOS", "--widht", "3"], "did you mean --width?"),
        (["build", "folder", "--out", "OUT", "--folder", "VIDEOS", "--width", "0"], "width"),
        (["look", "absent"], "absent"),
        (["look", "EMPTY", "--out", "a.gif"], "--out must end in .png"),
        (["look", "EMPTY", "--clips", "0"], "--clips must be at least 1"),
        (["look", "EMPTY", "--out", "absent/a.png"], "no folder 'absent'"),
        (["look", "EMPTY"], "EMPTY"),
    ],
)
def test_bad_input_is_one_line_and_status_2(videos, tmp_path, monkeypatch, arguments, message, refused):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "EMPTY").mkdir()
    argv = [{"VIDEOS": str(videos)}.get(argument, argument) for argument in arguments]
    assert message in refused(["data", *argv])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["EMPTY", "videos"]
