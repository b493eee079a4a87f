# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Framing, trained on squares from the middle of the frames: the rival of framing.py, which says how both are run.

vidgen train experiments/one_model/framing_square.py --workdir runs/framing_square_0
"""

import dataclasses
from pathlib import Path

from vidgen.config import load_experiment
from vidgen.train.dit import DiTTraining


def get_config() -> DiTTraining:
    """The same scenes, captions and tokens a step."""
    native: DiTTraining = load_experiment(Path(__file__).with_name("framing.py"))
    squares = tuple(
        dataclasses.replace(data, name=f"square_{data.name}", crop=(64, 64), batch_size=2 * data.batch_size)
        for data in native.data
    )
    return dataclasses.replace(native, data=squares)
