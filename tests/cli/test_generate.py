# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""`vidgen generate` writes the files it names, and refuses bad input in one line before any weight is read."""

import json
import types

import numpy as np
import pytest

from vidgen.cli import main as cli
from vidgen.sample import pipeline
from vidgen.sample.card import Card

CARD = {
    "name": "tiny",
    "parameters": {"vae": 10, "dit": 20},
    "trained_on": "squares",
    "scores": {"squares found": "61 %"},
    "limits": ["it knows squares only"],
    "concepts": [{"name": "astronaut", "synonyms": ["cosmonaut"]}, {"name": "ringed planet"}],
    "size": [64, 64],
    "size_multiple": 16,
    "least_side": 32,
    "most_side": 128,
    "max_frames": 17,
    "fps": 8,
}


class FakePipeline:
    """Gives grey clips, and remembers what it was asked for."""

    def __init__(self):
        self.calls = []

    def generate(self, prompts, **options):
        self.calls.append((list(prompts), options))
        shape = (len(prompts), options["frames"], options["height"], options["width"], 3)
        return np.full(shape, 128, np.uint8)


@pytest.fixture
def model(monkeypatch, tmp_path):
    """A fake model, and an empty working folder."""
    fake = FakePipeline()
    monkeypatch.setattr(pipeline, "load_card", lambda name="default", in_int8=False: CARD)
    monkeypatch.setattr(pipeline, "load_pipeline", lambda name="default", in_int8=False: fake)
    monkeypatch.chdir(tmp_path)
    return fake


def test_the_plain_command(model, capsys, tmp_path):
    assert cli.main(["generate", "an astronaut on the moon", "--out", "clip.mp4"]) == 0
    assert capsys.readouterr() == ("clip.mp4\n", "")
    assert [path.name for path in tmp_path.iterdir()] == ["clip.mp4"]
    [(prompts, options)] = model.calls
    assert prompts == ["an astronaut on the moon"]
    assert options == {
        "frames": 17,
        "width": 64,
        "height": 64,
        "steps": None,
        "guidance": None,
        "negative": "",
        "seed": 0,
    }


def test_every_option_reaches_the_model(model, capsys):
    argv = "--seconds 1 --size 96x48 --seed 7 --steps 3 --guidance 2.5 --negative fog --out a.gif".split()
    assert cli.main(["generate", " an astronaut ", *argv]) == 0
    [(prompts, options)] = model.calls
    assert prompts == ["an astronaut"]
    expected = {"frames": 9, "width": 96, "height": 48, "steps": 3, "guidance": 2.5, "negative": "fog", "seed": 7}
    assert options == expected


def test_json_is_one_object_with_numbered_files(model, capsys, tmp_path):
    assert cli.main(["generate", "an astronaut", "--count", "3", "--out", "a.b.webp", "--json", "--seed", "5"]) == 0
    out, err = capsys.readouterr()
    report = json.loads(out)
    assert err == ""
    assert report.pop("seconds") >= 0
    files = ["a.b-1.webp", "a.b-2.webp", "a.b-3.webp"]
    assert report == {"files": files, "frames": 17, "size": [64, 64], "fps": 8, "seed": 5}
    assert sorted(path.name for path in tmp_path.iterdir()) == files
    assert model.calls[0][0] == ["an astronaut"] * 3


def test_without_out_the_prompt_names_the_file(model, capsys):
    assert cli.main(["generate", "An astronaut / on   the Moon!"]) == 0
    assert capsys.readouterr().out == "an-astronaut-on-the-moon.mp4\n"
    assert cli.main(["generate", "宇航员"]) == 0
    assert capsys.readouterr().out == "video.mp4\n"


def test_no_seconds_make_a_picture(model, capsys):
    assert cli.main(["generate", "an astronaut", "--seconds", "0", "--out", "a.png"]) == 0
    assert model.calls[0][1]["frames"] == 1


@pytest.mark.parametrize(
    ("own", "longest", "asked", "frames"), [(9, 9, [], 9), (33, 481, [], 17), (17, 481, ["30"], 241)]
)
def test_a_video_is_as_long_as_asked_for_or_as_the_models_clips_are(model, monkeypatch, own, longest, asked, frames):
    """Two seconds where they are longer; up to the longest that it takes."""
    card = {**CARD, "frames": own, "max_frames": longest}
    monkeypatch.setattr(pipeline, "load_card", lambda name="default", in_int8=False: card)
    seconds = ["--seconds", *asked] if asked else []
    assert cli.main(["generate", "an astronaut", *seconds, "--out", "a.png"]) == 0
    assert model.calls[0][1]["frames"] == frames


@pytest.mark.parametrize(
    ("prompt", "known"),
    [
        ("a Cosmonaut walks", True),
        ("two astronauts", True),
        ("a ringed\n planet", True),
        ("a submarine dives", False),
        ("an astronautical chart", False),
    ],
)
def test_a_prompt_that_names_nothing_known_gets_a_note(model, capsys, prompt, known):
    assert cli.main(["generate", prompt, "--out", "a.png"]) == 0
    out, err = capsys.readouterr()
    assert out == "a.png\n"
    assert err.count("\n") == (0 if known else 1)
    assert known or ("astronaut" in err and "vidgen info" in err)


PROMPT = ["generate", "an astronaut"]


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["generate", ""], "The prompt is empty"),
        (["generate", " \n"], "The prompt is empty"),
        (["generate"], "PROMPT"),
        (["generate", "an", "astronaut"], "Unexpected argument 'astronaut': put quotes around"),
        ([*PROMPT, "--out", "a.avi"], "file type '.avi'"),
        ([*PROMPT, "--out", "a"], "without a type"),
        ([*PROMPT, "--out", "none/a.mp4"], "no folder 'none'"),
        ([*PROMPT, "--out", "folder.mp4"], "'folder.mp4' is a folder"),
        ([*PROMPT, "--size", "63x64"], "width 63 is not one that tiny takes: multiples of 16 from 32 to 128"),
        ([*PROMPT, "--size", "64x65"], "height 65"),
        ([*PROMPT, "--size", "16x64"], "width 16"),
        ([*PROMPT, "--size", "64x4096"], "height 4096"),
        ([*PROMPT, "--size", "0x0"], "width 0"),
        ([*PROMPT, "--size", "64"], "--size must be a width and a height in pixels, such as 64x64, got '64'"),
        ([*PROMPT, "--size", "-64x64"], "--size"),
        ([*PROMPT, "--seconds", "2.1"], "--seconds 2.1 is too long: tiny makes videos of up to 2 seconds"),
        ([*PROMPT, "--seconds", "1e9"], "too long"),
        ([*PROMPT, "--seconds", "-1"], "--seconds must be 0 (a picture) or more, got -1"),
        ([*PROMPT, "--seconds", "nan"], "--seconds must be"),
        ([*PROMPT, "--seconds", "inf"], "--seconds must be"),
        ([*PROMPT, "--seconds", "long"], "--seconds must be a number, got 'long'"),
        ([*PROMPT, "--steps", "0"], "--steps must be from 1 to"),
        ([*PROMPT, "--steps", "2.5"], "--steps"),
        ([*PROMPT, "--guidance", "nan"], "--guidance must be"),
        ([*PROMPT, "--guidance", "-1"], "--guidance must be 0 or more"),
        ([*PROMPT, "--seed", "-1"], "--seed must be from 0"),
        ([*PROMPT, "--seed", str(2**32)], "--seed must be from 0"),
        ([*PROMPT, "--count", "0"], "--count must be from 1"),
        ([*PROMPT, "--count", "1000"], "--count must be from 1"),
        ([*PROMPT, "--secnds", "2"], "Unknown option --secnds: did you mean --seconds?"),
        ([*PROMPT, "--sede=3"], "Unknown option --sede: did you mean --seed?"),
        ([*PROMPT, "--seed"], "--seed"),
    ],
)
def test_bad_input_is_one_line_and_status_2(model, tmp_path, argv, message, refused):
    (tmp_path / "folder.mp4").mkdir()
    assert message in refused(argv)
    assert model.calls == []
    assert [path.name for path in tmp_path.iterdir()] == ["folder.mp4"]


def test_a_missing_model_is_named(tmp_path, refused):
    assert "nowhere" in refused([*PROMPT, "--model", str(tmp_path / "nowhere"), "--out", str(tmp_path / "a.gif")])


def test_a_folder_that_cannot_be_written_is_named(model, monkeypatch, refused):
    monkeypatch.setattr("os.access", lambda path, mode: False)  # root may write anywhere
    assert "is not writable" in refused([*PROMPT, "--out", "a.mp4"])


def test_a_damaged_card_is_one_line(model, monkeypatch, refused):
    monkeypatch.setattr(pipeline, "load_card", lambda name="default", in_int8=False: {"name": "tiny"})
    assert "card lacks parameters" in refused(PROMPT)


def test_debug_shows_the_trace(model, capsys):
    assert cli.main(["generate", "", "--debug"]) == 2
    assert "Traceback" in capsys.readouterr().err


def test_a_bug_is_not_hidden(model, monkeypatch):
    monkeypatch.setattr(pipeline, "load_pipeline", lambda name, in_int8=False: types.SimpleNamespace())
    with pytest.raises(AttributeError):
        cli.main(PROMPT)


def test_interrupting_is_quiet(model, capsys, monkeypatch, tmp_path):
    def interrupt(name, in_int8=False):
        raise KeyboardInterrupt

    monkeypatch.setattr(pipeline, "load_pipeline", interrupt)
    assert cli.main(PROMPT) == 130
    assert capsys.readouterr() == ("", "vidgen: interrupted\n")
    assert list(tmp_path.iterdir()) == []


def test_no_progress_when_nobody_watches_and_progress_when_somebody_does(model, capsys, monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    assert cli.main([*PROMPT, "--out", "a.png", "--json"]) == 0
    assert capsys.readouterr().err == ""
    assert cli.main([*PROMPT, "--out", "a.png"]) == 0
    out, err = capsys.readouterr()
    assert out == "a.png\n"
    assert err != ""


def test_the_help_page_names_every_option_and_default(capsys):
    assert cli.main(["generate", "--help"]) == 0
    page = capsys.readouterr().out
    for option in (
        "out", "seconds", "size", "seed", "steps", "guidance", "negative", "count", "model", "json", "first-image",
        "last-image", "no-upsample", "upsample-only", "variants", "upsampler", "upsampler-model", "policy", "no-mark",
        "no-watermark", "no-provenance", "show-prompt", "certificate", "private-key", "meaning",
    ):  # fmt: skip
        assert f"--{option}" in page
    assert page.count("(default:") == 26
    assert page.rstrip().splitlines()[-1].startswith('  vidgen generate "')


def test_the_shipped_card_is_complete():
    card = Card.from_dict(pipeline.load_card())
    card.check_size(*card.size)
    assert card.concepts
    assert card.known_in("an astronaut moves to the right across the moon")
