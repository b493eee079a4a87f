# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Tasks as masks: frames that are given come back, in their places, and the rest is made."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from vidgen.data.tokenizer import load_tokenizer
from vidgen.models.dit import DiTConfig
from vidgen.models.text import TextConfig
from vidgen.models.vae import VAE, Stage, VAEConfig
from vidgen.sample import pipeline
from vidgen.sample.autoencoder import Autoencoder, identity_space
from vidgen.sample.tasks import Known, Piece, edit, place, repaint
from vidgen.train.dit import init_params

STAGES = (Stage(8, 16, 4, 16, 1),)
NETWORKS = pipeline.Networks(
    VAEConfig(channels=4, encoder=STAGES, decoder=STAGES),
    TextConfig(width=8, heads=2, hidden=8, layers=1),
    DiTConfig(channels=4, patch=(1, 1, 1), width=24, layers=1, heads=2, hidden=16, text_width=8, time_width=8),
)
VAE_PARAMS = VAE(NETWORKS.vae).init(jax.random.key(0), jnp.zeros((1, 5, 16, 16, 3)), jax.random.key(1))["params"]
AUTOENCODER = Autoencoder(NETWORKS.vae, VAE_PARAMS, identity_space(4))
VIDEO = np.random.default_rng(0).integers(0, 256, (13, 16, 24, 3)).astype(np.uint8)
LATENT = np.asarray(AUTOENCODER.encode(VIDEO[None]))[0]


def make_pipeline() -> pipeline.Pipeline:
    params = init_params(NETWORKS, "", jax.random.key(2))
    params["dit"]["out"]["kernel"] = jax.random.normal(jax.random.key(3), params["dit"]["out"]["kernel"].shape)
    return pipeline.Pipeline(NETWORKS, {**params, "vae": VAE_PARAMS}, identity_space(4), load_tokenizer(), 16)


PIPELINE = make_pipeline()
SIZE = {"frames": 13, "width": 24, "height": 16, "steps": 3}


def test_the_beginning_has_the_latents_of_the_clip() -> None:
    known = place(AUTOENCODER, [Piece(0, VIDEO[:5])], 13)
    np.testing.assert_allclose(known.latent_BTHWC[0, :2], LATENT[:2], atol=1e-5)
    assert known.made_BTHW.any((0, 2, 3)).tolist() == [False, False, True, True]


def test_a_later_piece_is_seen_as_if_it_had_stood_still_before() -> None:
    known = place(AUTOENCODER, [Piece(5, VIDEO[5:13])], 13)
    assert known.made_BTHW.any((0, 2, 3)).tolist() == [True, True, False, False]
    alone = np.asarray(AUTOENCODER.encode(np.concatenate([VIDEO[5:6], VIDEO[5:13]])[None]))[0]
    np.testing.assert_allclose(known.latent_BTHWC[0, 2:], alone[1:], atol=1e-5)
    both = place(AUTOENCODER, [Piece(0, VIDEO[:1]), Piece(9, np.repeat(VIDEO[-1:], 4, 0))], 13)
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
def test_pieces_that_do_not_lie_on_groups_are_refused(pieces: list[Piece], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        place(AUTOENCODER, pieces, 13)


def test_cells_with_a_marked_pixel_are_made() -> None:
    marked = np.zeros((13, 16, 24), bool)
    marked[0, 0, 0] = marked[12, 15, 8] = True
    made = np.asarray(repaint(AUTOENCODER, VIDEO, marked).made_BTHW)[0]
    assert {tuple(int(i) for i in at) for at in np.argwhere(made)} == {(0, 0, 0), (3, 1, 1)}
    for wrong, message in ((marked[:5], "a mask of shape"), (marked & False, "nothing to be made")):
        with pytest.raises(ValueError, match=message):
            repaint(AUTOENCODER, VIDEO, wrong)


def test_what_is_given_comes_back_and_the_rest_is_made() -> None:
    """Frames before the first made ones are what the VAE makes of the clip, and no others are."""
    known = place(AUTOENCODER, [Piece(0, VIDEO[:5])], 13)
    clips = PIPELINE.generate(["a dog", "a cat"], **SIZE, known=known).astype(int)
    again = np.asarray(AUTOENCODER.decode(LATENT[None, :2]))[0].astype(int)
    assert np.abs(clips[:, :5] - again).max() <= 1
    free = PIPELINE.generate(["a dog", "a cat"], **SIZE).astype(int)
    assert np.abs(clips[:, 5:] - free[:, 5:]).mean() > 1  # they hear of what is given
    assert np.abs(clips[0, 5:] - clips[1, 5:]).mean() > 1


def test_an_edit_starts_from_the_clip() -> None:
    """The less noise, the nearer to what the VAE makes of the clip."""
    again = np.asarray(AUTOENCODER.decode(LATENT[None]))[0].astype(int)
    known = edit(AUTOENCODER, VIDEO)
    far, near, all_noise = (
        np.abs(PIPELINE.generate(["a dog"], **SIZE, known=known, start=start)[0] - again).mean()
        for start in (0.8, 0.005, 1.0)
    )
    assert near < 0.25 * far
    free = PIPELINE.generate(["a dog"], **SIZE)[0]
    assert np.abs(free - again).mean() == pytest.approx(all_noise, rel=0.02)


def test_what_does_not_fit_the_clips_is_refused() -> None:
    known = place(AUTOENCODER, [Piece(0, VIDEO[:5])], 9)
    nothing_left = Known(known.latent_BTHWC, known.made_BTHW & False)
    for given, options, message in (
        (known, {}, "what is known has latents"),
        (nothing_left, {"frames": 9}, "nothing of it is to be made"),
        (None, {"start": 0.5}, "give the clip to start from"),
        (edit(AUTOENCODER, VIDEO), {"start": 0.0}, "start is 0.0"),
    ):
        with pytest.raises(ValueError, match=message):
            PIPELINE.generate(["a dog"], **{**SIZE, **options}, known=given)
