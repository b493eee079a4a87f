# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""`vidgen compile`: input that does not fit, what follows from the compiler's figures, the search, and a real run."""

import json
import math
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import pytest

from vidgen.cli import main as cli
from vidgen.cli.compile import client, command, figures, page, search, worker
from vidgen.parallel.mesh import MeshConfig

TINY, TINY_VAE = (str(Path(__file__).parents[1] / "train" / name) for name in ("tiny_dit.py", "tiny.py"))
GIB = 2**30


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--topology", "v9:2x2"], "v5p: 2x2x1, 2x2x2"),
        (["--topology", "v5e:3x3"], "there are v5e:1x1, v5e:2x2"),
        ([], "--topology"),
        (["--topology", "v5e:1x1", "--slices", "0"], "--slices is 0"),
        (["--topology", "v5e:1x1", "--cost", "-1"], "--cost is -1.0"),
        (["--topology", "v5e:1x1", "--fps", "nan"], "--fps is nan"),
        (["--topology", "v5e:1x1", "--clips", "2"], "--clips is for --mode sample"),
        (["--topology", "v5e:1x1", "--mode", "dream"], "dream"),
        (["--topology", "v5e:1x1", "--json", "nowhere/at/all.json"], "folder that exists"),
        (["--topology", "v5e:1x1", "--hlo", "nowhere/at/all.txt"], "folder that exists"),
        (["--topology", "v5e:1x1", "--hlo", "x.txt", "--search"], "leave one of them out"),
        (["--topology", "v5e:1x1", "--model.depth", "3"], "Unknown option --model.depth"),
        (["--topology", "v5e:1x1", "--model.layers", "many"], "whole number"),
    ],
)
def test_bad_input_is_one_line(options, message, refused):
    assert message in refused(["compile", TINY, *options])


def test_a_file_that_is_no_experiment_is_one_line(tmp_path, refused):
    assert "no experiment file" in refused(["compile", "none.py", "--topology", "v5e:1x1"])
    assert "comes first" in refused(["compile", "--topology", "v5e:1x1"])


class FakeCompiler:
    """Answers as the worker would; `sizes` are bytes needed by (mesh, clips, remat), by default half of a device's."""

    asked: list[dict]

    def __init__(self, answer=None) -> None:
        self.answer = answer
        FakeCompiler.asked = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return None

    def ask(self, request):
        self.asked.append(request)
        return self.answer(request) if callable(self.answer) else self.answer


def answer(**report) -> dict:
    given = {
        "topology": "v5e:2x2", "slices": 1, "devices": 4, "mesh": {"data": 1, "fsdp": 4, "sequence": 1, "tensor": 1},
        "arguments": 4.0 * GIB, "outputs": 3.0 * GIB, "aliased": 3.0 * GIB, "temporaries": 5.0 * GIB, "code": 0.0,
        "capacity": 16.0 * GIB, "model_flops": 1e12, "compiled_flops": 2e12, "kernel_flops": 5e11, "traffic": 1e9,
        "network": [{"kind": "all-gather", "axes": "fsdp", "count": 4.0, "bytes": 1e9, "overlapped": 0.5,
                     "seconds": 0.5, "dcn": False}],
        "compute_seconds": 2.0, "memory_seconds": 0.1, "network_seconds": 0.5, "roofline_seconds": 2.0,
        "exposed_seconds": 2.25, "bound": "compute", "compile_seconds": 3.0, "compile_cpu_seconds": 2.0,
        "rematerialised_flops": 5e11,
        "rescored_flops": 1e11, "peak": 9.0 * GIB, "fits": True,
    }  # fmt: skip
    program = {"clips": 8, "frames": 80, "height": 480, "width": 832, "tokens": 100, "evaluations": 1}
    program |= {"batch": 8, "batch_option": "--data.0.batch-size"}
    program["parameters"] = {"dit": 1000, "text": 10}
    full = {"report": {**given, **report}, "program": program, "mfu_bound": 0.5, "remat": "full"}
    return {**full, "devices_per_chip": 1, "peak_flops": 1e12}


def run(monkeypatch, fake, *options) -> int:
    monkeypatch.setattr(client, "Compiler", lambda: fake)
    return cli.main(["compile", TINY, "--topology", "v5e:2x2", *options])


def test_what_fits_is_told_with_its_price(monkeypatch, capsys, tmp_path):
    file = tmp_path / "figures.json"
    assert run(monkeypatch, FakeCompiler(answer()), "--cost", "1.8", "--fps", "10", "--json", str(file)) == 0
    shown = capsys.readouterr().out
    for text in ("fits: 9.00 of 16 GiB", "2.000 x model", "1.500 x model", "all-gather", "MFU at most 50.0%", "50%"):
        assert text in shown
    written = json.loads(file.read_text())
    assert written["fits"] and written["request"]["topology"] == "v5e:2x2"
    # Figures may be given to others, so the place of the program's text stays here.
    text = str(tmp_path / "program.txt")
    assert run(monkeypatch, FakeCompiler(answer()), "--hlo", text, "--json", str(file)) == 0
    assert FakeCompiler.asked[0]["hlo"] == text and text not in file.read_text()
    # 8 clips of 8 seconds in 2 s of 4 chips; 1.8 a chip-hour are 0.0005 a chip-second.
    assert written["figures"]["video_per_chip_hour"] == pytest.approx(64 / (2 * 4) * 3600)
    assert written["figures"]["cost_per_call"] == pytest.approx(0.004)
    assert written["figures"]["cost_per_video_second"] == pytest.approx(0.004 / 64)
    assert written["figures"]["mfu_estimate"] == pytest.approx(0.5 * 2 / 2.25)


def test_what_does_not_fit_says_what_to_change(monkeypatch, capsys):
    fake = FakeCompiler({**answer(peak=40.0 * GIB, fits=False, arguments=20.0 * GIB), "remat": "dots"})
    assert run(monkeypatch, fake) == 1
    shown = " ".join(capsys.readouterr().out.split())
    assert "does not fit: 40.00 of 16 GiB" in shown
    for text in (
        "divide it 4 times more",
        "--model.remat full",
        "--data.0.batch-size 4",
        "--mesh.sequence 2",
        "v5e:4x4",
    ):
        assert text in shown


def test_what_has_no_choice_of_recomputation_is_not_told_to_recompute():
    large = answer(peak=40.0 * GIB, fits=False)
    program = {**large["program"], "batch_option": "--batch-size"}
    lines = page.verdict({**large, "program": program, "remat": None}, "train")
    assert any("--batch-size 4" in line for line in lines)
    assert not any("remat" in line for line in lines[:-1])


REFUSALS = {
    "all": "RESOURCE_EXHAUSTED: XLA:TPU compile permanent error. Ran out of memory in memory space hbm. Used 30.50G of "
    "15.75G hbm. Exceeded hbm capacity by 14.75G.",
    "temporaries": "RESOURCE_EXHAUSTED: E1000: CompileTimeHbmOom: Ran out of memory on HBM, the total memory required "
    "for HLO temporaries (30.50G) exceeds available HBM (15.75G). HLO module: jit_step.",
}
"""What the compiler says where a program does not fit."""


@pytest.mark.parametrize("said", REFUSALS.values(), ids=REFUSALS)
def test_a_compiler_that_refuses_for_memory_is_a_verdict_and_not_an_error(monkeypatch, capsys, tmp_path, said):
    fake = FakeCompiler({"error": said, "kind": "JaxRuntimeError"})
    assert run(monkeypatch, fake, "--json", str(tmp_path / "x.json")) == 1
    assert "does not fit: the compiler refuses it, 30.50 of 15.75 GiB" in capsys.readouterr().out
    assert json.loads((tmp_path / "x.json").read_text())["needed"] == 30.5 * GIB


def test_other_errors_of_the_compiler_are_one_line(monkeypatch, refused):
    monkeypatch.setattr(client, "Compiler", lambda: FakeCompiler({"error": "no such kernel", "kind": "RuntimeError"}))
    assert "no such kernel" in refused(["compile", TINY, "--topology", "v5e:2x2"])


def test_the_search_ranks_what_fits_and_leaves_out_what_needs_more(monkeypatch, capsys, tmp_path):
    def by_size(request):
        options = dict(zip(request["overrides"][::2], request["overrides"][1::2], strict=True))
        clips, remat = int(options["--data.1.batch-size"]), options["--model.remat"]
        large = remat != "full" or clips > 4
        base = answer(peak=GIB * (20.0 if large else 9.0), fits=not large)
        base["report"]["exposed_seconds"] = 2.0 + int(options["--mesh.tensor"])
        return base

    fake = FakeCompiler(by_size)
    file = tmp_path / "search.json"
    assert run(monkeypatch, fake, "--search", "--limit", "20", "--json", str(file)) == 0
    shown = capsys.readouterr().out
    assert "looked at" in shown and "--model.remat full" in " ".join(shown.split())
    written = json.loads(file.read_text())
    assert written["complete"] and len(fake.asked) <= 20
    assert len(fake.asked) < len(written["results"])  # some were known not to fit
    best = search.ranked(written["results"])
    assert best[0]["tensor"] == 1 and all(one["fits"] for one in best)
    rates = [one["video_per_chip_hour_estimate"] for one in best]
    assert rates == sorted(rates, reverse=True)


def test_a_search_that_is_interrupted_shows_and_keeps_what_it_has(monkeypatch, capsys, tmp_path):
    def twice(_):
        if len(FakeCompiler.asked) > 2:
            raise KeyboardInterrupt
        return answer()

    file = tmp_path / "search.json"
    assert run(monkeypatch, FakeCompiler(twice), "--search", "--json", str(file)) == 130
    assert "2 of" in capsys.readouterr().out
    written = json.loads(file.read_text())
    assert not written["complete"] and len(written["results"]) == 2


def test_a_search_in_which_nothing_compiles_says_why(monkeypatch, capsys):
    fake = FakeCompiler({"error": "compiling for TPUs needs libtpu", "kind": "ModuleNotFoundError"})
    monkeypatch.setattr(client, "Compiler", lambda: fake)
    assert cli.main(["compile", TINY, "--topology", "v5e:2x2", "--search", "--limit", "3"]) == 2
    assert capsys.readouterr().err.splitlines()[-1] == "vidgen: compiling for TPUs needs libtpu"


def test_candidates_cover_the_devices_and_divide_what_they_must():
    shape = search.Shape(width=1536, layers=30, heads=12, hidden=8960, tokens=32_760)
    found = search.candidates(shape, devices=64, slices=2, mode="train", capacity=32.0 * GIB)
    assert len(found) == len(set(found)) > 20
    for one in found:
        assert math.prod(one.mesh.values()) == 64 and one.data == 2 and one.guidance == 1
        assert 12 % one.tensor == 0 and one.clips % (one.data * one.fsdp) == 0
    assert {one.remat for one in found} == {"none", "dots", "attention", "full"}
    sampling = search.candidates(shape, devices=8, slices=1, mode="sample", capacity=32.0 * GIB)
    assert {one.remat for one in sampling} == {None}
    assert {one.guidance for one in sampling} == {1, 2}
    assert all(2 * one.clips % (one.data * one.guidance * one.fsdp) == 0 for one in sampling)
    assert all(math.prod(one.mesh.values()) == 8 for one in sampling)
    assert search.candidates(shape, devices=1, slices=1, mode="train", capacity=1.0 * GIB) == []


def test_the_fastest_that_should_fit_is_next_and_else_the_smallest():
    shape = search.Shape(width=1536, layers=30, heads=12, hidden=8960, tokens=32_760)
    left = [search.Candidate(1, 1, 4, 2, 1, 4, remat) for remat in ("full", "attention", "dots", "none")]
    full, attention, dots, none = (one.memory(shape) for one in left)
    assert full < attention < dots < none
    assert search.promising(left, shape, none, 1.0).remat == "none"
    assert search.promising(left, shape, none, 1.01).remat == "dots"
    assert search.promising(left, shape, attention, 1.0).remat == "attention"
    assert search.promising(left, shape, full / 2, 1.0).remat == "full"


def test_more_clips_and_less_recomputation_need_no_less():
    one = search.Candidate(1, 1, 4, 2, 1, 8, "dots")
    assert search.Candidate(1, 1, 4, 2, 1, 16, "none").at_least(one)
    assert not search.Candidate(1, 1, 4, 2, 1, 16, "full").at_least(one)
    assert not search.Candidate(1, 1, 2, 4, 1, 16, "none").at_least(one)


def test_the_environment_is_cleaned():
    dirty = {"PATH": "/bin", "JAX_PLATFORMS": "tpu", "XLA_FLAGS": "--x", "LIBTPU_INIT_ARGS": "y", "TPU_NAME": "z"}
    clean = client.clean_environment(dirty)
    assert clean["PATH"] == "/bin" and clean["JAX_PLATFORMS"] == "cpu"
    assert not {"XLA_FLAGS", "LIBTPU_INIT_ARGS", "TPU_NAME"} & set(clean)


def test_a_worker_that_dies_is_reported_and_started_again(monkeypatch, tmp_path):
    program = tmp_path / "dies"
    program.write_text(
        '#!/bin/sh\nread line\ncase "$line" in *live*) echo \'{"ok": 1}\';; *) echo gone >&2; exit 7;; esac\n'
    )
    program.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(program))
    with client.Compiler() as compiler:
        died = compiler.ask({"say": "die"})
        assert died["kind"] == "died" and "status 7" in died["error"] and "gone" in died["error"]
        assert compiler.ask({"say": "live"}) == {"ok": 1}


def test_a_compiler_does_not_outlive_its_command(tmp_path):
    """The command is killed, which leaves it no time to end the process that compiles; that one ends by itself."""
    said = tmp_path / "pid"
    program = f"""
import os, pathlib, time
from vidgen.cli.compile import worker
worker.end_with_parent(interval=0.05)
pathlib.Path({str(said)!r}).write_text(str(os.getpid()))
time.sleep(60)
"""
    starts = f"import subprocess, sys, time\nsubprocess.Popen([sys.executable, '-c', {program!r}])\ntime.sleep(60)"
    command_ = subprocess.Popen([sys.executable, "-c", starts])
    _until(lambda: said.is_file() and said.read_text() != "")
    pid = int(said.read_text())
    assert _lives(pid)
    command_.kill()
    command_.wait()
    _until(lambda: not _lives(pid))


def _lives(pid: int) -> bool:
    """Whether a process runs; one that has ended may wait to be collected."""
    status = Path(f"/proc/{pid}/status")
    return status.is_file() and "State:\tZ" not in status.read_text()


def _until(done) -> None:
    end = time.monotonic() + 30
    while not done():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_slices_join_along_the_data_axis():
    assert worker.on_slices(MeshConfig(fsdp=-1), 4) == MeshConfig(data=4, fsdp=-1, slices=4)
    assert worker.on_slices(MeshConfig(data=8), 4) == MeshConfig(data=8, slices=4)
    assert worker.on_slices(MeshConfig(fsdp=2), 1) == MeshConfig(fsdp=2)
    with pytest.raises(ValueError, match="multiple of slices"):
        worker.on_slices(MeshConfig(data=3), 2)


def test_larger_slices_are_found_by_name():
    assert figures.larger("v5e:2x2", 9) == "v5e:4x4"
    assert figures.larger("v5e:16x16", 512) == ""
    assert figures.refused_memory({"error": "something else"}) is None
    assert page.verdict(answer(), "train") == ["fits: 9.00 of 16 GiB a device"]
    assert command.check(command.Compile(Path(TINY), "7x:4x4x4")).chips == 64


@pytest.mark.skipif(find_spec("libtpu") is None, reason='needs the TPU compiler: pip install ".[aot]"')
def test_a_real_slice(monkeypatch, tmp_path):
    """Both programs, and a mesh of too few devices, in one process that does not hear what the shell says about JAX."""
    monkeypatch.setenv("JAX_PLATFORMS", "tpu")
    text = tmp_path / "program.txt"
    request = {"experiment": TINY, "topology": "v5e:2x2", "slices": 1, "clips": 1, "hlo": str(text)}
    overrides = ["--mesh.fsdp", "2", "--mesh.sequence", "2"]
    with client.Compiler() as compiler:
        refused = compiler.ask({**request, "mode": "train", "overrides": ["--mesh.fsdp", "3"]})
        train, sample = (
            compiler.ask({**request, "mode": mode, "overrides": overrides}) for mode in ("train", "sample")
        )
        vae = compiler.ask({**request, "experiment": TINY_VAE, "mode": "train", "overrides": ["--mesh.fsdp", "4",
                            "--batch-size", "4"]})  # fmt: skip
    assert "error" not in vae, vae
    assert text.read_text().startswith("HloModule")
    # The formula counts a gradient of the pixels, which nothing asks for.
    assert 0.7 < vae["report"]["compiled_flops"] / vae["report"]["model_flops"] < 1.1
    assert page.verdict(vae, "train")[0].startswith("fits: ")
    assert refused["kind"] == "ValueError" and "4 are here" in refused["error"]
    for mode, found in (("train", train), ("sample", sample)):
        assert "error" not in found, f"{mode}: {found}"
        report = found["report"]
        assert report["mesh"] == {"data": 1, "guidance": 1, "fsdp": 2, "sequence": 2, "tensor": 1}
        assert report["kernel_flops"] > 0 and report["compiled_flops"] > report["model_flops"]
        assert {"fsdp", "sequence"} <= {one["axes"] for one in report["network"]}
        assert page.verdict(found, mode)[0].startswith("fits: ")
        assert figures.figures(found, fps=8.0, cost=1.0)["chips"] == 4
        assert report["compile_cpu_seconds"] > 0
    assert train["report"]["rematerialised_flops"] > 0 == sample["report"]["rematerialised_flops"]
    assert train["report"]["aliased"] > 0.8 * train["report"]["arguments"]  # the state is donated
