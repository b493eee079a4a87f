# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""A whole DiT folder makes the pictures that diffusers makes with it: golden/make_dit_pipeline.py made both."""

import dataclasses
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from safetensors.numpy import load_file

from vidgen.cli import main as cli
from vidgen.data.labels import LabelTokenizer
from vidgen.sample import classes
from vidgen.sample.card import Card
from vidgen.sample.pipeline import load_card, load_pipeline

FOLDER = Path(__file__).parents[1] / "golden" / "dit_pipeline"
SIZE = {"frames": 1, "width": 32, "height": 32}


def pictures(prompts: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """Made as diffusers makes them, which guides all channels, with DDIM's steps from the first; and diffusers' own."""
    expected = load_file(FOLDER / "expected.safetensors")
    model = classes.load_classes(FOLDER, "float32", as_diffusers=True)
    plain = dataclasses.replace(model.networks, guided_channels=0)
    how = dataclasses.replace(model.defaults, solver="euler", spacing="leading", steps=10)
    model = dataclasses.replace(model, networks=plain, defaults=how)
    noise = expected["noise"].transpose(0, 2, 3, 1)[:, None]
    return model.generate(prompts, **SIZE, noise_BTHWC=noise)[:, 0], expected["pictures"]


def test_pictures_are_those_of_diffusers() -> None:
    made, theirs = pictures(["207", "Linnet"])
    assert np.abs(made / 255 - theirs).max() - 0.5 / 255 < 1e-3 and theirs.std() > 0.1
    other, _ = pictures(["12", "207"])
    assert np.abs(other / 255 - theirs).max() > 5e-3  # the classes are heard


def test_ancestral_sampling_follows_the_seed() -> None:
    model = load_pipeline(FOLDER)
    assert (model.defaults.solver, model.defaults.steps, model.networks.guided_channels) == ("ddpm", 250, 3)
    out = {name: 1e-3 * x for name, x in model.params["dit"]["out"].items()}  # random variances know no bounds
    model = dataclasses.replace(model, params={**model.params, "dit": {**model.params["dit"], "out": out}})
    first, again, other = (model.generate(["207"], **SIZE, steps=4, seed=seed) for seed in (1, 1, 2))
    assert (first == again).all() and (first != other).any() and first.std() > 5
    with pytest.raises(ValueError, match="give it a seed rather than the first noise"):
        model.generate(["207"], **SIZE, steps=4, noise_BTHWC=np.zeros((1, 1, 8, 8, 4), np.float32))


def test_a_folder_of_sit_samples_by_an_sde_or_an_ode(tmp_path) -> None:
    folder = tmp_path / "sit"
    shutil.copytree(FOLDER, folder)
    index = json.loads((folder / "model_index.json").read_text())
    (folder / "model_index.json").write_text(json.dumps(index | {"_class_name": "SiTPipeline"}))
    model = load_pipeline(folder)
    assert (model.networks.dit.says, model.defaults.solver) == ("to data", "sde")
    made = [model.generate(["house finch"], **SIZE, steps=3, solver=solver) for solver in (None, "heun")]
    assert (made[0] != made[1]).any()
    # The original's ODE, which takes as many steps as it needs: where many of heun's end.
    exact, near = (
        model.generate(["house finch"], **SIZE, steps=steps, solver=solver).astype(int)
        for steps, solver in ((1, "dopri5"), (60, "heun"))
    )
    assert 4 * np.abs(exact - near).mean() < np.abs(exact - made[1]).mean()
    with pytest.raises(ValueError, match="for networks that were trained to say the noise"):
        model.generate(["3"], **SIZE, solver="ddpm")
    with pytest.raises(ValueError, match="asks at any time, 0 too"):
        load_pipeline(FOLDER).generate(["3"], **SIZE, solver="dopri5")


def test_the_command_makes_a_picture_of_a_class(tmp_path, capsys, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    argv = ["generate", "golden retriever", "--model", str(FOLDER), "--steps", "2", "--size", "16x32"]
    assert cli.main(argv) == 0
    assert capsys.readouterr().out == "golden-retriever.png\n"
    with Image.open("golden-retriever.png") as picture:
        assert picture.size == (16, 32)
    assert cli.main([*argv, "--seconds", "1"]) == 2
    assert "is too long" in capsys.readouterr().err
    assert cli.main(["weights", "verify", str(FOLDER)]) == 0
    shown = capsys.readouterr().out
    assert "transformer" in shown and "each has its place" in shown


def test_the_card_says_what_the_configs_say() -> None:
    card = Card.from_dict(load_card(FOLDER))
    assert (card.size, card.size_multiple, card.max_frames) == ((32, 32), 8, 1)
    assert set(card.parameters) == {"dit", "text", "vae"} and card.parameters["text"] == 1001 * 16


def test_classes_go_by_number_and_name() -> None:
    tokenizer = LabelTokenizer(10, {3: "tabby, Tabby cat", 4: "lynx"})
    assert tokenizer.batch(["3", " TABBY  cat", "lynx", "", "0"], 1).tolist() == [[4], [4], [5], [0], [1]]
    for prompt, message in (("10", "classes 0 to 9"), ("tabby cats", "near are tabby cat"), ("x", "a name of one")):
        with pytest.raises(ValueError, match=message):
            tokenizer.batch([prompt], 1)
    with pytest.raises(ValueError, match="the folder names none"):
        LabelTokenizer(10).batch(["cat"], 1)


@pytest.mark.parametrize(
    ("file", "change", "message"),
    [
        ("transformer/config.json", {"num_layers": 3}, r"transformer_blocks.2.attn1.to_k.bias \(16,\) is missing"),
        ("transformer/config.json", {"out_channels": 5}, "has 4 channels and says 5"),
        ("vae/config.json", {"latent_channels": 8}, "a VAE of 8 channels and a transformer of 4"),
        ("scheduler/scheduler_config.json", {"beta_end": 0.012}, "only DiT's own diffusion is known here"),
        ("vae/config.json", None, "config.json is missing: give a whole folder"),
    ],
)
def test_folders_that_do_not_fit_say_what(tmp_path, file, change, message) -> None:
    folder = tmp_path / "model"
    shutil.copytree(FOLDER, folder)
    if change is None:
        (folder / file).unlink()
    else:
        (folder / file).write_text(json.dumps({**json.loads((folder / file).read_text()), **change}))
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        load_pipeline(folder)
