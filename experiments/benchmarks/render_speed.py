# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""How many clips of 17 frames at 64x64 the worlds render a second, drawing the scene included.

    python experiments/benchmarks/render_speed.py [CLIPS]

Prints clips a second of one process and of two, and clips a second of processor time, which a busy machine changes
less. The aim is 200 on two cores.
"""

import multiprocessing
import sys
import time

from vidgen.worlds.render import render
from vidgen.worlds.scene import SceneConfig, draw_scene

CONFIG = SceneConfig()


def clips(seeds: range) -> float:
    """Draw and render the scenes of these seeds; returns seconds of processor time."""
    start = time.process_time()
    for seed in seeds:
        render(draw_scene(CONFIG, seed))
    return time.process_time() - start


def main() -> None:
    total = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    for workers in (1, 2):
        with multiprocessing.get_context("spawn").Pool(workers) as pool:
            pool.map(clips, [range(200)] * workers, chunksize=1)  # load the atlas and its pyramids
            start = time.perf_counter()
            spent = sum(pool.map(clips, [range(k, total, workers) for k in range(workers)], chunksize=1))
            seconds = time.perf_counter() - start
        name = "1 process" if workers == 1 else f"{workers} processes"
        print(f"{name}: {total / seconds:.0f} clips/s; {total / spent:.0f} clips a second of processor time")


if __name__ == "__main__":
    main()
