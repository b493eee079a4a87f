# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""A frame classifier learns what frames show, and a policy that names its file finds planted frames."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from vidgen.data.labelled_frames import LabelledFrames, shown
from vidgen.models.classifier import ClassifierConfig, FrameNet
from vidgen.safety.frames import review_frames
from vidgen.safety.policy import FrameRule, Policy
from vidgen.safety.prompts import PromptPolicy
from vidgen.sample.classifier import load_classifier
from vidgen.sample.release import read_classifiers
from vidgen.train.classifier import ClassifierTraining, classifier_loss, save_classifier
from vidgen.train.loop import LoopConfig, train
from vidgen.train.optim import OptimConfig
from vidgen.worlds.scene import FIRST_LIGHT_ON_GRID
from vidgen.worlds.truth import ground_truth

SCENES = dataclasses.replace(
    FIRST_LIGHT_ON_GRID, concepts=("bomb", "rose", "lemon"), split="all", width=32, height=32, objects=(1, 1),
    object_weights=None, frames=5,
)  # fmt: skip
EXPERIMENT = ClassifierTraining(
    SCENES,
    ClassifierConfig(labels=("bomb",), size=32, patch=4, widths=(16, 24)),
    OptimConfig(lr=1e-2, warmup=5, ema=0.9),
    LoopConfig(steps=60, log_every=60, eval_every=60, save_every=60),
    degrade=0.5,
    batch_size=24,
    held_out=48,
)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    workdir = tmp_path_factory.mktemp("classifier")
    train(EXPERIMENT.task(workdir), EXPERIMENT.loop, workdir, "{}")
    return workdir / "model" / "classifier.safetensors"


def test_it_learns_and_a_policy_finds_a_planted_frame(trained) -> None:
    rule = FrameRule(str(trained), "bomb", 0.5)
    policy = Policy("test", PromptPolicy(()), (rule,), "")
    source = LabelledFrames(SCENES, ("bomb",), 400, 9, degrade=0.0)
    items = [source[index] for index in range(60)]
    truth = np.array([item["shown_O"][0] for item in items])
    frames = np.stack([item["frame_HWC"] for item in items])
    review = review_frames(frames, policy, read_classifiers(policy))
    said = review.scores_F[str(trained), "bomb"] >= 0.5
    assert (said == (truth > 0))[truth >= 0].mean() > 0.9
    assert set(np.flatnonzero(said)) == set(review.findings[0].frames)


def test_what_is_moot_does_not_count() -> None:
    net = FrameNet(EXPERIMENT.model)
    batch = next(iter(EXPERIMENT.task(None).batches))
    params = {"frames": jax.jit(net.init)(jax.random.key(0), jnp.zeros((1, 32, 32, 3)))["params"]}
    moot = np.zeros_like(batch["shown_BO"])
    moot[::2] = -1
    of = jax.jit(lambda some: classifier_loss(net, params, some)[0])
    loss = of({**batch, "shown_BO": moot})
    rest = of({name: value[1::2] for name, value in {**batch, "shown_BO": moot}.items()})
    np.testing.assert_allclose(loss, rest, rtol=1e-5)


def test_labels_say_what_is_seen() -> None:
    source = LabelledFrames(SCENES, ("bomb",), 100, 3)
    for index in range(20):
        scene = source.scene(index)
        seen_F1 = shown(scene, ("bomb",))
        has = [thing.concept == "bomb" for thing in scene.objects]
        visible_F = ground_truth(scene).visible_FN[:, 0] * has[0]
        assert ((seen_F1[:, 0] == 1) == (visible_F >= 0.3)).all()
    share = np.mean([any(thing.concept == "bomb" for thing in source.scene(index).objects) for index in range(100)])
    assert 0.3 < share < 0.8


def test_frames_of_any_size_and_number_get_a_score_each(trained) -> None:
    classifier = load_classifier(trained)
    frames = np.random.default_rng(0).integers(0, 255, (19, 50, 70, 3), np.uint8)
    scores = classifier(frames)["bomb"]
    assert scores.shape == (19,)
    np.testing.assert_allclose(scores[17:], classifier(frames[17:])["bomb"], rtol=1e-5)


def test_another_file_is_refused(trained, tmp_path) -> None:
    with pytest.raises(FileNotFoundError):
        load_classifier(tmp_path / "none.safetensors")
    params = jax.jit(FrameNet(EXPERIMENT.model).init)(jax.random.key(0), jnp.zeros((1, 32, 32, 3)))["params"]
    save_classifier(tmp_path / "wide.safetensors", dataclasses.replace(EXPERIMENT.model, widths=(8, 24)), params)
    with pytest.raises(ValueError, match="another network"):
        load_classifier(tmp_path / "wide.safetensors")
    with pytest.raises(ValueError, match="labels must be among"):
        LabelledFrames(SCENES, ("owl",), 10, 0)
