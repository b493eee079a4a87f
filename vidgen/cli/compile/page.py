# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""What `vidgen compile` shows: one program's account, or the ranking of a search."""

from typing import Any

from rich.console import Console, Group
from rich.table import Table

from vidgen.cli.compile.figures import GIB, advice


def console(**options: Any) -> Console:
    """Where pages go; wide enough for the tables where the terminal does not say how wide it is."""
    probe = Console(**options)
    return probe if probe.is_terminal else Console(width=118, **options)


def page(answer: dict[str, Any], values: dict[str, float], mode: str) -> Group:
    """The account of an answer of `worker.handle` with its `figures.figures`."""
    parts = [_account(answer, values, mode)]
    if answer["report"]["network"]:
        parts.append(_collectives(answer["report"]))
    return Group(*parts, *verdict(answer, mode))


def _account(answer: dict[str, Any], values: dict[str, float], mode: str) -> Table:
    report, program = answer["report"], answer["program"]
    what = "training step" if mode == "train" else "sampler"
    axes = ", ".join(f"{axis} {size}" for axis, size in report["mesh"].items() if size > 1) or "one device"
    slices = f"{report['slices']} x " if report["slices"] > 1 else ""
    table = Table(
        "", f"{what} on {slices}{report['topology']} ({values['chips']:g} chips): {axes}", title_justify="left"
    )
    clip = f"{program['clips']} x {program['width']}x{program['height']}, {program['frames']} frames"
    table.add_row("clips", f"{clip}, {program['tokens']:,} tokens a clip")
    table.add_row("parameters", ", ".join(f"{name} {count:,}" for name, count in program["parameters"].items()))
    table.add_section()
    kept = report["outputs"] - report["aliased"]
    for name, size in (
        ("arguments", report["arguments"]), ("outputs, not in their place", kept),
        ("temporaries", report["temporaries"]), ("program", report["code"]),
    ):  # fmt: skip
        table.add_row(name, f"{size / GIB:7.2f} GiB")
    share = report["peak"] / report["capacity"]
    table.add_row("memory", f"{report['peak'] / GIB:7.2f} GiB of {report['capacity'] / GIB:.0f}, {share:.0%}")
    table.add_section()
    _add_work(table, report)
    table.add_section()
    _add_times(table, answer, values)
    table.add_section()
    table.add_row("video", f"{values['video_per_chip_hour']:.3g} seconds a chip-hour at most")
    if "cost_per_call" in values:
        call = "a step" if mode == "train" else "a call"
        money = f"{values['cost_per_call']:.4g} {call}, {values['cost_per_video_second']:.4g} a second of video"
        table.add_row("cost", f"{money}, at least")
    spent = f"{report['compile_seconds']:.0f} s, {report['compile_cpu_seconds']:.0f} s of the processors' time"
    table.add_row("compiled in", spent)
    return table


def _add_work(table: Table, report: dict[str, Any]) -> None:
    tera = 1e12
    model, compiled = report["model_flops"], report["compiled_flops"]
    once = compiled - report["rematerialised_flops"]
    table.add_row("model FLOPs", f"{model / tera:10.4g} T a device")
    table.add_row("compiled FLOPs", f"{compiled / tera:10.4g} T, {compiled / model:.3f} x model")
    table.add_row("  before remat", f"{once / tera:10.4g} T, {once / model:.3f} x model")
    exact = once - report["rescored_flops"]
    table.add_row("  and scores once", f"{exact / tera:10.4g} T, {exact / model:.3f} x model")
    table.add_row("  in attention kernels", f"{report['kernel_flops'] / tera:10.4g} T")
    table.add_row("HBM traffic", f"{report['traffic'] / 1e9:10.4g} GB")


def _add_times(table: Table, answer: dict[str, Any], values: dict[str, float]) -> None:
    report = answer["report"]
    for name in ("compute", "memory", "network"):
        table.add_row(f"{name} time", f"{report[name + '_seconds']:10.4g} s")
    bound = answer["mfu_bound"]
    table.add_row("roofline", f"{report['roofline_seconds']:10.4g} s, by {report['bound']}: MFU at most {bound:.1%}")
    waits = f"{values['estimate_seconds']:10.4g} s: MFU {values['mfu_estimate']:.1%}"
    table.add_row("  with waits", f"{waits}, when what the schedule does not hide is waited for")


def _collectives(report: dict[str, Any]) -> Table:
    table = Table("collective", "axes", "network", "count", "GB sent", "hidden", "seconds")
    for column in table.columns[3:]:
        column.justify = "right"
    for one in report["network"]:
        table.add_row(
            one["kind"], one["axes"], "DCN" if one["dcn"] else "ICI", f"{one['count']:g}", f"{one['bytes'] / 1e9:.4g}",
            f"{one['overlapped']:.0%}", f"{one['seconds']:.4g}",
        )  # fmt: skip
    return table


def verdict(answer: dict[str, Any], mode: str) -> list[str]:
    """Lines that say whether it fits and, if not, what to change."""
    report = answer["report"]
    here = f"{report['peak'] / GIB:.2f} of {report['capacity'] / GIB:.0f} GiB a device"
    if report["fits"]:
        return [f"fits: {here}"]
    program = answer["program"]
    what = advice(
        report["topology"], report["mesh"], mode, program["batch"], program["batch_option"], answer["remat"],
        report["peak"], report["capacity"], report["arguments"],
    )  # fmt: skip
    return [f"does not fit: {here}", *(f"  - {line}" for line in what)]


def ranking(results: list[dict[str, Any]], compiled: int, planned: int) -> Group:
    """The best of a search, with the options that make them so.

    Args:
        results: ranked ones; compiled: how many were compiled or left out as too large, of how many `planned`.
    """
    table = Table("", "clips", "remat", "GiB", "step, s", "MFU", "video s / chip-hour", "options")
    for place, one in enumerate(results[:10], 1):
        table.add_row(
            str(place), str(one["clips"]), one["remat"] or "", f"{one['memory'] / GIB:.1f}",
            f"{one['estimate_seconds']:.4g}", f"{one['mfu_estimate']:.1%}",
            f"{one['video_per_chip_hour_estimate']:.4g}", " ".join(one["options"]),
        )  # fmt: skip
    seen = f"{compiled} of {planned} looked at, {len(results)} fit"
    if not results:
        return Group(f"{seen}: try a larger slice, or more with --limit")
    return Group(table, f"{seen}; times are a roofline plus the collectives that the schedule does not hide")
