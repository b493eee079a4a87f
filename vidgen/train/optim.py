# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Optimisers and learning rates, all from Optax."""

import dataclasses
from typing import Literal

import jax
import optax

from vidgen import trees


@dataclasses.dataclass(frozen=True)
class OptimConfig:
    """AdamW or Muon with warm-up, a plateau and a linear cooldown.

    The plateau lets a run be stretched without redoing it (arXiv 2405.18392): raise `train.steps` and resume.

    Attributes:
        name: "adamw", or "muon" for matrices with AdamW for the rest.
        lr: the plateau's learning rate.
        warmup: steps from 0 to the plateau.
        cooldown: share of all steps, at the end, that goes down linearly to lr_end * lr.
        lr_end: what is left of the learning rate at the last step, as a share.
        b1, b2, eps: Adam's moments.
        weight_decay: decoupled, on matrices only.
        clip: largest global norm of the gradient.
        ema: decay of the moving average of parameters that samples are made with.
    """

    name: Literal["adamw", "muon"] = "adamw"
    lr: float = 1e-3
    warmup: int = 200
    cooldown: float = 0.2
    lr_end: float = 0.02
    b1: float = 0.9
    b2: float = 0.99
    eps: float = 1e-8
    weight_decay: float = 0.01
    clip: float = 1.0
    ema: float = 0.999


def schedule(config: OptimConfig, steps: int) -> optax.Schedule:
    """The learning rate at every step of a run of `steps`."""
    down = max(1, round(config.cooldown * steps))
    return optax.join_schedules(
        [
            optax.linear_schedule(0.0, config.lr, max(1, config.warmup)),
            optax.constant_schedule(config.lr),
            optax.linear_schedule(config.lr, config.lr_end * config.lr, down),
        ],
        [config.warmup, max(config.warmup, steps - down)],
    )


def make_optimizer(config: OptimConfig, steps: int, params: dict) -> optax.GradientTransformation:
    """The optimiser for a tree of parameters; kernels under "blocks" carry their layer as the first axis."""
    matrices = jax.tree.map(lambda x: x.ndim >= 2, params)
    lr = schedule(config, steps)
    clip = optax.clip_by_global_norm(config.clip)
    if config.name == "adamw":
        adam = optax.adamw(lr, config.b1, config.b2, config.eps, weight_decay=config.weight_decay, mask=matrices)
        return optax.chain(clip, adam)
    if config.name == "muon":
        return optax.chain(
            clip,
            optax.contrib.muon(
                lr,
                beta=0.95,
                weight_decay=config.weight_decay,
                adam_b1=config.b1,
                adam_b2=config.b2,
                adam_weight_decay=config.weight_decay,
                # The update's root mean square is that of AdamW, so that one learning rate serves both (Moonlight,
                # arXiv 2502.16982, section 2.2).
                consistent_rms=0.2,
                muon_weight_dimension_numbers=_matrix_axes(params),
            ),
        )
    raise ValueError(f"optim.name is {config.name!r}; it must be 'adamw' or 'muon'")


def _matrix_axes(params: dict) -> dict:
    """Muon's (input, output) axes of every hidden matrix; None (AdamW) for embeddings, tables and vectors."""

    def axes(name: str, x: jax.Array) -> optax.contrib.MuonDimensionNumbers | None:
        if not name.endswith("kernel"):
            return None
        return optax.contrib.MuonDimensionNumbers(reduction_axis=x.ndim - 2, output_axis=x.ndim - 1)

    return trees.unflatten({name: axes(name, x) for name, x in trees.flatten_names(params).items()})
