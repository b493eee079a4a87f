# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""How near public models in our modules are to the originals, as one table.

    python experiments/benchmarks/parity.py

Compared is with what tests/golden/make_*.py kept of diffusers, transformers and DiT's published equations on small
random weights; neither is needed here. The figure is the largest difference as a share of the largest value; a second
one of bfloat16 is PyTorch's own against its float32. Of whole pipelines it is the largest difference of a pixel in
[0, 1], beyond the half step that rounding to 256 of them costs. Takes about a minute.
"""

import dataclasses
import functools
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jax
import numpy as np
from rich.console import Console
from rich.table import Table
from safetensors.numpy import load_file, save_file

from vidgen.models.dit import DiT
from vidgen.models.estimate import step_times
from vidgen.models.layers import apply
from vidgen.models.rows import apply_to_rows, lay_out
from vidgen.models.text import LabelTable, TextEncoder
from vidgen.parallel import attention
from vidgen.sample.wan import load_wan
from vidgen.weights import keymap
from vidgen.weights.files import Weights
from vidgen.weights.public import umt5, wan

TESTS = Path(__file__).parents[2] / "tests"
sys.path[:0] = [str(TESTS / part) for part in ("weights", "diffusion", "sample")]

import test_classes  # noqa: E402 - the comparisons are those of the tests
import test_dit  # noqa: E402
import test_picture_vae  # noqa: E402
import test_solvers  # noqa: E402
import test_stochastic  # noqa: E402
import test_umt5  # noqa: E402
import test_wan  # noqa: E402
import test_wan_vae  # noqa: E402

Row = tuple[str, str, str, str]
"""Model, small config, what is compared, its figures."""
DENSE = functools.partial(attention.dense, dtype="float32")


def far(ours: Any, theirs: np.ndarray) -> float:
    """The largest difference as a share of the largest value."""
    return float(np.abs(np.asarray(ours) - theirs).max() / np.abs(theirs).max())


def read(golden: dict[str, np.ndarray], table: Any, like: Any) -> Any:
    """Parameters from the weights in a golden file."""
    with tempfile.TemporaryDirectory() as folder:
        kept = {name.removeprefix("weights/"): x for name, x in golden.items() if name.startswith("weights/")}
        save_file(kept, Path(folder) / "model.safetensors")
        return keymap.load(Weights(folder), table, like)


def blocks_of(model: Callable[[int], DiT], golden: dict, *arguments: Any) -> float:
    """The worst of all blocks."""
    worst = 0.0
    for block in range(model(0).config.layers):
        said = jax.jit(functools.partial(apply_to_rows, model(block + 1)))(*arguments)
        worst = max(worst, far(said.features_BLD, golden[f"outputs/block{block}"]))
    return worst


def wans() -> Iterator[Row]:
    """Wan's transformer."""
    for name in test_wan.SHAPES:
        golden, config = test_wan.golden(name), test_wan.config(name)
        params = read(golden, wan.transformer(config), test_wan.shapes(name))
        inputs = test_wan.part(name, "inputs/")
        rows = lay_out(inputs["x"].transpose(0, 2, 3, 4, 1), config.patch)
        text = inputs["text"][:, None]
        given = params, rows, inputs["time"][:, None] / 1000, text, np.ones(text.shape[:3], bool)
        worst = blocks_of(lambda block, config=config: DiT(config, DENSE, read_block=block), golden, *given)
        yield "Wan 2.1 transformer", name, "each block", f"{worst:.1e}"
        exact, low = golden["outputs/velocity"], golden["outputs/velocity_bfloat16"]
        yield "", "", "velocity", f"{far(test_wan.run(name, params), exact):.1e}"
        ours = far(test_wan.run(name, params, "bfloat16"), exact)
        yield "", "", "velocity, bfloat16", f"{ours:.1e}; {far(low, exact):.1e}"


def dits() -> Iterator[Row]:
    """DiT and SiT."""
    for name in test_dit.SHAPES:
        golden, config, params = test_dit.golden(name), test_dit.config(name), test_dit.params(name)
        x, steps, ids = test_dit.given(name)
        t = np.float32(step_times(1000)[steps])
        rows = lay_out(x * np.sqrt((1 - t) ** 2 + t**2)[:, None, None, None, None], config.patch)
        text, real = apply(LabelTable(test_dit.labels(name)), params["text"], ids)
        given = params["dit"], rows, t[:, None], text[:, None], real[:, None]
        worst = blocks_of(lambda block, config=config: DiT(config, DENSE, read_block=block), golden, *given)
        yield "DiT, as published", name, "each block", f"{worst:.1e}"
        exact, low = golden["outputs/noise"], golden["outputs/noise_bfloat16"]
        yield "", "", "noise and variance", f"{far(test_dit.noise(name), exact):.1e}"
        ours = far(test_dit.noise(name, dtype="bfloat16"), exact)
        yield "", "", "the same, bfloat16", f"{ours:.1e}; {far(low, exact):.1e}"
        asked = far(test_dit.noise(name, as_diffusers=True), golden["outputs/diffusers"])
        yield "DiT, as diffusers", name, "noise and variance", f"{asked:.1e}"
        exact, low = (golden[f"outputs/{kept}"][:, : config.channels] for kept in ("sit", "sit_bfloat16"))
        said, half = (sit_velocity(name, dtype) for dtype in ("float32", "bfloat16"))
        yield "SiT", name, "velocity", f"{far(said, exact):.1e}"
        yield "", "", "the same, bfloat16", f"{far(half, exact):.1e}; {far(low, exact):.1e}"


def sit_velocity(name: str, dtype: str) -> np.ndarray:
    """What SiT says where the golden file has shares of noise."""
    x, _, ids = test_dit.given(name)
    config = dataclasses.replace(test_dit.config(name, test_dit.SIT_XL_2), dtype=dtype)
    shares = test_dit.golden(name)["inputs/shares"]
    return -test_dit.ask(config, test_dit.params(name), x, 1 - shares, ids).transpose(0, 3, 1, 2)


def encoders() -> Iterator[Row]:
    """UMT5 and the two VAEs."""
    for name, config in test_umt5.CONFIGS.items():
        golden = load_file(test_umt5.GOLDEN / f"umt5_{name}.safetensors")
        params = read(golden, umt5.encoder(), test_umt5.shapes(config))
        ids = golden["inputs/ids"]
        exact, low = (golden[f"outputs/{kept}"][ids > 0] for kept in ("features", "features_bfloat16"))
        said, half = (
            apply(TextEncoder(dataclasses.replace(config, dtype=dtype)), params, ids)[0][ids > 0]
            for dtype in ("float32", "bfloat16")
        )
        yield "UMT5 encoder", name, "features of words", f"{far(said, exact):.1e}"
        yield "", "", "the same, bfloat16", f"{far(half, exact):.1e}; {far(low, exact):.1e}"
    for name, shape in test_wan_vae.SHAPES.items():
        golden = load_file(test_wan_vae.GOLDEN / f"wan_vae_{name}.safetensors")
        mean, deviation = (tuple(golden[f"inputs/{part}"].tolist()) for part in ("mean", "deviation"))
        config = test_wan_vae.WanVAEConfig(**shape, mean=mean, deviation=deviation, dtype="float32")
        params = read(golden, wan.vae(config), test_wan_vae.shapes(config))
        z, low_z = (
            (test_wan_vae.last(golden[f"outputs/{kept}"]) - golden["inputs/mean"]) / golden["inputs/deviation"]
            for kept in ("z", "z_bfloat16")
        )
        video, low = (test_wan_vae.last(golden[f"outputs/{kept}"]) for kept in ("video", "video_bfloat16"))
        given = test_wan_vae.last(golden["inputs/video"])
        yield from both_ways("Wan VAE", name, test_wan_vae.WanVAE, config, params, given, (z, low_z), (video, low))
    for name, config in test_picture_vae.CONFIGS.items():
        golden = load_file(test_picture_vae.GOLDEN / f"picture_vae_{name}.safetensors")
        table = test_picture_vae.picture_vae.vae(config)
        params = read(golden, table, test_picture_vae.vae_shapes(config))
        z, low_z = (config.scale * test_picture_vae.last(golden[f"outputs/{kept}"]) for kept in ("z", "z_bfloat16"))
        shown, low = (
            np.clip(test_picture_vae.last(golden[f"outputs/{kept}"]), -1, 1)
            for kept in ("pictures", "pictures_bfloat16")
        )
        given, network = test_picture_vae.last(golden["inputs/pictures"]), test_picture_vae.PictureVAE
        yield from both_ways("DiT's VAE", name, network, config, params, given, (z, low_z), (shown, low))


def both_ways(
    model: str, name: str, network: Any, config: Any, params: Any, pixels: Any, z: tuple, shown: tuple
) -> Iterator[Row]:
    """What a VAE encodes and decodes, in float32 and in bfloat16; of z and shown the second is theirs in bfloat16."""
    lossy = network(dataclasses.replace(config, dtype="bfloat16"))
    for what, method, given, (exact, low) in (("latents", "encode", pixels, z), ("pixels", "decode", z[0], shown)):
        said, half = (apply(vae, params, given, method=getattr(network, method)) for vae in (network(config), lossy))
        yield model, name, what, f"{far(said, exact):.1e}"
        yield "", "", f"{what}, bfloat16", f"{far(half, exact):.1e}; {far(low, exact):.1e}"


def samplers() -> Iterator[Row]:
    """Trajectories on velocities that are no line."""
    for name, solver in (("unipc", test_solvers.unipc), ("dpm", test_solvers.dpm)):
        for steps in (5, 10, 50):
            worst = 0.0
            for shift in (1, 3, 5, 8):
                ts, theirs = (test_solvers.GOLDEN[f"{name}/{steps}/{shift}/{part}"] for part in ("times", "x"))
                worst = max(worst, far(test_solvers.follow(ts, solver), theirs))
            yield f"sampler {name}", f"{steps} steps", "shifts 1, 3, 5, 8", f"{worst:.1e}"
    for steps in (5, 10, 50):
        for solver, parts in test_stochastic.by_diffusers(steps):
            worst = max(far(ours, theirs) for ours, theirs in parts)
            yield f"sampler {solver}", f"{steps} steps", "where it goes", f"{worst:.1e}"


def pipelines() -> Iterator[Row]:
    """Whole folders, float32."""
    made, theirs = test_classes.pictures(["207", "Linnet"])
    yield "DiT pipeline", "2 pictures, 10 steps", "pixels", pixels(made, theirs)
    folder = TESTS / "golden" / "wan_pipeline"
    expected = load_file(folder / "expected.safetensors")
    asked = {"frames": 9, "height": 32, "width": 48, "steps": 6, "guidance": 4.0, "negative": "blurry"}
    prompts = ["A dog runs &amp; jumps  over the moon.", "a cat"]
    noise = expected["noise"].transpose(0, 2, 3, 4, 1)
    made = load_wan(folder, "float32").generate(prompts, **asked, noise_BTHWC=noise)
    yield "Wan pipeline", "2 clips, 6 steps", "pixels", pixels(made, expected["video"])


def pixels(made: np.ndarray, theirs: np.ndarray) -> str:
    """See above."""
    return f"{max(0.0, float(np.abs(made / 255 - theirs).max()) - 0.5 / 255):.1e}"


def main() -> None:
    console = Console(width=110)
    for rows in (wans, dits, encoders, samplers, pipelines):
        table = Table("model", "config", "what", "largest difference")
        for row in rows():
            table.add_row(*row)
        console.print(table)  # as soon as it is known


if __name__ == "__main__":
    main()
