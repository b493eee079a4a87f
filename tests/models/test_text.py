# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Captions one after another in a row are read as each alone, and say the same to a transformer."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from vidgen.models.dit import DiT, DiTConfig
from vidgen.models.layers import apply
from vidgen.models.rows import Rows, apply_to_grid, apply_to_rows, lay_out
from vidgen.models.text import LabelConfig, TextConfig, places, starts, text_encoder
from vidgen.parallel import attention

SMALL = {"vocabulary": 16, "width": 8, "heads": 2, "hidden": 12, "dtype": "float32"}
CAPTIONS = ([3, 1, 4, 1, 5], [9, 2], [], [6, 5, 3])
"""Ids; the third is empty."""
FILL = 3
READERS = [
    TextConfig(**SMALL),
    TextConfig(**SMALL, start=False),
    TextConfig(**SMALL, start=False, padding_seen=True),
    LabelConfig(15, 8),
]


def row(config, padded: int = 0) -> tuple[jax.Array, jax.Array]:
    """Ids and owners of all captions in one row; each takes `padded` places, or as many as it has words, 1 at least."""
    ids, owners = [], []
    for number, caption in enumerate(CAPTIONS, 1):
        words = [*([0] * starts(config)), *(caption or [0])]
        words += [0] * (padded - len(words))
        ids, owners = [*ids, *words], [*owners, *[number] * len(words)]
    return jnp.array([[*ids, *[0] * FILL]]), jnp.array([[*owners, *[0] * FILL]])


@pytest.mark.parametrize("config", READERS, ids=["start", "plain", "padding seen", "labels"])
def test_packed_captions_are_read_as_each_alone(config) -> None:
    captions = [caption[:1] for caption in CAPTIONS] if isinstance(config, LabelConfig) else CAPTIONS
    padded = 7 if getattr(config, "padding_seen", False) else 0
    ids_BS, owners_BS = row(config, padded)
    encoder = text_encoder(config)
    params = encoder.init(jax.random.key(0), ids_BS)["params"]
    features, real = apply(encoder, params, ids_BS, owners_BS)
    assert features.shape[:2] == real.shape == ids_BS.shape and not real[owners_BS == 0].any()
    for number, caption in enumerate(captions, 1):
        alone = jnp.array([[*(caption or [0]), *[0] * (padded - max(len(caption), 1))]])
        told, said = apply(encoder, params, alone)
        mine = owners_BS[0] == number
        length = min(told.shape[1], int(mine.sum()))  # of a label, the words behind the first are other labels
        np.testing.assert_array_equal(real[0][mine][:length], said[0][:length])
        np.testing.assert_allclose(features[0][mine][:length], told[0][:length], atol=1e-5)


def test_places_count_from_the_start_of_each_caption() -> None:
    found = places(jnp.array([[1, 1, 1, 2, 3, 3, 0, 0], [1, 2, 2, 2, 2, 0, 0, 0]]))
    assert found.tolist() == [[0, 1, 2, 0, 0, 1, 0, 1], [0, 0, 1, 2, 3, 0, 1, 2]]


def test_clips_whose_captions_are_packed_have_the_gradient_that_they_have_alone() -> None:
    """Of the text encoder too; the second clip is in the row twice, once with the empty caption."""
    text = READERS[0]
    config = DiTConfig(
        channels=3, width=24, layers=2, heads=2, hidden=32, text_width=8, time_width=16, pooled_text=True,
        dtype="float32",
    )  # fmt: skip
    dit, encoder = DiT(config, functools.partial(attention.dense, dtype="float32")), text_encoder(text)
    sizes = ((3, 4, 4), (1, 6, 2), (1, 6, 2), (2, 2, 8))
    clips = [jax.random.normal(jax.random.key(min(i, 3 - i)), (1, *size, 3)) for i, size in enumerate(sizes)]
    alone = [lay_out(clip, config.patch) for clip in clips]
    joined = [jnp.concatenate([rows[i] for rows in alone], axis=1) for i in range(3)]
    owners = [jnp.full(rows.tokens_BLP.shape[:2], number) for number, rows in enumerate(alone, 1)]
    rows, times = Rows(*joined, jnp.concatenate(owners, axis=1)), jnp.array([[0.2, 0.9, 0.9, 0.5]])
    ids_BS, owners_BS = row(text)
    weights_BL = rows.owned(jnp.array([[1.0, 2.0, 3.0, 5.0]]))

    def packed(params: dict) -> jax.Array:
        features, real = apply(encoder, params["text"], ids_BS, owners_BS)
        says = apply_to_rows(
            dit, params["dit"], rows, times, features[:, None], real[:, None], of_text_BS=owners_BS - 1
        )
        return (weights_BL * jnp.square(says.velocity_BLP - rows.tokens_BLP).sum(-1)).sum()

    def apart(params: dict) -> jax.Array:
        loss = jnp.float32(0)
        for i, (clip, caption, weight) in enumerate(zip(clips, CAPTIONS, (1, 2, 3, 5), strict=True)):
            told = apply(encoder, params["text"], jnp.array([caption or [0]]))
            features, real = (x[:, None] for x in told)
            velocity = apply_to_grid(dit, params["dit"], clip, times[:, i], features, real)
            loss += weight * jnp.square(velocity - clip).sum()
        return loss

    features, real = encoder.init_with_output(jax.random.key(1), ids_BS)[0]
    shapes = jax.eval_shape(
        dit.init, jax.random.key(0), *rows[:3], times, rows.segments_BL, features, real
    )["params"]  # fmt: skip
    rng = np.random.default_rng(3)
    params = {
        "text": encoder.init(jax.random.key(1), ids_BS)["params"],
        "dit": jax.tree.map(lambda leaf: jnp.asarray(0.3 * rng.normal(size=leaf.shape), jnp.float32), shapes),
    }
    (ours, our_gradient), (theirs, their_gradient) = (jax.jit(jax.value_and_grad(f))(params) for f in (packed, apart))
    np.testing.assert_allclose(ours, theirs, rtol=1e-5)
    for a, b in zip(jax.tree.leaves(our_gradient), jax.tree.leaves(their_gradient), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-5 * float(jnp.abs(b).max()))
    assert any(float(jnp.abs(leaf).max()) > 0.01 for leaf in jax.tree.leaves(our_gradient["text"]))
