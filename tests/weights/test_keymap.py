# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Weights under other names: every tensor is accounted for, both directions meet, and devices get their parts."""

import dataclasses
import json
import re

import jax
import jax.numpy as jnp
import ml_dtypes
import numpy as np
import pytest
from jax.sharding import NamedSharding

from vidgen import trees
from vidgen.models.dit import DiT, DiTConfig
from vidgen.models.presets import WAN_1_3B, WAN_14B
from vidgen.parallel.attention import dense
from vidgen.parallel.mesh import MeshConfig, make_mesh
from vidgen.parallel.shard import parameter_shardings
from vidgen.weights import keymap
from vidgen.weights.files import Weights
from vidgen.weights.public import wan

SMALL = dataclasses.replace(
    WAN_1_3B, channels=3, width=24, layers=3, heads=2, hidden=40, text_width=16, time_width=8, patch=(1, 2, 2)
)


def shapes(config: DiTConfig) -> dict:
    """The transformer's parameters, as shapes."""
    P = config.channels * int(np.prod(config.patch))
    one = lambda *shape: jax.ShapeDtypeStruct(shape, jnp.float32)  # noqa: E731
    ids = jax.ShapeDtypeStruct((1, 4, 3), jnp.int32)
    of_tokens = jax.ShapeDtypeStruct((1, 4), jnp.int32)
    text = one(1, 2, config.text_width), jax.ShapeDtypeStruct((1, 2), jnp.bool_)
    key = jax.eval_shape(lambda: jax.random.key(0))
    init = DiT(config, dense).init
    return jax.eval_shape(init, key, one(1, 4, P), ids, ids, one(1, 1), of_tokens, *text)["params"]


def random_tensors(config: DiTConfig, dtype: type = np.float32) -> dict[str, np.ndarray]:
    """A checkpoint with Wan's names."""
    rng = np.random.default_rng(0)
    wanted = keymap.places(wan.transformer(config), shapes(config))
    return {name: rng.normal(size=place.shape).astype(dtype) for name, place in wanted.items()}


def write(path, tensors: dict[str, np.ndarray]) -> None:
    from safetensors.numpy import save_file

    save_file(tensors, path)


@pytest.fixture
def checkpoint(tmp_path):
    tensors = random_tensors(SMALL)
    write(tmp_path / "model.safetensors", tensors)
    return tmp_path / "model.safetensors", tensors


@pytest.mark.parametrize(("config", "count"), [(WAN_1_3B, 1_418_996_800), (WAN_14B, 14_288_491_584)])
def test_wan_has_the_names_and_the_number_of_parameters_of_the_original(config: DiTConfig, count: int) -> None:
    wanted = keymap.places(wan.transformer(config), shapes(config))
    assert sum(int(np.prod(place.shape)) for place in wanted.values()) == count
    kinds = {re.sub(r"\.\d+\.", ".N.", name, count=1) for name in wanted}
    assert len(wanted) == 15 + 27 * config.layers and "blocks.N.attn2.norm_k.weight" in kinds
    assert wanted["patch_embedding.weight"].shape == (config.width, 16, 1, 2, 2)
    assert wanted["blocks.7.ffn.net.0.proj.weight"].shape == (config.hidden, config.width)
    assert wanted["blocks.7.scale_shift_table"].shape == (1, 6, config.width)


def test_every_value_arrives_where_it_belongs(checkpoint) -> None:
    path, theirs = checkpoint
    ours = keymap.load(Weights(path), wan.transformer(SMALL), shapes(SMALL))
    np.testing.assert_array_equal(ours["blocks"]["self"]["q"]["kernel"][1], theirs["blocks.1.attn1.to_q.weight"].T)
    np.testing.assert_array_equal(ours["blocks"]["modulation"][2], theirs["blocks.2.scale_shift_table"][0])
    np.testing.assert_array_equal(ours["final_modulation"], theirs["scale_shift_table"][0])
    # A patch's values lie in the order (t, h, w, c), as `patchify` makes them.
    kernel = np.asarray(ours["patch_embedding"]["kernel"]).reshape(1, 2, 2, 3, 24)
    np.testing.assert_array_equal(kernel[0, 1, 0, 2], theirs["patch_embedding.weight"][:, 2, 0, 1, 0])
    assert {leaf.dtype for leaf in jax.tree.leaves(ours)} == {jnp.dtype("float32")}


@pytest.mark.parametrize("dtype", [np.float32, ml_dtypes.bfloat16, np.float16])
@pytest.mark.parametrize("shard_bytes", [keymap.SHARD_BYTES, 20_000])
def test_what_is_written_is_what_was_read(tmp_path, dtype, shard_bytes) -> None:
    """Bit for bit, in one file or in several with an index."""
    theirs = random_tensors(SMALL, dtype)
    write(tmp_path / "theirs.safetensors", theirs)
    table = wan.transformer(SMALL)
    ours = keymap.load(Weights(tmp_path / "theirs.safetensors"), table, shapes(SMALL))
    files = keymap.save(tmp_path / "ours", ours, table, shard_bytes=shard_bytes, metadata={"format": "pt"})
    assert (len(files) > 1) == (shard_bytes == 20_000) and all(file.is_file() for file in files)
    again = Weights(tmp_path / "ours")
    assert again.metadata() == {"format": "pt"}
    assert set(again.tensors) == set(theirs)
    for name, value in theirs.items():
        assert again.read(name).tobytes() == value.tobytes() and again.read(name).shape == value.shape
    largest = max(file.stat().st_size for file in files)
    assert shard_bytes != 20_000 or largest < 60_000  # a layer's MLP alone has 3,840 bytes and more


def test_values_are_cast_on_the_way(checkpoint) -> None:
    path, theirs = checkpoint
    ours = keymap.load(Weights(path), wan.transformer(SMALL), shapes(SMALL), "bfloat16")
    assert {leaf.dtype for leaf in jax.tree.leaves(ours)} == {jnp.dtype("bfloat16")}
    np.testing.assert_array_equal(ours["out"]["bias"], theirs["proj_out.bias"].astype(ml_dtypes.bfloat16))


def test_devices_get_their_parts(checkpoint) -> None:
    path, _ = checkpoint
    mesh = make_mesh(MeshConfig(fsdp=2, tensor=2), jax.devices()[:4])
    like = shapes(SMALL)
    shardings = parameter_shardings({"dit": like}, mesh)["dit"]
    placed = jax.tree.map(lambda x, s: jax.ShapeDtypeStruct(x.shape, x.dtype, sharding=s), like, shardings)
    ours = keymap.load(Weights(path), wan.transformer(SMALL), placed)
    plain = keymap.load(Weights(path), wan.transformer(SMALL), like)
    divided = 0
    for name, leaf in trees.flatten_names(ours).items():
        np.testing.assert_array_equal(leaf, trees.flatten_names(plain)[name])
        assert isinstance(leaf.sharding, NamedSharding)
        assert leaf.sharding.is_equivalent_to(trees.flatten_names(shardings)[name], leaf.ndim)
        divided += leaf.addressable_shards[0].data.size < leaf.size
    assert divided > 10


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.pop("blocks.2.attn1.to_q.bias"), r"blocks.2.attn1.to_q.bias \(24,\) is missing"),
        (lambda t: t.update({"blocks.3.norm2.bias": np.zeros(24)}), r"blocks.3.norm2.bias \(24,\) has no place"),
        (lambda t: t.update({"proj_out.bias": np.zeros(11)}), r"proj_out.bias is \(11,\) and .* wants \(12,\)"),
        (lambda t: [t.pop(name) for name in list(t)[3:]], r"and \d+ more"),
    ],
)  # fmt: skip
def test_tensors_that_do_not_fit_are_named(tmp_path, change, message) -> None:
    tensors = random_tensors(SMALL)
    change(tensors)
    write(tmp_path / "m.safetensors", tensors)
    with pytest.raises(ValueError, match=message):
        keymap.load(Weights(tmp_path / "m.safetensors"), wan.transformer(SMALL), shapes(SMALL))


def test_layers_of_several_types_want_a_choice(tmp_path) -> None:
    tensors = random_tensors(SMALL)
    tensors["blocks.1.norm2.bias"] = tensors["blocks.1.norm2.bias"].astype(np.float16)
    write(tmp_path / "m.safetensors", tensors)
    with pytest.raises(ValueError, match="give a dtype"):
        keymap.load(Weights(tmp_path / "m.safetensors"), wan.transformer(SMALL), shapes(SMALL))
    keymap.load(Weights(tmp_path / "m.safetensors"), wan.transformer(SMALL), shapes(SMALL), np.float32)


def test_a_table_of_another_network_is_refused() -> None:
    with pytest.raises(ValueError, match="differ in coordinates/bias, coordinates/kernel"):
        keymap.places(wan.transformer(SMALL), shapes(dataclasses.replace(SMALL, coordinates=True)))


def test_files_that_cannot_be_read_are_named(tmp_path) -> None:
    for name, message in (("model.pth", "weights_only=True"), ("nothing.safetensors", "there are no weights at")):
        with pytest.raises((ValueError, FileNotFoundError), match=message):
            Weights(tmp_path / name)
    with pytest.raises(FileNotFoundError, match=r"no .safetensors file"):
        Weights(tmp_path)
    (tmp_path / "model.bin").write_bytes(b"pickle")
    with pytest.raises(ValueError, match="is a pickle, which can run code"):
        Weights(tmp_path)
    (tmp_path / "model.safetensors").write_bytes(b"cut off")
    with pytest.raises(ValueError, match="is not a complete safetensors file"):
        Weights(tmp_path)
    index = tmp_path / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": {"a": "one.safetensors", "b": "two.safetensors"}}))
    with pytest.raises(FileNotFoundError, match=r"names one.safetensors, two.safetensors"):
        Weights(tmp_path)
    index.write_text("{}")
    with pytest.raises(ValueError, match="lacks weight_map"):
        Weights(tmp_path)


def test_a_tensor_in_two_files_is_refused(tmp_path) -> None:
    for name in ("a", "b"):
        write(tmp_path / f"{name}.safetensors", {"same": np.zeros(2, np.float32)})
    with pytest.raises(ValueError, match=r"same is both in a.safetensors and in b.safetensors"):
        Weights(tmp_path)
