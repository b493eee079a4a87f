# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""What a chip needs to decode clips of several lengths on a TPU slice, as compiled: the table of docs/compile.md.

    python experiments/benchmarks/decoding.py

The decoder is that of experiments/wan_1_3b.py, 480p, with time divided over four chips of v5p. Needs libtpu
(pip install -e ".[aot]") and no TPU; half a minute of the processors' time a row.
"""

import dataclasses
import functools
import os

import tyro

from vidgen.cli.compile.client import clean_environment

MIB = 2.0**20


@dataclasses.dataclass(frozen=True)
class Options:
    """What is compiled."""

    topology: str = "v5p:2x2x1"
    """The slice, whose chips share the time of a clip."""
    frames: tuple[int, ...] = (241, 961)
    """Lengths of clips; 961 are 60 seconds at 16 frames a second."""
    width: int = 832
    """Pixels in a row."""
    height: int = 480
    """Rows of pixels."""


def main(options: Options) -> None:
    """Compiles each length and prints what a chip needs, and how much of that is not the clip."""
    for name in set(os.environ) - set(clean := clean_environment(os.environ)):
        del os.environ[name]
    os.environ.update(clean)  # JAX reads it when it is imported first
    import jax
    import jax.numpy as jnp
    from jax.sharding import NamedSharding
    from jax.sharding import PartitionSpec as P

    from vidgen.config import load_experiment
    from vidgen.parallel import aot, shard
    from vidgen.parallel.mesh import MeshConfig, make_mesh
    from vidgen.parallel.topology import parse_topology
    from vidgen.sample.autoencoder import vae_shapes
    from vidgen.sample.decoding import decode_on

    config = load_experiment("experiments/wan_1_3b.py").vae_config
    topology = parse_topology(options.topology)
    chips = topology.chips * topology.chip.devices
    mesh = make_mesh(MeshConfig(sequence=chips), aot.tpu_devices(topology))
    params = vae_shapes(config)
    params = shard.abstract(params, shard.parameter_shardings(params, mesh))
    print("| frames | clip a chip, MiB | temporaries | temporaries beside the clip |\n|---|---|---|---|")
    for frames in options.frames:
        T, H, W, C = config.latent_shape(frames, options.height, options.width)
        placed = NamedSharding(mesh, P())
        latent = jax.ShapeDtypeStruct((1, T, H, W, C), jnp.float32, sharding=placed)
        with jax.set_mesh(mesh):
            decode = jax.jit(functools.partial(decode_on, mesh, config))
            memory = decode.lower(params, latent).compile().memory_analysis()
        clip = config.group * -(-T // chips) * options.height * options.width * 3 / MIB
        assert memory is not None
        needed = memory.temp_size_in_bytes / MIB
        print(f"| {frames} | {clip:.0f} | {needed:.0f} | {needed - clip:.0f} |", flush=True)


if __name__ == "__main__":
    main(tyro.cli(Options))
