# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""What a compiled program does, read from its HLO text: floating point operations and memory traffic.

XLA's own `cost_analysis` counts the body of a loop once; here everything counts as often as it runs. The text is that
of one device, so every figure is a device's.
"""

import dataclasses
import functools
import math
import re
from collections.abc import Iterator

BYTES = {"pred": 1, "s4": 0.5, "u4": 0.5, "s8": 1, "u8": 1, "f8e4m3fn": 1, "f8e5m2": 1, "s16": 2, "u16": 2, "bf16": 2,
         "f16": 2, "s32": 4, "u32": 4, "f32": 4, "s64": 8, "u64": 8, "f64": 8, "c64": 8, "c128": 16}  # fmt: skip
"""Bytes of one element by HLO type; a type that is not here (token, opaque) has none."""

_TYPE = re.compile(r"\b([a-z]+[0-9]*[a-z0-9]*)\[([0-9,]*)\](?:\{([^{}]*)\})?")
_INSTRUCTION = re.compile(r"^\s*(ROOT )?%?([\w.\-]+) = (.*)$")
_COMPUTATION = re.compile(r"^(ENTRY )?%?([\w.\-]+) \(.*\) -> .* \{$")
_NAME = re.compile(r"%([\w.\-]+)")


@dataclasses.dataclass(frozen=True)
class Buffer:
    """An array: element type, dimensions, and whether it lies in main memory (HBM) rather than on the core."""

    dtype: str
    dims: tuple[int, ...]
    in_hbm: bool

    @property
    def bytes(self) -> float:
        """Size without padding."""
        return math.prod(self.dims) * BYTES.get(self.dtype, 0)


@dataclasses.dataclass(frozen=True)
class Instruction:
    """One line of HLO.

    buffers: of its result, several for a tuple. operands: names. attributes: what follows them. literal: the value of a
    constant, the number of a parameter.
    """

    name: str
    opcode: str
    buffers: tuple[Buffer, ...]
    operands: tuple[str, ...]
    attributes: str
    literal: str = ""
    root: bool = False

    def called(self, key: str) -> str:
        """The computation named by an attribute such as calls= or body=; "" if there is none."""
        found = re.search(rf"\b{key}=%?([\w.\-]+)", self.attributes)
        return found.group(1) if found else ""


@dataclasses.dataclass(frozen=True)
class Computation:
    """Instructions in order, by name."""

    name: str
    instructions: dict[str, Instruction]

    @functools.cached_property
    def root(self) -> Instruction:
        """The instruction whose value is the result."""
        return next(one for one in self.instructions.values() if one.root)


@dataclasses.dataclass(frozen=True)
class Module:
    """A compiled program: its computations, and the name of the first one."""

    entry: str
    computations: dict[str, Computation]


def parse(text: str) -> Module:
    """Reads the text of a compiled module (`jax.stages.Compiled.as_text`).

    Raises:
        ValueError: it holds no entry computation.
    """
    computations, entry, body, name = {}, "", {}, ""
    for line in _whole_lines(text):
        opened = _COMPUTATION.match(line)
        if opened:
            name, body = opened.group(2), {}
            entry = name if opened.group(1) else entry
        elif line == "}" and name:
            computations[name], name = Computation(name, body), ""
        elif name:
            one = _instruction(line)
            if one:
                body[one.name] = one
    if entry not in computations:
        raise ValueError("the text holds no ENTRY computation; give what Compiled.as_text() returns")
    return Module(entry, computations)


def _whole_lines(text: str) -> Iterator[str]:
    """Lines, with what a custom kernel's attributes break over several put together again."""
    pending = ""
    for line in text.splitlines():
        if line == "}" or _INSTRUCTION.match(line) or _COMPUTATION.match(line):
            yield pending
            pending = line
        else:
            pending += line
    yield pending


def _instruction(line: str) -> Instruction | None:
    found = _INSTRUCTION.match(line)
    if not found:
        return None
    root, name, rest = found.groups()
    type_end = _closing(rest, 0) + 1 if rest.startswith("(") else _type_end(rest)
    call = re.match(r"\s*([\w\-]+)\(", rest[type_end:])
    if not call:
        return None
    opening = type_end + call.end() - 1
    closing = _closing(rest, opening)
    inside = rest[opening + 1 : closing]
    return Instruction(
        name=name,
        opcode=call.group(1),
        buffers=_buffers(rest[:type_end]),
        operands=tuple(_NAME.findall(inside)),
        attributes=rest[closing + 1 :],
        literal=inside if call.group(1) in ("constant", "parameter") else "",
        root=bool(root),
    )


def _type_end(text: str) -> int:
    """Where a type such as f32[4,8]{1,0:T(8,128)} ends."""
    end = text.index("]") + 1 if "[" in text.split(" ", 1)[0] else text.index(" ")
    return text.index("}", end) + 1 if text[end : end + 1] == "{" else end


def _closing(text: str, opening: int) -> int:
    """Where the parenthesis at `opening` is closed."""
    depth = 0
    for at in range(opening, len(text)):
        depth += {"(": 1, ")": -1}.get(text[at], 0)
        if depth == 0:
            return at
    return len(text)


def _buffers(text: str) -> tuple[Buffer, ...]:
    return tuple(
        Buffer(dtype, tuple(int(d) for d in dims.split(",") if d), "S(1)" not in (layout or ""))
        for dtype, dims, layout in _TYPE.findall(text)
    )


def runs(module: Module) -> dict[str, float]:
    """How often each computation runs in one call of the program, fused ones included; branches count as all taken."""
    counts = dict.fromkeys(module.computations, 0.0)

    def visit(name: str, times: float) -> None:
        counts[name] += times
        for one in module.computations[name].instructions.values():
            if one.opcode == "while":
                condition, body = one.called("condition"), one.called("body")
                visit(body, times * trips(module, one, condition))
            elif one.opcode == "conditional":
                listed = re.search(r"branch_computations=\{([^}]*)\}", one.attributes)
                names = _NAME.findall(listed.group(1)) if listed else []
                names += [one.called(key) for key in ("true_computation", "false_computation") if one.called(key)]
                for branch in names:
                    visit(branch, times)
            elif one.opcode in ("fusion", "call", "async-start"):
                called = one.called("calls") or one.called("to_apply")
                if called in counts:
                    visit(called, times)

    visit(module.entry, 1.0)
    return counts


def trips(module: Module, loop: Instruction, condition: str) -> int:
    """How often a while loop runs: XLA's own note of it, or else the constant that its counter is compared with.

    Raises:
        ValueError: neither is there, as in a loop whose length depends on data.
    """
    noted = re.search(r'known_trip_count[^0-9]*"?n"?[^0-9]*([0-9]+)', loop.attributes)
    if noted:
        return int(noted.group(1))
    compared = module.computations[condition].root
    constants = [
        int(one.literal)
        for one in module.computations[condition].instructions.values()
        if one.opcode == "constant" and re.fullmatch(r"-?[0-9]+", one.literal)
    ]
    if compared.opcode not in ("compare", "fusion") or len(constants) != 1:
        raise ValueError(f"the loop {loop.name} runs as often as its data say; only loops of fixed length are counted")
    return constants[0]


@dataclasses.dataclass(frozen=True)
class Flops:
    """Multiply-adds x 2 of one call.

    Attributes:
        products: of dots and convolutions.
        kernels: of splash attention's kernels, by formula; other custom kernels are opaque and count nothing.
        rematerialised: how much of both is the forward pass computed again for the backward pass (`jax.checkpoint`).
        rescored: how much of `kernels` is scores computed again in the backward kernels, and what hangs on them.
    """

    products: float
    kernels: float
    rematerialised: float
    rescored: float


# Matmuls of [L, S, K] in each of splash attention's kernels, and how many of them a backward pass that kept the weights
# would not need: it needs dv, dp, dq and dk. Kernels for dq alone and for dk and dv compute the scores twice and dp
# twice; one kernel for all three ("dkv" with dq among its results) computes the scores once again.
_SPLASH = {"fwd": (2, 0), "dq": (3, 2), "dkv": (4, 1), "all": (5, 1)}
_RESULTS_OF_DKV = 4
"""Buffers of the kernel for dk and dv: both, and a scratch for each."""


def flops(module: Module) -> Flops:
    """What one call computes, loops counted in full."""
    counts = runs(module)
    products = kernels = rematerialised = rescored = 0.0
    for name, computation in module.computations.items():
        for one in computation.instructions.values():
            splash = re.match(r"splash_m[hq]a_(fwd|dq|dkv)_", one.name) if one.opcode == "custom-call" else None
            if not counts[name] or not (splash or one.opcode in ("dot", "convolution")):
                continue
            if splash:
                whole = splash.group(1) == "dkv" and len(one.buffers) > _RESULTS_OF_DKV
                matmuls, again = _SPLASH["all" if whole else splash.group(1)]
                each = counts[name] * _attention_flops(one, computation)
                here = matmuls * each
                kernels, rescored = kernels + here, rescored + again * each
            else:
                here = counts[name] * _product_flops(one, computation)
                products += here
            if "rematted_computation" in one.attributes:
                rematerialised += here
    return Flops(products, kernels, rematerialised, rescored)


def _attention_flops(one: Instruction, computation: Computation) -> float:
    """One matmul of queries with keys, the first two operands: [..., N, L, K] and [..., N, S, K]."""
    q, k = (computation.instructions[operand].buffers[0].dims for operand in one.operands[:2])
    return 2.0 * math.prod(q) * k[-2]


def _product_flops(one: Instruction, computation: Computation) -> float:
    left, right = (computation.instructions[operand].buffers[0].dims for operand in one.operands[:2])
    out = math.prod(one.buffers[0].dims)
    if one.opcode == "dot":
        listed = re.search(r"lhs_contracting_dims=\{([0-9,]*)\}", one.attributes)
        contracted = [int(d) for d in listed.group(1).split(",") if d] if listed else []
        return 2.0 * out * math.prod(left[d] for d in contracted)
    return 2.0 * _convolution_products(one, left, right, one.buffers[0].dims)


def _convolution_products(
    one: Instruction, left: tuple[int, ...], right: tuple[int, ...], out: tuple[int, ...]
) -> float:
    """Products of a convolution that are not with padding; TPUs turn every matmul into one."""
    labels = re.search(r"dim_labels=(\w+)_(\w+)->(\w+)", one.attributes)
    if labels is None:
        raise ValueError(f"the convolution {one.name} has no dim_labels")
    in_labels, kernel_labels, out_labels = labels.groups()
    window = re.search(r"window=\{([^}]*)\}", one.attributes)
    fields = dict(part.split("=") for part in window.group(1).split()) if window else {}
    spatial = sum(label.isdigit() for label in kernel_labels)

    def values(key: str, default: str) -> list[str]:
        return fields[key].split("x") if key in fields else [default] * spatial

    total = float(out[out_labels.index("b")] * out[out_labels.index("f")] * right[kernel_labels.index("i")])
    table = zip(values("stride", "1"), values("pad", "0_0"), values("lhs_dilate", "1"), values("rhs_dilate", "1"),
                strict=True)  # fmt: skip
    for axis, (stride, pad, spread, reach) in enumerate(table):
        size = left[in_labels.index(str(axis))]
        taps, places = right[kernel_labels.index(str(axis))], out[out_labels.index(str(axis))]
        low = int(pad.split("_")[0])
        total *= _valid(places, taps, size, int(stride), low, int(spread), int(reach))
    return total


@functools.lru_cache(maxsize=4096)
def _valid(places: int, taps: int, size: int, stride: int, low: int, spread: int, reach: int) -> int:
    """How many pairs of an output place and a tap of the kernel meet an input value, not padding or a gap."""
    hits = 0
    for tap in range(taps):
        first = tap * reach - low
        # Input positions are place * stride + first; those that are multiples of `spread` in range hold values.
        hits += sum(
            1
            for place in range(places)
            if 0 <= (at := place * stride + first) <= (size - 1) * spread and at % spread == 0
        )
    return hits


_FREE = frozenset(
    ("parameter", "constant", "get-tuple-element", "tuple", "bitcast", "while", "conditional", "call", "after-all",
     "partition-id", "replica-id", "opt-barrier")
)  # fmt: skip


def traffic(module: Module) -> float:
    """Bytes that one call moves to and from main memory, by operands and results of what is not fused.

    A slice that is read from, or written into, a larger array counts as the slice. Arrays that the compiler keeps on
    the core count nothing. Caches are not modelled, so that this is an upper estimate.
    """
    counts = runs(module)
    inner = {one.called("calls") for c in module.computations.values() for one in c.instructions.values()}
    total = 0.0
    for name, computation in module.computations.items():
        if not counts[name] or name in inner:
            continue
        for one in computation.instructions.values():
            if one.opcode not in _FREE and not one.opcode.endswith("-done"):
                total += counts[name] * _moved(module, computation, one)
    return total


def _moved(module: Module, computation: Computation, one: Instruction) -> float:
    fused = module.computations.get(one.called("calls")) if one.opcode == "fusion" else None
    operands = [computation.instructions[name] for name in one.operands if name in computation.instructions]
    written = sum(buffer.bytes for buffer in one.buffers if buffer.in_hbm)
    read = 0.0
    root = fused.root if fused else one
    in_place = root.opcode == "dynamic-update-slice"
    if in_place and any(buffer.in_hbm for buffer in one.buffers):
        update = (fused or computation).instructions.get(root.operands[1])
        written = sum(buffer.bytes for buffer in update.buffers) if update else written
    for position, operand in enumerate(operands):
        size = sum(buffer.bytes for buffer in operand.buffers if buffer.in_hbm)
        if not size or (in_place and operand.buffers == one.buffers):
            continue
        read += min(size, _slices(fused, position)) if fused else size
    if one.opcode in ("dynamic-slice", "slice", "gather"):
        read = written
    return read + written


def _slices(fused: Computation, position: int) -> float:
    """Bytes that a fusion reads of an operand of which it only takes slices; infinite when it takes all of it."""
    parameters = (one for one in fused.instructions.values() if one.opcode == "parameter")
    name = next(one.name for one in parameters if one.literal == str(position))
    users = [one for one in fused.instructions.values() if name in one.operands]
    if users and all(user.opcode in ("dynamic-slice", "slice") for user in users):
        return sum(buffer.bytes for user in users for buffer in user.buffers)
    return math.inf
