# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""TPU generations and the shapes of slices that they come in, by the names that Google Cloud and the compiler use."""

import dataclasses
import math


@dataclasses.dataclass(frozen=True)
class Chip:
    """One TPU chip, by its maker's figures (docs.cloud.google.com/tpu/docs, one page a generation).

    Attributes:
        name: of the generation.
        flops: peak of bfloat16 products, in FLOP/s.
        hbm_bytes: high-bandwidth memory.
        hbm_bandwidth: bytes/s between it and the cores.
        ici_bandwidth: bytes/s in one direction over all links to neighbouring chips together.
        ici_links: how many links that is: two for each dimension of the torus.
        dcn_bandwidth: bytes/s in one direction over the data-centre network, a chip's share of its host's.
        devices: JAX devices on a chip.
        pod: most chips in one slice.
    """

    name: str
    flops: float
    hbm_bytes: float
    hbm_bandwidth: float
    ici_bandwidth: float
    ici_links: int
    dcn_bandwidth: float
    devices: int
    pod: int


GIB = 2.0**30

# The vendor's ICI figures count both directions (v5p 1200 GB/s, v5e 400, v6e 800, 7x 1200); half is kept here. Of v4
# the older page's 2,400 Gbit/s are kept. DCN: v5e's 6.4 Tbit/s a pod, v5p's 50 Gbit/s a chip; those of v4, v6e and 7x
# are recalled, not read.
CHIPS = {
    chip.name: chip
    for chip in (
        Chip("v4", 275e12, 32 * GIB, 1200e9, 300e9, 6, 3.125e9, 1, 4096),
        Chip("v5e", 197e12, 16 * GIB, 819e9, 200e9, 4, 3.125e9, 1, 256),
        Chip("v5p", 459e12, 95 * GIB, 2765e9, 600e9, 6, 6.25e9, 1, 6144),
        Chip("v6e", 918e12, 32 * GIB, 1638e9, 400e9, 4, 12.5e9, 1, 256),
        Chip("7x", 2307e12, 192 * GIB, 7380e9, 600e9, 6, 12.5e9, 2, 9216),
    )
}

_FLAT = ((1, 1), (2, 2), (2, 4), (4, 4), (4, 8), (8, 8), (8, 16), (16, 16))
_SMALL_CUBOIDS = ((2, 2, 1), (2, 2, 2), (2, 2, 4), (2, 4, 4))
_CUBOIDS = ((4, 4, 4), (4, 4, 8), (4, 8, 8), (8, 8, 8), (8, 8, 16), (8, 16, 16), (16, 16, 16), (16, 16, 24))


@dataclasses.dataclass(frozen=True)
class Topology:
    """A slice: chips of one generation in a grid."""

    chip: Chip
    shape: tuple[int, ...]

    @property
    def chips(self) -> int:
        """How many chips."""
        return math.prod(self.shape)

    @property
    def name(self) -> str:
        """The name that the TPU compiler takes, such as "v5p:4x4x8"."""
        generation = "tpu7x" if self.chip.name == "7x" else self.chip.name
        return f"{generation}:{'x'.join(map(str, self.shape))}"


def topologies(generation: str) -> tuple[str, ...]:
    """The usual slices of a generation, smallest first; cuboids of whole 4x4x4 cubes beyond these exist too."""
    chip = CHIPS[generation]
    shapes = _FLAT if chip.ici_links == 4 else _SMALL_CUBOIDS + _CUBOIDS
    return tuple(f"{generation}:{'x'.join(map(str, s))}" for s in shapes if math.prod(s) <= chip.pod)


def parse_topology(name: str) -> Topology:
    """The slice of a name such as "v5p:4x4x8", "v6e:16x16" or "7x:4x4x4" ("tpu7x:..." is the same).

    Raises:
        ValueError: there is no such generation or no such slice of it; the message lists those that there are.
    """
    generation, _, sides = name.strip().lower().removeprefix("tpu").partition(":")
    if generation not in CHIPS:
        known = "; ".join(f"{g}: {', '.join(t.partition(':')[2] for t in topologies(g))}" for g in CHIPS)
        raise ValueError(f"{name!r} is no TPU topology; write GENERATION:SHAPE with one of: {known}")
    chip = CHIPS[generation]
    parts = sides.split("x")
    shape = tuple(int(part) for part in parts) if all(part.isdecimal() for part in parts) else ()
    cubes = len(shape) == 3 and all(side and side % 4 == 0 for side in shape) and list(shape) == sorted(shape)
    known = topologies(generation)
    if f"{generation}:{sides}" not in known and not (chip.ici_links == 6 and cubes and math.prod(shape) <= chip.pod):
        more = f", and other multiples of 4x4x4 up to {chip.pod} chips" if chip.ici_links == 6 else ""
        raise ValueError(f"{name!r} is no slice of {generation}; there are {', '.join(known)}{more}")
    return Topology(chip, shape)
