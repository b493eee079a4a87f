# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The simulated worlds as a data set on disk: rendered clips, captions, and each scene with its ground truth."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import tensorflow_datasets as tfds

from vidgen.data.builders.clips import ClipsBuilder, example, plain
from vidgen.data.pipeline import DrawsScenes, WorldSource
from vidgen.worlds.holdout import AXES, SplitConfig, held_out_axes
from vidgen.worlds.render import ground_truth
from vidgen.worlds.scene import Scene, SceneConfig
from vidgen.worlds.story import StoryConfig


@dataclass(frozen=True)
class WorldsOptions:
    """Simulated scenes and stories with exact captions and ground truth."""

    width: int = 64
    """Pixels."""
    height: int = 64
    """Pixels."""
    frames: int = 17
    """Frames a clip, at 8 a second."""
    train: int = 10_000
    """Clips of the split `train`, which never show some combinations."""
    heldout: int = 500
    """Clips of the split `heldout`, each with such a combination."""
    seed: int = 0
    """Another seed gives other scenes."""
    concepts: tuple[str, ...] = ()
    """The things that may appear; all of them by default."""
    stories: tuple[str, ...] = ()
    """Kinds of stories, which together come as often as plain scenes: order, parts, return, push, knock, open, count,
    size, speed, depth."""
    plain: bool = True
    """Plain scenes of one to four things; off for stories alone."""
    holdout: tuple[str, ...] = ("pair",)
    """What is kept from training: pair, motion, relation, place (combinations), range (sizes, speeds)."""

    def __post_init__(self) -> None:
        if min(self.train, self.heldout) < 0 or self.train + self.heldout < 1:
            raise ValueError(f"train={self.train} and heldout={self.heldout} were given; ask for one clip at least")
        if not (self.plain or self.stories):
            raise ValueError("plain=False needs stories; name some kinds of them")
        if not self.holdout or not set(self.holdout) <= set(AXES):
            raise ValueError(f"holdout must be taken from {', '.join(AXES)}; given: {self.holdout}")

    def scene_config(self, split: str) -> DrawsScenes:
        """What the scenes of a split are drawn from."""
        shape = {"width": self.width, "height": self.height, "frames": self.frames, "concepts": self.concepts or None}
        if not self.stories and self.holdout == ("pair",):
            return SceneConfig(**shape, split=split)
        stories = tuple(StoryConfig(kind=kind, **shape) for kind in self.stories)
        plain = (SceneConfig(**shape),) * (max(1, len(stories)) if self.plain else 0)
        return SplitConfig((*plain, *stories), self.holdout, split)


class Worlds(ClipsBuilder, skip_registration=True):
    """The TFDS builder; its splits are train and heldout. A clip's record names the axes along which it shows what is
    held out; `build.json` has the axes that were held out at all.
    """

    DESCRIPTION = "Simulated scenes with exact captions and ground truth."
    options: WorldsOptions

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict[str, Any]:
        del dl_manager  # nothing is downloaded
        sizes = {"train": self.options.train, "heldout": self.options.heldout}
        return {split: self._generate_examples(split, size) for split, size in sizes.items() if size}

    def _generate_examples(self, split: str, size: int) -> Iterator[tuple[str, dict[str, Any]]]:
        source = WorldSource(self.options.scene_config(split), size, self.options.seed)
        done = self.options.train if split == "heldout" else 0
        for index in range(size):
            item = source[index]
            yield f"{split}-{index}", example(item["video"], item["captions"], scene_origin(source.scene(index)))
            self.progress(done + index + 1, self.options.train + self.options.heldout)


def scene_origin(scene: Scene) -> dict[str, Any]:
    """A scene, its ground truth, and the axes along which it shows what is held out, as plain JSON values."""
    return {"scene": scene.to_dict(), "truth": plain(ground_truth(scene)), "held_out": list(held_out_axes(scene))}
