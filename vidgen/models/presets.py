# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Shapes of public models, as configs of the networks here."""

import dataclasses

from vidgen.models.dit import DiTConfig
from vidgen.models.text import LabelConfig, TextConfig

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
DIT_XL_2 = DiTConfig(
    patch=(1, 2, 2), channels=4, width=1152, layers=28, heads=16, hidden=4608, text_width=1152, coordinates=False,
    precondition=False, cross=False, rotary=False, qk_norm=False, grid=16, own_modulation=True, says="noise",
    doubled=True,
)  # fmt: skip
"""DiT-XL/2 (arXiv 2212.09748, table 1) for pictures of 256 x 256; of 512 x 512 its grid is 32."""
SIT_XL_2 = dataclasses.replace(DIT_XL_2, says="to data", time_scale=1.0)
"""SiT-XL/2 (arXiv 2401.08740): the same network, trained to say the velocity along the straight path."""
IMAGENET = LabelConfig(classes=1000, width=1152)
"""The classes of both."""
