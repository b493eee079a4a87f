# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Training on every mesh of eight devices has the loss and the gradients of one, and the program says how."""

import dataclasses
import functools
import itertools
import re

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from jax.sharding import PartitionSpec as P

from vidgen import trees
from vidgen.models.dit import DiTConfig
from vidgen.models.text import TextConfig
from vidgen.models.vae import VAE, Stage, VAEConfig
from vidgen.parallel.mesh import MeshConfig, make_mesh
from vidgen.parallel.shard import (
    constrain,
    make_parallel,
    parameter_shardings,
    place_batch,
    state_shardings,
)
from vidgen.sample.program import Networks
from vidgen.train import state as train_state
from vidgen.train.dit import init_params
from vidgen.train.flow import Objective, dit_loss
from vidgen.train.optim import OptimConfig, make_optimizer
from vidgen.train.tasks import TaskMix
from vidgen.train.vae import VAELossConfig, vae_loss

STAGE = Stage(4, 16, 8, 16, 1)
VAE_CONFIG = VAEConfig(channels=8, encoder=(STAGE,), decoder=(STAGE,), dtype="float32")
NETWORKS = Networks(
    VAE_CONFIG,
    TextConfig(vocabulary=16, width=16, heads=4, hidden=16, layers=1, dtype="float32"),
    DiTConfig(
        channels=8, patch=(1, 1, 1), width=32, layers=2, heads=4, hidden=32, text_width=16, time_width=8,
        remat="full", dtype="float32",
    ),
)  # fmt: skip
OBJECTIVE = Objective(caption_dropout=0.1, tasks=TaskMix(first=1.0, box=1.0))
RNG = np.random.default_rng(0)
LATENTS = {
    # 10 tokens, which 4 and 8 shards do not divide.
    "latent_BTHWC": RNG.normal(size=(8, 2, 1, 5, 8)).astype(np.float16),
    "text_BS": RNG.integers(0, 16, (8, 3)).astype(np.int32),
}
AXES = ("data", "fsdp", "sequence", "tensor")  # those that training knows
VIDEO = {"video_BFHWC": RNG.integers(0, 256, (8, 5, 32, 8, 3)).astype(np.uint8)}
# Compiling for eight devices takes a second or more: "-m 'not slow'" tries one mesh with three axes for each network.
PLAIN = {("dit", (1, 2, 2, 2)), ("vae", (2, 1, 2, 2))}
EVERY_MESH = [
    pytest.param(
        case,
        sizes,
        id=f"{'x'.join(map(str, sizes))}-{case}",
        marks=() if (case, sizes) in PLAIN else pytest.mark.slow,
    )
    for case in ("dit", "vae")
    for sizes in itertools.product((1, 2, 4, 8), repeat=4)
    if np.prod(sizes) == 8
]


def dit_case(mesh):
    parallel = make_parallel(mesh, "float32")
    loss = lambda params, batch, key: dit_loss(NETWORKS, OBJECTIVE, params, batch, key, parallel)  # noqa: E731
    return loss, LATENTS


def vae_case(mesh):
    vae = VAE(VAE_CONFIG, constrain)
    loss = lambda params, batch, key: vae_loss(vae, VAELossConfig(), params, batch["video_BFHWC"], key)  # noqa: E731
    return loss, VIDEO


CASES = {"dit": dit_case, "vae": vae_case}
INIT = {
    "dit": functools.partial(init_params, NETWORKS, ""),
    "vae": lambda key: VAE(VAE_CONFIG).init(key, jnp.zeros((1, 5, 8, 8, 3)), key)["params"],
}


@functools.cache
def shapes_of(case: str) -> dict:
    return jax.eval_shape(INIT[case], jax.random.key(0))


@functools.cache
def random_params(case: str) -> dict:
    """Random values everywhere: layers that start at zero would hide what they are fed."""
    rng = np.random.default_rng(1)
    return jax.tree.map(lambda leaf: np.float32(0.2 * rng.normal(size=leaf.shape)), shapes_of(case))


def value_and_grads(case: str, mesh):
    """((loss, metrics), gradients), with parameters and the batch divided as in training."""
    loss_fn, batch = CASES[case](mesh)
    params = random_params(case)
    shardings = parameter_shardings(params, mesh)
    with jax.set_mesh(mesh):
        grad = jax.jit(jax.value_and_grad(loss_fn, has_aux=True), out_shardings=(None, shardings))
        return grad(jax.device_put(params, shardings), place_batch(batch, mesh), jax.random.key(3))


@functools.cache
def on_one_device(case: str):
    return jax.tree.map(np.asarray, value_and_grads(case, make_mesh(MeshConfig())))


@pytest.mark.parametrize(("case", "sizes"), EVERY_MESH)
def test_every_mesh_of_eight_has_the_numbers_of_one(case: str, sizes: tuple[int, ...]) -> None:
    mesh = make_mesh(MeshConfig(**dict(zip(AXES, sizes, strict=True))))
    ((loss, metrics), grads) = value_and_grads(case, mesh)
    ((expected, expected_metrics), expected_grads) = on_one_device(case)
    np.testing.assert_allclose(loss, expected, rtol=1e-5)
    assert metrics.keys() == expected_metrics.keys()
    got, wanted = trees.flatten_names(grads), trees.flatten_names(expected_grads)
    scale = max(float(np.abs(x).max()) for x in wanted.values())
    for name, x in got.items():
        # Relative to the parameter's own gradient: the size of a leaf's largest entry is what its sums round at.
        size = max(float(np.abs(wanted[name]).max()), 1e-2 * scale)
        np.testing.assert_allclose(x, wanted[name], rtol=1e-5, atol=1e-5 * size, err_msg=name)


def test_moments_and_averages_lie_as_their_parameters_do() -> None:
    mesh = make_mesh(MeshConfig(fsdp=2, tensor=4))
    shapes = shapes_of("dit")
    shardings = parameter_shardings(shapes, mesh)
    for name in ("adamw", "muon"):
        optimizer = make_optimizer(OptimConfig(name=name), 10, shapes)
        state = jax.eval_shape(lambda p, o=optimizer: train_state.create(p, o), shapes)
        specs = {k: s.spec for k, s in trees.flatten_names(state_shardings(state, shapes, shardings, mesh)).items()}
        sizes = {k: x.shape for k, x in trees.flatten_names(state).items()}
        up = [k for k in specs if k.endswith("dit/blocks/up/kernel") and sizes[k] == (2, 32, 32)]
        assert len(up) == {"adamw": 4, "muon": 3}[name], up  # parameters, average, and the optimiser's moments
        assert {specs[k] for k in up} == {P(None, "fsdp", "tensor")}
        assert all(specs[k] == P() for k in specs if sizes[k] == ())


def test_the_state_is_made_divided_and_stays_so() -> None:
    mesh = make_mesh(MeshConfig(fsdp=8))
    shapes = {"encoder": {"out": {"kernel": jax.ShapeDtypeStruct((16, 4), jnp.float32)}}}
    shardings = parameter_shardings(shapes, mesh)
    params = jax.device_put({"encoder": {"out": {"kernel": np.ones((16, 4), np.float32)}}}, shardings)
    optimizer = optax.adam(0.1)
    state, kept = train_state.create_on(mesh, params, shardings, optimizer)
    step = train_state.make_step(
        lambda p, b, k: (jnp.sum((b["x"] @ p["encoder"]["out"]["kernel"]) ** 2), {}), optimizer, 0.9, 0
    )
    with jax.set_mesh(mesh):
        after, _ = jax.jit(step, out_shardings=(kept, None))(
            state, place_batch({"x": np.ones((8, 16), np.float32)}, mesh)
        )
    for tree in (state, after):
        for leaf in (tree.params, tree.ema, tree.opt_state[0].mu, tree.opt_state[0].nu):
            kernel = leaf["encoder"]["out"]["kernel"]
            assert [s.data.shape for s in kernel.addressable_shards] == [(2, 4)] * 8


def lowered(case: str, mesh) -> str:
    loss_fn, batch = CASES[case](mesh)
    grad = jax.jit(jax.grad(lambda p, b, k: loss_fn(p, b, k)[0]))
    arguments = shapes_of(case), batch, jax.random.key(0)
    with jax.set_mesh(mesh):
        return grad.lower(*arguments).as_text()


@pytest.mark.parametrize("case", list(CASES))
def test_constraints_are_in_the_lowered_program(case: str) -> None:
    mesh = make_mesh(MeshConfig(fsdp=2, sequence=2, tensor=2))
    program = lowered(case, mesh)
    found = set(re.findall(r"sdy.sharding_constraint .*? <@mesh, (\[.*?\])>", program))
    residual = '[{"fsdp"}, {"sequence"}, {}]' if case == "dit" else '[{"fsdp"}, {"sequence"}, {}, {}, {}]'
    hidden = residual[:-3] + '{"tensor"}]'
    assert {residual, hidden, '[{}, {"tensor"}]', '[{"tensor"}, {}]'} <= found  # activations and collected weights


def test_under_the_old_with_mesh_constraints_vanish() -> None:
    """Why the loop uses `jax.set_mesh`. Should this ever fail, JAX has come to know the old form."""
    mesh = make_mesh(MeshConfig(fsdp=2, sequence=2, tensor=2))
    x = jnp.ones((2, 2, 2))
    with jax.set_mesh(mesh):
        assert "sharding_constraint" in jax.jit(lambda x: constrain(x, "BLD")).lower(x).as_text()
    with pytest.warns(DeprecationWarning, match="set_mesh"), mesh:
        assert "sharding_constraint" not in jax.jit(lambda x: constrain(x, "BLD") + 1).lower(x).as_text()


def test_one_device_is_told_nothing() -> None:
    with jax.set_mesh(make_mesh(MeshConfig())):
        assert "sharding_constraint" not in jax.jit(lambda x: constrain(x, "BLD")).lower(jnp.ones((2, 2, 2))).as_text()


def test_weights_are_collected_inside_the_scan_over_layers() -> None:
    """No collective gives the weights of all layers: what is whole is one layer's, in the loop's body."""
    mesh = make_mesh(MeshConfig(fsdp=2), jax.devices()[:2])
    layers = 5
    deep = dataclasses.replace(NETWORKS, dit=dataclasses.replace(NETWORKS.dit, layers=layers))
    shapes = jax.eval_shape(functools.partial(init_params, deep, ""), jax.random.key(0))
    shardings = parameter_shardings(shapes, mesh)
    params = jax.tree.map(lambda x, s: jax.ShapeDtypeStruct(x.shape, x.dtype, sharding=s), shapes, shardings)
    parallel = make_parallel(mesh, "float32")
    with jax.set_mesh(mesh):
        grad = jax.grad(lambda p, b: dit_loss(deep, OBJECTIVE, p, b, jax.random.key(0), parallel)[0])
        program = jax.jit(grad, out_shardings=shardings).lower(params, place_batch(LATENTS, mesh)).compile().as_text()
    gathered = re.findall(r"= \w+\[([\d,]*)\]\S* all-gather\(", program)
    assert "32,32" in gathered or "1,32,32" in gathered, gathered
    assert not [shape for shape in gathered if shape.startswith(f"{layers},")], gathered


def test_a_batch_that_does_not_divide_says_what_would() -> None:
    mesh = make_mesh(MeshConfig(data=2, fsdp=4))
    with pytest.raises(ValueError, match=r"a batch of 6 clips .* multiple of 8"):
        place_batch({"x": np.zeros((6, 1))}, mesh)
    assert place_batch({"x": np.zeros((8, 1))}, mesh)["x"].sharding.spec == P(("data", "fsdp"))
