# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The detector of solids on renders: colours, places to a fraction of a pixel, shapes; also in blurred frames."""

import cv2
import numpy as np
import pytest

from vidgen.worlds.solids.detect import LEAST_FRAMES, detect_solids, shape_probabilities, solid_tracks, track_points
from vidgen.worlds.solids.draw import ORBITS, SolidConfig, draw_solids
from vidgen.worlds.solids.render import missing, shoot

pytestmark = pytest.mark.skipif(bool(missing()), reason=missing())
GRID = np.arange(64) + 0.5


@pytest.fixture(scope="module")
def shots():
    """Pictures of solids that are apart: scenes and what is rendered of them."""
    config = SolidConfig(solids=(4, 4), plays=("rest",), sizes=(0.3, 0.38), frames=1)
    scenes = [draw_solids(config, seed) for seed in range(14)]
    return [(scene, shoot(scene)) for scene in scenes]


@pytest.mark.parametrize("blur", [0.0, 0.9])
def test_what_is_rendered_is_found(shots, blur):
    right = named = seen = 0
    off: list[float] = []
    for scene, shot in shots:
        frames = shot.frames_FHWC
        if blur:
            frames = np.stack([cv2.GaussianBlur(frame, (0, 0), blur) for frame in frames])
        found = {one.color: one for one in detect_solids(frames)[0]}
        assert set(found) <= {solid.color for solid in scene.solids}
        for row, solid in enumerate(scene.solids):
            shown_HW = shot.segments_FHWN[0, ..., row]
            area = shown_HW.sum()
            if area < 25:
                continue
            one = found[solid.color]
            if one.whole:
                middle = shown_HW.sum(0) @ GRID / area, shown_HW.sum(1) @ GRID / area
                off.append(float(np.hypot(one.x - middle[0], one.y - middle[1])))
                assert one.area == pytest.approx(area, rel=0.3)
                seen += 1
                named += one.shape != ""
                right += one.shape == solid.shape
    # What touches another colour, blurred into it, may be off by more than the others.
    assert seen > 20 and np.median(off) < 0.15 and max(off) < 0.8
    assert right >= 0.85 * seen and right >= 0.93 * named


def test_an_empty_or_plain_frame_shows_nothing():
    rng = np.random.default_rng(0)
    plain = np.full((2, 64, 64, 3), 150, np.uint8)
    grainy = np.clip(plain + rng.normal(0, 12, plain.shape), 0, 255).astype(np.uint8)
    assert detect_solids(plain) == [[], []] and detect_solids(grainy) == [[], []]
    assert solid_tracks(plain) == {}


def test_something_half_out_of_the_frame_or_covered_is_not_whole():
    frame = np.full((64, 64, 3), 150, np.uint8)
    cv2.rectangle(frame, (-1, 20), (9, 34), (214, 32, 32), -1)
    cv2.rectangle(frame, (30, 20), (40, 34), (36, 156, 52), -1)
    cv2.rectangle(frame, (41, 20), (50, 34), (30, 74, 218), -1)
    cv2.rectangle(frame, (20, 50), (30, 58), (244, 208, 24), -1)
    whole = {one.color: one.whole for one in detect_solids(frame[None])[0]}
    assert whole == {"red": False, "green": False, "blue": False, "yellow": True}


def test_tracks_join_colours_and_leave_gaps():
    frames = np.full((6, 64, 64, 3), 150, np.uint8)
    for frame in range(6):
        if frame != 3:
            cv2.circle(frames[frame], (15 + 5 * frame, 30), 6, (214, 32, 32), -1, cv2.LINE_AA)
    cv2.circle(frames[2], (50, 50), 6, (30, 74, 218), -1)  # in one frame only
    tracks = solid_tracks(frames)
    assert set(tracks) == {"red"} and LEAST_FRAMES == 2
    assert tracks["red"].frames == (0, 1, 2, 4, 5)
    colors, points_FN2 = track_points(tracks, 6)
    assert colors == ("red",) and np.isnan(points_FN2[3]).all()
    there = [0, 1, 2, 4, 5]
    assert np.allclose(points_FN2[there, 0], [(15.5 + 5 * frame, 30.5) for frame in there], atol=0.15)


def test_probabilities_add_up_and_bad_frames_are_refused():
    rng = np.random.default_rng(0)
    assert np.allclose(shape_probabilities(rng.normal(size=(5, 2, 14, 14)).astype(np.float32)).sum(1), 1)
    with pytest.raises(ValueError, match="uint8"):
        detect_solids(np.zeros((1, 64, 64, 3), np.float32))


def test_an_orbit_is_tracked_in_full():
    scene = draw_solids(ORBITS, 3)
    tracks = solid_tracks(shoot(scene).frames_FHWC)
    assert set(tracks) == {solid.color for solid in scene.solids}
    _, points_FN2 = track_points(tracks, scene.frames)
    assert np.isfinite(points_FN2).all(-1).mean() > 0.8
