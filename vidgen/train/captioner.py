# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Training the captioner: texts after clips, and descriptions after short prompts, in one batch (DALL-E 3, section 2:
first short captions of the main subject, then long descriptive ones; two experiments, the second from the first).
"""

import dataclasses
import math
from pathlib import Path

import jax
import jax.numpy as jnp
import optax
from jax import Array

from vidgen import trees
from vidgen.data.labelled import STYLES, LabelledSource, labelled_batches
from vidgen.data.pipeline import WorldSource
from vidgen.data.tokenizer import Tokenizer, load_tokenizer
from vidgen.models.captioner import Captioner, CaptionerConfig, Tokens, init_captioner
from vidgen.models.layers import apply
from vidgen.models.reader import PlaceReader
from vidgen.parallel.mesh import MeshConfig, make_mesh
from vidgen.parallel.shard import constrain, own_rows
from vidgen.sample.autoencoder import to_float
from vidgen.sample.captioner import TrainedCaptioner, caption_card, load_captioner
from vidgen.train.cells import AlignmentConfig, Truth, cell_loss, init_reader
from vidgen.train.loop import LoopConfig, Results, Task
from vidgen.train.optim import OptimConfig, make_optimizer
from vidgen.worlds.checking import MAIN, check, total
from vidgen.worlds.holdout import AnyScenes

SIDES = ("left", "right", "above", "below", "over", "under", "upper", "lower", "top", "bottom")
"""Words that say where things are."""
FIRST_UNSEEN = 2**31 - 2
"""Seed of the source of held-out scenes."""


@dataclasses.dataclass(frozen=True)
class CaptionerTraining:
    """An experiment that trains a captioner.

    Attributes:
        scenes: what is labelled; its concepts must be given.
        unseen: what the evaluation describes; None for scenes like those.
        count: how many labelled clips there are; a run visits each several times, with other texts.
        stride: every so manieth frame of a scene is shown, so that clips have fewer tokens.
        styles: how often a clip's text is of each of `vidgen.data.labelled.STYLES`.
        upsampling: weight of the loss of descriptions after prompts; 0 leaves them out.
        beside: weight of telling, in the block after the aligned one, where a token's thing is and where the others
            are, which is what "left of" needs; 0 leaves it out.
        stress: weight of the words of SIDES in the loss of texts: few of a text's words say where something is.
        alignment: how a block is taught what is in each token; its concepts are those of the scenes if none are given.
            An early block: the ones after it are where texts find out which thing does what.
        text_length, prompt_length: tokens.
        wear: how far pixels may be off, as those of made clips are: the deviation of noise at most, in [-1, 1].
        start_from: a file of `TrainedCaptioner.save` to start from; empty to start from random weights.
        watched: held-out clips that are described at each evaluation.
        mesh: how the work is divided over devices.
    """

    scenes: AnyScenes
    unseen: AnyScenes | None = None
    model: CaptionerConfig = CaptionerConfig()
    optim: OptimConfig = OptimConfig()
    loop: LoopConfig = LoopConfig()
    count: int = 6144
    stride: int = 2
    batch_size: int = 32
    styles: tuple[float, ...] = (1.0, 0.0, 0.0)
    upsampling: float = 0.5
    alignment: AlignmentConfig = AlignmentConfig(block=1, weight=0.5)
    beside: float = 4.0
    stress: float = 1.0
    text_length: int = 32
    prompt_length: int = 20
    wear: float = 0.1
    start_from: str = ""
    watched: int = 32
    mesh: MeshConfig = MeshConfig()

    def task(self, workdir: Path) -> Task:
        """What the loop needs; the captioner is written to WORKDIR/model."""
        concepts = self.scenes.concepts
        if concepts is None:
            raise ValueError("scenes.concepts is None: name the concepts that are labelled")
        if len(self.styles) != len(STYLES) or self.model.styles != len(STYLES):
            raise ValueError(f"{self.styles} were given for the styles {', '.join(STYLES)}: one number each")
        start = load_captioner(self.start_from) if self.start_from else None
        if start is not None and start.config != self.model:
            raise ValueError(f"{self.start_from} holds a captioner of the shape {start.config}, not {self.model}")
        if not 1 <= self.alignment.block <= self.model.layers - bool(self.beside):
            raise ValueError(
                f"alignment.block is {self.alignment.block} of {self.model.layers}, and `beside` ({self.beside}) "
                f"needs the one after: take an earlier block, or beside=0"
            )
        alignment = dataclasses.replace(self.alignment, concepts=self.alignment.concepts or concepts)
        patch = self.model.group, self.model.multiple, self.model.multiple
        source = LabelledSource(
            WorldSource(self.scenes, self.count, self.loop.seed), patch, self.stride, alignment.concepts
        )
        mesh, tokenizer = make_mesh(self.mesh), load_tokenizer()
        stress_V = word_weights(tokenizer, self.model.vocabulary, self.stress)

        def init(key: Array) -> dict:
            params = init_captioner(self.model, key) if start is None else jax.tree.map(jnp.asarray, start.params)
            # A head of its own name: the sharding rules of heads are those of the transformer's.
            features = jnp.zeros((1, 1, self.model.width))
            places = PlaceReader().init(trees.fold_in_str(key, "places"), features)["params"]
            return {"captioner": params, "cells": init_reader(alignment, self.model, key), "places": dict(places)}

        return Task(
            init=init,
            loss_fn=lambda params, batch, key: caption_loss(self, alignment, stress_V, params, batch, key),
            batches=labelled_batches(
                source,
                self.batch_size,
                self.loop.seed,
                tokenizer,
                (self.text_length, self.prompt_length),
                self.styles,
                own_rows(mesh, self.batch_size),
            ),
            make_optimizer=lambda params, steps: make_optimizer(self.optim, steps, params),
            ema=self.optim.ema,
            flops=lambda batch: step_flops(self, batch["video_BFHWC"].shape),
            clips=lambda batch: batch["video_BFHWC"].shape[0],
            evaluations=(lambda averages: self.watch(averages["captioner"]),) if self.watched else (),
            export=lambda averages, folder: self._trained(averages["captioner"], workdir.name).save(folder),
            mesh=mesh,
        )

    def _trained(self, params: dict, name: str = "") -> TrainedCaptioner:
        return TrainedCaptioner(
            self.model, params, caption_card(name, self.scenes, self.stride, self.text_length, self.prompt_length)
        )

    def watch(self, params: dict) -> Results:
        """How true and how full descriptions of held-out clips are."""
        style = max(range(len(STYLES)), key=lambda at: (self.styles[at], -at))
        style = min(style, STYLES.index("descriptive"))
        source = WorldSource(self.unseen or self.scenes, self.watched, FIRST_UNSEEN)
        clips = [source[i]["video"][:: self.stride] for i in range(self.watched)]
        texts = self._trained(params).captions(clips, STYLES[style])
        found = total(check(text, source.scene(i)) for i, text in enumerate(texts))
        shares = {
            "precision": (found.true, found.said, None),
            "recall": (found.found, found.wanted, MAIN),
            "objects": (found.true, found.said, ("object",)),
            "sides": (found.true, found.said, ("side",)),
        }
        scalars = {f"eval/{name}": _share(*parts) for name, parts in shares.items()}
        return Results({**scalars, "eval/unread": found.unread / self.watched})


def _share(hits: dict[str, int], of: dict[str, int], kinds: tuple[str, ...] | None) -> float:
    """Hits among what was tried, of some kinds of claims or of all but the one that counts twice."""
    chosen = [kind for kind in of if (kind in kinds if kinds else kind != "side")]
    return sum(hits[kind] for kind in chosen) / max(1, sum(of[kind] for kind in chosen))


def caption_loss(
    config: CaptionerTraining,
    alignment: AlignmentConfig,
    stress_V: Array,
    params: dict,
    batch: dict[str, Array],
    key: Array,
) -> tuple[Array, dict[str, Array]]:
    """Cross-entropy a token of texts after clips, and of expansions after prompts; and of what is in the tokens.

    Returns:
        The weighted sum, and metrics: the parts, and the share of tokens that are told right.
    """
    model, own = Captioner(config.model, constrain), params["captioner"]
    x = worn(to_float(batch["video_BFHWC"]), config.wear, key)
    prefix = apply(model, own, x, method=Captioner.read_clip)
    logits, inner = apply(model, own, prefix, batch["text_BS"], batch["style_B"])
    loss, right = text_loss(logits, batch["text_BS"], stress_V)
    metrics = {"clip_loss": loss, "clip_right": right}
    if alignment.weight:
        B, L = prefix.real_BL.shape
        truth = Truth(batch["cells_BTHW"].reshape(B, L), batch["places_BTHW4"].reshape(B, L, 4))
        cells_BL, counts = cell_loss(
            alignment, config.model, params["cells"], inner[alignment.block - 1], truth, prefix.real_BL
        )
        loss = loss + alignment.weight * jnp.mean(cells_BL)
        metrics |= {name: jnp.sum(hit & of) / jnp.maximum(jnp.sum(of), 1) for name, (hit, of) in counts.items()}
    if config.beside:
        told_BL4 = apply(PlaceReader(jnp.dtype(config.model.dtype)), params["places"], inner[alignment.block])
        missed, metrics["sides_right"] = place_loss(told_BL4, batch["cells_BTHW"])
        loss = loss + config.beside * missed
    if config.upsampling:
        prompt: Tokens = apply(model, own, batch["prompt_BS"], method=Captioner.read_prompt)
        style_B = jnp.full(len(batch["style_B"]), STYLES.index("descriptive"))
        said, right = text_loss(apply(model, own, prompt, batch["wish_BS"], style_B)[0], batch["wish_BS"])
        loss = loss + config.upsampling * said
        metrics |= {"prompt_loss": said, "prompt_right": right}
    return loss, metrics


def place_loss(told_BL4: Array, cells_BTHW: Array) -> tuple[Array, Array]:
    """Squared error of where things are and of the way to the others, and the share of ways told to the right side.

    Both are means over the first half of the clip, in which captions place things beside each other.

    Args:
        told_BL4: of `PlaceReader`.
        cells_BTHW: the concept in each token, or -1.
    """
    B, T, H, W = cells_BTHW.shape
    across_W, down_H = (jnp.arange(W) + 0.5) / W, (jnp.arange(H) + 0.5) / H
    at_HW2 = jnp.stack(jnp.meshgrid(across_W, down_H), axis=-1)
    at_L2 = jnp.broadcast_to(at_HW2, (T, H, W, 2)).reshape(-1, 2)
    cells_BL = cells_BTHW.reshape(B, -1)
    thing_BL = cells_BL >= 0
    early_BL = thing_BL & (jnp.arange(T * H * W) < (T + 1) // 2 * H * W)
    same_BLL = cells_BL[:, :, None] == cells_BL[:, None]

    def middle(of_BLL: Array) -> tuple[Array, Array]:
        count_BL = jnp.sum(of_BLL, axis=-1)
        return jnp.einsum("BLS,SC->BLC", of_BLL, at_L2) / jnp.maximum(count_BL, 1)[..., None], count_BL > 0

    own_BL2, seen_BL = middle(same_BLL & early_BL[:, None])
    other_BL2, beside_BL = middle(~same_BLL & early_BL[:, None])
    truth_BL4 = jnp.concatenate([own_BL2, other_BL2 - own_BL2], axis=-1)
    known_BL2 = jnp.stack([thing_BL & seen_BL, thing_BL & seen_BL & beside_BL], axis=-1)
    known_BL4 = jnp.repeat(known_BL2, 2, axis=-1)
    missed = jnp.sum(jnp.square(told_BL4 - truth_BL4) * known_BL4) / jnp.maximum(jnp.sum(known_BL4), 1)
    aside_BL = known_BL2[..., 1] & (jnp.abs(truth_BL4[..., 2]) > 0.15)
    right_BL = aside_BL & (told_BL4[..., 2] * truth_BL4[..., 2] > 0)
    return missed, jnp.sum(right_BL) / jnp.maximum(jnp.sum(aside_BL), 1)


def word_weights(tokenizer: Tokenizer, vocabulary: int, stress: float) -> Array:
    """The weight of each id in the loss of texts: `stress` for the words of SIDES, which are one piece each: [V]."""
    ids = [row[0] for row in tokenizer.batch(SIDES, 2) if row[0] and not row[1]]
    return jnp.ones(vocabulary).at[jnp.asarray(ids)].set(stress)


def text_loss(logits_BSV: Array, ids_BS: Array, weight_V: Array | None = None) -> tuple[Array, Array]:
    """Mean cross-entropy of each id and of the end after the last one, and the share of them that are likeliest.

    weight_V: of each id in the mean; None for the same of all.
    """
    label_BS = jnp.pad(ids_BS, ((0, 0), (0, 1)))
    asked_BS = jnp.arange(label_BS.shape[1]) <= jnp.sum(ids_BS != 0, axis=1, keepdims=True)
    entropy_BS = optax.softmax_cross_entropy_with_integer_labels(logits_BSV, label_BS)
    count = jnp.sum(asked_BS)
    right = jnp.sum((jnp.argmax(logits_BSV, axis=-1) == label_BS) & asked_BS) / count
    weight_BS = asked_BS * (1.0 if weight_V is None else weight_V[label_BS])
    return jnp.sum(entropy_BS * weight_BS) / jnp.sum(weight_BS), right


def worn(x_BFHWC: Array, wear: float, key: Array) -> Array:
    """Clips as a generator might make them: some blurred, all a little too bright or dark, and with noise."""
    if not wear:
        return x_BFHWC
    B = x_BFHWC.shape[0]
    keys = {name: trees.fold_in_str(key, name) for name in ("blur", "gain", "level", "noise")}
    blurred = (x_BFHWC + jnp.roll(x_BFHWC, 1, axis=2) + jnp.roll(x_BFHWC, 1, axis=3)) / 3
    x = jnp.where(jax.random.bernoulli(keys["blur"], 0.3, (B, 1, 1, 1, 1)), blurred, x_BFHWC)
    gain = 1 + wear * jax.random.normal(keys["gain"], (B, 1, 1, 1, 1))
    level_B2 = wear * jax.random.uniform(keys["level"], (2, B, 1, 1, 1, 1), minval=-1.0)
    # One field of noise a group of frames is enough, and a group's mean is what most cells read.
    noise = jax.random.normal(keys["noise"], (B, 1, *x.shape[2:]))
    return gain * x + level_B2[0] + jnp.abs(level_B2[1]) * noise


def step_flops(config: CaptionerTraining, shape: tuple[int, ...]) -> float:
    """Multiply-adds x 2 of the matmuls of a training step (forward + backward = 3 x forward), attention included."""
    cfg, (B, *clip, _) = config.model, shape
    tokens = math.prod(cfg.clip_tokens(*clip))
    S, P = config.text_length + 1, config.prompt_length
    cells, stage = tokens * cfg.merge**2, cfg.cells
    reading = cfg.group * stage.cell**2 * 3 * stage.width + stage.width * cfg.width
    mixing = stage.width * (stage.mix + 2 * stage.hidden) + 9 * stage.mix * stage.hidden

    def network(prefix: int) -> float:
        L = prefix + S
        block = 4 * cfg.width**2 + 2 * cfg.width * cfg.hidden + 2 * L * cfg.width
        return L * cfg.layers * block + S * cfg.table * (2 * cfg.width + cfg.vocabulary)

    total_ = cells * (reading + stage.blocks * mixing) + network(tokens)
    return 3 * 2.0 * B * (total_ + (network(P) if config.upsampling else 0.0))
