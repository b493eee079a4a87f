# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""`vidgen eval`: scores a model, or any other system's videos, in worlds whose truth is known."""

import contextlib
import dataclasses
import hashlib
import json
import math
import os
import sys
import textwrap
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from vidgen.cli.verbs import dispatch
from vidgen.config import parse_arguments

if TYPE_CHECKING:
    from vidgen.eval.suite import Case, Setting, Suite
    from vidgen.eval.systems import Folder, Model
    from vidgen.eval.world import Entrants, Report

HELP = """\
usage: vidgen eval COMMAND ...

Scores a model, or any other system's videos, in simulated worlds whose truth is known.

commands:
  world    run the benchmark and write a report: JSON, Markdown and an HTML page
  cases    write the benchmark's prompts into a file, so that another system can be run on them
  suites   list the suites

options:
  -h, --help   show this page; "vidgen eval COMMAND --help" shows the page of a command

examples:
  vidgen eval world --out report
  vidgen eval world --suite identity --suite relation --n 50 --out report
  vidgen eval cases --n 100 --out prompts.jsonl
  vidgen eval world --videos my-videos --prompts prompts.jsonl --n 100 --out mine
"""

WORLD_EXAMPLES = """
examples:
  vidgen eval world --out report
  vidgen eval world --model runs/clips/model --n 50 --out report
  vidgen eval world --suite relation --suite vbench-relation --floors-only --n 500 --controls 500 --out floors
  vidgen eval world --videos my-videos --prompts prompts.jsonl --n 100 --out mine

An interrupted run goes on where it stopped when the same command is given again.
"""
CASES_EXAMPLES = """
examples:
  vidgen eval cases --out prompts.jsonl
  vidgen eval cases --suite relation --n 50 --out prompts.jsonl

Make a video of each line's prompt, save it under the line's file name into one folder, and score the folder with
'vidgen eval world --videos DIR --prompts prompts.jsonl', with the same --suite, --n, --seed, --frames and --model.
"""

MAX_CASES = 100_000


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """Options that say which cases are drawn."""

    suite: Annotated[
        tyro.conf.UseAppendAction[tuple[str, ...]], tyro.conf.arg(metavar="NAME", help_behavior_hint="(default: all)")
    ] = ()
    """A suite; may be given several times. 'vidgen eval suites' lists them."""
    n: Annotated[int, tyro.conf.arg(metavar="N")] = 200
    """Cases of a suite."""
    seed: Annotated[int, tyro.conf.arg(metavar="N")] = 0
    """The start of the random numbers; the same seed gives the same cases, and the same report."""
    frames: Annotated[
        int | None, tyro.conf.arg(metavar="N", help_behavior_hint="(default: the model's most, or 17)")
    ] = None
    """Frames of the longest clip to ask for."""


@dataclass(frozen=True, kw_only=True)
class World(Drawn):
    """Scores a model, or any videos, in simulated worlds whose truth is known, and writes a report."""

    out: Annotated[Path, tyro.conf.arg(metavar="DIR", help_behavior_hint="(required)")]
    """The folder of the report; clips and readings are kept there, too, and used again."""
    model: Annotated[
        str | None,
        tyro.conf.arg(metavar="NAME|DIR", help_behavior_hint='(default: "default", unless --videos is given)'),
    ] = None
    """The model to score: "default" ships in the package, or the folder of one that you trained."""
    videos: Annotated[Path | None, tyro.conf.arg(metavar="DIR", help_behavior_hint="(default: none)")] = None
    """Score the videos in this folder instead of a model."""
    prompts: Annotated[Path | None, tyro.conf.arg(metavar="FILE", help_behavior_hint="(default: none)")] = None
    """What --videos shows: a .jsonl file with "file" and "prompt" a line, or a .txt file with a prompt a line."""
    steps: Annotated[int | None, tyro.conf.arg(metavar="N", help_behavior_hint="(default: the model's own)")] = None
    """Steps of the sampler."""
    guidance: Annotated[float | None, tyro.conf.arg(metavar="W", help_behavior_hint="(default: the model's own)")] = (
        None
    )
    """How strongly the prompt pulls."""
    floors_only: Annotated[bool, tyro.conf.arg(help_behavior_hint="(default: off)")] = False
    """Score the true renders alone, straight and through the model's VAE."""
    untrained: Annotated[bool, tyro.conf.arg(help_behavior_hint="(default: off)")] = False
    """Also sample the model with untrained weights, as a control."""
    controls: Annotated[int, tyro.conf.arg(metavar="N")] = 96
    """Cases on which controls are measured, the first of all."""
    workers: Annotated[int | None, tyro.conf.arg(metavar="N", help_behavior_hint="(default: one a core)")] = None
    """Processes that measure clips."""


@dataclass(frozen=True, kw_only=True)
class Cases(Drawn):
    """Writes the prompts of the benchmark into a file, so that another system can be run on them."""

    out: Annotated[Path, tyro.conf.arg(metavar="FILE.jsonl", help_behavior_hint="(required)")]
    """The file to write: a JSON object a line, with prompt, file, frames, fps, width and height."""
    model: Annotated[str | None, tyro.conf.arg(metavar="NAME|DIR", help_behavior_hint="(default: none)")] = None
    """Take the concepts, the size and the length from this model's card."""


def run(argv: Sequence[str]) -> None:
    """Runs the command; bad input is a `ValueError` or an `OSError`."""
    dispatch("eval", HELP, {"world": world, "cases": cases, "suites": suites}, argv)


def suites(argv: Sequence[str]) -> None:
    """`vidgen eval suites`."""
    if {"-h", "--help"} & set(argv):
        print("usage: vidgen eval suites\n\nLists the suites.\n\nexamples:\n  vidgen eval suites")
        return
    if argv:
        raise ValueError(f"'vidgen eval suites' takes no arguments, got {argv[0]!r}.")

    from vidgen.eval.suites.catalog import SUITES

    for suite in SUITES:
        print(f"{suite.name}\n{textwrap.indent(textwrap.fill(suite.definition, 96), '  ')}")


def cases(argv: Sequence[str]) -> None:
    """`vidgen eval cases`."""
    options: Cases = parse_arguments(Cases, argv, prog="vidgen eval cases", epilog=CASES_EXAMPLES)
    check_numbers(options.n, options.seed, options.frames)
    if options.out.suffix != ".jsonl":
        raise ValueError(f"--out must end in .jsonl, got {str(options.out)!r}.")
    if not options.out.parent.is_dir():
        raise FileNotFoundError(f"There is no folder {str(options.out.parent)!r} to write into: make it first.")

    from vidgen.eval.suites.catalog import choose

    setting = setting_of(options.model, options.frames)
    lines = list(case_lines(choose(options.suite), setting, options.n, options.seed))
    options.out.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    print(f"{options.out}: {len(lines)} prompts")


def case_lines(chosen: "Sequence[Suite]", setting: "Setting", n: int, seed: int) -> Iterator[dict]:
    """One object a prompt; a prompt that several cases have is written once. Suites that do not apply are told."""
    from vidgen.eval.suite import NotApplicableError
    from vidgen.eval.systems import flat, one_line

    seen: set[str] = set()
    sources = {suite.source.name: suite.source for suite in chosen if suite.made == "prompt"}
    for source in sources.values():
        try:
            drawn: Sequence[Case] = flat(source.draw(setting, n, seed))
        except NotApplicableError as error:
            print(f"note: no cases of {source.name}: {error}", file=sys.stderr)
            continue
        if any(case.given for case in drawn):
            print(f"note: no cases of {source.name}: they give first frames besides a prompt", file=sys.stderr)
            continue
        for case in drawn:
            prompt = one_line(case.prompt)
            if prompt not in seen:
                seen.add(prompt)
                scene = case.scene
                yield {"prompt": prompt, "file": f"{source.name}-{len(seen):05d}.mp4", "frames": scene.frames,
                       "fps": setting.fps, "width": scene.width, "height": scene.height}  # fmt: skip


def world(argv: Sequence[str]) -> None:
    """`vidgen eval world`."""
    options: World = parse_arguments(
        World, argv, prog="vidgen eval world", epilog=WORLD_EXAMPLES, markers=(tyro.conf.FlagCreatePairsOff,)
    )
    check_numbers(options.n, options.seed, options.frames)
    check_world(options)

    from vidgen.eval import pages
    from vidgen.eval.suites.catalog import choose
    from vidgen.eval.world import Options, evaluate

    chosen = choose(options.suite)
    options.out.mkdir(parents=True, exist_ok=True)
    notes: set[str] = set()
    entrants = entrants_of(options, notes.add)
    workers = options.workers or os.cpu_count() or 1
    run_options = Options(options.out, options.n, options.seed, workers, options.controls)
    with _progress() as progress:
        report = evaluate(chosen, entrants, run_options, progress)
    for note in sorted(notes):
        print(f"note: videos were fitted: {note}", file=sys.stderr)
    files = pages.write(report)
    print(headlines(report))
    for file in files:
        print(file)


def check_numbers(n: int, seed: int, frames: int | None) -> None:
    """Raises a `ValueError` for a number that cannot be run."""
    if not 1 <= n <= MAX_CASES:
        raise ValueError(f"--n must be from 1 to {MAX_CASES}, got {n}.")
    if not 0 <= seed < 2**20:
        raise ValueError(f"--seed must be from 0 to {2**20 - 1}, got {seed}.")
    if frames is not None and frames < 1:
        raise ValueError(f"--frames must be at least 1, got {frames}.")


def check_world(options: World) -> None:
    """Raises a `ValueError` for options that do not go together."""
    if (options.videos is None) != (options.prompts is None):
        raise ValueError("--videos and --prompts go together: give both or neither.")
    if options.videos is not None and options.floors_only:
        raise ValueError("--floors-only scores no videos: leave out --videos and --prompts.")
    if options.untrained and (options.floors_only or options.videos is not None):
        raise ValueError("--untrained is a control of a model that is scored: leave out --floors-only and --videos.")
    if options.controls < 1:
        raise ValueError(f"--controls must be at least 1, got {options.controls}.")
    if options.workers is not None and options.workers < 1:
        raise ValueError(f"--workers must be at least 1, got {options.workers}.")
    if options.steps is not None and options.steps < 1:
        raise ValueError(f"--steps must be at least 1, got {options.steps}.")
    if options.guidance is not None and not (math.isfinite(options.guidance) and options.guidance >= 0):
        raise ValueError(f"--guidance must be 0 or more, got {options.guidance:g}.")
    if options.out.exists() and not options.out.is_dir():
        raise NotADirectoryError(f"{str(options.out)!r} is a file: give --out the name of a folder.")


def setting_of(model: str | None, frames: int | None) -> "Setting":
    """What cases are drawn for: by a model's card, or what suits any system."""
    from vidgen.eval.suite import Setting

    setting = Setting()
    if model is not None:
        from vidgen.eval.systems import card_setting
        from vidgen.sample.card import Card
        from vidgen.sample.pipeline import load_card

        setting = card_setting(Card.from_dict(load_card(model)))
    return setting if frames is None else dataclasses.replace(setting, frames=frames)


def entrants_of(options: World, note: Callable[[str], None]) -> "Entrants":
    """The system, the VAE and the controls that the options ask for."""
    from vidgen.eval.world import Entrants

    if options.videos is not None and options.prompts is not None:
        from vidgen.eval.systems import read_folder

        setting = setting_of(options.model, options.frames)
        folder: Folder = read_folder(options.videos, options.prompts, setting, note)
        return Entrants(setting, folder)

    from vidgen.compilation import enable_compilation_cache
    from vidgen.sample.autoencoder import load_autoencoder
    from vidgen.sample.pipeline import model_folder

    name = options.model or "default"
    setting = setting_of(name, options.frames)
    enable_compilation_cache()
    if options.floors_only:
        return Entrants(setting, vae=load_autoencoder(model_folder(name) / "vae.safetensors"))
    model = load_model(options, name)
    return Entrants(setting, model, model.autoencoder, untrained(model, options.seed) if options.untrained else None)


def load_model(options: World, name: str) -> "Model":
    """The model that is scored, with the sampler's settings."""
    from vidgen.eval.systems import Model
    from vidgen.sample.card import Card
    from vidgen.sample.pipeline import load_pipeline, model_folder

    digest = hashlib.sha256()
    for file in ("vae.safetensors", "dit.safetensors"):
        digest.update((model_folder(name) / file).read_bytes())
    pipeline = load_pipeline(name)
    return Model(pipeline, Card.from_dict(pipeline.card), digest.hexdigest()[:12], options.steps, options.guidance)


def untrained(model: "Model", seed: int) -> "Model":
    """The same networks before training; the VAE stays, so that what it draws are pictures."""
    import jax

    from vidgen.train.dit import init_params

    params = {**init_params(model.pipeline.networks, "", jax.random.key(seed)), "vae": model.pipeline.params["vae"]}
    pipeline = dataclasses.replace(model.pipeline, params=params)
    return dataclasses.replace(model, pipeline=pipeline, weights=f"{model.weights}-untrained-{seed}")


def headlines(report: "Report") -> str:
    """One line a suite: the system's headline beside the floors; and what is not as it must be."""
    from vidgen.eval.wording import estimate_of, full, title, verdict

    lines = []
    for result in report.results:
        headline = result.suite.scores[0]
        lines.append(f"{result.suite.name}: {headline.title}")
        if result.not_applicable:
            lines.append(f"  not applicable: {result.not_applicable}")
        lines += [
            f"  {title(column, report)}: {full(estimate_of(result, column, headline), headline.unit)}"
            for column in result.columns
            if ", " not in column
        ]
    lines += [
        f"warning: {suite.name}, {title(check.column, report)}: {verdict(check, suite)}"
        for suite, check in report.failed
    ]
    return "\n".join(lines)


@contextlib.contextmanager
def _progress() -> Iterator[Callable[[str, int, int], None]]:
    """Yields a function of (what, done, of how many) that draws bars on stderr, or that tells there what is done."""
    if not sys.stderr.isatty():
        yield _tell
        return
    from rich.console import Console
    from rich.progress import MofNCompleteColumn, Progress, TaskID

    with Progress(*Progress.get_default_columns(), MofNCompleteColumn(), console=Console(stderr=True)) as bars:
        tasks: dict[str, TaskID] = {}

        def update(title: str, done: int, total: int) -> None:
            if title not in tasks:
                tasks[title] = bars.add_task(title, total=total)
            bars.update(tasks[title], completed=done, total=total)

        yield update


def _tell(title: str, done: int, total: int) -> None:
    if done == total and total:
        print(f"{title}: {total}", file=sys.stderr)
