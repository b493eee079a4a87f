# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The README's commands are the ones that are tested, and what it names exists."""

import itertools
import re
import shlex
import subprocess
import tomllib
from pathlib import Path

import pytest

from vidgen.cli import connect, edit, extend, generate, main, making
from vidgen.cli.train import Train
from vidgen.config import load_experiment, override, parse_arguments, parse_known

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"^```bash\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
VIDGEN_LINES = [
    line for block in BLOCKS for line in re.split(r"\n|&&", block) if re.match(r"\s*(\.venv/bin/)?vidgen ", line)
]

MAKING = {
    "generate": generate.Generate, "extend": extend.Extend, "connect": connect.Connect, "loop": connect.Loop,
    "edit": edit.Edit, "inpaint": edit.Inpaint,
}  # fmt: skip


def marked_command(name: str) -> str:
    match = re.search(rf"^<!-- command: {name} -->\n```bash\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    assert match, f"the README marks no command {name!r}"
    return match[1].strip()


def test_the_two_commands_are_single_lines_from_nothing():
    for name in ("generate", "test"):
        command = marked_command(name)
        assert "\n" not in command
        assert command.startswith("python3 -m venv .venv && .venv/bin/pip install ")
    assert marked_command("generate").endswith(
        '.venv/bin/vidgen generate "an astronaut moves to the right across the moon" --out astronaut.mp4'
    )
    assert ".venv/bin/python -m pytest" in marked_command("test")


def test_ci_extracts_the_test_command_from_the_readme():
    script = (ROOT / ".ci" / "run").read_text()
    [extraction] = re.findall(r'^test_command="\$\((awk .*)\)"$', script, re.MULTILINE)
    extracted = subprocess.run(["bash", "-c", extraction], capture_output=True, text=True, check=True, cwd=ROOT).stdout
    assert extracted.strip() == marked_command("test")
    assert 'bash -euo pipefail -c "$test_command"' in script


def test_scripts_and_commands_are_valid_shell():
    subprocess.run(["bash", "-n", str(ROOT / ".ci" / "run")], check=True)
    for block in BLOCKS:
        subprocess.run(["bash", "-n", "-c", block], check=True)


@pytest.mark.parametrize("line", VIDGEN_LINES)
def test_every_vidgen_command_is_one_that_vidgen_takes(line, capsys):
    _, verb, *arguments = shlex.split(line, comments=True)
    assert verb in main.VERBS
    if "--help" in arguments:
        return
    if verb == "train":
        options, overrides = parse_known(Train, arguments, prog="vidgen train")
        override(load_experiment(ROOT / options.experiment), overrides)
    if verb in MAKING:
        options = parse_arguments(MAKING[verb], arguments, prog=f"vidgen {verb}")
        options.check()
        assert making.output_files(options.prompt, options.out)


def test_every_path_that_the_tree_names_exists():
    [tree] = re.findall(r"^```\n(vidgen/\n.*?)^```$", README, re.MULTILINE | re.DOTALL)
    folder = Path()
    for line in tree.splitlines():
        name = line.split()[0]
        folder = folder if line.startswith(" ") else Path(name)
        path = folder / name if line.startswith(" ") else folder
        assert (ROOT / path).exists(), path


def test_every_link_to_a_file_works():
    links = [link for link in re.findall(r"\]\(([^)]+)\)", README) if "://" not in link]
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_every_dependency_is_explained():
    text = (ROOT / "CONTRIBUTING.md").read_text()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    requirements = [*project["dependencies"], *itertools.chain(*project["optional-dependencies"].values())]
    names = [re.split(r"[\[>=]", requirement)[0] for requirement in requirements]
    assert {"jax", "av", "pytest", "emoji"} <= set(names)
    assert [name for name in names if name not in text] == []
