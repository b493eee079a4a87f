# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""A step of a mid-size Wan transformer, ours against diffusers': same weights, same input, same threads, in turns.

    python experiments/benchmarks/wan_step.py --python PYTHON_WITH_TORCH

Needs a Python with torch and diffusers, which may be another environment's: each side runs in a process of its own,
and the two take turns. Their outputs are compared too.
"""

import dataclasses
import functools
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Literal

import jax
import jax.numpy as jnp
import numpy as np
import tyro
from rich.console import Console
from rich.table import Table

from vidgen.models.dit import DiT, DiTConfig
from vidgen.models.presets import WAN_1_3B
from vidgen.models.rows import apply_to_grid
from vidgen.parallel import attention
from vidgen.weights import keymap
from vidgen.weights.files import Weights
from vidgen.weights.public import wan

CONFIG = dataclasses.replace(WAN_1_3B, width=768, layers=12, heads=12, hidden=3072, text_width=512)
GRID, WORDS = (5, 40, 40), 64  # latent frames, rows, columns: 2,000 tokens
THEIRS = """
import json, sys, time, numpy as np, torch
from diffusers.models.transformers.transformer_wan import WanTransformer3DModel
folder, dtype, how, threads, repeats = sys.argv[1:6]
torch.set_num_threads(int(threads))
model = WanTransformer3DModel.from_pretrained(folder, torch_dtype=getattr(torch, dtype)).eval()
given = np.load(folder + "/input.npz")
x, text = (torch.from_numpy(given[k]).to(getattr(torch, dtype)) for k in ("x", "text"))
step = torch.compile(model) if how == "compiled" else model
spent = []
with torch.no_grad():
    for turn in range(1 + int(repeats)):
        start = time.perf_counter()
        out = step(x, torch.tensor([500.0]), text, return_dict=False)[0]
        spent.append(time.perf_counter() - start)
np.save(folder + "/theirs.npy", out.float().numpy())
print(json.dumps(spent[1:]))
"""


@dataclasses.dataclass(frozen=True)
class Options:
    """How to measure."""

    python: str = sys.executable
    """A Python that has torch and diffusers."""
    threads: int = 2
    """For each side."""
    rounds: int = 3
    """How often the sides take turns."""
    repeats: int = 3
    """Steps a turn, after one that is not counted."""
    dtypes: tuple[Literal["float32", "bfloat16"], ...] = ("float32", "bfloat16")


def make(folder: Path) -> None:
    """Random weights and an input, in the format of diffusers."""
    rng = np.random.default_rng(0)
    params = jax.tree.map(lambda x: (rng.normal(size=x.shape) * x.shape[-1] ** -0.5).astype(np.float32), shapes())
    keymap.save(folder, params, wan.transformer(CONFIG), name="diffusion_pytorch_model", metadata={"format": "pt"})
    config = {
        "_class_name": "WanTransformer3DModel", "patch_size": CONFIG.patch, "num_attention_heads": CONFIG.heads,
        "attention_head_dim": CONFIG.width // CONFIG.heads, "in_channels": CONFIG.channels,
        "out_channels": CONFIG.channels, "text_dim": CONFIG.text_width, "freq_dim": CONFIG.time_width,
        "ffn_dim": CONFIG.hidden, "num_layers": CONFIG.layers, "cross_attn_norm": True,
        "qk_norm": "rms_norm_across_heads", "eps": 1e-6,
    }  # fmt: skip
    (folder / "config.json").write_text(json.dumps(config))
    x = rng.normal(size=(1, CONFIG.channels, *GRID)).astype(np.float32)
    np.savez(folder / "input.npz", x=x, text=rng.normal(size=(1, WORDS, CONFIG.text_width)).astype(np.float32))


def shapes() -> dict:
    """Of the transformer's parameters."""
    one, three = jnp.zeros((1, 1), jnp.int32), jnp.zeros((1, 1, 3), jnp.int32)
    P = CONFIG.channels * int(np.prod(CONFIG.patch))
    text = jnp.zeros((1, 1, CONFIG.text_width))
    init = DiT(CONFIG, attention.dense).init
    return jax.eval_shape(init, jax.random.key(0), jnp.zeros((1, 1, P)), three, three, one * 1.0, one, text, one > 0)[
        "params"
    ]


def ours(folder: Path, dtype: str, repeats: int) -> list[float]:
    """Seconds of each step."""
    config: DiTConfig = dataclasses.replace(CONFIG, dtype=dtype)
    params = keymap.load(Weights(folder / "diffusion_pytorch_model.safetensors"), wan.transformer(config), shapes())
    dit = DiT(config, functools.partial(attention.dense, dtype=dtype))
    given = np.load(folder / "input.npz")
    x = given["x"].transpose(0, 2, 3, 4, 1)
    step = jax.jit(functools.partial(apply_to_grid, dit))
    spent = []
    for _ in range(1 + repeats):
        start = time.perf_counter()
        out = step(params, x, np.array([0.5], np.float32), given["text"][:, None], np.ones((1, 1, WORDS), bool))
        jax.block_until_ready(out)
        spent.append(time.perf_counter() - start)
    np.save(folder / "ours.npy", np.asarray(out).transpose(0, 4, 1, 2, 3))
    return spent[1:]


def theirs(options: Options, folder: Path, dtype: str, how: str) -> list[float]:
    """Seconds of each step of diffusers'; [] where torch cannot compile."""
    arguments = [str(folder), dtype, how, str(options.threads), str(options.repeats)]
    environment = {**os.environ, "OMP_NUM_THREADS": str(options.threads)}
    done = subprocess.run(
        [options.python, "-c", THEIRS, *arguments], capture_output=True, text=True, env=environment, check=False
    )
    if done.returncode:
        print(f"{how} {dtype}: {done.stderr.strip().splitlines()[-1]}")
        return []
    return json.loads(done.stdout.strip().splitlines()[-1])


def main(options: Options) -> None:
    table = Table("operands", "side", "seconds a step", "ours / theirs", "difference")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make(folder)
        for dtype in options.dtypes:
            spent: dict[str, list[float]] = {"vidgen": [], "diffusers, eager": [], "diffusers, compiled": []}
            for _ in range(options.rounds):
                spent["vidgen"] += ours(folder, dtype, options.repeats)
                for how in ("eager", "compiled"):
                    spent[f"diffusers, {how}"] += theirs(options, folder, dtype, how)
            a, b = (np.load(folder / f"{side}.npy") for side in ("ours", "theirs"))
            seconds = {side: float(np.median(times)) for side, times in spent.items() if times}
            for side, median in seconds.items():
                ratio = "" if side == "vidgen" else f"{seconds['vidgen'] / median:.2f}"
                apart = "" if side == "vidgen" else f"{np.abs(a - b).max() / np.abs(b).max():.1e}"
                table.add_row(dtype, side, f"{median:.2f}", ratio, apart)
    Console().print(table)


if __name__ == "__main__":
    main(tyro.cli(Options))
