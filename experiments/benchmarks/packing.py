# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Tokens of clips that a training step gets through in a second: packed rows, padding to the largest size, and batches
of one size each in turn.

    GLIBC_TUNABLES=glibc.malloc.hugetlb=1 python experiments/benchmarks/packing.py

The transformer, its loss and the mix of clips and pictures are those of one_model/shapes.py, by which the model that
ships was trained; captions are the scenes' own, latents are noise. Padding is the same machinery with room for one clip
a row, as long as the largest. All take turns in one run.
"""

import dataclasses
import time
from collections.abc import Iterator
from pathlib import Path

import jax
import numpy as np
import tyro
from rich.console import Console
from rich.table import Table

from vidgen.config import load_experiment
from vidgen.data.packing import PackingConfig
from vidgen.data.pipeline import CAPTIONS_PER_CLIP
from vidgen.models.vae import VAEConfig
from vidgen.parallel.mesh import MeshConfig, make_mesh
from vidgen.sample.program import Networks
from vidgen.train import dit, state
from vidgen.train.dit import DiTTraining
from vidgen.train.flow import Objective, dit_loss
from vidgen.train.optim import OptimConfig, make_optimizer
from vidgen.train.streams import Streams
from vidgen.worlds.captions import caption
from vidgen.worlds.holdout import AnyScenes

EXPERIMENT = Path(__file__).parents[1] / "one_model" / "shapes.py"
CAPTIONED = 64
"""Scenes of each stream whose captions are taken."""


@dataclasses.dataclass(frozen=True)
class Options:
    """steps: of each way that are timed, those that compile apart. rows, tokens, clips, text: of packed batches."""

    steps: int = 24
    rows: int = 4
    tokens: int = 640
    clips: int = 16
    text: int = 320


class Noise:
    """Clips of random latents, with captions of scenes."""

    def __init__(self, shape: tuple[int, int, int, int], scenes: AnyScenes) -> None:
        self.latent = np.random.default_rng(0).normal(size=shape).astype(np.float16)
        drawn = [scenes.draw(number) for number in range(CAPTIONED)]
        self.captions = [tuple(caption(scene, k) for k in range(CAPTIONS_PER_CLIP)) for scene in drawn]

    def __len__(self) -> int:
        return 4096

    def __getitem__(self, index: int) -> dict:
        return {"latent": self.latent, "captions": self.captions[index % CAPTIONED]}


def ways(options: Options, streams: Streams) -> dict[str, PackingConfig]:
    """How rows are filled; about as many tokens of clips a step."""
    largest = max(size.tokens for size in streams.sizes)
    mean = options.rows * options.tokens / np.mean([size.tokens for size in streams.sizes])
    return {
        "packed": PackingConfig(options.rows, options.tokens, options.clips, options.text),
        "padded to the largest": PackingConfig(
            round(mean), largest, 1, streams.text_length + streams.start, 64 * round(mean)
        ),
        "one size a batch": PackingConfig(),
    }


def batches(streams: Streams) -> Iterator[dict[str, np.ndarray]]:
    """Endless batches of the mix."""
    items = [Noise(streams.latent_shape(one), one.scenes) for one in streams.data]
    return iter(streams.batches(items, 0, make_mesh(MeshConfig())))  # pyright: ignore[reportArgumentType]


def held(batch: dict[str, np.ndarray]) -> tuple[int, int]:
    """(tokens of clips, tokens in all) of a batch."""
    if "segments_BL" in batch:
        return int((batch["segments_BL"] > 0).sum()), batch["segments_BL"].size
    cells = int(np.prod(batch["latent_BTHWC"].shape[:4]))
    return cells, cells


def main(options: Options) -> None:
    """Prints a row a way, and how many times as fast packed rows are."""
    experiment: DiTTraining = load_experiment(EXPERIMENT)
    networks = Networks(VAEConfig(), experiment.text, experiment.model)
    params = dit.init_params(networks, "", jax.random.key(0))
    optimizer = make_optimizer(OptimConfig(), 1000, params)
    loss = lambda params, batch, key: dit_loss(networks, Objective(), params, batch, key)  # noqa: E731
    step = jax.jit(state.make_step(loss, optimizer, 0.999, seed=0), donate_argnums=0)
    mix = Streams(experiment.data, PackingConfig(), VAEConfig(), networks.dit.patch)
    packings = ways(options, mix)
    sources = {name: batches(dataclasses.replace(mix, packing=way)) for name, way in packings.items()}
    trained = state.create(params, optimizer)
    timed: dict[str, list[tuple[float, int, int]]] = {name: [] for name in packings}
    compiled = set()
    while any(len(steps) < options.steps for steps in timed.values()):
        for name, source in sources.items():
            batch = next(source)
            shape = tuple(x.shape for x in batch.values())
            start = time.perf_counter()
            trained, metrics = step(trained, batch)
            jax.block_until_ready((trained, metrics))
            if shape in compiled:
                timed[name].append((time.perf_counter() - start, *held(batch)))
            compiled.add(shape)
    table = Table("rows", "filled", "seconds a step", "tokens of clips a second")
    rates = {}
    for name, steps in timed.items():
        seconds, clips, everything = (sum(column) for column in zip(*steps, strict=True))
        rates[name] = clips / seconds
        table.add_row(name, f"{100 * clips / everything:.1f} %", f"{seconds / len(steps):.2f}", f"{rates[name]:,.0f}")
    Console().print(table)
    for name in list(rates)[1:]:
        print(f"packed / {name}: {rates['packed'] / rates[name]:.2f}")


if __name__ == "__main__":
    main(tyro.cli(Options, description=__doc__))
