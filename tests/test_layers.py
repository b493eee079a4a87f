# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Imports run one way only, from higher layers to lower ones; and what every file of the project must have."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "vidgen"

# From low to high. A unit imports itself and units of lower layers; units of one layer do not import each other, except
# at the bottom, whose files are one unit in all but name.
LAYERS = (
    ("__init__", "typing", "config", "trees", "compilation"),
    ("parallel", "worlds", "safety"),
    ("diffusion", "models"),
    ("data", "weights"),
    ("sample",),
    ("train", "eval"),
    ("serve",),
    ("cli",),
)
# Lower, but forbidden all the same: a solver never knows a network, and a network never holds a mesh or a scene.
SEAMS = {"diffusion": ("parallel", "worlds"), "models": ("parallel", "worlds")}
NO_CODE = ("assets",)

LEVELS = {unit: level for level, units in enumerate(LAYERS) for unit in units}


def imported_modules(path: Path, package: Path) -> list[tuple[int, str]]:
    """All modules that a file imports, anywhere in it, as (line, absolute name); relative imports are resolved."""
    found = []
    here = [package.name, *path.relative_to(package).with_suffix("").parts]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = here[: len(here) - node.level] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            # "from vidgen import trees" imports a module; "from vidgen.trees import count" does no harm as a name.
            found += [(node.lineno, f"{module}.{alias.name}") for alias in node.names]
    return found


def violations(package: Path) -> list[str]:
    problems = []
    for path in sorted(package.rglob("*.py")):
        relative = path.relative_to(package)
        unit = relative.parts[0].removesuffix(".py")
        if unit not in LEVELS:
            problems.append(f"{relative}: {unit!r} has no layer")
            continue
        for line, name in imported_modules(path, package):
            parts = name.split(".")
            if parts[0] != package.name:
                continue
            # "from vidgen import __version__" names no unit: it is the package itself.
            other = parts[1] if len(parts) > 1 and parts[1] in LEVELS else "__init__"
            if len(parts) == 2 and other == "__init__" and ((package / parts[1]).exists() or parts[1] == "*"):
                problems.append(f"{relative}:{line}: {parts[1]!r} has no layer")
            lower = LEVELS[other] < LEVELS[unit] or LEVELS[other] == LEVELS[unit] == 0
            if other != unit and (not lower or other in SEAMS.get(unit, ())):
                problems.append(f"{relative}:{line}: {unit} must not import {other}")
    return problems


def test_imports_follow_the_layers():
    assert violations(PACKAGE) == []


def test_every_folder_has_a_layer():
    units = {path.name.removesuffix(".py") for path in PACKAGE.iterdir() if path.name != "__pycache__"}
    assert units - set(LEVELS) - set(NO_CODE) == set()


@pytest.mark.parametrize(
    ("file", "line", "problem"),
    [
        ("worlds/render.py", "from vidgen.models import dit", "worlds must not import models"),
        ("worlds/render.py", "import vidgen.parallel.mesh", "worlds must not import parallel"),
        ("parallel/mesh.py", "from vidgen.safety.frames import review", "parallel must not import safety"),
        ("diffusion/paths.py", "import vidgen.models", "diffusion must not import models"),
        ("models/dit.py", "from vidgen import diffusion", "models must not import diffusion"),
        ("models/dit.py", "from vidgen.parallel import mesh", "models must not import parallel"),
        ("diffusion/times.py", "from vidgen.worlds.scene import FPS", "diffusion must not import worlds"),
        ("data/latents.py", "from vidgen import weights", "data must not import weights"),
        ("train/loop.py", "import vidgen.eval.recon as recon", "train must not import eval"),
        ("config.py", "from vidgen.worlds import scene", "config must not import worlds"),
        ("sample/pipeline.py", "def f():\n    from vidgen.train import loop", "sample must not import train"),
        ("sample/pipeline.py", "from ..cli import main", "sample must not import cli"),
        ("helpers/text.py", "import os", "'helpers' has no layer"),
        ("train/loop.py", "from vidgen import helpers", "'helpers' has no layer"),
    ],
)
def test_a_wrong_import_is_found(tmp_path, file, line, problem):
    package = tmp_path / "vidgen"
    (package / "helpers").mkdir(parents=True)
    path = package / file
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"{line}\n")
    assert [entry for entry in violations(package) if problem in entry]


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("worlds/render.py", "from vidgen.worlds.scene import Scene"),
        ("worlds/render.py", "from . import scene"),
        ("sample/pipeline.py", "from vidgen.data.video import write_mp4"),
        ("train/loop.py", "from vidgen import __version__, trees"),
        ("config.py", "from vidgen import trees"),
        ("cli/main.py", "import numpy, vidgen.eval.report"),
        ("parallel/rules.py", "from jax.sharding import Mesh"),
    ],
)
def test_a_right_import_passes(tmp_path, file, line):
    package = tmp_path / "vidgen"
    path = package / file
    path.parent.mkdir(parents=True)
    path.write_text(f"{line}\n")
    assert violations(package) == []


def source_files() -> list[Path]:
    folders = ("vidgen", "tests", "experiments", "tpu_scripts")
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def test_every_source_file_has_the_licence_header():
    header = "# SPDX-FileCopyrightText: 2026 The vidgen authors\n# SPDX-License-Identifier: Apache-2.0\n"
    assert [str(path.relative_to(ROOT)) for path in source_files() if not path.read_text().startswith(header)] == []


def test_files_are_short():
    sizes = {str(path.relative_to(ROOT)): path.read_text().count("\n") for path in PACKAGE.rglob("*.py")}
    assert {name: lines for name, lines in sizes.items() if lines > 420} == {}


def test_weights_in_the_package_stay_small():
    sizes = {
        str(path.relative_to(ROOT)): path.stat().st_size for path in (PACKAGE / "assets").rglob("*") if path.is_file()
    }
    assert sum(sizes.values()) < 40e6, sizes
