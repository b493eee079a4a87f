# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""A whole Wan folder makes the video that diffusers makes with it: golden/make_wan_pipeline.py made both."""

import json
import shutil
import weakref
from pathlib import Path

import jax
import numpy as np
import pytest
from safetensors.numpy import load_file

from vidgen.cli import main as cli
from vidgen.data.tokenizer import PublicTokenizer, clean
from vidgen.data.video import read_video
from vidgen.parallel.mesh import MeshConfig, make_mesh
from vidgen.sample import wan
from vidgen.sample.card import Card
from vidgen.sample.pipeline import load_card, load_pipeline

FOLDER = Path(__file__).parents[1] / "golden" / "wan_pipeline"
PROMPTS = ["A dog runs &amp; jumps  over the moon.", "a cat"]
ASKED = {"frames": 9, "height": 32, "width": 48, "steps": 6, "guidance": 4.0, "negative": "blurry"}


@pytest.fixture(scope="module")
def expected() -> dict[str, np.ndarray]:
    return load_file(FOLDER / "expected.safetensors")


def farthest(video: np.ndarray, theirs: np.ndarray) -> float:
    """Largest difference of pixels in [0, 1], beyond the half step that rounding to 256 of them costs."""
    assert video.shape == theirs.shape and video.dtype == np.uint8
    return float(np.abs(video / 255 - theirs).max()) - 0.5 / 255


def test_the_video_is_that_of_diffusers(expected) -> None:
    model = wan.load_wan(FOLDER, "float32")
    noise = expected["noise"].transpose(0, 2, 3, 4, 1)
    video = model.generate(PROMPTS, **ASKED, noise_BTHWC=noise)
    assert farthest(video, expected["video"]) < 1e-3
    assert expected["video"].std() > 0.1
    other = model.generate(PROMPTS[::-1], **ASKED, noise_BTHWC=noise)
    assert farthest(other, expected["video"]) > 0.02  # the prompts are heard


def test_devices_share_the_weights_and_make_the_same(expected) -> None:
    mesh = make_mesh(MeshConfig(fsdp=2, sequence=2, tensor=2))
    model = wan.load_wan(FOLDER, "float32", mesh)
    divided = [leaf for leaf in jax.tree.leaves(model.params) if leaf.addressable_shards[0].data.size < leaf.size]
    assert len(divided) > 10
    video = model.generate(PROMPTS, **ASKED, noise_BTHWC=expected["noise"].transpose(0, 2, 3, 4, 1))
    assert farthest(video, expected["video"]) < 1e-3


def test_the_text_encoder_is_gone_before_the_transformer_comes(expected, monkeypatch) -> None:
    read, alive = wan.read_part, []

    def recorded(folder, part, mesh):
        params = read(folder, part, mesh)
        alive.append((part.name, [name for name, leaf in leaves if leaf() is not None]))
        leaves.extend((part.name, weakref.ref(leaf)) for leaf in jax.tree.leaves(params))
        return params

    leaves: list = []
    monkeypatch.setattr(wan, "read_part", recorded)
    model = wan.load_wan(FOLDER, "float32", keep_text=False)
    assert alive == []
    noise = expected["noise"].transpose(0, 2, 3, 4, 1)
    assert farthest(model.generate(PROMPTS, **ASKED, noise_BTHWC=noise), expected["video"]) < 1e-3
    assert [(name, "text" in others) for name, others in alive] == [("text", False), ("dit", False), ("vae", False)]
    model.generate(PROMPTS[:1], **ASKED)
    assert [name for name, _ in alive[3:]] == ["text"]


def test_the_command_makes_a_video_with_it(tmp_path, capsys) -> None:
    out = tmp_path / "moon.mp4"
    argv = ["generate", "a dog", "--model", str(FOLDER), "--size", "48x32", "--seconds", "0.5", "--steps", "2"]
    assert cli.main([*argv, "--out", str(out)]) == 0
    assert capsys.readouterr().out == f"{out}\n"
    assert read_video(out).shape == (9, 32, 48, 3)
    assert cli.main(["info", str(FOLDER)]) == 0
    shown = capsys.readouterr().out
    assert "wan_pipeline" in shown and "16 frames a second" in shown


def test_the_card_says_what_the_configs_say() -> None:
    card = Card.from_dict(load_card(FOLDER))
    assert (card.size, card.size_multiple, card.fps) == ((832, 480), 16, 16)
    assert card.parameters == {
        name: sum(leaf.size for leaf in jax.tree.leaves(tree)) for name, tree in load_pipeline(FOLDER).params.items()
    }


@pytest.mark.parametrize(
    ("file", "change", "message"),
    [
        ("transformer/config.json", {"num_layers": 3}, r"blocks.2.attn1.norm_k.weight \(24,\) is missing"),
        ("transformer/config.json", {"image_dim": 8}, "give a text-to-video one"),
        ("vae/config.json", {"is_residual": True}, "the VAE of Wan 2.2"),
        ("text_encoder/config.json", None, "config.json is missing: give a whole folder"),
        ("tokenizer/spiece.model", None, "the tokenizer's SentencePiece model belongs there"),
        ("vae/diffusion_pytorch_model.safetensors", None, "no .safetensors file"),
    ],
)
def test_folders_that_lack_something_say_what(tmp_path, file, change, message) -> None:
    folder = tmp_path / "model"
    shutil.copytree(FOLDER, folder)
    if change is None:
        (folder / file).unlink()
    else:
        (folder / file).write_text(json.dumps({**json.loads((folder / file).read_text()), **change}))
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        load_pipeline(folder)


def test_prompts_are_cleaned_and_end() -> None:
    assert clean(" A\n dog &amp;amp; cat\t<3 ") == "A dog & cat <3"
    assert clean("donâ€™t") == "don't"
    tokenizer = PublicTokenizer(FOLDER / "tokenizer" / "spiece.model")
    short, long = tokenizer.batch(["a dog", "a dog " * 40], 8)
    assert short.tolist().count(1) == 1 and short[np.argmax(short == 1) + 1 :].tolist() == [0] * (
        7 - int(np.argmax(short == 1))
    )
    assert long[-1] == 1 and (long[:-1] > 1).all()
    assert tokenizer.batch([""], 3).tolist() == [[1, 0, 0]]
