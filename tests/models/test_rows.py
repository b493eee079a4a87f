# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Clips in rows: several in one row are as each alone, and what is given has time 0."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from vidgen.models.dit import DiT, DiTConfig
from vidgen.models.layers import apply, unpatchify
from vidgen.models.rows import Rows, apply_to_grid, apply_to_rows, lay_out
from vidgen.parallel import attention

CONFIG = DiTConfig(
    channels=3, width=24, layers=2, heads=2, hidden=32, text_width=8, time_width=16, pooled_text=True, dtype="float32"
)
DIT = DiT(CONFIG, functools.partial(attention.dense, dtype="float32"))
SIZES = ((3, 4, 4), (1, 6, 2), (2, 2, 8))
CLIPS = [jax.random.normal(jax.random.key(i), (1, *size, 3)) for i, size in enumerate(SIZES)]
TEXT = jax.random.normal(jax.random.key(7), (1, 3, 5, 8))
REAL = jnp.array([[[True] * 5, [True, True, False, False, False], [True] * 4 + [False]]])
TIMES = jnp.array([[0.2, 0.9, 0.5]])
FILL = 3


@functools.cache
def params() -> dict:
    rng = np.random.default_rng(3)
    L = jnp.zeros((1, 4), jnp.int32)
    shapes = jax.eval_shape(
        DIT.init, jax.random.key(0), jnp.zeros((1, 4, 12)), *[jnp.ones((1, 4, 3), jnp.int32)] * 2, jnp.zeros((1, 1)), L,
        TEXT[:, 0], REAL[:, 0],
    )["params"]  # fmt: skip
    return jax.tree.map(lambda leaf: jnp.asarray(0.3 * rng.normal(size=leaf.shape), jnp.float32), shapes)


def packed(clips: list[jax.Array]) -> Rows:
    """All clips in one row, with some filling at its end."""
    alone = [lay_out(clip, CONFIG.patch) for clip in clips]
    joined = [jnp.concatenate([rows[i] for rows in alone], axis=1) for i in range(3)]
    segments = jnp.concatenate([jnp.full(rows.tokens_BLP.shape[:2], i + 1) for i, rows in enumerate(alone)], axis=1)
    tokens, positions, extent, segments = (
        jnp.pad(x, ((0, 0), (0, FILL), *((0, 0) for _ in x.shape[2:]))) for x in (*joined, segments)
    )
    return Rows(tokens, positions, jnp.maximum(extent, 1), segments)


def split(x_1LP: jax.Array) -> list[jax.Array]:
    """What a row says of each clip."""
    found, start = [], 0
    for T, H, W in SIZES:
        grid = (T, H // 2, W // 2)
        stop = start + int(np.prod(grid))
        found.append(unpatchify(x_1LP[:, start:stop].reshape(1, *grid, -1), CONFIG.patch))
        start = stop
    return found


@jax.jit
def alone(p: dict, clips: list[jax.Array], given: list | None = None) -> list[jax.Array]:
    return [
        apply_to_grid(DIT, p, clip, TIMES[:, i], TEXT[:, i, None], REAL[:, i, None], given and given[i])
        for i, clip in enumerate(clips)
    ]


@jax.jit
def together(p: dict, clips: list[jax.Array], given_BL: jax.Array | None = None) -> list[jax.Array]:
    return split(apply_to_rows(DIT, p, packed(clips), TIMES, TEXT, REAL, given_BL).velocity_BLP)


def test_a_packed_row_gives_each_clip_the_loss_and_the_gradient_that_it_has_alone() -> None:
    def weighed(says, p: dict) -> tuple[jax.Array, list]:
        losses = [jnp.mean(jnp.square(v - clip)) for v, clip in zip(says(p, CLIPS), CLIPS, strict=True)]
        return losses[0] + 2 * losses[1] + 5 * losses[2], losses

    (_, ours), (_, theirs) = answers = [
        jax.jit(jax.grad(functools.partial(weighed, says), has_aux=True))(params()) for says in (together, alone)
    ]
    np.testing.assert_allclose(ours, theirs, rtol=1e-5)
    for ours, theirs in zip(*(jax.tree.leaves(gradient) for gradient, _ in answers), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-5 * float(jnp.abs(theirs).max()))


def test_what_is_given_in_a_packed_row_has_time_0_of_its_own_clip() -> None:
    rows = packed(CLIPS)
    given_BL = (rows.positions_BL3[..., 0] == 0) & (rows.segments_BL != 2)
    first = [jnp.zeros(clip.shape[:-1], bool).at[:, 0].set(i != 1) for i, clip in enumerate(CLIPS)]
    for ours, theirs in zip(together(params(), CLIPS, given_BL), alone(params(), CLIPS, first), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-4)
    moved = [jnp.abs(a - b).max() for a, b in zip(alone(params(), CLIPS), alone(params(), CLIPS, first), strict=True)]
    assert moved[0] > 0.1 and moved[1] < 1e-5


def test_filling_up_a_row_changes_nothing() -> None:
    clip, given = CLIPS[0], jnp.zeros((1, 3, 4, 4), bool).at[:, :, :2].set(True)

    @functools.partial(jax.jit, static_argnums=2)
    def says(p: dict, mask: jax.Array | None, multiple: int) -> jax.Array:
        return apply_to_grid(DIT, p, clip, TIMES[:, 0], TEXT[:, :1], REAL[:, :1], mask, multiple)

    for mask in (None, given):
        plain, filled = says(params(), mask, 1), says(params(), mask, 8)
        np.testing.assert_allclose(filled, plain, atol=1e-5)
    assert lay_out(clip, CONFIG.patch, 8).tokens_BLP.shape[1] == 16 and lay_out(clip, CONFIG.patch).segments_BL is None


def test_each_frame_follows_its_own_caption() -> None:
    """Told twice is told once; captions can be listed in any order; one that no frame follows is not seen."""
    clip = CLIPS[0]

    @jax.jit
    def says(text_BESD: jax.Array, real_BES: jax.Array, captions_T: jax.Array | None) -> jax.Array:
        return apply_to_grid(DIT, params(), clip, TIMES[:, 0], text_BESD, real_BES, multiple=8, captions_T=captions_T)

    alone = says(TEXT[:, :1], REAL[:, :1], None)
    twice = says(TEXT[:, (0, 0)], REAL[:, (0, 0)], jnp.array([0, 1, 1]))
    np.testing.assert_allclose(twice, alone, atol=1e-5)
    two = says(TEXT[:, :2], REAL[:, :2], jnp.array([0, 1, 1]))
    other_way = says(TEXT[:, (1, 0)], REAL[:, (1, 0)], jnp.array([1, 0, 0]))
    np.testing.assert_allclose(other_way, two, atol=1e-5)
    np.testing.assert_allclose(says(TEXT[:, :2], REAL[:, :2], jnp.array([0, 0, 0])), alone, atol=1e-5)
    assert jnp.abs(two - alone).max() > 0.1


def test_owned_values_follow_their_clips() -> None:
    rows = packed(CLIPS)
    values = np.asarray(rows.owned(TIMES))[0]
    np.testing.assert_allclose(values, np.repeat([0.2, 0.9, 0.5, 0.2], [12, 3, 8, FILL]))
    assert np.asarray(rows.real)[0].tolist() == [True] * 23 + [False] * FILL
    np.testing.assert_allclose(lay_out(CLIPS[0], CONFIG.patch).owned(TIMES[:, 1:2]), np.full((1, 12), 0.9))


@pytest.mark.parametrize("kernel", ["local"])
def test_other_kernels_keep_clips_apart(kernel: str) -> None:
    from vidgen.parallel.mesh import MeshConfig, make_mesh

    fused = attention.make_attention(kernel, make_mesh(MeshConfig()), dtype="float32")
    says = jax.jit(lambda p: split(apply_to_rows(DiT(CONFIG, fused), p, packed(CLIPS), TIMES, TEXT, REAL).velocity_BLP))
    other = says(params())
    for ours, theirs in zip(other, alone(params(), CLIPS), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-4)


def test_apply_keeps_its_features() -> None:
    read = DiT(CONFIG, DIT.attn_fn, read_block=1)
    kept = jax.eval_shape(lambda p: apply_to_rows(read, p, packed(CLIPS), TIMES, TEXT, REAL).features_BLD, params())
    assert kept.shape == (1, 23 + FILL, 24)
    rows = lay_out(CLIPS[0], CONFIG.patch)[:3]
    owners = jnp.zeros((1, 12), jnp.int32)
    plain = lambda p: apply(DIT, p, *rows, TIMES[:, :1], owners, TEXT[:, 0], REAL[:, 0]).features_BLD  # noqa: E731
    assert jax.eval_shape(plain, params()) is None
