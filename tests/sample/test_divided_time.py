# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""A clip decoded with its time divided over devices is that of one device, and only latent frames travel, once."""

import functools
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.sharding import NamedSharding
from jax.sharding import PartitionSpec as P

from vidgen.models.layers import apply
from vidgen.models.vae import VAE, Stage, VAEConfig
from vidgen.parallel import hlo
from vidgen.parallel.collectives import collectives
from vidgen.parallel.mesh import MeshConfig, make_mesh
from vidgen.sample.autoencoder import to_uint8
from vidgen.sample.decoding import decode_on

FINE, COARSE = Stage(2, 8, 4, 16, 1), Stage(4, 16, 8, 32, 2)
CONFIG = VAEConfig(channels=3, encoder=(FINE, COARSE), decoder=(COARSE, FINE), dtype="float32")
T, H = 7, 6  # neither is a multiple of 4
LATENT = np.random.default_rng(0).normal(size=(1, T, H, 5, 3)).astype(np.float32)
SEQUENCE = 4


@functools.cache
def params() -> dict:
    shapes = jax.eval_shape(VAE(CONFIG).init, jax.random.key(0), jnp.zeros((1, 5, 8, 8, 3)), jax.random.key(0))
    rng = np.random.default_rng(1)
    return jax.tree.map(lambda leaf: np.float32(0.3 * rng.normal(size=leaf.shape)), shapes["params"])


@functools.cache
def alone() -> np.ndarray:
    """The clip of one device, from the network itself, of all groups."""
    return np.asarray(to_uint8(apply(VAE(CONFIG), params(), LATENT, method=VAE.decode_groups))).astype(int)


def decoder(mesh, at_once: int = 2):
    return jax.jit(functools.partial(decode_on, mesh, CONFIG, at_once=at_once))


@pytest.mark.parametrize(
    ("axes", "clips", "filled", "spec"),
    [
        ({"sequence": 4}, 1, 8, P(None, "sequence")),
        ({"guidance": 2, "sequence": 2, "tensor": 2}, 1, 8, P(None, ("guidance", "sequence", "tensor"))),
        ({"data": 2, "sequence": 2}, 2, 8, P("data", "sequence")),
        ({"fsdp": 2}, 2, 7, P("fsdp")),
        ({"sequence": 2}, 1, 8, P(None, "sequence")),
    ],
)
def test_pixels_are_those_of_one_device(axes: dict[str, int], clips: int, filled: int, spec: P) -> None:
    """Where parts of the time are longer and where they are shorter than what the decoder looks back to."""
    mesh = make_mesh(MeshConfig(**axes), jax.devices()[: math.prod(axes.values())])
    latent = np.concatenate([LATENT, LATENT[:, ::-1]])[:clips]
    with jax.set_mesh(mesh):
        video = decoder(mesh)(params(), latent)
    assert video.shape[1] == 4 * filled and video.sharding.is_equivalent_to(NamedSharding(mesh, spec), video.ndim)
    assert alone().std() > 20
    assert np.abs(np.asarray(video[0, : 4 * T]).astype(int) - alone()[0]).max() <= 1


def test_a_clip_shorter_than_what_is_looked_back_to() -> None:
    """One latent frame a device, of two: none comes before the first."""
    mesh = make_mesh(MeshConfig(sequence=2), jax.devices()[:2])
    with jax.set_mesh(mesh):
        video = decoder(mesh)(params(), LATENT[:, :2])
    assert np.abs(np.asarray(video[0]).astype(int) - alone()[0, :8]).max() <= 1


def compiled(frames: int, sequence: int = SEQUENCE, at_once: int = 2):
    mesh = make_mesh(MeshConfig(sequence=sequence), jax.devices()[:sequence])
    whole = NamedSharding(mesh, P())
    latent = jax.ShapeDtypeStruct(
        (1, frames, *LATENT.shape[2:]), jnp.float32, sharding=NamedSharding(mesh, P(None, "sequence"))
    )
    given = jax.tree.map(lambda x: jax.ShapeDtypeStruct(x.shape, x.dtype, sharding=whole), params())
    with jax.set_mesh(mesh):
        return decoder(mesh, at_once).lower(given, latent).compile(), mesh


def test_devices_fetch_what_they_look_back_to_and_no_more() -> None:
    """No device collects the clip: latent frames of the neighbour travel, once, and no pixels and no features."""
    program, mesh = compiled(16)
    found = collectives(hlo.parse(program.as_text() or ""), dict(mesh.shape))
    assert {one.kind for one in found} == {"collective-permute"}
    assert sum(one.bytes * one.times for one in found) == 4 * CONFIG.reach * math.prod(LATENT.shape[2:])


def test_memory_of_a_device_does_not_grow_with_length() -> None:
    def needed(frames: int) -> int:
        program, _ = compiled(frames)
        memory = program.memory_analysis()
        assert memory is not None
        own = frames // SEQUENCE
        clip, latent = 4 * own * (4 * H) * (4 * 5) * 3, 4 * own * H * 5 * 3
        return memory.temp_size_in_bytes - 2 * clip - 2 * latent  # the clip, turned, and latents with what came before

    assert needed(256) < 1.2 * needed(32)
