# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The dimension key: one letter a dimension, used in names (`x_BLD`), einsum strings and jaxtyping annotations."""

import numpy as np
from jaxtyping import UInt8

DIMENSIONS: dict[str, str] = {
    "B": "batch",
    "T": "latent frames",
    "F": "pixel frames",
    "H": "height",
    "W": "width",
    "C": "channels",
    "P": "patch volume",
    "L": "tokens",
    "S": "text tokens",
    "D": "model width",
    "N": "heads, or items of one kind",
    "K": "width of a head",
    "M": "width of the MLP",
    "E": "segments",
    "R": "rows: all leading dimensions in one",
    "I": "inputs of a layer",
    "O": "outputs of a layer",
    "V": "vocabulary",
}

# One clip, or one picture if F = 1, as it is read from and written to files.
Frames = UInt8[np.ndarray, "F H W 3"]

ATTENTION = "attention"
"""What `jax.checkpoint` calls the result of self-attention, which costs much to compute and little to keep."""
