# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The sampler as one XLA program: text encoder, a scan over solver steps with guidance, VAE decoder."""

import dataclasses
import functools
from collections.abc import Callable
from typing import Literal

import jax
import jax.numpy as jnp
from jax import Array
from jax.sharding import Mesh

from vidgen.diffusion import paths, solvers
from vidgen.diffusion.guidance import Guidance, guide
from vidgen.models.dit import DiT, DiTConfig
from vidgen.models.layers import apply
from vidgen.models.rows import apply_to_grid
from vidgen.models.text import TextConfig, TextEncoder
from vidgen.parallel.attention import Kind
from vidgen.parallel.shard import Parallel, make_parallel, one_device
from vidgen.sample.autoencoder import AnyVAEConfig, LatentSpace
from vidgen.sample.decoding import decode_on
from vidgen.sample.tasks import Known

SOLVERS: dict[str, solvers.Solver] = {
    "euler": solvers.euler,
    "heun": solvers.heun,
    "dpm": solvers.dpm,
    "unipc": solvers.unipc,
}
SolverName = Literal["euler", "heun", "dpm", "unipc"]
Captions = Array | tuple[Array, Array]
"""Ids of tokens [B, S], or what the text encoder says of them: features [B, S, D], and which are real [B, S]."""


@dataclasses.dataclass(frozen=True)
class Networks:
    """The shapes of a text-to-video model: everything about it that is not an array, so that it keys a compilation."""

    vae: AnyVAEConfig
    text: TextConfig
    dit: DiTConfig


@functools.partial(jax.jit, static_argnums=(0, 1, 2, 3, 4))
def text_to_video(
    networks: Networks,
    shape: tuple[int, int, int, int],
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
    known: Known | None = None,
    captions_T: Array | None = None,
) -> Array:
    """uint8 clips [B, F, H, W, 3] of captions: the whole sampler as one program; call it under `jax.set_mesh(mesh)`.

    Frames are those of whole groups, of as many as `decode_on` divides over devices: the clip begins with the last
    frame of the first group.

    Args:
        networks: shapes; shape: (T, H, W, C) of a clip's latents; solver: a key of `SOLVERS`.
        mesh: devices; kind: of attention, see `vidgen.parallel.shard.make_parallel`.
        ts: times to visit; params: {"text", "dit", "vae"}, without "text" if captions were read; space: of the latents.
        captions; negative: the unconditional one; guidance: how; key: of the noise, or the noise itself.
        known: what is given of the clips.
        captions_T: which caption each latent frame follows, where all are of one clip.
    """
    parallel = make_parallel(mesh, networks.dit.dtype, kind)
    latent = text_to_latent(
        networks, shape, ts, solver, params, captions, negative, guidance, key, parallel, known, captions_T
    )
    return decode_on(mesh, networks.vae, params["vae"], space.leave(latent))


@functools.partial(jax.jit, static_argnums=(0, 1))
def read_captions(config: TextConfig, mesh: Mesh, params: dict, ids_BS: Array) -> tuple[Array, Array]:
    """What a text encoder says of captions, as a program of its own; call it under `jax.set_mesh(mesh)`."""
    return apply(TextEncoder(config, make_parallel(mesh, config.dtype).shard), params, ids_BS)


def text_to_latent(
    networks: Networks,
    shape: tuple[int, int, int, int],
    ts: Array,
    solver: str,
    params: dict,
    captions: Captions,
    negative: Captions,
    guidance: Guidance,
    key: Array,
    parallel: Parallel | None = None,
    known: Known | None = None,
    captions_T: Array | None = None,
) -> Array:
    """Normalised latents [B, *shape] of captions; pure, to be jitted by the caller; one device if parallel is None.

    With `known`, the sampler starts between it and noise at ts[0], and what is given stays as it is, at time 0. With
    `captions_T` all captions are of one clip, [1, *shape].
    """
    parallel = parallel or one_device(networks.dit.dtype)

    def look(dit: DiT, x: Array, t_B: Array, text: tuple[Array, Array], given: Array | None) -> Array:
        return apply_to_grid(dit, params["dit"], x, t_B, *text, given, parallel.multiple, captions_T)

    texts = read_both(networks.text, params, captions, negative, parallel, captions_T is not None)
    clips = texts[0][0].shape[0]
    noise = key
    if jnp.issubdtype(key.dtype, jax.dtypes.prng_key):
        noise = draw_noise(key, clips, shape)
    return integrate(networks.dit, look, texts, noise, ts, solver, guidance, parallel, known)


def read_both(
    config: TextConfig, params: dict, captions: Captions, negative: Captions, parallel: Parallel, one_clip: bool = False
) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
    """What is said of clips, and of none: (features [B, E, S, D], which are real [B, E, S]), and the same with one row.

    Each clip has one caption, or all are of one clip.
    """
    encoder = TextEncoder(config, parallel.shard)
    said, unsaid = (
        text if isinstance(text, tuple) else apply(encoder, params["text"], text) for text in (captions, negative)
    )
    # A clip's captions come after the axis of clips.
    cond = jax.tree.map(lambda x: jnp.expand_dims(x, 0 if one_clip else 1), said)
    uncond = jax.tree.map(lambda one, all_: jnp.broadcast_to(one[:, None], (1, *all_.shape[1:])), unsaid, cond)
    return cond, uncond


def draw_noise(key: Array, clips: int, shape: tuple[int, ...]) -> Array:
    """Normal noise [clips, *shape], that of clip i by the key and i alone."""
    keys = jax.vmap(jax.random.fold_in, (None, 0))(key, jnp.arange(clips))
    return jax.vmap(lambda k: jax.random.normal(k, shape))(keys)


def integrate(
    config: DiTConfig,
    look: Callable[[DiT, Array, Array, tuple[Array, Array], Array | None], Array],
    texts: tuple[tuple[Array, Array], tuple[Array, Array]],
    noise: Array,
    ts: Array,
    solver: str,
    guidance: Guidance,
    parallel: Parallel,
    known: Known | None = None,
    real: Array | None = None,
) -> Array:
    """From noise [B, T, H, W, C], or [B, L, P], to latents of its shape.

    Args:
        look: (network, x, time of what is made [B], text, which cells or tokens are given) -> velocity.
        texts: of `read_both`.
        known: what is given, in noise's shape; real: bool [B, L], the tokens that are of clips; None for all.
    """
    dit = DiT(config, parallel.attn_fn, parallel.cross_attn_fn, parallel.shard)

    def velocity(x: Array, t: Array, text: tuple[Array, Array]) -> Array:
        # One time serves all that is made, and time 0 what is given.
        given = None if known is None else t == 0
        t_B = t.max(tuple(range(1, t.ndim)))
        if config.whole_times:
            t_B = jnp.floor(t_B * config.time_scale) / config.time_scale
        return look(dit, x, t_B, text, given)

    cond, uncond = texts
    interval = guidance.low, guidance.high
    guided = guide(velocity, uncond, guidance.weight, interval, guidance.rescale, real)
    if known is None:
        return solvers.sample(guided, noise, cond, ts, SOLVERS[solver])
    given = jnp.broadcast_to(jnp.asarray(known.latent_BTHWC), noise.shape)
    made = jnp.broadcast_to(jnp.asarray(known.made_BTHW), noise.shape[:-1])
    begin = paths.interpolate(given, noise, ts[0])
    return solvers.sample(guided, begin, cond, ts, SOLVERS[solver], given, made)
