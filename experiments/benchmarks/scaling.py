# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""How a device's temporaries grow with depth and tokens and fall with chips, and that compiling does not: as compiled.

    python experiments/benchmarks/scaling.py

Compiles the training step of a small transformer (width 256) for slices of v5p with `vidgen compile`'s compiler, and
writes docs/scaling.json and docs/scaling.png. Needs libtpu (pip install -e ".[aot]") and no TPU. Points whose figures
are in the JSON already are not compiled again, so that the same command goes on where it stopped.
"""

import dataclasses
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import tyro
from rich.console import Console
from rich.progress import track

from vidgen.cli.compile.client import Compiler

ROOT = Path(__file__).parents[2]
MIB = 2.0**20
WIDTH, CLIPS, ROWS, COLUMNS = 256, 4, 60 // 2, 104 // 2
MODEL = (
    f"--model.width {WIDTH} --model.heads 2 --model.hidden 1024 --model.text-width 128 --text.width 128 --text.heads 2 "
    f"--text.hidden 256 --text.layers 1 --data.0.text-length 64 --data.0.batch-size {CLIPS} --mesh.fsdp {CLIPS}"
)
SLICES = {4: "v5p:2x2x1", 8: "v5p:2x2x2", 16: "v5p:2x2x4"}


@dataclasses.dataclass(frozen=True)
class Point:
    """What is compiled: layers, pixel frames of a clip, chips. Every chip of four has a clip; more share its tokens."""

    layers: int = 4
    frames: int = 81
    chips: int = 4

    @property
    def name(self) -> str:
        """Its key in the JSON."""
        return f"{self.layers} layers, {self.frames} frames, {self.chips} chips"

    @property
    def tokens(self) -> int:
        """Of a clip."""
        return (1 + (self.frames - 1) // 4) * ROWS * COLUMNS

    @property
    def residual(self) -> float:
        """Bytes on a chip of what one layer hands to the next: float32."""
        return self.tokens * CLIPS / self.chips * WIDTH * 4.0

    def request(self) -> dict[str, Any]:
        """For the process that compiles."""
        more = f"--model.layers {self.layers} --data.0.scenes.frames {self.frames} "
        more += f"--mesh.sequence {self.chips // CLIPS}"
        return {
            "experiment": str(ROOT / "experiments" / "wan_1_3b.py"), "overrides": [*MODEL.split(), *more.split()],
            "topology": SLICES[self.chips], "slices": 1, "mode": "train", "clips": 1,
        }  # fmt: skip


SERIES = {
    "depth": tuple(Point(layers=n) for n in (2, 4, 8, 16)),
    "tokens": tuple(Point(frames=n) for n in (41, 81, 161)),
    "chips": tuple(Point(chips=n) for n in SLICES),
}


@dataclasses.dataclass(frozen=True)
class Options:
    """Where the figures and the picture go."""

    out: Path = ROOT / "docs"
    """Folder of scaling.json and scaling.png."""


def slope(pairs: Sequence[tuple[float, float]]) -> float:
    """Of the straight line with the least squares."""
    x0, y0 = (sum(values) / len(pairs) for values in zip(*pairs, strict=True))
    return sum((x - x0) * (y - y0) for x, y in pairs) / sum((x - x0) ** 2 for x, _ in pairs)


def findings(reports: dict[str, dict[str, Any]]) -> dict[str, float]:
    """What the points say, as numbers. reports: of `vidgen.parallel.aot.Report`, by a point's name."""

    def temporaries(series: str, x: str) -> list[tuple[float, float]]:
        return [(getattr(point, x), reports[point.name]["temporaries"]) for point in SERIES[series]]

    depth, tokens, chips = (
        temporaries("depth", "layers"),
        temporaries("tokens", "tokens"),
        temporaries("chips", "chips"),
    )
    compiling = [(point.layers, reports[point.name]["compile_cpu_seconds"]) for point in SERIES["depth"]]
    return {
        "residuals_a_layer": slope(depth) / SERIES["depth"][0].residual,
        "exponent_of_tokens": slope([(math.log(x), math.log(y)) for x, y in tokens]),
        "exponent_of_chips": slope([(math.log(x), math.log(y)) for x, y in chips]),
        "compile_seconds_deepest_over_shallowest": compiling[-1][1] / compiling[0][1],
    }


def draw(reports: dict[str, dict[str, Any]], file: Path) -> None:
    """Four small plots, each from zero, with every point's value beside it."""
    memory = "temporaries a chip, MiB"
    panels = (
        (memory, "layers", "depth", "layers", "temporaries", MIB, "{:.0f}"),
        (memory, "tokens of a clip", "tokens", "tokens", "temporaries", MIB, "{:.0f}"),
        (memory, "chips", "chips", "chips", "temporaries", MIB, "{:.0f}"),
        ("compiling, processor seconds", "layers", "depth", "layers", "compile_cpu_seconds", 1.0, "{:.1f}"),
    )
    figure, axes = plt.subplots(2, 2, figsize=(7.6, 5.6), layout="constrained")
    for ax, (title, label, series, x, key, unit, number) in zip(axes.flat, panels, strict=True):
        xs = [getattr(point, x) for point in SERIES[series]]
        ys = [reports[point.name][key] / unit for point in SERIES[series]]
        ax.plot(xs, ys, marker="o")
        for at in zip(xs, ys, strict=True):
            ax.annotate(number.format(at[1]), at, (0, 7), textcoords="offset points", ha="center", fontsize=8)
        ax.set(title=title, xlabel=label, xlim=(0, 1.1 * max(xs)), ylim=(0, 1.2 * max(ys)), xticks=xs)
        ax.spines[["top", "right"]].set_visible(False)
    figure.savefig(file, dpi=150)


def main(options: Options) -> None:
    """Compiles what is missing, draws, and says what is found."""
    options.out.mkdir(parents=True, exist_ok=True)
    file = options.out / "scaling.json"
    kept: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {"model": MODEL, "reports": {}}
    reports = kept["reports"]
    points = [point for series in ("tokens", "chips", "depth") for point in SERIES[series]]
    left = [point for point in dict.fromkeys(points) if point.name not in reports]
    # One process, so that what is loaded and set up once is a matter of the first point alone, which is none of depth.
    screen = Console(stderr=True)
    with Compiler() as compiler:
        for point in track(left, description="compiling", console=screen, disable=not screen.is_terminal):
            answer = compiler.ask(point.request())
            if "error" in answer:
                raise SystemExit(f"{point.name}: {answer['error']}")
            reports[point.name] = {key: value for key, value in answer["report"].items() if key != "network"}
            file.write_text(json.dumps(kept, indent=1) + "\n")
    kept["findings"] = findings(reports)
    file.write_text(json.dumps(kept, indent=1) + "\n")
    draw(reports, options.out / "scaling.png")
    for name, value in kept["findings"].items():
        print(f"{name}: {value:.3f}")


if __name__ == "__main__":
    main(tyro.cli(Options))
