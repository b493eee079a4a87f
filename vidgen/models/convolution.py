# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""What the convolutional VAEs share: convolutions over space, and over time that see only what came before."""

import functools

import jax
import jax.numpy as jnp
from flax import linen as nn
from flax.linen import initializers
from jax import Array
from jax.typing import DTypeLike


def attend(q_BLC: Array, k_BSC: Array, v_BSC: Array) -> Array:
    """Plain attention of one head as wide as its features, float32; products are those of the arguments' type."""
    scale = q_BLC.shape[-1] ** -0.5
    scores = jnp.einsum("BLC,BSC->BLS", q_BLC * scale, k_BSC, preferred_element_type=jnp.float32)
    weights = jax.nn.softmax(scores, axis=-1).astype(v_BSC.dtype)
    return jnp.einsum("BLS,BSC->BLC", weights, v_BSC, preferred_element_type=jnp.float32)


Edges = tuple[tuple[int, int], ...]
"""Zeros before and after, a side each."""


def convolve(strides: tuple[int, ...], edges: Edges, x: Array, kernel: Array) -> Array:
    """[N, (T,) H, W, I] by a kernel [(T,) H, W, I, O], sums in float32."""
    letters = "THW"[-len(strides) :]
    return jax.lax.conv_general_dilated(
        x,
        kernel,
        strides,
        edges,
        dimension_numbers=(f"N{letters}C", f"{letters}IO", f"N{letters}C"),
        preferred_element_type=jnp.float32,
    )


def convolve_frames(strides: tuple[int, ...], edges: Edges, x: Array, kernel: Array) -> Array:
    """The same over time and space as a sum of convolutions over space, or of products where a kernel has no space.

    XLA's own for CPUs over all three is slower.
    """
    (before, after), *space = edges
    step = strides[0]
    x = jnp.pad(x, ((0, 0), (before, after), (0, 0), (0, 0), (0, 0)))
    frames = (x.shape[1] - kernel.shape[0]) // step + 1
    total: Array | float = 0.0
    for first, part in enumerate(kernel):
        seen = x[:, first : first + step * (frames - 1) + 1 : step]
        if part.shape[:2] == (1, 1):
            total = total + jnp.matmul(seen, part[0, 0], preferred_element_type=jnp.float32)
        else:
            seen = convolve(strides[1:], tuple(space), seen.reshape(-1, *seen.shape[2:]), part)
            total = total + seen.reshape(-1, frames, *seen.shape[1:])
    return jnp.asarray(total)


class Conv(nn.Module):
    """A convolution of [..., frames, H, W, C] over space, or over time and space where the kernel has three sides.

    Attributes:
        features: output channels.
        kernel: sides; in time only what came before is seen, with zeros before the start.
        strides: a side each.
        edges: zeros around space: "same", or "after" for a row below and a column to the right.
        history: zeros before the start in time; None for as many as keep the length.

    Where the collection "past" may be written, a video comes in pieces: in place of zeros stand the last frames of the
    piece before, which are kept there.
    """

    features: int
    kernel: tuple[int, ...]
    strides: tuple[int, ...] = ()
    edges: str = "same"
    history: int | None = None
    dtype: DTypeLike = jnp.bfloat16

    @nn.compact
    def __call__(self, x: Array) -> Array:
        sides = len(self.kernel)
        kernel = self.param("kernel", initializers.lecun_normal(), (*self.kernel, x.shape[-1], self.features))
        bias = self.param("bias", initializers.zeros_init(), (self.features,))
        around = [(k // 2, k // 2) if self.edges == "same" else (0, 1) for k in self.kernel[-2:]]
        flat, kernel = x.reshape(-1, *x.shape[-sides - 1 :]).astype(self.dtype), kernel.astype(self.dtype)
        if sides == 3:
            before = self.kernel[0] - 1 if self.history is None else self.history
            if before and self.is_mutable_collection("past") and not self.is_initializing():
                flat, before = frames_before(self, before, flat), 0
            around = [(before, 0), *around]
        strides = self.strides or (1,) * sides
        whole, parts = (functools.partial(one, strides, tuple(around)) for one in (convolve, convolve_frames))
        mesh = jax.sharding.get_abstract_mesh()
        if sides == 3 and (mesh.empty or mesh.size == 1):
            y = jax.lax.platform_dependent(flat, kernel, cpu=parts, default=whole)
        else:
            # XLA divided the sum of frames over a mesh of three axes wrongly: test_eight_devices_make_the_same_pixels.
            y = whole(flat, kernel)
        return (y.reshape(*x.shape[: -sides - 1], *y.shape[1:]) + bias).astype(x.dtype)


def frames_before(module: nn.Module, count: int, x_NTHWC: Array) -> Array:
    """A piece of a video after the last `count` frames of the piece before it, zeros before the first; its own last
    ones are kept in the module's collection "past" for the next.
    """
    N, _, *cell = x_NTHWC.shape
    past = module.variable("past", "frames", jnp.zeros, (N, count, *cell), x_NTHWC.dtype)
    seen = jnp.concatenate([past.value, x_NTHWC], axis=1)
    past.value = seen[:, -count:]
    return seen
