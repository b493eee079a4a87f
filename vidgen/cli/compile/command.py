# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""`vidgen compile`: whether an experiment fits a TPU slice, and how fast it can be, as the TPU compiler says."""

import dataclasses
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro

from vidgen.config import load_experiment, override, parse_known
from vidgen.parallel.topology import Topology, parse_topology

DESCRIPTION = """\
Compiles an experiment's training step or sampler for a TPU slice with the real
TPU compiler, without a TPU, without data and without weights, and says whether
it fits, what it computes, moves and sends, and how fast it can be at best.

Every field of the experiment can be changed, as in --mesh.fsdp 8: 'vidgen
train EXPERIMENT.py --help' lists them. The exit status is 0 if it fits, 1 if
not. It needs libtpu: pip install "vidgen[aot]".
"""
EXAMPLES = """
examples:
  vidgen compile experiments/wan_1_3b.py --topology v6e:4x4 --mesh.sequence 2 --data.0.batch-size 8
  vidgen compile experiments/wan_1_3b.py --topology v5e:1x1 --mode sample --mesh.fsdp 1
  vidgen compile experiments/wan_14b.py --topology v5p:8x8x8 --cost 4.2 --json wan.json
  vidgen compile experiments/wan_1_3b.py --topology v6e:4x4 --search
"""


@dataclass(frozen=True)
class Compile:
    """Options of the command."""

    experiment: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="EXPERIMENT.py")]
    """The experiment file, which defines get_config()."""
    topology: Annotated[str, tyro.conf.arg(metavar="GENERATION:SHAPE", help_behavior_hint="(required)")]
    """The slice, such as v5p:8x8x8; one that does not exist lists those that do."""
    slices: int = 1
    """How many such slices, joined by the data-centre network."""
    mode: Literal["train", "sample"] = "train"
    """What to compile: a training step, or the whole sampler."""
    clips: int = 1
    """How many clips to sample at once; a training step takes the experiment's batch."""
    fps: float = 16.0
    """Frames in a second of video."""
    cost: Annotated[float | None, tyro.conf.arg(metavar="PRICE")] = None
    """Price of a chip-hour, to say what a step and a second of video cost."""
    json: Annotated[Path | None, tyro.conf.arg(metavar="FILE")] = None
    """Where all figures are written."""
    hlo: Annotated[Path | None, tyro.conf.arg(metavar="FILE")] = None
    """Where the text of the compiled program is written; not for --search."""
    search: bool = False
    """Compile for several meshes, batch sizes and remat policies, and rank those that fit."""
    limit: int = 24
    """How many of them are compiled at most."""


def run(argv: Sequence[str]) -> None:
    """Runs the command; bad input is a `ValueError` or an `OSError`, what does not fit a `SystemExit` of 1."""
    if argv and argv[0].startswith("-") and not {"-h", "--help"} & set(argv):
        raise ValueError(f"The experiment file comes first: vidgen compile EXPERIMENT.py ..., got {argv[0]!r}.")
    options, overrides = parse_known(Compile, argv, prog="vidgen compile", description=DESCRIPTION, epilog=EXAMPLES)
    topology = check(options)
    config = override(load_experiment(options.experiment), overrides, prog=f"vidgen compile {options.experiment}")
    if options.search:
        _search(options, overrides, topology, config)
    else:
        _compile(options, overrides)


def check(options: Compile) -> Topology:
    """The slice that was asked for.

    Raises:
        ValueError: there is no such slice, or a number is out of its range.
        OSError: the file for the figures cannot be written.
    """
    topology = parse_topology(options.topology)
    for name in ("slices", "clips", "limit"):
        if getattr(options, name) < 1:
            raise ValueError(f"--{name} is {getattr(options, name)}; it must be 1 or more")
    for name, value in (("fps", options.fps), ("cost", options.cost)):
        if value is not None and not (math.isfinite(value) and value > 0):
            raise ValueError(f"--{name} is {value}; it must be above 0")
    if options.mode == "train" and options.clips != 1:
        raise ValueError("--clips is for --mode sample; a training step takes the experiment's batch size")
    for name, file in (("json", options.json), ("hlo", options.hlo)):
        if file is not None and (file.is_dir() or not file.absolute().parent.is_dir()):
            raise FileNotFoundError(f"--{name} {file}: give a file in a folder that exists")
    if options.search and options.hlo is not None:
        raise ValueError("--hlo is for one program; --search compiles many: leave one of them out")
    return topology


def _request(options: Compile, overrides: Sequence[str]) -> dict[str, Any]:
    return {
        "experiment": str(options.experiment), "overrides": list(overrides), "topology": options.topology,
        "slices": options.slices, "mode": options.mode, "clips": options.clips,
    }  # fmt: skip


def _compile(options: Compile, overrides: Sequence[str]) -> None:
    from vidgen.cli.compile import figures, page
    from vidgen.cli.compile.client import Compiler

    screen = page.console()
    # Where the program's text goes is this machine's affair, and not in the figures.
    request, kept = _request(options, overrides), {"hlo": str(options.hlo.absolute())} if options.hlo else {}
    with Compiler() as compiler, page.console(stderr=True).status(f"compiling for {options.topology}"):
        answer = compiler.ask({**request, **kept})
    if memory := figures.refused_memory(answer):
        needed, there = (size / figures.GIB for size in memory)
        _write(options, {"request": request, "fits": False, "needed": memory[0], "capacity": memory[1]})
        screen.print(
            f"does not fit: the compiler refuses it, {needed:.2f} of {there:.2f} GiB a device", highlight=False
        )
        for line in figures.general_advice(options.topology, memory[0] / memory[1]):
            screen.print(f"  - {line}", highlight=False)
        raise SystemExit(1)
    if "error" in answer:
        raise ValueError(answer["error"])
    values = figures.figures(answer, options.fps, options.cost)
    _write(options, {"request": request, "fits": answer["report"]["fits"], **answer, "figures": values})
    screen.print(page.page(answer, values, options.mode), highlight=False)
    if not answer["report"]["fits"]:
        raise SystemExit(1)


def _search(options: Compile, overrides: Sequence[str], topology: Topology, config: Any) -> None:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from vidgen.cli.compile import page, search
    from vidgen.cli.compile.client import Compiler

    shape = _shape(options, config)
    devices = topology.chips * topology.chip.devices * options.slices
    capacity = topology.chip.hbm_bytes / topology.chip.devices
    left = search.candidates(shape, devices, options.slices, options.mode, capacity)
    planned = len(left)
    if not planned:
        raise ValueError(f"no mesh of {options.topology} can hold {options.experiment}: take a larger slice")
    results: list[dict[str, Any]] = []
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    compiled, stopped, correction = 0, False, 1.0
    with Compiler() as compiler, Progress(*columns, console=page.console(stderr=True)) as progress:
        task = progress.add_task("compiling", total=min(options.limit, len(left)))
        try:
            while left and compiled < options.limit:
                one = search.promising(left, shape, capacity, correction)
                left.remove(one)
                progress.update(
                    task, description=f"{' '.join(map(str, one.mesh.values()))}, {one.clips} clips {one.remat or ''}"
                )
                results.append(_try(compiler, options, overrides, one, shape, results))
                compiled += not results[-1]["skipped"]
                progress.update(task, completed=compiled)
                if "memory" in results[-1]:  # half way, in logarithms, from what was thought to what was seen
                    correction = math.sqrt(correction * results[-1]["memory"] / one.memory(shape))
                _write(options, {"complete": not left or compiled == options.limit, "results": results})
        except KeyboardInterrupt:
            stopped = True
    best = search.ranked(results)
    other = [one["error"] for one in results if "error" in one and not one["too_large"]]
    if len(other) == len(results) and not stopped:  # nothing was compiled, so that size is not what is wrong
        raise ValueError(other[0])
    page.console().print(page.ranking(best, len(results), planned), highlight=False)
    if stopped:
        raise KeyboardInterrupt
    if not best:
        raise SystemExit(1)


def _try(
    compiler: Any, options: Compile, overrides: Sequence[str], one: Any, shape: Any, results: list[dict[str, Any]]
) -> dict[str, Any]:
    """What one candidate gives: whether it fits and its figures, or why not."""
    from vidgen.cli.compile import figures
    from vidgen.cli.compile.search import Candidate

    chosen = one.options(shape) + ([] if one.remat else ["--clips", str(one.clips)])
    found: dict[str, Any] = {**dataclasses.asdict(one), "options": chosen, "fits": False, "skipped": False}
    too_large = [Candidate(**entry["candidate"]) for entry in results if entry.get("too_large")]
    found["candidate"] = dataclasses.asdict(one)
    if any(one.at_least(other) for other in too_large):
        return {**found, "skipped": True, "too_large": True, "error": "needs more than what does not fit"}
    # The options of the candidate come last, and so count.
    request = _request(dataclasses.replace(options, clips=1 if one.remat else one.clips), overrides)
    request["overrides"] += one.options(shape)
    answer = compiler.ask(request)
    if memory := figures.refused_memory(answer):
        return {**found, "too_large": True, "memory": memory[0], "error": answer["error"]}
    if "error" in answer:
        return {**found, "too_large": False, "error": answer["error"]}
    values, report = figures.figures(answer, options.fps, options.cost), answer["report"]
    return {
        **found, **values, "fits": report["fits"], "too_large": not report["fits"], "memory": report["peak"],
        "video_per_chip_hour_estimate": values["video_per_chip_hour"]
        * report["roofline_seconds"] / values["estimate_seconds"],
        "report": report,
    }  # fmt: skip


def _shape(options: Compile, config: Any) -> Any:
    """What the search must know of the experiment.

    Raises:
        ValueError: it does not train a diffusion transformer.
    """
    from vidgen.cli.compile.search import Shape
    from vidgen.train.dit import DiTTraining

    if not isinstance(config, DiTTraining):
        raise ValueError(
            f"--search is for experiments of DiTTraining; {options.experiment} is a {type(config).__name__}"
        )
    model = config.model
    tokens = config.packing.tokens if config.packing.rows else config.streams().largest()[1]
    return Shape(model.width, model.layers, model.heads, model.hidden, tokens, config.batch_option())


def _write(options: Compile, values: dict[str, Any]) -> None:
    if options.json is None:
        return
    unfinished = options.json.with_name(options.json.name + ".unfinished")
    unfinished.write_text(json.dumps(values, indent=2) + "\n", encoding="utf-8")
    unfinished.replace(options.json)
