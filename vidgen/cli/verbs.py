# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Verbs of verbs: `vidgen data list`, `vidgen eval world` and their like."""

import difflib
from collections.abc import Callable, Mapping, Sequence


def dispatch(
    verb: str, page: str, commands: Mapping[str, Callable[[Sequence[str]], None]], argv: Sequence[str]
) -> None:
    """Runs the command that argv begins with, or prints the verb's page; ValueError for one that there is not."""
    if not argv or argv[0] in ("-h", "--help", "help"):
        print(page, end="")
    elif argv[0] in commands:
        commands[argv[0]](argv[1:])
    else:
        near = difflib.get_close_matches(argv[0], commands, n=1, cutoff=0.5)
        hint = f"did you mean {near[0]}?" if near else f"the commands are {', '.join(commands)}."
        raise ValueError(f"Unknown command '{verb} {argv[0]}': {hint}")
