# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""`vidgen data`: lists, builds and looks at data sets."""

import contextlib
import dataclasses
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from vidgen.cli.verbs import dispatch
from vidgen.config import load_experiment, override, parse_arguments, parse_known

HELP = """\
usage: vidgen data COMMAND ...

Lists, builds and looks at data sets.

commands:
  list    the data sets that can be built
  build   build one, from simulated worlds or from a folder of your own videos
  plan    what batches of an experiment hold: fill, tokens, clips of each size
  look    draw some clips of a built data set, with their captions, into a PNG

options:
  -h, --help   show this page; "vidgen data COMMAND --help" shows the page of a command

examples:
  vidgen data list
  vidgen data build worlds --out data/worlds
  vidgen data build folder --folder my-videos --out data/mine
  vidgen data plan experiments/first_light/cells_clips.py
  vidgen data look data/mine --out mine.png
"""

BUILD_EXAMPLES = """
examples:
  vidgen data build worlds --help
  vidgen data build worlds --out data/worlds
  vidgen data build folder --folder my-videos --out data/mine
"""

LOOK_EXAMPLES = """
examples:
  vidgen data look data/worlds
  vidgen data look data/mine --out mine.png --clips 20
"""

PLAN_DESCRIPTION = """\
Says what batches of an experiment hold on average, without data and without
training: how full rows are, and the tokens and clips of each size. A mix that
would starve a size, or a clip longer than a row, is refused.

Every field of the experiment can be changed, as in --packing.tokens 2048:
'vidgen train EXPERIMENT.py --help' lists them.
"""
PLAN_EXAMPLES = """
examples:
  vidgen data plan experiments/first_light/cells_clips.py
  vidgen data plan experiments/first_light/cells_clips.py --packing.rows 4 --packing.tokens 640
"""

SHOWN_SKIPPED = 10


@dataclass(frozen=True)
class Build:
    """Builds a data set. Each has options of its own: 'vidgen data build NAME --help' lists them."""

    name: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="NAME")]
    """The data set: one that 'vidgen data list' names."""
    out: Annotated[Path, tyro.conf.arg(metavar="DIR", help_behavior_hint="(required)")]
    """The folder to make; it must not exist yet."""


@dataclass(frozen=True)
class Look:
    """Draws some clips of a built data set, with their captions, into a PNG."""

    path: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="DIR")]
    """The folder of the data set."""
    out: Annotated[Path, tyro.conf.arg(metavar="FILE.png")] = Path("look.png")
    """The picture to write."""
    clips: Annotated[int, tyro.conf.arg(metavar="N")] = 8
    """How many clips to draw, evenly spaced over the data set."""
    split: Annotated[str | None, tyro.conf.arg(metavar="NAME", help_behavior_hint="(default: the first)")] = None
    """The split to draw from, such as train or heldout."""


@dataclass(frozen=True)
class PlanOptions:
    """Options of `vidgen data plan`."""

    experiment: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="EXPERIMENT.py")]
    """The experiment file, which defines get_config()."""


def run(argv: Sequence[str]) -> None:
    """Runs the command; bad input is a `ValueError` or an `OSError`."""
    dispatch("data", HELP, {"list": list_all, "build": build, "plan": plan, "look": look}, argv)


def list_all(argv: Sequence[str]) -> None:
    """`vidgen data list`."""
    if {"-h", "--help"} & set(argv):
        print("usage: vidgen data list\n\nLists the data sets that can be built.\n\nexamples:\n  vidgen data list")
        return
    if argv:
        raise ValueError(f"'vidgen data list' takes no arguments, got {argv[0]!r}.")

    from vidgen.data import catalog

    for name, summary in catalog.list_datasets():
        print(f"{name:<10} {summary}")


def build(argv: Sequence[str]) -> None:
    """`vidgen data build`."""
    wants_help = bool({"-h", "--help"} & set(argv))
    if argv and argv[0].startswith("-") and not wants_help:
        raise ValueError(f"The data set comes first: vidgen data build NAME ..., got {argv[0]!r}.")
    # "build NAME --help" is the page of that data set, which the generic page does not know.
    of_one = wants_help and not argv[0].startswith("-")
    asked = [argv[0], "--out", "DIR"] if of_one else argv
    options, rest = parse_known(Build, asked, prog="vidgen data build", epilog=BUILD_EXAMPLES)

    from vidgen.data import catalog

    kinds = {entry.name: entry.options for entry in catalog.DATA_SETS}
    if options.name not in kinds:
        raise ValueError(f"There is no data set {options.name!r}: there are {', '.join(kinds)}.")
    prog = f"vidgen data build {options.name}" + (" --out DIR" if of_one else "")
    markers = (tyro.conf.FlagConversionOff,)
    chosen = parse_arguments(kinds[options.name], ["--help"] if of_one else rest, prog=prog, markers=markers)
    values = {field.name: getattr(chosen, field.name) for field in dataclasses.fields(chosen)}
    with _progress() as advance:
        report = catalog.build(options.name, options.out, progress=advance, **values)

    splits = ", ".join(f"{count} {split}" for split, count in report.splits.items())
    print(f"{options.out}: {splits}")
    for skipped in report.skipped[:SHOWN_SKIPPED]:
        print(f"left out {skipped.file}: {skipped.reason}", file=sys.stderr)
    if len(report.skipped) > SHOWN_SKIPPED:
        print(f"left out {len(report.skipped)} files in all: see {options.out / 'build.json'}", file=sys.stderr)


def plan(argv: Sequence[str]) -> None:
    """`vidgen data plan`."""
    if argv and argv[0].startswith("-") and not {"-h", "--help"} & set(argv):
        raise ValueError(f"The experiment file comes first: vidgen data plan EXPERIMENT.py ..., got {argv[0]!r}.")
    options, overrides = parse_known(
        PlanOptions, argv, prog="vidgen data plan", description=PLAN_DESCRIPTION, epilog=PLAN_EXAMPLES
    )
    config = override(load_experiment(options.experiment), overrides, prog=f"vidgen data plan {options.experiment}")

    from rich.console import Console
    from rich.table import Table

    from vidgen.train.dit import DiTTraining

    if not isinstance(config, DiTTraining):
        raise ValueError(f"{options.experiment} is a {type(config).__name__}: a plan is for experiments of DiTTraining")
    streams = config.streams()
    found, table = streams.plan(), Table("clips of", "size", "frames", "tokens a clip", "clips a step", "of all tokens")
    for data, size, clips, share in zip(streams.data, streams.sizes, found.clips_N, found.share_N, strict=True):
        table.add_row(
            data.name,
            f"{data.width}x{data.height}",
            str(data.scenes.frames),
            f"{size.tokens:,}",
            f"{clips:.2f}",
            f"{100 * share:.1f} %",
        )
    console = Console()
    console.print(table)
    rows = "batches of one size each, in turn"
    if streams.packing.rows:
        packing = streams.rows
        rows = f"{packing.rows} rows of {packing.tokens:,} tokens, at most {packing.clips} clips in each"
        rows += f" and {packing.text:,} tokens of captions"
    print(f"{rows}; {found.tokens:,.0f} tokens a step, {100 * found.fill:.1f} % filled")


def look(argv: Sequence[str]) -> None:
    """`vidgen data look`."""
    options: Look = parse_arguments(Look, argv, prog="vidgen data look", epilog=LOOK_EXAMPLES)
    if options.out.suffix.lower() != ".png":
        raise ValueError(f"--out must end in .png, got {str(options.out)!r}.")
    if options.clips < 1:
        raise ValueError(f"--clips must be at least 1, got {options.clips}.")
    if not options.out.parent.is_dir():
        raise FileNotFoundError(f"There is no folder {str(options.out.parent)!r} to write into: make it first.")

    from vidgen.data import catalog

    catalog.look(options.path, options.out, options.clips, options.split)
    print(options.out)


@contextlib.contextmanager
def _progress() -> Iterator[Callable[[int, int], None] | None]:
    """Yields a function of (done, of how many) that draws a bar on stderr, or None where nobody watches."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import MofNCompleteColumn, Progress

    with Progress(*Progress.get_default_columns(), MofNCompleteColumn(), console=Console(stderr=True)) as bar:
        task = bar.add_task("building", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
