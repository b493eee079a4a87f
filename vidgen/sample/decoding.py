# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Latents to pixels on a mesh: clips are divided over devices, and the time of a clip over those that clips leave."""

import functools
import math

import jax
import jax.numpy as jnp
from jax import Array
from jax.sharding import Mesh
from jax.sharding import PartitionSpec as P

from vidgen.models.vae import VAEConfig
from vidgen.parallel.rules import activation_spec
from vidgen.parallel.shard import constrain
from vidgen.sample.autoencoder import AT_ONCE, AnyVAEConfig, PublicVAEConfig, decode_after, decode_groups


def decode_on(mesh: Mesh, config: AnyVAEConfig, params: dict, z_BTHWC: Array, at_once: int | None = None) -> Array:
    """`decode_groups` on a mesh: uint8 frames of whole groups, of T filled up until the devices of a clip divide it.

    A device decodes a part of a clip's time, `at_once` latent frames at a time, and keeps its own pixels. What it needs
    of other devices are the few latent frames before its part that the decoder looks back to, once; so memory grows
    neither with the length of a clip, beside the clip itself, nor does anything but latents travel. All axes that
    clips are not divided over share the time, since the decoder's parameters are whole on every device. The decoder is
    causal: what fills the end changes nothing before it. Decoders of public models are divided as XLA sees fit.
    """
    if mesh.size == 1 or isinstance(config, PublicVAEConfig):
        return decode_groups(config, params, z_BTHWC, constrain, at_once)
    at_once = AT_ONCE if at_once is None else at_once
    clips = activation_spec("B", z_BTHWC.shape[:1], mesh.shape)[0]
    taken = (clips,) if isinstance(clips, str) else clips or ()
    axes = tuple(axis for axis in mesh.axis_names if mesh.shape[axis] > 1 and axis not in taken)
    ways = math.prod(mesh.shape[axis] for axis in axes)
    filled = jnp.pad(z_BTHWC, ((0, 0), (0, -z_BTHWC.shape[1] % ways), (0, 0), (0, 0), (0, 0)), mode="edge")
    divided = P(clips, axes or None)
    body = functools.partial(_own_part, config, at_once, axes, ways)
    return jax.shard_map(body, mesh=mesh, in_specs=(P(), divided), out_specs=divided, check_vma=False)(params, filled)


def _own_part(config: VAEConfig, at_once: int, axes: tuple[str, ...], ways: int, params: dict, z_BTHWC: Array) -> Array:
    """Pixels of one device's part of the time."""
    if ways == 1:
        return decode_groups(config, params, z_BTHWC, at_once=at_once)
    length, reach = z_BTHWC.shape[1], config.reach
    # From the device before; from those further before too, where a part is shorter than what is looked back to.
    before = [
        jax.lax.ppermute(z_BTHWC[:, -reach:], axes, [(i, i + hops) for i in range(ways - hops)])
        for hops in range(-(-reach // length), 0, -1)
    ]
    seen = jnp.concatenate([*before, z_BTHWC], axis=1)[:, -(reach + length) :]
    # Before the start everything stood still.
    first = jnp.maximum(0, reach - jax.lax.axis_index(axes) * length)
    seen = jnp.take(seen, jnp.maximum(jnp.arange(reach + length), first), axis=1)
    return decode_after(config, params, seen, at_once=at_once)
