# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Several processes, as on a TPU pod with one a host: how they find each other, agree, and share what they hold.

Process 0 is the one that writes what is written once. With one process every function here returns at once and no array
is copied.
"""

import functools
import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import jax
import numpy as np
from jax import Array
from jax.experimental import multihost_utils
from jax.sharding import Mesh, NamedSharding
from jax.sharding import PartitionSpec as P

from vidgen.parallel.mesh import MeshConfig, make_mesh
from vidgen.parallel.shard import parameter_shardings

GATHER_BYTES = 2**28
"""A larger array is gathered in pieces along its first axis, which is that of the layers."""


def join(coordinator: str = "", processes: int = 0, process: int = -1) -> None:
    """Joins this process with the others of its run; to be called before JAX touches a device.

    On a TPU pod nothing need be given. Elsewhere all three are, by argument or by the environment's
    JAX_COORDINATOR_ADDRESS, JAX_NUM_PROCESSES and JAX_PROCESS_ID; with none of them this process is alone.

    Args:
        coordinator: HOST:PORT at which process 0 can be reached, with a free port.
        processes: how many there are.
        process: which one this is, from 0.

    Raises:
        ValueError: some are given and others not, or they contradict each other.
    """
    coordinator = coordinator or os.environ.get("JAX_COORDINATOR_ADDRESS", "")
    processes = processes or int(os.environ.get("JAX_NUM_PROCESSES", "0"))
    process = process if process >= 0 else int(os.environ.get("JAX_PROCESS_ID", "-1"))
    given = f"coordinator = {coordinator or 'none'}, processes = {processes or 'none'}, process = {process}"
    # A stop is agreed upon by the training loop, which handles the signal itself.
    jax.config.update("jax_enable_preemption_service", False)
    if not coordinator and not processes and process < 0:
        if _on_tpu():
            try:
                jax.distributed.initialize()
            except ValueError:
                return  # one TPU that belongs to no pod, as in a notebook
        return
    if ":" not in coordinator or processes < 1 or not 0 <= process < processes:
        raise ValueError(
            f"{given} was given; several processes need all three: coordinator HOST:PORT, the number of processes, and "
            f"which one this is, from 0"
        )
    jax.distributed.initialize(coordinator, processes, process, cluster_detection_method="deactivate")


def is_first() -> bool:
    """Whether this is process 0."""
    return jax.process_index() == 0


def gather_texts(text: str) -> list[str]:
    """The texts of all processes, in the order of their indices; every process gets all of them."""
    if jax.process_count() == 1:
        return [text]
    own = np.frombuffer(text.encode(), np.uint8)
    sizes = multihost_utils.process_allgather(np.asarray(own.size)).ravel()
    rows = multihost_utils.process_allgather(np.pad(own, (0, int(sizes.max()) - own.size)))
    return [row[:size].tobytes().decode() for row, size in zip(rows, sizes, strict=True)]


@contextmanager
def first_then_rest() -> Iterator[None]:
    """A block that process 0 goes through before all others, which then find the files that it wrote, if they share a
    disk with it.
    """
    if not is_first():
        gather_texts("")
    yield
    if is_first():
        gather_texts("")


def on_all_devices(number: int, mesh: Mesh) -> Array:
    """int32 [devices of the mesh], divided over them: each process's number on its own, for a program to reduce."""
    sharding = NamedSharding(mesh, P(mesh.axis_names))
    return jax.make_array_from_callback((mesh.size,), sharding, lambda _: np.full(1, number, np.int32))


def on_first(params: Any, mesh: Mesh) -> tuple[Any, Mesh] | None:
    """(parameters, mesh) with which process 0 can work alone, and None on the others; all must call it.

    With several processes the parameters are gathered through process 0's memory, array by array, and divided over its
    own devices.

    Args:
        params: a tree of parameters on `mesh`, with paths that `vidgen.parallel.rules` knows.
    """
    if jax.process_count() == 1:
        return params, mesh
    whole = NamedSharding(mesh, P())
    local = make_mesh(MeshConfig(fsdp=-1), jax.local_devices())
    shardings = parameter_shardings(params, local)

    def gather(x: Array, sharding: NamedSharding) -> Array | None:
        if x.nbytes <= GATHER_BYTES or x.ndim < 2:
            found = _own(_replicate(x, whole))
        else:
            layers = [_own(_replicate_layer(x, np.int32(i), whole)) for i in range(x.shape[0])]
            found = np.stack([layer for layer in layers if layer is not None]) if is_first() else None
        return jax.device_put(found, sharding) if is_first() else None

    found = jax.tree.map(gather, params, shardings)
    return (found, local) if is_first() else None


@functools.partial(jax.jit, static_argnums=1)
def _replicate(x: Array, whole: NamedSharding) -> Array:
    return jax.lax.with_sharding_constraint(x, whole)


@functools.partial(jax.jit, static_argnums=2)
def _replicate_layer(x: Array, layer: Array, whole: NamedSharding) -> Array:
    return jax.lax.with_sharding_constraint(jax.lax.dynamic_index_in_dim(x, layer, keepdims=False), whole)


def _own(x: Array) -> np.ndarray | None:
    """The values of a replicated array in process 0; others wait, so that no more than one is gathered at a time."""
    x.block_until_ready()
    return np.asarray(x.addressable_data(0)) if is_first() else None


def _on_tpu() -> bool:
    """Whether this machine has TPUs and JAX may use them; asks no device, since that must come after joining."""
    platforms = os.environ.get("JAX_PLATFORMS", "")
    chips = any(Path("/dev").glob("accel[0-9]*")) or any(Path("/dev/vfio").glob("[0-9]*"))
    return chips and find_spec("libtpu") is not None and (not platforms or "tpu" in platforms)
