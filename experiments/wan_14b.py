# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The transformer of Wan 2.1 14B (arXiv 2503.20314, table 1): 720p, 81 frames, 75,600 tokens; to be compiled for pods.

vidgen compile experiments/wan_14b.py --topology v5p:8x8x8

512 chips of v5p; hours: not run. The paper's score: VBench, not measured by us. Ours: none, the shapes alone were
compiled: docs/compile.md, 2026-11-25.

All but the size is as in wan_1_3b.py, which says what is Wan's and what is ours.
"""

import dataclasses
from pathlib import Path

from vidgen.config import load_experiment
from vidgen.parallel.mesh import MeshConfig
from vidgen.sample.sampler import SampleConfig
from vidgen.train.dit import DiTTraining
from vidgen.worlds.scene import SceneConfig


def get_config() -> DiTTraining:
    """Eight chips share the tokens of a clip, which are five heads a chip."""
    small: DiTTraining = load_experiment(Path(__file__).with_name("wan_1_3b.py"))
    clips = dataclasses.replace(
        small.data[0], scenes=SceneConfig(width=1280, height=720, frames=81), batch_size=64, shift=5.0
    )
    return dataclasses.replace(
        small,
        data=(clips,),
        model=dataclasses.replace(small.model, width=5120, layers=40, heads=40, hidden=13824),
        sample=SampleConfig(steps=50, guidance=5.0, solver="euler", shift=5.0),
        mesh=MeshConfig(fsdp=-1, sequence=8),
    )
