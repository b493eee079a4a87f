# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The 3-D worlds as a data set on disk: rendered clips, captions, and each scene with its ground truth."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import tensorflow_datasets as tfds

from vidgen.data.builders.clips import ClipsBuilder, example, plain
from vidgen.data.pipeline import CAPTIONS_PER_CLIP
from vidgen.worlds.solids.captions import solid_caption
from vidgen.worlds.solids.draw import HELD_OUT, SolidConfig, draw_solids
from vidgen.worlds.solids.render import Shot, choose_gl, shoot
from vidgen.worlds.solids.scene import SolidScene
from vidgen.worlds.solids.simulate import load_mujoco
from vidgen.worlds.solids.truth import solid_truth


@dataclass(frozen=True)
class SolidsOptions:
    """Simulated 3-D scenes of balls, boxes and cylinders that fall, roll and collide (needs the extra worlds3d)."""

    width: int = 64
    """Pixels."""
    height: int = 64
    """Pixels."""
    frames: int = 17
    """Frames a clip, at 8 a second."""
    train: int = 10_000
    """Clips of the split `train`, in which some pairs of colour and shape never appear."""
    heldout: int = 500
    """Clips of the split `heldout`, each with such a pair."""
    seed: int = 0
    """Another seed gives other scenes."""

    def __post_init__(self) -> None:
        if min(self.train, self.heldout) < 0 or self.train + self.heldout < 1:
            raise ValueError(f"train={self.train} and heldout={self.heldout} were given; ask for one clip at least")
        if min(self.width, self.height, self.frames) < 1:
            raise ValueError(f"width, height and frames must be positive; {self} was given")

    def scene_config(self, split: str) -> SolidConfig:
        """What the scenes of a split are drawn from."""
        return SolidConfig(width=self.width, height=self.height, frames=self.frames, split=split)


class Solids(ClipsBuilder, skip_registration=True):
    """The TFDS builder; its splits are those of `SolidConfig`: train and heldout."""

    DESCRIPTION = "Simulated 3-D scenes with exact captions and ground truth."
    options: SolidsOptions

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict[str, Any]:
        del dl_manager  # nothing is downloaded
        # Before anything is drawn: what is missing is said in one line.
        load_mujoco()
        choose_gl()
        sizes = {"train": self.options.train, "heldout": self.options.heldout}
        return {split: self._generate_examples(split, size) for split, size in sizes.items() if size}

    def _generate_examples(self, split: str, size: int) -> Iterator[tuple[str, dict[str, Any]]]:
        config = self.options.scene_config(split)
        done = self.options.train if split == "heldout" else 0
        for index in range(size):
            # Train and held out take turns, so that more clips of one never repeat those of the other.
            scene = draw_solids(config, self.options.seed * 2**32 + 2 * index + (split == "heldout"))
            shot = shoot(scene)
            captions = tuple(solid_caption(scene, phrasing) for phrasing in range(CAPTIONS_PER_CLIP))
            yield f"{split}-{index}", example(shot.frames_FHWC, captions, solids_origin(scene, shot))
            self.progress(done + index + 1, self.options.train + self.options.heldout)


def solids_origin(scene: SolidScene, shot: Shot) -> dict[str, Any]:
    """A scene, its ground truth, and the pairs that training never sees, as plain JSON values."""
    return {"scene": scene.to_dict(), "truth": plain(solid_truth(scene, shot)), "held_out": plain(HELD_OUT)}
