# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The two halves of guidance on different devices make the clips of one device, and each device computes one half."""

import dataclasses
import functools
import re
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.sharding import NamedSharding

from vidgen.config import load_experiment
from vidgen.diffusion.guidance import Guidance
from vidgen.models.layers import apply
from vidgen.models.vae import VAE
from vidgen.parallel import hlo, shard
from vidgen.parallel.mesh import MeshConfig, make_mesh
from vidgen.parallel.rules import activation_spec
from vidgen.sample.program import Networks, text_to_latent
from vidgen.train.dit import init_params

TINY = load_experiment(Path(__file__).parents[1] / "train" / "tiny_dit.py")
NETWORKS = Networks(
    *(dataclasses.replace(config, dtype="float32") for config in (TINY.vae_config, TINY.text, TINY.model))
)
SHAPE = NETWORKS.vae.latent_shape(5, 32, 32)


def sampler(mesh):
    """(the jitted sampler up to float pixels, its parameters' shardings)."""
    parallel = shard.make_parallel(mesh, "float32")

    def sample(params: dict, ids_BS, negative_1S):
        ts = jnp.linspace(1, 0, 4)
        latent = text_to_latent(
            NETWORKS, SHAPE, ts, "heun", params, ids_BS, negative_1S, Guidance(3.0), jax.random.key(5), parallel
        )
        return apply(VAE(NETWORKS.vae, parallel.shard), params["vae"], latent, method=VAE.decode)

    return jax.jit(sample), shard.parameter_shardings(params(), mesh)


@functools.cache
def params() -> dict:
    """Random values everywhere: layers that start at zero would hide what they are fed."""
    example = jnp.zeros((1, 5, 16, 16, 3))
    key = jax.random.key(0)
    shapes = jax.eval_shape(
        lambda: {**init_params(NETWORKS, "", key), "vae": VAE(NETWORKS.vae).init(key, example, key)["params"]}
    )
    rng = np.random.default_rng(1)
    return jax.tree.map(lambda leaf: np.float32(0.1 * rng.normal(size=leaf.shape)), shapes)


def ids(clips: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(2)
    return rng.integers(1, 2048, (clips, 7)).astype(np.int32), rng.integers(1, 2048, (1, 7)).astype(np.int32)


def run(mesh, clips: int) -> np.ndarray:
    function, shardings = sampler(mesh)
    with jax.set_mesh(mesh):
        return np.asarray(function(jax.device_put(params(), shardings), *ids(clips)))


@pytest.mark.parametrize(
    ("clips", "axes"),
    [
        (1, {"guidance": 2, "sequence": 2, "tensor": 2}),
        pytest.param(2, {"guidance": 2, "data": 2, "sequence": 2}, marks=pytest.mark.slow),
        pytest.param(4, {"guidance": 2, "fsdp": 4}, marks=pytest.mark.slow),
    ],
)
def test_divided_halves_make_the_clips_of_one_device(clips: int, axes: dict[str, int]) -> None:
    alone = run(make_mesh(MeshConfig()), clips)
    divided = run(make_mesh(MeshConfig(**axes)), clips)
    assert alone.std() > 0.1
    np.testing.assert_allclose(divided, alone, rtol=1e-5, atol=1e-5 * np.abs(alone).max())


def test_each_half_lies_on_devices_of_its_own() -> None:
    """Rows of a batch doubled for guidance: those of the conditional half first."""
    mesh = make_mesh(MeshConfig(data=2, guidance=2, sequence=2))
    rows = NamedSharding(mesh, activation_spec("BLD", (4, 8, 8), mesh.shape)).devices_indices_map((4, 8, 8))
    first, second = (
        {row for device in mesh.devices[:, half].ravel() for row in range(*rows[device][0].indices(4))}
        for half in (0, 1)
    )
    assert (first, second) == ({0, 1}, {2, 3})


def test_the_program_divides_the_halves() -> None:
    """The network's arrays are told to lie so, and a device of two is left with half of the work of one."""
    texts, work = [], []
    for axes, devices in (({}, jax.devices()[:1]), ({"guidance": 2}, jax.devices()[:2])):
        mesh = make_mesh(MeshConfig(**axes), devices)
        function, shardings = sampler(mesh)
        with jax.set_mesh(mesh):
            lowered = function.lower(shard.abstract(params(), shardings), *ids(1))
            texts.append(lowered.as_text())
            work.append(hlo.flops(hlo.parse(lowered.compile().as_text() or "")).products)
    L, D = 32, NETWORKS.dit.width
    residual = rf'sharding_constraint .*? <@mesh, \[{{"guidance"}}, {{}}, {{}}\]> : tensor<2x{L}x{D}xf32>'
    assert re.search(residual, texts[1])
    assert 0.45 < work[1] / work[0] < 0.6  # captions and pixels are not divided


def test_training_has_no_halves() -> None:
    with pytest.raises(ValueError, match=r"mesh.guidance = 2 is for sampling"):
        TINY.program("train", make_mesh(MeshConfig(guidance=2, fsdp=4)))
