# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The process in which `vidgen compile` compiles: one JSON request a line comes in, one JSON answer a line goes out.

It is started with a clean environment. A compiler that dies takes this process with it, and not the command.
"""

import dataclasses
import json
import os
import sys
import threading
import time
from pathlib import Path
from typing import Any

from vidgen.config import load_experiment, override


def main() -> None:
    """Answers until its input ends, or the command that started it."""
    end_with_parent()
    # The compiler and experiments may print; the answers keep the way out to themselves.
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as answers:
        os.dup2(2, 1)
        for line in sys.stdin:
            try:
                answer = handle(json.loads(line))
            except (ValueError, OSError, ImportError, RuntimeError) as error:
                answer = {"error": " ".join(str(error).split())[:2000], "kind": type(error).__name__}
            answers.write(json.dumps(answer) + "\n")
            answers.flush()


def end_with_parent(interval: float = 1.0) -> None:
    """Ends this process when its parent is gone, even in the middle of a compilation; looks every `interval` seconds.

    The end of the input would be seen only after what is being compiled, which takes minutes and all cores.
    """
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(interval)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def handle(request: dict[str, Any]) -> dict[str, Any]:
    """What one compilation gives.

    "report" has the fields of `aot.Report` and what follows from them, "program" the numbers of `program.Program`; with
    "mfu_bound", "remat", "devices_per_chip" and "peak_flops" (of a chip) beside them.

    Args:
        request: {"experiment": path, "overrides": [options], "topology": name, "slices": number, "mode": "train" or
            "sample", "clips": clips to sample at once}; with "hlo" the file for the compiled program's text.

    Raises:
        ValueError, OSError: the request does not fit the experiment or the topology.
        ImportError: libtpu is not installed.
        RuntimeError: the compiler refuses the program.
    """
    from vidgen.parallel import aot
    from vidgen.parallel.mesh import make_mesh
    from vidgen.parallel.program import compile_program
    from vidgen.parallel.topology import parse_topology

    config = override(load_experiment(request["experiment"]), request["overrides"], prog="vidgen compile")
    if not hasattr(config, "program"):
        raise ValueError(
            f"{request['experiment']} makes a {type(config).__name__}, which gives no program to compile; give an "
            f"experiment that trains a network (DiTTraining, VAETraining)"
        )
    topology = parse_topology(request["topology"])
    slices = request["slices"]
    devices = aot.tpu_devices(topology, slices)
    mesh = make_mesh(on_slices(config.mesh, slices), devices)
    program = config.program(request["mode"], mesh, request["clips"])
    report = compile_program(program, mesh, topology, slices, Path(request["hlo"]) if request.get("hlo") else None)
    derived = ("peak", "fits", "network_seconds", "roofline_seconds", "exposed_seconds", "bound")
    kept = {field.name for field in dataclasses.fields(program)} - {"function", "arguments"}
    return {
        "report": {**dataclasses.asdict(report), **{name: getattr(report, name) for name in derived}},
        "program": {name: getattr(program, name) for name in sorted(kept)},
        "mfu_bound": report.utilisation(report.roofline_seconds),
        "remat": getattr(config.model, "remat", None),  # networks that keep everything have no such choice
        "devices_per_chip": topology.chip.devices,
        "peak_flops": topology.chip.flops,
    }


def on_slices(mesh: Any, slices: int) -> Any:
    """A mesh config that runs over so many slices: copies of the parameters, one a slice, if it says nothing else.

    Raises:
        ValueError: the data axis is given and is no multiple of the slices.
    """
    if slices == 1 or mesh.slices == slices:
        return mesh
    return dataclasses.replace(mesh, slices=slices, data=slices if mesh.data == 1 else mesh.data)


if __name__ == "__main__":
    main()
