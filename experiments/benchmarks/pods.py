# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""What training and sampling at the sizes of Wan 2.1 need on TPU slices, as compiled: the table of docs/compile.md.

    python experiments/benchmarks/pods.py

Needs libtpu (pip install -e ".[aot]") and no TPU; minutes a row. Each row's figures are a JSON file in docs/pods, and a
row whose file is there, of the same command, is not compiled again, so that this goes on where it stopped; --only PART
takes the rows whose names hold PART, --table compiles nothing. Rows that are cheap to compile come first.
"""

import dataclasses
import json
import shlex
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import tyro
from rich.console import Console
from rich.progress import track

ROOT = Path(__file__).parents[2]
GIB = 2.0**30
MINUTE_480 = "--data.0.scenes.frames 961"
MINUTE_720 = "--data.0.scenes.frames 1441 --data.0.scenes.width 1280 --data.0.scenes.height 720 --fps 24"
SMALL, LARGE = "experiments/wan_1_3b.py", "experiments/wan_14b.py"

KEEP = "--model.remat attention"
WIDE = "--mesh.sequence 1 --mesh.tensor 4"
ONE_CLIP = "--data.0.batch-size 1 --mesh.fsdp 1 --attention ring"

ROWS = {
    "sample 1.3B, 480p, 5 s, v5e:1x1": f"{SMALL} --topology v5e:1x1 --mode sample --mesh.fsdp 1",
    "sample 1.3B, 480p, 5 s, v6e:1x1": f"{SMALL} --topology v6e:1x1 --mode sample --mesh.fsdp 1",
    "train 1.3B, 480p, 5 s, v6e:4x4": f"{SMALL} --topology v6e:4x4 --data.0.batch-size 16 {KEEP}",
    "train 1.3B, 480p, 5 s, v5e:4x8": f"{SMALL} --topology v5e:4x8",
    "train 1.3B, 480p, 60 s, v5p:2x2x1": f"{SMALL} --topology v5p:2x2x1 {MINUTE_480} {ONE_CLIP} --mesh.sequence 4 "
    f"{KEEP}",
    "sample 1.3B, 480p, 60 s, v5p:2x2x1": f"{SMALL} --topology v5p:2x2x1 {MINUTE_480} {ONE_CLIP} --mesh.sequence 4 "
    "--mode sample",
    "sample 1.3B, 480p, 60 s, v6e:2x2": f"{SMALL} --topology v6e:2x2 {MINUTE_480} {ONE_CLIP} --mesh.sequence 4 "
    "--mode sample",
    "train 1.3B, 480p, 60 s, v6e:4x8": f"{SMALL} --topology v6e:4x8 {MINUTE_480} {ONE_CLIP} --mesh.sequence 8 "
    f"--mesh.tensor 4 {KEEP}",
    "train 1.3B, 480p, 60 s, v6e:4x4": f"{SMALL} --topology v6e:4x4 {MINUTE_480} {ONE_CLIP} --mesh.sequence 4 "
    f"--mesh.tensor 4 {KEEP}",
    "train 1.3B, 720p, 60 s, v5p:2x2x2": f"{SMALL} --topology v5p:2x2x2 {MINUTE_720} {ONE_CLIP} --mesh.sequence 8",
    "train 1.3B, 720p, 60 s, v6e:4x8": f"{SMALL} --topology v6e:4x8 {MINUTE_720} {ONE_CLIP} --mesh.sequence 8 "
    "--mesh.tensor 4",
    "train 1.3B, 720p, 60 s, v6e:8x8": f"{SMALL} --topology v6e:8x8 {MINUTE_720} {ONE_CLIP} --mesh.sequence 16 "
    "--mesh.tensor 4",
    "sample 1.3B, 720p, 60 s, v5p:2x2x1": f"{SMALL} --topology v5p:2x2x1 {MINUTE_720} {ONE_CLIP} --mesh.sequence 4 "
    "--mode sample",
    "sample 1.3B, 720p, 60 s, v6e:2x4": f"{SMALL} --topology v6e:2x4 {MINUTE_720} {ONE_CLIP} --mesh.sequence 8 "
    "--mode sample",
    "sample 1.3B, 720p, 60 s, v6e:4x4": f"{SMALL} --topology v6e:4x4 {MINUTE_720} {ONE_CLIP} --mesh.guidance 2 "
    "--mesh.sequence 8 --mode sample",
    "train 14B, 720p, 5 s, v5p:2x2x1": f"{LARGE} --topology v5p:2x2x1 {WIDE} --mesh.fsdp 1 --data.0.batch-size 1",
    "train 14B, 720p, 5 s, v5p:2x2x2": f"{LARGE} --topology v5p:2x2x2 {WIDE} --data.0.batch-size 2",
    "train 14B, 720p, 5 s, v5p:2x2x4": f"{LARGE} --topology v5p:2x2x4 {WIDE} --data.0.batch-size 4",
    "train 14B, 720p, 5 s, v5p:8x8x8": f"{LARGE} --topology v5p:8x8x8 {KEEP}",
    "train 1.3B, 480p, 5 s, 4 x v6e:16x16": f"{SMALL} --topology v6e:16x16 --slices 4 --data.0.batch-size 1024 {KEEP}",
}
"""Name of a row -> what stands after `vidgen compile`."""

HEAD = ("what", "memory, GiB", "fits", "compiled / model FLOPs", "before remat", "scores once", "roofline, s",
        "MFU at most", "with waits", "video s / chip-hour", "compiled in, CPU s")  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Options:
    """Where figures are kept, and which rows are wanted."""

    out: Path = ROOT / "docs" / "pods"
    """Folder of the figures, one JSON file a row."""
    only: str = ""
    """A part of the names of the rows to compile; empty for all."""
    hlo: Path | None = None
    """Folder for the compiled programs' texts, tens of megabytes each; none are kept by default."""
    table: bool = False
    """Compile nothing: print the table of what there is."""


def file_of(folder: Path, name: str) -> Path:
    """Where a row's figures are kept."""
    return folder / ("".join(c if c.isalnum() or c == "." else "_" for c in name) + ".json")


def figures_of(folder: Path, name: str) -> dict[str, Any] | None:
    """A row's figures, if its command is still the one that they are of."""
    file = file_of(folder, name)
    values = json.loads(file.read_text()) if file.exists() else {}
    return values if values.get("command") == ROWS[name] else None


def compile_row(folder: Path, name: str, hlo: Path | None) -> None:
    """Compiles one row and keeps its figures with its command; what the compiler does not take is told and not kept."""
    file, arguments = file_of(folder, name), ROWS[name]
    command = [sys.executable, "-m", "vidgen.cli.main", "compile", *shlex.split(arguments), "--json", str(file)]
    if hlo is not None:
        hlo.mkdir(parents=True, exist_ok=True)
        command += ["--hlo", str(file_of(hlo.absolute(), name).with_suffix(".txt"))]
    file.unlink(missing_ok=True)
    done = subprocess.run(command, check=False, stdout=subprocess.DEVNULL, cwd=ROOT)
    if done.returncode not in (0, 1):
        print(f"{name}: status {done.returncode}", file=sys.stderr)
    elif file.exists():
        versions = {package: version(package) for package in ("jax", "libtpu")}
        figures = {"command": arguments, "versions": versions, **json.loads(file.read_text())}
        file.write_text(json.dumps(figures, indent=1) + "\n")


def cells(name: str, values: dict[str, Any]) -> list[str]:
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
        f"{values['mfu_bound']:.1%}", f"{more['mfu_estimate']:.1%}",
        f"{more['video_per_chip_hour']:.3g}",
        f"{report.get('compile_cpu_seconds', 0):.0f}" if "compile_cpu_seconds" in report else "",
    ]  # fmt: skip


def table(folder: Path) -> str:
    """The rows that have figures, as Markdown, and the names of those that have not."""
    lines = ["| " + " | ".join(HEAD) + " |", "|" + "---|" * len(HEAD)]
    found = {name: figures_of(folder, name) for name in ROWS}
    lines += ["| " + " | ".join(cells(name, values)) + " |" for name, values in found.items() if values is not None]
    missing = [name for name, values in found.items() if values is None]
    return "\n".join([*lines, "", f"Not compiled yet: {'; '.join(missing) or 'none'}."])


def main(options: Options) -> None:
    """Compiles what is missing and prints the table."""
    out = options.out.absolute()
    out.mkdir(parents=True, exist_ok=True)
    wanted = [name for name in ROWS if options.only in name and not options.table and figures_of(out, name) is None]
    screen = Console(stderr=True)
    for name in track(wanted, description="compiling", console=screen, disable=not screen.is_terminal):
        compile_row(out, name, options.hlo)
    print(table(out))


if __name__ == "__main__":
    main(tyro.cli(Options))
