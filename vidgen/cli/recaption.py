# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""`vidgen recaption`: new captions for a data set or a folder of videos, by any number of processes together."""

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from vidgen.config import parse_arguments

if TYPE_CHECKING:
    from vidgen.data.builders.recaptioned import Examples

DESCRIPTION = """\
Writes a new caption for every clip of a data set or of a folder of videos, and
a data set that has the old ones and the new ones. Start the same command as
often as you like, on as many machines as share the folder of --out: they
divide the work, and what a process that dies leaves over is taken by another.
"""
EXAMPLES = """
examples:
  vidgen recaption data/worlds --out data/worlds-described
  vidgen recaption my-videos --out data/mine --width 64 --height 64 --frames 17
  vidgen recaption data/worlds --style short --out data/worlds-short
"""


@dataclass(frozen=True)
class RecaptionCommand:
    """Options of the command."""

    source: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="DATASET|DIR")]
    """A data set that 'vidgen data build' made, or a folder of videos."""
    out: Annotated[Path, tyro.conf.arg(metavar="DIR", help_behavior_hint="(required)")]
    """The data set to make."""
    model: Annotated[str, tyro.conf.arg(metavar="NAME|DIR")] = "default"
    """The captioner: "default" ships in the package, or the folder of one that you trained."""
    style: Literal["short", "descriptive", "events"] = "descriptive"
    """What is there; everything; or what happens and when."""
    beams: Annotated[int, tyro.conf.arg(metavar="N")] = 1
    """Texts that are kept side by side while the best one is looked for."""
    split: Annotated[str, tyro.conf.arg(metavar="NAME")] = "train"
    """The split of a data set."""
    fps: Annotated[float, tyro.conf.arg(metavar="N")] = 8.0
    """Frames a second of a data set's clips, and of those that are cut from videos of a folder."""
    width: Annotated[int, tyro.conf.arg(metavar="N")] = 64
    """Of the clips of a folder, in pixels."""
    height: Annotated[int, tyro.conf.arg(metavar="N")] = 64
    """Of the clips of a folder, in pixels."""
    frames: Annotated[int, tyro.conf.arg(metavar="N")] = 17
    """Of the clips of a folder."""
    batch: Annotated[int, tyro.conf.arg(metavar="N")] = 32
    """Clips that are read at once, over all devices of this process."""
    shard: Annotated[int, tyro.conf.arg(metavar="N")] = 256
    """Clips that a process takes at a time."""
    lease: Annotated[float, tyro.conf.arg(metavar="S")] = 120.0
    """Seconds without a sign of life after which another process takes a shard; longer than a batch takes."""


def run(argv: Sequence[str]) -> None:
    """Runs the command; bad input is a `ValueError` or an `OSError`."""
    options: RecaptionCommand = parse_arguments(
        RecaptionCommand, argv, prog="vidgen recaption", description=DESCRIPTION, epilog=EXAMPLES
    )
    if not options.source.is_dir():
        raise FileNotFoundError(f"There is no folder {str(options.source)!r}.")
    if min(options.batch, options.shard, options.beams) < 1 or options.lease <= 0:
        raise ValueError("--batch, --shard and --beams must be at least 1, and --lease above 0.")

    import jax

    from vidgen.compilation import enable_compilation_cache
    from vidgen.parallel.mesh import MeshConfig, make_mesh
    from vidgen.sample.captioner import load_captioner
    from vidgen.sample.recaption import RecaptionConfig, problems, recaption

    devices = jax.local_devices()
    if options.batch % len(devices):
        raise ValueError(f"--batch {options.batch} cannot be divided over {len(devices)} devices: give a multiple.")
    enable_compilation_cache()
    mesh = make_mesh(MeshConfig(data=len(devices)), devices) if len(devices) > 1 else None
    captioner = load_captioner(options.model, mesh)
    config = RecaptionConfig(
        style=options.style, beams=options.beams, shard=options.shard, batch=options.batch, lease=options.lease
    )
    options.out.parent.mkdir(parents=True, exist_ok=True)
    began = time.perf_counter()
    report = recaption(examples_of(options), captioner, options.out, config, lambda line: print(line, file=sys.stderr))
    spent = time.perf_counter() - began
    print(f"{options.out}: {report.count} clips in {spent:.1f} s")
    for what, ids in problems(options.out).items():
        shown = ", ".join(ids[:5]) + (", ..." if len(ids) > 5 else "")
        print(f"no new caption for {len(ids)} ({what}): {shown}", file=sys.stderr)


def examples_of(options: RecaptionCommand) -> "Examples":
    """What the command is about: a data set, if the folder is one, or its videos."""
    from vidgen.data.builders.clips import REPORT_FILE
    from vidgen.data.builders.folder import FolderOptions
    from vidgen.data.builders.recaptioned import DataSetExamples, FolderExamples

    if (options.source / REPORT_FILE).exists():
        return DataSetExamples(options.source, options.split, options.fps)
    size = {"width": options.width, "height": options.height, "fps": options.fps, "frames": options.frames}
    return FolderExamples(FolderOptions(folder=options.source, **size))
