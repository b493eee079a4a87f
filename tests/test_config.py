# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""A config is a value: it is loaded, overridden, written, read back, compared and hashed without surprises."""

import dataclasses
import json
import subprocess
import sys

import hypothesis.strategies as st
import pytest
from hypothesis import given

from vidgen import config

OURS = (__name__.split(".")[0],)


@dataclasses.dataclass(frozen=True)
class Optim:
    learning_rate: float = 1e-3
    decay: float | None = None


@dataclasses.dataclass(frozen=True)
class Run:
    optim: Optim = Optim()
    stages: tuple[Optim, ...] = (Optim(), Optim(2.0))
    sizes: tuple[int, ...] = (64, 128)
    weights: dict[str, float] = dataclasses.field(default_factory=lambda: {"images": 0.5})
    shuffle: bool = True
    name: str = "run"
    steps: int = 10


@dataclasses.dataclass
class Mutable:
    steps: int = 1


FLOATS = st.floats(allow_nan=False, allow_infinity=False)
OPTIMS = st.builds(Optim, FLOATS, st.none() | FLOATS)
RUNS = st.builds(
    Run,
    optim=OPTIMS,
    stages=st.lists(OPTIMS, max_size=3).map(tuple),
    sizes=st.lists(st.integers(), max_size=3).map(tuple),
    weights=st.dictionaries(st.text(max_size=4), FLOATS, max_size=3),
    shuffle=st.booleans(),
    name=st.text(),
    steps=st.integers(),
)

EXPERIMENT = """
import dataclasses

@dataclasses.dataclass(frozen=True)
class Own:
    steps: int = {steps}

def get_config():
    return Own()
"""


@given(RUNS)
def test_json_round_trip_is_exact(run):
    again = config.from_json(config.to_json(run, OURS), OURS)
    assert again == run
    assert config.diff(again, run) == []
    assert config.config_hash(again, OURS) == config.config_hash(run, OURS)


@given(RUNS, RUNS)
def test_hashes_agree_exactly_when_diff_is_empty(a, b):
    same = config.config_hash(a, OURS) == config.config_hash(b, OURS)
    assert same == (config.diff(a, b) == [])


def test_diff_names_each_changed_field():
    a = Run()
    b = dataclasses.replace(a, optim=Optim(2e-3), stages=(Optim(), Optim(3.0)), steps=11)
    assert config.diff(a, b) == [
        ("optim.learning_rate", 1e-3, 2e-3),
        ("stages.1.learning_rate", 2.0, 3.0),
        ("steps", 10, 11),
    ]
    assert config.diff(a, dataclasses.replace(a, sizes=(64,))) == [("sizes", (64, 128), (64,))]
    assert config.diff(a, dataclasses.replace(a, steps=10.0)) == []
    assert config.diff(a, dataclasses.replace(a, shuffle=1)) == [("shuffle", True, 1)]


def test_a_whole_number_hashes_the_same_as_a_float():
    assert config.config_hash({"a": (1, 2)}) == config.config_hash({"a": (1.0, 2)})
    assert config.config_hash({"a": 1}) != config.config_hash({"a": True})
    assert config.config_hash({"a": 1}) != config.config_hash({"a": 1.5})


def test_hash_is_the_same_in_another_process():
    code = "from vidgen.config import config_hash; print(config_hash({'a': (1, 2.5, None), 'b': 'x'}))"
    there = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert there.stdout.strip() == config.config_hash({"b": "x", "a": (1, 2.5, None)})


@pytest.mark.parametrize(
    ("value", "error", "message"),
    [
        (Run(sizes=[1]), TypeError, r"config\.sizes is a list.*use a tuple"),
        (Run(steps=float("inf")), ValueError, r"config\.steps is inf.*use None"),
        (Run(weights={1: 2.0}), TypeError, r"config\.weights must have strings as keys"),
        (Run(optim=Mutable()), TypeError, r"config\.optim is a Mutable"),
        (Run(name=print), TypeError, r"config\.name is a builtin_function"),
    ],
)
def test_what_json_cannot_hold_is_refused_by_name(value, error, message):
    with pytest.raises(error, match=message):
        config.to_json(value, OURS)


def test_json_names_only_frozen_dataclasses_of_allowed_packages():
    text = config.to_json(Run(), OURS)
    with pytest.raises(ValueError, match="only those of vidgen are allowed"):
        config.from_json(text)
    with pytest.raises(ValueError, match="cannot be found again"):
        config.to_json(Run())
    for name in ("subprocess:Popen", f"{__name__}:Mutable", f"{__name__}:FLOATS", f"{__name__}:Absent"):
        with pytest.raises(ValueError, match=r"is not a frozen dataclass|does not exist"):
            config.from_json(json.dumps({config.TYPE_KEY: name}), ("subprocess", *OURS))


def test_json_of_another_version():
    plain = json.loads(config.to_json(Optim(5.0), OURS))
    del plain["decay"]
    assert config.from_json(json.dumps(plain), OURS) == Optim(5.0)
    with pytest.raises(ValueError, match="has the field 'momentum'"):
        config.from_json(json.dumps(plain | {"momentum": 1}), OURS)


@pytest.mark.parametrize(
    ("argv", "changed"),
    [
        ([], []),
        (["--optim.learning-rate", "3"], [("optim.learning_rate", 1e-3, 3.0)]),
        (["--optim.learning_rate=3"], [("optim.learning_rate", 1e-3, 3.0)]),
        (["--stages.1.decay", "-0.5"], [("stages.1.decay", None, -0.5)]),
        (["--sizes", "32", "16"], [("sizes.0", 64, 32), ("sizes.1", 128, 16)]),
        (["--shuffle", "False", "--name", "a b"], [("shuffle", True, False), ("name", "run", "a b")]),
        (["--weights.images", "1"], [("weights.images", 0.5, 1.0)]),
    ],
)
def test_override_changes_what_it_names_and_nothing_else(argv, changed):
    before = Run()
    assert config.diff(before, config.override(before, argv)) == changed
    assert before == Run()


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["--optim.learning-rat", "3"], r"Unknown option --optim\.learning-rat: did you mean --optim\.learning-rate\?"),
        (["--learning-rate", "3"], r"did you mean --optim\.learning-rate\?"),
        (["--zzzzzzzz", "3"], r"Unknown option --zzzzzzzz: --help lists"),
        (["--steps", "many"], r"--steps must be a whole number, got 'many'"),
        (["--optim.learning-rate", "fast"], r"--optim\.learning-rate must be a number, got 'fast'"),
        (["--steps"], r"--steps"),
        (["stray"], r"Unexpected argument 'stray'"),
    ],
)
def test_override_refuses_in_one_line(argv, message, capsys):
    with pytest.raises(ValueError, match=message) as caught:
        config.override(Run(), argv)
    assert "\n" not in str(caught.value)
    assert "─" not in str(caught.value)
    assert capsys.readouterr() == ("", "")


def test_help_lists_fields_and_values(capsys):
    with pytest.raises(SystemExit) as stop:
        config.override(Run(), ["--help"])
    assert stop.value.code == 0
    page = capsys.readouterr().out
    assert "--optim.learning-rate" in page
    assert "0.001" in page


def test_experiments_of_one_name_stay_apart(tmp_path):
    for steps in (1, 2):
        (tmp_path / str(steps)).mkdir()
        (tmp_path / str(steps) / "same.py").write_text(EXPERIMENT.format(steps=steps))
    configs = [config.load_experiment(tmp_path / str(steps) / "same.py") for steps in (1, 2)]
    assert [loaded.steps for loaded in configs] == [1, 2]
    assert config.override(configs[0], ["--steps", "5"]).steps == 5


@pytest.mark.parametrize(
    ("name", "text", "error", "message"),
    [
        ("absent.py", None, FileNotFoundError, "no experiment file"),
        ("run.yaml", "steps: 1", ValueError, "is a Python file"),
        ("empty.py", "", ValueError, r"must define get_config\(\)"),
        ("number.py", "def get_config():\n    return 3\n", ValueError, "frozen dataclass, got int"),
    ],
)
def test_bad_experiment_files_say_what_is_wrong(tmp_path, name, text, error, message):
    if text is not None:
        (tmp_path / name).write_text(text)
    with pytest.raises(error, match=message):
        config.load_experiment(tmp_path / name)
