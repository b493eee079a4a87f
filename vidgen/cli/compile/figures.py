# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""What follows from a compilation: throughput, money, a verdict, and what to change where it does not fit."""

import math
import re
from typing import Any

from vidgen.parallel.topology import parse_topology, topologies

GIB = 2.0**30


def figures(answer: dict[str, Any], fps: float, cost: float | None) -> dict[str, float]:
    """Throughput and price of an answer of the worker, if calls took their roofline.

    Args:
        answer: of `worker.handle`; fps: frames in a second of video; cost: of a chip-hour, None if unknown.

    Returns:
        chips; seconds_of_video in a call; video_per_chip_hour in seconds; estimate_seconds: the least time when
        collectives that the schedule does not hide are waited for; mfu_estimate at that time; and with a cost
        cost_per_call and cost_per_video_second.
    """
    report, program = answer["report"], answer["program"]
    chips = report["devices"] / answer["devices_per_chip"]
    seconds, video = report["roofline_seconds"], program["clips"] * program["frames"] / fps
    estimate = max(seconds, report["exposed_seconds"])
    found = {
        "chips": chips,
        "seconds_of_video": video,
        "video_per_chip_hour": 3600 * video / (seconds * chips),
        "estimate_seconds": estimate,
        "mfu_estimate": answer["mfu_bound"] * seconds / estimate,
    }
    if cost is not None:
        found["cost_per_call"] = cost * chips * seconds / 3600
        found["cost_per_video_second"] = found["cost_per_call"] / video
    return found


def refused_memory(answer: dict[str, Any]) -> tuple[float, float] | None:
    """(bytes needed, bytes there) if the compiler refused a program because of the device's memory, else None.

    Where temporaries alone are too large it says no more than their size.
    """
    if "hbm" not in answer.get("error", "").lower():
        return None
    forms = (
        r"[Uu]sed ([0-9.]+)([KMG]) of ([0-9.]+)([KMG])",
        r"required for HLO temporaries \(([0-9.]+)([KMG])\) exceeds available HBM \(([0-9.]+)([KMG])\)",
    )
    found = next((match for form in forms if (match := re.search(form, answer["error"]))), None)
    if not found:
        return None
    size = {"K": 2.0**10, "M": 2.0**20, "G": 2.0**30}
    needed, unit, there, other = found.groups()
    return float(needed) * size[unit], float(there) * size[other]


def larger(topology: str, chips: int) -> str:
    """The smallest usual slice of a generation with at least so many chips; "" if there is none."""
    generation = parse_topology(topology).chip.name
    names = (name for name in topologies(generation) if parse_topology(name).chips >= chips)
    return next(names, "")


def advice(
    topology: str,
    mesh: dict[str, int],
    mode: str,
    batch: int,
    batch_option: str,
    remat: str | None,
    needed: float,
    there: float,
    state: float,
) -> list[str]:
    """What to change so that a program fits, in the order in which to try it.

    Args:
        topology: its name; mesh: size of every axis; mode: "train" or "sample".
        batch: clips, or packed rows, in a call; batch_option: says how many.
        remat: the policy, None where there is no choice.
        needed, there, state: bytes on a device, of which `state` are arguments.
    """
    lines = []
    if state > 0.5 * there:
        ways = 2 ** math.ceil(math.log2(state / (0.5 * there)))
        lines.append(f"the state takes {state / GIB:.1f} GiB: divide it {ways} times more, by mesh.fsdp or mesh.tensor")
    if mode == "train" and remat not in (None, "full"):
        lines.append("recompute more: --model.remat full")
    if mode == "train" and batch > mesh["data"] * mesh["fsdp"]:
        lines.append(f"a smaller batch: {batch_option} {max(mesh['data'] * mesh['fsdp'], batch // 2)}")
    if mode == "sample" and batch > 1:
        lines.append(f"fewer clips at once: {batch_option} {max(1, batch // 2)}")
    if math.prod(mesh.values()) > 1:
        lines.append(f"divide each clip's tokens further: --mesh.sequence {2 * mesh['sequence']}")
    return lines + general_advice(topology, needed / there)


def general_advice(topology: str, over: float) -> list[str]:
    """A larger slice, for a program that needs `over` times the memory of a device; and how to find a better mesh."""
    chips = parse_topology(topology).chips * 2 ** max(1, math.ceil(math.log2(over)))
    bigger = larger(topology, chips)
    found = (
        [f"a larger slice: --topology {bigger}, with mesh.sequence or mesh.fsdp larger by as much"] if bigger else []
    )
    return [*found, "--search tries meshes, batch sizes and remat policies"]
