# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Wan 2.1's transformer in our modules says what it says in diffusers: golden/make_wan.py made what is compared."""

import dataclasses
import functools
from pathlib import Path

import jax
import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from vidgen.models.dit import DiT, DiTConfig
from vidgen.models.layers import patchify
from vidgen.models.presets import WAN_1_3B
from vidgen.models.rows import apply_to_grid, apply_to_rows, lay_out
from vidgen.parallel import attention
from vidgen.parallel.mesh import MeshConfig, make_mesh
from vidgen.parallel.shard import make_parallel, parameter_shardings
from vidgen.weights import keymap
from vidgen.weights.files import Weights
from vidgen.weights.public import wan

GOLDEN = Path(__file__).parents[1] / "golden"
SHAPES = {
    "plain": {"patch": (1, 2, 2), "channels": 4, "heads": 2, "width": 24, "hidden": 40, "layers": 3},
    "odd": {"patch": (2, 1, 3), "channels": 3, "heads": 3, "width": 48, "hidden": 56, "layers": 2},
    "wide": {"patch": (1, 2, 2), "channels": 16, "heads": 4, "width": 64, "hidden": 128, "layers": 2},
}
TEXT = {"plain": (16, 8), "odd": (10, 12), "wide": (32, 64)}


@functools.cache
def golden(name: str) -> dict[str, np.ndarray]:
    return load_file(GOLDEN / f"wan_{name}.safetensors")


def config(name: str, dtype: str = "float32") -> DiTConfig:
    text_width, time_width = TEXT[name]
    shape = {**SHAPES[name], "text_width": text_width, "time_width": time_width}
    return dataclasses.replace(WAN_1_3B, **shape, dtype=dtype)


def part(name: str, of: str) -> dict[str, np.ndarray]:
    return {key.removeprefix(of): value for key, value in golden(name).items() if key.startswith(of)}


@pytest.fixture(scope="module", params=SHAPES)
def model(request, tmp_path_factory):
    """(name, parameters) of a checkpoint that went through the keymap."""
    return request.param, loaded(request.param, tmp_path_factory)


def loaded(name: str, tmp_path_factory) -> dict:
    path = tmp_path_factory.mktemp("wan") / "model.safetensors"
    save_file(part(name, "weights/"), path)
    return keymap.load(Weights(path), wan.transformer(config(name)), shapes(name))


def shapes(name: str) -> dict:
    cfg = config(name)
    inputs = part(name, "inputs/")
    x, text = inputs["x"].transpose(0, 2, 3, 4, 1), inputs["text"]
    rows = lay_out(x, cfg.patch)
    ids = np.zeros(rows.tokens_BLP.shape[:2], np.int32)
    init = DiT(cfg, attention.dense).init
    real = np.ones(text.shape[:2], bool)
    return jax.eval_shape(init, jax.random.key(0), *rows[:3], np.zeros((len(x), 1), np.float32), ids, text, real)[
        "params"
    ]


def run(name: str, params: dict, dtype: str = "float32") -> np.ndarray:
    """The velocity as [B, C, T, H, W]."""
    inputs = part(name, "inputs/")
    dit = DiT(config(name, dtype), functools.partial(attention.dense, dtype=dtype))
    x = inputs["x"].transpose(0, 2, 3, 4, 1)
    text = inputs["text"][:, None]
    v = jax.jit(functools.partial(apply_to_grid, dit))(
        params, x, inputs["time"] / 1000, text, np.ones(text.shape[:3], bool)
    )
    return np.asarray(v).transpose(0, 4, 1, 2, 3)


def difference(ours: np.ndarray, theirs: np.ndarray) -> float:
    return float(np.abs(ours - theirs).max() / np.abs(theirs).max())


def test_the_network_says_the_same(model) -> None:
    name, params = model
    assert difference(run(name, params), golden(name)["outputs/velocity"]) < 1e-5


def test_every_block_says_the_same(model) -> None:
    name, params = model
    inputs = part(name, "inputs/")
    rows = lay_out(inputs["x"].transpose(0, 2, 3, 4, 1), config(name).patch)
    text, real = inputs["text"][:, None], np.ones((len(inputs["text"]), 1, inputs["text"].shape[1]), bool)
    for block in range(config(name).layers):
        dit = DiT(config(name), functools.partial(attention.dense, dtype="float32"), read_block=block + 1)
        features = apply_to_rows(dit, params, rows, inputs["time"][:, None] / 1000, text, real).features_BLD
        assert difference(features, golden(name)[f"outputs/block{block}"]) < 1e-5


def test_bfloat16_is_as_near_as_bfloat16_is(model) -> None:
    """Rounded as PyTorch rounds it or otherwise, it is no farther from float32 than PyTorch's own."""
    name, params = model
    exact, low = golden(name)["outputs/velocity"], golden(name)["outputs/velocity_bfloat16"]
    assert difference(run(name, params, "bfloat16"), exact) < 1.5 * difference(low, exact) < 0.1


def test_eight_devices_say_the_same(tmp_path_factory) -> None:
    name = "wide"
    params = loaded(name, tmp_path_factory)
    mesh = make_mesh(MeshConfig(fsdp=2, sequence=2, tensor=2))
    parallel = make_parallel(mesh, "float32")
    dit = DiT(config(name), parallel.attn_fn, parallel.cross_attn_fn, parallel.shard)
    inputs = part(name, "inputs/")
    text = inputs["text"][:, None]
    real = np.ones(text.shape[:3], bool)
    placed = jax.device_put({"dit": params}, parameter_shardings({"dit": params}, mesh))["dit"]
    with jax.set_mesh(mesh):
        v = jax.jit(functools.partial(apply_to_grid, dit, multiple=parallel.multiple))(
            placed, inputs["x"].transpose(0, 2, 3, 4, 1), inputs["time"] / 1000, text, real
        )
    assert difference(np.asarray(v).transpose(0, 4, 1, 2, 3), golden(name)["outputs/velocity"]) < 1e-5


def test_what_is_exported_has_the_same_bytes(model, tmp_path) -> None:
    name, params = model
    keymap.save(tmp_path / "out", params, wan.transformer(config(name)))
    again = Weights(tmp_path / "out")
    theirs = part(name, "weights/")
    assert set(again.tensors) == set(theirs)
    assert all(again.read(key).tobytes() == value.tobytes() for key, value in theirs.items())


def test_patches_are_cut_as_a_convolution_cuts_them(model) -> None:
    """Against the convolution itself, in NumPy."""
    name, params = model
    cfg, x = config(name), part(name, "inputs/")["x"]
    weight, bias = (part(name, "weights/")[f"patch_embedding.{key}"] for key in ("weight", "bias"))
    p, q, r = cfg.patch
    B, C, T, H, W = x.shape
    cut = x.reshape(B, C, T // p, p, H // q, q, W // r, r)
    theirs = np.einsum("bctphqwr,dcpqr->bthwd", cut, weight) + bias
    tokens = patchify(x.transpose(0, 2, 3, 4, 1), cfg.patch)
    ours = tokens @ np.asarray(params["patch_embedding"]["kernel"]) + np.asarray(params["patch_embedding"]["bias"])
    np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)
