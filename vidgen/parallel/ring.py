# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Ring attention: queries stay where they are, keys and values travel around the devices (arXiv 2310.01889).

Forward, each device joins the parts by an online softmax in float32. Backward, keys and values travel once more
together with the gradients that gather on the way. Only q, k, v, the output and the log of the denominator are kept
between the two, so nothing grows with the square of the length.
"""

import functools

import jax
import jax.numpy as jnp
from jax import Array
from jax.ad_checkpoint import checkpoint_name

from vidgen.parallel.kernels import Kernel, Segments, merge

Moves = tuple[tuple[int, int], ...]
"""(from, to) pairs along the mesh axis: who hands its keys to whom."""


@functools.partial(jax.custom_vjp, nondiff_argnums=(4, 5, 6, 7, 8))
def ring_attention(
    q_BNLK: Array,
    k_BNSK: Array,
    v_BNSK: Array,
    segments: Segments,
    kernel: Kernel,
    steps: int,
    axis: str,
    moves: Moves,
    name: str,
) -> Array:
    """Attention of a device's queries to the keys of all `steps` devices of its ring; call it inside `shard_map`.

    Args:
        q_BNLK: queries, scaled; k_BNSK, v_BNSK, segments: this device's.
        kernel: what a device does with one part of the keys.
        steps: devices in a ring; 1 is plain attention of one device, with the same gradients.
        axis: the mesh axis that keys travel along.
        moves: one step of the journey.
        name: of what the backward pass needs beside q, k and v, so that `jax.checkpoint` can be told to keep it.
    """
    return _forward(q_BNLK, k_BNSK, v_BNSK, segments, kernel, steps, axis, moves, name)[0]


def _forward(
    q: Array, k: Array, v: Array, segments: Segments, kernel: Kernel, steps: int, axis: str, moves: Moves, name: str
) -> tuple[Array, tuple]:
    out, lse = _all_parts(q, k, v, segments, kernel, steps, axis, moves)
    out, lse = checkpoint_name(out, name), checkpoint_name(lse, name)
    return out, (q, k, v, segments, out, lse)


def _all_parts(
    q: Array, k: Array, v: Array, segments: Segments, kernel: Kernel, steps: int, axis: str, moves: Moves
) -> tuple[Array, Array]:
    q_segments, k_segments = (None, None) if segments is None else segments

    def part(k: Array, v: Array, k_segments: Array | None) -> tuple[Array, Array]:
        pair = None if q_segments is None or k_segments is None else (q_segments, k_segments)
        return kernel.forward(q, k, v, pair)

    if steps == 1:
        return part(k, v, k_segments)

    def hand_on(x):
        return jax.tree.map(lambda a: jax.lax.ppermute(a, axis, moves), x)

    def step(carry, _):
        sums, travelling = carry
        # Asked for first, so that the next keys are under way while these are worked on.
        coming = hand_on(travelling)
        out, lse = part(*travelling)
        return (merge(sums, (out.astype(jnp.float32), lse)), coming), None

    out, lse = part(k, v, k_segments)
    carry = (out.astype(jnp.float32), lse), hand_on((k, v, k_segments))
    (sums, travelling), _ = jax.lax.scan(step, carry, length=steps - 2)
    out, lse = part(*travelling)
    out, lse = merge(sums, (out.astype(jnp.float32), lse))
    return out.astype(q.dtype), lse


def _backward(kernel: Kernel, steps: int, axis: str, moves: Moves, name: str, saved: tuple, g: Array) -> tuple:
    del name
    q, k, v, segments, out, lse = saved
    q_segments, k_segments = (None, None) if segments is None else segments

    def part(k: Array, v: Array, k_segments: Array | None) -> tuple[Array, Array, Array]:
        pair = None if q_segments is None or k_segments is None else (q_segments, k_segments)
        return kernel.backward(q, k, v, pair, out, lse, g)

    def hand_on(x):
        return jax.tree.map(lambda a: jax.lax.ppermute(a, axis, moves), x)

    def step(carry, _):
        dq, travelling, dkv = carry
        coming = hand_on(travelling)
        more_dq, *more = part(*travelling)
        return (dq + more_dq, coming, hand_on(jax.tree.map(jnp.add, dkv, tuple(more)))), None

    dq, *dkv = part(k, v, k_segments)
    if steps > 1:
        # Gradients travel with the keys that they belong to; after as many steps as devices they are home.
        carry = dq, hand_on((k, v, k_segments)), hand_on(tuple(dkv))
        (dq, travelling, dkv), _ = jax.lax.scan(step, carry, length=steps - 2)
        more_dq, *more = part(*travelling)
        dq, dkv = dq + more_dq, hand_on(jax.tree.map(jnp.add, dkv, tuple(more)))
    dk, dv = dkv
    return dq.astype(q.dtype), dk.astype(k.dtype), dv.astype(v.dtype), None


ring_attention.defvjp(_forward, _backward)
