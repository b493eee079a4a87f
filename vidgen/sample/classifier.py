# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Classifiers of our own that review frames: read from a file of `vidgen.train.classifier`, named by a policy."""

import dataclasses
import functools
from pathlib import Path
from typing import Any

import cv2
import jax
import jax.numpy as jnp
import numpy as np

from vidgen import config as vidgen_config
from vidgen.models.classifier import ClassifierConfig, FrameNet
from vidgen.models.layers import apply
from vidgen.safety.frames import BATCH
from vidgen.weights.safetensors import check_shapes, load_params


@dataclasses.dataclass(frozen=True)
class TrainedClassifier:
    """A network with its parameters, as a `vidgen.safety.frames.FrameClassifier`, for frames of any size."""

    config: ClassifierConfig
    params: Any

    def __call__(self, frames_FHWC: np.ndarray) -> dict[str, np.ndarray]:
        """uint8 [F, H, W, 3] -> {label: [F]}."""
        size, parts = self.config.size, []
        for begin in range(0, len(frames_FHWC), BATCH):
            some = frames_FHWC[begin : begin + BATCH]
            fitted = np.zeros((BATCH, size, size, 3), np.uint8)  # of one shape, so that one program serves all
            for index, frame in enumerate(some):
                fitted[index] = _fit(frame, size)
            parts.append(np.asarray(_scores(self.config, self.params, fitted))[: len(some)])
        scores_FO = np.concatenate(parts)
        return {label: scores_FO[:, column] for column, label in enumerate(self.config.labels)}


def _fit(frame: np.ndarray, size: int) -> np.ndarray:
    if frame.shape[:2] == (size, size):
        return frame
    smaller = frame.shape[0] * frame.shape[1] > size * size
    return cv2.resize(frame, (size, size), interpolation=cv2.INTER_AREA if smaller else cv2.INTER_LINEAR)


@functools.partial(jax.jit, static_argnums=0)
def _scores(config: ClassifierConfig, params: Any, frames_BHWC: Any) -> Any:
    return jax.nn.sigmoid(apply(FrameNet(config), params, frames_BHWC.astype(jnp.float32) / 127.5 - 1.0))


def load_classifier(path: str | Path) -> TrainedClassifier:
    """Reads a file of `vidgen.train.classifier.save_classifier`.

    Raises:
        FileNotFoundError: there is none.
        ValueError: it is damaged, or holds something else.
    """
    params, metadata = load_params(path)
    config = vidgen_config.from_json(metadata["classifier_config"]) if "classifier_config" in metadata else None
    if not isinstance(config, ClassifierConfig):
        raise ValueError(f"{path} holds no frame classifier: give a file of vidgen.train.classifier.")
    frame = jnp.zeros((1, config.size, config.size, 3))
    check_shapes(params, jax.eval_shape(FrameNet(config).init, jax.random.key(0), frame)["params"])
    return TrainedClassifier(config, jax.tree.map(jnp.asarray, params))
