# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Training a text encoder to read captions before it conditions a transformer.

Public video models condition on a language model that was trained on text alone long before (T5, UMT5). Ours learns
from what captions of the worlds claim: cheap, since no pixel is drawn, and the transformer need not find out through
noise which word names a thing and which verb is whose.
"""

import dataclasses
from pathlib import Path

import jax
import jax.numpy as jnp
import optax
from jax import Array

from vidgen import config as vidgen_config
from vidgen.data.claims import ATTRIBUTES, SETTINGS, ClaimSource, claim_batches
from vidgen.data.tokenizer import load_tokenizer
from vidgen.models.layers import apply
from vidgen.models.reader import CaptionReader, ReaderConfig
from vidgen.models.text import TextConfig
from vidgen.train.loop import LoopConfig, Task
from vidgen.train.optim import OptimConfig, make_optimizer
from vidgen.weights.safetensors import load_params, save_params
from vidgen.worlds.holdout import AnyScenes


@dataclasses.dataclass(frozen=True)
class TextTraining:
    """An experiment that trains a text encoder.

    Attributes:
        text: its shape.
        scenes: what captions are written about; its concepts must be given.
        batch_size: captions a batch.
        text_length: tokens of a caption; longer captions are not taken.
        start_from: a file of `save_text`, or of a model (`vidgen.sample.pipeline.save_model`), whose encoder learns on;
            empty for random weights.
    """

    scenes: AnyScenes
    text: TextConfig = TextConfig()
    optim: OptimConfig = OptimConfig()
    loop: LoopConfig = LoopConfig()
    batch_size: int = 128
    text_length: int = 40
    start_from: str = ""

    def task(self, workdir: Path) -> Task:
        """What the loop needs; the encoder is written to WORKDIR/model/text.safetensors."""
        if self.scenes.concepts is None:
            raise ValueError("scenes.concepts is None: name the concepts whose captions are to be read")
        concepts = self.scenes.concepts
        reader = CaptionReader(ReaderConfig(self.text, len(concepts), len(SETTINGS), len(ATTRIBUTES)))
        source = ClaimSource(self.scenes, concepts, load_tokenizer(), self.text_length, 2**30, self.loop.seed)
        start = {"text": load_text(self.start_from, self.text)} if self.start_from else {}
        ids, subjects = jnp.zeros((1, 4), jnp.int32), jnp.zeros((1, 1), jnp.int32)
        return Task(
            init=lambda key: {**reader.init(key, ids, subjects)["params"], **start},
            loss_fn=lambda params, batch, _: reading_loss(reader, params, batch),
            batches=claim_batches(source, self.batch_size, self.loop.seed),
            make_optimizer=lambda params, steps: make_optimizer(self.optim, steps, params),
            ema=self.optim.ema,
            flops=lambda batch: step_flops(self.text, batch["text_BS"].shape),
            clips=lambda batch: batch["text_BS"].shape[0],
            export=lambda ema, folder: save_text(folder / "text.safetensors", self.text, ema["text"]),
        )


def reading_loss(reader: CaptionReader, params: dict, batch: dict[str, Array]) -> tuple[Array, dict[str, Array]]:
    """Binary cross-entropy of every claim, summed over a caption, of a batch of `vidgen.data.claims.ClaimItem`.

    The metrics are shares of what is read without a mistake: all that is named, the setting, all that is said of a
    thing.
    """
    said = apply(reader, params, batch["text_BS"], batch["subject_BN"])
    asked_BN = batch["subject_BN"] >= 0
    entropy = optax.sigmoid_binary_cross_entropy
    named = sum(entropy(logits, batch["named_BO"]).sum(-1).mean() for logits in (said.pooled_BO, said.spotted_BO))
    settings = entropy(said.settings_BO, batch["settings_BO"]).sum(-1).mean()
    attributes_BN = entropy(said.attributes_BNO, batch["attributes_BNO"]).sum(-1)
    attributes = jnp.sum(attributes_BN * asked_BN) / len(asked_BN)

    def right(logits: Array, truth: Array) -> Array:
        return jnp.all((logits > 0) == (truth > 0), axis=-1)

    right_BN = right(said.attributes_BNO, batch["attributes_BNO"])
    return named + settings + attributes, {
        "named_right": jnp.mean(right(said.pooled_BO, batch["named_BO"])),
        "spotted_right": jnp.mean(right(said.spotted_BO, batch["named_BO"])),
        "setting_right": jnp.mean(right(said.settings_BO, batch["settings_BO"])),
        "attributes_right": jnp.sum(right_BN & asked_BN) / jnp.sum(asked_BN),
    }


def step_flops(config: TextConfig, shape: tuple[int, ...]) -> float:
    """Multiply-adds x 2 of the encoder's matmuls in a training step (forward + backward = 3 x forward)."""
    B, S = shape
    token = 4 * config.width**2 + 3 * config.width * config.hidden + 2 * config.width * (S + 1)
    return 3 * 2.0 * B * (S + 1) * config.layers * token


def save_text(path: Path, config: TextConfig, params: dict) -> None:
    """Writes a text encoder, float32, with its shape."""
    path.parent.mkdir(parents=True, exist_ok=True)
    save_params(path, params, "float32", {"text_config": vidgen_config.to_json(config)})


def load_text(path: str | Path, config: TextConfig) -> dict:
    """Parameters of a file of `save_text`, or of the encoder in a model's file.

    Raises ValueError when they are of another shape than `config`.
    """
    params, metadata = load_params(path)
    params = params.get("text", params)
    found = vidgen_config.from_json(metadata["text_config"]) if "text_config" in metadata else None
    if found != config:
        raise ValueError(f"{path} holds a text encoder of the shape {found}; the experiment's is {config}")
    return jax.tree.map(jnp.asarray, params)
