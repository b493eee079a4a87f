# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""`vidgen weights` looks into weights, accounts for every one of a public model's, and writes them again."""

import json
import shutil
from pathlib import Path

import jax
import numpy as np
import pytest

from vidgen.cli import main as cli
from vidgen.sample.pipeline import load_card, load_pipeline, model_folder
from vidgen.train import lora
from vidgen.train.lora import LoRAConfig
from vidgen.weights.files import Weights
from vidgen.weights.safetensors import load_params

FOLDER = Path(__file__).parents[1] / "golden" / "wan_pipeline"
PARTS = ("transformer", "text_encoder", "vae")


def test_inspect_groups_layers(capsys) -> None:
    assert cli.main(["weights", "inspect", str(FOLDER / "transformer")]) == 0
    out = capsys.readouterr().out
    [row] = [line for line in out.splitlines() if "blocks.{N}.attn1.to_q.weight" in line]
    assert "24x24" in row and "F32" in row and "1,152" in row  # of 2 layers
    assert "69 tensors" in out and "in 1 file" in out
    assert cli.main(["weights", "inspect", str(FOLDER / "transformer" / "diffusion_pytorch_model.safetensors")]) == 0


def test_verify_accounts_for_every_weight(capsys) -> None:
    assert cli.main(["weights", "verify", str(FOLDER)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list(PARTS) and all("each has its place" in line for line in lines)


def test_export_keeps_every_byte_or_casts(tmp_path, capsys) -> None:
    for dtype, expected in (("keep", "F32"), ("bfloat16", "BF16")):
        out = tmp_path / dtype
        argv = ["weights", "export", str(FOLDER), "--out", str(out), "--dtype", dtype, "--shard-gib", "0.000008"]
        assert cli.main(argv) == 0
        assert capsys.readouterr().out == f"{out}\n"
        for part in PARTS:
            ours, theirs = Weights(out / part), Weights(FOLDER / part)
            assert len(ours.files) > 1 and set(ours.tensors) == set(theirs.tensors)
            for name, tensor in ours.tensors.items():
                assert tensor.dtype == expected
                assert dtype != "keep" or ours.read(name).tobytes() == theirs.read(name).tobytes()
    clip = load_pipeline(tmp_path / "bfloat16").generate(["a dog"], frames=1, width=16, height=16, steps=2)
    assert clip.shape == (1, 1, 16, 16, 3) and clip.dtype == np.uint8
    assert not list(tmp_path.glob("*.unfinished"))


@pytest.mark.parametrize("name", ["wan_pipeline", "dit_pipeline"])
def test_what_is_imported_is_exported_as_it_was(tmp_path, capsys, name) -> None:
    """The same bytes a tensor; meanwhile it is a model of our own, which makes the same."""
    source, own, out = FOLDER.with_name(name), tmp_path / "own", tmp_path / "out"
    assert cli.main(["weights", "import", str(source), "--out", str(own)]) == 0
    assert cli.main(["weights", "export", str(own), "--out", str(out)]) == 0
    assert capsys.readouterr().out == f"{own}\n{out}\n"
    theirs = {file.relative_to(source) for file in source.rglob("*") if file.is_file()}
    written = {file.relative_to(out) for file in out.rglob("*") if file.is_file()}
    assert written == theirs - {Path("expected.safetensors")}
    for part in (file.parent for file in theirs if file.suffix == ".safetensors" and file.parent != Path()):
        again, before = Weights(out / part), Weights(source / part)
        assert set(again.tensors) == set(before.tensors)
        assert all(again.read(key).tobytes() == before.read(key).tobytes() for key in again.tensors)
    assert load_card(own)["name"] == name
    if name == "dit_pipeline":
        asked = {"frames": 1, "width": 16, "height": 16, "steps": 2}
        made = [load_pipeline(folder).generate(["207"], **asked) for folder in (source, own)]
        np.testing.assert_array_equal(*made)


def test_an_adaptation_is_merged(tmp_path, capsys) -> None:
    folder = model_folder()
    before, _ = load_params(folder / "dit.safetensors")
    config = LoRAConfig(2, targets=("blocks/up",))
    factors = lora.init(config, before["dit"], jax.random.key(0))
    factors["blocks"]["up"]["b"] += 0.1
    lora.save(tmp_path / "lora.safetensors", config, factors)
    card = load_card() | {"concepts": [{"name": "snail", "synonyms": ["slug"]}]}
    (tmp_path / "card.json").write_text(json.dumps(card))
    argv = ["weights", "merge", "default", str(tmp_path / "lora.safetensors"), "--strength", "0.5"]
    assert cli.main([*argv, "--out", str(tmp_path / "mine")]) == 0
    assert capsys.readouterr().out == f"{tmp_path / 'mine'}\n"
    after = load_pipeline(tmp_path / "mine")
    product = factors["blocks"]["up"]["a"] @ factors["blocks"]["up"]["b"]
    change = after.params["dit"]["blocks"]["up"]["kernel"] - before["dit"]["blocks"]["up"]["kernel"]
    np.testing.assert_allclose(change, 0.5 * config.alpha / 2 * product, atol=2e-3)
    np.testing.assert_array_equal(after.params["dit"]["out"]["kernel"], before["dit"]["out"]["kernel"])
    assert after.card["concepts"] == card["concepts"]
    assert after.card["scores"] == {} and after.card["name"] == "vidgen worlds, adapted"
    lora.save(
        tmp_path / "other.safetensors", config, {"blocks": {"up": {"a": np.ones((6, 5, 2)), "b": np.ones((6, 2, 5))}}}
    )
    argv[3] = str(tmp_path / "other.safetensors")
    assert cli.main([*argv, "--out", str(tmp_path / "other")]) == 2
    assert "blocks/up is adapted as a matrix of (6, 5, 5) and the transformer has one of" in capsys.readouterr().err
    assert not (tmp_path / "other").exists() and not list(tmp_path.glob("*.unfinished"))


def test_bad_input_is_one_line(tmp_path, refused) -> None:
    damaged = tmp_path / "damaged"
    shutil.copytree(FOLDER, damaged)
    file = damaged / "transformer" / "diffusion_pytorch_model.safetensors"
    file.write_bytes(file.read_bytes()[:-100])
    (tmp_path / "model.ckpt").write_bytes(b"x")
    for argv, message in (
        (["inspect", str(tmp_path / "no.safetensors")], "there are no weights at"),
        (["inspect", str(tmp_path / "model.ckpt")], "is a pickle"),
        (["verify", str(tmp_path)], "holds no model that is known here"),
        (["verify", str(damaged)], "is not a complete safetensors file"),
        (["export", str(FOLDER), "--out", str(tmp_path)], "is there already"),
        (["import", str(FOLDER), "--out", str(tmp_path)], "is there already"),
        (["import", str(tmp_path), "--out", str(tmp_path / "x")], "holds no model that is known here"),
        (["export", str(FOLDER), "--out", str(tmp_path / "x"), "--shard-gib", "0"], "--shard-gib must be above 0"),
        (["merge", "default", str(damaged / "model_index.json"), "--out", str(tmp_path / "x")], "safetensors file"),
        (["merge", "default", "no.safetensors", "--out", str(tmp_path / "x")], "no weights file no.safetensors"),
        (["merge", "no-model", "x.safetensors", "--out", str(tmp_path / "x")], "no model 'no-model'"),
        (["inpsect", "x"], "did you mean inspect?"),
    ):
        assert message in refused(["weights", *argv])


@pytest.mark.parametrize("command", ["inspect", "verify", "import", "export", "merge"])
def test_help_pages_end_with_an_example(capsys, command) -> None:
    assert cli.main(["weights", command, "--help"]) == 0
    assert capsys.readouterr().out.rstrip().splitlines()[-1].startswith(f"  vidgen weights {command} ")
