# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Single frames of worlds with which things they show: what a classifier for review learns from."""

import dataclasses
import functools
from collections.abc import Sequence
from typing import TypedDict

import cv2
import grain
import numpy as np

from vidgen.data.pipeline import batched, endless
from vidgen.worlds.motion import Scene
from vidgen.worlds.render import render
from vidgen.worlds.scene import SceneConfig
from vidgen.worlds.truth import ground_truth

SHOWN, HIDDEN = 0.3, 0.02
"""From this visible share on a thing is in a frame, up to this one it is not; between them nothing is learned."""


class LabelledItem(TypedDict):
    """frame_HWC: uint8. shown_O: float32, for each label 1 where it is seen, 0 where it is not, -1 where it is moot."""

    frame_HWC: np.ndarray
    shown_O: np.ndarray


@dataclasses.dataclass(frozen=True)
class LabelledFrames:
    """`size` frames; item i depends on the fields and i alone.

    Attributes:
        scenes: what they are of; its concepts must be given.
        labels: concepts that are told.
        share: of the frames whose scene is drawn from a label and one other concept.
        degrade: how much frames are blurred and disturbed at most, as decoders do: pixels of blur.
        distinct: so many renders are kept and disturbed in ever new ways; drawing one takes far longer.
    """

    scenes: SceneConfig
    labels: tuple[str, ...]
    size: int
    seed: int
    share: float = 0.6
    degrade: float = 1.2
    distinct: int = 2**14

    def __post_init__(self) -> None:
        missing = sorted(set(self.labels) - set(self.scenes.concepts or ()))
        if missing or not self.labels:
            raise ValueError(f"labels must be among the concepts of the scenes; {', '.join(missing) or 'none'} given")

    def __len__(self) -> int:
        return self.size

    def scene(self, index: int) -> Scene:
        """The scene of item `index`."""
        index %= self.distinct
        rng = np.random.default_rng((self.seed, index))
        concepts, config = self.scenes.concepts or (), self.scenes
        if rng.random() < self.share:
            label = self.labels[rng.integers(len(self.labels))]
            others = [name for name in concepts if name != label]
            beside = rng.choice(others, config.objects[1] - 1 or 1, replace=False)
            config = dataclasses.replace(config, concepts=(label, *map(str, beside)), split="all")
        return config.draw((self.seed << 32) + index)

    def __getitem__(self, index: int) -> LabelledItem:
        frame_HWC, shown_O = _drawn(self, index % self.distinct)
        rng = np.random.default_rng((self.seed, index, 2))
        return {"frame_HWC": _degrade(frame_HWC, rng, self.degrade), "shown_O": shown_O}


@functools.lru_cache(maxsize=2**14)  # 12 kB each
def _drawn(source: LabelledFrames, index: int) -> tuple[np.ndarray, np.ndarray]:
    """One frame of a scene, and what it shows."""
    scene = source.scene(index)
    frame = int(np.random.default_rng((source.seed, index, 1)).integers(scene.frames))
    return render(scene)[frame], shown(scene, source.labels)[frame]


def shown(scene: Scene, labels: Sequence[str]) -> np.ndarray:
    """Which labels each frame of a scene shows: float32 [F, O], as in `LabelledItem`."""
    visible_FN = ground_truth(scene).visible_FN
    out_FO = np.zeros((len(visible_FN), len(labels)), np.float32)
    for column, label in enumerate(labels):
        rows = [row for row, thing in enumerate(scene.objects) if thing.concept == label]
        if rows:
            share_F = visible_FN[:, rows].max(1)
            out_FO[:, column] = np.where(share_F >= SHOWN, 1.0, np.where(share_F <= HIDDEN, 0.0, -1.0))
    return out_FO


def _degrade(frame_HWC: np.ndarray, rng: np.random.Generator, most: float) -> np.ndarray:
    """Blur, noise, and another brightness: what comes out of a decoder is no render."""
    if not most:
        return frame_HWC
    blurred = cv2.GaussianBlur(frame_HWC, (0, 0), max(0.05, rng.uniform(0, most))).astype(np.float32)
    noisy = blurred * rng.uniform(0.9, 1.1) + rng.normal(0, rng.uniform(0, 6), blurred.shape)
    return np.clip(np.rint(noisy), 0, 255).astype(np.uint8)


def labelled_batches(
    source: LabelledFrames, batch_size: int, seed: int, rows: Sequence[int] | None = None
) -> grain.IterDataset:
    """Endless batches {"frame_BHWC", "shown_BO"}; otherwise as `vidgen.data.pipeline.video_batches`."""
    items = endless(source, seed).map(lambda item: {"frame_BHWC": item["frame_HWC"], "shown_BO": item["shown_O"]})
    return batched(items, batch_size, rows)
