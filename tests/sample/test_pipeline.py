# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Text to video in one program: determinism, guidance, files, and input that does not fit."""

import dataclasses
import json
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from vidgen.data.tokenizer import load_tokenizer
from vidgen.models.dit import DiTConfig
from vidgen.models.layers import apply
from vidgen.models.text import TextConfig
from vidgen.models.vae import VAE, Stage, VAEConfig
from vidgen.sample import pipeline, program, sampler
from vidgen.sample.autoencoder import Autoencoder, identity_space, load_autoencoder, measure_space
from vidgen.train.dit import init_params

STAGES = (Stage(8, 16, 4, 16, 1),)
NETWORKS = program.Networks(
    VAEConfig(channels=4, encoder=STAGES, decoder=STAGES),
    TextConfig(width=8, heads=2, hidden=8, layers=1),
    DiTConfig(channels=4, width=24, layers=2, heads=2, hidden=16, text_width=8, time_width=8),
)
SIZE = {"frames": 5, "width": 32, "height": 16, "steps": 3}


def make_pipeline() -> pipeline.Pipeline:
    vae = VAE(NETWORKS.vae)
    vae_params = vae.init(jax.random.key(0), jnp.zeros((1, 5, 16, 16, 3)), jax.random.key(1))["params"]
    params = init_params(NETWORKS, "", jax.random.key(2))
    # The output layer starts at zero, which would hide everything before it.
    params["dit"]["out"]["kernel"] = jax.random.normal(jax.random.key(3), params["dit"]["out"]["kernel"].shape)
    return pipeline.Pipeline(NETWORKS, {**params, "vae": vae_params}, identity_space(4), load_tokenizer(), 16)


PIPELINE = make_pipeline()


def test_a_seed_and_a_place_in_the_list_make_a_clip() -> None:
    two = PIPELINE.generate(["a dog", "a cat"], **SIZE, seed=1)
    assert two.shape == (2, 5, 16, 32, 3) and two.dtype == np.uint8
    again = PIPELINE.generate(["a dog", "a cat"], **SIZE, seed=1)
    np.testing.assert_array_equal(two, again)
    one = PIPELINE.generate(["a dog"], **SIZE, seed=1)
    assert np.abs(one[0].astype(int) - two[0]).max() <= 2  # another batch size may round otherwise
    other = PIPELINE.generate(["a dog", "a cat"], **SIZE, seed=2)
    assert np.abs(other.astype(int) - two).mean() > 1


def test_prompt_negative_and_guidance_matter() -> None:
    base = PIPELINE.generate(["a dog"], **SIZE).astype(int)
    assert np.abs(PIPELINE.generate(["a rocket"], **SIZE) - base).max() > 0
    assert np.abs(PIPELINE.generate(["a dog"], **SIZE, negative="a cat") - base).max() > 0
    assert np.abs(PIPELINE.generate(["a dog"], **SIZE, guidance=8.0) - base).max() > 0
    unguided = PIPELINE.generate(["a dog"], **SIZE, guidance=1.0).astype(int)
    same = PIPELINE.generate(["a dog"], **SIZE, guidance=1.0, negative="a cat")
    never = PIPELINE.generate(["a dog"], **SIZE, guidance=8.0, interval=(0.0, 0.0))
    assert np.abs(unguided - never).max() <= 1
    softened, guided = (PIPELINE.generate(["a dog"], **SIZE, guidance=8.0, rescale=r).astype(int) for r in (1.0, 0.0))
    assert np.abs(softened - guided).max() > 1
    assert np.abs(unguided - same).max() <= 1  # v_u + 1 (v_c - v_u) is v_c, up to rounding


def test_it_is_one_program() -> None:
    """Two calls of one shape compile once, whatever prompt, seed, guidance or schedule they bring."""
    PIPELINE.generate(["a dog"], **SIZE)
    before = program.text_to_video._cache_size()
    PIPELINE.generate(
        ["a cat"], **SIZE, seed=5, guidance=2.0, negative="x", shift=1.0, rescale=0.7, interval=(0.1, 0.9)
    )
    assert program.text_to_video._cache_size() == before


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"width": 24}, "multiple of 16"),
        ({"width": 30}, "width must divide by 8"),
        ({"frames": 4}, "4 frames"),
        ({"steps": 0}, "steps is 0"),
        ({"solver": "magic"}, "euler, heun"),
    ],
)
def test_what_does_not_fit_is_said(change: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        PIPELINE.generate(["a dog"], **{**SIZE, **change})


def test_no_prompt_is_an_error() -> None:
    with pytest.raises(ValueError, match="no prompt"):
        PIPELINE.generate([], **SIZE)


def test_a_saved_model_makes_the_same_clips(tmp_path: Path) -> None:
    rounded = jax.tree.map(lambda p: np.asarray(p, np.float16).astype(np.float32), PIPELINE.params)
    original = dataclasses.replace(PIPELINE, params=rounded)
    Autoencoder(NETWORKS.vae, rounded["vae"], PIPELINE.space).save(tmp_path / "vae.safetensors")
    pipeline.save_model(tmp_path, NETWORKS, rounded, text_length=16)
    with pytest.raises(FileNotFoundError, match=r"missing: card\.json"):
        pipeline.load_pipeline(tmp_path)
    (tmp_path / "card.json").write_text(json.dumps({"name": "tiny"}))
    loaded = pipeline.load_pipeline(tmp_path)
    assert loaded.networks == NETWORKS and loaded.card == {"name": "tiny"}
    np.testing.assert_array_equal(loaded.generate(["a dog"], **SIZE), original.generate(["a dog"], **SIZE))
    with pytest.raises(ValueError, match="holds no VAE"):
        load_autoencoder(tmp_path / "dit.safetensors")


def test_a_card_says_how_its_model_is_sampled(tmp_path: Path) -> None:
    own = sampler.SampleConfig(guidance=8.0, interval=(0.5, 1.0))
    assert sampler.for_card(own) == {"guidance": 8.0, "interval": (0.5, 1.0)}
    PLAIN.save(tmp_path / "vae.safetensors")
    pipeline.save_model(tmp_path, NETWORKS, PIPELINE.params, text_length=16)
    (tmp_path / "card.json").write_text(json.dumps({"sampler": sampler.for_card(own)}))
    loaded = pipeline.load_pipeline(tmp_path)
    assert loaded.defaults == own
    asked = loaded.generate(["a dog"], **SIZE, guidance=8.0, interval=(0.5, 1.0))
    np.testing.assert_array_equal(loaded.generate(["a dog"], **SIZE), asked)
    assert np.abs(loaded.generate(["a dog"], **SIZE, guidance=3.0).astype(int) - asked).max() > 0
    (tmp_path / "card.json").write_text(json.dumps({"sampler": {"guidence": 8.0}}))
    with pytest.raises(ValueError, match="sampler has guidence; a sampler has steps, guidance"):
        pipeline.load_pipeline(tmp_path)


VIDEO = np.random.default_rng(0).integers(0, 256, (8, 5, 16, 16, 3), np.uint8)
PLAIN = Autoencoder(NETWORKS.vae, PIPELINE.params["vae"], PIPELINE.space)


@pytest.mark.parametrize("exponent", [0.0, 0.5, 1.0])
def test_latents_lie_in_principal_axes_of_the_measured_space(exponent: float) -> None:
    space = measure_space(PLAIN.config, PLAIN.params, [VIDEO[:4], VIDEO[4:]], exponent)
    vae = dataclasses.replace(PLAIN, space=space)
    latents = vae.encode(VIDEO).reshape(-1, 4)
    np.testing.assert_allclose(latents.mean(axis=0), 0.0, atol=1e-4)
    np.testing.assert_allclose(np.cov(latents.T), np.diag(space.deviation_C**2), atol=2e-3)
    np.testing.assert_allclose(np.mean(space.deviation_C**2), 1.0, rtol=1e-4)
    assert np.all(np.diff(space.deviation_C) <= 0)
    difference = np.asarray(vae.decode(vae.encode(VIDEO))).astype(int) - PLAIN.decode(PLAIN.encode(VIDEO))
    assert np.abs(difference).max() <= 1
    assert vae.hash() != PLAIN.hash()


def test_with_exponent_1_every_direction_moves_pixels_alike() -> None:
    """Against differences of decoded pixels; with exponent 0 the directions differ by far."""

    def spread(exponent: float) -> float:
        space = measure_space(PLAIN.config, PLAIN.params, [VIDEO] * 64, exponent)
        decode = lambda z: apply(VAE(PLAIN.config), PLAIN.params, space.leave(z), method=VAE.decode)  # noqa: E731
        latents = dataclasses.replace(PLAIN, space=space).encode(VIDEO)
        signs = np.random.default_rng(1).choice([-1e-2, 1e-2], latents.shape[:-1])[..., None]
        moved = [np.square(decode(latents + signs * np.eye(4)[i]) - decode(latents)).mean() for i in range(4)]
        return max(moved) / min(moved)

    assert spread(1.0) < 1.5 < spread(0.0)


def test_seconds_become_whole_groups_of_frames() -> None:
    assert [pipeline.frames_for_seconds(s) for s in (0, 0.1, 0.5, 1, 2, 2.2)] == [1, 1, 5, 9, 17, 17]
