# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""A training step's FLOP/s as a share of the float32 matmul rate, both measured in this run on this machine.

    GLIBC_TUNABLES=glibc.malloc.hugetlb=1 python experiments/benchmarks/train_step.py

The transformer, its batches and its loss are those of first_light/cells_clips.py, with a text encoder that learns too.
The variable lets glibc back large arrays by huge pages; without it, page faults take a quarter of a step on CPU.
"""

import dataclasses
import functools
import itertools
import time
from pathlib import Path

import jax
import numpy as np
from rich.console import Console
from rich.table import Table

from vidgen.config import load_experiment
from vidgen.models.vae import VAE, VAEConfig
from vidgen.sample.program import Networks
from vidgen.train import dit, state, vae
from vidgen.train.cells import init_reader
from vidgen.train.flow import Objective, dit_loss
from vidgen.train.log import peak_flops
from vidgen.train.optim import OptimConfig, make_optimizer

REPEATS = 5
EXPERIMENT = Path(__file__).parents[1] / "first_light" / "cells_clips.py"


def seconds_a_step(loss_fn, params: dict, batch: dict[str, np.ndarray]) -> float:
    """Median of a few steps, optimiser and average included."""
    optimizer = make_optimizer(OptimConfig(), 1000, params)
    train_state = state.create(params, optimizer)
    step = jax.jit(state.make_step(loss_fn, optimizer, 0.999, seed=0), donate_argnums=0)
    train_state, _ = step(train_state, batch)
    spent = []
    for _ in range(REPEATS):
        jax.block_until_ready(train_state)
        start = time.perf_counter()
        train_state, metrics = step(train_state, batch)
        jax.block_until_ready((train_state, metrics))
        spent.append(time.perf_counter() - start)
    return float(np.median(spent))


def main() -> None:
    rng = np.random.default_rng(0)
    experiment = load_experiment(EXPERIMENT)
    networks = Networks(VAEConfig(), experiment.text, experiment.model)
    objective = Objective(caption_dropout=0.1, alignment=experiment.alignment)
    table = Table("step", "batch", "seconds", "GFLOP/s", "of float32 matmul")
    peak, _ = peak_flops()
    rows = []
    for data, unroll in itertools.product(experiment.data, (1, experiment.model.layers)):
        model = dataclasses.replace(networks.dit, unroll=unroll)
        name, B, T = f"DiT, {data.name}", data.batch_size, networks.vae.latent_shape(data.scenes.frames, 64, 64)[0]
        batch = {
            "latent_BTHWC": rng.normal(size=(B, T, 8, 8, 32)).astype(np.float16),
            "text_BS": rng.integers(1, 2048, (B, data.text_length)).astype(np.int32),
            "cells_BTHW": rng.integers(-1, 100, (B, T, 8, 8)).astype(np.int16),
            "places_BTHW4": rng.normal(size=(B, T, 8, 8, 4)).astype(np.float16),
        }
        params = dit.init_params(networks, "", jax.random.key(0))
        loss = functools.partial(dit_loss, dataclasses.replace(networks, dit=model), objective)
        reader = init_reader(experiment.alignment, model, jax.random.key(1))
        spent = seconds_a_step(loss, {**params, "cells": reader}, batch)
        name += ", blocks unrolled" if unroll > 1 else ""
        rows.append((name, B, spent, dit.step_flops(networks, batch["latent_BTHWC"].shape, data.text_length)))
    video = rng.integers(0, 256, (8, 17, 64, 64, 3), np.uint8)
    model = VAE(networks.vae)
    params = model.init(jax.random.key(0), np.zeros((1, 17, 64, 64, 3), np.float32), jax.random.key(1))["params"]
    spent = seconds_a_step(
        lambda params, batch, key: vae.vae_loss(model, vae.VAELossConfig(), params, batch["video_BFHWC"], key),
        params,
        {"video_BFHWC": video},
    )
    rows.append(("VAE, clips", 8, spent, vae.step_flops(networks.vae, video.shape)))
    for name, B, spent, flops in rows:
        table.add_row(name, str(B), f"{spent:.3f}", f"{flops / spent / 1e9:.0f}", f"{flops / spent / peak:.2f}")
    Console().print(f"float32 matmul of 2048 x 2048: {peak / 1e9:.0f} GFLOP/s", table)


if __name__ == "__main__":
    main()
