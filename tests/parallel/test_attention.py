# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Every attention gives the numbers of the plain one, forward and backward, with ragged segments."""

import re
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.sharding import NamedSharding
from jax.sharding import PartitionSpec as P

from vidgen.parallel import attention
from vidgen.parallel.attention import KINDS, dense, head_by_head, make_attention
from vidgen.parallel.kernels import Chunked
from vidgen.parallel.mesh import MeshConfig, make_mesh
from vidgen.parallel.splash import Splash
from vidgen.typing import ATTENTION

B, L, N, K = 2, 22, 4, 8  # eight shards do not divide 22 tokens
RNG = np.random.default_rng(0)
Q, KEYS, V, G = RNG.normal(size=(4, B, L, N, K)).astype(np.float32)
# Clips of 1 to 13 tokens, packed differently in each row.
SEGMENTS = np.stack([np.repeat([1, 2, 3, 4], n) for n in ((13, 1, 5, 3), (2, 9, 4, 7))]).astype(np.int32)


def test_equals_a_direct_softmax_in_float64() -> None:
    rng = np.random.default_rng(0)
    q, k, v = rng.normal(size=(3, 2, 5, 3, 4)).astype(np.float32)
    segments = np.array([[0, 0, 1, 1, 1], [0, 1, 2, 2, 2]])
    out = dense(q, k, v, (segments, segments), dtype="float32")
    for b in range(2):
        for n in range(3):
            scores = q[b, :, n].astype(np.float64) @ k[b, :, n].T / 2.0
            scores[segments[b][:, None] != segments[b][None, :]] = -np.inf
            weights = np.exp(scores)
            expected = (weights / weights.sum(-1, keepdims=True)) @ v[b, :, n]
            np.testing.assert_allclose(out[b, :, n], expected, atol=1e-5)


def test_bfloat16_is_near_float32() -> None:
    q, k, v = np.random.default_rng(1).normal(size=(3, 1, 64, 2, 32)).astype(np.float32)
    np.testing.assert_allclose(dense(q, k, v), dense(q, k, v, dtype="float32"), atol=0.03)


def value_and_grads(attn_fn, q, k, v, segments, g) -> tuple:
    """Output, and gradients of q, k and v for the cotangent g."""

    def run(q, k, v, g):
        out, pull = jax.vjp(lambda q, k, v: attn_fn(q, k, v, segments), q, k, v)
        return out, *pull(g)

    return jax.jit(run)(q, k, v, g)


def assert_same(got, expected, **tolerance) -> None:
    for a, b, name in zip(got, expected, ("output", "dq", "dk", "dv"), strict=True):
        np.testing.assert_allclose(a, b, err_msg=name, **tolerance)


SEGMENT_IDS = (SEGMENTS, SEGMENTS)
EXPECTED = {
    ragged: value_and_grads(lambda *a: dense(*a, dtype="float32"), Q, KEYS, V, SEGMENT_IDS if ragged else None, G)
    for ragged in (True, False)
}


@pytest.mark.parametrize(
    ("kind", "sizes"),
    [
        ("ring", {"sequence": 8}),
        ("ulysses", {"sequence": 2, "tensor": 2, "data": 2}),
        ("ulysses_ring", {"sequence": 8}),
        pytest.param("local", {"data": 2, "tensor": 4}, marks=pytest.mark.slow),
        pytest.param("ring", {"sequence": 2, "fsdp": 2, "tensor": 2}, marks=pytest.mark.slow),
        pytest.param("ulysses", {"sequence": 4, "data": 2}, marks=pytest.mark.slow),
        pytest.param("ulysses_ring", {"sequence": 4, "tensor": 2}, marks=pytest.mark.slow),
        pytest.param("dense", {"sequence": 4, "tensor": 2}, marks=pytest.mark.slow),
    ],
)
@pytest.mark.parametrize("ragged", [True, False])
def test_every_kind_equals_dense(kind, sizes: dict[str, int], ragged: bool) -> None:
    mesh = make_mesh(MeshConfig(**sizes))
    attn_fn = make_attention(kind, mesh, dtype="float32", kernel=Chunked(block=4))
    with jax.set_mesh(mesh):
        got = value_and_grads(attn_fn, Q, KEYS, V, SEGMENT_IDS if ragged else None, G)
    assert_same(got, EXPECTED[ragged], rtol=1e-5, atol=2e-6)


@pytest.mark.parametrize("ragged", [False, True])
def test_one_head_after_another_is_the_same(ragged: bool, monkeypatch) -> None:
    """As on a CPU with one device, where there are many scores: none of all heads at once is kept."""
    segments = SEGMENT_IDS if ragged else None
    expected = value_and_grads(lambda *given: dense(*given, dtype="float32"), Q, KEYS, V, segments, G)
    monkeypatch.setattr(attention, "LARGE", 1)
    monkeypatch.setattr(attention, "MANY", 1)
    assert_same(
        value_and_grads(lambda *given: head_by_head(*given, dtype="float32"), Q, KEYS, V, segments, G),
        expected,
        atol=2e-6,
    )
    alone = make_attention("dense", make_mesh(MeshConfig(), jax.devices()[:1]))
    scores = f"{B}x{N}x{L}x{L}xf32"
    given = jnp.asarray(Q), jnp.asarray(KEYS), jnp.asarray(V), segments
    assert scores in jax.jit(dense).lower(*given).as_text() and scores not in jax.jit(alone).lower(*given).as_text()


def test_cross_attention_keeps_the_text_on_every_device() -> None:
    """Queries are divided over the sequence; keys of another length are not. 5 keys, of which a clip sees some."""
    mesh = make_mesh(MeshConfig(sequence=4, tensor=2))
    k_segments = np.array([[1, 2, 3, 4, -1], [1, 2, 2, 3, 4]], np.int32)
    args = Q, KEYS[:, :5], V[:, :5], (SEGMENTS, k_segments), G
    with jax.set_mesh(mesh):
        got = value_and_grads(make_attention("local", mesh, dtype="float32"), *args)
    assert_same(got, value_and_grads(lambda *a: dense(*a, dtype="float32"), *args), rtol=1e-5, atol=2e-6)


def test_bfloat16_operands_float32_statistics() -> None:
    """Scores of hundreds, whose exponentials no bfloat16 statistics would survive, split over a ring of eight."""
    mesh = make_mesh(MeshConfig(sequence=8))
    q, k = 12 * Q, 12 * KEYS
    rounded = (x.astype(jnp.bfloat16).astype(np.float32) for x in (q * K**-0.5, k, V))
    q16, k16, v16 = rounded
    expected = dense(q16 * K**0.5, k16, v16, SEGMENT_IDS, dtype="float32")
    with jax.set_mesh(mesh):
        got = jax.jit(make_attention("ring", mesh))(q, k, V, SEGMENT_IDS)
    np.testing.assert_allclose(got, expected, atol=0.03)


def test_a_ring_keeps_no_scores() -> None:
    """What is saved for the backward pass, and what is ever made, stays linear in the length."""
    mesh = make_mesh(MeshConfig(sequence=2), jax.devices()[:2])
    length = 64
    x = jnp.ones((1, length, 1, 4))
    attn_fn = make_attention("ring", mesh, dtype="float32", kernel=Chunked(block=8))
    with jax.set_mesh(mesh):
        program = str(jax.make_jaxpr(lambda q: jax.vjp(lambda q: attn_fn(q, q, q, None), q)[1](x))(x))
    assert f"1,1,8,{length // 2}]" in program  # the scores of a chunk to the keys of one device
    assert f"{length // 2},{length // 2}]" not in program
    assert f"{length},{length}]" not in program


@pytest.mark.parametrize(("kind", "whole"), [("ring", False), ("local", True)])
def test_a_ring_gives_no_device_the_keys_of_all(kind, whole: bool) -> None:
    """In the compiled program, forward and backward, no array is as long as the sequence; the control has one."""
    mesh = make_mesh(MeshConfig(sequence=4), jax.devices()[:4])
    length = 4 * 13
    x = jax.ShapeDtypeStruct((1, length, 2, 8), jnp.float32, sharding=NamedSharding(mesh, P(None, "sequence")))
    attn_fn = make_attention(kind, mesh, dtype="float32")
    with jax.set_mesh(mesh):
        grads = jax.grad(lambda q, k, v: jnp.sum(attn_fn(q, k, v, None)), argnums=(0, 1, 2))
        text = jax.jit(grads, out_shardings=x.sharding).lower(x, x, x).compile().as_text() or ""
    assert re.search(r"f32\[[\d,]*\b13\b[\d,]*\]", text)
    assert bool(re.search(rf"f32\[[\d,]*\b{length}\b[\d,]*\]", text)) is whole


def count_products(jaxpr: Any) -> int:
    """Matrix products in a traced program and in all that it calls; each loop's body once."""
    inner = [sub for eqn in jaxpr.eqns for sub in jax.tree.leaves(list(eqn.params.values())) if hasattr(sub, "eqns")]
    return sum(eqn.primitive.name == "dot_general" for eqn in jaxpr.eqns) + sum(map(count_products, inner))


def test_attention_that_a_checkpoint_keeps_is_not_computed_again() -> None:
    """A ring's program has three places for it, the first part, those between and the last: forward 2 products each."""
    mesh = make_mesh(MeshConfig(sequence=2), jax.devices()[:2])
    x = jax.ShapeDtypeStruct((1, 64, 2, 8), jnp.float32)
    policy = jax.checkpoint_policies.save_only_these_names(ATTENTION)

    def products(name: str) -> int:
        attn_fn = make_attention("ring", mesh, dtype="float32", name=name)
        kept = jax.checkpoint(lambda q, k, v: jnp.sum(attn_fn(q, k, v, None) ** 2), policy=policy)
        with jax.set_mesh(mesh):
            return count_products(jax.make_jaxpr(jax.grad(kept, argnums=(0, 1, 2)))(x, x, x))

    assert products(ATTENTION) == 3 * (2 + 5)
    assert products("another") == 3 * (2 + 5 + 2)


def test_a_query_without_keys_gets_zeros_and_gives_no_gradient() -> None:
    segments = (np.full((B, L), 7, np.int32), SEGMENTS)
    mesh = make_mesh(MeshConfig(sequence=2), jax.devices()[:2])
    with jax.set_mesh(mesh):
        got = value_and_grads(make_attention("ring", mesh, dtype="float32"), Q, KEYS, V, segments, G)
    for x in got:
        np.testing.assert_array_equal(x, 0)


@pytest.mark.parametrize("ragged", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_the_tpu_kernel_equals_dense_in_a_ring(ragged: bool) -> None:
    """The fused kernel, interpreted: its halves, joined over two devices, with lengths that its tiles do not divide,
    and the backward pass in two parts of the keys.
    """
    mesh = make_mesh(MeshConfig(sequence=2), jax.devices()[:2])
    rng = np.random.default_rng(3)
    q, k, v, g = rng.normal(size=(4, 1, 300, 1, 128)).astype(np.float32)
    segments = np.repeat([[1, 2, 3]], [130, 11, 159], axis=1).astype(np.int32)
    pair = (segments, segments) if ragged else None
    expected = value_and_grads(lambda *a: dense(*a, dtype="float32"), q, k, v, pair, g)
    attn_fn = make_attention("ring", mesh, dtype="float32", kernel=Splash(block=128, part=128, interpret=True))
    with jax.set_mesh(mesh):
        got = value_and_grads(attn_fn, q, k, v, pair, g)
    assert_same(got, expected, rtol=1e-4, atol=1e-5)


def test_what_cannot_be_served_says_what_can() -> None:
    mesh = make_mesh(MeshConfig(sequence=8))
    with pytest.raises(ValueError, match=r"4 heads a device and 8 shards.*axis of 4"):
        make_attention("ulysses", mesh)(Q, KEYS, V, None)
    with pytest.raises(ValueError, match="dense, local, ring"):
        make_attention("flash", mesh)
    assert set(KINDS) == {"dense", "local", "ring", "ulysses", "ulysses_ring"}
