# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""No path imports PyTorch or TensorFlow, and the command line starts without JAX."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FORBIDDEN = ("torch", "tensorflow")
MODULES = sorted(
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    for path in (ROOT / "vidgen").rglob("*.py")
)

IMPORT_ALL = f"""
import importlib, sys
for name in {MODULES}:
    importlib.import_module(name)
print(sorted(set({FORBIDDEN}) & set(sys.modules)))
"""

# A finder that is asked before all others sees attempts, also those whose failure somebody catches.
RECORD_ATTEMPTS = """
import sys
class Recorder:
    attempts = []
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == "vidgen":
            return None
        self.attempts.append(name.split(".")[0])
sys.meta_path.insert(0, Recorder())
from vidgen.cli.main import main
main(["--help"])
print(sorted({"jax", "flax", "numpy", "tensorflow", "torch"} & set(Recorder.attempts)), file=sys.stderr)
"""


def run_python(code: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "-c", code]
    environment = os.environ | {"JAX_PLATFORMS": "cpu"}
    result = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT, env=environment)
    assert result.returncode == 0, result.stderr
    return result


def test_importing_everything_imports_neither_torch_nor_tensorflow():
    assert run_python(IMPORT_ALL).stdout.strip() == "[]"


def forbidden_imports(source: str) -> set[str]:
    """Names of forbidden packages that a source file imports, inside functions and under `if` too."""
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.split(".")[0])
        elif isinstance(node, ast.Call) and ast.unparse(node.func) in ("importlib.import_module", "__import__"):
            names |= {arg.value.split(".")[0] for arg in node.args if isinstance(arg, ast.Constant)}
    return names & set(FORBIDDEN)


def test_no_file_imports_torch_or_tensorflow():
    files = [path for folder in ("vidgen", "experiments") for path in (ROOT / folder).rglob("*.py")]
    assert {
        str(path): forbidden_imports(path.read_text()) for path in files if forbidden_imports(path.read_text())
    } == {}


@pytest.mark.parametrize(
    "source",
    [
        "import torch",
        "import tensorflow.io as io",
        "def f():\n    from torch import nn",
        "import importlib\nimportlib.import_module('tensorflow.data')",
    ],
)
def test_a_forbidden_import_is_found(source):
    assert forbidden_imports(source)


def test_a_harmless_import_is_not():
    assert not forbidden_imports("import tensorflow_datasets, torchlike\nfrom .torch import x")


def test_the_help_page_needs_no_numerical_library():
    assert run_python(RECORD_ATTEMPTS).stderr.strip() == "[]"
