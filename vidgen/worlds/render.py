# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Frames of a scene: its objects laid over its place, far ones first; and what is true of them."""

import cv2
import numpy as np

from vidgen.worlds.motion import Scene, screen_poses
from vidgen.worlds.raster import backgrounds, far_to_near, warp
from vidgen.worlds.truth import Event, Truth, ground_truth

__all__ = ["Event", "Truth", "ground_truth", "render"]


def render(scene: Scene) -> np.ndarray:
    """The frames of a scene, uint8 [F, H, W, 3], RGB, anti-aliased; the same scene gives the same pixels."""
    seen = screen_poses(scene)
    order = far_to_near(scene)
    frames_FHWC = backgrounds(scene)
    for frame, pixels_HWC in enumerate(frames_FHWC):
        for row in order:
            warped = warp(scene, seen, frame, row)
            if warped is None:
                continue
            patch_hw4, left, top = warped
            under = pixels_HWC[top : top + patch_hw4.shape[0], left : left + patch_hw4.shape[1]]
            patch = patch_hw4.astype(np.float32)
            under *= 1 - patch[..., 3:] * np.float32(1 / 255)
            under += patch[..., :3]
    return cv2.convertScaleAbs(frames_FHWC.reshape(scene.frames * scene.height, -1)).reshape(frames_FHWC.shape)
