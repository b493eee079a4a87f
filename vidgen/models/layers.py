# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The few layers that every network here is made of: a mixed-precision matmul, Dense, RMSNorm, patches, sinusoids."""

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
from flax import linen as nn
from flax.linen import initializers
from jax import Array
from jax.typing import DTypeLike

ShardFn = Callable[[Array, str], Array]
"""shard(x, letters) -> x, told to the compiler how it is divided over devices, by the letters of `vidgen.typing`."""


def unsharded(x: Array, _: str) -> Array:
    """The `ShardFn` of one device: says nothing."""
    return x


def apply(module: nn.Module, params: Any, *args: Any, method: Callable | None = None) -> Any:
    """A module's call (or another method) as a pure function of its parameters."""
    return module.apply({"params": params}, *args, method=method)


@functools.partial(jax.custom_vjp, nondiff_argnums=(2, 3))
def matmul(x: Array, w: Array, dtype: DTypeLike, gather: Callable[[Array], Array] = lambda w: w) -> Array:
    """x [..., I] @ w [I, O] with both operands rounded to `dtype` and float32 accumulation, returned as x.dtype.

    The backward pass rounds the cotangent to `dtype` too. JAX's own rule would multiply a float32 cotangent with
    bfloat16 operands, which neither MXUs nor CPU matrix units do at full rate.

    `gather` is applied to the rounded weight wherever it is used: on a mesh it collects the shards, here, inside the
    scan over layers, and again in the backward pass, so that no more than the layers in use are ever whole.
    """
    return jnp.matmul(x.astype(dtype), gather(w.astype(dtype)), preferred_element_type=jnp.float32).astype(x.dtype)


def _matmul_fwd(x: Array, w: Array, dtype: DTypeLike, gather: Callable) -> tuple[Array, tuple[Array, ...]]:
    # Only the rounded operands are kept: half the memory, and the backward pass needs nothing more. The empty
    # arrays carry the dtypes that the cotangents must have.
    return matmul(x, w, dtype, gather), (x.astype(dtype), w.astype(dtype), jnp.empty(0, x.dtype), jnp.empty(0, w.dtype))


def _matmul_bwd(_: DTypeLike, gather: Callable, saved: tuple[Array, ...], g: Array) -> tuple[Array, Array]:
    x, w, x_like, w_like = saved
    dx, dw = jax.lax.platform_dependent(x, gather(w), g, cpu=_matmul_grads_cpu, default=_matmul_grads)
    return dx.astype(x_like.dtype), dw.astype(w_like.dtype)


def _matmul_grads(x: Array, w: Array, g: Array) -> tuple[Array, Array]:
    # The rows are not made one dimension: clips and tokens lie along different mesh axes, and a dimension of both would
    # have to be collected on every device.
    rows, g = range(x.ndim - 1), g.astype(w.dtype)
    return _dot(g, w, ((g.ndim - 1,), (1,))), _dot(x, g, (rows, rows))


def _matmul_grads_cpu(x: Array, w: Array, g: Array) -> tuple[Array, Array]:
    x_RI, g_RO = x.reshape(-1, x.shape[-1]), g.reshape(-1, g.shape[-1]).astype(w.dtype)
    return _dot(g_RO, w, ((1,), (1,))).reshape(x.shape), _transposed_dot_cpu(x_RI, g_RO)


def _dot(a: Array, b: Array, contract: tuple[Sequence[int], Sequence[int]]) -> Array:
    return jax.lax.dot_general(a, b, (contract, ((), ())), preferred_element_type=jnp.float32)


def _transposed_dot_cpu(x_RI: Array, g_RO: Array) -> Array:
    # XLA's CPU backend has a bfloat16 kernel for a @ b and a @ b.T but not for a.T @ b, which it computes in float32
    # at half the rate, and it folds a plain transpose into the product. A transpose of a 3-D view is not folded.
    R, I = x_RI.shape
    tile = next(n for n in (64, 16, 4, 1) if R % n == 0)
    x_IR = jax.lax.optimization_barrier(x_RI.reshape(R // tile, tile, I).transpose(2, 0, 1)).reshape(I, R)
    return _dot(x_IR, g_RO, ((1,), (0,)))


matmul.defvjp(_matmul_fwd, _matmul_bwd)


class Dense(nn.Module):
    """An affine map of the last axis; float32 parameters, products in `dtype`, sums in float32.

    With "lora_a" [I, R] and "lora_b" [R, O] beside its kernel it says x W + (x A) B; see `vidgen.train.lora`. With
    "kernel_scale" [O] its kernel is of int8, and each output is multiplied by its scale; see `vidgen.weights.int8`.

    Attributes:
        features: output width.
        use_bias: whether a bias is added.
        dtype: what the operands of the product are rounded to.
        zero: start at zero, so that the layer is silent at first (the output and gate layers of DiT).
        axes: letters of the kernel's dimensions, for `shard`: "DM" keeps the outputs divided, "MD" the inputs.
        shard: how the kernel is collected before it is used.
    """

    features: int
    use_bias: bool = True
    dtype: DTypeLike = jnp.bfloat16
    zero: bool = False
    axes: str = "IO"
    shard: ShardFn = unsharded

    @nn.compact
    def __call__(self, x: Array) -> Array:
        init = initializers.zeros_init() if self.zero else initializers.lecun_normal()
        kernel = self.param("kernel", init, (x.shape[-1], self.features))
        y: Array = matmul(x, kernel, self.dtype, lambda w: self.shard(w, self.axes))
        if self.has_variable("params", "kernel_scale"):
            y = y * self.get_variable("params", "kernel_scale").astype(y.dtype)
        if self.has_variable("params", "lora_a"):
            a, b = (self.get_variable("params", name) for name in ("lora_a", "lora_b"))
            low: Array = matmul(x, a, self.dtype)
            beside: Array = matmul(low, b, self.dtype)
            y = y + beside
        if self.use_bias:
            y = y + self.param("bias", initializers.zeros_init(), (self.features,)).astype(y.dtype)
        return y


class RMSNorm(nn.Module):
    """x / rms(x) over the last axis, times a learned scale; statistics in float32 (arXiv 1910.07467)."""

    eps: float = 1e-6
    use_scale: bool = True

    @nn.compact
    def __call__(self, x: Array) -> Array:
        x32 = x.astype(jnp.float32)
        y = x32 * jax.lax.rsqrt(jnp.mean(x32 * x32, axis=-1, keepdims=True) + self.eps)
        if self.use_scale:
            y = y * self.param("scale", initializers.ones_init(), (x.shape[-1],))
        return y.astype(x.dtype)


class LayerNorm(nn.Module):
    """(x - mean) / std over the last axis; with an affine map on request; statistics in float32."""

    eps: float = 1e-6
    affine: bool = False

    @nn.compact
    def __call__(self, x: Array) -> Array:
        x32 = x.astype(jnp.float32)
        centred = x32 - jnp.mean(x32, axis=-1, keepdims=True)
        y = centred * jax.lax.rsqrt(jnp.mean(centred * centred, axis=-1, keepdims=True) + self.eps)
        if self.affine:
            y = y * self.param("scale", initializers.ones_init(), (x.shape[-1],))
            y = y + self.param("bias", initializers.zeros_init(), (x.shape[-1],))
        return y.astype(x.dtype)


def gelu(x: Array) -> Array:
    """The tanh form of GELU (arXiv 1606.08415), which the public transformers that we load were trained with."""
    return jax.nn.gelu(x, approximate=True)


def sinusoid(t: Array, width: int, max_period: float = 10_000.0, to_the_end: bool = False) -> Array:
    """[cos, sin] features of positions or times: t [...] -> [..., width], width even (DiT's and Wan's order).

    The slowest frequency is a step above 1 / max_period, or just that with `to_the_end`.
    """
    half = width // 2
    frequencies = jnp.exp(-math.log(max_period) * jnp.arange(half, dtype=jnp.float32) / (half - to_the_end))
    angles = t.astype(jnp.float32)[..., None] * frequencies
    return jnp.concatenate([jnp.cos(angles), jnp.sin(angles)], axis=-1)


def patchify(x_BTHWC: Array, patch: tuple[int, int, int]) -> Array:
    """[B, T, H, W, C] -> [B, T/p, H/q, W/r, p*q*r*C], a patch's values in the order (t, h, w, c)."""
    B, T, H, W, C = x_BTHWC.shape
    p, q, r = patch
    if T % p or H % q or W % r:
        raise ValueError(f"an array of {T}x{H}x{W} (time x height x width) cannot be cut into patches of {p}x{q}x{r}")
    x = x_BTHWC.reshape(B, T // p, p, H // q, q, W // r, r, C)
    return x.transpose(0, 1, 3, 5, 2, 4, 6, 7).reshape(B, T // p, H // q, W // r, p * q * r * C)


def unpatchify(x_BTHWP: Array, patch: tuple[int, int, int]) -> Array:
    """The inverse of `patchify`: [B, T, H, W, p*q*r*C] -> [B, T*p, H*q, W*r, C]."""
    B, T, H, W, P = x_BTHWP.shape
    p, q, r = patch
    C = P // (p * q * r)
    x = x_BTHWP.reshape(B, T, H, W, p, q, r, C).transpose(0, 1, 4, 2, 5, 3, 6, 7)
    return x.reshape(B, T * p, H * q, W * r, C)
