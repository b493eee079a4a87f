# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""`vidgen weights`: looks into weights, checks and rewrites a public model's, and merges what adapts a model."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from vidgen.cli.verbs import dispatch
from vidgen.config import parse_arguments

if TYPE_CHECKING:
    from vidgen.sample.public import Part
    from vidgen.weights.files import Weights

HELP = """\
usage: vidgen weights COMMAND ...

Looks into weights, checks a public model's, writes them in another type, and merges what adapts a model.
Weights are safetensors files, or folders of them; pickles are refused.

commands:
  inspect   what a file or a folder holds: names, shapes, types, how many
  verify    whether every weight of a public model (Wan 2.1, DiT, SiT) has its place
  import    write a public model as one of vidgen's own, from which runs can start
  export    write a public model again, in another type or in files of another size; an imported one as it was
  merge     write a model with a low-rank adaptation (lora.safetensors) merged into it

options:
  -h, --help   show this page; "vidgen weights COMMAND --help" shows the page of a command

examples:
  vidgen weights inspect Wan2.1-T2V-1.3B-Diffusers/transformer
  vidgen weights verify Wan2.1-T2V-1.3B-Diffusers
  vidgen weights export Wan2.1-T2V-1.3B-Diffusers --out wan-bfloat16 --dtype bfloat16
"""
INSPECT_EXAMPLES = """
examples:
  vidgen weights inspect runs/vae/model/vae.safetensors
  vidgen weights inspect Wan2.1-T2V-1.3B-Diffusers/transformer
"""
VERIFY_EXAMPLES = """
examples:
  vidgen weights verify Wan2.1-T2V-1.3B-Diffusers
"""
IMPORT_EXAMPLES = """
examples:
  vidgen weights import DiT-XL-2-256 --out dit
"""
EXPORT_EXAMPLES = """
examples:
  vidgen weights export Wan2.1-T2V-1.3B-Diffusers --out wan-bfloat16 --dtype bfloat16
"""
MERGE_EXAMPLES = """
examples:
  vidgen weights merge default runs/mine/model/lora.safetensors --out mine
  vidgen weights merge default runs/mine/model/lora.safetensors --strength 0.5 --out half
"""


@dataclass(frozen=True)
class Inspect:
    """Options of `vidgen weights inspect`."""

    path: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="PATH")]
    """A .safetensors file, or a folder of them."""


@dataclass(frozen=True)
class Verify:
    """Options of `vidgen weights verify`."""

    model: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="DIR")]
    """The model's folder, as diffusers saves it."""


@dataclass(frozen=True)
class Import:
    """Options of `vidgen weights import`."""

    model: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="DIR")]
    """The model's folder, as diffusers saves it."""
    out: Annotated[Path, tyro.conf.arg(metavar="DIR", help_behavior_hint="(required)")]
    """The folder to make; it must not exist yet."""
    dtype: Literal["keep", "float32", "bfloat16", "float16"] = "keep"
    """The type to write; "keep" leaves each weight's own."""


@dataclass(frozen=True)
class Export:
    """Options of `vidgen weights export`."""

    model: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="DIR")]
    """The model's folder, as diffusers saves it, or one that was imported."""
    out: Annotated[Path, tyro.conf.arg(metavar="DIR", help_behavior_hint="(required)")]
    """The folder to make; it must not exist yet."""
    dtype: Literal["keep", "float32", "bfloat16", "float16"] = "keep"
    """The type to write; "keep" leaves each weight's own."""
    shard_gib: Annotated[float, tyro.conf.arg(metavar="N")] = 5.0
    """The largest file, in GiB."""


@dataclass(frozen=True)
class Merge:
    """Options of `vidgen weights merge`."""

    model: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="NAME|DIR")]
    """The model that was adapted."""
    adaptation: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="FILE")]
    """The lora.safetensors of a run; the card beside it says what the model then knows."""
    out: Annotated[Path, tyro.conf.arg(metavar="DIR", help_behavior_hint="(required)")]
    """The folder to make; it must not exist yet."""
    strength: Annotated[float, tyro.conf.arg(metavar="X")] = 1.0
    """How much of it is merged: 0 is the model as it was, 1 as it was trained."""


def run(argv: Sequence[str]) -> None:
    """Runs the command; bad input is a `ValueError` or an `OSError`."""
    dispatch("weights", HELP, VERBS, argv)


def inspect(argv: Sequence[str]) -> None:
    """`vidgen weights inspect`."""
    options: Inspect = parse_arguments(Inspect, argv, prog="vidgen weights inspect", epilog=INSPECT_EXAMPLES)

    from rich.console import Console
    from rich.table import Table

    from vidgen.weights.files import Weights

    weights = Weights(options.path)
    table = Table("name", "layers", "shape", "type", "parameters")
    for name, (shape, dtype, layers) in grouped(weights).items():
        count = layers * _size(shape)
        table.add_row(name, str(layers) if "{N}" in name else "", "x".join(map(str, shape)), dtype, f"{count:,}")
    Console(width=max(100, Console().width)).print(table)
    total = sum(_size(tensor.shape) for tensor in weights.tensors.values())
    stored = sum(file.stat().st_size for file in weights.files)
    files = "1 file" if len(weights.files) == 1 else f"{len(weights.files)} files"
    print(f"{len(weights.tensors)} tensors, {total:,} parameters, {stored / 2**20:.1f} MiB in {files}")
    for key, value in weights.metadata().items():
        print(f"{key}: {value if len(value) <= 100 else value[:97] + '...'}")


def grouped(weights: "Weights") -> dict[str, tuple[tuple[int, ...], str, int]]:
    """(shape, type, layers) by name, where layers of one shape and type are one name with {N} for their number."""
    found: dict[str, tuple[tuple[int, ...], str, int]] = {}
    for name, tensor in weights.tensors.items():
        pattern = re.sub(r"(?<=[./])\d+(?=[./])", "{N}", name, count=1)
        shape, dtype, layers = found.get(pattern, (tensor.shape, tensor.dtype, 0))
        if (shape, dtype) == (tensor.shape, tensor.dtype):
            found[pattern] = shape, dtype, layers + 1
        else:
            found[name] = tensor.shape, tensor.dtype, 1
    return found


def verify(argv: Sequence[str]) -> None:
    """`vidgen weights verify`."""
    options: Verify = parse_arguments(Verify, argv, prog="vidgen weights verify", epilog=VERIFY_EXAMPLES)

    from vidgen.weights import keymap
    from vidgen.weights.files import Weights

    for part in _parts(options.model):
        weights = Weights(options.model / part.folder)
        keymap.check(weights, part.table, part.shapes)
        count = sum(_size(tensor.shape) for tensor in weights.tensors.values())
        print(f"{part.folder:<13} {len(weights.tensors):>5} tensors, {count:>14,} parameters: each has its place")


def import_(argv: Sequence[str]) -> None:
    """`vidgen weights import`."""
    options: Import = parse_arguments(Import, argv, prog="vidgen weights import", epilog=IMPORT_EXAMPLES)
    if options.out.exists():
        raise FileExistsError(f"{str(options.out)!r} is there already: choose another --out.")

    import shutil

    from vidgen.sample.imported import import_model

    unfinished = options.out.with_name(options.out.name + ".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    try:
        import_model(options.model, unfinished, None if options.dtype == "keep" else options.dtype)
        unfinished.replace(options.out)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    print(options.out)


def export(argv: Sequence[str]) -> None:
    """`vidgen weights export`."""
    options: Export = parse_arguments(Export, argv, prog="vidgen weights export", epilog=EXPORT_EXAMPLES)
    if options.out.exists():
        raise FileExistsError(f"{str(options.out)!r} is there already: choose another --out.")
    if options.shard_gib <= 0:
        raise ValueError(f"--shard-gib must be above 0, got {options.shard_gib:g}.")

    import shutil

    from vidgen.sample.imported import CONFIGS, read_imported
    from vidgen.sample.public import NAMES, read_part
    from vidgen.weights import keymap

    imported = (options.model / CONFIGS).is_dir()
    source, read = (options.model / CONFIGS, read_imported) if imported else (options.model, read_part)
    parts = _parts(source)
    dtype = None if options.dtype == "keep" else options.dtype
    unfinished = options.out.with_name(options.out.name + ".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    try:
        # All that is not weights: configs, the tokenizer, the schedule.
        left_out = shutil.ignore_patterns("*.safetensors", "*.safetensors.index.json", NAMES)
        shutil.copytree(source, unfinished, ignore=left_out)
        for part in parts:
            params = read(source, part, None, dtype)
            keymap.save(
                unfinished / part.folder,
                params,
                part.table,
                name=part.file,
                metadata={"format": "pt"},
                shard_bytes=int(options.shard_gib * 2**30),
            )
        unfinished.replace(options.out)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    print(options.out)


def merge(argv: Sequence[str]) -> None:
    """`vidgen weights merge`."""
    options: Merge = parse_arguments(Merge, argv, prog="vidgen weights merge", epilog=MERGE_EXAMPLES)
    if options.out.exists():
        raise FileExistsError(f"{str(options.out)!r} is there already: choose another --out.")

    import dataclasses
    import shutil

    from vidgen.sample.card import Card
    from vidgen.sample.pipeline import load_card, model_folder
    from vidgen.train import lora
    from vidgen.train.card import card_beside
    from vidgen.weights.safetensors import load_params, save_params

    folder, card = model_folder(options.model), Card.from_dict(load_card(options.model))
    config, factors = lora.load(options.adaptation)
    params, metadata = load_params(folder / "dit.safetensors")
    weighed = dataclasses.replace(config, alpha=config.alpha * options.strength)
    params["dit"] = lora.merge(weighed, {**params["dit"]}, factors)
    own = card_beside(options.adaptation) or card
    adapted = dataclasses.replace(
        card,
        name=f"{card.name}, adapted",
        scores={},
        limits=(*card.limits, "It was adapted, and not measured since."),
        concepts=own.concepts or card.concepts,
        sampler=own.sampler,
    )
    unfinished = options.out.with_name(options.out.name + ".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    try:
        unfinished.mkdir()
        shutil.copy(folder / "vae.safetensors", unfinished)
        save_params(unfinished / "dit.safetensors", params, "float16", metadata)
        adapted.save(unfinished)
        unfinished.replace(options.out)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    print(options.out)


VERBS = {"inspect": inspect, "verify": verify, "import": import_, "export": export, "merge": merge}


def _parts(folder: Path) -> "tuple[Part, ...]":
    """The networks of a public model's folder."""
    from vidgen.sample.public import public_model

    public = public_model(folder)
    if public is None:
        raise ValueError(
            f"{folder} holds no model that is known here: give a folder of Wan 2.1, DiT or SiT with its index."
        )
    return public.parts(folder)


def _size(shape: tuple[int, ...]) -> int:
    import math

    return math.prod(shape)
