# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Programs made of shapes are the programs that runs use; and the experiments of public sizes have those sizes."""

import dataclasses
from pathlib import Path

import jax
import numpy as np
import pytest

from vidgen import trees
from vidgen.config import load_experiment, override
from vidgen.data.packing import PackingConfig
from vidgen.parallel import shard
from vidgen.parallel.mesh import MeshConfig, make_mesh
from vidgen.parallel.program import product_flops
from vidgen.sample.program import Networks
from vidgen.train import state as train_state
from vidgen.train.dit import init_params, step_flops
from vidgen.train.flow import Objective, dit_loss
from vidgen.train.optim import make_optimizer

TINY = load_experiment(Path(__file__).with_name("tiny_dit.py"))
TINY_VAE = load_experiment(Path(__file__).with_name("tiny.py"))
NETWORKS = Networks(TINY.vae_config, TINY.text, TINY.model)
EXPERIMENTS = Path(__file__).parents[2] / "experiments"
CLIPS, TEXT = (8, 2, 4, 4, 4), (8, 7)


def lowered(function, *arguments) -> str:
    return function.lower(*arguments).as_text()


@pytest.mark.parametrize("axes", [{}, {"fsdp": 2, "tensor": 2}])
def test_the_step_of_shapes_is_the_step_of_a_run(axes: dict) -> None:
    config = MeshConfig(**axes)
    mesh = make_mesh(config, jax.devices()[: int(np.prod(config.shape(max(1, 2 * len(axes)))))])
    program = dataclasses.replace(TINY, mesh=config).program("train", mesh)
    with jax.set_mesh(mesh):
        # As the loop does it, with arrays.
        shapes = jax.eval_shape(lambda: init_params(NETWORKS, "", jax.random.key(0)))
        shardings = shard.parameter_shardings(shapes, mesh)
        params = jax.jit(lambda: init_params(NETWORKS, "", jax.random.key(0)), out_shardings=shardings)()
        optimizer = make_optimizer(TINY.optim, TINY.loop.steps, params)
        state, kept = train_state.create_on(mesh, params, shardings, optimizer)
        loss_fn = TINY.task_loss(NETWORKS, mesh)
        step = train_state.jit_step(train_state.make_step(loss_fn, optimizer, TINY.optim.ema, 0), kept, mesh)
        batch = {"latent_BTHWC": np.zeros(CLIPS, np.float16), "text_BS": np.zeros(TEXT, np.int32)}
        batch["shift_B"] = np.ones(CLIPS[0], np.float32)
        of_arrays = lowered(step, state, shard.place_batch(batch, mesh))
        of_shapes = lowered(program.function, *program.arguments)
    assert of_shapes == of_arrays
    assert "tf.aliasing_output" in of_shapes or "jax.buffer_donor" in of_shapes


def test_the_step_of_shapes_of_a_vae_is_the_step_of_a_run(tmp_path: Path) -> None:
    mesh = make_mesh(MeshConfig(fsdp=2, tensor=2), jax.devices()[:4])
    program = TINY_VAE.program("train", mesh)
    task = TINY_VAE.task(tmp_path)
    with jax.set_mesh(mesh):
        shapes = jax.eval_shape(task.init, jax.random.key(0))
        shardings = shard.parameter_shardings(shapes, mesh)
        params = jax.jit(task.init, out_shardings=shardings)(jax.random.key(0))
        optimizer = task.make_optimizer(params, TINY_VAE.loop.steps)
        state, kept = train_state.create_on(mesh, params, shardings, optimizer)
        step = train_state.jit_step(train_state.make_step(task.loss_fn, optimizer, task.ema, 0), kept, mesh)
        batch = shard.place_batch({"video_BFHWC": np.zeros((2, 5, 16, 16, 3), np.uint8)}, mesh)
        assert lowered(program.function, *program.arguments) == lowered(step, state, batch)
    assert program.model_flops == task.flops(batch)
    assert (program.clips, program.frames, program.tokens) == (2, 5, 2 * 2 * 2)
    assert program.parameters == {name: trees.count(params[name]) for name in ("encoder", "decoder")}


def test_a_vae_has_no_sampler() -> None:
    with pytest.raises(ValueError, match="take --mode train"):
        TINY_VAE.program("sample", make_mesh(MeshConfig()))


def test_a_program_names_the_option_that_changes_its_clips() -> None:
    one = make_mesh(MeshConfig())
    packed = dataclasses.replace(TINY, packing=PackingConfig(rows=2, tokens=64, clips=16, open_rows=32))
    for experiment in (TINY, TINY_VAE, packed):
        program = experiment.program("train", one)
        changed = override(experiment, [program.batch_option, str(2 * program.batch)])
        assert changed.program("train", one).clips == pytest.approx(2 * program.clips, rel=0.02)


def test_the_largest_stream_is_compiled_and_counted() -> None:
    program = TINY.program("train", make_mesh(MeshConfig()))
    assert (program.clips, program.frames, program.tokens) == (8, 5, 2 * 4 * 4)
    assert program.model_flops == step_flops(NETWORKS, CLIPS, 7)
    assert program.parameters == {
        name: trees.count(tree) for name, tree in init_params(NETWORKS, "", jax.random.key(0)).items()
    }


def test_the_formula_of_flops_is_what_the_loss_asks_for() -> None:
    """The forward pass, with plain attention; the formula leaves out the pairs of scores and positions of text."""
    params = jax.eval_shape(lambda: init_params(NETWORKS, "", jax.random.key(0)))
    batch = {"latent_BTHWC": jax.ShapeDtypeStruct(CLIPS, np.float16), "text_BS": jax.ShapeDtypeStruct(TEXT, np.int32)}
    key = jax.eval_shape(lambda: jax.random.key(0))
    counted = product_flops(
        lambda params, batch, key: dit_loss(NETWORKS, Objective(TINY.time), params, batch, key), params, batch, key
    )
    assert counted == pytest.approx(step_flops(NETWORKS, CLIPS, 7) / 3, rel=0.02)


def test_a_packed_step_is_compiled_and_counted() -> None:
    """Of the average batch: pictures of 4 tokens and clips of 32, two rows of 64, equally many tokens of each."""
    packed = dataclasses.replace(TINY, packing=PackingConfig(rows=2, tokens=64, clips=16, open_rows=32))
    program = packed.program("train", make_mesh(MeshConfig()))
    program.function.lower(*program.arguments)
    plan = packed.streams().plan()
    assert (program.clips, program.batch) == (round(sum(plan.clips_N)), 2)
    pictures, clips = plan.clips_N
    assert pictures == pytest.approx(8 * clips, rel=0.05)
    of_each = [step_flops(NETWORKS, (1, *shape, 4), 7) for shape in ((1, 2, 2), (2, 4, 4))]
    assert program.model_flops == pytest.approx(pictures * of_each[0] + clips * of_each[1])


def test_a_batch_that_cannot_be_divided_is_refused_as_in_a_run() -> None:
    mesh = make_mesh(MeshConfig(fsdp=8))
    with pytest.raises(ValueError, match="12 clips cannot be divided over data x fsdp = 8"):
        override(TINY, ["--data.1.batch-size", "12"]).program("train", mesh)


def test_a_vae_with_other_channels_is_refused() -> None:
    with pytest.raises(ValueError, match="make them equal"):
        override(TINY, ["--model.channels", "8"]).program("train", make_mesh(MeshConfig()))


@pytest.mark.parametrize(("name", "tokens"), [("wan_1_3b", 32_760), ("wan_14b", 75_600), ("wan_lora", 32_760)])
def test_experiments_have_the_shapes_of_wan(name: str, tokens: int) -> None:
    """1.3B has 1,418,996,800 parameters in its checkpoint; 60 seconds of 480p at 16 frames a second 375,960 tokens."""
    config = load_experiment(EXPERIMENTS / f"{name}.py")
    assert config.streams().largest() == (0, tokens)
    networks = Networks(config.vae_config, config.text, config.model)
    params = jax.eval_shape(lambda: init_params(networks, "", jax.random.key(0)))
    count = trees.count(params["dit"])
    assert 14.2e9 < count < 14.4e9 if name == "wan_14b" else count == 1_418_996_800
    minute = ["--data.0.scenes.frames", "961", "--data.0.scenes.width", "832", "--data.0.scenes.height", "480"]
    assert override(config, minute).streams().largest() == (0, 375_960)
