# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""What a run tells: a progress bar, TensorBoard files, and how near the machine's limit it computes."""

import sys
import time
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from etils import epath
from PIL import Image
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from tensorboardX import SummaryWriter

from vidgen.parallel.hosts import is_first

PEAK_BF16_FLOPS = {
    "TPU v4": 275e12,
    "TPU v5 lite": 197e12,
    "TPU v5e": 197e12,
    "TPU v5": 459e12,
    "TPU v5p": 459e12,
    "TPU v6 lite": 918e12,
    "TPU v6e": 918e12,
    "TPU7x": 2307e12,
}
"""Peak bfloat16 FLOP/s a chip, as published by the maker, by JAX's `device_kind`."""


def peak_flops(devices: int = 1) -> tuple[float, str]:
    """(FLOP/s that so many devices reach at best, what that figure is).

    On TPU the published bfloat16 peak. On anything else the rate of a float32 matmul of 2048 x 2048 on one device,
    measured now, times the processes: the virtual devices of a CPU share what it can do.
    """
    device = jax.local_devices()[0]
    if device.device_kind in PEAK_BF16_FLOPS:
        return PEAK_BF16_FLOPS[device.device_kind] * devices, f"{device.device_kind} bfloat16 peak x {devices}"
    n = 2048
    a = jnp.full((n, n), 0.5, jnp.float32)
    product = jax.jit(lambda x: x @ x)
    product(a).block_until_ready()
    seconds = []
    for _ in range(5):
        start = time.perf_counter()
        product(a).block_until_ready()
        seconds.append(time.perf_counter() - start)
    return 2 * n**3 / min(seconds) * jax.process_count(), "measured float32 matmul"


class Log:
    """One run's output: a bar on the terminal (plain lines where there is no terminal) and event files.

    Of several processes, the first alone says and stores anything.

    Args:
        workdir: event files go to workdir/tensorboard, pictures also to workdir/samples; it may be in a bucket.
        start, stop: first and last step, for the bar.
        every: steps between two printed or stored lines.
        devices: how many take part, for the share of their peak.
    """

    def __init__(self, workdir: epath.Path, start: int, stop: int, every: int, devices: int = 1):
        self._workdir, self._every, self._first = workdir, every, is_first()
        folder = str(workdir / "tensorboard")
        self._writer = SummaryWriter(folder, purge_step=start, write_to_disk=self._first)
        self._console = Console(stderr=True, quiet=not self._first)
        self._bar = Progress(
            TextColumn("step"),
            MofNCompleteColumn(),
            BarColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[line]}"),
            console=self._console,
            disable=not (self._first and sys.stderr.isatty()),
        )
        self._task = self._bar.add_task("train", total=stop, completed=start, line="compiling")
        self._peak, self._peak_name = peak_flops(devices) if self._first else (1.0, "")
        self._since, self._clips, self._flops = time.perf_counter(), 0, 0.0

    def __enter__(self) -> "Log":
        self._bar.start()
        self.say(f"utilisation is against {self._peak / 1e12:.2f} TFLOP/s ({self._peak_name})")
        return self

    def __exit__(self, *_: Any) -> None:
        self._bar.stop()
        self._writer.close()

    def say(self, text: str) -> None:
        """Prints one line above the bar."""
        self._console.print(text, highlight=False, markup=False, soft_wrap=True)

    def pause(self) -> None:
        """Leaves out of the speed what happened since the last step: compilation, evaluation, saving."""
        self._since, self._clips, self._flops = time.perf_counter(), 0, 0.0

    def step(self, step: int, metrics: dict[str, Any], clips: int, flops: float) -> None:
        """Counts one finished step; `metrics` are read from the device only when a line is due."""
        self._clips += clips
        self._flops += flops
        if step % self._every or not self._first:
            self._bar.update(self._task, completed=step)
            return
        seconds = max(time.perf_counter() - self._since, 1e-9)
        values = {name: float(np.asarray(value)) for name, value in metrics.items()}
        values |= {
            "clips_per_second": self._clips / seconds,
            "gflops_per_second": self._flops / seconds / 1e9,
            "utilisation": self._flops / seconds / self._peak,
        }
        for name, value in values.items():
            self._writer.add_scalar(name, value, step)
        line = (
            f"loss {values['loss']:.4f}  {values['clips_per_second']:.1f} clips/s  "
            f"{values['gflops_per_second']:.0f} GFLOP/s ({100 * values['utilisation']:.0f} %)"
        )
        self._bar.update(self._task, completed=step, line=line)
        if not sys.stderr.isatty():
            rest = "  ".join(
                f"{n} {v:.4g}" for n, v in values.items() if n not in ("loss", "finite") and "per" not in n
            )
            self.say(f"step {step}  {line}  {rest}")
        self.pause()

    def scalars(self, step: int, values: dict[str, float]) -> None:
        """Stores results of an evaluation and prints them."""
        for name, value in values.items():
            self._writer.add_scalar(name, value, step)
        self.say(f"step {step}  " + "  ".join(f"{name} {value:.4g}" for name, value in values.items()))

    def picture(self, step: int, name: str, image_HWC: np.ndarray) -> None:
        """Stores a uint8 picture as an event and as workdir/samples/NAME-STEP.png."""
        self._writer.add_image(name, image_HWC, step, dataformats="HWC")
        folder = self._workdir / "samples"
        folder.mkdir(exist_ok=True)
        with (folder / f"{name.replace('/', '-')}-{step:07d}.png").open("wb") as file:
            Image.fromarray(image_HWC).save(file, "PNG")
