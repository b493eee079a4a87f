# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""What a run's model says of itself before anybody has measured it."""

import dataclasses

import pytest

from vidgen.data.packing import PackingConfig
from vidgen.models.vae import VAEConfig
from vidgen.sample.card import Card
from vidgen.train.card import run_card
from vidgen.train.streams import LatentData, Streams
from vidgen.worlds.scene import SceneConfig

SCENES = SceneConfig(concepts=("dog", "cat"), objects=(1, 1))


def card_of(*streams: tuple[int, int, int, float]) -> Card:
    """Of a run on clips of (width, height, frames), with weights."""
    data = tuple(
        LatentData(str(i), dataclasses.replace(SCENES, width=width, height=height, frames=frames), 8, 2, weight=weight)
        for i, (width, height, frames, weight) in enumerate(streams)
    )
    return run_card("run", Streams(data, PackingConfig(), VAEConfig(), (1, 1, 1)), {}, ())


def test_a_models_own_clips_are_those_that_most_of_training_is_about() -> None:
    """Not the longest, which it takes too, nor pictures, of which there may be more."""
    card = card_of((64, 64, 1, 9.0), (64, 64, 17, 2.0), (96, 48, 17, 1.0), (64, 96, 33, 0.5))
    assert (card.size, card.frames, card.max_frames) == ((64, 64), 17, 33)
    assert (card.least_side, card.most_side, card.size_multiple) == (48, 96, 8)
    pictures = card_of((64, 64, 1, 1.0), (96, 48, 1, 2.0))
    assert (pictures.size, pictures.frames, pictures.max_frames) == ((96, 48), 1, 1)


def test_a_card_that_names_one_length_knows_that_one_best() -> None:
    card = card_of((64, 64, 17, 1.0))
    fields = dataclasses.asdict(card)
    del fields["frames"]
    assert Card.from_dict(fields) == card
    with pytest.raises(ValueError, match="lacks max_frames"):
        Card.from_dict({name: value for name, value in fields.items() if name != "max_frames"})
