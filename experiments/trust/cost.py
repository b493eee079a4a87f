# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""What trust costs beside making: CPU time and time of the clock, for a clip of the model inside the package.

python experiments/trust/cost.py

All is warm: compiled, and read. CPU time hardly depends on what else the machine does, so shares are of that; the
clock is told too. In `vidgen generate` the review runs beside marking and encoding.
"""

import dataclasses
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import tyro

from vidgen.compilation import enable_compilation_cache
from vidgen.safety import provenance, watermark
from vidgen.safety.badge import add_badge
from vidgen.safety.certificates import load_identity
from vidgen.safety.frames import review_frames
from vidgen.safety.nsfw import OpenNsfw
from vidgen.safety.policy import load_policy
from vidgen.sample.export import encode
from vidgen.sample.pipeline import load_pipeline
from vidgen.sample.release import read_classifiers


@dataclasses.dataclass(frozen=True)
class Options:
    """How often."""

    repeats: int = 5
    """Of each part; the least counts."""
    frames: int = 17
    """Of a clip."""


def least(repeats: int, work: Callable[[], object]) -> tuple[float, float]:
    """(seconds of CPU, seconds of the clock), the least of some after one that does not count."""
    work()
    cpu, clock = [], []
    for _ in range(repeats):
        began = time.process_time(), time.perf_counter()
        work()
        cpu.append(time.process_time() - began[0])
        clock.append(time.perf_counter() - began[1])
    return min(cpu), min(clock)


def main(options: Options) -> None:
    """Prints a table."""
    enable_compilation_cache()
    pipeline, policy = load_pipeline(), load_policy()
    size = {"frames": options.frames, "width": 64, "height": 64}
    prompt = "an astronaut moves to the right across the moon"
    [clip] = pipeline.generate([prompt], **size)
    identity, origin = load_identity(), provenance.Origin("generate", "default", "", (prompt,), 0)
    classifiers, exact = read_classifiers(policy), {"open_nsfw": OpenNsfw(exact=True)}
    encoded = encode(".mp4", clip, 8)
    parts: dict[str, Callable[[], object]] = {
        "making the clip": lambda: pipeline.generate([prompt], **size),
        "review of every frame": lambda: review_frames(clip, policy, classifiers),
        "review in float32": lambda: review_frames(clip, policy, exact),
        "prompt policy": lambda: policy.prompts.check(prompt),
        "invisible mark": lambda: watermark.embed(clip, bytes(6)),
        "visible mark": lambda: add_badge(clip, 8),
        "encoding (H.264)": lambda: encode(".mp4", clip, 8),
        "signing": lambda: provenance.sign(encoded, ".mp4", origin, identity, {}),
    }
    whole: tuple[float, float] | None = None
    print(f"{len(np.unique(clip.reshape(len(clip), -1), axis=0))} of {len(clip)} frames differ")
    for name, work in parts.items():
        cpu, clock = least(options.repeats, work)
        whole = whole or (cpu, clock)
        share = f"{100 * cpu / whole[0]:.1f} % of CPU time, {100 * clock / whole[1]:.1f} % of the clock"
        print(f"{name:<24} {1000 * cpu:7.0f} ms of CPU {1000 * clock:7.0f} ms of the clock   {share}")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        os.environ["VIDGEN_CONFIG"] = str(Path(folder) / "config")
        main(tyro.cli(Options))
