# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""A clip decoded with its time divided over devices is that of one device, and only neighbouring frames travel."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.sharding import NamedSharding, PartitionSpec

from vidgen.models.layers import apply
from vidgen.models.vae import VAE, Stage, VAEConfig
from vidgen.parallel import hlo, shard
from vidgen.parallel.collectives import collectives
from vidgen.parallel.mesh import MeshConfig, make_mesh
from vidgen.sample.program import fill_time

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


def decoder(mesh):
    """The jitted decoder of all groups, as the sampler uses it."""
    vae = VAE(CONFIG, shard.constrain)

    def decode(params: dict, latent_BTHWC):
        return apply(vae, params, fill_time(latent_BTHWC, mesh.shape["sequence"]), method=VAE.decode_groups)

    return jax.jit(decode)


@functools.cache
def alone() -> np.ndarray:
    return np.asarray(apply(VAE(CONFIG), params(), LATENT, method=VAE.decode))


def test_pixels_are_those_of_one_device() -> None:
    mesh = make_mesh(MeshConfig(sequence=SEQUENCE), jax.devices()[:SEQUENCE])
    with jax.set_mesh(mesh):
        video = decoder(mesh)(params(), LATENT)
    assert video.sharding.spec == PartitionSpec(None, "sequence")
    assert {s.data.shape[1] for s in video.addressable_shards} == {4 * 8 // SEQUENCE}
    clip = np.asarray(video)[:, 3 : 3 + 4 * (T - 1) + 1]
    np.testing.assert_allclose(clip, alone(), rtol=1e-5, atol=1e-5 * np.abs(alone()).max())


def test_devices_fetch_a_frame_of_their_neighbour_and_no_more() -> None:
    """No device collects the clip: what travels is one latent frame of what cells show, once a block."""
    mesh = make_mesh(MeshConfig(sequence=SEQUENCE), jax.devices()[:SEQUENCE])
    whole = NamedSharding(mesh, PartitionSpec())
    latent = jax.ShapeDtypeStruct(
        (1, 8, *LATENT.shape[2:]), jnp.float32, sharding=NamedSharding(mesh, PartitionSpec(None, "sequence"))
    )
    given = jax.tree.map(lambda x: jax.ShapeDtypeStruct(x.shape, x.dtype, sharding=whole), params())
    with jax.set_mesh(mesh):
        text = decoder(mesh).lower(given, latent).compile().as_text() or ""
    found = collectives(hlo.parse(text), dict(mesh.shape))
    assert {one.kind for one in found} == {"collective-permute"}
    cells = {stage.cell: H * 5 * (COARSE.cell // stage.cell) ** 2 for stage in CONFIG.decoder}
    frames = [4 * cells[stage.cell] * stage.mix for stage in CONFIG.decoder for _ in range(stage.blocks)]
    assert sorted(one.bytes for one in found) == sorted(frames)


@pytest.mark.parametrize(("rows", "multiple", "frames"), [(6, 4, 8), (8, 4, 7), (6, 1, 7), (5, 7, 7)])
def test_time_is_filled_where_neither_it_nor_rows_divide(rows: int, multiple: int, frames: int) -> None:
    latent = jnp.arange(7.0)[None, :, None, None, None] * jnp.ones((1, 7, rows, 2, 1))
    filled = fill_time(latent, multiple)
    assert filled.shape[1] == frames
    assert np.all(filled[:, 7:] == 6)
