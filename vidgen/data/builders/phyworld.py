# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""PhyWorld's tasks as data sets on disk: clips, two captions, and each scene with its bodies' states in all frames."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import tensorflow_datasets as tfds

from vidgen.data.builders.clips import ClipsBuilder, example, plain
from vidgen.worlds.phyworld.discs import render
from vidgen.worlds.phyworld.physics import FRAMES, PhyScene, ground_truth
from vidgen.worlds.phyworld.scene import GAP, PhyConfig, Task, caption, description, draw_scene


@dataclass(frozen=True)
class PhyWorldOptions:
    """Balls that move by the laws of mechanics, with test sets in and out of distribution (PhyWorld's tasks)."""

    task: Task = "uniform"
    """One ball in even motion, two that collide, one that is thrown; a gap in the training velocities; training to both
    sides; or two attributes that go together in training and are swapped out of distribution."""
    size: int = 64
    """Pixels along each side of the frame, which is square."""
    frames: int = FRAMES
    """Frames a clip, at 10 a second."""
    train: int = 10_000
    """Clips of the split `train`."""
    in_distribution: int = 500
    """Clips of the split `in_distribution`, other ones from the ranges of training."""
    out_of_distribution: int = 500
    """Clips of the split `out_of_distribution`, each with something that training never has."""
    seed: int = 0
    """Another seed gives other scenes."""
    gap: tuple[float, float] = GAP
    """For the task gap: the velocities that training leaves out."""

    def __post_init__(self) -> None:
        sizes = self.splits().values()
        if min(sizes) < 0 or sum(sizes) < 1:
            raise ValueError(f"the splits were given as {self.splits()}; ask for one clip at least")
        if not 0 <= self.seed < 2**31 or max(sizes) >= 2**31:
            raise ValueError(f"seed and sizes lie in 0 to 2**31 - 1; seed={self.seed} and {self.splits()} were given")
        self.scene_config("train")

    @property
    def width(self) -> int:
        """Pixels."""
        return self.size

    @property
    def height(self) -> int:
        """Pixels."""
        return self.size

    def splits(self) -> dict[str, int]:
        """Clips in each split."""
        return {name: getattr(self, name) for name in ("train", "in_distribution", "out_of_distribution")}

    def scene_config(self, split: str) -> PhyConfig:
        """What the scenes of a split are drawn from. Raises ValueError for options that no scene can have."""
        return PhyConfig(self.task, split, self.frames, self.size, self.gap)

    def scene(self, split: str, index: int) -> PhyScene:
        """The scene of one clip of a split."""
        return draw_scene(self.scene_config(split), self.seed * 2**31 + index)


class PhyWorld(ClipsBuilder, skip_registration=True):
    """The TFDS builder; its splits are those of `PhyConfig`."""

    DESCRIPTION = "Balls that move by the laws of mechanics, with exact states."
    options: PhyWorldOptions

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict[str, Any]:
        del dl_manager  # nothing is downloaded
        self.done = 0
        return {split: self._generate_examples(split, size) for split, size in self.options.splits().items() if size}

    def _generate_examples(self, split: str, size: int) -> Iterator[tuple[str, dict[str, Any]]]:
        for index in range(size):
            scene = self.options.scene(split, index)
            origin = {"scene": scene.to_dict(), "truth": plain(ground_truth(scene))}
            yield f"{split}-{index}", example(render(scene), (caption(scene), description(scene)), origin)
            self.done += 1
            self.progress(self.done, sum(self.options.splits().values()))
