# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""What is in each latent cell of a clip: the truth, cut into the cells that a patch VAE makes of pixels."""

from typing import NamedTuple

import numpy as np

from vidgen.worlds.motion import Scene, screen_poses
from vidgen.worlds.raster import alpha_masks, far_to_near

COVERED = 0.2
"""A cell of which less than this share is covered by anything shows the place alone."""


class Cells(NamedTuple):
    """row_THW: int16, the index of the object that covers most of each cell, -1 where the place is seen.

    place_THW2: float32, where in that object the cell's middle is: x and y from the object's middle, in units of its
    size; zeros where there is none. Both are means over the cell's frames. going_THW2: float32, how far that object
    goes from the first frame to the last, in the same units.
    """

    row_THW: np.ndarray
    place_THW2: np.ndarray
    going_THW2: np.ndarray


def scene_cells(scene: Scene, patch: tuple[int, int, int]) -> Cells:
    """The cells of a scene. patch: frames, rows and columns of pixels in a cell; frame 0 has cells of its own.

    Takes about as long as rendering the scene.

    Raises:
        ValueError: the scene cannot be cut into such cells.
    """
    group, q, r = patch
    if (scene.frames - 1) % group or scene.height % q or scene.width % r:
        raise ValueError(
            f"a scene of {scene.frames} frames of {scene.width}x{scene.height} cannot be cut into cells of "
            f"{group}x{q}x{r} (frames x height x width) after its first frame"
        )
    T, H, W = 1 + (scene.frames - 1) // group, scene.height // q, scene.width // r
    nearest_first = far_to_near(scene)[::-1]
    share_FNHW = np.zeros((scene.frames, len(scene.objects), H, W), np.float32)
    for frame, masks in enumerate(alpha_masks(scene)):
        clear_HW = np.ones((scene.height, scene.width), np.float32)
        for row in nearest_first:
            mask_HW, _ = masks[row]
            share_FNHW[frame, row] = (mask_HW * clear_HW).reshape(H, q, W, r).mean((1, 3))
            clear_HW *= 1 - mask_HW
    share_TNHW = _group_means(share_FNHW, group)
    row_THW = share_TNHW.argmax(1)
    covered_THW = share_TNHW.max(1) >= COVERED

    seen = screen_poses(scene)
    middle_TN2 = _group_means(np.stack([seen.x_FN, seen.y_FN], -1), group)
    size_TN = _group_means(seen.size_FN, group)
    x_W, y_H = (np.arange(W) + 0.5) * r, (np.arange(H) + 0.5) * q
    cell_HW2 = np.stack(np.broadcast_arrays(x_W[None], y_H[:, None]), axis=-1)
    times_T11 = np.arange(T)[:, None, None]
    size_THW1 = size_TN[times_T11, row_THW, None]
    place_THW2 = (cell_HW2 - middle_TN2[times_T11, row_THW]) / size_THW1
    going_THW2 = (middle_TN2[-1] - middle_TN2[0])[row_THW] / size_THW1

    def where_covered(values_THW2: np.ndarray) -> np.ndarray:
        return np.where(covered_THW[..., None], values_THW2, 0).astype(np.float32)

    row_THW = np.where(covered_THW, row_THW, -1).astype(np.int16)
    return Cells(row_THW, where_covered(place_THW2), where_covered(going_THW2))


def _group_means(values_F: np.ndarray, group: int) -> np.ndarray:
    """[F, ...] -> [T, ...]: frame 0, then the means of the groups after it."""
    grouped = values_F[1:].reshape(-1, group, *values_F.shape[1:])
    return np.concatenate([values_F[:1], grouped.mean(1)])
