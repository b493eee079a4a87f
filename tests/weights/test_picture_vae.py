# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The VAE of latent diffusion says what diffusers says: golden/make_picture_vae.py made what is compared."""

from pathlib import Path

import jax
import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from vidgen.models.layers import apply
from vidgen.models.picture_vae import PictureVAE, PictureVAEConfig
from vidgen.sample.autoencoder import vae_shapes
from vidgen.weights import keymap
from vidgen.weights.files import Weights
from vidgen.weights.public import picture_vae

GOLDEN = Path(__file__).parents[1] / "golden"
CONFIGS = {
    "plain": PictureVAEConfig((4, 8, 8), 4, 2, 4, dtype="float32"),
    "odd": PictureVAEConfig((6, 12), 3, 1, 3, dtype="float32"),
}


@pytest.fixture(params=CONFIGS)
def vae(request, tmp_path):
    """(VAE, what is in the golden file, parameters)."""
    golden, config = load_file(GOLDEN / f"picture_vae_{request.param}.safetensors"), CONFIGS[request.param]
    weights = {key.removeprefix("weights/"): value for key, value in golden.items() if key.startswith("weights/")}
    save_file(weights, tmp_path / "model.safetensors")
    params = keymap.load(Weights(tmp_path), picture_vae.vae(config), vae_shapes(config))
    return PictureVAE(config), golden, params


def last(x: np.ndarray) -> np.ndarray:
    """[B, C, H, W] as clips of one frame."""
    return x.transpose(0, 2, 3, 1)[:, None]


def difference(ours: np.ndarray, theirs: np.ndarray) -> float:
    assert ours.shape == theirs.shape
    return float(np.abs(ours - theirs).max() / np.abs(theirs).max())


def test_latents_and_pixels_are_the_same(vae) -> None:
    model, golden, params = vae

    @jax.jit
    def run(params: dict, pictures: np.ndarray, z: np.ndarray) -> tuple[jax.Array, jax.Array]:
        encoded = apply(model, params, pictures, method=PictureVAE.encode)
        return encoded, apply(model, params, z * 0.18215, method=PictureVAE.decode)

    z = last(golden["outputs/z"])
    encoded, decoded = run(params, last(golden["inputs/pictures"]), z)
    assert difference(encoded, 0.18215 * z) < 2e-5
    shown = last(golden["outputs/pictures"])
    assert np.abs(shown).max() > 1  # what is cut off is cut off
    assert difference(decoded, np.clip(shown, -1, 1)) < 2e-5


def test_what_is_exported_has_the_same_bytes(vae, tmp_path) -> None:
    """Under the names of before, too."""
    model, golden, params = vae
    old = {"to_q": "query", "to_k": "key", "to_v": "value", "to_out.0": "proj_attn"}
    for old_names in (False, True):
        folder = tmp_path / str(old_names)
        keymap.save(folder, params, picture_vae.vae(model.config, old_names))
        again = Weights(folder)
        assert picture_vae.has_old_names(again.tensors) == old_names
        assert len(again.tensors) == sum(key.startswith("weights/") for key in golden)
        for name, value in golden.items():
            if name.startswith("weights/"):
                name = name.removeprefix("weights/")
                for new, before in old.items():
                    name = name.replace(f"attentions.0.{new}.", f"attentions.0.{before}.") if old_names else name
                assert again.read(name).tobytes() == value.tobytes()


def test_the_full_size_is_accounted_for() -> None:
    wanted = keymap.places(picture_vae.vae(PictureVAEConfig()), vae_shapes(PictureVAEConfig()))
    assert sum(int(np.prod(place.shape)) for place in wanted.values()) == 83_653_863
    assert wanted["decoder.up_blocks.2.resnets.0.conv_shortcut.weight"].shape == (256, 512, 1, 1)
    assert PictureVAEConfig().patch == (1, 8, 8)
    with pytest.raises(ValueError, match="sides that divide by 8"):
        PictureVAEConfig().latent_shape(1, 12, 8)
    with pytest.raises(ValueError, match="cannot be divided into 3 groups"):
        PictureVAEConfig(groups=3)
