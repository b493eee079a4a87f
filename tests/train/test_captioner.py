# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""A captioner learns a few clips by heart; its batches are what they say."""

import dataclasses

import jax
import numpy as np
import pytest

from vidgen.data.labelled import LabelledSource, bare, expansions, labelled_batches
from vidgen.data.pipeline import WorldSource
from vidgen.data.tokenizer import load_tokenizer
from vidgen.models.captioner import CaptionerConfig
from vidgen.models.vae import Stage
from vidgen.sample.captioner import load_captioner
from vidgen.train import run
from vidgen.train.captioner import SIDES, CaptionerTraining, place_loss, text_loss, word_weights
from vidgen.train.cells import AlignmentConfig
from vidgen.train.loop import LoopConfig
from vidgen.train.optim import OptimConfig
from vidgen.worlds.captions import read_caption
from vidgen.worlds.checking import mirrored_text
from vidgen.worlds.scene import SceneConfig

SCENES = SceneConfig(width=16, height=16, frames=9, concepts=("dog", "rocket"), objects=(1, 1), motions=("left", "up"))
TINY = CaptionerTraining(
    scenes=SCENES,
    model=CaptionerConfig(table=16, width=24, layers=2, heads=2, hidden=32, cells=Stage(4, 16, 4, 16, 1)),
    optim=OptimConfig(lr=1e-2, warmup=5, cooldown=0.0, lr_end=1.0, ema=0.5),
    loop=LoopConfig(steps=60, log_every=20, eval_every=60, save_every=60),
    count=2,
    batch_size=4,
    alignment=AlignmentConfig(block=1, weight=0.3),
    wear=0.0,
    text_length=12,
    prompt_length=8,
    watched=2,
)


def test_a_few_clips_are_learnt_by_heart_and_the_captioner_comes_back(tmp_path, capsys) -> None:
    run(TINY, tmp_path)
    out = capsys.readouterr().err
    losses = [float(line.split("clip_loss ")[1].split()[0]) for line in out.splitlines() if "clip_loss" in line]
    assert losses[-1] < 0.5 * losses[0], out
    captioner = load_captioner(tmp_path / "model")
    assert (captioner.card.frames, captioner.card.fps, captioner.card.size) == (5, 4, (16, 16))
    source = WorldSource(SCENES, 2, 0)
    texts = captioner.captions([source[i]["video"][::2] for i in range(2)], "short")
    assert all(texts)


def test_batches_pair_clips_with_their_texts(tmp_path) -> None:
    worlds = WorldSource(dataclasses.replace(SCENES, motions=("left",)), 3, 0)
    source = LabelledSource(worlds, (4, 8, 8), 2, ("dog", "rocket"))
    tokenizer = load_tokenizer()
    batches = iter(labelled_batches(source, 24, 0, tokenizer, (24, 16), (0.0, 1.0, 0.0)))
    batch = next(batches)
    assert batch["video_BFHWC"].shape == (24, 5, 16, 16, 3) and batch["cells_BTHW"].shape == (24, 2, 2, 2)
    said = {tokenizer.decode(row) for row in batch["text_BS"]}
    straight = {text.lower().rstrip(".") for i in range(3) for text in source[i].texts[1]}
    assert said <= straight | {mirrored_text(text) for text in straight}
    assert said & straight and said - straight  # some are mirrored
    for row in range(24):
        mirrored = "left" not in tokenizer.decode(batch["text_BS"][row])
        goes = batch["places_BTHW4"][row, ..., 2]
        if "right" in tokenizer.decode(batch["text_BS"][row]) and mirrored:
            assert goes.sum() >= 0  # what is told to go right goes where x grows


def test_the_loss_of_places_knows_where_things_are_and_what_is_beside_them() -> None:
    cells_BTHW = np.full((2, 3, 2, 4), -1)
    cells_BTHW[0, :, 0, 0], cells_BTHW[0, :, 1, 3] = 5, 7
    cells_BTHW[1, :2, 0, 1], cells_BTHW[1, 2, 0, 3] = 5, 5  # alone; where it is at last does not count
    true = np.zeros((2, 3, 2, 4, 4), np.float32)
    true[0, :, 0, 0], true[0, :, 1, 3] = (0.125, 0.25, 0.75, 0.5), (0.875, 0.75, -0.75, -0.5)
    true[1, :2, 0, 1, :2] = true[1, 2, 0, 3, :2] = 0.375, 0.25
    missed, sides = place_loss(true.reshape(2, 24, 4), cells_BTHW)
    assert float(missed) == 0 and float(sides) == 1
    true[0, :, 1, 3, 2] = 0.75
    missed, sides = place_loss(true.reshape(2, 24, 4), cells_BTHW)
    assert float(missed) == pytest.approx(3 * 1.5**2 / (6 * 4 + 3 * 2)) and float(sides) == 0.5


def test_places_need_a_block_after_the_aligned_one(tmp_path) -> None:
    with pytest.raises(ValueError, match="earlier block"):
        dataclasses.replace(TINY, alignment=AlignmentConfig(block=2, weight=0.3)).task(tmp_path)


def test_expansions_say_all_that_their_prompts_say() -> None:
    short = ("a dog", "a dog runs left")
    long = ("a dog in a meadow; the camera is still", "a dog runs to the left in a meadow; the camera is still")
    pairs = expansions(short, long)
    assert set(pairs) == {(short[0], long[0]), (short[0], long[1]), (short[1], long[1])}
    assert all(read_caption(one) <= read_caption(two) for one, two in pairs)
    assert expansions(("a dog runs left",), long[:1])  # where none fits, any
    assert bare("A dog on the moon") == "dog on moon"


def test_the_end_of_a_text_counts_and_padding_does_not() -> None:
    ids = np.array([[3, 4, 0, 0]])
    logits = np.zeros((1, 5, 6), np.float32)
    for place, word in enumerate([3, 4, 0]):
        logits[0, place, word] = 50.0
    logits[0, 3:, 5] = 50.0  # nobody asks
    loss, right = jax.jit(text_loss)(logits, ids)
    assert float(loss) == pytest.approx(0.0, abs=1e-6) and float(right) == 1.0
    logits[0, 2, 0] = 0.0
    assert float(jax.jit(text_loss)(logits, ids)[0]) > 0.5


def test_words_that_say_where_weigh_more() -> None:
    tokenizer = load_tokenizer()
    weight_V = word_weights(tokenizer, 2048, 8.0)
    ids = tokenizer.batch(["a dog above left"], 5)[0]
    assert [float(weight_V[one]) for one in ids] == [1, 1, 8, 8, 1]
    assert int((weight_V > 1).sum()) == len(SIDES)  # each is one piece
    logits = np.zeros((1, 6, 2048), np.float32)
    for place, word in enumerate([*ids[:4], 0]):
        logits[0, place, word] = 50.0
    logits[0, 1, ids[1]] = 0.0
    name = float(text_loss(logits, ids[None], weight_V)[0])
    logits[0, 1, ids[1]], logits[0, 2, ids[2]] = 50.0, 0.0
    assert float(text_loss(logits, ids[None], weight_V)[0]) == pytest.approx(8 * name, rel=1e-4)


def test_what_cannot_be_trained_says_so(tmp_path) -> None:
    with pytest.raises(ValueError, match="name the concepts"):
        dataclasses.replace(TINY, scenes=SceneConfig()).task(tmp_path)
    with pytest.raises(ValueError, match="one number each"):
        dataclasses.replace(TINY, styles=(1.0,)).task(tmp_path)
