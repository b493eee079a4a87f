# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Attention behind the one signature that networks see: attn_fn(q, k, v, segment_ids), on one device or on a mesh."""

import functools
import math
from collections.abc import Callable
from typing import Literal

import jax
import jax.numpy as jnp
from jax import Array
from jax.sharding import Mesh
from jax.sharding import PartitionSpec as P

from vidgen.parallel.kernels import Chunked, Kernel, Segments
from vidgen.parallel.ring import ring_attention
from vidgen.parallel.rules import activation_spec
from vidgen.parallel.splash import Splash
from vidgen.typing import ATTENTION

AttnFn = Callable[[Array, Array, Array, Segments], Array]
Kind = Literal["dense", "local", "ring", "ulysses", "ulysses_ring"]
KINDS: tuple[Kind, ...] = ("dense", "local", "ring", "ulysses", "ulysses_ring")


def dense(
    q_BLNK: Array,
    k_BSNK: Array,
    v_BSNK: Array,
    segment_ids: tuple[Array, Array] | None = None,
    *,
    dtype: str = "bfloat16",
) -> Array:
    """softmax(q k^T / sqrt(K)) v, not causal, with the scores and their statistics in float32.

    Args:
        q_BLNK, k_BSNK, v_BSNK: queries, keys and values of N heads.
        segment_ids: (query segments [B, L], key segments [B, S]); a query sees only the keys of its own segment.
            None lets every query see every key.
        dtype: rounding of the operands of both products.

    Returns:
        [B, L, N, K] in q's dtype.
    """
    scale = q_BLNK.shape[-1] ** -0.5
    einsum = functools.partial(jnp.einsum, preferred_element_type=jnp.float32)
    scores = einsum("BLNK,BSNK->BNLS", (q_BLNK * scale).astype(dtype), k_BSNK.astype(dtype))
    if segment_ids is not None:
        q_segments, k_segments = segment_ids
        same = q_segments[:, None, :, None] == k_segments[:, None, None, :]
        scores = jnp.where(same, scores, jnp.finfo(jnp.float32).min)
    weights = jax.nn.softmax(scores, axis=-1)
    return einsum("BNLS,BSNK->BLNK", weights.astype(dtype), v_BSNK.astype(dtype)).astype(q_BLNK.dtype)


LARGE = 2**18
"""Scores of a head from which `head_by_head` takes one after another; fewer cost more in calls than they save."""
MANY = 2**22
"""Scores of all heads that the caches of a CPU hold."""


def head_by_head(
    q_BLNK: Array,
    k_BSNK: Array,
    v_BSNK: Array,
    segment_ids: tuple[Array, Array] | None = None,
    *,
    dtype: str = "bfloat16",
) -> Array:
    """`dense`, for a CPU: where the scores of all heads would not stay in its caches, one head after another."""
    (B, L, N, _), S = q_BLNK.shape, k_BSNK.shape[1]
    if L * S < LARGE or B * N * L * S < MANY:
        return dense(q_BLNK, k_BSNK, v_BSNK, segment_ids, dtype=dtype)

    einsum = functools.partial(jnp.einsum, preferred_element_type=jnp.float32)

    def clip(given: tuple[Array, Array, Array, tuple[Array, Array] | None]) -> Array:
        q_LNK, k_SNK, v_SNK, segments = given

        def head(n: Array) -> Array:
            q, k, v = (jax.lax.dynamic_index_in_dim(x, n, 1, False) for x in (q_LNK, k_SNK, v_SNK))
            scores = einsum("LK,SK->LS", (q * q.shape[-1] ** -0.5).astype(dtype), k.astype(dtype))
            if segments is not None:
                same = segments[0][:, None] == segments[1]
                scores = jnp.where(same, scores, jnp.finfo(jnp.float32).min)
            # The sum divides what is said rather than the scores, of which there are more.
            weights = jnp.exp(scores - jnp.max(scores, axis=-1, keepdims=True))
            said = einsum("LS,SK->LK", weights.astype(dtype), v.astype(dtype))
            return (said / jnp.sum(weights, axis=-1, keepdims=True)).astype(q_LNK.dtype)

        return jax.lax.map(head, jnp.arange(N)).transpose(1, 0, 2)

    return jax.lax.map(clip, (q_BLNK, k_BSNK, v_BSNK, segment_ids))


def make_attention(
    kind: Kind, mesh: Mesh, *, dtype: str = "bfloat16", kernel: Kernel | None = None, name: str = ATTENTION
) -> AttnFn:
    """The attention of a mesh, with clips divided over (data, fsdp), heads over tensor and tokens over sequence.

    Args:
        kind: how the sequence axis is served.
            "dense": plain products that XLA divides as it sees fit; keeps L x L scores (of a head, on one CPU device).
            "local": every device holds the keys of its whole clip; for cross-attention, and where sequence = 1.
            "ring": keys travel around the axis; any number of heads.
            "ulysses": an all-to-all gives every device all tokens of some heads (arXiv 2309.14509); the axis must
                divide the heads of a device.
            "ulysses_ring": Ulysses as far as the heads go, a ring over what is left of the axis (arXiv 2405.07719).
        mesh: of `vidgen.parallel.mesh`; the call must be traced under `jax.set_mesh` of it or with arrays on it.
        dtype: rounding of the operands of the products; statistics are float32.
        kernel: what a device does; by default splash attention on TPU and chunks of plain products elsewhere.
        name: under which `jax.checkpoint` knows what its backward pass needs beside q, k and v.

    Returns:
        attn_fn(q [B, L, N, K], k [B, S, N, K], v, segment_ids) -> [B, L, N, K] in q's dtype. Lengths that the axis
        does not divide are padded. A query whose segment has no key gets zeros or a mean of values: mask its loss.

    Raises:
        ValueError: no such kind; from the call, "ulysses" with too few heads.
    """
    if kind not in KINDS:
        raise ValueError(f"attention {kind!r} was given; it must be one of {', '.join(KINDS)}")
    if kind == "dense":
        alone = mesh.size == 1 and mesh.devices.flat[0].platform == "cpu"
        return functools.partial(head_by_head if alone else dense, dtype=dtype)
    if kernel is None:
        kernel = Splash() if mesh.devices.flat[0].platform == "tpu" else Chunked()
    return functools.partial(_sharded, kind, mesh, jnp.dtype(dtype), kernel, name)


def _sharded(
    kind: Kind,
    mesh: Mesh,
    dtype: jnp.dtype,
    kernel: Kernel,
    name: str,
    q_BLNK: Array,
    k_BSNK: Array,
    v_BSNK: Array,
    segment_ids: Segments = None,
) -> Array:
    L, K = q_BLNK.shape[1], q_BLNK.shape[3]
    shards = mesh.shape["sequence"]
    travelling = kind != "local"
    q, k, v = (q_BLNK * K**-0.5).astype(dtype), k_BSNK.astype(dtype), v_BSNK.astype(dtype)
    q, k, v, segment_ids = _padded(q, k, v, segment_ids, shards, travelling)
    q_spec = activation_spec("BLNK", q.shape, mesh.shape)
    k_spec = q_spec if travelling else P(q_spec[0], None, *q_spec[2:])
    heads = q.shape[2] // (mesh.shape["tensor"] if q_spec[2] is not None else 1)
    split = _ulysses_size(kind, heads, shards)
    body = functools.partial(_one_device, kernel, name, split, shards // split if travelling else 1)
    specs = (q_spec, k_spec, k_spec, None if segment_ids is None else (P(*q_spec[:2]), P(*k_spec[:2])))
    out = jax.shard_map(body, mesh=mesh, in_specs=specs, out_specs=q_spec, check_vma=False)(q, k, v, segment_ids)
    return out[:, :L].astype(q_BLNK.dtype)


def _ulysses_size(kind: Kind, heads: int, shards: int) -> int:
    """Over how many neighbours of the sequence axis the heads of a device are spread."""
    if kind == "ulysses" and heads % shards:
        raise ValueError(
            f"Ulysses attention was given {heads} heads a device and {shards} shards of the sequence; the shards must "
            f"divide the heads: take 'ulysses_ring' or 'ring', or a sequence axis of {math.gcd(heads, shards)}"
        )
    return math.gcd(heads, shards) if kind.startswith("ulysses") else 1


def _one_device(
    kernel: Kernel, name: str, split: int, steps: int, q: Array, k: Array, v: Array, segments: Segments
) -> Array:
    """What runs on every device: [B, L, N, K] of its tokens to the same.

    Neighbours along the axis, `split` of them, change tokens for heads; rings run across these groups, through the
    devices that then have the same heads.
    """
    size = split * steps
    groups = [list(range(start, start + split)) for start in range(0, size, split)]
    if split > 1:
        exchange = functools.partial(jax.lax.all_to_all, axis_name="sequence", axis_index_groups=groups, tiled=True)
        q, k, v = (exchange(x, split_axis=2, concat_axis=1) for x in (q, k, v))
        if segments is not None:
            q_segments, k_segments = (
                jax.lax.all_gather(x, "sequence", axis_index_groups=groups, axis=1, tiled=True) for x in segments
            )
            segments = q_segments, k_segments
    moves = tuple((i, (i + split) % size) for i in range(size))
    q, k, v = (x.transpose(0, 2, 1, 3) for x in (q, k, v))
    out: Array = ring_attention(q, k, v, segments, kernel, steps, "sequence", moves, name)
    out = out.transpose(0, 2, 1, 3)
    if split > 1:
        out = exchange(out, split_axis=1, concat_axis=2)
    return out


def _padded(
    q: Array, k: Array, v: Array, segment_ids: Segments, shards: int, pad_keys: bool
) -> tuple[Array, Array, Array, Segments]:
    """Lengths made multiples of `shards`; padding queries and padding keys are segments of their own."""
    q_pad, k_pad = -q.shape[1] % shards, -k.shape[1] % shards if pad_keys else 0
    if not q_pad and not k_pad:
        return q, k, v, segment_ids
    if segment_ids is None:
        segment_ids = jnp.zeros(q.shape[:2], jnp.int32), jnp.zeros(k.shape[:2], jnp.int32)

    def padded(x: Array, extra: int, value: int = 0) -> Array:
        return jnp.pad(x, ((0, 0), (0, extra), *((0, 0) for _ in x.shape[2:])), constant_values=value)

    segment_ids = padded(segment_ids[0], q_pad, PADDING), padded(segment_ids[1], k_pad, PADDING)
    return padded(q, q_pad), padded(k, k_pad), padded(v, k_pad), segment_ids


PADDING = jnp.iinfo(jnp.int32).min
"""The segment of what was added to reach a length; no clip may use it."""
