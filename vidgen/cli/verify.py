# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""`vidgen verify`: where files come from."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from vidgen.config import parse_arguments

DESCRIPTION = """\
Tells where videos and pictures come from: whether they carry a signed manifest
(C2PA) and are unchanged since, whether they bear vidgen's marks, and whether
they look like clips of the model inside the package. Exit status 1 if a file
was changed since it was signed.
"""
EXAMPLES = """
examples:
  vidgen verify astronaut.mp4
  vidgen verify *.mp4 --html report.html
  vidgen verify astronaut.mp4 --json
"""


@dataclass(frozen=True)
class Verify:
    """Options of the command."""

    files: Annotated[
        tyro.conf.Positional[tuple[Path, ...]], tyro.conf.arg(metavar="FILE ...", help_behavior_hint="(required)")
    ]
    """Videos and pictures."""
    json: Annotated[bool, tyro.conf.arg(help_behavior_hint="(default: off)")] = False
    """Print a JSON object a line for each file."""
    html: Annotated[Path | None, tyro.conf.arg(metavar="FILE", help_behavior_hint="(default: none)")] = None
    """Write a page with the frames."""


def run(argv: Sequence[str]) -> None:
    """Runs the command; bad input is a `ValueError` or an `OSError`."""
    options: Verify = parse_arguments(
        Verify,
        argv,
        prog="vidgen verify",
        description=DESCRIPTION,
        epilog=EXAMPLES,
        markers=(tyro.conf.FlagCreatePairsOff,),
    )
    if not options.files:
        raise ValueError("No file was given: name the videos and pictures to look at.")
    for file in options.files:
        if not file.is_file():
            raise FileNotFoundError(f"There is no file {str(file)!r}.")
    if options.html is not None and not options.html.absolute().parent.is_dir():
        raise FileNotFoundError(f"There is no folder {str(options.html.parent)!r} to write {options.html.name!r} into.")

    from vidgen.eval.verify import errors, summary, verify_file
    from vidgen.eval.verify_page import page

    verdicts = []
    for file in options.files:
        verdict = verify_file(file)
        verdicts.append(verdict)
        if options.json:
            print(json.dumps(verdict.to_dict()))
            continue
        print(file)
        for name, said in summary(verdict):
            print(f"  {name + ':':<18} {said}")
    if not options.json:
        print("what is known of errors")
        for name, known in errors().items():
            print(f"  {name + ':':<18} {known}")
    if options.html is not None:
        options.html.write_text(page(verdicts), encoding="utf-8")
        if not options.json:
            print(options.html)
    if any(verdict.manifest.state == "tampered" for verdict in verdicts):
        raise SystemExit(1)
