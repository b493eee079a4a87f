# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""A captioner reads any clips, says the same on one device and on eight, and comes back as it was written."""

import dataclasses

import jax
import numpy as np
import pytest

from vidgen.parallel.mesh import MeshConfig, make_mesh
from vidgen.sample.captioner import CARD, WEIGHTS, TrainedCaptioner, load_captioner
from vidgen.weights import packed


@pytest.fixture(scope="module")
def clips() -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    colors = rng.integers(0, 2, (5, 1, 2, 1, 3)) * 255  # an upper and a lower half
    halves = [np.repeat(np.repeat(color, 8, axis=1), 16, axis=2) for color in colors]
    return [np.repeat(half, frames, 0).astype(np.uint8) for half, frames in zip(halves, (3, 1, 3, 3, 3), strict=True)]


def test_texts_do_not_depend_on_what_is_read_beside_a_clip(captioner: TrainedCaptioner, clips: list) -> None:
    together = captioner.captions(clips, batch=8)
    assert [captioner.captions([clip], batch=8)[0] for clip in clips] == together
    assert len(set(together)) > 1
    with pytest.raises(ValueError, match="style 'long'"):
        captioner.captions(clips, "long")


def test_eight_devices_say_what_one_says(captioner: TrainedCaptioner, clips: list) -> None:
    mesh = make_mesh(MeshConfig(data=8), jax.devices()[:8])
    spread = dataclasses.replace(captioner, mesh=mesh)
    assert spread.captions(clips, batch=8) == captioner.captions(clips, batch=8)


def test_draws_depend_on_the_seed(captioner: TrainedCaptioner) -> None:
    how = captioner.decoding(temperature=1.0)
    one, again, other = (captioner.expand(["a dog"] * 4, how, seed, batch=4) for seed in (1, 1, 2))
    assert one == again != other
    assert len(set(one)) > 1
    begun = captioner.expand(["a dog"] * 4, how, 1, ["A dog runs"] * 4, batch=4)
    assert all(text.startswith("a dog runs") for text in begun)


def test_a_saved_captioner_comes_back(captioner: TrainedCaptioner, clips: list, tmp_path) -> None:
    captioner.save(tmp_path)
    back = load_captioner(tmp_path)
    assert (back.hash(), back.card, back.config) == (captioner.hash(), captioner.card, captioner.config)
    changed = {
        **captioner.params,
        "words": {**captioner.params["words"], "start": captioner.params["words"]["start"] * 2},
    }
    assert dataclasses.replace(captioner, params=changed).hash() != captioner.hash()
    (tmp_path / CARD).write_text("{")
    with pytest.raises(ValueError, match="is not JSON"):
        load_captioner(tmp_path)
    (tmp_path / WEIGHTS).unlink()
    with pytest.raises(FileNotFoundError, match=rf"missing: {WEIGHTS}"):
        load_captioner(tmp_path)


def test_eight_bits_are_near_and_four_times_smaller(captioner: TrainedCaptioner, tmp_path) -> None:
    captioner.save(tmp_path / "whole")
    captioner.save(tmp_path / "small", small=True)
    sizes = [(tmp_path / name / WEIGHTS).stat().st_size for name in ("whole", "small")]
    assert sizes[1] < 0.33 * sizes[0]
    table = np.asarray(captioner.params["words"]["embedding"])
    back = load_captioner(tmp_path / "small").params["words"]["embedding"]
    step = np.abs(table).max(axis=0) / 127
    assert np.all(np.abs(back - table) <= 0.51 * step + 1e-3 * np.abs(table))


def test_packing_keeps_small_arrays_and_zeros() -> None:
    tree = {"a": {"kernel": np.zeros((64, 64), np.float32)}, "b": np.arange(3.0)}
    stored = packed.pack(tree)
    assert stored["a"]["kernel"]["int8"].dtype == np.int8
    back = packed.unpack(stored)
    np.testing.assert_array_equal(back["a"]["kernel"], 0)
    np.testing.assert_array_equal(back["b"], tree["b"])
