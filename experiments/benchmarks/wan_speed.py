# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Wan 2.1 here against diffusers, eager and by torch.compile: same weights, same input, same threads, in turns.

    python experiments/benchmarks/wan_speed.py --python PYTHON_WITH_TORCH

Measured are a step of a transformer of 119M parameters on 2,000 tokens, the decoding of 17 frames of 128x128 by the VAE
at full size, and a whole sample by a small model (20M parameters, 320 tokens, 20 steps with guidance, text encoder and
VAE included). Needs a Python with torch, diffusers, transformers and accelerate, which may be another environment's,
and a C++ compiler for torch.compile. Each side is a process of its own that waits while another one's turn is measured;
figures are medians of all turns. Their outputs are compared too. Beside them stands what the transformer's products
alone would take at the speed of one large float32 matmul of XLA here. To give both sides large pages, set
GLIBC_TUNABLES=glibc.malloc.hugetlb=1 before the command.
"""

import dataclasses
import functools
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np
import tyro
from rich.console import Console
from rich.table import Table

from vidgen import trees
from vidgen.models.dit import DiT, DiTConfig
from vidgen.models.layers import apply
from vidgen.models.memory import remember
from vidgen.models.presets import UMT5_XXL, WAN_1_3B
from vidgen.models.rows import apply_to_grid
from vidgen.models.wan_vae import WanVAE, WanVAEConfig
from vidgen.parallel.mesh import MeshConfig, make_mesh
from vidgen.parallel.program import product_flops
from vidgen.parallel.shard import make_parallel
from vidgen.sample.autoencoder import vae_shapes
from vidgen.sample.public import LARGE
from vidgen.sample.wan import load_wan
from vidgen.train.log import peak_flops
from vidgen.weights import keymap
from vidgen.weights.files import Weights
from vidgen.weights.public import umt5, wan
from vidgen.weights.shapes import dit_shapes, text_shapes

Task = Literal["step", "decode", "sample"]
MID = dataclasses.replace(WAN_1_3B, width=768, layers=12, heads=12, hidden=3072, text_width=512)
GRID, WORDS = (5, 40, 40), 64  # latent frames, rows, columns: 2,000 tokens
SMALL = dataclasses.replace(WAN_1_3B, width=384, layers=8, heads=6, hidden=1536, text_width=64)
READER = dataclasses.replace(UMT5_XXL, vocabulary=512, width=64, layers=2, heads=2, hidden=128)
EYES = WanVAEConfig(base=16)
FRAMES, SIDE, STEPS, GUIDANCE, PROMPT = 17, 128, 20, 5.0, "a cat"
TOKENIZER = Path(__file__).parents[2] / "tests" / "golden" / "wan_pipeline" / "tokenizer"
THEIRS = """
import json, sys, time, warnings, numpy as np, torch
warnings.filterwarnings("ignore")
folder, task, dtype, how, threads = sys.argv[1:6]
torch.set_num_threads(int(threads))
dtype = getattr(torch, dtype)
given = np.load(folder + "/input.npz")
read = lambda name: torch.from_numpy(given[name]).to(dtype)
fast = torch.compile if how == "compiled" else lambda x: x
if task == "step":
    from diffusers.models.transformers.transformer_wan import WanTransformer3DModel
    model = WanTransformer3DModel.from_pretrained(folder + "/transformer", torch_dtype=dtype).eval()
    x, text, step = read("x"), read("text"), fast(model)
    run = lambda: step(x, torch.tensor([500.0]), text, return_dict=False)[0]
elif task == "decode":
    from diffusers import AutoencoderKLWan
    vae = AutoencoderKLWan.from_pretrained(folder + "/vae", torch_dtype=dtype).eval()
    vae.decoder, z = fast(vae.decoder), read("z")
    run = lambda: vae.decode(z, return_dict=False)[0]
else:
    from diffusers import WanPipeline
    from transformers import UMT5EncoderModel
    encoder = UMT5EncoderModel.from_pretrained(folder + "/small/text_encoder", torch_dtype=dtype)
    pipe = WanPipeline.from_pretrained(folder + "/small", text_encoder=encoder, tokenizer=None, torch_dtype=dtype)
    pipe.set_progress_bar_config(disable=True)
    pipe.transformer, pipe.vae.decoder = fast(pipe.transformer), fast(pipe.vae.decoder)
    ids, noise = torch.from_numpy(given["ids"]), read("noise")
    frames, side, steps, guidance = json.loads(sys.argv[6])
    def run():
        said = encoder(ids, attention_mask=(ids > 0).long()).last_hidden_state * (ids > 0)[..., None]
        return torch.from_numpy(pipe(
            prompt_embeds=said[:1].to(dtype), negative_prompt_embeds=said[1:].to(dtype), height=side, width=side,
            num_frames=frames, num_inference_steps=steps, guidance_scale=guidance, latents=noise, output_type="np",
        ).frames)
with torch.no_grad():
    run(), run()
    print("ready", flush=True)
    for _ in sys.stdin:
        start = time.perf_counter()
        out = run()
        print(time.perf_counter() - start, flush=True)
np.save(folder + "/theirs.npy", out.float().numpy())
"""


@dataclasses.dataclass(frozen=True)
class Options:
    """How to measure."""

    python: str = sys.executable
    """A Python that has torch, diffusers and transformers."""
    threads: int = 2
    """For each of their processes; ours takes the machine's cores."""
    rounds: int = 7
    """How often the sides take turns."""
    tasks: tuple[Task, ...] = ("step", "decode", "sample")
    dtypes: tuple[Literal["float32", "bfloat16"], ...] = ("float32", "bfloat16")
    hows: tuple[Literal["eager", "compiled"], ...] = ("eager", "compiled")


def make(folder: Path) -> None:
    """Random weights and inputs, in the format of diffusers."""
    rng = np.random.default_rng(0)
    small = folder / "small"
    save_transformer(rng, folder / "transformer", MID)
    save_vae(rng, folder / "vae", WanVAEConfig())
    save_transformer(rng, small / "transformer", SMALL)
    save_vae(rng, small / "vae", EYES)
    reader = {
        "architectures": ["UMT5EncoderModel"], "model_type": "umt5", "vocab_size": READER.vocabulary,
        "d_model": READER.width, "num_layers": READER.layers, "num_heads": READER.heads,
        "d_kv": READER.width // READER.heads, "d_ff": READER.hidden, "feed_forward_proj": "gated-gelu",
        "dropout_rate": 0.0, "pad_token_id": 0,
        "eos_token_id": 1, "tie_word_embeddings": True,
    }  # fmt: skip
    save(small / "text_encoder", "model", noise_like(rng, text_shapes(READER)), umt5.encoder(), reader)
    shutil.copytree(TOKENIZER, small / "tokenizer")
    schedule = {
        "_class_name": "UniPCMultistepScheduler", "prediction_type": "flow_prediction", "use_flow_sigmas": True,
        "flow_shift": 3.0, "solver_order": 2, "num_train_timesteps": 1000,
    }  # fmt: skip
    parts = {
        "transformer": ["diffusers", "WanTransformer3DModel"], "vae": ["diffusers", "AutoencoderKLWan"],
        "scheduler": ["diffusers", "UniPCMultistepScheduler"],
    }  # fmt: skip
    (small / "scheduler").mkdir()
    (small / "scheduler" / "scheduler_config.json").write_text(json.dumps(schedule))
    (small / "model_index.json").write_text(json.dumps({"_class_name": "WanPipeline"} | parts))
    T, H, W, C = EYES.latent_shape(FRAMES, SIDE, SIDE)
    np.savez(
        folder / "input.npz",
        x=rng.normal(size=(1, MID.channels, *GRID)).astype(np.float32),
        text=rng.normal(size=(1, WORDS, MID.text_width)).astype(np.float32),
        z=rng.normal(size=(1, C, T, H, W)).astype(np.float32),
        noise=rng.normal(size=(1, C, T, H, W)).astype(np.float32),
        ids=load_wan(small).tokenizer.batch([PROMPT, ""], 512).astype(np.int64),
    )


def noise_like(rng: np.random.Generator, shapes: Any) -> Any:
    """Parameters that keep the size of what passes through them: gains near 1, the rest small."""

    def one(name: str, x: Any) -> np.ndarray:
        # Of a convolution all sides of the kernel; of a layer, or layers in a stack, the inputs.
        inputs = np.prod(x.shape[:-1]) if len(x.shape) > 3 else x.shape[-2:][0]
        drawn = rng.standard_normal(x.shape, np.float32) * np.float32(max(inputs, 16) ** -0.5)
        return drawn + 1 if name.endswith("scale") else drawn

    return trees.unflatten({name: one(name, x) for name, x in trees.flatten_names(shapes).items()})


def save(folder: Path, name: str, params: Any, table: Any, config: dict[str, Any]) -> None:
    """A part as diffusers keeps it."""
    folder.mkdir(parents=True, exist_ok=True)
    keymap.save(folder, params, table, name=name, metadata={"format": "pt"})
    (folder / "config.json").write_text(json.dumps(config))


def save_transformer(rng: np.random.Generator, folder: Path, config: DiTConfig) -> None:
    """See `save`."""
    their = {
        "_class_name": "WanTransformer3DModel", "patch_size": config.patch, "num_attention_heads": config.heads,
        "attention_head_dim": config.width // config.heads, "in_channels": config.channels,
        "out_channels": config.channels, "text_dim": config.text_width, "freq_dim": config.time_width,
        "ffn_dim": config.hidden, "num_layers": config.layers, "cross_attn_norm": True,
        "qk_norm": "rms_norm_across_heads", "eps": 1e-6,
    }  # fmt: skip
    save(folder, LARGE, noise_like(rng, dit_shapes(config)), wan.transformer(config), their)


def save_vae(rng: np.random.Generator, folder: Path, config: WanVAEConfig) -> None:
    """See `save`."""
    their = {
        "_class_name": "AutoencoderKLWan", "base_dim": config.base, "z_dim": config.channels,
        "dim_mult": config.multipliers, "num_res_blocks": config.blocks, "temperal_downsample": config.halve_time,
        "latents_mean": config.mean, "latents_std": config.deviation,
    }  # fmt: skip
    save(folder, LARGE, noise_like(rng, vae_shapes(config)), wan.vae(config), their)


def ours(folder: Path, task: Task, dtype: str) -> Callable[[], np.ndarray]:
    """One turn of ours, whose result has the axes of theirs; weights are of the type of the products, as theirs are."""
    given, mesh = np.load(folder / "input.npz"), make_mesh(MeshConfig())
    stored = jnp.dtype(dtype)
    if task == "step":
        config: DiTConfig = dataclasses.replace(MID, dtype=dtype)
        parallel = make_parallel(mesh, dtype)
        params = keymap.load(Weights(folder / "transformer"), wan.transformer(config), dit_shapes(config), stored)
        dit = DiT(config, parallel.attn_fn, parallel.cross_attn_fn)
        step = jax.jit(functools.partial(apply_to_grid, dit))
        inputs = given["x"].transpose(0, 2, 3, 4, 1), np.float32([0.5]), given["text"][:, None]
        return lambda: np.asarray(step(params, *inputs, np.ones((1, 1, WORDS), bool))).transpose(0, 4, 1, 2, 3)
    if task == "decode":
        shape = WanVAEConfig(dtype=dtype)
        params = keymap.load(Weights(folder / "vae"), wan.vae(shape), vae_shapes(shape), stored)
        z = (given["z"].transpose(0, 2, 3, 4, 1) - np.float32(shape.mean)) / np.float32(shape.deviation)
        decode = jax.jit(lambda params, z: apply(WanVAE(shape), params, z, method=WanVAE.decode))
        return lambda: np.asarray(decode(params, z)).transpose(0, 4, 1, 2, 3)
    model = load_wan(folder / "small", dtype)
    model = dataclasses.replace(model, params=jax.tree.map(lambda x: x.astype(stored), model.params))
    noise = given["noise"].transpose(0, 2, 3, 4, 1)
    asked = {"frames": FRAMES, "width": SIDE, "height": SIDE, "steps": STEPS, "guidance": GUIDANCE}
    return lambda: model.generate([PROMPT], **asked, noise_BTHWC=noise).astype(np.float32) / 255


def least_flops(task: Task) -> float:
    """Multiply-adds x 2 of the transformer's matmuls in a turn, keys and values of the text made once a sample; 0 of
    the VAE's, which has convolutions. The text encoder and the decoder of a sample are left out.
    """
    if task == "decode":
        return 0.0
    config, words = (MID, WORDS) if task == "step" else (SMALL, 512)
    rows, evaluations = (1, 1) if task == "step" else (2, STEPS)
    grid = GRID if task == "step" else EYES.latent_shape(FRAMES, SIDE, SIDE)[:3]
    parallel = make_parallel(make_mesh(MeshConfig()), "float32")
    velocity = functools.partial(apply_to_grid, DiT(config, parallel.attn_fn, parallel.cross_attn_fn))

    def given(*shape: int, dtype: Any = jnp.float32) -> jax.ShapeDtypeStruct:
        return jax.ShapeDtypeStruct(shape, dtype)

    params, text = dit_shapes(config), given(rows, 1, words, config.text_width)
    asked = given(rows, *grid, config.channels), given(rows)
    real = given(rows, 1, words, dtype=bool)
    if task == "step":
        return product_flops(velocity, params, *asked, text, real)
    kept = jax.eval_shape(functools.partial(remember, config), params, text)
    once = product_flops(functools.partial(remember, config), params, text)
    return once + evaluations * product_flops(velocity, params, *asked, kept, real)


def theirs(options: Options, folder: Path, task: Task, dtype: str, how: str) -> subprocess.Popen[str] | None:
    """Their process, ready to be asked for a turn by a line; None where it cannot."""
    size = json.dumps([FRAMES, SIDE, STEPS, GUIDANCE])
    command = [options.python, "-c", THEIRS, str(folder), task, dtype, how, str(options.threads), size]
    environment = {**os.environ, "OMP_NUM_THREADS": str(options.threads)}
    errors = (folder / "errors").open("w+")
    child = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True, env=environment
    )
    assert child.stdout is not None
    for line in child.stdout:
        if line.strip() == "ready":
            return child
    errors.seek(0)
    print(f"{task}, {dtype}, {how}: {(errors.read().strip().splitlines() or ['it died'])[-1]}")
    return None


def measure(options: Options, folder: Path, task: Task, dtype: str) -> tuple[dict[str, list[float]], float]:
    """Seconds of each side's turns, and how far the outputs are apart as a share of the largest value."""
    run = ours(folder, task, dtype)
    run()
    children = {how: theirs(options, folder, task, dtype, how) for how in options.hows}
    spent: dict[str, list[float]] = {"vidgen": []}
    out = np.zeros(())
    for _ in range(options.rounds):
        start = time.perf_counter()
        out = run()
        spent["vidgen"].append(time.perf_counter() - start)
        for how, child in children.items():
            if child is not None and child.stdin is not None and child.stdout is not None:
                child.stdin.write("go\n")
                child.stdin.flush()
                spent.setdefault(f"diffusers, {how}", []).append(float(child.stdout.readline()))
    for child in children.values():
        if child is not None and child.stdin is not None:
            child.stdin.close()
            child.wait()
    other = np.load(folder / "theirs.npy")
    return spent, float(np.abs(out - other).max() / np.abs(other).max())


def main(options: Options) -> None:
    console = Console(width=110)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make(folder)
        console.print(f"transformer {trees.count(dit_shapes(MID)):,}, small one {trees.count(dit_shapes(SMALL)):,}, "
                      f"VAE {trees.count(vae_shapes(WanVAEConfig())):,} parameters")  # fmt: skip
        for task in options.tasks:
            for dtype in options.dtypes:
                spent, apart = measure(options, folder, task, dtype)
                medians = {side: float(np.median(times)) for side, times in spent.items()}
                table = Table(f"{task}, {dtype}", "seconds", "least, most", "vidgen is faster by", "outputs differ")
                least = least_flops(task)
                if least:
                    speed, _ = peak_flops()
                    what = f"its {least / 1e9:,.0f} GFLOP at {speed / 1e9:,.0f} GFLOP/s"
                    table.add_row(what, f"{least / speed:.3f}")
                for side, times in spent.items():
                    faster = "" if side == "vidgen" else f"{medians[side] / medians['vidgen']:.2f}"
                    differ = "" if side == "vidgen" else f"{apart:.0e}"
                    table.add_row(side, f"{medians[side]:.3f}", f"{min(times):.3f}, {max(times):.3f}", faster, differ)
                console.print(table)  # as soon as it is known


if __name__ == "__main__":
    main(tyro.cli(Options))
