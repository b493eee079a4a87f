# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""What it costs to ask for a new size: programs of their own against one that sizes share.

python experiments/benchmarks/sizes.py

Without a cache of compiled programs on disk, so that the first call of a size shows what XLA needs. Ratios are of calls
in one run.

Two CPU cores, 2026-11-26: twelve sizes of 48 to 96 pixels share four programs. The first calls of all took 59.0 s with
programs of their own and 30.9 s with shared ones, about a second where the program was there; later calls take 1.16 x
as long.
"""

import argparse
import itertools
import time

import numpy as np

from vidgen.sample import budget
from vidgen.sample.pipeline import Pipeline, load_pipeline

SIDES: tuple[int, ...] = (48, 64, 80, 96)


def main() -> None:
    """Prints a row a size, and what all took."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=17)
    options = parser.parse_args()
    pipeline = load_pipeline()
    sizes = [size for size in itertools.permutations(SIDES, 2) if max(size) <= 2 * min(size)]
    print(
        "| size | own, first call | shared, first call | own, again | shared, again | ratio again |\n"
        "|---|---|---|---|---|---|"
    )
    rows = np.array([_row(pipeline, options.frames, *size) for size in sizes])
    first_own, first_shared, own, shared = rows.sum(0)
    print(
        f"\n{len(sizes)} sizes, {_programs(pipeline, options.frames, sizes)} shared programs: first calls "
        f"{first_own:.1f} s with programs of their own and {first_shared:.1f} s with shared ones; again {own:.1f} and "
        f"{shared:.1f} s ({shared / own:.2f} x)"
    )


def _programs(pipeline: Pipeline, frames: int, sizes: list[tuple[int, int]]) -> int:
    shapes = [pipeline.networks.vae.latent_shape(frames, height, width) for width, height in sizes]
    return len({budget.budget_of(shape, pipeline.networks.dit.patch) for shape in shapes})


def _row(pipeline: Pipeline, frames: int, width: int, height: int) -> list[float]:
    spent = []
    for _ in range(2):
        for shared in (False, True):
            start = time.perf_counter()
            pipeline.generate(["a dog"], frames=frames, width=width, height=height, shared=shared)
            spent.append(time.perf_counter() - start)
    cells = " | ".join(f"{one:.2f} s" for one in spent)
    print(f"| {width}x{height} | {cells} | {spent[3] / spent[2]:.2f} |", flush=True)
    return spent


if __name__ == "__main__":
    main()
