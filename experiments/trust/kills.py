# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Kill -9 at random moments: whatever file is there after must be whole, allowed, signed, and in the audit log.

python experiments/trust/kills.py --n 100 --out runs/kills
python experiments/trust/kills.py --n 30 --way generate --out runs/kills

"release" kills a process that releases clips one after the other in all formats (every other one is blocked by the
policy), from its first clip on, so that kills fall on marking, review, encoding, signing and writing. "generate" kills
the command `vidgen generate` from its start to a little beyond its usual end. Temporary files go into a folder that is
looked at too. A line a kill is kept, so the same command goes on where it was stopped. Figures are in docs/trust.md.
"""

import contextlib
import dataclasses
import itertools
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Literal

import numpy as np
import tyro

from vidgen.data.video import read_video
from vidgen.safety.audit import digest
from vidgen.safety.frames import BlockedError
from vidgen.safety.provenance import read_manifest

FOR_EVER = "--for-ever"


def release_for_ever() -> None:
    """Releases clips until it is killed; says "ready" when the first one begins."""
    from vidgen.safety.policy import FrameRule, Policy
    from vidgen.safety.prompts import PromptPolicy
    from vidgen.safety.provenance import Origin
    from vidgen.sample import release
    from vidgen.sample.export import SUFFIXES

    def red(frames_FHWC: np.ndarray) -> dict[str, np.ndarray]:
        return {"red": frames_FHWC[..., 0].mean((1, 2)) / 255}

    release.read_classifiers = lambda _: {"red": red}
    policy = Policy("test", PromptPolicy(()), (FrameRule("red", "red", 0.5, "block"),), "")
    clip = np.random.default_rng(0).integers(0, 100, (9, 64, 64, 3), np.uint8)
    bad = clip.copy()
    bad[3, ..., 0] = 250
    with release.Gate(release.Settings(), policy) as gate:
        print("ready", flush=True)
        for number in itertools.count(1):
            path = Path("out") / f"{number}{SUFFIXES[number // 2 % len(SUFFIXES)]}"
            with contextlib.suppress(BlockedError):
                gate.release(path, bad if number % 2 else clip, 8, Origin("generate", "t", "", ("a",), number))


@dataclasses.dataclass(frozen=True)
class Options:
    """What to kill, and how often."""

    n: int = 30
    """Kills in all."""
    way: Literal["release", "generate"] = "release"
    """See above."""
    seconds: float = 0.0
    """Within which it is killed; 0 for 2 of "release", and for what the first run of "generate" takes and a tenth."""
    out: Path = Path("runs/kills")
    """A folder for the lines."""


def kill_once(options: Options, number: int, seconds: float) -> dict:
    """Starts, kills after a random time, and tells what is left."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        for name in ("out", "tmp"):
            (home / name).mkdir()
        environment = {
            **os.environ,
            "VIDGEN_AUDIT": str(home / "audit.jsonl"),
            "TMPDIR": str(home / "tmp"),
            "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        }
        generate = ["-m", "vidgen.cli.main", "generate", "a dog", "--seed", str(number), "--out", "out/1.mp4"]
        command = [
            sys.executable,
            *(generate if options.way == "generate" else [str(Path(__file__).absolute()), FOR_EVER]),
        ]
        after = float(np.random.default_rng(number).uniform(0, seconds))
        began = time.perf_counter()
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=home, env=environment
        ) as process:
            assert process.stdout
            if options.way == "release":
                assert process.stdout.readline() == b"ready\n"
            try:
                process.wait(after if number else None)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
        left = judge(home)
        killed = process.returncode == -signal.SIGKILL
        return {
            "number": number,
            "after": round(after, 4),
            "killed": killed,
            "took": time.perf_counter() - began,
            **left,
        }


def judge(home: Path) -> dict:
    """How many files there are, and what is wrong with any."""
    log = home / "audit.jsonl"
    lines = log.read_text().splitlines() if log.exists() else []
    released = {json.loads(line).get("file_sha256") for line in lines}
    wrong = [f"{path.name}: left in the temporary folder" for path in (home / "tmp").rglob("*") if path.is_file()]
    files = sorted((home / "out").iterdir())
    for path in files:
        content = path.read_bytes()
        manifest = read_manifest(content, path.suffix)
        if manifest.state != "trusted":
            wrong.append(f"{path.name}: its manifest is {manifest.state}")
        elif manifest.facts["review"]["findings"] or (path.stem != "1" and manifest.facts["seed"] % 2):
            wrong.append(f"{path.name}: it should have been blocked")
        if digest(content) not in released:
            wrong.append(f"{path.name}: the audit log does not know it")
        if path.suffix == ".mp4" and not len(read_video(path)):
            wrong.append(f"{path.name}: it has no frames")
    return {"files": len(files), "noted": len(lines), "wrong": wrong}


def main(options: Options) -> None:
    """Prints the numbers of kills and files, and all that is wrong; exits with 1 if anything is."""
    options.out.mkdir(parents=True, exist_ok=True)
    os.environ["VIDGEN_CONFIG"] = str(options.out.absolute() / "config")
    file = options.out / f"{options.way}.jsonl"
    rows = [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []
    seconds = options.seconds or 2.0
    while sum(row["killed"] for row in rows) < options.n:
        if options.way == "generate" and not options.seconds and rows:
            seconds = 1.1 * rows[0]["took"]  # the first run is not killed, if it is to tell how long one takes
        number = len(rows) + (options.way == "release" or options.seconds > 0)
        rows.append(kill_once(options, number, seconds))
        with file.open("a") as log:
            log.write(json.dumps(rows[-1]) + "\n")
    killed = [row for row in rows if row["killed"]]
    wrong = [f"kill {row['number']}: {what}" for row in rows for what in row["wrong"]]
    print("\n".join(wrong))
    print(
        f"{options.way}: {len(killed)} kills between {min(row['after'] for row in killed):.2f} and "
        f"{max(row['after'] for row in killed):.2f} s, {sum(row['files'] for row in killed)} files left by them, "
        f"{len(wrong)} wrong; {len(rows) - len(killed)} runs ended before"
    )
    raise SystemExit(1 if wrong else 0)


if __name__ == "__main__":
    release_for_ever() if sys.argv[1:] == [FOR_EVER] else main(tyro.cli(Options))
