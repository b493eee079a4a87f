# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Wan's VAE in one pass says what diffusers says in pieces: golden/make_wan_vae.py made what is compared."""

import dataclasses
import functools
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from vidgen.models.layers import apply
from vidgen.models.wan_vae import WanVAE, WanVAEConfig, in_pieces
from vidgen.parallel.mesh import MeshConfig, make_mesh
from vidgen.parallel.shard import parameter_shardings
from vidgen.sample.autoencoder import decode_groups
from vidgen.sample.decoding import decode_on
from vidgen.weights import keymap
from vidgen.weights.files import Weights
from vidgen.weights.public import wan

GOLDEN = Path(__file__).parents[1] / "golden"
SHAPES = {
    "plain": {"base": 4, "multipliers": (1, 2, 4, 4), "channels": 3, "blocks": 1},
    "odd": {"base": 6, "multipliers": (1, 1, 2), "channels": 2, "halve_time": (True, False)},
    "picture": {"base": 4, "multipliers": (1, 2, 2), "channels": 4, "blocks": 1, "halve_time": (True, True)},
}


def shapes(config: WanVAEConfig) -> dict:
    key = jax.eval_shape(lambda: jax.random.key(0))
    p, q, r = config.patch
    return jax.eval_shape(WanVAE(config).init, key, jax.ShapeDtypeStruct((1, 1 + p, q, r, 3), jnp.float32))["params"]


@pytest.fixture(params=SHAPES)
def vae(request, tmp_path):
    """(VAE, what is in the golden file, parameters)."""
    golden = load_file(GOLDEN / f"wan_vae_{request.param}.safetensors")
    mean, deviation = (tuple(golden[f"inputs/{name}"].tolist()) for name in ("mean", "deviation"))
    config = WanVAEConfig(**SHAPES[request.param], mean=mean, deviation=deviation, dtype="float32")
    weights = {key.removeprefix("weights/"): value for key, value in golden.items() if key.startswith("weights/")}
    save_file(weights, tmp_path / "model.safetensors")
    return WanVAE(config), golden, keymap.load(Weights(tmp_path / "model.safetensors"), wan.vae(config), shapes(config))


def last(x: np.ndarray) -> np.ndarray:
    return x.transpose(0, 2, 3, 4, 1)


def difference(ours: np.ndarray, theirs: np.ndarray) -> float:
    assert ours.shape == theirs.shape
    return float(np.abs(ours - theirs).max() / np.abs(theirs).max())


def test_latents_are_the_same(vae) -> None:
    model, golden, params = vae
    ours = apply(model, params, last(golden["inputs/video"]), method=WanVAE.encode)
    theirs = (last(golden["outputs/z"]) - golden["inputs/mean"]) / golden["inputs/deviation"]
    assert difference(ours, theirs) < 2e-5


@pytest.mark.parametrize(("given", "said"), [(1.0, "outputs/video"), (3.0, "outputs/loud")])
def test_pixels_are_the_same(vae, given: float, said: str) -> None:
    model, golden, params = vae
    z = (given * last(golden["outputs/z"]) - golden["inputs/mean"]) / golden["inputs/deviation"]
    ours = apply(model, params, z, method=WanVAE.decode)
    assert difference(ours, last(golden[said])) < 2e-5 and np.abs(ours).max() <= 1


def pieces_of(model: WanVAE, params: dict, method, x: np.ndarray, size: int) -> np.ndarray:
    def piece(part, past, first):
        made, kept = model.apply({"params": params, "past": past}, part, first, method=method, mutable=["past"])
        return made, dict(kept["past"])

    return np.asarray(in_pieces(piece, x, size))


@pytest.mark.parametrize(("T", "size"), [(6, 2), (5, 2)])
def test_pieces_are_those_of_the_whole(vae, T: int, size: int) -> None:
    """Whether or not pieces divide what follows the first frame; the golden clips are too short for three of them."""
    model, _, params = vae
    p, q, r = model.config.patch
    rng = np.random.default_rng(T + size)
    video = rng.uniform(-1, 1, (2, 1 + p * (T - 1), 2 * q, r, 3)).astype(np.float32)
    whole = np.asarray(apply(model, params, video, method=WanVAE.encode))
    assert difference(pieces_of(model, params, WanVAE.encode, video, p * size), whole) < 1e-5
    latent = rng.normal(size=whole.shape).astype(np.float32)
    pixels = np.asarray(apply(model, params, latent, method=WanVAE.decode))
    assert difference(pieces_of(model, params, WanVAE.decode, latent, size), pixels) < 1e-5
    # What a piece keeps matters: without it the pixels after the first piece are others.
    alone = np.asarray(apply(model, params, latent[:, -1:], method=WanVAE.decode))
    assert difference(alone[:, -1:], pixels[:, -1:]) > 1e-2


def test_long_clips_need_memory_for_a_piece() -> None:
    config = WanVAEConfig(base=4, channels=2, blocks=1, mean=(0, 0), deviation=(1, 1))

    def needed(T: int) -> int:
        latent = jax.ShapeDtypeStruct((1, T, 8, 8, 2), jnp.float32)
        memory = jax.jit(functools.partial(decode_groups, config)).lower(shapes(config), latent).compile()
        pixels = (1 + 4 * (T - 1)) * 64 * 64 * 3
        return memory.memory_analysis().temp_size_in_bytes - 3 * pixels - 4 * T * 8 * 8 * 2

    assert needed(65) < 1.2 * needed(9)


@pytest.mark.parametrize("vae", ["plain"], indirect=True)
def test_eight_devices_make_the_same_pixels(vae) -> None:
    """Beyond the half step that rounding to 256 of them costs."""
    model, golden, params = vae
    mesh = make_mesh(MeshConfig(fsdp=2, sequence=2, tensor=2))
    placed = jax.device_put(params, parameter_shardings(params, mesh))
    z = (last(golden["outputs/z"]) - golden["inputs/mean"]) / golden["inputs/deviation"]
    with jax.set_mesh(mesh):
        made = np.asarray(jax.jit(lambda params, z: decode_on(mesh, model.config, params, z))(placed, z))
    theirs = np.clip(last(golden["outputs/video"]), -1, 1)
    assert made.dtype == np.uint8 and made.std() > 5
    assert np.abs(made / 127.5 - 1 - theirs).max() < 0.5 / 127.5 + 2e-5


def test_nothing_later_in_time_is_seen(vae) -> None:
    model, golden, params = vae
    video = last(golden["inputs/video"])
    video = np.concatenate([video, video[:, -1:].repeat(model.config.patch[0], axis=1)], axis=1)
    changed = video.copy()
    changed[:, -1] += 1
    one, other = (np.asarray(apply(model, params, x, method=WanVAE.encode)) for x in (video, changed))
    np.testing.assert_array_equal(one[:, :-1], other[:, :-1])
    assert (one[:, -1] != other[:, -1]).any()


def test_what_is_exported_has_the_same_bytes(vae, tmp_path) -> None:
    model, golden, params = vae
    keymap.save(tmp_path / "out", params, wan.vae(model.config))
    again = Weights(tmp_path / "out")
    assert len(again.tensors) == sum(key.startswith("weights/") for key in golden)
    for key in again.tensors:
        assert again.read(key).tobytes() == golden[f"weights/{key}"].tobytes()


def test_the_full_size_is_accounted_for() -> None:
    wanted = keymap.places(wan.vae(WanVAEConfig()), shapes(WanVAEConfig()))
    assert sum(int(np.prod(place.shape)) for place in wanted.values()) == 126_892_531
    assert wanted["decoder.up_blocks.1.resnets.0.conv_shortcut.weight"].shape == (384, 192, 1, 1, 1)
    assert wanted["encoder.down_blocks.5.time_conv.weight"].shape == (192, 192, 3, 1, 1)
    assert WanVAEConfig().patch == (4, 8, 8)


@pytest.mark.parametrize("shape", [(1, 4, 8, 8, 3), (1, 5, 12, 8, 3)])
def test_videos_that_do_not_fit_are_refused(shape) -> None:
    config = WanVAEConfig(base=4, channels=2, blocks=1, mean=(0, 0), deviation=(1, 1))
    with pytest.raises(ValueError, match="it must have 1"):
        jax.eval_shape(WanVAE(config).init, jax.random.key(0), jax.ShapeDtypeStruct(shape, jnp.float32))
    with pytest.raises(ValueError, match="4 stages have 3 steps"):
        dataclasses.replace(config, halve_time=(True,))
