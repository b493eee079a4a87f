# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The detector reads true renders: what is there, where, under overlap, blur, tilt and mirroring; and it abstains."""

import dataclasses

import cv2
import numpy as np
import pytest

from vidgen.worlds.backdrop import backdrop
from vidgen.worlds.detect import Detector, DetectorConfig, build_detector
from vidgen.worlds.motion import Camera, Motion, Scene, SceneObject
from vidgen.worlds.places import Place
from vidgen.worlds.raster import backgrounds
from vidgen.worlds.render import ground_truth, render
from vidgen.worlds.scene import SceneConfig, draw_scene
from vidgen.worlds.sprites import FIRST_LIGHT
from vidgen.worlds.tracks import is_left_of, looks, read_clip

PAIRS = SceneConfig(
    frames=1, objects=(2, 2), concepts=FIRST_LIGHT, cameras=("still",), motions=("still",), split="heldout"
)


@pytest.fixture(scope="module")
def detector():
    return build_detector()


def scene(*objects, place="blue", colors=(), frames=1, width=64, height=64):
    return Scene(0, width, height, frames, Place(place, colors, 0.1, 3), Camera(), objects)


def overlap(one, other):
    """Intersection over union of two boxes."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    both = max(width, 0) * max(height, 0)
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (one, other)]
    return both / (sum(areas) - both)


def test_what_was_searched_in_vain_is_left_alone_until_there_is_more(monkeypatch):
    """Stars are no things: they are searched once, and a thing that comes beside them is found all the same."""
    searched = []
    search = Detector._next

    def counted(self, *arguments):
        found = search(self, *arguments)
        searched.append(found[0] is None)
        return found

    monkeypatch.setattr(Detector, "_next", counted)
    alone = SceneObject("bus", 0.4, -0.2, 0.2)
    both = (alone, SceneObject("strawberry", 0.36, 0.25, -0.2))
    pictures = [scene(alone, place="night sky")] * 4 + [scene(*both, place="night sky")] * 2
    frames = np.concatenate([render(picture) for picture in pictures])
    found = build_detector(DetectorConfig(concepts=("bus", "strawberry", "dog"), objects=3))(frames, follow=True)
    assert [len(seen) for seen in found] == [1, 1, 1, 1, 2, 2]
    assert sum(searched) in (1, 2)


def test_what_goes_on_as_it_did_is_not_searched_again(monkeypatch):
    """13 pixels a frame are further than a fit reaches; from the third frame on it is known where to begin."""
    searched = []
    search = Detector._next
    monkeypatch.setattr(Detector, "_next", lambda *arguments: searched.append(1) or search(*arguments))
    bus = SceneObject("bus", 0.36, -0.3, 0.1, motion=Motion("right", dx=0.6))
    found = build_detector(DetectorConfig(concepts=("bus", "dog"), objects=1))(
        render(scene(bus, frames=4)), follow=True
    )
    assert [len(seen) for seen in found] == [1, 1, 1, 1] and len(searched) == 2


def test_overlap_of_boxes():
    assert overlap((0, 0, 2, 2), (1, 0, 3, 2)) == pytest.approx(2 / 6)


def test_pairs_are_named_and_located(detector):
    found, near, extra, total = 0, 0, 0, 0
    for seed in range(8):
        drawn = draw_scene(PAIRS, seed)
        truth = ground_truth(drawn)
        got = {one.name: one for one in detector(render(drawn))[0]}
        for row, thing in enumerate(drawn.objects):
            total += 1
            if thing.concept in got:
                found += 1
                near += overlap(got[thing.concept].box, truth.boxes_FN4[0, row]) > 0.6
        extra += len(set(got) - {thing.concept for thing in drawn.objects})
    assert found >= total - 1 and near == found and extra <= 1


def test_blur_is_forgiven(detector):
    found = 0
    for seed in range(20, 24):
        drawn = draw_scene(PAIRS, seed)
        soft = cv2.GaussianBlur(render(drawn)[0], (0, 0), 1.0)
        found += len({one.name for one in detector(soft[None])[0]} & {thing.concept for thing in drawn.objects})
    assert found >= 7


@pytest.mark.parametrize("place", ["white", "night sky", "sea", "meadow", "moon"])
def test_an_empty_place_holds_nothing(detector, place):
    assert detector(render(scene(place=place))) == [[]]


def test_noise_holds_nothing(detector):
    noise = np.random.default_rng(0).integers(0, 256, (2, 64, 64, 3)).astype(np.uint8)
    assert detector(np.stack([noise[0], cv2.GaussianBlur(noise[1], (0, 0), 3)])) == [[], []]


def test_the_concepts_given_are_the_only_ones(detector):
    frame = render(scene(SceneObject("dog", 0.5, 0.0, 0.0)))
    assert [one.name for one in detector(frame)[0]] == ["dog"]
    others = build_detector(DetectorConfig(concepts=("moon", "earth", "rocket")))
    assert others(frame) == [[]]


def test_pose_is_measured_to_a_fraction_of_a_pixel(detector):
    for x, y, size, angle, flip in ((-0.113, 0.071, 0.45, 0.0, False), (0.2, -0.157, 0.33, 0.2, True)):
        drawn = scene(
            SceneObject("car", size, x, y, angle=angle, flip=flip), place="gradient", colors=("blue", "white")
        )
        (one,) = detector(render(drawn))[0]
        truth = ground_truth(drawn)
        assert np.abs(np.subtract((one.x, one.y), truth.centers_FN2[0, 0])).max() < 0.3
        assert one.size == pytest.approx(64 * size, rel=0.03) and one.angle == pytest.approx(angle, abs=0.04)
        assert one.flip == flip and one.score > 0.9
        np.testing.assert_allclose(one.box, truth.boxes_FN4[0, 0], atol=0.8)


def test_a_thing_behind_another_is_found(detector):
    drawn = scene(SceneObject("panda", 0.45, 0.08, 0.0, depth=0), SceneObject("rocket", 0.45, -0.12, -0.1, depth=1))
    assert ground_truth(drawn).visible_FN[0, 1] < 0.8
    assert {one.name for one in detector(render(drawn))[0]} == {"panda", "rocket"}


def test_other_frame_sizes(detector):
    drawn = scene(SceneObject("tiger", 0.5, 0.2, 0.0), SceneObject("star", 0.4, -0.5, 0.1), width=144, height=96)
    assert {one.name for one in detector(render(drawn))[0]} == {"tiger", "star"}


def test_the_backdrop_is_the_place(detector):
    for seed in range(6):
        drawn = draw_scene(PAIRS, 40 + seed)
        error = np.abs(backdrop(render(drawn)[0].astype(np.float32)) - backgrounds(drawn)[0])
        # Stars and clouds are not part of it.
        assert np.median(error) < 4 and (error.max(-1) > 40).mean() < 0.1


def test_clips_are_read_with_signs(detector):
    moving = SceneObject("apple", 0.35, -0.25, -0.2, motion=Motion("right", dx=0.5))
    still = SceneObject("bus", 0.4, 0.25, 0.25)
    drawn = scene(moving, still, frames=9)
    clip = render(drawn)
    seen = read_clip(clip, detector)
    assert set(seen) == {"apple", "bus"} and seen["apple"].frames == looks(9) == (0, 2, 4, 6, 8)
    assert seen["apple"].moves("right") and not seen["apple"].moves("left") and not seen["apple"].moves("up")
    assert not any(seen["bus"].moves(way) for way in ("left", "right", "up", "down"))
    assert is_left_of(seen["apple"], seen["bus"], 9) is True and is_left_of(seen["bus"], seen["apple"], 9) is False
    mirror = read_clip(clip[:, :, ::-1], detector)
    assert mirror["apple"].moves("left") and is_left_of(mirror["bus"], mirror["apple"], 9) is True


def test_a_thing_seen_once_is_not_in_the_clip(detector):
    one = render(scene(SceneObject("apple", 0.4, 0.0, 0.0)))
    none = render(scene())
    clip = np.concatenate([one, none, none, none, none])
    assert read_clip(clip, detector) == {}
    assert set(read_clip(one, detector)) == {"apple"}  # an image has but one frame


def test_what_is_not_frames(detector):
    with pytest.raises(ValueError, match="uint8"):
        detector(np.zeros((1, 64, 64, 3), np.float32))
    with pytest.raises(ValueError, match="unicorns"):
        build_detector(dataclasses.replace(DetectorConfig(), concepts=("unicorns",)))
