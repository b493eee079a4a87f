# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""`vidgen caption` reads any video; `vidgen generate` shows what became of a short prompt."""

import json
import sys

import numpy as np
import pytest
from PIL import Image

from vidgen.cli import main as cli
from vidgen.data.video import write_mp4
from vidgen.models.decoding import Decoding
from vidgen.sample import captioner as captioners
from vidgen.sample import meaning, pipeline, upsample
from vidgen.sample.captioner import CaptionerCard

MODEL = {
    "name": "tiny", "parameters": {}, "trained_on": "dogs", "scores": {}, "limits": [], "concepts": [{"name": "dog"}],
    "size": [64, 64], "size_multiple": 16, "least_side": 32, "most_side": 128, "max_frames": 17, "fps": 8,
    "upsample": True,
}  # fmt: skip
LONG = "a dog runs to the left across a meadow; the camera does not move; nothing else is in view"


class FakeCaptioner:
    """Says how many frames it saw, and of what size."""

    card = CaptionerCard("fake", "nothing", (32, 16), 9, 4, 24, 16, ("dog",))

    def decoding(self, **changes):
        return Decoding(**{"length": 24, **changes})

    def hash(self):
        return "abc"

    def captions(self, clips, style, how, seed, batch):
        return [f"{style} {'x'.join(map(str, clip.shape))} {how.beams} {seed}" for clip in clips]


@pytest.fixture
def folder(monkeypatch, tmp_path):
    """An empty working folder, and a fake captioner."""
    monkeypatch.setattr(captioners, "load_captioner", lambda name="default", mesh=None: FakeCaptioner())
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_video_of_any_size_and_rate_is_fitted(folder, capsys):
    write_mp4("a.mp4", np.zeros((25, 48, 64, 3), np.uint8), fps=12)
    assert cli.main(["caption", "a.mp4", "--beams", "3", "--seed", "7"]) == 0
    assert capsys.readouterr() == ("descriptive 9x16x32x3 3 7\n", "")


def test_a_long_video_is_described_in_parts_and_a_picture_is_one_frame(folder, capsys):
    write_mp4("long.mp4", np.zeros((40, 16, 32, 3), np.uint8), fps=8)  # 5 seconds
    Image.new("RGB", (100, 40)).save("one.png")
    assert cli.main(["caption", "long.mp4", "one.png", "--style", "events"]) == 0
    out, _ = capsys.readouterr()
    assert out.splitlines() == [
        "long.mp4: 0 to 2 s: events 9x16x32x3 1 0",
        "long.mp4: 2 to 4 s: events 9x16x32x3 1 0",
        "long.mp4: 4 to 4.75 s: events 4x16x32x3 1 0",
        "one.png: events 1x16x32x3 1 0",
    ]


def test_json_is_one_object(folder, capsys):
    Image.new("RGB", (32, 16)).save("one.png")
    assert cli.main(["caption", "one.png", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report.pop("seconds") >= 0
    row = {"file": "one.png", "start": 0.0, "end": 0.0, "caption": "descriptive 1x16x32x3 1 0"}
    assert report == {"captions": [row], "style": "descriptive", "model": "fake", "hash": "abc"}


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["caption"], "No video was given"),
        (["caption", "none.mp4"], "There is no video 'none.mp4'"),
        (["caption", "bad.mp4"], "bad.mp4"),
        (["caption", "bad.mp4", "--seed", "-1"], "--seed must be"),
        (["caption", "bad.mp4", "--beams", "2", "--temperature", "1"], "choose one"),
        (["recaption", "none", "--out", "x"], "There is no folder 'none'"),
        (["recaption", ".", "--out", "x", "--batch", "0"], "must be at least 1"),
    ],
)
def test_bad_input_is_refused_in_one_line(folder, refused, argv, message):
    (folder / "bad.mp4").write_bytes(b"no video")
    assert message in refused(argv)


@pytest.fixture
def generator(folder, monkeypatch):
    """A fake model whose card wants descriptions, and the prompts that it was given; a writer who knows one text."""
    asked = []

    class Fake:
        def generate(self, prompts, **options):
            asked.extend(prompts)
            return np.zeros((len(prompts), 1, 64, 64, 3), np.uint8)

    monkeypatch.setattr(pipeline, "load_card", lambda name="default", in_int8=False: MODEL)
    monkeypatch.setattr(pipeline, "load_pipeline", lambda name="default", in_int8=False: Fake())
    monkeypatch.setattr(pipeline, "prompt_length", lambda name="default", in_int8=False: 64)
    monkeypatch.setattr(upsample, "network_writer", lambda captioner: lambda *_: [LONG, LONG.replace("runs", "trots")])
    return asked


def test_a_short_prompt_is_expanded_and_shown(generator, capsys):
    assert cli.main(["generate", "a dog runs left", "--out", "a.png", "--count", "2"]) == 0
    assert generator == [LONG, LONG]
    out, err = capsys.readouterr()
    assert out == "a-1.png\na-2.png\n" and f"the prompt became {LONG!r}; --no-upsample" in err
    assert cli.main(["generate", "a dog runs left", "--out", "a.png", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["prompt"] == LONG


@pytest.mark.parametrize("argv", [["a dog runs left", "--no-upsample"], ["a dog runs to the left across a meadow"]])
def test_a_long_prompt_and_one_that_should_stay_do(generator, capsys, argv):
    assert cli.main(["generate", *argv, "--out", "a.png"]) == 0
    assert generator == argv[:1]
    assert capsys.readouterr().err == ""


def test_unknown_things_are_shown_as_known_ones(generator, capsys, monkeypatch, tmp_path):
    """The sentence encoder here takes all that is not the dog for nothing, and a whelp for a dog."""

    def encode(texts):
        return np.array([[1.0, 0.0] if text in ("a dog", "a dogs", "a whelp") else [0.0, 1.0] for text in texts])

    monkeypatch.setattr(meaning, "load_sentences", lambda folder: encode)
    for name in ("config.json", "model.safetensors", "tokenizer.json"):
        (tmp_path / name).touch()
    asked = ["generate", "a whelp runs to the left across a lawn", "--meaning", str(tmp_path), "--out", "a.png"]
    text = "a dog runs to the left across a lawn"
    assert cli.main([*asked, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["prompt"] == text and generator == [text]
    assert cli.main(asked) == 0
    assert "'whelp' is shown as 'dog', which means much the same (cosine 1.00)" in capsys.readouterr().err


def test_a_sentence_encoder_that_cannot_be_read_is_told(generator, refused, monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "tokenizers", None)
    (tmp_path / "tokenizer.json").touch()
    with pytest.raises(ModuleNotFoundError, match=r"pip install .vidgen\[meaning\]") as error:
        meaning._tokenizer(tmp_path / "tokenizer.json")

    def lacking(folder):
        raise error.value

    monkeypatch.setattr(meaning, "load_sentences", lacking)
    for name in ("config.json", "model.safetensors"):
        (tmp_path / name).touch()
    assert "takes the package tokenizers" in refused(["generate", "a dog and a whelp", "--meaning", str(tmp_path)])


def test_a_sentence_encoder_that_is_not_there_is_named(generator, refused):
    said = refused(["generate", "a whelp", "--meaning", "mini"])
    assert "--meaning mini lacks config.json, model.safetensors, tokenizer.json: give the folder of" in said


def test_expansions_alone(generator, capsys):
    assert cli.main(["generate", "a dog runs to the left across a meadow", "--upsample-only", "--variants", "3"]) == 0
    out, err = capsys.readouterr()
    assert out.splitlines() == [LONG, LONG.replace("runs", "trots")] and "only 2 different" in err
    assert cli.main(["generate", "a fluffy gnu", "--upsample-only", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["prompts"] == ["a fluffy gnu"] and set(report["unknown"]) == {"fluffy", "gnu"}
    assert generator == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--no-upsample", "--upsample-only"], "choose one"),
        (["--variants", "2"], "--variants is for --upsample-only"),
        (["--upsample-only", "--variants", "0"], "--variants must be from 1"),
        (["--upsampler", "http://127.0.0.1:9/v1"], "name the model there by --upsampler-model"),
        (["--upsampler-model", "x"], "--upsampler-model is for an endpoint"),
        (["--upsampler", "http://127.0.0.1:9/v1", "--upsampler-model", "x"], "cannot be reached"),
    ],
)
def test_bad_options_of_upsampling_are_refused(generator, refused, options, message):
    assert message in refused(["generate", "a dog", *options])
