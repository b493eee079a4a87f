# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The sampler as one XLA program: text encoder, a scan over solver steps with guidance, VAE decoder."""

import dataclasses
import functools
import math
from collections.abc import Callable
from typing import Literal

import jax
import jax.numpy as jnp
from jax import Array
from jax.sharding import Mesh

from vidgen import trees
from vidgen.diffusion import adaptive, paths, solvers, stochastic
from vidgen.diffusion.guidance import Guidance, guide
from vidgen.models.dit import DiT, DiTConfig
from vidgen.models.layers import apply
from vidgen.models.memory import TextMemory, remember, worth_remembering
from vidgen.models.rows import apply_to_grid
from vidgen.models.text import AnyTextConfig, text_encoder
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
    "dopri5": adaptive.dopri5(),
}
DRAWING: dict[str, Callable[[stochastic.Noise], solvers.Solver]] = {
    "ddpm": stochastic.ddpm,
    "sde": stochastic.euler_maruyama,
}
"""Solvers that draw noise on the way."""
SolverName = Literal["euler", "heun", "dpm", "unipc", "dopri5", "ddpm", "sde"]
Text = tuple[Array | TextMemory, Array]
"""Of clips' captions: features [B, E, S, D], or what is remembered of them, and which are real [B, E, S]."""
Captions = Array | tuple[Array, Array]
"""Ids of tokens [B, S], or what the text encoder says of them: features [B, S, D], and which are real [B, S]."""


@dataclasses.dataclass(frozen=True)
class Networks:
    """The shapes of a text-to-video model: everything about it that is not an array, so that it keys a compilation.

    guided_channels: see `vidgen.diffusion.guidance.guide`.
    """

    vae: AnyVAEConfig
    text: AnyTextConfig
    dit: DiTConfig
    guided_channels: int = 0


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
        networks: shapes; shape: (T, H, W, C) of a clip's latents; solver: a key of `SOLVERS` or of `DRAWING`.
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
def read_captions(config: AnyTextConfig, mesh: Mesh, params: dict, ids_BS: Array) -> tuple[Array, Array]:
    """What a text encoder says of captions, as a program of its own; call it under `jax.set_mesh(mesh)`."""
    return apply(text_encoder(config, make_parallel(mesh, config.dtype).shard), params, ids_BS)


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

    def look(dit: DiT, x: Array, t_B: Array, text: Text, given: Array | None) -> Array:
        # DDPM is told of the variance too.
        return apply_to_grid(dit, params["dit"], x, t_B, *text, given, parallel.multiple, captions_T, solver == "ddpm")

    tokens = math.prod(shape[:3]) // math.prod(networks.dit.patch)
    texts = read_both(networks, params, captions, negative, parallel, tokens, captions_T is not None)
    clips = texts[0][0].shape[0]
    noise = key
    if jnp.issubdtype(key.dtype, jax.dtypes.prng_key):
        noise = draw_noise(key, clips, shape)
    walk, channels = make_solver(solver, key), networks.guided_channels
    return integrate(networks.dit, look, texts, noise, ts, walk, guidance, parallel, known, channels=channels)


def read_both(
    networks: Networks,
    params: dict,
    captions: Captions,
    negative: Captions,
    parallel: Parallel,
    tokens: int,
    one_clip: bool = False,
) -> tuple[Text, Text]:
    """What is said of clips of so many tokens, and of none, which has one row.

    Each clip has one caption, or all are of one clip.
    """
    encoder = text_encoder(networks.text, parallel.shard)
    said, unsaid = (
        text if isinstance(text, tuple) else apply(encoder, params["text"], text) for text in (captions, negative)
    )
    # A clip's captions come after the axis of clips.
    cond = jax.tree.map(lambda x: jnp.expand_dims(x, 0 if one_clip else 1), said)
    uncond = jax.tree.map(lambda one, all_: jnp.broadcast_to(one[:, None], (1, *all_.shape[1:])), unsaid, cond)
    if not worth_remembering(networks.dit, tokens, math.prod(cond[1].shape[1:])):
        return cond, uncond
    of_cond, of_uncond = (remember(networks.dit, params["dit"], text[0], parallel.shard) for text in (cond, uncond))
    return (of_cond, cond[1]), (of_uncond, uncond[1])


def draw_noise(key: Array, clips: int, shape: tuple[int, ...]) -> Array:
    """Normal noise [clips, *shape], that of clip i by the key and i alone."""
    keys = jax.vmap(jax.random.fold_in, (None, 0))(key, jnp.arange(clips))
    return jax.vmap(lambda k: jax.random.normal(k, shape))(keys)


def integrate(
    config: DiTConfig,
    look: Callable[[DiT, Array, Array, Text, Array | None], Array],
    texts: tuple[Text, Text],
    noise: Array,
    ts: Array,
    solver: solvers.Solver,
    guidance: Guidance,
    parallel: Parallel,
    known: Known | None = None,
    real: Array | None = None,
    channels: int = 0,
) -> Array:
    """From noise [B, T, H, W, C], or [B, L, P], to latents of its shape.

    Args:
        look: (network, x, time of what is made [B], text, which cells or tokens are given) -> velocity.
        texts: of `read_both`.
        known: what is given, in noise's shape; real: bool [B, L], the tokens that are of clips; None for all.
        channels: see `vidgen.diffusion.guidance.guide`.
    """
    dit = DiT(config, parallel.attn_fn, parallel.cross_attn_fn, parallel.shard)

    def velocity(x: Array, t: Array, text: Text) -> Array:
        # One time serves all that is made, and time 0 what is given.
        given = None if known is None else t == 0
        t_B = t.max(tuple(range(1, t.ndim)))
        if config.whole_times:
            t_B = jnp.floor(t_B * config.time_scale) / config.time_scale
        return look(dit, x, t_B, text, given)

    cond, uncond = texts
    interval = guidance.low, guidance.high
    guided = guide(velocity, uncond, guidance.weight, interval, guidance.rescale, real, channels)
    if known is None:
        if config.says == "noise":  # there is no time of noise alone; it begins as noise of the last one's size
            noise = noise * jnp.sqrt((1 - ts[0]) ** 2 + ts[0] ** 2)
        return solvers.sample(guided, noise, cond, ts, solver)
    given = jnp.broadcast_to(jnp.asarray(known.latent_BTHWC), noise.shape)
    made = jnp.broadcast_to(jnp.asarray(known.made_BTHW), noise.shape[:-1])
    begin = paths.interpolate(given, noise, ts[0])
    return solvers.sample(guided, begin, cond, ts, solver, given, made)


def make_solver(name: str, key: Array) -> solvers.Solver:
    """A solver by its name; one that draws noise draws it by the key.

    Raises:
        ValueError: it draws noise, and the key is the first noise itself.
    """
    if name in SOLVERS:
        return SOLVERS[name]
    if not jnp.issubdtype(key.dtype, jax.dtypes.prng_key):
        raise ValueError(f"the solver {name!r} draws noise as it goes: give it a seed rather than the first noise")
    return DRAWING[name](stochastic.drawn(trees.fold_in_str(key, "steps")))
