# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Does a clip go on evenly, or does it jump from one latent frame to the next?"""

import numpy as np

STILL = 0.1
"""Levels a step, of the frames within groups, below which a clip stands still and tells nothing."""


def jumps(clips_NFHWC: np.ndarray, group: int) -> np.ndarray:
    """How much more changes where a group of frames begins than from frame to frame within groups: one number a clip.

    Even motion gives 1. A group is what one latent frame stands for: after frame 0, `group` frames each.

    Args:
        clips_NFHWC: uint8, 1 + a multiple of group frames, at least two groups.

    Returns:
        [N], nan for clips that stand still.

    Raises:
        ValueError: groups of one frame, or another number of frames.
    """
    frames = clips_NFHWC.shape[1]
    if group < 2 or frames < 1 + 2 * group or (frames - 1) % group:
        raise ValueError(
            f"{frames} frames in groups of {group} were given; give frame 0 and two groups or more of 2 or more"
        )
    steps_NF = np.stack([_changes(clip) for clip in clips_NFHWC])
    between = np.arange(frames - 1) % group == 0
    within_N = steps_NF[:, ~between].mean(axis=1)
    return np.where(within_N > STILL, steps_NF[:, between].mean(axis=1) / np.maximum(within_N, STILL), np.nan)


def _changes(clip_FHWC: np.ndarray) -> np.ndarray:
    """Mean absolute change from each frame to the next, levels [F - 1]."""
    return np.abs(np.diff(clip_FHWC.astype(np.float32), axis=0)).mean(axis=(1, 2, 3))
