# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""What weights in 8 bits cost: of random networks the error of what they say, of the shipped model that of its clips.

    python experiments/benchmarks/int8_error.py

Compared is with float32; bfloat16's own error stands beside it. Of random networks the figure is the root mean square
of the difference over that of the output; of clips, made from the same noise, the ratio of signal to noise of pixels
(PSNR) in dB. Takes about two minutes.
"""

import dataclasses
import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import tyro
from rich.console import Console
from rich.table import Table

from vidgen import trees
from vidgen.models.dit import DiT
from vidgen.models.layers import apply
from vidgen.models.presets import DIT_XL_2, UMT5_XXL, WAN_1_3B
from vidgen.models.rows import apply_to_grid
from vidgen.models.text import TextEncoder
from vidgen.parallel import attention
from vidgen.sample.pipeline import load_pipeline
from vidgen.weights import int8
from vidgen.weights.shapes import dit_shapes, text_shapes

WAN = dataclasses.replace(WAN_1_3B, width=384, layers=8, heads=3, hidden=2240, text_width=256)
DIT = dataclasses.replace(DIT_XL_2, width=384, layers=12, heads=6, hidden=1536, text_width=384)
TEXT = dataclasses.replace(UMT5_XXL, vocabulary=1000, width=512, layers=8, heads=8, hidden=1280)


@dataclasses.dataclass(frozen=True)
class Options:
    """What is made of the shipped model."""

    prompts: tuple[str, ...] = (
        "a red apple moves to the right", "a dog and a cat", "a rocket above the moon", "two cars side by side"
    )  # fmt: skip
    frames: int = 17


def drawn(shapes: Any, seed: int) -> Any:
    """Parameters that keep the size of what passes through them."""
    rng = np.random.default_rng(seed)

    def one(name: str, x: Any) -> np.ndarray:
        values = rng.standard_normal(x.shape, np.float32) * np.float32(max(x.shape[-2:][0], 16) ** -0.5)
        if name.startswith("block") and name.endswith("/q/kernel") and not name.startswith("blocks/"):
            values /= 8  # UMT5 does not scale its scores; its queries are trained to be small
        return values + 1 if name.endswith("scale") else values

    return trees.unflatten({name: one(name, x) for name, x in trees.flatten_names(shapes).items()})


def network(name: str, dtype: str, params: Any) -> np.ndarray:
    """What a network says of the same input."""
    rng = np.random.default_rng(0)
    dense = functools.partial(attention.dense, dtype=dtype)
    if name == "UMT5":
        ids = jnp.asarray(rng.integers(2, TEXT.vocabulary, (2, 64)))
        encoder = TextEncoder(dataclasses.replace(TEXT, dtype=dtype))
        return np.asarray(jax.jit(lambda p: apply(encoder, p, ids)[0])(params))
    config = WAN if name == "Wan" else DIT
    x = rng.normal(size=(1, 3 if name == "Wan" else 1, 16, 16, config.channels)).astype(np.float32)
    text = rng.normal(size=(1, 1, 32 if name == "Wan" else 1, config.text_width)).astype(np.float32)
    dit = DiT(dataclasses.replace(config, dtype=dtype), dense)
    run = jax.jit(functools.partial(apply_to_grid, dit))
    return np.asarray(run(params, x, np.float32([0.5]), text, np.ones(text.shape[:3], bool)))


def of_networks() -> Table:
    """Random ones."""
    table = Table("random network", "parameters", "int8, bfloat16", "int8, float32", "bfloat16")
    for name, shapes in (("Wan", dit_shapes(WAN)), ("DiT", dit_shapes(DIT)), ("UMT5", text_shapes(TEXT))):
        params = drawn(shapes, 0)
        small, exact = int8.quantise(params), network(name, "float32", params)
        said = (network(name, "bfloat16", small), network(name, "float32", small), network(name, "bfloat16", params))
        errors = [np.sqrt(np.mean((one - exact) ** 2) / np.mean(exact**2)) for one in said]
        table.add_row(name, f"{trees.count(shapes):,}", *(f"{error:.1e}" for error in errors))
    return table


def of_the_model(options: Options) -> Table:
    """The one that ships, whose text encoder, transformer and VAE are trained."""
    model = load_pipeline()
    size = {"frames": options.frames, "width": model.card["size"][0], "height": model.card["size"][1]}

    def made(dtype: str, params: Any) -> np.ndarray:
        networks = model.networks
        parts = {part: dataclasses.replace(getattr(networks, part), dtype=dtype) for part in ("dit", "text", "vae")}
        one = dataclasses.replace(model, networks=dataclasses.replace(networks, **parts), params=params)
        return one.generate(options.prompts, **size).astype(np.float64)

    small = int8.quantise(model.params)
    exact = made("float32", model.params)
    rows = {
        "int8, bfloat16": made("bfloat16", small),
        "int8, float32": made("float32", small),
        "bfloat16": made("bfloat16", model.params),
    }
    table = Table("the shipped model's clips", "PSNR to float32, dB, each prompt", "mean")
    for name, clips in rows.items():
        each = 10 * np.log10(255**2 / np.maximum(((clips - exact) ** 2).mean((1, 2, 3, 4)), 1e-3))
        table.add_row(name, "  ".join(f"{one:.1f}" for one in each), f"{each.mean():.1f}")
    other = 10 * np.log10(255**2 / ((exact - exact[::-1]) ** 2).mean())
    table.add_row("another prompt's clip", "", f"{other:.1f}")
    return table


def main(options: Options) -> None:
    console = Console(width=110)
    console.print(of_networks())
    console.print(of_the_model(options))


if __name__ == "__main__":
    main(tyro.cli(Options))
