# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Physics-IQ's measures against values worked out by hand, and its score's fixed points."""

import numpy as np
import pytest

from vidgen.eval.physics_iq import (
    Likeness,
    likeness,
    motion_masks,
    physics_iq,
    spatial_iou,
    spatiotemporal_iou,
    weighted_iou,
)
from vidgen.worlds.phyworld.discs import render
from vidgen.worlds.phyworld.scene import PhyConfig, draw_scene, jittered


def masks(*frames):
    return np.array(frames, bool)[:, None]


# Four pixels, two frames: one moves first in 0 and 1, then in 2; the other in 1, then in 1 and 2.
ONE, OTHER = masks([1, 1, 0, 0], [0, 0, 1, 0]), masks([0, 1, 0, 0], [0, 1, 1, 0])
NONE = masks([0, 0, 0, 0], [0, 0, 0, 0])


def test_overlaps_by_hand():
    assert spatial_iou(ONE, OTHER) == pytest.approx(2 / 3)
    assert spatiotemporal_iou(ONE, OTHER) == pytest.approx((1 / 2 + 1 / 2) / 2)
    # Shares of frames: (1/2, 1/2, 1/2, 0) and (0, 1, 1/2, 0).
    assert weighted_iou(ONE, OTHER) == pytest.approx((0 + 0.5 + 0.5) / (0.5 + 1 + 0.5))
    for measure in (spatial_iou, spatiotemporal_iou, weighted_iou):
        assert measure(ONE, ONE) == measure(NONE, NONE) == 1
        assert measure(ONE, NONE) == 0
        assert measure(ONE, OTHER) == measure(OTHER, ONE)


def test_a_frame_in_which_neither_moves_agrees():
    still = masks([1, 0, 0, 0], [0, 0, 0, 0])
    assert spatiotemporal_iou(still, masks([0, 1, 0, 0], [0, 0, 0, 0])) == 0.5


def test_masks_show_what_moves_and_nothing_else():
    clip = np.full((6, 48, 48, 3), 40, np.uint8)
    clip[:, 30:40, 5:15] = 200  # at rest
    for frame in range(6):
        clip[frame, 8:20, 4 + 6 * frame : 16 + 6 * frame] = 220
    found = motion_masks(clip)
    assert not found[0].any()
    assert not found[:, 26:].any()
    for frame in range(1, 6):
        assert found[frame, 14, 14 + 6 * frame]  # where it comes
        assert found[frame, 14, 6 * frame]  # and where it was
    # A change of at most the threshold is none; a thing smaller than the kernel is cleaned away.
    faint = np.full((3, 32, 32, 3), 40, np.uint8)
    faint[1:, 8:24, 8:24] = 50
    assert not motion_masks(faint).any()
    small = np.full((3, 32, 32, 3), 40, np.uint8)
    small[1:, 15:17, 15:17] = 220
    assert not motion_masks(small).any() and motion_masks(small, kernel=1)[1].sum() == 4


def test_the_running_mean_forgets_as_published():
    # A step of 100 is off the mean by 70, 49, 34.3, 24, 16.8, 11.8, 8.2 grey levels: six frames above 10.
    clip = np.full((9, 16, 16, 3), 50, np.uint8)
    clip[1:] = 150
    assert motion_masks(clip).all((1, 2)).tolist() == [False, *[True] * 6, False, False]


def test_the_score_of_a_take_is_100_and_of_nothing_alike_0():
    takes = [Likeness(0.8, 0.6, 0.7, 0.02), Likeness(0.6, 0.4, 0.5, 0.04)]
    assert physics_iq(takes, takes) == pytest.approx(100)
    assert physics_iq([Likeness(1, 1, 1, 0)] * 2, takes) == 100
    assert physics_iq([Likeness(0, 0, 0, 0.5)] * 2, takes) == 0
    # By hand: means of the takes are .7, .5, .6, .03; of the clips half of that, and an error of .13.
    half = [Likeness(0.35, 0.25, 0.3, 0.13)] * 2
    assert physics_iq(half, takes) == pytest.approx(100 * (0.5 - 0.1))
    assert np.isnan(physics_iq([], []))
    assert np.isnan(physics_iq([Likeness(1, 1, 1, 0)], [Likeness(0, 0, 0, 0)]))
    with pytest.raises(ValueError, match="2 clips, 1 pairs"):
        physics_iq(takes, takes[:1])


def test_takes_of_one_experiment_are_more_alike_than_other_experiments():
    scenes = [draw_scene(PhyConfig("collision", size=48), seed) for seed in range(4)]
    firsts, seconds = ([render(scene) for scene in group] for group in (scenes, [jittered(s, 1) for s in scenes]))
    takes = [likeness(one, two, 3) for one, two in zip(firsts, seconds, strict=True)]
    others = [likeness(one, two, 3) for one, two in zip(firsts, [*firsts[1:], firsts[0]], strict=True)]
    assert min(take.spatiotemporal for take in takes) > 0.3 and max(take.spatiotemporal for take in takes) < 1
    assert physics_iq(others, takes) < 60
    backwards = [likeness(one, one[::-1], 3) for one in firsts]
    assert np.mean([one.spatiotemporal for one in backwards]) < np.mean([one.spatial for one in backwards])


def test_mistakes_get_a_clear_line():
    clip = np.zeros((3, 16, 16, 3), np.uint8)
    with pytest.raises(ValueError, match="uint8"):
        motion_masks(clip / 255)
    with pytest.raises(ValueError, match="odd"):
        motion_masks(clip, 4)
    with pytest.raises(ValueError, match="one shape"):
        likeness(clip, clip[:2])
