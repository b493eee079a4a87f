# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The compilation cache lands where the user wants it, and a folder that cannot be written costs nothing."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from vidgen.compilation import cache_dir

COMPILE = """
import jax
from vidgen.compilation import enable_compilation_cache
print(enable_compilation_cache())
jax.jit(lambda x: x * 2 + 1)(1.0)
"""


def compile_in(**variables: str) -> str:
    environment = {k: v for k, v in os.environ.items() if k != "JAX_COMPILATION_CACHE_DIR"}
    command = [sys.executable, "-W", "error", "-c", COMPILE]
    return subprocess.run(
        command, env=environment | {"JAX_PLATFORMS": "cpu"} | variables, capture_output=True, text=True, check=True
    ).stdout.strip()


def test_programs_are_kept_under_vidgen_cache(tmp_path):
    folder = Path(compile_in(VIDGEN_CACHE=str(tmp_path / "new" / "cache")))
    assert folder.is_relative_to(tmp_path / "new" / "cache")
    entries = {path: path.stat().st_mtime_ns for path in folder.glob("*-cache")}
    assert entries
    compile_in(VIDGEN_CACHE=str(tmp_path / "new" / "cache"))
    assert {path: path.stat().st_mtime_ns for path in folder.glob("*-cache")} == entries


def test_a_folder_given_to_jax_stays(tmp_path):
    assert compile_in(JAX_COMPILATION_CACHE_DIR=str(tmp_path)) == str(tmp_path)


def test_no_cache_where_no_folder_can_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    assert compile_in(VIDGEN_CACHE=str(tmp_path / "file")) == "None"


def test_cache_dir_follows_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("VIDGEN_CACHE", str(tmp_path))
    assert cache_dir() == tmp_path
    monkeypatch.delenv("VIDGEN_CACHE")
    if sys.platform != "linux":
        pytest.skip("the other platforms have no variable of their own")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_dir() == tmp_path / "xdg" / "vidgen"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache_dir() == Path.home() / ".cache" / "vidgen"
