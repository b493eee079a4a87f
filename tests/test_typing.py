# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Names of arrays say their dimensions with the letters of the key, and no others."""

import ast
import re
from pathlib import Path

import pytest

from vidgen.typing import DIMENSIONS

PACKAGE = Path(__file__).parents[1] / "vidgen"
SUFFIXED = re.compile(r"[a-z][a-z0-9_]*_([A-Z0-9]*[A-Z][A-Z0-9]*)")


def names_of(source: str) -> set[str]:
    nodes = list(ast.walk(ast.parse(source)))
    names = {node.id for node in nodes if isinstance(node, ast.Name)}
    names |= {node.arg for node in nodes if isinstance(node, ast.arg)}
    return names | {node.attr for node in nodes if isinstance(node, ast.Attribute)}


def foreign_letters(source: str) -> dict[str, set[str]]:
    found = {}
    for name in names_of(source):
        match = SUFFIXED.fullmatch(name)
        letters = {letter for letter in match[1] if letter.isalpha()} if match else set()
        if letters - set(DIMENSIONS):
            found[name] = letters - set(DIMENSIONS)
    return found


def test_names_use_the_dimension_key():
    problems = {str(path): foreign_letters(path.read_text()) for path in PACKAGE.rglob("*.py")}
    assert {path: names for path, names in problems.items() if names} == {}


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("x_BQD = 1", {"x_BQD"}),
        ("def f(k_Z): pass", {"k_Z"}),
        ("s.y_BLX", {"y_BLX"}),
        ("x_BLD = boxes_FN4 + MAX_Q", set()),
    ],
)
def test_a_foreign_letter_is_found(source, names):
    assert set(foreign_letters(source)) == names
