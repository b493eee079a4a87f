# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The pages on TPUs say what the scripts and vidgen really do."""

import importlib.util
import re
import shlex
import subprocess
from pathlib import Path

import pytest

from vidgen.cli import generate
from vidgen.cli.train import Train
from vidgen.config import load_experiment, override, parse_arguments, parse_known

ROOT = Path(__file__).parents[2]
PAGES = {name: (ROOT / "docs" / f"{name}.md").read_text() for name in ("tpu", "colab")}
BLOCKS = {
    name: re.findall(r"^ *```(bash)?\n(.*?)^ *```$", page, re.MULTILINE | re.DOTALL) for name, page in PAGES.items()
}
LINES = [line.strip().lstrip("!%") for blocks in BLOCKS.values() for _, block in blocks for line in block.splitlines()]
SCRIPT_LINES = sorted({line for line in LINES if line.startswith("tpu_scripts/")})
VIDGEN_LINES = sorted({line for line in LINES if line.startswith("vidgen ")})


def test_there_is_something_to_test():
    assert len(SCRIPT_LINES) >= 9 and len(VIDGEN_LINES) >= 4


@pytest.mark.parametrize("page", PAGES)
def test_the_shell_blocks_are_valid(page):
    for kind, block in BLOCKS[page]:
        if kind == "bash":
            subprocess.run(["bash", "-n", "-c", block], check=True)


@pytest.mark.parametrize("line", SCRIPT_LINES)
def test_every_script_has_the_options_that_the_page_uses(line):
    script, _, *options = shlex.split(line, comments=True)
    usage = subprocess.run(["bash", str(ROOT / script), "--help"], capture_output=True, text=True, check=True).stdout
    assert all(re.search(rf"{option}\b", usage) for option in options)


@pytest.mark.parametrize("line", VIDGEN_LINES)
def test_every_vidgen_command_is_one_that_vidgen_takes(line):
    _, verb, *arguments = shlex.split(line, comments=True)
    if verb == "train":
        arguments = [argument for argument in arguments if argument != "--help"]
        workdir = [] if "--workdir" in arguments else ["--workdir", "x"]
        options, overrides = parse_known(Train, [*arguments, *workdir], prog="vidgen train")
        override(load_experiment(ROOT / options.experiment), overrides)
    else:
        assert verb == "generate"
        parse_arguments(generate.Generate, arguments, prog="vidgen generate").check()


def test_the_arguments_that_the_page_proposes_are_options_of_the_example():
    [line] = [line for line in LINES if line.startswith("ARGS=")]
    example = (ROOT / "tpu_scripts" / "pod.example.env").read_text()
    [experiment] = re.findall(r"^EXPERIMENT=(.*)$", example, re.MULTILINE)
    [own] = re.findall(r"^ARGS=\((.*?)\)", example, re.MULTILINE)
    for arguments in (line.removeprefix("ARGS=(").removesuffix(")"), own):
        override(load_experiment(ROOT / experiment), shlex.split(arguments))


def test_the_table_of_types_is_the_scripts():
    listed = subprocess.run(
        ["bash", "-c", f'source "{ROOT}/tpu_scripts/common.sh"; allowed_types'],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split("\n")
    ends = {}
    for line in filter(None, listed):
        name, google = line.split()
        generation = name.partition(":")[0]
        first = ends.get(generation, [f"`{name}`", f"`{google}`"])[:2]
        ends[generation] = [*first, f"`{name}`", f"`{google}`"]
    assert list(ends) == ["v4", "v5e", "v5p", "v6e", "7x"]
    for small, small_google, large, large_google in ends.values():
        assert f"| {small} to {large} | {small_google} to {large_google} |" in PAGES["tpu"]


def test_the_settings_that_the_page_names_are_in_the_example():
    example = (ROOT / "tpu_scripts" / "pod.example.env").read_text()
    named = set(re.findall(r"`([A-Z_]{4,})=[^`]*`", PAGES["tpu"])) | {"FOLDER", "GIT_URL", "GIT_COMMIT", "ARGS", "ENV"}
    assert {"WORKDIR", "TYPE", "TIER", "SLICES", "INTERNAL_IPS"} <= named
    assert [name for name in named if not re.search(rf"^#?{name}=", example, re.MULTILINE)] == []


def test_the_page_shows_what_watch_shows(tmp_path):
    spec = importlib.util.spec_from_file_location("cloud", Path(__file__).with_name("cloud.py"))
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    cloud = module.Cloud(tmp_path)
    cloud.answer("describe", err="queuedResources/vidgen-run' was not found", code=1, times=2)
    cloud.states("WAITING_FOR_RESOURCES", "PROVISIONING", "ACTIVE")
    cloud.nodes("vidgen-run,READY\n")
    cloud.looks("new bare", "t1v-n-0 running", "t1v-n-0 finished")
    cloud.workers()
    settings = {"NAME": "vidgen-run", "TIER": "spot", "WORKDIR": "gs://my-bucket/first-run"}
    result = cloud.run("watch", raw="exec 2>&1", **settings)
    assert result.returncode == 0, result.stdout
    seen = re.sub(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ ", "", result.stdout, flags=re.MULTILINE)
    [shown] = [block for _, block in BLOCKS["tpu"] if block.startswith("watching")]
    assert seen == shown


def test_every_link_to_a_page_works():
    for page in PAGES.values():
        links = [link for link in re.findall(r"\]\(([^)]+)\)", page) if "://" not in link]
        assert links and all((ROOT / "docs" / link).exists() for link in links)
