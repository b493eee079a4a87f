# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Tokens of clips that a training step gets through in a second: packed rows against padding to the largest size.

    GLIBC_TUNABLES=glibc.malloc.hugetlb=1 python experiments/benchmarks/packing.py

The transformer and its loss are those of first_light/cells_clips.py; the mix has clips and pictures of several shapes.
Padding is the same machinery with room for one clip a row, as long as the largest. Both take turns in one run.
"""

import time
from collections.abc import Iterator
from pathlib import Path

import jax
import numpy as np
from rich.console import Console
from rich.table import Table

from vidgen.config import load_experiment
from vidgen.data.packing import PackingConfig
from vidgen.models.vae import VAEConfig
from vidgen.parallel.mesh import MeshConfig, make_mesh
from vidgen.sample.program import Networks
from vidgen.train import dit, state
from vidgen.train.flow import Objective, dit_loss
from vidgen.train.optim import OptimConfig, make_optimizer
from vidgen.train.streams import LatentData, Streams
from vidgen.worlds.scene import SceneConfig

REPEATS = 8
EXPERIMENT = Path(__file__).parents[1] / "first_light" / "cells_clips.py"
SHARES = {  # of the tokens: (width, height, frames)
    (64, 64, 17): 0.4, (96, 48, 17): 0.1, (48, 96, 9): 0.1, (64, 64, 9): 0.1, (64, 64, 1): 0.2, (96, 48, 1): 0.1,
}  # fmt: skip
WAYS = {
    "packed": PackingConfig(rows=4, tokens=768, clips=12, open_rows=64),
    "padded": PackingConfig(rows=8, tokens=360, clips=1, open_rows=64),
}


class Noise:
    """Clips of random latents, with one caption."""

    def __init__(self, shape: tuple[int, int, int, int]) -> None:
        self.latent = np.random.default_rng(0).normal(size=shape).astype(np.float16)

    def __len__(self) -> int:
        return 4096

    def __getitem__(self, _: int) -> dict:
        return {"latent": self.latent, "captions": ("a dog moves to the left in a green meadow",)}


def batches(packing: PackingConfig, patch: tuple[int, int, int]) -> Iterator[dict[str, np.ndarray]]:
    """Endless batches of the mix."""
    data = tuple(
        LatentData(f"{w}x{h}x{f}", SceneConfig(width=w, height=h, frames=f), 4096, 8, text_length=32, weight=share)
        for (w, h, f), share in SHARES.items()
    )
    streams = Streams(data, packing, VAEConfig(), patch)
    items = [Noise(streams.latent_shape(one)) for one in data]
    return iter(streams.batches(items, 0, make_mesh(MeshConfig())))  # pyright: ignore[reportArgumentType]


def main() -> None:
    experiment = load_experiment(EXPERIMENT)
    networks = Networks(VAEConfig(), experiment.text, experiment.model)
    params = dit.init_params(networks, "", jax.random.key(0))
    optimizer = make_optimizer(OptimConfig(), 1000, params)
    loss = lambda params, batch, key: dit_loss(networks, Objective(), params, batch, key)  # noqa: E731
    step = jax.jit(state.make_step(loss, optimizer, 0.999, seed=0), donate_argnums=0)
    runs = {name: [state.create(params, optimizer), batches(way, networks.dit.patch)] for name, way in WAYS.items()}
    seconds, tokens, filled = ({name: [] for name in WAYS} for _ in range(3))
    for turn in range(1 + REPEATS):
        for name, run in runs.items():
            batch = next(run[1])
            start = time.perf_counter()
            run[0], metrics = step(run[0], batch)
            jax.block_until_ready((run[0], metrics))
            if turn:  # the first compiles
                seconds[name].append(time.perf_counter() - start)
                tokens[name].append((batch["segments_BL"] > 0).sum())
                filled[name].append((batch["segments_BL"] > 0).mean())
    table = Table("rows", "", "filled", "seconds a step", "tokens of clips a second")
    rates = {name: sum(tokens[name]) / sum(seconds[name]) for name in WAYS}
    for name, way in WAYS.items():
        shape = f"{way.rows} of {way.tokens}"
        spent, fill = np.median(seconds[name]), np.mean(filled[name])
        table.add_row(name, shape, f"{100 * fill:.1f} %", f"{spent:.2f}", f"{rates[name]:,.0f}")
    Console().print(table)
    print(f"packed / padded: {rates['packed'] / rates['padded']:.2f}")


if __name__ == "__main__":
    main()
