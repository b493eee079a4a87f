# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Tasks as masks: frames that are given come back, in their places, and the rest is made."""

import numpy as np
import pytest

from vidgen.sample.pipeline import Pipeline
from vidgen.sample.tasks import Known, Piece, edit, place, repaint

VIDEO = np.random.default_rng(0).integers(0, 256, (13, 16, 24, 3)).astype(np.uint8)
SIZE = {"frames": 13, "width": 24, "height": 16, "steps": 3}


def latent_of(tiny: Pipeline, video: np.ndarray = VIDEO) -> np.ndarray:
    return np.asarray(tiny.autoencoder.encode(video[None]))[0]


def test_the_beginning_has_the_latents_of_the_clip(tiny: Pipeline) -> None:
    known = place(tiny.autoencoder, [Piece(0, VIDEO[:5])], 13)
    np.testing.assert_allclose(known.latent_BTHWC[0, :2], latent_of(tiny)[:2], atol=1e-5)
    assert known.made_BTHW.any((0, 2, 3)).tolist() == [False, False, True, True]


def test_a_later_piece_is_seen_as_if_it_had_stood_still_before(tiny: Pipeline) -> None:
    known = place(tiny.autoencoder, [Piece(5, VIDEO[5:13])], 13)
    assert known.made_BTHW.any((0, 2, 3)).tolist() == [True, True, False, False]
    alone = np.asarray(tiny.autoencoder.encode(np.concatenate([VIDEO[5:6], VIDEO[5:13]])[None]))[0]
    np.testing.assert_allclose(known.latent_BTHWC[0, 2:], alone[1:], atol=1e-5)
    both = place(tiny.autoencoder, [Piece(0, VIDEO[:1]), Piece(9, np.repeat(VIDEO[-1:], 4, 0))], 13)
    assert both.made_BTHW.any((0, 2, 3)).tolist() == [False, True, True, False]


@pytest.mark.parametrize(
    ("pieces", "message"),
    [
        ([], "at least one piece"),
        ([Piece(0, VIDEO[:4])], "4 frames from frame 0 on"),
        ([Piece(4, VIDEO[:4])], "from frame 4 on"),
        ([Piece(5, VIDEO[:5])], "5 frames from frame 5 on"),
        ([Piece(9, VIDEO[:8])], "8 frames from frame 9 on"),
        ([Piece(0, VIDEO[:5]), Piece(1, VIDEO[:4])], "lie apart"),
        ([Piece(0, VIDEO[:5]), Piece(5, VIDEO[:4, :8])], "fit them to one size"),
    ],
)
def test_pieces_that_do_not_lie_on_groups_are_refused(tiny: Pipeline, pieces: list[Piece], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        place(tiny.autoencoder, pieces, 13)


def test_cells_with_a_marked_pixel_are_made(tiny: Pipeline) -> None:
    marked = np.zeros((13, 16, 24), bool)
    marked[0, 0, 0] = marked[12, 15, 8] = True
    made = np.asarray(repaint(tiny.autoencoder, VIDEO, marked).made_BTHW)[0]
    assert {tuple(int(i) for i in at) for at in np.argwhere(made)} == {(0, 0, 0), (3, 1, 1)}
    for wrong, message in ((marked[:5], "a mask of shape"), (marked & False, "nothing to be made")):
        with pytest.raises(ValueError, match=message):
            repaint(tiny.autoencoder, VIDEO, wrong)


def test_what_is_given_comes_back_and_the_rest_is_made(tiny: Pipeline) -> None:
    """Frames before the first made ones are what the VAE makes of the clip, and no others are."""
    known = place(tiny.autoencoder, [Piece(0, VIDEO[:5])], 13)
    clips = tiny.generate(["a dog", "a cat"], **SIZE, known=known).astype(int)
    again = np.asarray(tiny.autoencoder.decode(latent_of(tiny)[None, :2]))[0].astype(int)
    assert np.abs(clips[:, :5] - again).max() <= 1
    free = tiny.generate(["a dog", "a cat"], **SIZE).astype(int)
    assert np.abs(clips[:, 5:] - free[:, 5:]).mean() > 1  # they hear of what is given
    assert np.abs(clips[0, 5:] - clips[1, 5:]).mean() > 1


def test_an_edit_starts_from_the_clip(tiny: Pipeline) -> None:
    """The less noise, the nearer to what the VAE makes of the clip."""
    again = np.asarray(tiny.autoencoder.decode(latent_of(tiny)[None]))[0].astype(int)
    known = edit(tiny.autoencoder, VIDEO)
    far, near, all_noise = (
        np.abs(tiny.generate(["a dog"], **SIZE, known=known, start=start)[0] - again).mean()
        for start in (0.8, 0.005, 1.0)
    )
    assert near < 0.25 * far
    free = tiny.generate(["a dog"], **SIZE)[0]
    assert np.abs(free - again).mean() == pytest.approx(all_noise, rel=0.02)


def test_what_does_not_fit_the_clips_is_refused(tiny: Pipeline) -> None:
    known = place(tiny.autoencoder, [Piece(0, VIDEO[:5])], 9)
    nothing_left = Known(known.latent_BTHWC, known.made_BTHW & False)
    for given, options, message in (
        (known, {}, "what is known has latents"),
        (nothing_left, {"frames": 9}, "nothing of it is to be made"),
        (None, {"start": 0.5}, "give the clip to start from"),
        (edit(tiny.autoencoder, VIDEO), {"start": 0.0}, "start is 0.0"),
    ):
        with pytest.raises(ValueError, match=message):
            tiny.generate(["a dog"], **{**SIZE, **options}, known=given)
