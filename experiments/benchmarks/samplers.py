# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""How well and how fast a model is sampled, against steps and against guidance: a table and a chart.

GLIBC_TUNABLES=glibc.malloc.hugetlb=1 python experiments/benchmarks/samplers.py --n 64 --out runs/samplers

A way is SOLVER,STEPS,GUIDANCE, and after these the times between which there is guidance, if not always: "unipc,12,2"
or "unipc,12,3,0.5,1". Scored are the prompts of `first_light/evaluate.py`: pairs of things that training never showed
together. Ways that are in OUT/samplers.json, of the same model and prompts, are not sampled again.
"""

import dataclasses
import hashlib
import json
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import tyro
from rich.progress import track

from vidgen.compilation import enable_compilation_cache
from vidgen.eval.alignment import PromptCase, draw_cases, read_clips, score_readings
from vidgen.eval.evenness import jumps
from vidgen.sample.pipeline import Pipeline, load_pipeline, weight_files
from vidgen.worlds.scene import FIRST_LIGHT_ON_GRID
from vidgen.worlds.sprites import FIRST_LIGHT

BATCH = 8
GUIDED = "2"
"""The guidance at which solvers and steps are compared."""
SOLVERS = ("heun,24", "unipc,24", "unipc,12", "unipc,8", "unipc,6", "dpm,12", "euler,24")
STEPS = tuple(f"{way},{GUIDED}" for way in SOLVERS)
GUIDANCE = tuple(
    f"unipc,12,{way}" for way in ("1", "1.5", "3", "4", "6", "3,0.3,1", "3,0.5,1", "3,0.8,1", "4,0.7,1", "3,0,0.95")
)
SCORES = {
    "identity": "named concept found",
    "motion": "sign of motion, where found",
    "relation": "left or right, where both found",
}
EXTRA = "found but not named, a clip"
JUMPS = "change between latent frames over change within them"


@dataclasses.dataclass(frozen=True)
class Options:
    """What to compare. ways: all of the chart by default. n: prompts, a multiple of 8. shift: of the times."""

    ways: tuple[str, ...] = (*STEPS, *GUIDANCE)
    n: int = 64
    model: str = "default"
    shift: float = 8.0
    out: Path = Path("runs/samplers")


def sample(pipeline: Pipeline, cases: tuple[PromptCase, ...], way: str, shift: float) -> tuple[np.ndarray, float]:
    """Clips, and the seconds that one takes once the program is compiled."""
    solver, steps, guidance, *interval = way.split(",")
    scene = cases[0].scene
    options: dict[str, Any] = {"frames": scene.frames, "width": scene.width, "height": scene.height, "solver": solver}
    options |= {"steps": int(steps), "guidance": float(guidance), "shift": shift}
    options |= {"interval": tuple(map(float, interval))} if interval else {}
    prompts = [case.prompt for case in cases]
    pipeline.generate(prompts[:BATCH], **options)
    began = time.perf_counter()
    starts = track(range(0, len(cases), BATCH), description=way)
    clips = [pipeline.generate(prompts[start : start + BATCH], seed=start, **options) for start in starts]
    return np.concatenate(clips), (time.perf_counter() - began) / len(cases)


def draw(rows: dict[str, dict[str, Any]], file: Path) -> None:
    """Scores against seconds a clip at one guidance, a point a way, and against guidance at one number of steps."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.8), sharey=True, layout="constrained")
    timed = sorted((way for way in rows if way.split(",")[2:] == [GUIDED]), key=lambda way: rows[way]["seconds"])
    guided = [way for way in rows if way.startswith("unipc,12,") and way.count(",") == 2]
    guided.sort(key=lambda way: float(way.split(",")[2]))
    for ax, ways, x in (
        (left, timed, [rows[way]["seconds"] for way in timed]),
        (right, guided, [float(way.split(",")[2]) for way in guided]),
    ):
        for score, title in SCORES.items():
            found = np.array([[rows[way][score][key] for key in ("value", "low", "high")] for way in ways], float)
            if len(found):
                value, low, high = 100 * found.T
                ax.errorbar(x, value, (value - low, high - value), marker="o", capsize=2, label=title)
        ax.spines[["top", "right"]].set_visible(False)
    for way in timed:
        left.annotate(way, (rows[way]["seconds"], 1), rotation=90, fontsize=7, ha="center", va="bottom")
    left.set(xlabel=f"seconds a clip, at guidance {GUIDED}", ylabel="%", ylim=(0, 101))
    right.set(xlabel="guidance, UniPC in 12 steps")
    right.legend(frameon=False, fontsize=8)
    figure.savefig(file, dpi=150)


def table(rows: dict[str, dict[str, Any]]) -> Sequence[str]:
    """Markdown, a row a way."""
    head = ["solver, steps, guidance (interval)", "seconds a clip", *SCORES.values(), EXTRA, JUMPS]
    lines = [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
    for way, row in rows.items():
        scores = [f"{100 * row[one]['value']:.1f} % of {row[one]['n']}" if row[one]["n"] else "none" for one in SCORES]
        lines.append(
            f"| {way} | {row['seconds']:.2f} | {' | '.join(scores)} | {row['extra']:.2f} | {row['jumps']:.2f} |"
        )
    return lines


def main(options: Options) -> None:
    """Prints the table. Raises ValueError when n is not a multiple of the batch."""
    if options.n < 1 or options.n % BATCH:
        raise ValueError(f"n is {options.n}; give a multiple of {BATCH}")
    enable_compilation_cache()
    options.out.mkdir(parents=True, exist_ok=True)
    weights = hashlib.sha256(b"".join(path.read_bytes() for path in weight_files(options.model))).hexdigest()[:12]
    of = {"weights": weights, "n": options.n, "shift": options.shift}
    file = options.out / "samplers.json"
    kept = json.loads(file.read_text()) if file.exists() else {}
    rows = kept["ways"] if kept.get("of") == of else {}
    scenes = dataclasses.replace(FIRST_LIGHT_ON_GRID, objects=(2, 2), object_weights=None, split="heldout")
    pipeline, cases = load_pipeline(options.model), draw_cases(scenes, options.n)
    for way in options.ways:
        if way not in rows:
            clips, seconds = sample(pipeline, cases, way, options.shift)
            found = score_readings(list(read_clips(clips, FIRST_LIGHT, os.cpu_count() or 1)), cases, FIRST_LIGHT)
            uneven = float(np.nanmedian(jumps(clips, pipeline.networks.vae.patch[0])))
            rows[way] = {one: getattr(found, one).to_dict() for one in SCORES}
            rows[way] |= {"seconds": seconds, "extra": found.extra, "jumps": uneven}
            file.write_text(json.dumps({"of": of, "ways": rows}, indent=1) + "\n")
    draw(rows, options.out / "samplers.png")
    print("\n".join(table(rows)))


if __name__ == "__main__":
    main(tyro.cli(Options, description=__doc__))
