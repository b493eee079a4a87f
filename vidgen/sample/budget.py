# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""One compiled sampler for a family of sizes, so that a new size need not wait for XLA.

A clip's tokens fill a part of a row whose length is one of a few; attention keeps the rest apart by segments, as in
packed training. They are then laid on a canvas, a square that is one of a few too, and the decoder sees where the
picture ends. What depends on the size is data: the clip is the one that a program of its own size would make.
"""

import functools
import math
from collections.abc import Iterator
from typing import Any, Literal, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.sharding import Mesh

from vidgen.diffusion.guidance import Guidance
from vidgen.models.dit import DiT
from vidgen.models.layers import patchify
from vidgen.models.rows import Rows, apply_to_rows
from vidgen.parallel.attention import Kind
from vidgen.parallel.shard import make_parallel
from vidgen.sample.autoencoder import LatentSpace, decode_groups
from vidgen.sample.program import Captions, Networks, Text, draw_noise, integrate, make_solver, read_both
from vidgen.sample.tasks import Known


class Budget(NamedTuple):
    """The sizes that a program is compiled for.

    tokens: of a row. frames, side: of the canvas, in latent cells.
    """

    tokens: int
    frames: int
    side: int


class Layout(NamedTuple):
    """How a clip of a size lies in a budget.

    order_N: for each cell of the row's tokens, which cell of the clip it is, in the order of time, rows and columns;
        numbers past the clip's are filling.
    positions_L3, extent_3: as in `Rows`. segments_L: 1 for the clip's tokens, 0 for filling.
    place_TSS: for each cell of the canvas, which cell of the row's tokens lies there.
    inside_SS: where the canvas holds the picture.
    """

    order_N: Array
    positions_L3: Array
    extent_3: Array
    segments_L: Array
    place_TSS: Array
    inside_SS: Array


def budget_of(shape: tuple[int, ...], patch: tuple[int, int, int]) -> Budget:
    """The smallest budget that holds latents of shape (T, H, W, ...).

    Rows are of 2^k or 3 * 2^k tokens, and so are the canvas's sides in cells; its time is 1, 2 or 1 + 2^k cells: less
    than half of a row is filling, and all sizes up to a budget share about a dozen programs.
    """
    T, H, W = shape[:3]
    tokens = math.prod((T, H, W)) // math.prod(patch)
    times = (1, *(1 + 2**k for k in range(64)))
    return Budget(
        next(size for size in _sizes() if size >= tokens),
        patch[0] * next(time for time in times if patch[0] * time >= T),
        math.lcm(*patch[1:]) * next(side for side in _sizes() if math.lcm(*patch[1:]) * side >= max(H, W)),
    )


def _sizes() -> Iterator[int]:
    yield from sorted(part * 2**k for k in range(40) for part in (1, 3))


def lay_out(shape: tuple[int, ...], patch: tuple[int, int, int], budget: Budget) -> Layout:
    """Where everything of a clip with latents of shape (T, H, W, ...) goes."""
    T, H, W = shape[:3]
    extent = T // patch[0], H // patch[1], W // patch[2]
    cells, volume = T * H * W, math.prod(patch)
    numbers = np.arange(cells).reshape(1, T, H, W, 1)
    order_N = np.arange(budget.tokens * volume)
    order_N[:cells] = np.asarray(patchify(jnp.asarray(numbers), patch)).reshape(-1)
    positions_L3 = np.zeros((budget.tokens, 3), np.int32)
    positions_L3[: cells // volume] = np.indices(extent).reshape(3, -1).T
    place_TSS = np.zeros((budget.frames, budget.side, budget.side), np.int32)
    place_TSS[:T, :H, :W] = np.argsort(order_N[:cells]).reshape(T, H, W)
    inside_SS = np.zeros((budget.side, budget.side), bool)
    inside_SS[:H, :W] = True
    segments_L = (np.arange(budget.tokens) < cells // volume).astype(np.int32)
    arrays = order_N.astype(np.int32), positions_L3, np.array(extent, np.int32), segments_L, place_TSS, inside_SS
    return Layout(*map(jnp.asarray, arrays))


def known_in_row(known: Known, layout: Layout) -> Known:
    """What is known of a clip, as tokens: (latents [B, L, P], made [B, L])."""
    latent, made = np.asarray(known.latent_BTHWC), np.asarray(known.made_BTHW)
    B, L, cells = len(latent), len(layout.segments_L), math.prod(made.shape[1:])

    def fill(x_BNC: np.ndarray, value: Any) -> np.ndarray:
        filling = np.full((B, len(layout.order_N) - cells, x_BNC.shape[-1]), value, x_BNC.dtype)
        return np.concatenate([x_BNC, filling], axis=1)[:, np.asarray(layout.order_N)].reshape(B, L, -1)

    tokens_BLP = fill(latent.reshape(B, cells, -1), 0)
    return Known(tokens_BLP, fill(made.reshape(B, cells, 1), True)[..., 0])


@functools.partial(jax.jit, static_argnums=(0, 1, 2, 3, 4))
def budget_to_video(
    networks: Networks,
    budget: Budget,
    solver: str,
    mesh: Mesh,
    kind: Kind | Literal["auto"],
    ts: Array,
    params: dict,
    space: LatentSpace,
    captions: Captions,
    negative: Captions,
    guidance: Guidance,
    key: Array,
    layout: Layout,
    known: Known | None = None,
) -> Array:
    """uint8 canvases [B, F, S, S, 3] with clips in their first frames, rows and columns, as `text_to_video` makes them.

    Args:
        budget: what is compiled for; layout: of the clips in it.
        key: of the noise, or the noise itself in the shape of the latents of the row, [B, N, C] in the clip's order.
        known: of `known_in_row`.
        Else as `text_to_video`.
    """
    parallel = make_parallel(mesh, networks.dit.dtype, kind)
    C, L = networks.vae.channels, budget.tokens
    texts = read_both(networks, params, captions, negative, parallel, L)
    noise_BNC = key
    if jnp.issubdtype(key.dtype, jax.dtypes.prng_key):
        noise_BNC = draw_noise(key, texts[0][0].shape[0], (len(layout.order_N), C))
    noise_BLP = noise_BNC[:, layout.order_N].reshape(len(noise_BNC), L, -1)

    def look(dit: DiT, x: Array, t_B: Array, text: Text, given: Array | None) -> Array:
        positions, extent, segments = (
            jnp.broadcast_to(one, (len(x), *one.shape))
            for one in (layout.positions_L3, jnp.broadcast_to(layout.extent_3, (L, 3)), layout.segments_L)
        )
        rows = Rows(x, positions, extent, segments)
        return apply_to_rows(dit, params["dit"], rows, t_B[:, None], *text, given).velocity_BLP

    real_BL = layout.segments_L[None] > 0
    walk = make_solver(solver, key)
    latent_BLP = integrate(networks.dit, look, texts, noise_BLP, ts, walk, guidance, parallel, known, real_BL)
    canvas_BTSSC = latent_BLP.reshape(len(latent_BLP), -1, C)[:, layout.place_TSS]
    return decode_groups(
        networks.vae, params["vae"], space.leave(canvas_BTSSC), parallel.shard, inside_HW=layout.inside_SS
    )
