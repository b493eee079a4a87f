# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""What training and sampling at the sizes of Wan 2.1 need on TPU slices, as compiled: the table of docs/compile.md.

    python experiments/benchmarks/pods.py --out runs/pods

Needs libtpu (pip install -e ".[aot]") and no TPU; minutes a row. Rows whose figures are in OUT already are not compiled
again, so that the same command goes on where it stopped; --only PART takes the rows whose names hold PART.
"""

import dataclasses
import json
import shlex
import subprocess
import sys
from pathlib import Path

import tyro
from rich.progress import track

GIB = 2.0**30
MINUTE_480 = "--data.0.scenes.frames 961"
MINUTE_720 = "--data.0.scenes.frames 1441 --data.0.scenes.width 1280 --data.0.scenes.height 720 --fps 24"
SMALL, LARGE = "experiments/wan_1_3b.py", "experiments/wan_14b.py"

ROWS = {
    "sample 1.3B, 480p, 5 s, v5e:1x1": f"{SMALL} --topology v5e:1x1 --mode sample --mesh.fsdp 1",
    "sample 1.3B, 480p, 5 s, v6e:1x1": f"{SMALL} --topology v6e:1x1 --mode sample --mesh.fsdp 1",
    "train 1.3B, 480p, 5 s, v5e:4x8": f"{SMALL} --topology v5e:4x8",
    "train 1.3B, 480p, 5 s, v6e:4x4": f"{SMALL} --topology v6e:4x4 --data.0.batch-size 16",
    "train 1.3B, 480p, 5 s, 4 x v6e:16x16": f"{SMALL} --topology v6e:16x16 --slices 4 --data.0.batch-size 1024",
    "train 14B, 720p, 5 s, v5p:8x8x8": f"{LARGE} --topology v5p:8x8x8",
    "train 14B, 720p, 5 s, v5p:2x2x4": f"{LARGE} --topology v5p:2x2x4 --mesh.sequence 2 --data.0.batch-size 8",
    "train 1.3B, 480p, 60 s, v5p:2x2x1": f"{SMALL} --topology v5p:2x2x1 {MINUTE_480} --data.0.batch-size 1 "
    "--mesh.fsdp 1 --mesh.sequence 4 --attention ring",
    "train 1.3B, 480p, 60 s, v6e:4x8": f"{SMALL} --topology v6e:4x8 {MINUTE_480} --data.0.batch-size 1 "
    "--mesh.fsdp 1 --mesh.sequence 8 --mesh.tensor 4 --attention ring",
    "train 1.3B, 720p, 60 s, v5p:2x2x2": f"{SMALL} --topology v5p:2x2x2 {MINUTE_720} --data.0.batch-size 1 "
    "--mesh.fsdp 1 --mesh.sequence 8 --attention ring",
    "train 1.3B, 720p, 60 s, v6e:8x8": f"{SMALL} --topology v6e:8x8 {MINUTE_720} --data.0.batch-size 1 "
    "--mesh.fsdp 1 --mesh.sequence 16 --mesh.tensor 4 --attention ring",
    "sample 1.3B, 480p, 60 s, v5p:2x2x1": f"{SMALL} --topology v5p:2x2x1 {MINUTE_480} --mode sample "
    "--mesh.fsdp 1 --mesh.sequence 4 --attention ring",
    "sample 1.3B, 480p, 60 s, v6e:2x4": f"{SMALL} --topology v6e:2x4 {MINUTE_480} --mode sample "
    "--mesh.fsdp 1 --mesh.data 2 --mesh.sequence 4 --attention ring",
}  # fmt: skip
"""Name of a row -> what stands after `vidgen compile`."""

HEAD = ("what", "memory, GiB", "fits", "compiled / model FLOPs", "before remat", "scores once", "roofline, s",
        "MFU at most", "with waits", "video s / chip-hour", "compiled in, s")  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Options:
    """Where figures are kept, and which rows are wanted."""

    out: Path
    """Folder of the figures, one JSON file a row, and of table.md."""
    only: str = ""
    """A part of the names of the rows to compile; empty for all."""


def cells(name: str, values: dict) -> list[str]:
    """A row of the table."""
    if "report" not in values:
        needed, there = values["needed"] / GIB, values["capacity"] / GIB
        return [name, f"{needed:.1f} of {there:.1f}", "no", *["" for _ in HEAD[3:]]]
    report, more = values["report"], values["figures"]
    model, once = report["model_flops"], report["compiled_flops"] - report["rematerialised_flops"]
    return [
        name, f"{report['peak'] / GIB:.1f} of {report['capacity'] / GIB:.0f}", "yes" if report["fits"] else "no",
        f"{report['compiled_flops'] / model:.3f}", f"{once / model:.3f}",
        f"{(once - report['rescored_flops']) / model:.3f}", f"{report['roofline_seconds']:.4g}, {report['bound']}",
        f"{values['mfu_bound']:.1%}", f"{more['mfu_estimate']:.1%}", f"{more['video_per_chip_hour']:.3g}",
        f"{report['compile_seconds']:.0f}",
    ]  # fmt: skip


def main(options: Options) -> None:
    """Compiles what is missing and writes the table."""
    options.out.mkdir(parents=True, exist_ok=True)
    lines = ["| " + " | ".join(HEAD) + " |", "|" + "---|" * len(HEAD)]
    for name, arguments in track(ROWS.items(), description="compiling"):
        file = options.out / ("".join(c if c.isalnum() or c == "." else "_" for c in name) + ".json")
        if not file.exists() and options.only in name:
            command = [sys.executable, "-m", "vidgen.cli.main", "compile", *shlex.split(arguments), "--json", str(file)]
            done = subprocess.run(command, check=False, stdout=subprocess.DEVNULL)
            if done.returncode not in (0, 1):
                print(f"{name}: status {done.returncode}", file=sys.stderr)
        if file.exists():
            lines.append("| " + " | ".join(cells(name, json.loads(file.read_text()))) + " |")
            (options.out / "table.md").write_text("\n".join(lines) + "\n")
    print("\n".join(lines))


if __name__ == "__main__":
    main(tyro.cli(Options))
