# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Time a token, scan and remat, rotary positions, and clips packed in one row."""

import dataclasses
import functools
import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from vidgen.models import rope
from vidgen.models.dit import DiT, DiTConfig, cut_patches
from vidgen.models.estimate import linear_velocity
from vidgen.models.layers import apply, unpatchify
from vidgen.models.rows import lay_out
from vidgen.models.text import TextConfig, TextEncoder, nearby_bias, relative_buckets
from vidgen.parallel import attention

CONFIG = DiTConfig(
    channels=3, width=24, layers=3, heads=2, hidden=32, text_width=8, time_width=16, pooled_text=True, dtype="float32"
)
DENSE = functools.partial(attention.dense, dtype="float32")
B, T, H, W = 2, 3, 4, 4
X = jax.random.normal(jax.random.key(1), (B, T, H, W, 3))
FRAME_IDS = jnp.broadcast_to(jnp.repeat(jnp.arange(T), 4), (B, 12))  # a time for each frame of 2 x 2 tokens
TEXT = jax.random.normal(jax.random.key(2), (B, 5, 8))
REAL = jnp.array([[True] * 5, [True, True, False, False, False]])


def random_like(shapes: dict) -> dict:
    """Random values everywhere: zero-initialised layers would hide what they are fed."""
    rng = np.random.default_rng(3)
    return jax.tree.map(lambda leaf: jnp.asarray(0.3 * rng.normal(size=leaf.shape), jnp.float32), shapes)


def random_params(config: DiTConfig) -> dict:
    model = DiT(config, DENSE)
    tokens, positions = jnp.zeros((1, 4, 12)), jnp.zeros((1, 4, 3), jnp.int32)
    shapes = jax.eval_shape(
        model.init,
        jax.random.key(0),
        tokens,
        positions,
        positions + 1,
        jnp.zeros((1, 1)),
        positions[..., 0],
        TEXT[:1],
        REAL[:1],
    )["params"]
    return random_like(shapes)


PARAMS = random_params(CONFIG)


@functools.partial(jax.jit, static_argnums=0)
def on_grid(config: DiTConfig, params: dict, t_BT: jax.Array, text: jax.Array) -> jax.Array:
    v = apply(DiT(config, DENSE), params, *lay_out(X, config.patch)[:3], t_BT, FRAME_IDS, text, REAL).velocity_BLP
    return unpatchify(v.reshape(B, T, 2, 2, -1), config.patch)


@functools.partial(jax.jit, static_argnums=0)
def on_tokens(config: DiTConfig, params: dict, *arguments: jax.Array) -> jax.Array:
    return apply(DiT(config, DENSE), params, *arguments).velocity_BLP


@functools.cache
def gradient(**how: str | int) -> dict:
    config, t_BT = dataclasses.replace(CONFIG, **how), jnp.full((B, T), 0.5)
    return jax.jit(jax.grad(lambda params: jnp.sum(on_grid(config, params, t_BT, TEXT) ** 2)))(PARAMS)


def velocity(t_BT: jax.Array, text: jax.Array = TEXT) -> jax.Array:
    return on_grid(CONFIG, PARAMS, t_BT, text)


def test_every_frame_has_its_own_time() -> None:
    """Frames of one time need that time's modulation alone; another time in one frame changes what it does there."""
    same = velocity(jnp.full((B, T), 0.7))
    one_time = _with_one_time(0.7)
    np.testing.assert_allclose(same, one_time, atol=1e-5)
    given = velocity(jnp.array([[0.0, 0.7, 0.7]] * B))
    change = jnp.abs(given - same).mean(axis=(0, 2, 3, 4))
    assert change[0] > 3 * change[1]  # its own modulation changed; the others only hear of it through attention
    assert change[1] > 0


def _with_one_time(t: float) -> jax.Array:
    zeros = jnp.zeros((B, 12), jnp.int32)
    out = on_tokens(CONFIG, PARAMS, *lay_out(X, CONFIG.patch)[:3], jnp.full((B, 1), t), zeros, TEXT, REAL)
    return unpatchify(out.reshape(B, T, 2, 2, -1), CONFIG.patch)


def test_padding_of_text_is_never_seen() -> None:
    t = jnp.full((B, T), 0.5)
    changed = velocity(t, text=TEXT.at[1, 2:].add(7.0))
    np.testing.assert_allclose(changed, velocity(t), atol=1e-6)
    assert jnp.abs(velocity(t, text=TEXT.at[1, 1].add(7.0)) - changed)[1].max() > 1e-3


@pytest.mark.parametrize(
    "how", [{"remat": "dots"}, {"remat": "attention"}, {"remat": "full"}, {"unroll": 3}], ids="-".join
)
def test_neither_remat_nor_unrolling_changes_values_or_gradients(how: dict) -> None:
    for a, b in zip(jax.tree.leaves(gradient()), jax.tree.leaves(gradient(**how)), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-3)


def test_scan_is_a_loop_over_the_layers() -> None:
    """Layers that the scan should visit in turn: dropping the last one equals a shorter scan."""
    short = dataclasses.replace(CONFIG, layers=2)
    cut = {**PARAMS, "blocks": jax.tree.map(lambda p: p[:2], PARAMS["blocks"])}
    silent = jax.tree.map(lambda p: p, PARAMS["blocks"])
    silent["modulation"] = silent["modulation"].at[2].set(0.0)
    silent["self"]["out"] = jax.tree.map(lambda p: p.at[2].set(0.0), silent["self"]["out"])
    silent["cross"]["out"] = jax.tree.map(lambda p: p.at[2].set(0.0), silent["cross"]["out"])
    silent["down"] = jax.tree.map(lambda p: p.at[2].set(0.0), silent["down"])
    t = jnp.full((B, T), 0.5)
    expected = on_grid(short, cut, t, TEXT)
    got = on_grid(CONFIG, {**PARAMS, "blocks": silent}, t, TEXT)
    np.testing.assert_allclose(got, expected, atol=1e-5)


def test_as_many_blocks_as_asked_for_are_a_turn_of_the_loop() -> None:
    def loops(unroll: int) -> bool:
        config = dataclasses.replace(CONFIG, unroll=unroll)
        return "while(" in on_grid.lower(config, PARAMS, jnp.full((B, T), 0.5), TEXT).compile().as_text()

    assert loops(1) and not loops(3)
    with pytest.raises(ValueError, match="must divide the 3 layers"):
        dataclasses.replace(CONFIG, unroll=2)


def test_pooled_text_reaches_every_token_without_cross_attention() -> None:
    cross = PARAMS["blocks"]["cross"]
    deaf = {**PARAMS["blocks"], "cross": {**cross, "out": jax.tree.map(jnp.zeros_like, cross["out"])}}

    def change(config: DiTConfig, params: dict) -> jax.Array:
        answers = [on_grid(config, params, jnp.full((B, T), 0.5), text) for text in (TEXT, TEXT[::-1])]
        return jnp.abs(answers[0] - answers[1]).max(axis=-1)

    without = {name: value for name, value in PARAMS.items() if name != "pooled_text"}
    assert change(CONFIG, {**PARAMS, "blocks": deaf}).min() > 1e-3
    assert change(dataclasses.replace(CONFIG, pooled_text=False), {**without, "blocks": deaf}).max() == 0.0


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_tokens_know_where_and_when_they_are(axis: int) -> None:
    """A clip whose tokens all lie one step further on an axis is another clip; rotary positions alone cannot tell."""
    positions = jnp.broadcast_to(rope.grid_positions(2, 2, 2), (1, 8, 3))
    tokens, extent = jax.random.normal(jax.random.key(4), (1, 8, 12)), jnp.full((1, 8, 3), 3)
    zeros = jnp.zeros((1, 8), jnp.int32)

    def moves(config: DiTConfig, params: dict) -> float:
        a, b = (
            on_tokens(config, params, tokens, at, extent, jnp.full((1, 1), 0.5), zeros, TEXT[:1], REAL[:1])
            for at in (positions, positions.at[..., axis].add(1))
        )
        return float(jnp.abs(a - b).max())

    without = {name: value for name, value in PARAMS.items() if name != "coordinates"}
    assert moves(CONFIG, PARAMS) > 1e-2
    assert moves(dataclasses.replace(CONFIG, coordinates=False), without) < 1e-4


def test_the_linear_estimate_is_the_best_one() -> None:
    """Against least squares on samples: its slope, and the deviation of what it leaves over."""
    unit, noise = np.random.default_rng(0).normal(size=(2, 100_000))
    for t, deviation in itertools.product((0.0, 0.2, 0.5, 0.9, 1.0), (1.0, 0.3, 3.0)):
        x0 = deviation * unit
        x, v = (1 - t) * x0 + t * noise, noise - x0
        slope, scale, rest = linear_velocity(jnp.float32(t), deviation)
        np.testing.assert_allclose(slope, (x @ v) / (x @ x), atol=0.02)
        np.testing.assert_allclose(rest, np.std(v - slope * x), rtol=0.02)
        np.testing.assert_allclose(scale * np.std(x), 1.0, rtol=0.02)


def test_rotary_scores_depend_on_differences_alone() -> None:
    q, k = jax.random.normal(jax.random.key(0), (2, 1, 1, 1, 64))
    at = lambda *p: rope.angles(jnp.array([[p]]), 64)  # noqa: E731
    score = lambda p, r: jnp.sum(rope.rotate(q, at(*p)) * rope.rotate(k, at(*r)))  # noqa: E731
    np.testing.assert_allclose(score((1, 2, 3), (4, 4, 1)), score((6, 0, 9), (9, 2, 7)), rtol=1e-4)
    for other in ((5, 4, 1), (4, 5, 1), (4, 4, 2)):
        assert abs(score((1, 2, 3), (4, 4, 1)) - score((1, 2, 3), other)) > 1e-3
    assert rope.axis_widths(128) == (44, 42, 42)


def test_features_are_those_of_the_block_that_is_read() -> None:
    """They do not depend on later blocks, do on their own, and reading them leaves the velocity as it is."""
    t_BT = jnp.full((B, T), 0.7)

    @functools.partial(jax.jit, static_argnums=0)
    def read(block: int, params: dict) -> tuple:
        model = DiT(CONFIG, DENSE, read_block=block)
        return apply(model, params, *lay_out(X, CONFIG.patch)[:3], t_BT, FRAME_IDS, TEXT, REAL)

    def changed_from(layer: int) -> dict:
        return {**PARAMS, "blocks": jax.tree.map(lambda x: x.at[layer:].multiply(1.5), PARAMS["blocks"])}

    velocity_, features, _ = read(2, PARAMS)
    assert features.shape == (B, 12, CONFIG.width)
    alone = unpatchify(velocity_.reshape(B, T, 2, 2, -1), CONFIG.patch)
    np.testing.assert_allclose(alone, velocity(t_BT), atol=1e-5)
    np.testing.assert_array_equal(read(2, changed_from(2)).features_BLD, features)
    assert jnp.abs(read(2, changed_from(1)).features_BLD - features).max() > 1e-2
    assert jnp.abs(read(3, PARAMS).features_BLD - features).max() > 1e-2


def test_small_tokens_start_as_parts_of_large_ones() -> None:
    """Where the parts of a token are alike, the first layer says the same; the last says the mean of the parts."""
    C, D, P = CONFIG.channels, CONFIG.width, PARAMS["out"]["bias"].size
    small = cut_patches(PARAMS, (1, 2, 2), (1, 1, 1), C)
    rng = np.random.default_rng(0)
    cell_C, x_D = rng.normal(size=C), rng.normal(size=D)
    np.testing.assert_allclose(
        cell_C @ small["patch_embedding"]["kernel"],
        np.tile(cell_C, P // C) @ PARAMS["patch_embedding"]["kernel"],
        rtol=1e-4,
    )
    said_P = x_D @ PARAMS["out"]["kernel"] + PARAMS["out"]["bias"]
    mean_C = said_P.reshape(2, 2, C).mean((0, 1))
    np.testing.assert_allclose(x_D @ small["out"]["kernel"] + small["out"]["bias"], mean_C, rtol=1e-4, atol=1e-5)
    # Parts of (1, 2, 2) in (1, 4, 2): what is kept is in the order (t, h, w, c) of a patch.
    tall = {
        "patch_embedding": {"kernel": np.arange(8.0 * C)[:, None]},
        "out": {"kernel": np.zeros((1, 8 * C)), "bias": np.arange(8.0 * C)},
    }
    bias = cut_patches(tall, (1, 4, 2), (1, 2, 2), C)["out"]["bias"].reshape(2, 2, C)
    np.testing.assert_allclose(bias, np.arange(8.0 * C).reshape(2, 2, 2, C).mean(0))
    assert small["blocks"] is PARAMS["blocks"]
    with pytest.raises(ValueError, match="every side must divide"):
        cut_patches(PARAMS, (1, 2, 2), (1, 3, 1), C)


def test_text_encoder_ignores_padding_and_knows_order() -> None:
    config = TextConfig(vocabulary=20, width=16, layers=2, heads=2, hidden=16, dtype="float32")
    encoder = TextEncoder(config)
    params = random_like(jax.eval_shape(encoder.init, jax.random.key(0), jnp.zeros((1, 3), jnp.int32)))
    encode = jax.jit(encoder.apply)
    run = lambda ids: encode(params, jnp.array([ids]))  # noqa: E731
    (short, real), (long, real_long) = run([5, 7]), run([5, 7, 0, 0])
    np.testing.assert_allclose(long[:, :3], short, atol=1e-5)
    assert jnp.all(long[:, 3:] == 0)
    assert real.tolist() == [[True] * 3] and real_long.tolist() == [[True] * 3 + [False] * 2]
    swapped, _ = run([7, 5])
    assert jnp.abs(swapped[:, 0] - short[:, 0]).max() > 1e-3  # without positions the start token could not tell


def test_an_untrained_text_encoder_reads_in_order() -> None:
    """What a word becomes depends on its neighbours from the start: "a b c d" and "c b a d" differ at b and d."""
    encoder = TextEncoder(TextConfig(vocabulary=20, width=32, layers=1, heads=4, hidden=16, dtype="float32"))
    ids = jnp.array([[3, 4, 5, 6], [5, 4, 3, 6]])
    params = encoder.init(jax.random.key(0), ids)
    features, _ = encoder.apply(params, ids)
    change = np.linalg.norm(features[0] - features[1], axis=-1) / np.linalg.norm(features[0], axis=-1)
    assert change[2] > 0.1 and change[4] > 0.02  # after the start token


def test_heads_look_to_one_side_and_near() -> None:
    table = np.asarray(nearby_bias(128)(jax.random.key(0), (32, 4)))
    after, before = table[18], table[2]  # two words later, two words earlier
    assert after[0] > before[0] + 3 and before[1] > after[1] + 3
    assert table[2, 1] > table[6, 1] + 3 and abs(table[2, 3] - table[6, 3]) < 1.5
    assert np.all(np.diff(table[1:16, 1]) < 0)


def test_relative_buckets_are_those_of_t5() -> None:
    buckets = np.asarray(relative_buckets(200, 32, 128))
    assert buckets[10, 10] == 0
    assert buckets[10, 9] == 1 and buckets[10, 11] == 17
    assert buckets[10, 3] == 7 and buckets[20, 12] == 8
    assert buckets[199, 0] == 15 and buckets[0, 199] == 31
    assert np.all(np.diff(buckets[0]) >= 0 - 16) and buckets.max() == 31
