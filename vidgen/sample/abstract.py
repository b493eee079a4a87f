# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The sampler with shapes in place of arrays: what `vidgen compile --mode sample` gives to the compiler."""

import math
from typing import Any, Literal

import jax
import jax.numpy as jnp
from jax import Array
from jax.sharding import Mesh, NamedSharding
from jax.sharding import PartitionSpec as P

from vidgen import trees
from vidgen.diffusion.guidance import Guidance
from vidgen.models.dit import DiT
from vidgen.models.layers import apply
from vidgen.models.rows import apply_to_grid
from vidgen.models.text import text_encoder
from vidgen.parallel import shard
from vidgen.parallel.attention import Kind
from vidgen.parallel.program import Program, product_flops
from vidgen.sample.autoencoder import LatentSpace, decode_groups, vae_shapes
from vidgen.sample.program import Networks, text_to_video
from vidgen.sample.sampler import SampleConfig


def sampling_program(
    networks: Networks,
    params: Any,
    config: SampleConfig,
    mesh: Mesh,
    attention: Kind | Literal["auto"],
    *,
    clips: int,
    frames: int,
    height: int,
    width: int,
    text_length: int,
) -> Program:
    """`Pipeline.generate`'s program for so many prompts of so many tokens, on the devices of a mesh.

    Args:
        networks: shapes; params: {"text", "dit"} as shapes, to which those of the VAE are added.
        config: steps and solver count; guidance is always computed, since how to guide is an argument of the program.
        mesh: devices, which need not exist; attention: see `vidgen.parallel.shard.make_parallel`.

    Raises:
        ValueError: the VAE does not take such a clip, a parameter cannot be divided over the mesh, or the solver alone
            knows how many steps it takes.
    """
    evaluations = _evaluations(config)
    shape = networks.vae.latent_shape(frames, height, width)
    key = jax.eval_shape(lambda: jax.random.key(0))
    params = {**params, "vae": vae_shapes(networks.vae)}
    whole = NamedSharding(mesh, P())

    def given(shape: tuple[int, ...], dtype: Any) -> jax.ShapeDtypeStruct:
        return jax.ShapeDtypeStruct(shape, dtype, sharding=whole)

    C = shape[-1]
    like: Any = [given(sizes, jnp.float32) for sizes in ((C,), (C, C), (C,))]
    space = LatentSpace(*like)
    numbers: Any = [given((), jnp.float32)] * 4
    arguments = (
        networks, shape, config.solver, mesh, attention,
        given((config.steps + 1,), jnp.float32),
        shard.abstract(params, shard.parameter_shardings(params, mesh)),
        space,
        given((clips, text_length), jnp.int32),
        given((1, text_length), jnp.int32),
        Guidance(*numbers),
        given((), key.dtype),
    )  # fmt: skip
    return Program(
        function=text_to_video,
        arguments=arguments,
        model_flops=sampling_flops(networks, params, shape, clips, text_length, evaluations),
        clips=clips,
        frames=frames,
        height=height,
        width=width,
        tokens=math.prod(shape[:3]) // math.prod(networks.dit.patch),
        evaluations=evaluations,
        parameters={name: trees.count(params[name]) for name in ("dit", "text", "vae")},
        batch=clips,
        batch_option="--clips",
    )


def _evaluations(config: SampleConfig) -> int:
    """How often the transformer is asked. Raises ValueError for a solver that alone knows it."""
    if config.solver == "dopri5":
        raise ValueError("the solver 'dopri5' takes as many steps as it needs, which no compiler knows: take another")
    # Heun's last step is Euler's.
    return 2 * config.steps - 1 if config.solver == "heun" else config.steps


def sampling_flops(
    networks: Networks, params: Any, shape: tuple[int, ...], clips: int, text_length: int, evaluations: int
) -> float:
    """Multiply-adds x 2 of the matmuls of sampling: text, guided evaluations of the transformer, decoder.

    They are counted in the networks themselves with plain attention, so that this does not depend on the kernel.
    """
    plain = shard.one_device(networks.dit.dtype)
    dit = DiT(networks.dit, plain.attn_fn, plain.cross_attn_fn)

    def text(params: dict, ids_BS: Array) -> tuple[Array, Array]:
        return apply(text_encoder(networks.text), params, ids_BS)

    def velocity(params: dict, x: Array, t_B: Array, features: Array, real: Array) -> Array:
        return apply_to_grid(dit, params, x, t_B, features[:, None], real[:, None])

    def decode(params: dict, x: Array) -> Array:
        return decode_groups(networks.vae, params, x, at_once=x.shape[1])

    ids = jax.ShapeDtypeStruct((clips + 1, text_length), jnp.int32)
    x, both = (jax.ShapeDtypeStruct((rows, *shape), jnp.float32) for rows in (clips, 2 * clips))
    t = jax.ShapeDtypeStruct((2 * clips,), jnp.float32)
    features, real = (
        jax.ShapeDtypeStruct((2 * clips, *one.shape[1:]), one.dtype)
        for one in jax.eval_shape(text, params["text"], ids)
    )  # fmt: skip
    return (
        product_flops(text, params["text"], ids)
        + evaluations * product_flops(velocity, params["dit"], both, t, features, real)
        + product_flops(decode, params["vae"], x)
    )
