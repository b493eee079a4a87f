# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""How much memory of the host loading takes, beside what the devices hold: a checkpoint in several files is read onto
eight virtual devices, whose memory is the host's too.

    python experiments/benchmarks/streaming_load.py

The checkpoint is random, of a transformer with Wan's names, and made for it; the process that loads it does so twice,
so that compiling is not counted, and the second time asks the system (Linux) for the most that it had.
"""

import dataclasses
import gc
import json
import math
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import tyro

DEVICES = 8


@dataclasses.dataclass(frozen=True)
class Options:
    """How large the checkpoint is."""

    width: int = 2048
    """Of the transformer; the largest matrix has width x hidden weights, of 4 bytes."""
    hidden: int = 8192
    layers: int = 2
    json: bool = False
    """Print one JSON object."""
    child: str = ""
    """The folder to load, in the process that is measured."""


def config(options: Options) -> Any:
    """The transformer."""
    from vidgen.models.presets import WAN_1_3B

    heads = options.width // 64
    return dataclasses.replace(
        WAN_1_3B, width=options.width, hidden=options.hidden, heads=heads, layers=options.layers, text_width=256
    )


def write(folder: Path, options: Options) -> None:
    """The checkpoint: a file for each layer and more, tensor by tensor."""
    from vidgen.weights import keymap
    from vidgen.weights.public import wan
    from vidgen.weights.safetensors import write_tensors
    from vidgen.weights.shapes import dit_shapes

    places, rng = keymap.places(wan.transformer(config(options)), dit_shapes(config(options))), np.random.default_rng(0)
    groups: dict[str, list[tuple[str, tuple[int, ...]]]] = {}
    for name, place in places.items():
        group = f"model-{name.split('.')[1] if name.startswith('blocks.') else 'rest'}.safetensors"
        groups.setdefault(group, []).append((name, place.shape))

    def tensors(group: list[tuple[str, tuple[int, ...]]]) -> Iterator[tuple]:
        for name, shape in group:
            yield name, shape, np.dtype(np.float32), lambda shape=shape: rng.random(shape, np.float32)

    for file, group in groups.items():
        write_tensors(folder / file, tensors(group))
    index = {"weight_map": {name: file for file, group in groups.items() for name, _ in group}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))


def status(field: str) -> int:
    """A number of this process from the system, in bytes."""
    [line] = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(f"{field}:")]
    return int(line.split()[1]) * 1024


def load(options: Options) -> None:
    """Loads twice, and prints what the second time took."""
    import jax

    from vidgen.parallel.mesh import MeshConfig, make_mesh
    from vidgen.parallel.shard import abstract, parameter_shardings
    from vidgen.weights import keymap
    from vidgen.weights.files import Weights
    from vidgen.weights.public import wan
    from vidgen.weights.shapes import dit_shapes

    jax.config.update("jax_num_cpu_devices", DEVICES)
    like, mesh = {"dit": dit_shapes(config(options))}, make_mesh(MeshConfig(fsdp=4, tensor=2))
    placed = abstract(like, parameter_shardings(like, mesh))["dit"]

    def read() -> Any:
        weights = Weights(options.child)
        return jax.block_until_ready(keymap.load(weights, wan.transformer(config(options)), placed)), weights.tensors

    read()
    gc.collect()
    before = status("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # the most from here on
    params, tensors = read()
    held = sum(shard.data.nbytes for leaf in jax.tree.leaves(params) for shard in leaf.addressable_shards)
    largest = max(4 * math.prod(tensor.shape) for tensor in tensors.values())
    found = {"checkpoint": sum(tensor.size for tensor in tensors.values()), "largest": largest, "held": held}
    found |= {"before": before, "most": status("VmHWM"), "beside": status("VmHWM") - before - held}
    print(json.dumps(found))


def measure(options: Options) -> dict[str, float]:
    """Bytes: of the checkpoint, its largest tensor, what the devices hold, and the most memory beside that."""
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder), options)
        sizes = ["--width", str(options.width), "--hidden", str(options.hidden), "--layers", str(options.layers)]
        argv = [sys.executable, __file__, *sizes, "--child", folder]
        # Freed memory goes back to the system at once, so that what is seen is what is held.
        freed = {"MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "65536"}
        environment = {**os.environ, "JAX_PLATFORMS": "cpu", **freed}
        done = subprocess.run(argv, check=True, capture_output=True, text=True, env=environment)
    return json.loads(done.stdout.splitlines()[-1])


def main(options: Options) -> None:
    if options.child:
        load(options)
        return
    found = measure(options)
    if options.json:
        print(json.dumps(found))
        return
    for name, value in found.items():
        print(f"{name:<11} {value / 2**20:8.1f} MiB")
    print(f"beside / largest tensor: {found['beside'] / found['largest']:.2f} (the bar is 1.2)")


if __name__ == "__main__":
    main(tyro.cli(Options))
