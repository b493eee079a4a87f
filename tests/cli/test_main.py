# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The command as a whole: its verbs, its pages, its exit status; and `train` and `info`."""

import dataclasses
import os
import subprocess
import sys

import pytest

import vidgen
from vidgen import train
from vidgen.cli import main as cli
from vidgen.sample import pipeline
from vidgen.train.loop import NotFiniteError

EXPERIMENT = """
import dataclasses

@dataclasses.dataclass(frozen=True)
class Optim:
    rate: float = 0.5

@dataclasses.dataclass(frozen=True)
class Config:
    optim: Optim = Optim()
    steps: int = 10

def get_config():
    return Config()
"""


@pytest.fixture
def experiment(tmp_path, monkeypatch):
    """An experiment file; its path, and the list of runs that `vidgen train` starts."""
    path = tmp_path / "tiny.py"
    path.write_text(EXPERIMENT)
    runs = []
    monkeypatch.setattr(train, "run", lambda config, workdir: runs.append((config, workdir)))
    return str(path), runs


@pytest.mark.parametrize("argv", [[], ["--help"], ["-h"], ["help"]])
def test_the_front_page_names_every_command(capsys, argv):
    assert cli.main(argv) == 0
    page = capsys.readouterr().out
    assert all(f"\n  {verb} " in page for verb in cli.VERBS)


@pytest.mark.parametrize("verb", cli.VERBS)
def test_every_command_has_a_page_that_ends_in_examples(capsys, verb):
    assert cli.main([verb, "--help"]) == 0
    page = capsys.readouterr().out
    assert page.startswith(f"usage: vidgen {verb}")
    assert page.rstrip().splitlines()[-1].startswith("  ")
    assert f"examples:\n  vidgen {verb}" in page


def test_version(capsys):
    assert cli.main(["--version"]) == 0
    assert capsys.readouterr().out == f"vidgen {vidgen.__version__}\n"


def test_an_unknown_command_gets_the_nearest(refused):
    assert "Unknown command 'genrate': did you mean generate?" in refused(["genrate", "x"])
    assert f"the commands are {', '.join(cli.VERBS)}" in refused(["xyz"])


def test_a_reader_that_leaves_early_is_no_error():
    code = "import sys; from vidgen.cli.main import main; sys.stdin.read(); sys.exit(main(['--help']))"
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=os.environ | {"PYTHONUNBUFFERED": ""},
    )
    assert process.stdin and process.stdout and process.stderr
    process.stdout.close()
    process.stdin.close()
    with process.stderr:
        assert process.stderr.read() == b""
    assert process.wait() == 0


def test_train_applies_overrides_and_says_so(experiment, capsys, tmp_path):
    path, runs = experiment
    assert cli.main(["train", path, "--optim.rate", "0.25", "--workdir", str(tmp_path / "run"), "--steps=3"]) == 0
    [(config, workdir)] = runs
    assert dataclasses.asdict(config) == {"optim": {"rate": 0.25}, "steps": 3}
    assert workdir == tmp_path / "run"
    assert capsys.readouterr().out == "optim.rate: 0.5 -> 0.25\nsteps: 10 -> 3\n"


def test_train_help_with_an_experiment_lists_its_fields(experiment, capsys):
    path, runs = experiment
    assert cli.main(["train", path, "--help"]) == 0
    page = capsys.readouterr().out
    assert "--optim.rate" in page and "0.5" in page
    assert runs == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["FILE"], "--workdir"),
        (["FILE", "--workdir", "FOLDER", "--optim.rat", "3"], "Unknown option --optim.rat: did you mean --optim.rate?"),
        (["FILE", "--workdir", "FOLDER", "--steps", "x"], "--steps must be a whole number, got 'x'"),
        (["FILE", "--workdir", "FILE"], "is a file: give it a folder"),
        (["absent.py", "--workdir", "FOLDER"], "no experiment file 'absent.py'"),
        (["--workdir", "FOLDER", "FILE"], "The experiment file comes first"),
        ([], "EXPERIMENT.py"),
    ],
)
def test_train_refuses_in_one_line(experiment, tmp_path, arguments, message, refused):
    path, runs = experiment
    names = {"FILE": path, "FOLDER": str(tmp_path / "run")}
    assert message in refused(["train", *(names.get(argument, argument) for argument in arguments)])
    assert runs == []
    assert not (tmp_path / "run").exists()


def test_a_run_that_fails_says_why_with_status_1(experiment, capsys, monkeypatch, tmp_path):
    def fail(config, workdir):
        raise NotFiniteError("the loss of step 7 is nan")

    monkeypatch.setattr(train, "run", fail)
    assert cli.main(["train", experiment[0], "--workdir", str(tmp_path / "run")]) == 1
    assert capsys.readouterr().err == "vidgen: the loss of step 7 is nan\n"


def test_info_shows_the_whole_card(capsys, monkeypatch):
    card = {
        "name": "tiny",
        "parameters": {"vae": 1_000_000, "dit": 2_000_000},
        "trained_on": "squares",
        "scores": {"squares found": "61 % (floor on true renders 98 %)"},
        "limits": ["knows squares only", "a very long limit " * 20],
        "concepts": [{"name": "square", "synonyms": ["box"]}],
        "size": [64, 48],
        "size_multiple": 16,
        "least_side": 32,
        "most_side": 128,
        "max_frames": 481,
        "frames": 17,
        "fps": 8,
    }
    monkeypatch.setattr(pipeline, "load_card", lambda name: card)
    assert cli.main(["info"]) == 0
    page = capsys.readouterr().out
    for text in (
        "tiny",
        "3,000,000",
        "1,000,000",
        "trained on",
        "61 %",
        "knows squares only",
        "64x48",
        "2 seconds (takes up to 60)",
        "square",
    ):
        assert text in page
    assert max(map(len, page.splitlines())) <= 100


def test_info_about_a_missing_model_is_one_line(tmp_path, refused):
    assert "nowhere" in refused(["info", str(tmp_path / "nowhere")])
