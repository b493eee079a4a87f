# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The detector of the shipped model's clips."""

from pathlib import Path

import numpy as np
import pytest

from vidgen.data.video import read_video
from vidgen.safety import detector
from vidgen.worlds.render import render
from vidgen.worlds.scene import FIRST_LIGHT_ON_GRID, draw_scene

GOLDEN = Path(__file__).parents[1] / "golden" / "shipped_model.mp4"  # a clip that the detector was not trained on


def test_a_clip_of_the_model_is_told_from_true_renders():
    threshold = detector.load_looks().threshold
    made = read_video(GOLDEN)
    assert detector.score(made) >= threshold
    # The renders' first seeds, which training and measuring leave out.
    others = [detector.score(render(draw_scene(FIRST_LIGHT_ON_GRID, 2**44 + seed))) for seed in range(5)]
    assert sum(score < threshold for score in others) >= 4
    assert detector.score(made) > max(others)


@pytest.mark.parametrize("shape", [(17, 64, 64, 3), (1, 64, 64, 3), (2, 16, 40, 3), (40, 33, 57, 3)])
def test_features_are_as_many_for_every_size_and_finite(shape):
    rng = np.random.default_rng(0)
    for frames in (np.zeros(shape, np.uint8), rng.integers(0, 256, shape).astype(np.uint8)):
        found = detector.features(frames)
        assert found.shape == detector.load_looks().weight_K.shape and np.isfinite(found).all()
        assert 0 <= detector.score(frames) <= 1


def test_features_see_a_grid_of_eight_pixels_and_a_beat_of_four_frames():
    rng = np.random.default_rng(0)
    noise = rng.integers(100, 130, (9, 64, 64, 3)).astype(np.uint8)
    blocks = noise.copy()
    blocks[:, :, 7::8] += 40
    beat = np.repeat(noise[::4], 4, axis=0)[:9]
    plain, grid, slow = (detector.features(frames) for frames in (noise, blocks, beat))
    names = 3 * 12
    across = names + 8 + 4  # after three spectra, and the eight numbers of edges down
    assert grid[across] > plain[across] + 1
    assert slow[-2] > plain[-2] + 1


def test_of_large_frames_the_middle_is_looked_at(monkeypatch):
    clip = np.random.default_rng(0).integers(0, 256, (2, 60, 50, 3)).astype(np.uint8)
    monkeypatch.setattr(detector, "MOST_SIDE", 40)
    assert np.array_equal(detector.features(clip), detector.features(clip[:, 10:50, 5:45]))


def test_what_is_no_clip_is_refused():
    with pytest.raises(ValueError, match="must be uint8"):
        detector.features(np.zeros((64, 64, 3), np.uint8))


def test_the_weights_say_what_they_are_worth():
    looks = detector.load_looks()
    assert 0 <= looks.false_alarms < looks.found <= 1 and 0 < looks.threshold < 1
    assert looks.made > 0 and looks.others > 0
    assert detector.WEIGHTS.stat().st_size < 200_000
