# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Low-rank adaptation: merged it says the same, A and B alone are trained, and nothing else has moments."""

import dataclasses
import functools
import json
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from vidgen import train, trees
from vidgen.config import load_experiment
from vidgen.models.dit import DiT
from vidgen.models.rows import apply_to_grid
from vidgen.models.vae import VAE
from vidgen.parallel import attention
from vidgen.sample.autoencoder import Autoencoder, identity_space
from vidgen.sample.pipeline import load_params, save_model
from vidgen.sample.program import Networks
from vidgen.sample.sampler import SampleConfig
from vidgen.train import lora
from vidgen.train import state as train_state
from vidgen.train.card import run_card
from vidgen.train.dit import init_params
from vidgen.train.loop import LoopConfig
from vidgen.train.lora import LoRAConfig
from vidgen.train.optim import OptimConfig

TINY = load_experiment(Path(__file__).with_name("tiny_dit.py"))
NETWORKS = Networks(TINY.vae_config, TINY.text, dataclasses.replace(TINY.model, dtype="float32"))
CONFIG = LoRAConfig(rank=3, alpha=6.0, targets=(r"blocks/(self|cross)/(q|k|v|out)", r"blocks/(up|down)", "modulation"))


@functools.cache
def random_params() -> dict:
    """Random values everywhere: layers that start at zero would hide what they are fed."""
    shapes = jax.eval_shape(functools.partial(init_params, NETWORKS, ""), jax.random.key(0))
    rng = np.random.default_rng(1)
    return jax.tree.map(lambda leaf: jnp.asarray(0.2 * rng.normal(size=leaf.shape), jnp.float32), shapes)


def random_factors() -> dict:
    factors = lora.init(CONFIG, random_params()["dit"], jax.random.key(2))
    return jax.tree.map(lambda x: x + 0.1 * jax.random.normal(jax.random.key(x.size), x.shape), factors)


def test_merged_it_says_the_same() -> None:
    dit = DiT(NETWORKS.dit, functools.partial(attention.dense, dtype="float32"))
    rng = np.random.default_rng(0)
    x, text = rng.normal(size=(2, 2, 4, 4, 4)), rng.normal(size=(2, 1, 5, 8))
    says = jax.jit(lambda p: apply_to_grid(dit, p, jnp.float32(x), jnp.array([0.3, 0.8]), jnp.float32(text),
                                           jnp.ones((2, 1, 5), bool)))  # fmt: skip
    params, factors = random_params()["dit"], random_factors()
    plain, beside, merged = (
        says(p) for p in (params, lora.attach(CONFIG, params, factors), lora.merge(CONFIG, params, factors))
    )
    scale = float(jnp.abs(merged).max())
    np.testing.assert_allclose(beside, merged, atol=1e-5 * scale)
    assert jnp.abs(merged - plain).max() > 0.01 * scale


def test_at_first_nothing_is_changed() -> None:
    params = random_params()["dit"]
    factors = lora.init(CONFIG, params, jax.random.key(2))
    merged = lora.merge(CONFIG, params, factors)
    jax.tree.map(np.testing.assert_array_equal, merged, params)
    layers = {name.rsplit("/", 1)[0] for name in trees.flatten_names(factors)}
    assert {"blocks/self/q", "blocks/cross/out", "blocks/up", "blocks/down", "modulation"} <= layers
    assert len(layers) == 11 and factors["blocks"]["up"]["a"].shape == (2, 64, 3)


def test_a_target_that_is_nowhere_is_named() -> None:
    with pytest.raises(ValueError, match=r"'blocks/self/w', which no layer matches; layers are .*blocks/self/q"):
        lora.init(LoRAConfig(2, targets=("blocks/self/w",)), random_params()["dit"], jax.random.key(0))
    with pytest.raises(ValueError, match="must be 0"):
        LoRAConfig(-1)


@pytest.fixture(scope="module")
def start(tmp_path_factory) -> tuple[Path, Path]:
    """Files of a VAE and of a model."""
    folder = tmp_path_factory.mktemp("start")
    config = NETWORKS.vae
    params = VAE(config).init(jax.random.key(0), jnp.zeros((1, 5, 16, 16, 3)), jax.random.key(1))["params"]
    Autoencoder(config, params, identity_space(4)).save(folder / "vae.safetensors")
    save_model(folder, NETWORKS, random_params(), 7)
    run_card("before", TINY.streams(config), {}, ()).save(folder)
    card = json.loads((folder / "card.json").read_text()) | {"concepts": [{"name": "snail", "synonyms": []}]}
    card["sampler"] = {"guidance": 2.0}
    (folder / "card.json").write_text(json.dumps(card))
    return folder / "vae.safetensors", folder / "dit.safetensors"


def test_a_run_trains_a_and_b_alone(start, tmp_path: Path) -> None:
    vae, model = start
    experiment = dataclasses.replace(
        TINY,
        vae=str(vae),
        start_from=str(model),
        data=TINY.data[:1],
        lora=CONFIG,
        sample=SampleConfig(),
        optim=OptimConfig(lr=1e-2, warmup=1),
        loop=LoopConfig(steps=2, log_every=1, eval_every=0, save_every=1),
    )
    train.run(experiment, tmp_path)
    before, _ = load_params(model)
    after, _ = load_params(tmp_path / "model" / "dit.safetensors")
    card = json.loads((tmp_path / "model" / "card.json").read_text())
    assert card["concepts"][0] == {"name": "snail", "synonyms": []}
    assert card["sampler"] == {"guidance": 2.0}  # as that of before, since the experiment says nothing
    config, factors = lora.load(tmp_path / "model" / "lora.safetensors")
    assert config == CONFIG and all(np.any(x) for x in jax.tree.leaves(factors))
    merged = lora.merge(config, jax.tree.map(jnp.asarray, before["dit"]), factors)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-3), after["dit"], merged)
    jax.tree.map(np.testing.assert_array_equal, after["text"], before["text"])
    assert np.any(after["dit"]["blocks"]["up"]["kernel"] != before["dit"]["blocks"]["up"]["kernel"])
    np.testing.assert_array_equal(after["dit"]["out"]["kernel"], before["dit"]["out"]["kernel"])
    with pytest.raises(ValueError, match="start_from is empty"):
        dataclasses.replace(experiment, start_from="").task(tmp_path / "other")


def test_what_stays_has_neither_moments_nor_average(start, tmp_path: Path) -> None:
    vae, model = start
    whole = dataclasses.replace(TINY, vae=str(vae), start_from=str(model), data=TINY.data[:1])
    sizes = {}
    for name, experiment in (("whole", whole), ("adapted", dataclasses.replace(whole, lora=CONFIG))):
        task = experiment.task(tmp_path)
        params = jax.eval_shape(task.init, jax.random.key(0))
        optimizer = task.make_optimizer(train_state.trained(params, task.frozen), 10)
        state = jax.eval_shape(lambda p, o=optimizer, f=task.frozen: train_state.create(p, o, f), params)
        sizes[name] = trees.count(state.opt_state), trees.count(state.ema), trees.count(state.params)
    factors = trees.count(random_factors())
    assert sizes["adapted"][2] - sizes["whole"][2] == sizes["adapted"][1] == factors
    assert 2 * factors <= sizes["adapted"][0] < 2 * factors + 8 < 0.5 * sizes["whole"][0]
