# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Public models at full size: every name and shape counted, and what they need on TPU slices, as compiled.

    python experiments/benchmarks/public_memory.py

Needs libtpu (pip install -e ".[aot]"), no TPU and no weights; up to minutes a row. Each row's figures are kept in
docs/pods/public.json, and rows that are there are not compiled again; --only PART takes the rows whose names hold PART,
--table compiles nothing. Wan makes 832x480 pixels, 81 frames, with guidance; weights are bfloat16, or int8 where said.
"""

import dataclasses
import functools
import json
import os
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import tyro
from jax.sharding import Mesh, NamedSharding
from jax.sharding import PartitionSpec as P
from rich.console import Console
from rich.table import Table

from vidgen import trees
from vidgen.diffusion.guidance import Guidance
from vidgen.models.dit import DiTConfig
from vidgen.models.picture_vae import PictureVAEConfig
from vidgen.models.presets import DIT_XL_2, IMAGENET, SIT_XL_2, UMT5_XXL, WAN_1_3B, WAN_14B
from vidgen.models.wan_vae import WanVAEConfig
from vidgen.parallel import aot, shard
from vidgen.parallel.mesh import MeshConfig, make_mesh
from vidgen.parallel.shard import make_parallel
from vidgen.parallel.topology import parse_topology
from vidgen.sample.autoencoder import LatentSpace, decode_groups, vae_shapes
from vidgen.sample.program import Networks, read_captions, text_to_latent, text_to_video
from vidgen.weights import int8, keymap
from vidgen.weights.keymap import Keymap
from vidgen.weights.public import dit, picture_vae, umt5, wan
from vidgen.weights.shapes import dit_shapes, text_shapes

# As `vidgen compile` does: no look-up of a TPU, and beside others that compile.
os.environ |= {"JAX_PLATFORMS": "cpu", "TPU_SKIP_MDS_QUERY": "1", "ALLOW_MULTIPLE_LIBTPU_LOAD": "1"}

FILE = Path(__file__).parents[2] / "docs" / "pods" / "public.json"
GIB = 2.0**30
FRAMES, HEIGHT, WIDTH, WORDS = 81, 480, 832, 512
TOPOLOGIES = {
    "v5e:2x2": MeshConfig(fsdp=2, tensor=2),
    "v6e:1x1": MeshConfig(),
    "v5p:2x2x1": MeshConfig(fsdp=2, tensor=2),
}
LONG = {"v5e:2x2": MeshConfig(fsdp=1, sequence=4), "v5p:2x2x1": MeshConfig(fsdp=1, sequence=4)}
"""For programs of one clip: its tokens are divided."""


def counted() -> list[tuple[str, Keymap, Any]]:
    """(name, table, shapes) of each public network."""
    classes = {"dit": dit_shapes(DIT_XL_2), "text": text_shapes(IMAGENET)}
    return [
        ("Wan 2.1 1.3B", wan.transformer(WAN_1_3B), dit_shapes(WAN_1_3B)),
        ("Wan 2.1 14B", wan.transformer(WAN_14B), dit_shapes(WAN_14B)),
        ("UMT5-XXL encoder", umt5.encoder(), text_shapes(UMT5_XXL)),
        ("Wan VAE", wan.vae(WanVAEConfig()), vae_shapes(WanVAEConfig())),
        ("DiT-XL/2, SiT-XL/2, with fixed positions", dit.original(DIT_XL_2), classes),
        ("the same as diffusers keeps it", dit.diffusers(DIT_XL_2), classes),
        ("their VAE", picture_vae.vae(PictureVAEConfig()), vae_shapes(PictureVAEConfig())),
    ]


def whole(mesh: Mesh, shape: tuple[int, ...], dtype: Any = jnp.float32) -> jax.ShapeDtypeStruct:
    """An argument that every device has."""
    return jax.ShapeDtypeStruct(shape, dtype, sharding=NamedSharding(mesh, P()))


def placed(mesh: Mesh, params: Any, small: bool = False) -> Any:
    """Parameters in bfloat16, or in 8 bits, divided over a mesh."""
    params = jax.tree.map(lambda x: jax.ShapeDtypeStruct(x.shape, jnp.bfloat16), params)
    params = int8.quantised_shapes(params) if small else params
    return shard.abstract(params, shard.parameter_shardings(params, mesh))


def read_words(mesh: Mesh, small: bool) -> tuple[Any, tuple]:
    """UMT5-XXL reads a prompt and what to stay away from."""
    params = placed(mesh, {"text": text_shapes(UMT5_XXL)}, small)["text"]
    return read_captions, (UMT5_XXL, mesh, params, whole(mesh, (2, WORDS), jnp.int32))


def wan_steps(config: DiTConfig, mesh: Mesh, small: bool) -> tuple[Any, tuple]:
    """All steps of the sampler: prompts were read, and the VAE comes later."""
    networks = Networks(WanVAEConfig(), UMT5_XXL, config)
    shape = networks.vae.latent_shape(FRAMES, HEIGHT, WIDTH)
    key = jax.eval_shape(lambda: jax.random.key(0))
    words = whole(mesh, (1, WORDS, UMT5_XXL.width)), whole(mesh, (1, WORDS), jnp.bool_)

    @jax.jit
    def run(ts, params, captions, negative, guidance, key):
        parallel = make_parallel(mesh, config.dtype)
        return text_to_latent(networks, shape, ts, "unipc", params, captions, negative, guidance, key, parallel)

    numbers: Any = [whole(mesh, ())] * 4
    params = placed(mesh, {"dit": dit_shapes(config)}, small)
    return run, (whole(mesh, (51,)), params, words, words, Guidance(*numbers), whole(mesh, (), key.dtype))


def wan_decode(mesh: Mesh, _small: bool) -> tuple[Any, tuple]:
    """Wan's VAE makes the frames."""
    config = WanVAEConfig()
    params = placed(mesh, {"vae": vae_shapes(config)})["vae"]
    latent = whole(mesh, (1, *config.latent_shape(FRAMES, HEIGHT, WIDTH)))
    parallel = make_parallel(mesh, config.dtype)

    @jax.jit
    def run(params, z):
        return decode_groups(config, params, parallel.shard(z, "BTHWC"), parallel.shard)

    return run, (params, latent)


def classes_whole(config: DiTConfig, solver: str, mesh: Mesh, small: bool) -> tuple[Any, tuple]:
    """DiT or SiT: eight pictures of 256x256, steps and VAE in one program."""
    networks = Networks(PictureVAEConfig(), IMAGENET, config, 3)
    key = jax.eval_shape(lambda: jax.random.key(0))
    params = placed(mesh, {"dit": dit_shapes(config), "text": text_shapes(IMAGENET)}, small)
    params |= placed(mesh, {"vae": vae_shapes(networks.vae)})
    numbers: Any = [whole(mesh, ())] * 4
    like: Any = [whole(mesh, sizes) for sizes in ((4,), (4, 4), (4,))]
    return text_to_video, (
        networks, (1, 32, 32, 4), solver, mesh, "auto", whole(mesh, (251,)), params, LatentSpace(*like),
        whole(mesh, (8, 1), jnp.int32), whole(mesh, (1, 1), jnp.int32), Guidance(*numbers), whole(mesh, (), key.dtype),
    )  # fmt: skip


PROGRAMS: dict[str, tuple[Callable, dict[str, MeshConfig], bool]] = {
    "DiT-XL/2, 8 pictures": (functools.partial(classes_whole, DIT_XL_2, "ddpm"), TOPOLOGIES, False),
    "SiT-XL/2, 8 pictures": (functools.partial(classes_whole, SIT_XL_2, "sde"), TOPOLOGIES, False),
    "UMT5-XXL reads": (read_words, TOPOLOGIES, False),
    "UMT5-XXL reads, int8": (read_words, TOPOLOGIES, True),
    "Wan 1.3B, 50 steps": (functools.partial(wan_steps, WAN_1_3B), TOPOLOGIES | LONG, False),
    "Wan 14B, 50 steps": (functools.partial(wan_steps, WAN_14B), TOPOLOGIES, False),
    "Wan 14B, 50 steps, int8": (functools.partial(wan_steps, WAN_14B), TOPOLOGIES, True),
    "Wan VAE decodes": (wan_decode, TOPOLOGIES | LONG, False),
}
"""What is compiled: its maker, where, and whether matrices are in 8 bits."""


@dataclasses.dataclass(frozen=True)
class Options:
    """Which rows are wanted."""

    only: str = ""
    """A part of the names of the rows to compile, such as "v6e" or "14B"; empty for all."""
    table: bool = False
    """Compile nothing: print the tables of what there is."""


def compile_row(name: str, where: str) -> dict[str, Any]:
    """Bytes of one program on one chip, or what the compiler says of its being too large."""
    make, meshes, small = PROGRAMS[name]
    topology = parse_topology(where)
    mesh = make_mesh(meshes[where], aot.tpu_devices(topology))
    start = time.process_time()
    with jax.set_mesh(mesh):
        function, arguments = make(mesh, small)
        try:
            memory = function.lower(*arguments).compile().memory_analysis()
        except jax.errors.JaxRuntimeError as error:
            needed = re.search(r"Used ([\d.]+)G of ([\d.]+)G hbm", str(error)) or re.search(
                r"temporaries \(([\d.]+)G\) exceeds available HBM \(([\d.]+)G\)", str(error)
            )
            if needed is None:
                raise
            return {"peak": float(needed[1]) * GIB, "capacity": float(needed[2]) * GIB, "refused": True,
                    "compile_cpu_seconds": time.process_time() - start}  # fmt: skip
    sizes = {
        "arguments": memory.argument_size_in_bytes,
        "temporaries": memory.temp_size_in_bytes,
        "rest": memory.output_size_in_bytes - memory.alias_size_in_bytes + memory.generated_code_size_in_bytes,
    }
    capacity = topology.chip.hbm_bytes / topology.chip.devices
    return {**sizes, "peak": sum(sizes.values()), "capacity": capacity, "refused": False,
            "compile_cpu_seconds": time.process_time() - start}  # fmt: skip


def show(rows: dict[str, dict[str, Any]]) -> None:
    """Both tables."""
    console, names = Console(width=140), Table("network", "tensors", "parameters")
    for name, table, shapes in counted():
        found = keymap.places(table, shapes)
        # Copies and constants are in their files, and are no parameters of ours.
        names.add_row(name, f"{len(found):,}", f"{trees.count(shapes):,}")
    console.print(names)
    sizes = Table("program", "slice", "weights, GiB a chip", "temporaries", "all", "of", "fits", "compiled in, CPU s")
    for name, row in rows.items():
        program, where = name.rsplit(" on ", 1)
        part = [f"{row[key] / GIB:.2f}" if key in row else "" for key in ("arguments", "temporaries")]
        fits = "no" if row["refused"] or row["peak"] > row["capacity"] else "yes"
        used = [f"{row['peak'] / GIB:.2f}", f"{row['capacity'] / GIB:.1f}", fits]
        sizes.add_row(program, where, *part, *used, f"{row['compile_cpu_seconds']:.0f}")
    console.print(sizes)


def main(options: Options) -> None:
    rows = json.loads(FILE.read_text()) if FILE.is_file() else {}
    wanted = [(name, where) for name, (_, meshes, _) in PROGRAMS.items() for where in meshes]
    for name, where in wanted:
        row = f"{name} on {where}"
        if options.table or row in rows or options.only not in row:
            continue
        rows[row] = compile_row(name, where)
        rows = {key: rows[key] for key in (f"{name} on {where}" for name, where in wanted) if key in rows}
        FILE.write_text(json.dumps(rows, indent=1) + "\n")
    show(rows)


if __name__ == "__main__":
    main(tyro.cli(Options))
