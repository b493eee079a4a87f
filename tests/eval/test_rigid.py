# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Bundle adjustment: exact on exact tracks, as noisy as its input, and failing where there is no one rigid scene."""

import numpy as np
import pytest

from vidgen.eval.rigid import fit_rigid
from vidgen.worlds.solids.draw import ORBITS, draw_solids
from vidgen.worlds.solids.viewpoint import camera_rig


def tracks_of(seed: int, moves=None) -> tuple[np.ndarray, float, np.ndarray]:
    """Exact tracks of an orbit's solids, the angle it covers, and their places. moves: [F, 3], of the first solid."""
    scene = draw_solids(ORBITS, seed)
    places_N3 = np.array([(solid.x, solid.y, solid.z) for solid in scene.solids])
    points_FN3 = np.repeat(places_N3[None], scene.frames, 0)
    if moves is not None:
        points_FN3[:, 0] += moves
    side = 1 if scene.view.kind == "orbit right" else -1
    return camera_rig(scene).project(points_FN3)[0], side * scene.view.turn, places_N3


def fit(tracks_FN2: np.ndarray):
    found = fit_rigid(tracks_FN2, 64, 64)
    assert found is not None
    return found


@pytest.mark.parametrize("seed", range(4))
def test_exact_tracks_give_the_scene_back(seed):
    tracks_FN2, turn, places_N3 = tracks_of(seed)
    found = fit(tracks_FN2)
    assert found.error < 0.02 and found.worst < 0.1 and found.spare > 60
    assert found.turn == pytest.approx(turn, abs=0.1)
    # Up to a similarity: distances between points, over the largest of them.
    apart, fitted = (np.linalg.norm(p[:, None] - p[None], axis=-1) for p in (places_N3, found.points_N3))
    assert np.allclose(fitted / fitted.max(), apart / apart.max(), atol=0.12)


def test_the_error_is_as_large_as_the_noise():
    rng = np.random.default_rng(0)
    tracks_FN2, turn, _ = tracks_of(0)
    found = fit(tracks_FN2 + rng.normal(0, 0.15, tracks_FN2.shape))
    assert 0.7 * 0.15 * 2**0.5 < found.error < 0.15 * 2**0.5
    assert np.sign(found.turn) == np.sign(turn)


def test_points_that_are_not_seen_in_some_frames_do_no_harm():
    tracks_FN2, _, _ = tracks_of(1)
    tracks_FN2[4:9, 0] = np.nan
    tracks_FN2[:3, 1] = np.nan
    tracks_FN2[::2, 2] = np.nan
    found = fit(tracks_FN2)
    assert found.error < 0.02 and np.isfinite(found.points_N3).all()
    tracks_FN2[5:, 3] = np.nan  # seen in too few
    assert np.isnan(fit(tracks_FN2).points_N3[3]).all()


@pytest.mark.parametrize("seed", range(2))
def test_what_is_not_one_rigid_scene_is_found_out(seed):
    wave_F = np.sin(np.linspace(0, np.pi, 17))
    one_moves, _, _ = tracks_of(seed, moves=wave_F[:, None] * [0.6, 0.5, 0.0])
    assert fit(one_moves).error > 0.5
    half_mirrored, _, _ = tracks_of(seed)
    half_mirrored[8:, :, 0] = 64 - half_mirrored[8:, :, 0]
    assert fit(half_mirrored).error > 1.5
    mixed, _, _ = tracks_of(seed)
    assert fit(mixed[np.random.default_rng(seed).permutation(17)]).error > 1.5


def test_a_camera_that_does_not_move_did_not_go_round():
    tracks_FN2, _, _ = tracks_of(0)
    assert abs(fit(np.repeat(tracks_FN2[:1], 17, 0)).turn) < 0.05


def test_too_little_says_nothing():
    tracks_FN2, _, _ = tracks_of(0)
    assert fit_rigid(tracks_FN2[:, :3], 64, 64) is None
    assert fit_rigid(tracks_FN2[:5], 64, 64) is None
    with pytest.raises(ValueError, match=r"\[F, N, 2\]"):
        fit_rigid(tracks_FN2[..., 0], 64, 64)
