# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Training a decoder on a transformer's latents: what is shown of clips gets better, and nothing else is touched."""

import dataclasses
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from vidgen import train, trees
from vidgen.config import load_experiment
from vidgen.models.dit import DiTConfig
from vidgen.models.text import TextConfig
from vidgen.models.vae import VAE
from vidgen.sample.autoencoder import Autoencoder, LatentSpace, load_autoencoder, to_float, to_uint8
from vidgen.sample.pipeline import save_model
from vidgen.sample.program import Networks
from vidgen.train.decoder import DecoderTraining, decode, predict
from vidgen.train.dit import init_params
from vidgen.train.loop import LoopConfig
from vidgen.train.optim import OptimConfig
from vidgen.weights.safetensors import load_params
from vidgen.worlds.scene import SceneConfig

TINY = load_experiment(Path(__file__).with_name("tiny.py"))
NETWORKS = Networks(
    TINY.model,
    TextConfig(width=8, heads=2, hidden=8, layers=1),
    DiTConfig(channels=4, patch=(1, 1, 1), width=24, layers=1, heads=2, hidden=16, text_width=8, time_width=8),
)
SCENES = SceneConfig(width=16, height=16, frames=5, objects=(1, 1))


@pytest.fixture
def experiment(tmp_path: Path) -> DecoderTraining:
    """Of a VAE and a transformer with random weights, in a space that is not that of the posterior means."""
    rng, shape = np.random.default_rng(0), jnp.zeros((1, 5, 16, 16, 3))
    params = jax.jit(VAE(TINY.model).init)(jax.random.key(0), shape, jax.random.key(1))["params"]
    space = LatentSpace(
        rng.normal(size=4).astype(np.float32),
        np.eye(4, dtype=np.float32) + 0.3 * rng.normal(size=(4, 4)).astype(np.float32),
        np.ones(4, np.float32),
    )
    Autoencoder(TINY.model, params, space).save(tmp_path / "vae.safetensors")
    params = init_params(NETWORKS, "", jax.random.key(2))
    params = jax.tree.map(lambda p: p + 0.1 * rng.normal(size=p.shape).astype(np.float32), params)
    save_model(tmp_path, NETWORKS, params, text_length=12)
    return DecoderTraining(
        vae=str(tmp_path / "vae.safetensors"),
        transformer=str(tmp_path / "dit.safetensors"),
        scenes=SCENES,
        times=(0.3, 0.5),
        batch_size=4,
        optim=OptimConfig(lr=1e-2, warmup=2, ema=0.9),
        loop=LoopConfig(steps=60, log_every=20, eval_every=0, save_every=60),
    )


def test_the_decoder_learns_to_show_what_the_transformer_says(experiment: DecoderTraining, tmp_path: Path) -> None:
    before = load_autoencoder(experiment.vae)
    task = experiment.task(tmp_path / "run")
    [sheet] = task.evaluations
    assert set(task.frozen) == {"encoder", "text", "dit"}
    known, _ = load_params(experiment.transformer)
    was = sheet({**before.params, **known})
    train.run(experiment, tmp_path / "run")
    after = load_autoencoder(tmp_path / "run" / "model" / "vae.safetensors")
    now = sheet({**after.params, **known})
    assert now.scalars["eval/predicted_psnr"] > was.scalars["eval/predicted_psnr"] + 1
    assert now.scalars["eval/psnr"] > was.scalars["eval/psnr"] + 1  # a part of the clips is the encoder's own
    # What a transformer has learned of the latents stays true.
    assert after.hash() == before.hash()
    for kept, ours in zip(*map(jax.tree.leaves, (before.params["encoder"], after.params["encoder"])), strict=True):
        np.testing.assert_array_equal(ours, kept)
    assert set(after.params) == {"encoder", "decoder"}


def test_without_noise_it_is_shown_the_encoders_latents_and_with_noise_the_transformers(
    experiment: DecoderTraining, tmp_path: Path
) -> None:
    """Which depend on the caption, and are neither the clip's own nor what they were made from."""
    vae = load_autoencoder(experiment.vae)
    known, _ = load_params(experiment.transformer)
    batch = next(iter(experiment.task(tmp_path).batches))
    x, key, params = to_float(batch["video_BFHWC"]), jax.random.key(3), {**vae.params, **known}

    def say(text_BS: np.ndarray, t_B: jax.Array) -> np.ndarray:
        return np.asarray(predict(NETWORKS, vae.space, params, x, text_BS, t_B, key))

    own = np.asarray(vae.encode(batch["video_BFHWC"]))
    shown = to_uint8(decode(NETWORKS, vae.space, params, own))
    np.testing.assert_array_equal(shown, vae.decode(own))  # as the file decodes them
    t_B = jnp.array([0.0, 0.0, 0.4, 0.4])
    said = say(batch["text_BS"], t_B)
    np.testing.assert_allclose(said[:2], own[:2], atol=1e-5)
    noise = np.asarray(jax.random.normal(trees.fold_in_str(key, "noise"), own.shape))
    noisy = 0.6 * own + 0.4 * noise
    assert np.abs(said[2:] - own[2:]).mean() > 1e-3 and not np.allclose(said[2:], noisy[2:], atol=1e-2)
    other = say(batch["text_BS"][::-1].copy(), t_B)
    np.testing.assert_allclose(other[:2], said[:2], atol=1e-5)
    assert np.abs(other[2:] - said[2:]).max() > 1e-4


def test_what_does_not_fit_is_refused(experiment: DecoderTraining, tmp_path: Path) -> None:
    for wrong in ({"times": (0.0, 0.5)}, {"times": (0.5, 0.4)}, {"exact": 1.0}):
        with pytest.raises(ValueError, match=r"times are|exact is"):
            dataclasses.replace(experiment, **wrong)
    other = dataclasses.replace(NETWORKS, dit=dataclasses.replace(NETWORKS.dit, channels=5))
    save_model(tmp_path, other, init_params(other, "", jax.random.key(2)), text_length=12)
    with pytest.raises(ValueError, match=r"4 channels and .* works in 5"):
        experiment.task(tmp_path / "run")
    noise = dataclasses.replace(NETWORKS, dit=dataclasses.replace(NETWORKS.dit, says="noise"))
    save_model(tmp_path, noise, init_params(noise, "", jax.random.key(2)), text_length=12)
    with pytest.raises(ValueError, match="says the noise"):
        experiment.task(tmp_path / "run")
