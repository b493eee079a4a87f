# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Shapes of public models, as configs of the networks here."""

from vidgen.models.dit import DiTConfig
from vidgen.models.text import TextConfig

WAN_1_3B = DiTConfig(
    patch=(1, 2, 2), channels=16, width=1536, layers=30, heads=12, hidden=8960, text_width=4096, coordinates=False,
    precondition=False, whole_times=True,
)  # fmt: skip
"""Wan 2.1 1.3B (arXiv 2503.20314, table 1): 1,418,996,800 parameters."""
WAN_14B = DiTConfig(
    patch=(1, 2, 2), channels=16, width=5120, layers=40, heads=40, hidden=13824, text_width=4096, coordinates=False,
    precondition=False, whole_times=True,
)  # fmt: skip
"""Wan 2.1 14B, of the same table."""
UMT5_XXL = TextConfig(
    vocabulary=256_384, width=4096, layers=24, heads=64, hidden=10_240, start=False, scaled=False, padding_seen=True
)
"""The encoder of UMT5-XXL (arXiv 2304.09151), which reads Wan's prompts."""
