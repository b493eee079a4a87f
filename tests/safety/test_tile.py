# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The pattern of the invisible mark: what is put in is measured, wherever the view lies."""

import numpy as np
import pytest

from vidgen.safety import tile

PLACE = tile.Place(1.0)


@pytest.fixture(scope="module")
def wave_amplitudes():
    rng = np.random.default_rng(0)
    return rng.normal(size=len(tile.waves())) + 1j * rng.normal(size=len(tile.waves()))


def alike(one_N: np.ndarray, other_N: np.ndarray) -> float:
    return np.vdot(one_N, other_N).real / np.linalg.norm(one_N) / np.linalg.norm(other_N)


def test_waves_are_one_of_each_pair():
    pairs = {tuple(k) for k in tile.waves().tolist()}
    assert len(pairs) == len(tile.waves())
    assert not {(-down, -across) for down, across in pairs} & pairs
    lengths = np.hypot(*tile.waves().T)
    assert lengths.min() >= tile.LOWEST and lengths.max() <= tile.HIGHEST


@pytest.mark.parametrize(("box", "zoom"), [((0, 64, 0, 64), 1.0), ((10, 60, 5, 64), 1.0), ((0, 80, 8, 80), 1.25)])
def test_what_is_synthesized_is_measured_in_any_part_at_any_size(wave_amplitudes, box, zoom):
    side = round(64 * zoom)
    image = tile.synthesize(wave_amplitudes, (side, side), tile.Place(zoom))
    top, bottom, left, right = box
    part = image[top:bottom, left:right]
    middle = ((top + bottom - side) / 2 / zoom, (left + right - side) / 2 / zoom)
    seen = tile.View(part, np.ones_like(part))
    assert alike(tile.fit(seen, tile.Place(zoom, middle)).amplitude_N, wave_amplitudes) > 0.98
    # The same from a fit that knows nothing of where the part lay.
    blind = tile.fit(seen, tile.Place(zoom)).amplitude_N
    assert alike(tile.shifted(blind, np.array([middle]))[0], wave_amplitudes) > 0.98
    assert alike(blind, wave_amplitudes) < 0.5 or middle == (0.0, 0.0)


def test_what_lies_under_no_weight_does_not_count(wave_amplitudes):
    image = tile.synthesize(wave_amplitudes, (64, 64), PLACE)
    weight = np.ones((64, 64), np.float32)
    weight[20:34, 20:34] = 0
    spoiled = image + 100 * (1 - weight)
    assert alike(tile.fit(tile.View(spoiled * weight, weight), PLACE).amplitude_N, wave_amplitudes) > 0.95
    assert alike(tile.fit(tile.View(spoiled, np.ones_like(weight)), PLACE).amplitude_N, wave_amplitudes) < 0.9


def test_mirrored_amplitudes_are_those_of_the_mirrored_picture(wave_amplitudes):
    image = tile.synthesize(wave_amplitudes, (64, 64), PLACE)
    seen = tile.View(np.ascontiguousarray(image[:, ::-1]), np.ones_like(image))
    there = tile.View(image, np.ones_like(image))
    mirrored = tile.mirrored(tile.fit(there, PLACE).amplitude_N[None])[0]
    assert alike(mirrored, tile.fit(seen, PLACE).amplitude_N) > 0.999


def test_the_gradient_is_that_of_the_fit(wave_amplitudes):
    rng = np.random.default_rng(1)
    rest, step, weight = rng.normal(size=(3, 64, 64)).astype(np.float32)
    weight = weight**2
    before = tile.fit(tile.View(rest * weight, weight), PLACE)
    after = tile.fit(tile.View((rest + step) * weight, weight), PLACE)
    moved = np.vdot(wave_amplitudes, after.amplitude_N - before.amplitude_N).real
    assert np.sum(before.gradient(wave_amplitudes) * step) * 2 / 64**2 == pytest.approx(moved, rel=1e-3)
