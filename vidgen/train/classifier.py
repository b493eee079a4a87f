# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Training a classifier that reviews frames: what it must find are concepts of the worlds, so that recall can be
measured against the truth.
"""

import dataclasses
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import Array

from vidgen import config as vidgen_config
from vidgen.data.labelled_frames import LabelledFrames, labelled_batches
from vidgen.models.classifier import ClassifierConfig, FrameNet
from vidgen.models.layers import apply
from vidgen.train.loop import LoopConfig, Results, Task
from vidgen.train.optim import OptimConfig, make_optimizer
from vidgen.weights.safetensors import save_params
from vidgen.worlds.scene import SceneConfig


@dataclasses.dataclass(frozen=True)
class ClassifierTraining:
    """An experiment that trains a frame classifier.

    Attributes:
        scenes: what frames are of; its concepts must be given. Frames have the size of the network.
        model: its shape; the labels are concepts.
        share, degrade, distinct: see `LabelledFrames`.
        batch_size: frames a batch; held_out: frames that are only looked at.
    """

    scenes: SceneConfig
    model: ClassifierConfig
    optim: OptimConfig = OptimConfig()
    loop: LoopConfig = LoopConfig()
    share: float = 0.6
    degrade: float = 1.2
    distinct: int = 2**14
    batch_size: int = 64
    held_out: int = 512

    def task(self, workdir: Path) -> Task:
        """What the loop needs; the network is written to WORKDIR/model/classifier.safetensors."""
        size = self.model.size
        if (self.scenes.width, self.scenes.height) != (size, size):
            raise ValueError(f"scenes are {self.scenes.width}x{self.scenes.height} and the network sees {size}x{size}")
        net, seed = FrameNet(self.model), self.loop.seed
        source = LabelledFrames(
            self.scenes, self.model.labels, 2**30, 2 * seed, self.share, self.degrade, self.distinct
        )
        unseen = dataclasses.replace(source, size=self.held_out, seed=2 * seed + 1)
        frame = jnp.zeros((1, size, size, 3))
        return Task(
            init=lambda key: {"frames": net.init(key, frame)["params"]},
            loss_fn=lambda params, batch, _: classifier_loss(net, params, batch),
            batches=labelled_batches(source, self.batch_size, seed),
            make_optimizer=lambda params, steps: make_optimizer(self.optim, steps, params),
            ema=self.optim.ema,
            flops=lambda batch: 3 * frame_flops(self.model) * batch["frame_BHWC"].shape[0],
            clips=lambda batch: batch["frame_BHWC"].shape[0],
            evaluations=(lambda params: evaluate(net, params, unseen),),
            export=lambda ema, folder: save_classifier(folder / "classifier.safetensors", self.model, ema["frames"]),
        )


def classifier_loss(net: FrameNet, params: dict, batch: dict[str, Array]) -> tuple[Array, dict[str, Array]]:
    """Binary cross-entropy of each label, over the frames in which it is not moot."""
    logits_BO = apply(net, params["frames"], to_input(batch["frame_BHWC"]))
    known_BO = batch["shown_BO"] >= 0
    truth_BO = jnp.maximum(batch["shown_BO"], 0.0)
    entropy_BO = optax.sigmoid_binary_cross_entropy(logits_BO, truth_BO)
    loss = jnp.sum(entropy_BO * known_BO) / jnp.maximum(jnp.sum(known_BO), 1)
    said_BO, shown_BO = (logits_BO > 0) & known_BO, (truth_BO > 0) & known_BO
    both = jnp.sum(said_BO & shown_BO)
    return loss, {
        "recall": both / jnp.maximum(jnp.sum(shown_BO), 1),
        "precision": both / jnp.maximum(jnp.sum(said_BO), 1),
    }


def to_input(frames_BHWC: Array) -> Array:
    """uint8 pixels in [-1, 1]."""
    return frames_BHWC.astype(jnp.float32) / 127.5 - 1.0


def evaluate(net: FrameNet, params: dict, unseen: LabelledFrames) -> Results:
    """Recall and precision at one half, on frames of scenes that are not trained on."""
    items = [unseen[index] for index in range(len(unseen))]
    told = jax.jit(lambda x: apply(net, params["frames"], to_input(x)))
    logits = np.asarray(told(jnp.asarray(np.stack([item["frame_HWC"] for item in items]))))
    truth = np.stack([item["shown_O"] for item in items])
    said, known = (logits > 0) & (truth >= 0), truth >= 0
    both = float(np.sum(said & (truth > 0)))
    return Results(
        {
            "held_out/recall": both / max(1.0, float(np.sum(truth > 0))),
            "held_out/precision": both / max(1.0, float(np.sum(said & known))),
        }
    )


def frame_flops(config: ClassifierConfig) -> float:
    """Multiply-adds x 2 of the network's matmuls for a frame."""
    total, before = 0.0, 3 * config.patch**2
    for stage, width in enumerate(config.widths):
        cells = (config.size // (config.patch * 2**stage)) ** 2
        total += cells * (before * width + 9 * width * 2 * width + 2 * width * width)
        before = 4 * width
    return 2 * total


def save_classifier(path: Path, config: ClassifierConfig, params: dict) -> None:
    """Writes a classifier, float16, with its shape and labels; a policy names this file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    save_params(path, params, "float16", {"classifier_config": vidgen_config.to_json(config)})
