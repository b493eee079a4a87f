# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Which meshes, batch sizes and remat policies are worth compiling, in which order; and their ranking."""

import dataclasses
import math
from collections.abc import Iterator
from typing import Any, Literal

Remat = Literal["none", "dots", "attention", "full"]
REMAT: tuple[Remat, ...] = ("none", "dots", "attention", "full")
"""From the policy that keeps most to the one that keeps least."""


@dataclasses.dataclass(frozen=True)
class Shape:
    """What the search must know of an experiment: sizes that decide what fits.

    Attributes:
        width, layers, heads, hidden: of the transformer.
        tokens: of a clip.
        batch_option: the option of the command that says how large a batch is.
    """

    width: int
    layers: int
    heads: int
    hidden: int
    tokens: int
    batch_option: str = "--data.0.batch-size"

    @property
    def parameters(self) -> float:
        """About how many, of the transformer alone."""
        return self.layers * (8.0 * self.width**2 + 2.0 * self.width * self.hidden)


@dataclasses.dataclass(frozen=True)
class Candidate:
    """One way to run: the axes of the mesh, clips in a call, remat policy (None when sampling)."""

    data: int
    guidance: int
    fsdp: int
    sequence: int
    tensor: int
    clips: int
    remat: Remat | None

    @property
    def mesh(self) -> dict[str, int]:
        """Sizes of the axes."""
        return {name: getattr(self, name) for name in ("data", "guidance", "fsdp", "sequence", "tensor")}

    def options(self, shape: Shape) -> list[str]:
        """The options of the command that make it so."""
        axes = {**self.mesh}
        if self.remat is not None:
            del axes["guidance"]  # training has none
        found = [part for name, size in axes.items() for part in (f"--mesh.{name}", str(size))]
        if self.remat is not None:
            found += ["--model.remat", self.remat, shape.batch_option, str(self.clips)]
        return found

    def at_least(self, other: "Candidate") -> bool:
        """Whether this needs at least the memory that the other does: same mesh, no fewer clips, no more recomputed."""
        kept = self.remat is None or REMAT.index(self.remat) <= REMAT.index(other.remat or "none")
        return self.mesh == other.mesh and self.clips >= other.clips and kept

    def memory(self, shape: Shape) -> float:
        """A guess of the bytes on a device, to order what is compiled; the compiler decides what fits.

        The state is 16 bytes a parameter when training (parameters, average and two moments) and 4 when sampling.
        A layer keeps its input (full), what attention gave as well (attention), the results of all its matmuls (dots),
        or about three times that (none).
        """
        ways = self.fsdp * self.tensor
        rows = self.clips * (1 if self.remat else 2) / min(self.clips * 2, self.data * self.guidance * self.fsdp)
        tokens = rows * shape.tokens / self.sequence
        inside = 8.0 * shape.width + shape.hidden
        kept = {None: 0.0, "none": 3 * inside, "dots": inside, "attention": 2 * shape.width, "full": shape.width}
        state = (16.0 if self.remat else 4.0) * shape.parameters / ways
        return state + tokens * (4.0 * shape.layers * kept[self.remat] / self.tensor + 4.0 * 3 * inside / self.tensor)

    def slowness(self) -> float:
        """A guess of the time a clip takes, to order what is compiled: recomputation, and what axes must send."""
        recomputed = {None: 1.0, "none": 1.0, "dots": 1.1, "attention": 1.2, "full": 1.33}[self.remat]
        return recomputed * 1.03 ** math.log2(self.sequence) * 1.06 ** math.log2(self.tensor) / self.clips**0.01


def candidates(shape: Shape, devices: int, slices: int, mode: str, capacity: float) -> list[Candidate]:
    """All that could fit, even if the guess of memory is three times too large.

    A mesh has copies over slices alone, heads divided evenly over tensor, and clips for all of data x fsdp.

    Args:
        shape: of the experiment; devices, slices: of the topology, all slices together; mode: "train" or "sample".
        capacity: bytes of a device.
    """
    found = []
    inner = devices // slices
    for sequence in _divisors(inner):
        for tensor in _divisors(inner // sequence):
            for guidance in (1, 2) if mode == "sample" else (1,):
                fsdp, left_over = divmod(inner, sequence * tensor * guidance)
                if left_over or shape.heads % tensor or shape.hidden % tensor or tensor > 8 or shape.width % fsdp:
                    continue
                loads = _loads(slices * guidance * fsdp, mode)
                found += [Candidate(slices, guidance, fsdp, sequence, tensor, clips, remat) for clips, remat in loads]
    return [one for one in found if one.memory(shape) <= 3 * capacity]


def promising(left: list[Candidate], shape: Shape, capacity: float, correction: float) -> Candidate:
    """What to compile next: the fastest, by guess, of those that should fit; if none should, the smallest.

    Args:
        left: not compiled yet; shape: of the experiment; capacity: bytes of a device.
        correction: what guesses of memory must be multiplied with, as far as is known.
    """
    likely = [one for one in left if correction * one.memory(shape) <= capacity]
    return min(likely, key=Candidate.slowness) if likely else min(left, key=lambda one: one.memory(shape))


def _loads(rows: int, mode: str) -> Iterator[tuple[int, Remat | None]]:
    """(clips, remat) for a batch divided over so many rows; a clip that is sampled makes two, for guidance."""
    if mode == "sample":
        yield from ((clips, None) for clips in {max(1, rows // 2), rows, 2 * rows} if 2 * clips % rows == 0)
    else:
        for each in (1, 2, 4):
            for remat in REMAT:
                yield rows * each, remat


def _divisors(number: int) -> list[int]:
    return [size for size in range(1, number + 1) if number % size == 0]


def ranked(results: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those that fit, by seconds of video a chip-hour when what is not hidden is waited for, best first."""
    fitting = [one for one in results if one.get("fits")]
    return sorted(fitting, key=lambda one: -one["video_per_chip_hour_estimate"])
