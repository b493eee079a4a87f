# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Compiling for TPUs that are not there, and what the result says: does it fit, and how fast can it be at best.

The compiler is the real one (`libtpu`, the extra "aot"); no TPU is needed. Figures are of one device. Times are a
roofline (Williams, Waterman and Patterson, "Roofline", CACM 52(4), 2009): what the slowest resource needs when
everything else overlaps with it, so no run can be faster, and a real one is slower.
"""

import dataclasses
from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any

import jax
from jax.experimental import topologies
from jax.sharding import Mesh

from vidgen.parallel import hlo
from vidgen.parallel.collectives import collectives
from vidgen.parallel.topology import Topology


@dataclasses.dataclass(frozen=True)
class Network:
    """All collectives of one kind on the same axes.

    Attributes:
        kind: such as "all-gather".
        axes: of the mesh, joined by "+".
        count: how many run in one call.
        bytes: what a device sends in all of them.
        overlapped: the share of those bytes that the schedule hides behind other work.
        seconds: at the full rate of the links that those axes lie on, or of the data-centre network.
        dcn: whether they leave the slice.
    """

    kind: str
    axes: str
    count: float
    bytes: float
    overlapped: float
    seconds: float
    dcn: bool


@dataclasses.dataclass(frozen=True)
class Report:
    """What one call of a compiled program needs, on one device; bytes, FLOPs and seconds.

    Attributes:
        topology, slices, devices, mesh: what it was compiled for; mesh gives the size of every axis.
        arguments, outputs, aliased, temporaries, code: memory; aliased outputs lie where arguments were.
        capacity: the device's HBM.
        model_flops: what the mathematics needs, given by the caller, divided by the devices.
        compiled_flops: dots and convolutions in the program, recomputation included, plus kernel_flops.
        kernel_flops: of attention's kernels, by formula, since the compiler does not see into them.
        traffic: bytes to and from HBM.
        network: collectives.
        compute_seconds, memory_seconds: at the device's peak rates.
        compile_seconds: what compiling took here; compile_cpu_seconds: the same in time of the processors, which does
            not depend on what else runs on the machine.
        rematerialised_flops: of the compiled ones, the forward pass computed again for the backward pass.
        rescored_flops: of those of kernels, scores computed again in the backward pass, and what hangs on them.
    """

    topology: str
    slices: int
    devices: int
    mesh: dict[str, int]
    arguments: float
    outputs: float
    aliased: float
    temporaries: float
    code: float
    capacity: float
    model_flops: float
    compiled_flops: float
    kernel_flops: float
    traffic: float
    network: tuple[Network, ...]
    compute_seconds: float
    memory_seconds: float
    compile_seconds: float
    rematerialised_flops: float = 0.0
    rescored_flops: float = 0.0
    compile_cpu_seconds: float = 0.0

    @property
    def peak(self) -> float:
        """Memory that the program needs at once."""
        return self.arguments + self.outputs - self.aliased + self.temporaries + self.code

    @property
    def fits(self) -> bool:
        """Whether that is within the device's memory. The compiler itself may not refuse what is not."""
        return self.peak <= self.capacity

    @property
    def network_seconds(self) -> float:
        """Of the busiest network: links within the slice and the data-centre network work at the same time."""
        return max(sum(one.seconds for one in self.network if one.dcn == dcn) for dcn in (False, True))

    @property
    def roofline_seconds(self) -> float:
        """The least time of a call."""
        return max(self.compute_seconds, self.memory_seconds, self.network_seconds)

    @property
    def exposed_seconds(self) -> float:
        """The roofline of compute and memory plus the collectives that the schedule does not overlap."""
        waits = sum(one.seconds * (1 - one.overlapped) for one in self.network)
        return max(self.compute_seconds, self.memory_seconds) + waits

    @property
    def bound(self) -> str:
        """Which resource the roofline is."""
        rates = {
            "compute": self.compute_seconds, "memory": self.memory_seconds, "network": self.network_seconds
        }  # fmt: skip
        return max(rates, key=lambda name: rates[name])

    def utilisation(self, seconds: float) -> float:
        """Model FLOPs utilisation (MFU) if a call took so long: model FLOPs over what the device could do meanwhile."""
        peak = self.compiled_flops / self.compute_seconds
        return self.model_flops / (seconds * peak) if seconds else 0.0


def tpu_devices(topology: Topology, slices: int = 1) -> list[Any]:
    """The devices of a slice (or several) that need not exist, for meshes to compile for.

    Raises:
        ModuleNotFoundError: libtpu is not installed.
        ValueError: the compiler does not know the topology.
    """
    if find_spec("libtpu") is None:
        raise ModuleNotFoundError('compiling for TPUs needs libtpu: pip install "vidgen[aot]"')
    options = {"num_slices": slices} if slices > 1 else {}
    try:
        described = topologies.get_topology_desc(platform="tpu", topology_name=topology.name, **options)
    except (RuntimeError, ValueError) as error:
        raise ValueError(f"the TPU compiler does not take {topology.name!r} x {slices}: {error}") from error
    return list(described.devices)


def analyse(
    compiled: jax.stages.Compiled,
    text: str,
    mesh: Mesh,
    topology: Topology,
    *,
    slices: int = 1,
    model_flops: float,
    compile_seconds: float = 0.0,
    compile_cpu_seconds: float = 0.0,
) -> Report:
    """Reads a compiled program and its HLO. model_flops are of all devices together."""
    chip, devices = topology.chip, mesh.devices.size
    module = hlo.parse(text)
    counted, traffic = hlo.flops(module), hlo.traffic(module)
    flops = counted.products + counted.kernels
    memory = compiled.memory_analysis()
    if memory is None:
        raise ValueError("the compiler gave no account of memory; compile for TPU, with this version of libtpu")
    return Report(
        topology=topology.name,
        slices=slices,
        devices=devices,
        mesh=dict(mesh.shape),
        arguments=memory.argument_size_in_bytes,
        outputs=memory.output_size_in_bytes,
        aliased=memory.alias_size_in_bytes,
        temporaries=memory.temp_size_in_bytes,
        code=memory.generated_code_size_in_bytes,
        capacity=chip.hbm_bytes / chip.devices,
        model_flops=model_flops / devices,
        compiled_flops=flops,
        kernel_flops=counted.kernels,
        traffic=traffic,
        network=_network(module, mesh, topology, slices),
        compute_seconds=flops * chip.devices / chip.flops,
        memory_seconds=traffic * chip.devices / chip.hbm_bandwidth,
        compile_seconds=compile_seconds,
        compile_cpu_seconds=compile_cpu_seconds,
        rematerialised_flops=counted.rematerialised,
        rescored_flops=counted.rescored,
    )


def _network(module: hlo.Module, mesh: Mesh, topology: Topology, slices: int) -> tuple[Network, ...]:
    together: dict[tuple[bool, str, str], list] = {}
    between = topology.chip.dcn_bandwidth / topology.chip.devices
    for one in collectives(module, dict(mesh.shape), slices):
        together.setdefault((one.dcn, one.kind, one.axes), []).append(one)
    totals = []
    for (dcn, kind, axes), parts in sorted(together.items()):
        sent = sum(one.times * one.bytes for one in parts)
        hidden = sum(one.times * one.bytes for one in parts if one.overlapped)
        rate = between if dcn else link_rate(mesh, axes.split("+"), topology)
        totals.append(
            Network(kind, axes, sum(one.times for one in parts), sent, hidden / sent if sent else 0.0, sent / rate, dcn)
        )
    return tuple(totals)


def link_rate(mesh: Mesh, axes: Sequence[str], topology: Topology) -> float:
    """Bytes/s that a device can send within its slice along these axes of the mesh.

    An axis uses two links, one to each side, for every dimension of the torus that it runs along.
    """
    chip = topology.chip
    names = list(mesh.shape)
    first = tuple(slice(None) if name in axes else slice(0, 1) for name in names)
    group = list(mesh.devices[first].ravel())
    group = [device for device in group if _slice(device) == _slice(group[0])]
    places = [getattr(device, "coords", ()) for device in group]
    along = sum(len(set(values)) > 1 for values in zip(*places, strict=True))
    # Devices of one chip, and devices that say nothing of where they are, share its links.
    return chip.ici_bandwidth * max(along, 1) * 2 / chip.ici_links / chip.devices


def _slice(device: Any) -> int:
    return getattr(device, "slice_index", 0) or 0
