# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""`vidgen train`: runs an experiment file, or goes on where it stopped."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from vidgen.config import diff, load_experiment, override, parse_known

DESCRIPTION = """\
Trains a model as an experiment file says; the same command again goes on from
the last checkpoint.

Every field of the experiment's config can be changed by an option, as in
--a.b VALUE: 'vidgen train EXPERIMENT.py --help' lists them.

On several machines give all of them the same command. On a TPU pod they find
each other; elsewhere --coordinator, --processes and --process say how.
"""
EXAMPLES = """
examples:
  vidgen train experiments/first_light/vae.py --workdir runs/vae
  vidgen train experiments/first_light/vae.py --workdir runs/faster --optim.lr 3e-3
  vidgen train experiments/first_light/vae.py --help
  vidgen train experiments/first_light/vae.py --workdir gs://my-bucket/vae --mesh.fsdp -1
  tensorboard --logdir runs
"""


@dataclass(frozen=True)
class Train:
    """Options of the command."""

    experiment: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="EXPERIMENT.py")]
    """The experiment file, which defines get_config()."""
    workdir: Annotated[str, tyro.conf.arg(metavar="DIR", help_behavior_hint="(required; made if absent)")]
    """Where checkpoints, logs and samples go: a folder, or a bucket (gs://...)."""
    coordinator: Annotated[
        str, tyro.conf.arg(metavar="HOST:PORT", help_behavior_hint="(default: a TPU pod's, or none)")
    ] = ""
    """Where process 0 can be reached, if several share the work; or JAX_COORDINATOR_ADDRESS."""
    processes: Annotated[int, tyro.conf.arg(metavar="N", help_behavior_hint="(default: a TPU pod's, or 1)")] = 0
    """How many processes share the work; or JAX_NUM_PROCESSES."""
    process: Annotated[int, tyro.conf.arg(metavar="I", help_behavior_hint="(default: a TPU pod's, or 0)")] = -1
    """Which one this is, from 0; or JAX_PROCESS_ID."""


def run(argv: Sequence[str]) -> None:
    """Runs the command; bad input is a `ValueError` or an `OSError`."""
    wants_help = bool({"-h", "--help"} & set(argv))
    if argv and argv[0].startswith("-") and not wants_help:
        raise ValueError(f"The experiment file comes first: vidgen train EXPERIMENT.py ..., got {argv[0]!r}.")
    if wants_help and argv[0].endswith(".py"):
        override(load_experiment(argv[0]), ["--help"], prog=f"vidgen train {argv[0]} --workdir DIR")
    options, overrides = parse_known(Train, argv, prog="vidgen train", description=DESCRIPTION, epilog=EXAMPLES)
    written = load_experiment(options.experiment)
    config = override(written, overrides, prog=f"vidgen train {options.experiment}")
    if Path(options.workdir).is_file():
        raise NotADirectoryError(f"--workdir {options.workdir!r} is a file: give it a folder.")
    for path, before, after in diff(written, config):
        print(f"{path}: {before} -> {after}")

    from etils import epath

    from vidgen import train
    from vidgen.compilation import enable_compilation_cache
    from vidgen.parallel import hosts
    from vidgen.train.loop import NotFiniteError

    hosts.join(options.coordinator, options.processes, options.process)
    enable_compilation_cache()
    try:
        train.run(config, epath.Path(options.workdir))
    except NotFiniteError as error:
        raise SystemExit(str(error)) from error
