# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The transformer's loss: rectified flow on the parts of clips that are to be made, from captions."""

import dataclasses
from collections.abc import Mapping

import jax
import jax.numpy as jnp
from jax import Array

from vidgen import trees
from vidgen.diffusion import loss as flow
from vidgen.diffusion import paths, times
from vidgen.diffusion.times import TimeConfig
from vidgen.models.dit import DiT, apply_to_grid
from vidgen.models.layers import apply
from vidgen.models.text import TextEncoder
from vidgen.parallel.shard import Parallel, one_device
from vidgen.sample.pipeline import Networks
from vidgen.train.cells import AlignmentConfig, cell_loss
from vidgen.train.tasks import TaskMix, draw_made


@dataclasses.dataclass(frozen=True)
class Objective:
    """What is asked of the transformer.

    Attributes:
        time: how noisy clips are.
        shifts: further shifts of the times, by the number of latent frames.
        caption_dropout: share of captions replaced by the empty one.
        tasks: which parts of clips are given.
        alignment: what it is taught beside the flow.
    """

    time: TimeConfig = TimeConfig()
    shifts: Mapping[int, float] = dataclasses.field(default_factory=dict)
    caption_dropout: float = 0.0
    tasks: TaskMix = TaskMix()
    alignment: AlignmentConfig = AlignmentConfig()


def dit_loss(
    networks: Networks,
    objective: Objective,
    params: dict,
    batch: dict[str, Array],
    key: Array,
    parallel: Parallel | None = None,
) -> tuple[Array, dict[str, Array]]:
    """Flow-matching loss of a batch of latents [B, T, H, W, C] and captions [B, S]; one device if parallel is None.

    Only what is to be made counts; what is given is shown clean, at time 0. With an alignment of some weight, the loss
    of what is told of the cells is added; the metrics are apart.
    """
    parallel = parallel or one_device(networks.dit.dtype)
    x0 = batch["latent_BTHWC"].astype(jnp.float32)
    B, T, H, W, _ = x0.shape
    noise = jax.random.normal(trees.fold_in_str(key, "noise"), x0.shape)
    shift = objective.time.shift * objective.shifts.get(T, 1.0)
    t_B = times.sample_times(trees.fold_in_str(key, "time"), (B,), dataclasses.replace(objective.time, shift=shift))
    dropped_B = jax.random.bernoulli(trees.fold_in_str(key, "caption"), objective.caption_dropout, (B,))
    ids_BS = jnp.where(dropped_B[:, None], 0, batch["text_BS"])
    features, real = apply(TextEncoder(networks.text, parallel.shard), params["text"], ids_BS)
    aligned = objective.alignment if objective.alignment.weight else None
    read_block = aligned.block if aligned else 0
    dit = DiT(networks.dit, parallel.attn_fn, parallel.cross_attn_fn, parallel.shard, read_block)
    t_BE, made_BTHW, ids_BTHW = t_B[:, None], None, None
    if not objective.tasks.always_free:
        made_BTHW = draw_made(trees.fold_in_str(key, "tasks"), (B, T, H, W), objective.tasks, networks.dit.patch)
        t_BE, ids_BTHW = jnp.pad(t_BE, ((0, 0), (0, 1))), (~made_BTHW).astype(jnp.int32)
    t = t_B if made_BTHW is None else times.token_times(t_B, made_BTHW)
    noisy = paths.interpolate(x0, noise, t)
    v, inner = apply_to_grid(dit, params["dit"], noisy, t_BE, features, real, ids_BTHW, parallel.multiple)
    _, loss = flow.flow_loss(v, x0, noise, made_BTHW)
    metrics = {f"loss_{T}": loss}
    if aligned is None or inner is None:
        return loss, metrics
    told, right = cell_loss(aligned, networks.dit, params["cells"], inner, batch)
    return loss + aligned.weight * told, {**metrics, f"told_{T}": told, **{f"{k}_{T}": r for k, r in right.items()}}
