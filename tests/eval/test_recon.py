# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""PSNR and SSIM against values worked out by hand, and their order under growing damage."""

import cv2
import numpy as np
import pytest

from vidgen.eval.recon import psnr, ssim
from vidgen.worlds.render import render
from vidgen.worlds.scene import SceneConfig, draw_scene


@pytest.fixture(scope="module")
def clip():
    return render(draw_scene(SceneConfig(frames=3), 5))


def test_psnr_by_hand():
    black = np.zeros((2, 16, 16, 3), np.uint8)
    other = black.copy()
    other[0] += 10  # squared error 100
    other[1, :8] += 20  # 400 in half of the pixels
    np.testing.assert_allclose(psnr(black, other), 10 * np.log10([255**2 / 100, 255**2 / 200]))
    assert psnr(black, black).tolist() == [np.inf, np.inf]


def test_ssim_of_flat_frames_by_hand():
    # Without variance only the term of the means is left: (2 a b + c1) / (a^2 + b^2 + c1).
    one, other = (np.full((1, 16, 16, 3), value, np.uint8) for value in (100, 150))
    c1 = (0.01 * 255) ** 2
    np.testing.assert_allclose(ssim(one, other), [(2 * 100 * 150 + c1) / (100**2 + 150**2 + c1)], rtol=1e-9)


def test_ssim_of_one_window_by_hand():
    # An 11 x 11 frame holds one window, whose weighted moments are written out here.
    rng = np.random.default_rng(0)
    x, y = rng.integers(0, 256, (2, 11, 11)).astype(np.uint8)
    axis = np.arange(-5, 6)
    weight = np.exp(-(axis[:, None] ** 2 + axis[None] ** 2) / (2 * 1.5**2))
    weight /= weight.sum()
    u, v = x.astype(float), y.astype(float)
    mu, mv = (weight * u).sum(), (weight * v).sum()
    vu, vv, uv = (
        (weight * (a - ma) * (b - mb)).sum() for a, ma, b, mb in ((u, mu, u, mu), (v, mv, v, mv), (u, mu, v, mv))
    )
    c1, c2 = 2.55**2, 7.65**2
    by_hand = (2 * mu * mv + c1) * (2 * uv + c2) / ((mu**2 + mv**2 + c1) * (vu + vv + c2))
    np.testing.assert_allclose(ssim(x[..., None], y[..., None]), by_hand, rtol=1e-9)


def test_equal_frames_score_one(clip):
    np.testing.assert_allclose(ssim(clip, clip), 1.0)


def test_more_noise_is_worse(clip):
    noise = np.random.default_rng(1).normal(size=clip.shape)
    damaged = [np.clip(clip + amount * noise, 0, 255).astype(np.uint8) for amount in (2, 6, 18, 54)]
    for measure in (psnr, ssim):
        scores = np.stack([measure(clip, other) for other in damaged])
        assert scores.shape == (4, 3) and (np.diff(scores, axis=0) < 0).all()


def test_more_blur_is_worse(clip):
    blurred = [np.stack([cv2.GaussianBlur(frame, (0, 0), sigma) for frame in clip]) for sigma in (0.5, 1.0, 2.0, 4.0)]
    for measure in (psnr, ssim):
        assert (np.diff(np.stack([measure(clip, other) for other in blurred]), axis=0) < 0).all()


def test_leading_dimensions_are_kept(clip):
    both = np.stack([clip, clip[::-1]])
    again = both[:, :, ::-1]
    assert psnr(both, again).shape == ssim(both, again).shape == (2, 3)
    np.testing.assert_allclose(ssim(both, again)[0], ssim(both[0], again[0]))


@pytest.mark.parametrize("measure", [psnr, ssim])
def test_what_cannot_be_compared(measure, clip):
    with pytest.raises(ValueError, match="one shape"):
        measure(clip, clip[:, :32])
    with pytest.raises(ValueError, match="uint8"):
        measure(clip.astype(np.float32), clip)


def test_frames_smaller_than_the_window(clip):
    with pytest.raises(ValueError, match="11x11"):
        ssim(clip[:, :10], clip[:, :10])
