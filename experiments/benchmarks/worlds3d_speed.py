# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""How many frames at 64x64 the 3-D worlds make a second: drawing, simulation, and pictures with shadows.

    python experiments/benchmarks/worlds3d_speed.py [CLIPS]

Needs the extra worlds3d. Prints frames a second of one process and of two, and frames a second of processor time, which
a busy machine changes less; the aim is 300 on two cores. The last line is the share of the time that simulation takes.
"""

import multiprocessing
import sys
import time

from vidgen.worlds.solids.draw import SolidConfig, draw_solids
from vidgen.worlds.solids.render import render_solids
from vidgen.worlds.solids.simulate import simulate

CONFIG = SolidConfig()


def clips(seeds: range) -> tuple[float, float]:
    """Draw, simulate and render the scenes of these seeds; seconds of processor time, and those of simulation."""
    start, simulated = time.process_time(), 0.0
    for seed in seeds:
        scene = draw_solids(CONFIG, seed)
        before = time.process_time()
        simulate(scene)
        simulated += time.process_time() - before
        render_solids(scene)
    return time.process_time() - start, simulated


def main() -> None:
    total = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    share = 0.0
    for workers in (1, 2):
        with multiprocessing.get_context("spawn").Pool(workers) as pool:
            pool.map(clips, [range(2)] * workers, chunksize=1)  # makes the renderers
            start = time.perf_counter()
            spent = pool.map(clips, [range(10 + k, 10 + total, workers) for k in range(workers)], chunksize=1)
            seconds = time.perf_counter() - start
        frames, cpu = total * CONFIG.frames, sum(all_of for all_of, _ in spent)
        share = sum(simulated for _, simulated in spent) / cpu
        name = "1 process" if workers == 1 else f"{workers} processes"
        print(f"{name}: {frames / seconds:.0f} frames/s; {frames / cpu:.0f} frames a second of processor time")
    print(f"simulation: {100 * share:.0f} % of the time")


if __name__ == "__main__":
    main()
