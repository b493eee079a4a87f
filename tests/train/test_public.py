# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Public weights are trained on by the same runs as ours, wholly or by low rank, and exported in their own format."""

import dataclasses
from pathlib import Path

import jax
import numpy as np
import pytest

from vidgen import train
from vidgen.cli import main as cli
from vidgen.parallel.mesh import MeshConfig, make_mesh
from vidgen.sample import classes, wan
from vidgen.sample.pipeline import load_pipeline
from vidgen.sample.sampler import SampleConfig
from vidgen.train.dit import DiTTraining
from vidgen.train.loop import LoopConfig
from vidgen.train.lora import LoRAConfig
from vidgen.train.optim import OptimConfig
from vidgen.train.streams import LatentData
from vidgen.weights.files import Weights
from vidgen.weights.safetensors import load_params
from vidgen.weights.shapes import dit_shapes
from vidgen.worlds.scene import SceneConfig

GOLDEN = Path(__file__).parents[1] / "golden"


def experiment(own: Path, kind: str) -> DiTTraining:
    folder = GOLDEN / f"{kind}_pipeline"
    networks = (wan.wan_networks if kind == "wan" else classes.class_networks)(folder, "float32")
    scenes = SceneConfig(width=32, height=32, frames=5 if kind == "wan" else 1)
    return DiTTraining(
        vae=str(own / "vae.safetensors"),
        start_from=str(own / "dit.safetensors"),
        data=(LatentData("clips", scenes, count=4, batch_size=4, text_length=12 if kind == "wan" else 1),),
        model=networks.dit,
        text=networks.text,
        text_frozen=True,
        sample=SampleConfig(shift=2.0),
        optim=OptimConfig(lr=1e-3, warmup=1),
        loop=LoopConfig(steps=2, log_every=1, eval_every=0, save_every=2),
    )


@pytest.mark.parametrize(("kind", "rank"), [pytest.param("wan", 0, marks=pytest.mark.slow), ("wan", 2), ("dit", 0)])
def test_a_run_goes_on_from_public_weights(tmp_path, kind: str, rank: int) -> None:
    own, source = tmp_path / "own", GOLDEN / f"{kind}_pipeline"
    assert cli.main(["weights", "import", str(source), "--out", str(own)]) == 0
    run = dataclasses.replace(experiment(own, kind), lora=LoRAConfig(rank, targets=("blocks/self/q",)))
    train.run(run, tmp_path / "run")
    model = tmp_path / "run" / "model"
    before, after = (load_params(folder / "dit.safetensors")[0] for folder in (own, model))
    jax.tree.map(np.testing.assert_array_equal, before["text"], after["text"])
    moved = jax.tree.map(lambda a, b: bool((a != b).any()), before["dit"], after["dit"])
    assert moved["blocks"]["self"]["q"]["kernel"]
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(after))
    assert moved["blocks"]["up"]["kernel"] == (rank == 0)
    # It is sampled from as the model that it was made from, but for what the run asked, and exported in that format.
    assert load_pipeline(model).defaults == dataclasses.replace(load_pipeline(source).defaults, shift=2.0)
    size = {"frames": 1, "width": 16, "height": 16, "steps": 2}
    prompt = "golden retriever" if kind == "dit" else "a dog"
    assert load_pipeline(model).generate([prompt], **size).shape == (1, 1, 16, 16, 3)
    assert cli.main(["weights", "export", str(model), "--out", str(tmp_path / "out")]) == 0
    ours, theirs = (Weights(folder / "transformer") for folder in (tmp_path / "out", source))
    assert {name: t.shape for name, t in ours.tensors.items()} == {name: t.shape for name, t in theirs.tensors.items()}
    changed = [name for name in ours.tensors if ours.read(name).tobytes() != theirs.read(name).tobytes()]
    assert len(changed) == 2 if rank else len(changed) > 20
    assert all("to_q.weight" in name for name in changed) or not rank
    if kind == "wan":  # captions were read by the model's own tokenizer, and the empty one is its ending
        ids = run._tokenizer().batch(["a dog", ""], 12)
        assert ids[1].tolist() == [1] + [0] * 11 and ids.max() < 300


@pytest.mark.parametrize("kind", ["wan", "dit"])
def test_shapes_alone_are_lowered_for_a_mesh(kind: str) -> None:
    """As `vidgen compile` does it, without the files that a run starts from."""
    folder = GOLDEN / f"{kind}_pipeline"
    networks = (wan.wan_networks if kind == "wan" else classes.class_networks)(folder, "float32")
    run = dataclasses.replace(experiment(Path("nowhere"), kind), vae_config=networks.vae)
    mesh = make_mesh(MeshConfig(fsdp=4, tensor=2))
    for mode in ("train", "sample"):
        program = run.program(mode, mesh)
        with jax.set_mesh(mesh):
            text = program.function.lower(*program.arguments).as_text()
        assert "sdy.sharding_constraint" in text and program.model_flops > 0
        assert program.parameters["dit"] == sum(x.size for x in jax.tree.leaves(dit_shapes(networks.dit)))


def test_captions_name_classes() -> None:
    tokenizer = classes.class_tokenizer(GOLDEN / "dit_pipeline", within=True)
    texts = ["a house finch flies over the Golden Retriever", "two cats", "", "linnets"]
    assert tokenizer.batch(texts, 2).tolist() == [[208, 0], [0, 0], [0, 0], [0, 0]]
