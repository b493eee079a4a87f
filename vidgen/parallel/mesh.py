# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Which devices share which part of the work: a mesh of named axes, and how it lies on TPU slices."""

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

import jax
import numpy as np
from jax.experimental import mesh_utils
from jax.sharding import AxisType, Mesh

AXES = ("data", "guidance", "fsdp", "sequence", "tensor")
"""From the axis that talks least to the one that talks most; the last ones lie on neighbouring chips."""


@dataclasses.dataclass(frozen=True)
class MeshConfig:
    """How many ways each kind of work is divided. One axis, but not guidance, may be -1: what the others leave over.

    The default is one device.

    Attributes:
        data: copies of the parameters, each with its own clips; gradients alone travel between them.
        guidance: 2 computes the conditional and the unconditional half of guidance on different devices, each with its
            own copy of the parameters; only the velocities meet. For sampling alone.
        fsdp: ways to divide parameters, optimiser state and clips; weights are gathered layer by layer.
        sequence: ways to divide the tokens of a clip (the rows of a picture in the VAE).
        tensor: ways to divide heads and MLPs.
        slices: TPU slices joined by the data-centre network. The data axis runs over them: `data` counts the copies
            in all slices together and must be a multiple of `slices`.
    """

    data: int = 1
    guidance: int = 1
    fsdp: int = 1
    sequence: int = 1
    tensor: int = 1
    slices: int = 1

    def __post_init__(self) -> None:
        sizes = {name: getattr(self, name) for name in AXES}
        bad = [f"{name} = {size}" for name, size in sizes.items() if size < 1 and size != -1]
        if bad or list(sizes.values()).count(-1) > 1:
            raise ValueError(
                f"the mesh was given as {_describe(sizes)}; every axis must be 1 or more, and at most one may be -1 "
                f"(what is left)"
            )
        if self.guidance not in (1, 2):
            raise ValueError(f"guidance = {self.guidance} was given; guidance has two halves, so it must be 1 or 2")
        if self.slices < 1 or (self.data != -1 and self.data % self.slices):
            raise ValueError(
                f"data = {self.data} with slices = {self.slices} was given; the data axis runs over the slices, so "
                f"data must be a multiple of slices (or -1)"
            )

    def shape(self, devices: int) -> tuple[int, ...]:
        """Sizes of `AXES` on so many devices, with -1 filled in.

        Raises:
            ValueError: the axes do not multiply to the number of devices; a mesh of one device fits always.
        """
        sizes = {name: getattr(self, name) for name in AXES}
        known = math.prod(size for size in sizes.values() if size != -1)
        free = [name for name, size in sizes.items() if size == -1]
        if free and devices % known == 0:
            sizes[free[0]] = devices // known
        product = math.prod(sizes.values())
        if sizes["data"] % self.slices or (product != devices and (free or product != 1)):
            raise ValueError(
                f"the mesh {_describe({name: getattr(self, name) for name in AXES})}, slices = {self.slices} needs "
                f"{'a multiple of ' if free else ''}{known * (self.slices if self.data == -1 else 1)} devices and "
                f"{devices} are here; "
                f"make the product of the axes equal to {devices}, or set one axis to -1"
            )
        return tuple(sizes.values())


def make_mesh(config: MeshConfig, devices: Sequence[Any] | None = None) -> Mesh:
    """The mesh of `AXES` on the given devices (all by default); a mesh of one device takes the first.

    On TPU the axes are laid along the links between chips; with several slices the data axis runs over them.

    Raises:
        ValueError: the axes do not fit the devices, the devices are not on `config.slices` slices, or the mesh is one
            device and there are several processes.
    """
    everywhere = devices is None
    devices = list(jax.devices() if devices is None else devices)
    shape = config.shape(len(devices))
    if everywhere and math.prod(shape) < len(devices) and jax.process_count() > 1:
        raise ValueError(
            f"the mesh is one device and {jax.process_count()} processes with {len(devices)} devices take part; set "
            f"the axes, such as mesh.fsdp = -1"
        )
    devices = devices[: math.prod(shape)]
    found = len({getattr(device, "slice_index", 0) or 0 for device in devices})
    on_tpu = devices[0].platform == "tpu"
    if on_tpu and found != config.slices:
        raise ValueError(f"slices = {config.slices} was given and the devices are on {found}: make them equal")
    if on_tpu and config.slices > 1:
        inner = (shape[0] // config.slices, *shape[1:])
        array = mesh_utils.create_hybrid_device_mesh(
            inner, (config.slices, *(1 for _ in inner[1:])), devices, allow_split_physical_axes=True
        )
    elif on_tpu and len(devices) > 1:
        array = mesh_utils.create_device_mesh(shape, devices, allow_split_physical_axes=True)
    else:
        # Devices come ordered by process, so that the outermost axis crosses hosts first here too.
        array = np.array(devices).reshape(shape)
    return Mesh(array, AXES, axis_types=(AxisType.Auto,) * len(AXES))


def _describe(sizes: dict[str, int]) -> str:
    return ", ".join(f"{name} = {size}" for name, size in sizes.items())
