# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The sampler made of shapes is the sampler that makes clips, on one device and on a mesh."""

from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.sharding import NamedSharding, PartitionSpec

from vidgen import trees
from vidgen.config import load_experiment
from vidgen.data.tokenizer import load_tokenizer
from vidgen.models.vae import VAE
from vidgen.parallel.mesh import MeshConfig, make_mesh
from vidgen.sample import pipeline, program
from vidgen.sample.autoencoder import identity_space
from vidgen.train.dit import init_params

TINY = load_experiment(Path(__file__).parents[1] / "train" / "tiny_dit.py")
NETWORKS = program.Networks(TINY.vae_config, TINY.text, TINY.model)


@pytest.fixture(scope="module")
def params() -> dict:
    video = jnp.zeros((1, 5, 16, 16, 3))
    vae = VAE(NETWORKS.vae).init(jax.random.key(0), video, jax.random.key(1))["params"]
    params = {**init_params(NETWORKS, "", jax.random.key(2)), "vae": vae}
    # The output layer starts at zero, which would hide everything before it.
    params["dit"]["out"]["kernel"] = jax.random.normal(jax.random.key(3), params["dit"]["out"]["kernel"].shape)
    return params


def generate(params: dict, mesh) -> np.ndarray:
    one = pipeline.Pipeline(NETWORKS, params, identity_space(4), load_tokenizer(), 7, mesh=mesh)
    return one.generate(["a dog", "a cat"], frames=5, width=32, height=32, steps=3, solver="euler")


def test_the_program_of_shapes_is_the_one_that_generate_calls(params, monkeypatch) -> None:
    mesh = make_mesh(MeshConfig())
    program = TINY.program("sample", mesh, clips=2)
    texts: list[str] = []
    with monkeypatch.context() as patched:
        patched.setattr(pipeline, "text_to_video", Recorder(pipeline.text_to_video, mesh, texts))
        generate(params, mesh)
    with jax.set_mesh(mesh):
        assert program.function.lower(*program.arguments).as_text() == texts[0]


class Recorder:
    """Lowers a program in place of running it, with its arrays put where the sampler's shapes say they are."""

    def __init__(self, program, mesh, texts: list[str]) -> None:
        self.program, self.whole, self.texts = program, NamedSharding(mesh, PartitionSpec()), texts

    def __call__(self, *arguments) -> np.ndarray:
        static, arrays = arguments[:5], arguments[5:]
        self.texts.append(self.program.lower(*static, *jax.device_put(arrays, self.whole)).as_text())
        return np.zeros((2, 8, 32, 32, 3), np.uint8)


def test_a_mesh_makes_the_clips_of_one_device(params) -> None:
    alone = generate(params, None).astype(int)
    divided = generate(params, make_mesh(MeshConfig(data=2, sequence=2, tensor=2))).astype(int)
    assert alone.std() > 5
    assert np.abs(divided - alone).mean() < 1


def test_what_is_counted(params) -> None:
    program = TINY.program("sample", make_mesh(MeshConfig()), clips=2)
    assert program.parameters == {name: trees.count(params[name]) for name in ("dit", "text", "vae")}
    assert (program.clips, program.frames, program.tokens, program.evaluations) == (2, 5, 32, 3)
    cfg = NETWORKS.dit
    # Attention and MLPs of both halves of guidance in every step, at least.
    token = 2 * cfg.layers * (4 * cfg.width**2 + 2 * cfg.width * cfg.hidden + 2 * cfg.width * 32)
    assert 3 * 4 * 32 * token < program.model_flops < 2 * 3 * 4 * 32 * token
