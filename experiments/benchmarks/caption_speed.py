# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""How fast a captioner writes: tokens a second with its cache and without, and captions a second on some devices.

python experiments/benchmarks/caption_speed.py
python experiments/benchmarks/caption_speed.py --devices 8

The weights are random unless --model names a captioner, and no text ends before its last token, so that every run
writes the same number of them. Below the speeds stands how many texts are the same: all of them in float32; in bfloat16
the order of sums decides between words that are nearly as likely. Devices of one CPU share its cores: their figure says
what dividing costs, not what more devices bring.
"""

import dataclasses
import functools
import time
from collections.abc import Callable
from typing import Any

import jax
import numpy as np
import tyro

from vidgen.data.labelled import STYLES
from vidgen.models.captioner import CaptionerConfig, init_captioner
from vidgen.parallel.mesh import MeshConfig, make_mesh
from vidgen.sample.captioner import CaptionerCard, TrainedCaptioner, load_captioner


@dataclasses.dataclass(frozen=True)
class Options:
    """batch: clips at once. length: tokens of a text. repeats: runs; the fastest counts. devices: of the CPU.
    dtype: of products. model: a captioner's folder; empty for random weights.
    """

    batch: int = 32
    length: int = 32
    repeats: int = 5
    devices: int = 1
    dtype: str = "bfloat16"
    model: str = ""


def fastest(run: Callable[[], Any], repeats: int) -> tuple[float, Any]:
    """(seconds, result), after one run that compiles."""
    result, seconds = run(), []
    for _ in range(repeats):
        began = time.perf_counter()
        result = run()
        seconds.append(time.perf_counter() - began)
    return min(seconds), result


def main(options: Options) -> None:
    """Prints a table."""
    jax.config.update("jax_num_cpu_devices", options.devices)
    config = CaptionerConfig(styles=len(STYLES), dtype=options.dtype)
    if options.model:
        params = load_captioner(options.model).params
    else:
        params = jax.tree.map(np.asarray, jax.jit(lambda key: init_captioner(config, key))(jax.random.key(0)))
    mesh = make_mesh(MeshConfig(data=options.devices), jax.devices()[: options.devices])
    card = CaptionerCard("random", "nothing", (64, 64), 9, 4, options.length, 20, ())
    captioner = TrainedCaptioner(config, params, card, mesh).placed()
    clips = list(np.random.default_rng(0).integers(0, 256, (options.batch, 9, 64, 64, 3)).astype(np.uint8))
    print(f"| {options.devices} devices, batch {options.batch} | ms a batch | tokens/s | captions/s |")
    print("|---|---|---|---|")
    texts = {}
    for cached in (True, False):
        how = captioner.decoding(least=options.length, cached=cached)
        run = functools.partial(captioner.captions, clips, how=how, batch=options.batch)
        seconds, texts[cached] = fastest(run, options.repeats)
        tokens = options.batch * options.length / seconds
        name = "cached" if cached else "everything read again"
        print(f"| {name} | {1000 * seconds:.0f} | {tokens:,.0f} | {options.batch / seconds:.1f} |", flush=True)
    same = sum(one == other for one, other in zip(texts[True], texts[False], strict=True))
    print(f"\nthe same texts: {same} of {options.batch}")


if __name__ == "__main__":
    main(tyro.cli(Options))
