# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""One model for all worlds, fourth part: counts, speeds and two events in order, told with large things on a raster.

vidgen train experiments/one_model/raster.py --workdir runs/one_raster

Two CPU cores, 68 minutes; no paper's row. Of 200 held-out pairs, measured 2026-11-27: 75.0 % of 400
named things found (before 69.8), 96.0 % of 247 signs of motion right (93.0), 98.7 % of 78 on the right side; counts,
speeds, cameras, stories and tasks are in experiments/README.md. The first 476 steps ran with a
schedule of 7,000, the first 1,866 without `unroll`; three and four things of a kind were as large as others then, and
overlapped.
"""

import dataclasses
from pathlib import Path

from vidgen.config import load_experiment
from vidgen.train.dit import DiTTraining
from vidgen.train.loop import LoopConfig
from vidgen.train.optim import OptimConfig
from vidgen.train.streams import LatentData
from vidgen.train.tasks import TaskMix
from vidgen.worlds.holdout import SplitConfig
from vidgen.worlds.stage import Raster
from vidgen.worlds.story import StoryConfig


def get_config() -> DiTTraining:
    """The weights of `scenes.py` go on: half of the clips as before, the others of what they could not tell."""
    before: DiTTraining = load_experiment(Path(__file__).with_name("scenes.py"))
    pairs, stories, cameras, pictures = before.data
    concepts = before.alignment.concepts
    order, count, speed = (
        StoryConfig(kind, concepts=concepts, counts=(1, 4), raster=Raster()) for kind in ("order", "count", "speed")
    )
    still = tuple(scenes for scenes in pictures.scenes.scenes if not isinstance(scenes, StoryConfig))
    pictured = SplitConfig((*still, *still, dataclasses.replace(count, frames=1)), ("pair",))
    return dataclasses.replace(
        before,
        start_from="runs/one_scenes/model/dit.safetensors",
        text_from="",
        model=dataclasses.replace(before.model, unroll=before.model.layers),
        cache="runs/latents_raster",
        tasks=TaskMix(free=4.0, first=1.0, both=0.5, box=0.5),
        data=(
            dataclasses.replace(pairs, count=16_384, weight=0.28),
            LatentData(
                "raster", SplitConfig((order, order, count, speed), ("pair",)), 16_384, 8, 80, weight=0.2, shift=14.0
            ),
            dataclasses.replace(cameras, count=8_192, weight=0.16),
            dataclasses.replace(stories, count=6_144, weight=0.08),
            dataclasses.replace(pictures, scenes=pictured, count=49_152, weight=0.28),
        ),
        optim=OptimConfig(lr=1e-3, warmup=50, b2=0.98, ema=0.998, cooldown=0.9, lr_end=0.02),
        loop=LoopConfig(steps=5_800, log_every=25, eval_every=0, save_every=200),
    )
