# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""How well and how fast a model is sampled by each solver, number of steps and guidance: a table.

GLIBC_TUNABLES=glibc.malloc.hugetlb=1 python experiments/benchmarks/samplers.py --n 32 --ways heun,24,3 unipc,12,3

Scored are the prompts of `first_light/evaluate.py`: pairs of things that training never showed together.
"""

import dataclasses
import os
import time

import numpy as np
import tyro
from rich.progress import track

from vidgen.compilation import enable_compilation_cache
from vidgen.eval.alignment import PromptCase, draw_cases, read_clips, score_readings
from vidgen.sample.pipeline import Pipeline, load_pipeline
from vidgen.worlds.scene import FIRST_LIGHT_ON_GRID
from vidgen.worlds.sprites import FIRST_LIGHT

BATCH = 8


@dataclasses.dataclass(frozen=True)
class Options:
    """What to compare. ways: SOLVER,STEPS,GUIDANCE each. n: prompts, a multiple of 8. shift: of the times."""

    ways: tuple[str, ...] = ("heun,24,3", "unipc,24,3", "unipc,12,3", "dpm,12,3", "unipc,8,3")
    n: int = 32
    model: str = "default"
    shift: float = 8.0


def sample(pipeline: Pipeline, cases: tuple[PromptCase, ...], way: str, shift: float) -> tuple[np.ndarray, float]:
    """Clips, and the seconds that one takes once the program is compiled."""
    solver, steps, guidance = way.split(",")
    scene = cases[0].scene
    options = {"frames": scene.frames, "width": scene.width, "height": scene.height, "solver": solver}
    options |= {"steps": int(steps), "guidance": float(guidance), "shift": shift}
    prompts = [case.prompt for case in cases]
    pipeline.generate(prompts[:BATCH], **options)
    began = time.perf_counter()
    starts = track(range(0, len(cases), BATCH), description=way)
    clips = [pipeline.generate(prompts[start : start + BATCH], seed=start, **options) for start in starts]
    return np.concatenate(clips), (time.perf_counter() - began) / len(cases)


def main(options: Options) -> None:
    """Prints a row a way. Raises ValueError when n is not a multiple of the batch."""
    if options.n < 1 or options.n % BATCH:
        raise ValueError(f"n is {options.n}; give a multiple of {BATCH}")
    enable_compilation_cache()
    scenes = dataclasses.replace(FIRST_LIGHT_ON_GRID, objects=(2, 2), object_weights=None, split="heldout")
    pipeline, cases = load_pipeline(options.model), draw_cases(scenes, options.n)
    print("| solver, steps, guidance | seconds a clip | named concept found | sign of motion, where found |")
    print("|---|---|---|---|")
    for way in options.ways:
        clips, seconds = sample(pipeline, cases, way, options.shift)
        found = score_readings(list(read_clips(clips, FIRST_LIGHT, os.cpu_count() or 1)), cases, FIRST_LIGHT)
        print(
            f"| {way} | {seconds:.2f} | {found.identity} of {found.identity.n} | {found.motion} of {found.motion.n} |"
        )


if __name__ == "__main__":
    main(tyro.cli(Options))
