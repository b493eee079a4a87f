# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The verbs that start from videos and pictures: they read what is given, fit it with a note, and write new files."""

import contextlib
import io
import json

import numpy as np
import pytest
from PIL import Image

from vidgen.cli import main as cli
from vidgen.data.video import read_video, write_mp4
from vidgen.sample import compose, pipeline

CARD = {
    "name": "tiny", "parameters": {"vae": 10}, "trained_on": "squares", "scores": {}, "limits": [],
    "concepts": [{"name": "dog"}], "size": [64, 64], "size_multiple": 16, "least_side": 32, "most_side": 128,
    "max_frames": 17, "fps": 8, "tasks": ["ends", "box"],
}  # fmt: skip
SAMPLING = {
    "steps": None,
    "guidance": None,
    "negative": "",
    "seed": 0,
}


@pytest.fixture
def calls(monkeypatch, tmp_path):
    """What was asked of `vidgen.sample.compose`; a working folder with videos and a picture in it."""
    asked = []
    monkeypatch.setattr(pipeline, "load_card", lambda name="default", in_int8=False: CARD)
    monkeypatch.setattr(pipeline, "load_pipeline", lambda name="default", in_int8=False: "the model")
    for name in ("animate", "extend", "connect", "loop", "edit", "inpaint", "storyboard"):

        def fake(*arguments, name=name, **options):
            asked.append((name, arguments, options))
            return np.full((5, 64, 64, 3), 99, np.uint8)

        monkeypatch.setattr(compose, name, fake)
    monkeypatch.chdir(tmp_path)
    grey = np.full((21, 64, 64, 3), 60, np.uint8)
    write_mp4("a.mp4", grey, 8)
    write_mp4("large.mp4", np.full((30, 90, 160, 3), 200, np.uint8), 24)
    Image.new("RGB", (100, 50), (255, 0, 0)).save("red.png")
    (tmp_path / "broken.mp4").write_bytes(b"no video")
    return asked


def test_a_video_goes_on(calls, capsys) -> None:
    assert cli.main(["extend", "a.mp4", " a dog ", "--seconds", "1.5", "--out", "b.mp4", "--before"]) == 0
    assert capsys.readouterr() == ("b.mp4\n", "")
    [(name, (model, video, prompt, frames, window, before), options)] = calls
    assert (name, model, prompt, frames, window, before) == ("extend", "the model", "a dog", 12, 17, True)
    assert video.shape == (21, 64, 64, 3) and options == SAMPLING
    assert read_video("b.mp4").shape == (5, 64, 64, 3)


def test_what_is_of_another_size_and_rate_is_fitted_with_a_note(calls, capsys) -> None:
    assert cli.main(["extend", "large.mp4", "a dog", "--size", "96x64", "--out", "b.gif", "--json"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["frames"] == 5
    assert err == "note: large.mp4 is 160x90 at 24 frames a second; it was fitted to 96x64 at 8.\n"
    assert calls[0][1][1].shape == (10, 64, 96, 3)


def test_two_videos_are_joined_and_one_leads_back(calls) -> None:
    assert cli.main(["connect", "a.mp4", "large.mp4", "a dog", "--seconds", "0.5", "--out", "b.mp4"]) == 0
    assert cli.main(["loop", "a.mp4", "a dog", "--seconds", "0.1", "--out", "c.mp4"]) == 0
    (_, (_, first, second, *connected), _), (_, (_, video, *looped), _) = calls
    assert (len(first), len(second), len(video)) == (21, 10, 21)
    assert connected == ["a dog", 4, 17] and looped == ["a dog", 4, 17]


def test_what_fits_no_clip_of_the_models_own_length_is_made_in_a_longer_one(calls, monkeypatch) -> None:
    """Up to the longest that it takes; what goes on goes on in clips as the model knows them."""
    monkeypatch.setattr(pipeline, "load_card", lambda name="default", in_int8=False: {**CARD, "frames": 9})
    for seconds in ("0.5", "1.5", "3"):
        assert cli.main(["loop", "a.mp4", "a dog", "--seconds", seconds, "--out", "b.mp4"]) == 0
    assert cli.main(["extend", "a.mp4", "a dog", "--seconds", "3", "--out", "b.mp4"]) == 0
    assert [arguments[3:5] for _, arguments, _ in calls] == [(4, 13), (12, 17), (24, 17), (24, 9)]
    assert cli.main(["storyboard", "0: a dog", "--out", "b.mp4"]) == 0
    assert calls[-1][2]["frames"] == 9


def test_a_video_is_edited(calls, capsys) -> None:
    assert cli.main(["edit", "a.mp4", "a dog", "--strength", "0.5", "--steps", "3", "--out", "b.mp4"]) == 0
    [(name, (_, video, prompt, strength), options)] = calls
    assert (name, prompt, strength) == ("edit", "a dog", 0.5) and options == {**SAMPLING, "steps": 3}
    assert len(video) == 17 and capsys.readouterr().err.endswith("the first 17 are taken.\n")


@pytest.mark.parametrize(
    ("options", "marked"),
    [
        ([], np.s_[:, :, :]),
        (["--box", "0.5,0,.5,1"], np.s_[:, :, 32:]),
        (["--box", "0,0.25,1,0.5", "--start", "0.5", "--end", "1"], np.s_[4:8, 16:48, :]),
    ],
)
@pytest.mark.parametrize("keep", [False, True])
def test_what_is_marked_is_painted_over(calls, options, marked, keep) -> None:
    expected = np.zeros((17, 64, 64), bool)
    expected[marked] = True
    argv = ["inpaint", "a.mp4", "a dog", *options, "--out", "b.mp4", *(["--keep"] if keep else [])]
    if keep and expected.all():
        assert "Nothing is to be made again" in refused_lines(argv)[-1]
        return
    assert cli.main(argv) == 0
    np.testing.assert_array_equal(calls[0][1][2], expected != keep)


def refused_lines(argv) -> list[str]:
    with contextlib.redirect_stderr(io.StringIO()) as err:
        assert cli.main(argv) == 2
    return err.getvalue().splitlines()


def test_pictures_begin_and_end_a_video(calls, capsys) -> None:
    argv = [
        "generate",
        "a dog",
        "--first-image",
        "red.png",
        "--last-image",
        "red.png",
        "--count",
        "2",
        "--seconds",
        "1",
    ]
    assert cli.main([*argv, "--out", "b.mp4"]) == 0
    assert capsys.readouterr().err.count("red.png is 100x50; it was fitted to 64x64") == 2
    first, second = calls
    assert first[1][:3] == ("the model", "a dog", 9) and [call[2]["seed"] for call in (first, second)] == [0, 1]
    for picture in first[1][3:]:
        assert picture.shape == (64, 64, 3) and (picture == [255, 0, 0]).all()
    assert cli.main(["generate", "a dog", "--last-image", "red.png", "--out", "c.mp4"]) == 0
    assert calls[-1][1][3] is None


def test_a_storyboard_has_its_prompts_at_their_times(calls, capsys) -> None:
    argv = ["storyboard", "0: a dog in a meadow", " 1.25s : a dog: it sleeps ", "--seconds", "1.5", "--size", "96x64"]
    assert cli.main([*argv, "--out", "b.mp4"]) == 0
    out, note = capsys.readouterr()
    assert out == "b.mp4\n" and "tiny was not trained on several prompts in one video" in note
    [(name, (model, shots), options)] = calls
    assert (name, model, shots) == ("storyboard", "the model", [(0, "a dog in a meadow"), (10, "a dog: it sleeps")])
    assert options == {"frames": 13, "width": 96, "height": 64, **SAMPLING}


def test_a_model_that_was_not_trained_for_it_says_so(calls, capsys, monkeypatch) -> None:
    monkeypatch.setattr(pipeline, "load_card", lambda name="default", in_int8=False: {**CARD, "tasks": []})
    for argv in (["extend", "a.mp4", "a dog"], ["inpaint", "a.mp4", "a dog"], ["loop", "a.mp4", "a dog"]):
        assert cli.main([*argv, "--out", "b.mp4"]) == 0
        assert "tiny was not trained to" in capsys.readouterr().err
    assert cli.main(["edit", "a.mp4", "a dog", "--out", "b.mp4"]) == 0
    assert "not trained" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["extend", "a.mp4", ""], "The prompt is empty"),
        (["extend", "nowhere.mp4", "a dog"], "nowhere.mp4: cannot be read"),
        (["extend", "broken.mp4", "a dog"], "broken.mp4: cannot be read"),
        (["extend", "a.mp4", "a dog", "--seconds", "0"], "--seconds must be more than 0, got 0"),
        (["extend", "a.mp4", "a dog", "--size", "60x64"], "width 60 is not one"),
        (["extend", "a.mp4", "a dog", "--out", "a.mp4"], "'a.mp4' is what is read, and would be written over"),
        (["connect", "large.mp4", "a.mp4", "a dog", "--out", "a.mp4"], "would be written over"),
        (["connect", "a.mp4", "a dog"], "PROMPT"),
        (["edit", "a.mp4", "a dog", "--strength", "0"], "--strength must be above 0 and at most 1"),
        (["edit", "a.mp4", "a dog", "--strength", "nan"], "--strength must be above 0"),
        (["inpaint", "a.mp4", "a dog", "--box", "0,0,1"], "--box must be left, top, width and height"),
        (["inpaint", "a.mp4", "a dog", "--box", "0,0,2,1"], "--box must be"),
        (["inpaint", "a.mp4", "a dog", "--box", "0,0,0,1"], "--box must be"),
        (["inpaint", "a.mp4", "a dog", "--start", "2", "--end", "1"], "--start must be 0 or more and before --end"),
        (["inpaint", "a.mp4", "a dog", "--start", "9"], "Nothing is to be made again: the video has 2.125 seconds"),
        (["generate", "a dog", "--first-image", "no.png"], "There is no picture 'no.png'"),
        (["generate", "a dog", "--first-image", "broken.mp4"], "broken.mp4 is no picture that can be read"),
        (["loop", "a.mp4", "a dog", "--sceonds", "1"], "did you mean --seconds?"),
        (["storyboard"], "No prompt was given"),
        (["storyboard", "a dog"], "A shot is a time in seconds and a prompt"),
        (["storyboard", "0: "], "A shot is a time in seconds and a prompt"),
        (["storyboard", "1: a dog"], "Shots must begin at 0 and come in the order of time, got 1."),
        (["storyboard", "0: a dog", "1: a cat", "1: a dog"], "Shots must begin at 0 and come in the order of time"),
        (["storyboard", "0: a dog", "2: a cat"], "The shot at 2 seconds lies outside of a video of 2."),
        (["storyboard", "0: a dog", "--seconds", "9"], "makes videos of up to 2 seconds"),
    ],
)  # fmt: skip
def test_bad_input_is_refused_before_the_model_is_read(calls, argv, message) -> None:
    lines = refused_lines(argv if "--out" in argv else [*argv, "--out", "b.mp4"])
    assert message in lines[-1] and lines[-1].startswith("vidgen: "), lines
    assert calls == []


@pytest.mark.parametrize("verb", ["extend", "connect", "loop", "edit", "inpaint", "storyboard"])
def test_help_pages_end_with_an_example(capsys, verb) -> None:
    assert cli.main([verb, "--help"]) == 0
    assert capsys.readouterr().out.rstrip().splitlines()[-1].startswith(f"  vidgen {verb} ")
