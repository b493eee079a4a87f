# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""DiT and SiT in our modules say what their published equations and diffusers say: golden/make_dit.py made what is
compared.
"""

import dataclasses
import functools
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from vidgen import trees
from vidgen.diffusion import paths
from vidgen.models.dit import DiT, DiTConfig
from vidgen.models.estimate import step_times
from vidgen.models.layers import apply
from vidgen.models.presets import DIT_XL_2, IMAGENET, SIT_XL_2
from vidgen.models.rows import apply_to_grid, apply_to_rows, lay_out
from vidgen.models.text import LabelConfig, LabelTable
from vidgen.parallel import attention
from vidgen.parallel.mesh import MeshConfig, make_mesh
from vidgen.parallel.shard import make_parallel, parameter_shardings
from vidgen.weights import keymap
from vidgen.weights.files import Weights
from vidgen.weights.public import dit
from vidgen.weights.shapes import dit_shapes, text_shapes

GOLDEN = Path(__file__).parents[1] / "golden"
# Patch, channels, heads, width, MLP, layers, grid, whether channels are doubled; classes.
SHAPES = {
    "plain": ({"patch": (1, 2, 2), "channels": 4, "heads": 2, "width": 24, "layers": 3, "grid": 4}, 10),
    "odd": ({"patch": (1, 1, 1), "channels": 3, "heads": 3, "width": 24, "layers": 2, "grid": 5, "doubled": False}, 7),
    "wide": ({"patch": (1, 2, 2), "channels": 4, "heads": 4, "width": 32, "layers": 2, "grid": 6}, 3),
}
EMBEDDING = "transformer_blocks.0.norm1.emb."


def config(name: str, base: DiTConfig = DIT_XL_2, **options) -> DiTConfig:
    shape = SHAPES[name][0]
    widths = {"hidden": 4 * shape["width"], "text_width": shape["width"]}
    return dataclasses.replace(base, **{**shape, **widths, "dtype": "float32", **options})


def labels(name: str) -> LabelConfig:
    return LabelConfig(SHAPES[name][1], SHAPES[name][0]["width"])


def like(name: str) -> dict:
    return {"dit": dit_shapes(config(name)), "text": text_shapes(labels(name))}


@functools.cache
def golden(name: str) -> dict[str, np.ndarray]:
    return load_file(GOLDEN / f"dit_{name}.safetensors")


def theirs(name: str) -> dict[str, np.ndarray]:
    """The checkpoint as diffusers saves it, with a copy of the embeddings in each block."""
    kept = {key.removeprefix("weights/"): value for key, value in golden(name).items() if key.startswith("weights/")}
    for layer in range(1, config(name).layers):
        copies = {key.replace(".0.", f".{layer}.", 1): x for key, x in kept.items() if key.startswith(EMBEDDING)}
        kept |= copies
    return kept


def original(name: str) -> dict[str, np.ndarray]:
    """The same checkpoint as facebookresearch/DiT saves it, put together by hand."""
    kept, made = theirs(name), {}
    names = {
        "pos_embed.proj": "x_embedder.proj", f"{EMBEDDING}timestep_embedder.linear_1": "t_embedder.mlp.0",
        f"{EMBEDDING}timestep_embedder.linear_2": "t_embedder.mlp.2", "proj_out_2": "final_layer.linear",
        "proj_out_1": "final_layer.adaLN_modulation.1",
    }  # fmt: skip
    for layer in range(config(name).layers):
        a, b = f"transformer_blocks.{layer}", f"blocks.{layer}"
        names |= {
            f"{a}.norm1.linear": f"{b}.adaLN_modulation.1", f"{a}.attn1.to_out.0": f"{b}.attn.proj",
            f"{a}.ff.net.0.proj": f"{b}.mlp.fc1", f"{a}.ff.net.2": f"{b}.mlp.fc2",
        }  # fmt: skip
        for kind in ("weight", "bias"):
            made[f"{b}.attn.qkv.{kind}"] = np.concatenate([kept[f"{a}.attn1.to_{x}.{kind}"] for x in "qkv"])
    made |= {f"{new}.{kind}": kept[f"{old}.{kind}"] for old, new in names.items() for kind in ("weight", "bias")}
    made["y_embedder.embedding_table.weight"] = kept[f"{EMBEDDING}class_embedder.embedding_table.weight"]
    side, D = config(name).grid, config(name).width
    table = np.zeros((1, side * side, D), np.float32)
    for row, column, k in np.ndindex(side, side, D // 4):
        at, w = row * side + column, 1e4 ** (-k / (D // 4))
        table[0, at, k :: D // 4] = np.sin(column * w), np.cos(column * w), np.sin(row * w), np.cos(row * w)
    return {**made, "pos_embed": table}


@functools.cache
def params(name: str) -> dict:
    return loaded(theirs(name), dit.diffusers(config(name)), name)


def loaded(tensors: dict[str, np.ndarray], table, name: str) -> dict:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        save_file(tensors, Path(folder) / "model.safetensors")
        return keymap.load(Weights(folder), table, like(name))


def given(name: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(x [B, 1, H, W, C] on the variance-preserving path, whole steps, captions of one id)."""
    told = golden(name)
    x = told["inputs/x"].transpose(0, 2, 3, 1)[:, None]
    ids = (told["inputs/labels"] + 1) % (SHAPES[name][1] + 1)  # 0 is no class
    return x, told["inputs/steps"], ids[:, None]


def ask(cfg: DiTConfig, tree: dict, x: jax.Array, t_B: jax.Array, ids: np.ndarray, **options) -> np.ndarray:
    """What the network says, [B, H, W, C or 2 C]."""
    classes = tree["text"]["labels"].shape[0] - 1
    attn = functools.partial(attention.dense, dtype=cfg.dtype)

    @jax.jit
    def run(tree: dict) -> jax.Array:
        text, real = apply(LabelTable(LabelConfig(classes, cfg.width)), tree["text"], ids)
        return apply_to_grid(DiT(cfg, attn), tree["dit"], x, t_B, text[:, None], real[:, None], **options)

    return np.asarray(run(tree))[:, 0]


def noise(name: str, tree: dict | None = None, **options) -> np.ndarray:
    """What DiT says of the golden input, [B, C or 2 C, H, W], back from the velocity of the flow."""
    x, steps, ids = given(name)
    t_B = np.float32(step_times(1000)[steps])
    wide = t_B[:, None, None, None, None]
    flow = x * np.sqrt((1 - wide) ** 2 + wide**2)
    cfg = config(name, **options)
    said = ask(cfg, tree or params(name), flow, t_B, ids, spare=True)
    eps = np.asarray(paths.eps_from_velocity(flow[:, 0], said[..., : cfg.channels], t_B))
    return np.concatenate([eps, said[..., cfg.channels :]], axis=-1).transpose(0, 3, 1, 2)


def difference(ours: np.ndarray, exact: np.ndarray) -> float:
    assert ours.shape == exact.shape
    return float(np.abs(ours - exact).max() / np.abs(exact).max())


@pytest.mark.parametrize("name", SHAPES)
def test_the_network_says_the_same(name: str) -> None:
    """As published, and as diffusers computes it."""
    assert difference(noise(name), golden(name)["outputs/noise"]) < 1e-5
    if name != "wide":
        assert difference(noise(name, as_diffusers=True), golden(name)["outputs/diffusers"]) < 1e-5


@pytest.mark.parametrize("name", SHAPES)
def test_every_block_says_the_same(name: str) -> None:
    x, steps, ids = given(name)
    t_B = np.float32(step_times(1000)[steps])
    wide = t_B[:, None, None, None, None]
    rows = lay_out(x * np.sqrt((1 - wide) ** 2 + wide**2), config(name).patch)
    tree = params(name)
    text, real = apply(LabelTable(labels(name)), tree["text"], ids)
    for block in range(config(name).layers):
        model = DiT(config(name), functools.partial(attention.dense, dtype="float32"), read_block=block + 1)
        run = jax.jit(functools.partial(apply_to_rows, model))
        features = run(tree["dit"], rows, t_B[:, None], text[:, None], real[:, None]).features_BLD
        assert difference(np.asarray(features), golden(name)[f"outputs/block{block}"]) < 1e-5


@pytest.mark.parametrize("name", ["plain", "odd"])
def test_sit_says_the_way_to_the_data(name: str) -> None:
    """Its time is the share of the data, and its second half is left aside."""
    x, _, ids = given(name)
    shares, cfg = golden(name)["inputs/shares"], config(name, SIT_XL_2)
    v = ask(cfg, params(name), x, 1 - shares, ids)
    exact = golden(name)["outputs/sit"][:, : cfg.channels]
    assert difference(-v.transpose(0, 3, 1, 2), exact) < 1e-5


def test_bfloat16_is_as_near_as_bfloat16_is() -> None:
    exact, low = golden("plain")["outputs/noise"], golden("plain")["outputs/noise_bfloat16"]
    assert difference(noise("plain", dtype="bfloat16"), exact) < 1.5 * difference(low, exact) < 0.1


@pytest.mark.parametrize("name", ["plain", "odd"])
def test_both_layouts_are_read_and_written_with_the_same_bytes(name: str, tmp_path) -> None:
    for table, tensors in ((dit.original, original(name)), (dit.diffusers, theirs(name))):
        read = loaded(tensors, table(config(name)), name)
        for key, value in trees.flatten_names(read).items():
            np.testing.assert_array_equal(value, trees.flatten_names(params(name))[key])
        keymap.save(tmp_path / table.__name__, read, table(config(name)))
        again = Weights(tmp_path / table.__name__)
        assert set(again.tensors) == set(tensors)
        for key, value in tensors.items():
            assert again.read(key).tobytes() == value.tobytes(), key


def test_tensors_that_are_not_what_they_must_be_are_named() -> None:
    tensors = original("odd")
    tensors["pos_embed"] = tensors["pos_embed"] + np.float32(0.1)
    with pytest.raises(ValueError, match=r"pos_embed should be what the network computes and differs from it by 0\.1"):
        loaded(tensors, dit.original(config("odd")), "odd")
    tensors = theirs("odd")
    tensors["transformer_blocks.1.norm1.emb.timestep_embedder.linear_2.bias"] = np.ones(24, np.float32)
    with pytest.raises(ValueError, match=r"blocks.1.norm1.*linear_2.bias should be .*blocks.0.norm1"):
        loaded(tensors, dit.diffusers(config("odd")), "odd")


def test_eight_devices_say_the_same() -> None:
    name, cfg = "wide", config("wide")
    mesh = make_mesh(MeshConfig(fsdp=2, sequence=2, tensor=2))
    parallel = make_parallel(mesh, "float32")
    x, steps, ids = given(name)
    t_B = np.float32(step_times(1000)[steps])
    flow = x * np.sqrt((1 - t_B) ** 2 + t_B**2)[:, None, None, None, None]
    placed = jax.device_put(params(name), parameter_shardings(params(name), mesh))
    divided = [leaf for leaf in jax.tree.leaves(placed) if leaf.addressable_shards[0].data.size < leaf.size]
    assert len(divided) > 10
    model = DiT(cfg, parallel.attn_fn, parallel.cross_attn_fn, parallel.shard)

    @jax.jit
    def run(tree: dict) -> jax.Array:
        text, real = apply(LabelTable(labels(name), parallel.shard), tree["text"], ids)
        options = {"multiple": parallel.multiple, "spare": True}
        return apply_to_grid(model, tree["dit"], jnp.asarray(flow), t_B, text[:, None], real[:, None], **options)

    with jax.set_mesh(mesh):
        said = np.asarray(run(placed))[:, 0]
    eps = np.asarray(paths.eps_from_velocity(flow[:, 0], said[..., :4], t_B))
    whole = np.concatenate([eps, said[..., 4:]], axis=-1).transpose(0, 3, 1, 2)
    assert difference(whole, golden(name)["outputs/noise"]) < 1e-5


def test_the_full_size_is_accounted_for() -> None:
    """The original counts 675,129,632, with the fixed positions."""
    full = {"dit": dit_shapes(DIT_XL_2), "text": text_shapes(IMAGENET)}
    wanted = keymap.places(dit.original(DIT_XL_2), full)
    counts = {name: int(np.prod(place.shape)) for name, place in wanted.items()}
    assert counts["pos_embed"] == 256 * 1152
    assert sum(counts.values()) == trees.count(full) + 256 * 1152 == 675_129_632
    assert wanted["blocks.27.attn.qkv.weight"].shape == (3456, 1152)
    assert wanted["y_embedder.embedding_table.weight"].shape == (1001, 1152)
    assert wanted["final_layer.linear.weight"].shape == (32, 1152)
    assert len(keymap.places(dit.diffusers(DIT_XL_2), full)) == 6 + 28 * 19
    with pytest.raises(ValueError, match="text_width is 8 and must be the width"):
        dataclasses.replace(DIT_XL_2, text_width=8)
