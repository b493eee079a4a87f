# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Every parameter of every network has exactly one rule, and what an axis does not divide is said or kept whole."""

import functools
import re

import jax
import jax.numpy as jnp
import pytest
from jax.sharding import PartitionSpec as P

from vidgen import trees
from vidgen.models.captioner import CaptionerConfig, init_captioner
from vidgen.models.classifier import ClassifierConfig, FrameNet
from vidgen.models.dit import DiTConfig
from vidgen.models.picture_vae import PictureVAEConfig
from vidgen.models.presets import DIT_XL_2, IMAGENET
from vidgen.models.reader import CaptionReader, CellReader, ReaderConfig
from vidgen.models.text import TextConfig
from vidgen.models.vae import VAE, Stage, VAEConfig
from vidgen.models.wan_vae import WanVAEConfig
from vidgen.parallel.rules import ACTIVATIONS, RULES, SMALL, Rule, activation_spec, parameter_spec
from vidgen.sample.autoencoder import vae_shapes
from vidgen.sample.program import Networks
from vidgen.train import lora
from vidgen.train.dit import init_params
from vidgen.train.lora import LoRAConfig
from vidgen.typing import DIMENSIONS
from vidgen.weights import int8
from vidgen.weights.shapes import dit_shapes, text_shapes

FINE, COARSE = Stage(2, 8, 4, 16, 1), Stage(4, 16, 8, 32, 2)
VAE_CONFIG = VAEConfig(channels=3, encoder=(FINE, COARSE), decoder=(COARSE, FINE))
EIGHT = {"data": 1, "guidance": 1, "fsdp": 2, "sequence": 1, "tensor": 4}


@functools.cache
def shapes() -> dict[str, tuple[int, ...]]:
    """Paths and shapes of all our networks, as they are trained and as they are sampled."""
    networks = Networks(VAE_CONFIG, TextConfig(), DiTConfig(pooled_text=True))
    key = jax.random.key(0)
    vae = jax.eval_shape(lambda k: VAE(VAE_CONFIG).init(k, jnp.zeros((1, 5, 8, 8, 3)), k), key)["params"]
    dit = jax.eval_shape(lambda k: init_params(networks, "", k), key)
    reader = CaptionReader(ReaderConfig(TextConfig(), concepts=3, settings=2, attributes=4))
    ids = jnp.zeros((1, 4), jnp.int32)
    heads = jax.eval_shape(lambda k: reader.init(k, ids, ids), key)["params"]
    heads["cells"] = jax.eval_shape(CellReader(3).init, key, jnp.zeros((1, 1, 1, 1, 8)))["params"]
    heads["captioner"] = jax.eval_shape(lambda k: init_captioner(CaptionerConfig(), k), key)
    heads["lora"] = jax.eval_shape(lambda k: lora.init(LoRAConfig(2), dit["dit"], k), key)
    frames = FrameNet(ClassifierConfig(("bomb",)))
    heads["frames"] = jax.eval_shape(frames.init, key, jnp.zeros((1, 64, 64, 3)))["params"]
    ours = {name: x.shape for name, x in trees.flatten_names({**vae, "vae": vae, **dit, **heads}).items()}
    small = trees.flatten_names(int8.quantised_shapes({"dit": dit["dit"], "text": dit["text"]}))
    scales = {name: x.shape for name, x in small.items() if name.endswith(int8.SCALE)}
    return {**class_shapes(), **ours, **scales, **wan_shapes()}


@functools.cache
def class_shapes() -> dict[str, tuple[int, ...]]:
    """Those of DiT and its table of classes."""
    tree = {"dit": dit_shapes(DIT_XL_2), "text": text_shapes(IMAGENET)}
    return {name: x.shape for name, x in trees.flatten_names(tree).items()}


@functools.cache
def wan_shapes() -> dict[str, tuple[int, ...]]:
    """Those of the convolutional VAEs, which are whole on every device."""
    found = [trees.flatten_names({"vae": vae_shapes(config)}) for config in (WanVAEConfig(), PictureVAEConfig())]
    return {name: x.shape for one in found for name, x in one.items()}


def test_every_path_has_exactly_one_rule_and_every_rule_a_path() -> None:
    counts = {name: sum(bool(re.fullmatch(rule.pattern, name)) for rule in RULES) for name in shapes()}
    assert {name: n for name, n in counts.items() if n != 1} == {}
    unused = [rule.pattern for rule in RULES if not any(re.fullmatch(rule.pattern, name) for name in shapes())]
    assert unused == []


def test_matrices_are_divided_both_ways_and_their_layers_are_not() -> None:
    specs = {name: parameter_spec(name, shape, EIGHT) for name, shape in shapes().items()}
    assert specs["dit/blocks/up/kernel"] == P(None, "fsdp", "tensor")
    assert specs["dit/blocks/down/kernel"] == P(None, "tensor", "fsdp")
    assert specs["dit/blocks/self/q/kernel"] == P(None, "fsdp", "tensor")
    assert parameter_spec("dit/blocks/modulation/kernel", (28, 1152, 6912), EIGHT) == P(None, "fsdp", "tensor")
    assert parameter_spec("text/labels", (1001, 1152), EIGHT) == P(None, "fsdp")
    assert specs["vae/encoder/block1_1/up/kernel"] == specs["encoder/block1_1/up/kernel"] == P("fsdp", "tensor")
    ours = [spec for name, spec in specs.items() if name not in wan_shapes()]
    kept_whole = sum(jax.tree.leaves([a is None for a in spec]) == [True] * len(spec) for spec in ours)
    assert kept_whole < len(ours) / 2


def test_an_unknown_path_or_two_rules_name_the_path() -> None:
    with pytest.raises(ValueError, match="no sharding rule matches the parameter 'dit/blocks/new/kernel'"):
        parameter_spec("dit/blocks/new/kernel", (2, 4, 4), EIGHT)
    twice = (*RULES, Rule(r"dit/blocks/up/.*", ("fsdp",)))
    with pytest.raises(ValueError, match="2 sharding rules match the parameter 'dit/blocks/up/bias'"):
        parameter_spec("dit/blocks/up/bias", (2, 4), EIGHT, twice)


def test_what_does_not_divide_is_whole_if_small_and_an_error_if_large() -> None:
    assert parameter_spec("dit/blocks/up/kernel", (2, 6, 10), EIGHT) == P(None, "fsdp", None)
    with pytest.raises(ValueError, match=r"cannot be divided 4 ways over 'tensor' along a dimension of 1001"):
        parameter_spec("dit/blocks/up/kernel", (1, SMALL, 1001), EIGHT)


def test_activations_follow_the_dimension_key() -> None:
    assert set(ACTIVATIONS) <= set(DIMENSIONS)
    mesh = {"data": 2, "guidance": 1, "fsdp": 2, "sequence": 2, "tensor": 2}
    assert activation_spec("BLNK", (8, 6, 4, 3), mesh) == P(("data", "fsdp"), "sequence", "tensor", None)
    assert activation_spec("BE6D", (8, 6, 6, 4), mesh) == P(("data", "fsdp"), None, None, None)
    assert activation_spec("BLD", (2, 5, 4), mesh) == P("data", None, None)
    assert activation_spec("BLD", (1, 6, 4), mesh) == P(None, "sequence", None)
    assert activation_spec("BLD", (8, 6, 4), {**mesh, "data": 1, "sequence": 1}) == P("fsdp", None, None)
    halves = {**mesh, "guidance": 2}
    assert activation_spec("BLD", (8, 6, 4), halves) == P(("guidance", "data", "fsdp"), "sequence", None)
    assert activation_spec("BLD", (2, 6, 4), halves) == P("guidance", "sequence", None)
    assert activation_spec("BTHWD", (1, 6, 4, 4, 4), mesh) == P(None, "sequence", None, None, None)  # once, if at all
    assert activation_spec("BTHWD", (1, 5, 4, 4, 4), mesh) == P(None, None, "sequence", None, None)
    with pytest.raises(ValueError, match="'BLD' were given for an array of shape"):
        activation_spec("BLD", (1, 2), mesh)
