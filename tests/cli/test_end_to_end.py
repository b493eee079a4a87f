# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The command line with a real, if tiny and untrained, model: from a folder of weights to a file that plays."""

import functools
import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from vidgen.cli import main as cli
from vidgen.data.tokenizer import VOCAB_SIZE
from vidgen.data.video import read_video
from vidgen.models.dit import DiTConfig
from vidgen.models.text import TextConfig
from vidgen.models.vae import VAE, Stage, VAEConfig
from vidgen.sample.autoencoder import Autoencoder, identity_space
from vidgen.sample.pipeline import save_model
from vidgen.sample.program import Networks
from vidgen.train.dit import init_params

NETWORKS = Networks(
    VAEConfig(channels=4, encoder=(Stage(8, 8, 4, 8, 1),), decoder=(Stage(8, 8, 4, 8, 1),)),
    TextConfig(vocabulary=VOCAB_SIZE, width=8, layers=1, heads=2, hidden=8),
    DiTConfig(channels=4, width=24, layers=1, heads=2, hidden=16, text_width=8, time_width=8),
)
CARD = {
    "name": "tiny",
    "parameters": {"all": 1},
    "trained_on": "nothing",
    "scores": {},
    "limits": ["untrained"],
    "concepts": [{"name": "astronaut"}],
    "size": [32, 32],
    "size_multiple": 16,
    "least_side": 16,
    "most_side": 64,
    "max_frames": 9,
    "fps": 8,
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tiny-model")
    key = jax.random.key(0)
    params = jax.eval_shape(functools.partial(init_params, NETWORKS, ""), key)
    vae = jax.eval_shape(VAE(NETWORKS.vae).init, key, jnp.zeros((1, 5, 16, 16, 3)), key)["params"]
    # Networks begin at zero output; noise in every parameter lets text and seed show. And it needs no compiling.
    random = np.random.default_rng(0)
    params, vae = jax.tree.map(lambda leaf: 0.3 * random.standard_normal(leaf.shape, np.float32), (params, vae))
    save_model(folder, NETWORKS, params, text_length=16)
    Autoencoder(NETWORKS.vae, vae, identity_space(4)).save(folder / "vae.safetensors")
    (folder / "card.json").write_text(json.dumps(CARD))
    return folder


def generate(folder, out, *options):
    argv = ["generate", "an astronaut", "--model", str(folder), "--out", str(out), "--steps", "1", *options]
    assert cli.main([*argv, "--seconds", "1"]) == 0


def test_a_prompt_becomes_a_video_that_plays(folder, tmp_path, capsys):
    generate(folder, tmp_path / "a.mp4")
    clip = read_video(tmp_path / "a.mp4")
    assert clip.shape == (9, 32, 32, 3)
    assert clip.std() > 0
    assert [path.name for path in tmp_path.iterdir()] == ["a.mp4"]


def test_pixels_depend_on_seed_guidance_and_negative_alone(folder, tmp_path, capsys):
    def pixels(*options) -> bytes:
        # PNG, since it loses nothing; a manifest holds the time, and the mark depends on the seed too.
        generate(folder, tmp_path / "a.png", "--no-provenance", "--no-watermark", *options)
        return (tmp_path / "a.png").read_bytes()

    once = pixels()
    assert once == pixels()
    for options in (("--seed", "1"), ("--negative", "a dog"), ("--guidance", "1")):
        assert pixels(*options) != once


def test_several_at_another_size(folder, tmp_path, capsys):
    argv = ["generate", "an astronaut", "--model", str(folder), "--out", str(tmp_path / "a.mp4"), "--steps", "1"]
    assert cli.main([*argv, "--seconds", "0.5", "--size", "48x16", "--count", "2", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    clips = [read_video(file) for file in report["files"]]
    assert [clip.shape for clip in clips] == [(5, 16, 48, 3)] * 2
    assert not np.array_equal(*clips)


def test_info_reads_the_card_alone(folder, capsys):
    assert cli.main(["info", str(folder)]) == 0
    assert "untrained" in capsys.readouterr().out
