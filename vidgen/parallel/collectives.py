# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Which collectives a compiled program runs, how often, how large, and over which axes of the mesh."""

import dataclasses
import itertools
import math
import re
from collections.abc import Iterator

from vidgen.parallel.hlo import Computation, Instruction, Module, runs


@dataclasses.dataclass(frozen=True)
class Collective:
    """A collective operation of the program.

    Attributes:
        kind: all-gather, all-reduce, reduce-scatter, all-to-all or collective-permute.
        axes: the mesh axes that it runs over, joined by "+"; "none" where no axes fit.
        times: how often it runs in one call.
        bytes: what a device sends each time, in a ring: (n - 1) / n of the whole for gathers and scatters.
        overlapped: whether the schedule lets other work run meanwhile.
        dcn: whether it runs between slices, over the data-centre network. One that the mathematics asks for along an
            axis within and between slices is compiled to two or three: the parts within a slice, and this.
    """

    kind: str
    axes: str
    times: float
    bytes: float
    overlapped: bool
    dcn: bool = False


KINDS = ("all-gather", "all-reduce", "reduce-scatter", "all-to-all", "collective-permute")
_WORK = frozenset(("fusion", "dot", "convolution", "while", "conditional", "call"))
"""What takes time on the cores, so that something else can be hidden behind it; custom kernels are added."""


def collectives(module: Module, mesh: dict[str, int], slices: int = 1) -> list[Collective]:
    """Every collective of a program that was compiled for a mesh of {axis name: size}, in the order of its devices.

    Args:
        module: of one slice: its devices are numbered within it.
        mesh: of all slices together.
        slices: how many the first axis of the mesh runs over.
    """
    counts = runs(module)
    first = next(iter(mesh))
    inside = {**mesh, first: mesh[first] // slices}
    callers = {one.called("calls"): name for name, c in module.computations.items() for one in c.instructions.values()}
    found: dict[str, Collective] = {}
    for name, computation in module.computations.items():
        if not counts[name]:
            continue
        waits = any("AsyncCollective" in one.attributes for one in computation.instructions.values())
        hidden = waits or name.startswith("async_collective")
        for one in computation.instructions.values():
            kind = one.opcode.removesuffix("-start")
            if one.opcode == "send" and _MEGASCALE in one.attributes:
                found[f"{name}/{one.name}"] = _between_slices(one, computation, counts[name], first, slices)
            if kind not in KINDS:
                continue
            if kind == "all-reduce" and name.startswith("all-reduce-scatter"):
                kind = "reduce-scatter"
            group = _groups(one.attributes, inside)
            entry = Collective(
                kind, _axes(group, inside), counts[name], _sent(kind, one, computation, len(group[0])),
                hidden or (one.opcode.endswith("-start") and _meanwhile(computation, one, [one])),
            )  # fmt: skip
            # An asynchronous collective stands in several fused computations of one caller, under one channel; apart
            # from that, channels are not told apart: unlike collectives share them, and so do copies of a loop's body.
            channel = re.search(r"channel_id=([0-9]+)", one.attributes)
            key = f"{callers.get(name)}/{kind}/{channel.group(1)}" if hidden and channel else f"{name}/{one.name}"
            if key not in found or found[key].times < entry.times:
                found[key] = entry
    return list(found.values())


_MEGASCALE = "_xla_megascale_transfer_type"
_KINDS_BETWEEN_SLICES = {"ONE_TO_ONE": "collective-permute"}


def _between_slices(send: Instruction, computation: Computation, times: float, axis: str, slices: int) -> Collective:
    """What the runtime of several slices does between handing arrays to the host and taking the result from it.

    The program itself shows a send and a receive of one rendezvous, with the kind of collective as an attribute.
    """
    kind = _attribute(send, _MEGASCALE)
    kind = _KINDS_BETWEEN_SLICES.get(kind, kind.lower().replace("_", "-"))
    rendezvous = _attribute(send, "_xla_host_transfer_rendezvous")
    received = [
        one
        for one in computation.instructions.values()
        if one.opcode == "recv" and _attribute(one, "_xla_host_transfer_rendezvous") == rendezvous
    ]
    hidden = _meanwhile(computation, send, received or [send])
    return Collective(kind, axis, times, _sent(kind, send, computation, slices), hidden, dcn=True)


def _attribute(one: Instruction, name: str) -> str:
    """The value of a frontend attribute."""
    found = re.search(rf'\b{name}="([^"]*)"', one.attributes)
    return found.group(1) if found else ""


def _meanwhile(computation: Computation, begun: Instruction, awaited: list[Instruction]) -> bool:
    """Whether the schedule has work between what is begun and the first that waits for one of the awaited.

    The rest of a loop's body counts where nothing in it waits: what is begun there is waited for in the next round.
    """
    after = list(computation.instructions).index(begun.name) + 1
    rest = list(computation.instructions.values())[after:]
    names = {one.name for one in awaited}
    ends = (at for at, one in enumerate(rest) if one.opcode.endswith("-done") and names & {*one.operands})
    between = rest[: next(ends, len(rest))]
    return any(one.opcode in _WORK or "tpu_custom_call" in one.attributes for one in between)


def _sent(kind: str, one: Instruction, computation: Computation, members: int) -> float:
    operands = [computation.instructions[name] for name in one.operands if name in computation.instructions]
    given = sum(buffer.bytes for operand in operands for buffer in operand.buffers)
    share = (members - 1) / members
    if kind == "all-gather":
        return given * (members - 1)
    if kind == "all-reduce":
        return 2 * given * share
    return given if kind == "collective-permute" else given * share


def _groups(attributes: str, mesh: dict[str, int]) -> list[list[int]]:
    """The groups of devices that talk to each other, as positions in the mesh of a slice."""
    total = math.prod(mesh.values())
    explicit = re.search(r"replica_groups=\{(\{[0-9,{} ]*\})\}", attributes)
    if explicit:
        return [[int(d) for d in part.split(",")] for part in re.findall(r"\{([0-9, ]+)\}", explicit.group(1))]
    iota = re.search(r"replica_groups=\[([0-9,]+)\]<=\[([0-9,]+)\](?:T\(([0-9,]+)\))?", attributes)
    if iota:
        shape, dims = ([int(d) for d in iota.group(i).split(",")] for i in (1, 2))
        order = [int(d) for d in iota.group(3).split(",")] if iota.group(3) else list(range(len(dims)))
        return list(_rows(_transposed(dims, order), math.prod(shape[:-1]), shape[-1]))
    named = re.search(r"replica_groups=mesh\[([^\]]*)\]\s*\{([^}]*)\}", attributes)
    if named:
        sizes = [int(size) for size in re.findall(r"=([0-9]+)", named.group(1))]
        names = re.findall(r"'(\w+)'=", named.group(1))
        chosen = [names.index(name) for name in re.findall(r"'(\w+)'", named.group(2))]
        order = [axis for axis in range(len(sizes)) if axis not in chosen] + chosen
        members = math.prod(sizes[axis] for axis in chosen)
        return list(_rows(_transposed(sizes, order), total // members, members))
    pairs = re.search(r"source_target_pairs=\{(.*?)\}\}", attributes)
    if pairs:
        return _cycles([(int(a), int(b)) for a, b in re.findall(r"\{?([0-9]+),([0-9]+)", pairs.group(1))])
    return [list(range(total))]


def _transposed(dims: list[int], order: list[int]) -> list[int]:
    """0, 1, 2, ... laid out in `dims`, its axes put into `order`, read row by row."""
    strides = [math.prod(dims[axis + 1 :]) for axis in range(len(dims))]
    places = itertools.product(*(range(dims[axis]) for axis in order))
    return [sum(at * strides[axis] for at, axis in zip(place, order, strict=True)) for place in places]


def _rows(values: list[int], count: int, width: int) -> Iterator[list[int]]:
    for row in range(count):
        yield values[row * width : (row + 1) * width]


def _cycles(pairs: list[tuple[int, int]]) -> list[list[int]]:
    """Devices that a permutation links, as groups."""
    groups: list[set[int]] = []
    for pair in pairs:
        touched = [group for group in groups if group & set(pair)]
        groups = [group for group in groups if group not in touched] + [set(pair).union(*touched)]
    return [sorted(group) for group in groups]


def _axes(groups: list[list[int]], mesh: dict[str, int]) -> str:
    """The mesh axes along which the members of a group differ."""
    sizes = list(mesh.values())
    strides = [math.prod(sizes[axis + 1 :]) for axis in range(len(sizes))]
    places = [[device // stride % size for stride, size in zip(strides, sizes, strict=True)] for device in groups[0]]
    differ = [name for axis, name in enumerate(mesh) if len({place[axis] for place in places}) > 1]
    return "+".join(differ) or "none"
