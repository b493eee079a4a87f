# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Figures read from compiled programs are those of the program that was written."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.sharding import AxisType, Mesh, NamedSharding
from jax.sharding import PartitionSpec as P

from vidgen.parallel import hlo
from vidgen.parallel.collectives import collectives

LAYERS, ROWS, WIDTH = 5, 16, 8


def compiled(function, *args):
    return hlo.parse(jax.jit(function).lower(*args).compile().as_text())


def test_products_in_a_loop_count_as_often_as_it_runs():
    def stack(x_RD, w_NDD):
        return jax.lax.scan(lambda x, w: (jnp.tanh(x @ w), None), x_RD, w_NDD)[0]

    module = compiled(stack, jnp.ones((ROWS, WIDTH)), jnp.ones((LAYERS, WIDTH, WIDTH)))
    assert hlo.flops(module).products == 2 * LAYERS * ROWS * WIDTH * WIDTH


def test_loops_in_loops_multiply():
    def twice(x_RD, w_DD):
        inner = lambda x, _: (x @ w_DD, None)  # noqa: E731
        return jax.lax.scan(lambda x, _: (jax.lax.scan(inner, x, length=3)[0], None), x_RD, length=4)[0]

    module = compiled(twice, jnp.ones((ROWS, WIDTH)), jnp.ones((WIDTH, WIDTH)))
    assert hlo.flops(module).products == 12 * 2 * ROWS * WIDTH * WIDTH


def test_a_loop_whose_length_depends_on_data_is_refused():
    module = compiled(lambda x, n: jax.lax.fori_loop(0, n, lambda _, y: y @ y, x), jnp.ones((4, 4)), 3)
    with pytest.raises(ValueError, match="fixed length"):
        hlo.flops(module)


@pytest.mark.parametrize(("stride", "padding"), [(1, "VALID"), (1, "SAME"), (2, "SAME")])
def test_convolutions_count_what_xla_counts(stride, padding):
    x, k = jnp.ones((2, 3, 9, 9)), jnp.ones((4, 3, 3, 3))
    program = jax.jit(lambda x, k: jax.lax.conv(x, k, (stride, stride), padding)).lower(x, k).compile()
    text = program.as_text()
    if "convolution(" not in text:
        pytest.skip("this backend calls a library for convolutions")
    assert hlo.flops(hlo.parse(text)).products == program.cost_analysis()["flops"]


TPU_TEXT = """\
HloModule jit_step, is_scheduled=true

%fused (p0: bf16[4,256,8,64], p1: bf16[4,256,8,64]) -> f32[4,8,256,256] {
  %p0 = bf16[4,256,8,64]{3,1,2,0:T(8,128)(2,1)} parameter(0)
  %p1 = bf16[4,256,8,64]{3,1,2,0:T(8,128)(2,1)S(1)} parameter(1)
  ROOT %conv = f32[4,8,256,256]{2,3,1,0:T(8,128)} convolution(%p0, %p1), \
window={size=4x8 stride=3x7 lhs_dilate=4x8}, dim_labels=0b1f_0o1i->01bf
}

%layer (p0: f32[6,128,64], p1: s32[]) -> f32[1,128,64] {
  %p0 = f32[6,128,64]{2,1,0} parameter(0)
  %p1 = s32[] parameter(1)
  %zero = s32[] constant(0)
  ROOT %cut = f32[1,128,64]{2,1,0} dynamic-slice(%p0, %p1, %zero, %zero), dynamic_slice_sizes={1,128,64}
}

%all-reduce-scatter.2 (p0: f32[512,1024]) -> f32[128,1024] {
  %p0 = f32[512,1024]{1,0} parameter(0)
  %sum = f32[512,1024]{1,0} all-reduce(%p0), channel_id=1, replica_groups={{0,2,4,6},{1,3,5,7}}, to_apply=%add
  %zero = s32[] constant(0)
  ROOT %own = f32[128,1024]{1,0} dynamic-slice(%sum, %zero, %zero), dynamic_slice_sizes={128,1024}
}

%body (state: (s32[], f32[6,128,64])) -> (s32[], f32[6,128,64]) {
  %state = (s32[], f32[6,128,64]{2,1,0}) parameter(0)
  %i = s32[] get-tuple-element(%state), index=0
  %weights = f32[6,128,64]{2,1,0} get-tuple-element(%state), index=1
  %own = f32[1,128,64]{2,1,0} fusion(%weights, %i), kind=kLoop, calls=%layer
  %start = (f32[1,128,64]{2,1,0}, f32[1,512,64]{2,1,0}) all-gather-start(%own), channel_id=7, \
replica_groups=[2,4]<=[4,2]T(1,0), dimensions={1}
  %whole = f32[1,512,64]{2,1,0} all-gather-done(%start)
  %one = s32[] constant(1)
  %next = s32[] add(%i, %one)
  ROOT %out = (s32[], f32[6,128,64]{2,1,0}) tuple(%next, %weights)
}

%condition (state: (s32[], f32[6,128,64])) -> pred[] {
  %state = (s32[], f32[6,128,64]{2,1,0}) parameter(0)
  %i = s32[] get-tuple-element(%state), index=0
  %six = s32[] constant(6)
  ROOT %less = pred[] compare(%i, %six), direction=LT
}

ENTRY %main (q: bf16[4,256,8,64], w: f32[6,128,64], g: f32[512,1024]) -> f32[4,8,256,256] {
  %q = bf16[4,256,8,64]{3,1,2,0} parameter(0)
  %w = f32[6,128,64]{2,1,0} parameter(1)
  %g = f32[512,1024]{1,0} parameter(2)
  %zero = s32[] constant(0)
  %first = (s32[], f32[6,128,64]{2,1,0}) tuple(%zero, %w)
  %loop = (s32[], f32[6,128,64]{2,1,0}) while(%first), condition=%condition, body=%body
  %shard = f32[128,1024]{1,0} fusion(%g), kind=kCustom, calls=%all-reduce-scatter.2
  %near = bf16[4,256,8,64]{3,1,2,0:S(1)} copy(%q)
  %turn = bf16[4,256,8,64]{3,1,2,0} collective-permute(%q), channel_id=9, \
source_target_pairs={{0,1},{1,0},{2,3},{3,2},{4,5},{5,4},{6,7},{7,6}}
  ROOT %scores = f32[4,8,256,256]{3,2,1,0} fusion(%turn, %near), kind=kOutput, calls=%fused
}
"""
"""What the TPU compiler writes, made small: matmuls as convolutions, fused and asynchronous collectives, memory."""


def test_a_batched_product_that_became_a_convolution_counts_as_the_product():
    assert hlo.flops(hlo.parse(TPU_TEXT)).products == 2 * 4 * 8 * 256 * 256 * 64


def test_collectives_of_a_tpu_program():
    found = {one.kind: one for one in collectives(hlo.parse(TPU_TEXT), {"fsdp": 4, "tensor": 2})}
    gather, scatter, permute = found["all-gather"], found["reduce-scatter"], found["collective-permute"]
    assert (gather.axes, gather.times, gather.overlapped) == ("fsdp", 6, False)  # begun, and waited for at once
    assert gather.bytes == 3 * 128 * 64 * 4  # a device sends its own part to three others
    assert (scatter.axes, scatter.times, scatter.overlapped) == ("fsdp", 1, False)
    assert scatter.bytes == 0.75 * 512 * 1024 * 4
    assert (permute.axes, permute.bytes) == ("tensor", 4 * 256 * 8 * 64 * 2)


@pytest.mark.parametrize(
    ("after_start", "after_done", "hidden"),
    [
        ("", "%w = f32[8]{0} fusion(%p), kind=kLoop, calls=%busy", False),
        ("%w = f32[8]{0} fusion(%p), kind=kLoop, calls=%busy", "", True),
        ('%w = f32[8]{0} custom-call(%p), custom_call_target="tpu_custom_call"', "", True),
        ('%w = f32[8]{0} custom-call(%p), custom_call_target="SliceId"', "", False),
        ("%w = f32[8]{0} bitcast(%p)", "", False),
    ],
)
def test_a_collective_is_hidden_by_work_before_it_is_waited_for(after_start, after_done, hidden):
    text = f"""\
%busy (a: f32[8]) -> f32[8] {{
  %a = f32[8]{{0}} parameter(0)
  ROOT %b = f32[8]{{0}} negate(%a)
}}

ENTRY %main (p: f32[8]) -> f32[32] {{
  %p = f32[8]{{0}} parameter(0)
  %start = (f32[8]{{0}}, f32[32]{{0}}) all-gather-start(%p), channel_id=1, replica_groups=[1,4]<=[4], dimensions={{0}}
  {after_start}
  %done = f32[32]{{0}} all-gather-done(%start)
  {after_done}
  ROOT %out = f32[32]{{0}} bitcast(%done)
}}
"""
    (found,) = collectives(hlo.parse(text), {"fsdp": 4})
    assert found.overlapped is hidden


SLICES_TEXT = """\
HloModule jit_step, is_scheduled=true

%busy (a: f32[64]) -> f32[64] {
  %a = f32[64]{0} parameter(0)
  ROOT %b = f32[64]{0} negate(%a)
}

ENTRY %main (g: f32[64,32], w: f32[64]) -> f32[16,32] {
  %g = f32[64,32]{1,0} parameter(0)
  %w = f32[64]{0} parameter(1)
  %near = f32[32,32]{1,0} reduce-scatter(%g), channel_id=1, replica_groups={{0,2},{1,3}}, dimensions={0}
  %own = f32[16,32]{1,0} reduce-scatter(%near), channel_id=2, replica_groups={{0,1},{2,3}}, dimensions={0}
  %token = token[] after-all(), frontend_attributes={MegascaleRendezvousKeyName="all-reduce.7_0"}
  %send = (f32[16,32]{1,0}, u32[], token[]) send(%own, %token), channel_id=4, is_host_transfer=true, \
frontend_attributes={_xla_host_transfer_handler_name="xla_megascale_runtime",\
_xla_host_transfer_rendezvous="all-reduce.7_0",_xla_megascale_reduce_operation="SUM",\
_xla_megascale_target="{1,2}x{0:3}",_xla_megascale_transfer_type="ALL_REDUCE"}
  %recv = (f32[16,32]{1,0}, u32[], token[]) recv(%token), channel_id=3, is_host_transfer=true, \
frontend_attributes={_xla_host_transfer_rendezvous="all-reduce.7_0",_xla_megascale_transfer_type="ALL_REDUCE"}
  %last = token[] after-all(), frontend_attributes={MegascaleRendezvousKeyName="all-gather.9_0"}
  %to = (f32[64]{0}, u32[], token[]) send(%w, %last), channel_id=6, is_host_transfer=true, \
frontend_attributes={_xla_host_transfer_rendezvous="all-gather.9_0",_xla_megascale_transfer_type="ALL_GATHER"}
  %from = (f32[2,64]{1,0}, u32[], token[]) recv(%last), channel_id=5, is_host_transfer=true, \
frontend_attributes={_xla_host_transfer_rendezvous="all-gather.9_0",_xla_megascale_transfer_type="ALL_GATHER"}
  %sent = token[] send-done(%to), channel_id=6, is_host_transfer=true
  %gathered = (f32[2,64]{1,0}, token[]) recv-done(%from), channel_id=5, is_host_transfer=true
  %work = f32[64]{0} fusion(%w), kind=kLoop, calls=%busy
  %all = f32[64]{0} all-reduce(%w), channel_id=7, replica_groups={}, to_apply=%add
  %gone = token[] send-done(%send), channel_id=4, is_host_transfer=true
  %summed = (f32[16,32]{1,0}, token[]) recv-done(%recv), channel_id=3, is_host_transfer=true
  ROOT %out = f32[16,32]{1,0} get-tuple-element(%summed), index=0
}
"""
"""Gradients of two slices of 2 x 2 devices: summed within a slice, and then over the data-centre network."""


def test_what_crosses_slices_is_told_from_what_stays_within_one():
    found = collectives(hlo.parse(SLICES_TEXT), {"data": 4, "fsdp": 2}, slices=2)
    told = [(one.kind, one.axes, one.dcn, one.bytes, one.overlapped) for one in found]
    assert told == [
        ("reduce-scatter", "data", False, 0.5 * 64 * 32 * 4, False),  # devices 0 and 2 of a slice: its half of data
        ("reduce-scatter", "fsdp", False, 0.5 * 32 * 32 * 4, False),
        ("all-reduce", "data", True, 2 * 0.5 * 16 * 32 * 4, True),
        ("all-gather", "data", True, 64 * 4, False),
        ("all-reduce", "data+fsdp", False, 2 * 0.75 * 64 * 4, False),  # all four of a slice
    ]
    more = collectives(hlo.parse(SLICES_TEXT), {"data": 8, "fsdp": 2}, slices=4)
    assert [one.bytes for one in more if one.dcn] == [2 * 0.75 * 16 * 32 * 4, 3 * 64 * 4]


def fused_gather(name: str) -> str:
    """A fused computation that holds a gather under channel 1."""
    return f"""\
%{name} (p: f32[8]) -> f32[32] {{
  %p = f32[8]{{0}} parameter(0)
  ROOT %gather = f32[32]{{0}} all-gather(%p), channel_id=1, replica_groups=[1,4]<=[4], dimensions={{0}}
}}

"""


@pytest.mark.parametrize(
    ("names", "times"),
    [
        (("plain.1", "plain.2"), 2),  # two collectives that share a channel
        (("async_collective.1", "async_collective.2"), 1),  # the beginning and the end of one
    ],
)
def test_channels_are_shared_by_unlike_collectives_and_by_the_parts_of_one(names, times):
    text = "".join(fused_gather(name) for name in names)
    text += """\
ENTRY %main (p: f32[8]) -> f32[32] {
  %p = f32[8]{0} parameter(0)
"""
    text += f"  %a = f32[32]{{0}} fusion(%p), kind=kCustom, calls=%{names[0]}\n"
    text += f"  ROOT %b = f32[32]{{0}} fusion(%p), kind=kCustom, calls=%{names[1]}\n}}\n"
    found = collectives(hlo.parse(text), {"fsdp": 4})
    assert sum(one.times for one in found) == times
    assert {one.bytes for one in found} == {3 * 8 * 4}


def test_traffic_counts_slices_and_leaves_out_what_stays_on_the_core():
    part, query, scores, shard = 128 * 64 * 4, 4 * 256 * 8 * 64 * 2, 4 * 8 * 256 * 256 * 4, 128 * 1024 * 4
    loop = 6 * (part + part + part + (part + 4 * part))  # slice read and written; gather read and both parts written
    rest = (512 * 1024 * 4 + shard) + query + 2 * query + (query + scores)
    counter = 6 * 4 * 4  # scalars of the loop: the index of the slice, the sum of two
    assert hlo.traffic(hlo.parse(TPU_TEXT)) == pytest.approx(loop + rest + counter, rel=0.01)


@pytest.mark.parametrize(
    ("text", "groups"),
    [
        ("replica_groups={{0,2},{1,3}}", [[0, 2], [1, 3]]),
        ("replica_groups=[2,2]<=[4]", [[0, 1], [2, 3]]),
        ("replica_groups=[2,2]<=[2,2]T(1,0)", [[0, 2], [1, 3]]),
        ("replica_groups=mesh['axis_0'=2,'axis_1'=2] {'axis_0'}", [[0, 2], [1, 3]]),
        ("source_target_pairs={{0,1},{1,0},{2,3},{3,2}}", [[0, 1], [2, 3]]),
    ],
)
def test_every_way_to_write_groups_is_read(text, groups):
    found = collectives(
        hlo.parse(f"ENTRY %m (p: f32[8]) -> f32[8] {{\n  %p = f32[8]{{0}} parameter(0)\n"
                  f"  ROOT %r = f32[8]{{0}} collective-permute(%p), channel_id=1, {text}\n}}\n"),
        {"a": 2, "b": 2},
    )  # fmt: skip
    assert found[0].axes == ("a" if groups[0] == [0, 2] else "b")


def test_collectives_of_a_program_on_virtual_devices():
    mesh = Mesh(np.array(jax.devices()).reshape(4, 2), ("fsdp", "tensor"), axis_types=(AxisType.Auto,) * 2)
    sharding = NamedSharding(mesh, P("fsdp", "tensor"))
    x = jax.device_put(jnp.ones((8, 8)), sharding)
    program = jax.jit(lambda x: x.sum(), out_shardings=NamedSharding(mesh, P())).lower(x).compile()
    found = collectives(hlo.parse(program.as_text()), dict(mesh.shape))
    assert {one.kind for one in found} == {"all-reduce"}
    assert {axis for one in found for axis in one.axes.split("+")} == {"fsdp", "tensor"}


@pytest.mark.parametrize("axes", [("data", "tensor"), ("fsdp",), ("data", "fsdp", "tensor")])
def test_a_collective_over_several_axes_has_all_their_names(axes):
    mesh = Mesh(np.array(jax.devices()).reshape(2, 2, 2), ("data", "fsdp", "tensor"))
    left = tuple(name for name in mesh.axis_names if name not in axes)
    add = jax.shard_map(lambda x: jax.lax.psum(x, axes), mesh=mesh, in_specs=P(mesh.axis_names), out_specs=P(left))
    program = jax.jit(add).lower(jax.ShapeDtypeStruct((8, 4), jnp.float32)).compile()
    (found,) = collectives(hlo.parse(program.as_text()), dict(mesh.shape))
    assert (found.kind, found.axes) == ("all-reduce", "+".join(axes))


def test_text_without_a_program_is_refused():
    with pytest.raises(ValueError, match="as_text"):
        hlo.parse("no program here")


SPLASH_TEXT = """\
HloModule jit_step, is_scheduled=true

ENTRY %main (q: bf16[2,4,1024,128], k: bf16[2,4,768,128], w: bf16[128,128]) -> bf16[2,4,1024,128] {
  %q = bf16[2,4,1024,128]{3,2,1,0} parameter(0)
  %k = bf16[2,4,768,128]{3,2,1,0} parameter(1)
  %w = bf16[128,128]{1,0} parameter(2)
  %splash_mha_fwd_segmented_residuals.1 = (bf16[2,4,1024,128]{3,2,1,0}, f32[2,4,1024,128]{3,2,1,0}) \
custom-call(%q, %k, %k), custom_call_target="tpu_custom_call", frontend_attributes={kernel_metadata={
"xprof_metadata":"{\\"block_q\\": 512}"
}}, metadata={op_name="jit(f)/checkpoint/rematted_computation/pallas_call"}
  %splash_mha_dq_no_residuals.2 = bf16[2,4,1024,128]{3,2,1,0} custom-call(%q, %k, %k), \
custom_call_target="tpu_custom_call"
  %splash_mha_dkv_no_residuals.3 = bf16[2,4,768,128]{3,2,1,0} custom-call(%q, %k, %k), \
custom_call_target="tpu_custom_call"
  %splash_mha_dkv_no_residuals.4 = (f32[512,128]{1,0}, f32[2048,128]{1,0}, f32[2048,128]{1,0}, \
bf16[1,2,4,1024,128]{4,3,2,1,0}, bf16[2,4,768,128]{3,2,1,0}, bf16[2,4,768,128]{3,2,1,0}) \
custom-call(%q, %k, %k), custom_call_target="tpu_custom_call"
  ROOT %out = bf16[2,4,1024,128]{3,2,1,0} dot(%q, %w), lhs_contracting_dims={3}, rhs_contracting_dims={0}
}
"""


def test_attention_kernels_count_by_formula_and_what_is_computed_again_is_told_apart():
    one = 2 * 2 * 4 * 1024 * 768 * 128
    found = hlo.flops(hlo.parse(SPLASH_TEXT))
    assert found.products == 2 * 2 * 4 * 1024 * 128 * 128  # it stands after an instruction of several lines
    assert found.kernels == (2 + 3 + 4 + 5) * one
    assert found.rematerialised == 2 * one
    assert found.rescored == (2 + 1 + 1) * one
