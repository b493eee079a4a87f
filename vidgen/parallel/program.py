# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""A whole program with shapes in place of arrays, and what compiling it for a TPU slice says of it."""

import dataclasses
import math
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
from jax.extend.core import ClosedJaxpr, Jaxpr
from jax.sharding import Mesh

from vidgen.parallel.aot import Report, analyse
from vidgen.parallel.topology import Topology


@dataclasses.dataclass(frozen=True)
class Program:
    """A training step or a sampler, ready to be lowered under `jax.set_mesh`; nothing is allocated for it.

    Attributes:
        function: jitted.
        arguments: trees of `jax.ShapeDtypeStruct` with shardings; values where an argument is static.
        model_flops: what the mathematics of one call needs, of all devices together.
        clips: in one call.
        frames, height, width: of a clip, in pixels.
        tokens: of a clip.
        evaluations: of the network in one call, each on all clips; guidance does not count twice.
        parameters: how many each network has.
        batch: how large the batch is, in clips or packed rows; batch_option: the option of the command that says so.
    """

    function: Any
    arguments: tuple
    model_flops: float
    clips: int
    frames: int
    height: int
    width: int
    tokens: int
    evaluations: int
    parameters: dict[str, int]
    batch: int
    batch_option: str


def compile_program(
    program: Program, mesh: Mesh, topology: Topology, slices: int = 1, text: Path | None = None
) -> Report:
    """Compiles for the devices of a mesh, which need not exist, and reads the result; seconds to minutes.

    text: a file for the compiled program, if it is wanted.
    """
    start, worked = time.perf_counter(), time.process_time()
    with jax.set_mesh(mesh):
        lowered = program.function.lower(*program.arguments)
        compiled = lowered.compile()
        written = compiled_text(lowered, compiled)
    if text is not None:
        text.write_text(written, encoding="utf-8")
    return analyse(
        compiled,
        written,
        mesh,
        topology,
        slices=slices,
        model_flops=program.model_flops,
        compile_seconds=time.perf_counter() - start,
        compile_cpu_seconds=time.process_time() - worked,
    )


def compiled_text(lowered: jax.stages.Lowered, compiled: jax.stages.Compiled) -> str:
    """The HLO of a compiled program.

    libtpu is newer than the XLA in jaxlib and compiles to instructions that jaxlib cannot read back (look-ups in a
    table that a sparse core does, on v5p). Such a program is compiled again, and libtpu writes its text itself.
    """
    try:
        return compiled.as_text() or ""
    except jax.errors.JaxRuntimeError:
        with tempfile.TemporaryDirectory() as folder:
            lowered.compile(compiler_options={"xla_dump_to": folder, "xla_dump_hlo_as_text": True})
            files = list(Path(folder).glob("*.after_optimizations.txt"))
            if len(files) != 1:
                raise
            return files[0].read_text(encoding="utf-8")


def product_flops(function: Callable, *arguments: Any) -> float:
    """Multiply-adds x 2 of every matmul that a function of arrays (or their shapes) asks for, loops counted in full.

    Of the branches of a condition the dearest counts.

    Raises:
        ValueError: there is a loop whose length depends on data.
    """
    return _flops(jax.make_jaxpr(function)(*arguments).jaxpr)


def _flops(jaxpr: Jaxpr) -> float:
    total = 0.0
    for equation in jaxpr.eqns:
        inner = [_flops(one) for value in equation.params.values() for one in _jaxprs(value)]
        match equation.primitive.name:
            case "dot_general":
                (contracted, _), _ = equation.params["dimension_numbers"]
                left = _shape(equation.invars[0])
                total += 2.0 * math.prod(_shape(equation.outvars[0])) * math.prod(left[d] for d in contracted)
            case "scan":
                total += equation.params["length"] * sum(inner)
            case "cond":
                total += max(inner)
            case "while" if any(inner):
                raise ValueError("a while loop holds matmuls: it runs as often as its data say; use a scan")
            case _:
                total += sum(inner)
    return total


def _shape(variable: Any) -> tuple[int, ...]:
    return variable.aval.shape


def _jaxprs(value: Any) -> list[Jaxpr]:
    """The programs inside a parameter of an equation."""
    if isinstance(value, ClosedJaxpr):
        return [value.jaxpr]
    if isinstance(value, Jaxpr):
        return [value]
    return [one for item in value for one in _jaxprs(item)] if isinstance(value, tuple | list) else []
