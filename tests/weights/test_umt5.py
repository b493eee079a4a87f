# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""UMT5's encoder in our text encoder says what it says in transformers: golden/make_umt5.py made what is compared."""

import dataclasses
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from vidgen.models.layers import apply
from vidgen.models.presets import UMT5_XXL
from vidgen.models.text import TextConfig, TextEncoder
from vidgen.parallel.mesh import MeshConfig, make_mesh
from vidgen.parallel.shard import parameter_shardings
from vidgen.sample.program import read_captions
from vidgen.weights import keymap
from vidgen.weights.files import Weights
from vidgen.weights.public import umt5

GOLDEN = Path(__file__).parents[1] / "golden"
SMALL = dataclasses.replace(UMT5_XXL, dtype="float32")
CONFIGS = {
    "plain": dataclasses.replace(SMALL, vocabulary=50, width=16, heads=2, head_width=8, hidden=24, layers=2),
    "odd": dataclasses.replace(
        SMALL, vocabulary=30, width=20, heads=3, head_width=6, hidden=28, layers=3, buckets=8, max_distance=20
    ),
}


def shapes(config: TextConfig) -> dict:
    key = jax.eval_shape(lambda: jax.random.key(0))
    return jax.eval_shape(TextEncoder(config).init, key, jax.ShapeDtypeStruct((1, 4), jnp.int32))["params"]


@pytest.fixture(params=CONFIGS)
def encoder(request, tmp_path):
    """(config, what is in the golden file, parameters)."""
    golden, config = load_file(GOLDEN / f"umt5_{request.param}.safetensors"), CONFIGS[request.param]
    weights = {k.removeprefix("weights/"): v for k, v in golden.items() if k.startswith("weights/")}
    save_file(weights, tmp_path / "model.safetensors")
    return config, golden, keymap.load(Weights(tmp_path / "model.safetensors"), umt5.encoder(), shapes(config))


def test_features_are_the_same_where_there_are_words(encoder) -> None:
    config, golden, params = encoder
    ids = golden["inputs/ids"]
    features, real = apply(TextEncoder(config), params, ids)
    theirs = golden["outputs/features"]
    assert np.abs(features - theirs)[ids > 0].max() < 1e-5 * np.abs(theirs).max()
    assert np.asarray(real).all() and not np.asarray(features)[ids == 0].any()  # Wan reads zeros past the end
    _, words = apply(TextEncoder(dataclasses.replace(config, padding_seen=False)), params, ids)
    np.testing.assert_array_equal(words, ids > 0)


def test_every_block_says_the_same(encoder) -> None:
    """A shorter encoder ends where a block does, but for the last norm, of which its scale is taken off again."""
    config, golden, params = encoder
    ids = golden["inputs/ids"]
    for block in range(config.layers - 1):
        short = dataclasses.replace(config, layers=block + 1)
        kept = {name: value for name, value in params.items() if not name.startswith("block")}
        kept |= {f"block{i}": params[f"block{i}"] for i in range(block + 1)}
        features, _ = apply(TextEncoder(short), {**kept, "norm": {"scale": np.ones(config.width)}}, ids)
        theirs = golden[f"outputs/block{block}"]
        theirs = theirs / np.sqrt(np.mean(theirs**2, -1, keepdims=True) + 1e-6)
        assert np.abs(features - theirs)[ids > 0].max() < 1e-5 * np.abs(theirs).max()


def test_eight_devices_say_the_same(encoder) -> None:
    config, golden, params = encoder
    mesh, ids = make_mesh(MeshConfig(fsdp=2, sequence=2, tensor=2)), golden["inputs/ids"]
    placed = jax.device_put(params, parameter_shardings({"text": params}, mesh)["text"])
    assert sum(leaf.addressable_shards[0].data.size < leaf.size for leaf in jax.tree.leaves(placed)) > 10
    with jax.set_mesh(mesh):
        features, _ = read_captions(config, mesh, placed, jnp.asarray(ids))
    theirs = golden["outputs/features"]
    assert np.abs(features - theirs)[ids > 0].max() < 1e-5 * np.abs(theirs).max()


def test_what_is_exported_has_the_same_bytes(encoder, tmp_path) -> None:
    _, golden, params = encoder
    keymap.save(tmp_path / "out", params, umt5.encoder())
    again = Weights(tmp_path / "out")
    for key in again.tensors:
        assert again.read(key).tobytes() == golden[f"weights/{key}"].tobytes()
    assert len(again.tensors) == sum(key.startswith("weights/") for key in golden)


def test_the_full_size_is_accounted_for() -> None:
    wanted = keymap.places(umt5.encoder(), shapes(UMT5_XXL))
    assert len(wanted) == 2 + 24 * 10
    assert sum(int(np.prod(place.shape)) for place in wanted.values()) == 5_680_910_336
    assert wanted["encoder.block.23.layer.1.DenseReluDense.wi_0.weight"].shape == (10_240, 4096)
