# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The transformer's loss: rectified flow on the parts of clips that are to be made, from captions."""

import dataclasses
import math
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from vidgen import trees
from vidgen.diffusion import bound, paths, times
from vidgen.diffusion import loss as flow
from vidgen.diffusion.times import TimeConfig
from vidgen.models.dit import DiT, DiTConfig, Prediction
from vidgen.models.estimate import step_times
from vidgen.models.layers import apply
from vidgen.models.rows import Rows, apply_to_rows, lay_out
from vidgen.models.text import AnyTextConfig, places, starts, text_encoder
from vidgen.parallel.shard import Parallel, one_device
from vidgen.sample.program import Networks
from vidgen.train.cells import AlignmentConfig, Truth, cell_loss
from vidgen.train.tasks import TaskMix, draw_made


@dataclasses.dataclass(frozen=True)
class Objective:
    """What is asked of the transformer.

    Attributes:
        time: how noisy clips are; networks that say the noise are shown all of their steps alike instead.
        caption_dropout: share of captions replaced by the empty one.
        tasks: which parts of clips are given.
        alignment: what it is taught beside the flow.
        lengths: latent frames of the clips in packed rows, whose losses are told apart.
        empty: the ids of the empty caption, before padding.
    """

    time: TimeConfig = TimeConfig()
    caption_dropout: float = 0.0
    tasks: TaskMix = TaskMix()
    alignment: AlignmentConfig = AlignmentConfig()
    lengths: tuple[int, ...] = ()
    empty: tuple[int, ...] = ()


def dit_loss(
    networks: Networks,
    objective: Objective,
    params: dict,
    batch: dict[str, Array],
    key: Array,
    parallel: Parallel | None = None,
) -> tuple[Array, dict[str, Array]]:
    """Flow-matching loss of a batch of `vidgen.data.pipeline.latent_batches` or of packed rows; one device if parallel
    is None.

    Every token that is to be made counts the same; what is given is shown clean, at time 0. With an alignment of some
    weight, the loss of what is told of the cells is added. Metrics are apart for each length of clips.
    """
    parallel = parallel or one_device(networks.dit.dtype)
    laid = lay_out_batch(batch, networks.dit.patch, parallel.multiple)
    rows, (B, E) = laid.rows, laid.shift_BE.shape
    x0, real = rows.tokens_BLP.astype(jnp.float32), rows.real
    # Drawn before a row is filled up, so that the noise is the same on every mesh.
    noise = jax.random.normal(trees.fold_in_str(key, "noise"), (B, laid.tokens, x0.shape[-1]))
    noise = jnp.pad(noise, ((0, 0), (0, x0.shape[1] - laid.tokens), (0, 0)))
    t_BE, step_BE = _draw_times(networks.dit, objective.time, trees.fold_in_str(key, "time"), laid.shift_BE)
    dropped_BE = jax.random.bernoulli(trees.fold_in_str(key, "caption"), objective.caption_dropout, (B, E))
    ids_BS = drop_captions(networks.text, laid, dropped_BE, objective.empty)
    read = apply(text_encoder(networks.text, parallel.shard), params["text"], ids_BS, laid.captions_BS)
    features, said = (x[:, None] for x in read)
    of_text_BS = None if laid.captions_BS is None else laid.captions_BS - 1

    aligned = objective.alignment if objective.alignment.weight else None
    dit = DiT(networks.dit, parallel.attn_fn, parallel.cross_attn_fn, parallel.shard, aligned.block if aligned else 0)
    t_BL, made_BL, given_BL = rows.owned(t_BE), real, None
    if not objective.tasks.always_free:
        drawn_BL = draw_made(trees.fold_in_str(key, "tasks"), rows, E, objective.tasks)
        t_BL, made_BL, given_BL = times.token_times(t_BL, drawn_BL), real & drawn_BL, ~drawn_BL
    noisy = rows._replace(tokens_BLP=paths.interpolate(x0, noise, t_BL))
    says = apply_to_rows(dit, params["dit"], noisy, t_BE, features, said, given_BL, of_text_BS=of_text_BS)
    inner_BLD = says.features_BLD
    missed_BL, loss = flow.flow_loss(says.velocity_BLP, x0, noise, made_BL)
    told = {"loss": (missed_BL, made_BL)}
    if step_BE is not None:
        step_BL = rows.owned(step_BE)
        told = _noise_terms(networks.dit, says, missed_BL, x0, noisy.tokens_BLP, t_BL, step_BL, made_BL)
        weights = {"loss": 1.0, "bound": bound.WEIGHT * networks.dit.steps}
        loss = sum((weights[name] * flow.masked_mean(*term) for name, term in told.items()), jnp.float32(0))
    if aligned is not None and inner_BLD is not None and laid.truth is not None:
        told_BL, right = cell_loss(aligned, networks.dit, params["cells"], inner_BLD, laid.truth, real)
        loss += aligned.weight * flow.masked_mean(told_BL, real)
        told |= {"told": (told_BL, real), **right}
    lengths = objective.lengths if "tokens_BLP" in batch else (batch["latent_BTHWC"].shape[1] // networks.dit.patch[0],)
    return loss, {
        f"{name}_{T}": flow.masked_mean(values_BL.astype(jnp.float32), counted_BL & (rows.extent_BL3[..., 0] == T))
        for name, (values_BL, counted_BL) in told.items()
        for T in lengths
        if not (name == "going_right" and T == 1)  # nothing goes anywhere in a picture
    }


def _draw_times(dit: DiTConfig, config: TimeConfig, key: Array, shift_BE: Array) -> tuple[Array, Array | None]:
    """Times [B, E], and of a network that says the noise, which whole steps they are, all of them alike likely."""
    if dit.says != "noise":
        return times.shift_time(times.sample_times(key, shift_BE.shape, config), shift_BE), None
    step_BE = jax.random.randint(key, shift_BE.shape, 0, dit.steps)
    return jnp.asarray(step_times(dit.steps), jnp.float32)[step_BE], step_BE


def _noise_terms(
    dit: DiTConfig,
    says: Prediction,
    missed_BL: Array,
    x0: Array,
    x_BLP: Array,
    t_BL: Array,
    step_BL: Array,
    made_BL: Array,
) -> dict[str, tuple[Array, Array]]:
    """What a network that says the noise is taught, and where that counts: the error of the noise, which is 1 - t times
    that of the velocity, and where it says the variance too, the variational bound.
    """
    told = {"loss": (missed_BL * (1 - t_BL) ** 2, made_BL)}
    if says.spare_BLP is not None:
        x0_hat = paths.x0_from_velocity(x_BLP, says.velocity_BLP, t_BL)
        told["bound"] = bound.step_bound(step_times(dit.steps), step_BL, x0, x0_hat, says.spare_BLP), made_BL
    return told


class LaidOut(NamedTuple):
    """A batch as the loss sees it: clean rows, and how many tokens they had before they were filled up for a mesh;
    ids of captions, and where a row has several, which each is of (see `vidgen.models.text.TextEncoder`); shifts of the
    times; what is in the cells.
    """

    rows: Rows
    tokens: int
    text_BS: Array
    captions_BS: Array | None
    shift_BE: Array
    truth: Truth | None


def lay_out_batch(batch: dict[str, Array], patch: tuple[int, int, int], multiple: int) -> LaidOut:
    """Packed rows as they are, or a batch of clips of one size in rows, filled up to a `multiple` of tokens."""
    truth = None
    if "tokens_BLP" in batch:
        rows = Rows(*(batch[name] for name in ("tokens_BLP", "positions_BL3", "extent_BL3", "segments_BL")))
        if "cells_BL" in batch:
            truth = Truth(batch["cells_BL"], batch["places_BL4"])
        return LaidOut(rows, rows.tokens_BLP.shape[1], batch["text_BS"], batch["captions_BS"], batch["shift_BE"], truth)
    rows = lay_out(batch["latent_BTHWC"], patch, multiple)
    B, L, _ = rows.tokens_BLP.shape
    T, H, W = batch["latent_BTHWC"].shape[1:4]
    if "cells_BTHW" in batch:
        cells_BL, places_BL4 = batch["cells_BTHW"].reshape(B, -1), batch["places_BTHW4"].reshape(B, -1, 4)
        fill = (0, L - cells_BL.shape[1])
        truth = Truth(jnp.pad(cells_BL, ((0, 0), fill)), jnp.pad(places_BL4, ((0, 0), fill, (0, 0))))
    shift_B = batch.get("shift_B", jnp.ones(B))
    return LaidOut(rows, T * H * W // math.prod(patch), batch["text_BS"], None, shift_B[:, None], truth)


def drop_captions(text: AnyTextConfig, laid: LaidOut, dropped_BE: Array, empty: tuple[int, ...]) -> Array:
    """Ids [B, S] in which the captions that are dropped are the empty one, whose ids are given."""
    S = laid.text_BS.shape[1]
    if laid.captions_BS is None:
        return jnp.where(dropped_BE, jnp.pad(jnp.array(empty, jnp.int32), (0, S - len(empty))), laid.text_BS)
    start = starts(text)
    empty_S = jnp.pad(jnp.array(empty, jnp.int32), (start, S - start - len(empty)))
    dropped_BS = jnp.take_along_axis(dropped_BE, jnp.maximum(laid.captions_BS - 1, 0), axis=1)
    return jnp.where(dropped_BS & (laid.captions_BS > 0), empty_S[places(laid.captions_BS)], laid.text_BS)
