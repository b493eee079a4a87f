# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Low-rank adaptation (LoRA, arXiv 2106.09685): a matrix W stays as it is, and W + (alpha / rank) A B is used.

A and B are trained in its place. They lie beside the kernel of a `Dense`, which adds their product to what it says, so
that W is never copied; merged into W they cost nothing.
"""

import dataclasses
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from vidgen import config as vidgen_config
from vidgen import trees
from vidgen.weights.safetensors import load_params, save_params

KERNEL = "/kernel"


@dataclasses.dataclass(frozen=True)
class LoRAConfig:
    """Which matrices of a transformer are adapted, and how.

    Attributes:
        rank: of the product; 0 adapts nothing, and all parameters are trained.
        alpha: the product is weighed by alpha / rank, so that a learning rate serves several ranks.
        targets: regular expressions, each for whole paths of layers in the transformer, such as "blocks/self/q".
    """

    rank: int = 0
    alpha: float = 16.0
    targets: tuple[str, ...] = (r"blocks/(self|cross)/(q|k|v|out)",)

    def __post_init__(self) -> None:
        if self.rank < 0:
            raise ValueError(f"lora.rank is {self.rank}; it must be 0 (nothing is adapted) or more")

    @property
    def weight(self) -> float:
        """Of the product."""
        return self.alpha / max(self.rank, 1)


def init(config: LoRAConfig, params: Mapping[str, Any], key: Array) -> dict:
    """Random A of deviation 1 / sqrt(inputs) and B of zeros for each target: {path of the layer: {"a", "b"}}, nested.

    Args:
        params: of the transformer, or their shapes; kernels are [..., inputs, outputs].

    Raises:
        ValueError: a target matches no layer.
    """
    kernels = {name.removesuffix(KERNEL): x for name, x in trees.flatten_names(params).items() if name.endswith(KERNEL)}
    for target in config.targets:
        if not any(re.fullmatch(target, layer) for layer in kernels):
            raise ValueError(f"lora.targets has {target!r}, which no layer matches; layers are {', '.join(kernels)}")
    factors: dict[str, Array] = {}
    for layer, kernel in kernels.items():
        if any(re.fullmatch(target, layer) for target in config.targets):
            *stack, inputs, outputs = kernel.shape
            a = jax.random.normal(trees.fold_in_str(key, layer), (*stack, inputs, config.rank)) * inputs**-0.5
            factors |= {f"{layer}/a": a, f"{layer}/b": jnp.zeros((*stack, config.rank, outputs))}
    return trees.unflatten(factors)


def attach(config: LoRAConfig, params: Mapping[str, Any], factors: Mapping[str, Any]) -> dict:
    """The transformer's parameters with A and B beside their kernels, as `vidgen.models.layers.Dense` takes them."""
    beside: dict[str, Array] = {}
    for name, x in trees.flatten_names(factors).items():
        layer, which = name.rsplit(trees.SEPARATOR, 1)
        beside[f"{layer}/lora_{which}"] = x * config.weight if which == "b" else x
    return trees.unflatten({**trees.flatten_names(params), **beside})


def merge(config: LoRAConfig, params: Mapping[str, Any], factors: Mapping[str, Any]) -> dict:
    """The transformer's parameters with the products added to their kernels; float32 sums, the kernels' own type.

    Raises:
        ValueError: the transformer lacks a layer that is adapted, or it is of another shape.
    """
    merged = trees.flatten_names(params)
    flat = trees.flatten_names(factors)
    for name in flat:
        if name.endswith("/a"):
            layer = name.removesuffix("/a")
            product = jnp.matmul(flat[name], flat[f"{layer}/b"], preferred_element_type=jnp.float32)
            kernel = merged.get(layer + KERNEL)
            if kernel is None or kernel.shape != product.shape:
                has = "none" if kernel is None else f"one of {kernel.shape}"
                raise ValueError(f"{layer} is adapted as a matrix of {product.shape} and the transformer has {has}")
            merged[layer + KERNEL] = (kernel + config.weight * product).astype(kernel.dtype)
    return trees.unflatten(merged)


def save(file: Path, config: LoRAConfig, factors: Mapping[str, Any]) -> None:
    """Writes A and B, float32, with their config."""
    save_params(file, dict(factors), "float32", {"lora_config": vidgen_config.to_json(config)})


def load(file: str | Path) -> tuple[LoRAConfig, dict]:
    """What `save` wrote.

    Raises:
        ValueError: the file holds something else.
    """
    factors, metadata = load_params(file)
    if "lora_config" not in metadata:
        raise ValueError(f"{file} holds no low-rank adaptation: it lacks its config")
    return vidgen_config.from_json(metadata["lora_config"]), factors
