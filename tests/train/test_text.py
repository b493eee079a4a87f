# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""A text encoder learns to read, and a transformer's run starts with it."""

import dataclasses
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from vidgen.config import load_experiment
from vidgen.data.claims import ATTRIBUTES, SETTINGS
from vidgen.models.dit import DiTConfig
from vidgen.models.reader import CaptionReader, ReaderConfig
from vidgen.models.text import TextConfig
from vidgen.sample.program import Networks
from vidgen.train.dit import init_params
from vidgen.train.loop import LoopConfig, train
from vidgen.train.optim import OptimConfig
from vidgen.train.text import TextTraining, load_text, reading_loss
from vidgen.worlds.scene import FIRST_LIGHT_SCENES

TEXT = TextConfig(width=32, layers=1, heads=2, hidden=32, dtype="float32")
EXPERIMENT = TextTraining(
    scenes=dataclasses.replace(FIRST_LIGHT_SCENES, concepts=("cat", "dog", "rocket"), split="all"),
    text=TEXT,
    optim=OptimConfig(lr=1e-2, warmup=1, ema=0.5),
    loop=LoopConfig(steps=200, log_every=50, eval_every=0, save_every=200),
    batch_size=16,
)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict, Path]:
    workdir = tmp_path_factory.mktemp("text")
    state = train(EXPERIMENT.task(workdir), EXPERIMENT.loop, workdir, "{}")
    return state.ema, workdir / "model" / "text.safetensors"


def test_claims_are_learned_and_the_encoder_is_kept(trained: tuple[dict, Path]) -> None:
    params, file = trained
    reader = CaptionReader(ReaderConfig(TEXT, 3, len(SETTINGS), len(ATTRIBUTES)))
    task = EXPERIMENT.task(file.parent)
    batch = next(iter(task.batches))
    before, _ = reading_loss(reader, task.init(jax.random.key(0)), batch)
    after, metrics = reading_loss(reader, params, batch)
    assert after < 0.2 * before
    assert metrics["named_right"] > 0.8 and metrics["spotted_right"] > 0.8  # of guesses, one in a few is right
    for ours, kept in zip(jax.tree.leaves(params["text"]), jax.tree.leaves(load_text(file, TEXT)), strict=True):
        np.testing.assert_array_equal(ours, kept)
    # Another run learns on from there, with heads of its own.
    on = dataclasses.replace(EXPERIMENT, start_from=str(file)).task(file.parent).init(jax.random.key(7))
    np.testing.assert_array_equal(on["text"]["embedding"], params["text"]["embedding"])
    assert np.any(on["subjects"] != params["subjects"])


def test_what_is_not_asked_does_not_count(trained: tuple[dict, Path]) -> None:
    """Attributes of absent subjects are padding."""
    params, file = trained
    reader = CaptionReader(ReaderConfig(TEXT, 3, len(SETTINGS), len(ATTRIBUTES)))
    batch = next(iter(EXPERIMENT.task(file.parent).batches))
    absent = (batch["subject_BN"] < 0)[..., None]
    noise = jnp.where(absent, 1.0, batch["attributes_BNO"])
    assert reading_loss(reader, params, batch)[0] == reading_loss(reader, params, {**batch, "attributes_BNO": noise})[0]


def test_a_transformer_starts_with_the_encoder(trained: tuple[dict, Path]) -> None:
    params, file = trained
    vae = load_experiment(Path(__file__).with_name("tiny.py")).model
    dit = DiTConfig(channels=4, patch=(1, 1, 1), width=24, layers=1, heads=2, hidden=16, text_width=32, time_width=8)
    networks = Networks(vae, TEXT, dit)
    started = init_params(networks, "", jax.random.key(1), text_from=str(file))
    np.testing.assert_array_equal(started["text"]["embedding"], params["text"]["embedding"])
    assert "blocks" in started["dit"]


def test_another_shape_is_refused(trained: tuple[dict, Path]) -> None:
    with pytest.raises(ValueError, match="width=64"):
        load_text(trained[1], dataclasses.replace(TEXT, width=64))


def test_concepts_must_be_named() -> None:
    scenes = dataclasses.replace(EXPERIMENT.scenes, concepts=None)
    with pytest.raises(ValueError, match="name the concepts"):
        dataclasses.replace(EXPERIMENT, scenes=scenes).task(Path())
