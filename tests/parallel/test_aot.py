# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Programs compiled for TPUs that are not there. The compiler runs in a process of its own, without the virtual devices
of this one.
"""

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from types import SimpleNamespace

import numpy as np
import pytest

from vidgen.parallel.aot import Network, Report, analyse, link_rate
from vidgen.parallel.topology import parse_topology

PROGRAM = """
import dataclasses, json, sys, time
import jax, jax.numpy as jnp
from jax.sharding import NamedSharding, PartitionSpec as P
from vidgen.parallel import aot
from vidgen.parallel.mesh import MeshConfig, make_mesh
from vidgen.parallel.program import compiled_text
from vidgen.parallel.topology import parse_topology

topology = parse_topology("v5e:2x4")
mesh = make_mesh(MeshConfig(fsdp=4, tensor=2), aot.tpu_devices(topology))
layers, rows, width = 3, 512, 256
weights = jax.ShapeDtypeStruct((layers, width, width), jnp.bfloat16, sharding=NamedSharding(mesh, P(None, "fsdp")))
x = jax.ShapeDtypeStruct((rows, width), jnp.bfloat16, sharding=NamedSharding(mesh, P("fsdp")))
def stack(w, x):
    return jax.lax.scan(lambda x, w: (jnp.tanh(x @ w), None), x, w)[0]
with jax.set_mesh(mesh):
    compiled = jax.jit(stack).lower(weights, x).compile()
report = aot.analyse(compiled, compiled.as_text(), mesh, topology, model_flops=2.0 * layers * rows * width * width)

topology = parse_topology("v5e:2x2")
mesh = make_mesh(MeshConfig(data=2, fsdp=4, slices=2), aot.tpu_devices(topology, 2))
placed = NamedSharding(mesh, P("fsdp"))
w = jax.ShapeDtypeStruct((width, width), jnp.float32, sharding=placed)
x = jax.ShapeDtypeStruct((rows, width), jnp.float32, sharding=NamedSharding(mesh, P(("data", "fsdp"))))
gradient = jax.grad(lambda w, x: jnp.sum(jnp.tanh(x @ w)))
class Unreadable:
    def as_text(self):
        raise jax.errors.JaxRuntimeError("INTERNAL: an instruction of a newer XLA")
with jax.set_mesh(mesh):
    lowered = jax.jit(gradient, out_shardings=placed).lower(w, x)
    compiled = lowered.compile()
    text = compiled_text(lowered, Unreadable())
slices = aot.analyse(compiled, text, mesh, topology, slices=2, model_flops=1.0)
print(json.dumps([dataclasses.asdict(report), dataclasses.asdict(slices)]))
"""

KERNEL = """
import jax, jax.numpy as jnp
from jax.sharding import NamedSharding, PartitionSpec as P
from vidgen.parallel import aot
from vidgen.parallel.mesh import MeshConfig, make_mesh
from vidgen.parallel.splash import Splash
from vidgen.parallel.topology import parse_topology

placed = NamedSharding(make_mesh(MeshConfig(), aot.tpu_devices(parse_topology("v4:2x2x1"))[:1]), P())
def of(*shape, dtype=jnp.bfloat16):
    return jax.ShapeDtypeStruct(shape, dtype, sharding=placed)
kernel = Splash()
queries, keys = of(1, 4, 2048, 128), of(1, 4, 2 * kernel.part, 128)
segments = of(1, 2048, dtype=jnp.int32), of(1, 2 * kernel.part, dtype=jnp.int32)
sums = of(1, 4, 2048, dtype=jnp.float32)
jax.jit(kernel.backward).lower(queries, keys, keys, segments, queries, sums, queries).compile()
"""


def compiled(program):
    """What a program that compiles for TPUs prints."""
    environment = {**os.environ, "JAX_PLATFORMS": "cpu", "TPU_SKIP_MDS_QUERY": "1"}
    for name in ("JAX_NUM_CPU_DEVICES", "JAX_DISABLE_MOST_OPTIMIZATIONS", "XLA_FLAGS"):
        environment.pop(name, None)
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, check=False, capture_output=True, text=True, env=environment, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


@pytest.mark.skipif(find_spec("libtpu") is None, reason='needs the TPU compiler: pip install ".[aot]"')
def test_the_backward_kernel_of_attention_with_segments_fits_the_memory_of_a_core():
    compiled(KERNEL)


@pytest.mark.skipif(find_spec("libtpu") is None, reason='needs the TPU compiler: pip install ".[aot]"')
def test_a_program_compiled_for_a_tpu_slice_counts_as_written():
    """The second of them is read from what the compiler itself writes, as where its program cannot be read back."""
    report, slices = json.loads(compiled(PROGRAM).splitlines()[-1])
    # Of the gradient of a matrix a device sends to the other slice the quarter that it owns, and nothing else.
    (far,) = [one for one in slices["network"] if one["dcn"]]
    assert (far["kind"], far["axes"], far["count"]) == ("all-reduce", "data", 1)
    assert far["bytes"] == 2 * 0.5 * 256 * 256 * 4 / 4
    assert {one["axes"] for one in slices["network"] if not one["dcn"]} == {"fsdp"}
    # Rows are shared by the four of fsdp; the two of tensor have nothing to share and compute the same.
    assert report["compiled_flops"] == 2 * 3 * (512 // 4) * 256 * 256
    assert report["model_flops"] == report["compiled_flops"] / 2
    gather = [one for one in report["network"] if one["kind"] == "all-gather"]
    assert [one["axes"] for one in gather] == ["fsdp"]
    assert sum(one["bytes"] for one in gather) >= 3 * 0.75 * 256 * 256 * 2 * 0.99
    assert report["arguments"] >= 3 * 256 * 256 * 2 / 4 + 512 * 256 * 2 / 4
    assert report["devices"] == 8
    assert report["capacity"] == 16 * 2**30


def network(seconds, overlapped=0.0, dcn=False):
    return Network("all-gather", "fsdp", 1, 1.0, overlapped, seconds, dcn)


def report(**values):
    given = {
        "topology": "v5e:2x4", "slices": 1, "devices": 8, "mesh": {"data": 8}, "arguments": 4e9, "outputs": 3e9,
        "aliased": 3e9, "temporaries": 5e9, "code": 1e9, "capacity": 16e9, "model_flops": 1e12, "compiled_flops": 2e12,
        "kernel_flops": 0.0, "traffic": 1e9, "network": (), "compute_seconds": 0.01, "memory_seconds": 0.002,
        "compile_seconds": 1.0,
    }  # fmt: skip
    return Report(**{**given, **values})


def test_memory_is_counted_once_where_outputs_reuse_arguments():
    assert report().peak == 10e9
    assert report().fits
    assert not report(temporaries=12e9).fits


def test_the_roofline_is_the_slowest_resource():
    assert report().bound == "compute"
    assert report().roofline_seconds == 0.01
    busy = report(network=(network(0.007), network(0.008), network(0.012, dcn=True)))
    assert (busy.bound, busy.roofline_seconds) == ("network", 0.015)
    assert report(memory_seconds=0.5).bound == "memory"


def test_what_is_not_overlapped_adds_to_the_time():
    assert report(network=(network(0.004, overlapped=0.75),)).exposed_seconds == pytest.approx(0.011)


def test_utilisation_at_the_compute_bound_is_model_over_compiled_flops():
    one = report()
    assert one.utilisation(one.compute_seconds) == pytest.approx(0.5)
    assert one.utilisation(2 * one.compute_seconds) == pytest.approx(0.25)


def fake_mesh(places, shape, slices=None):
    devices = np.empty(shape, object)
    for at, place in zip(np.ndindex(*shape), places, strict=True):
        devices[at] = SimpleNamespace(coords=place, slice_index=slices[at] if slices is not None else 0)
    return SimpleNamespace(devices=devices, shape=dict(zip(("data", "fsdp"), shape, strict=True)))


def test_an_axis_has_the_links_of_the_dimensions_that_it_lies_along():
    topology = parse_topology("v5p:2x2x4")
    places = [(x, y, z) for x in range(2) for y in range(2) for z in range(4)]
    mesh = fake_mesh(places, (4, 4))  # data: x and y; fsdp: z
    whole = topology.chip.ici_bandwidth
    assert link_rate(mesh, ["fsdp"], topology) == pytest.approx(whole / 3)
    assert link_rate(mesh, ["data"], topology) == pytest.approx(2 * whole / 3)
    assert link_rate(mesh, ["data", "fsdp"], topology) == pytest.approx(whole)


def test_the_part_of_an_axis_within_a_slice_has_the_links_of_that_slice():
    """Data is 2 slices of 2; chips of different slices may have other places, and no links between them."""
    topology = parse_topology("v5e:2x2")
    places = [(x + 2 * s, y + 2 * s, 0) for s in range(2) for x in range(2) for y in range(2)]
    mesh = fake_mesh(places, (4, 2), slices=np.repeat([0, 1], 4).reshape(4, 2))
    assert link_rate(mesh, ["data"], topology) == pytest.approx(topology.chip.ici_bandwidth / 2)
    assert link_rate(mesh, ["data", "fsdp"], topology) == pytest.approx(topology.chip.ici_bandwidth)


CROSSING = """\
ENTRY %main (g: f32[64,32]) -> f32[32,32] {
  %g = f32[64,32]{1,0} parameter(0)
  %own = f32[32,32]{1,0} reduce-scatter(%g), channel_id=1, replica_groups={{0,2},{1,3}}, dimensions={0}
  %token = token[] after-all()
  %send = (f32[32,32]{1,0}, u32[], token[]) send(%own, %token), channel_id=3, is_host_transfer=true, \
frontend_attributes={_xla_host_transfer_rendezvous="r",_xla_megascale_transfer_type="ALL_REDUCE"}
  %recv = (f32[32,32]{1,0}, u32[], token[]) recv(%token), channel_id=2, is_host_transfer=true, \
frontend_attributes={_xla_host_transfer_rendezvous="r",_xla_megascale_transfer_type="ALL_REDUCE"}
  %sent = token[] send-done(%send), channel_id=3, is_host_transfer=true
  %summed = (f32[32,32]{1,0}, token[]) recv-done(%recv), channel_id=2, is_host_transfer=true
  ROOT %out = f32[32,32]{1,0} get-tuple-element(%summed), index=0
}
"""
"""As the compiler writes the sum of a gradient over a data axis of 4 on 2 slices."""


def test_what_leaves_the_slice_goes_by_the_data_centre_network():
    topology = parse_topology("v5e:2x2")
    places = [(x, y, 0) for _ in range(2) for x in range(2) for y in range(2)]
    mesh = fake_mesh(places, (4, 2), slices=np.repeat([0, 1], 4).reshape(4, 2))
    sizes = dict.fromkeys(("argument", "output", "alias", "temp", "generated_code"), 1)
    memory = SimpleNamespace(**{f"{name}_size_in_bytes": size for name, size in sizes.items()})
    compiled = SimpleNamespace(as_text=lambda: CROSSING, memory_analysis=lambda: memory)
    made = analyse(compiled, compiled.as_text(), mesh, topology, slices=2, model_flops=1.0)
    near, far = made.network
    assert (near.kind, near.axes, near.dcn) == ("reduce-scatter", "data", False)
    assert near.seconds == pytest.approx(0.5 * 64 * 32 * 4 / (topology.chip.ici_bandwidth / 2))
    assert (far.kind, far.axes, far.dcn, far.overlapped) == ("all-reduce", "data", True, 0)
    assert far.seconds == pytest.approx(32 * 32 * 4 / topology.chip.dcn_bandwidth)
    assert made.network_seconds == far.seconds  # both at once; this is the slower
    assert made.exposed_seconds == pytest.approx(near.seconds + far.seconds + made.memory_seconds)


def test_a_collective_along_no_axis_stays_on_the_slice():
    topology = parse_topology("v5e:2x2")
    mesh = fake_mesh([(x, y, 0) for x in range(2) for y in range(2)], (2, 2))
    assert link_rate(mesh, ["none"], topology) == pytest.approx(topology.chip.ici_bandwidth / 2)
