# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Masks of tasks in training: what may be given is, something is always made, and only that counts."""

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from vidgen.diffusion.times import TimeConfig
from vidgen.models.dit import DiTConfig
from vidgen.models.rows import lay_out
from vidgen.models.text import TextConfig
from vidgen.models.vae import Stage, VAEConfig
from vidgen.sample.program import Networks
from vidgen.train.dit import init_params
from vidgen.train.flow import Objective, dit_loss
from vidgen.train.tasks import TaskMix, draw_made

ALONE = {name: TaskMix(**{"free": 0.0, name: 1.0}) for name in ("free", "first", "last", "both", "box")}
SHAPE = (256, 5, 4, 6)


@functools.cache
def drawn(task: str, shape: tuple[int, int, int, int] = SHAPE, patch: tuple[int, int, int] = (1, 1, 1)) -> np.ndarray:
    return made_of(jax.random.key(3), shape, ALONE[task], patch)


def made_of(key: jax.Array, shape: tuple[int, ...], mix: TaskMix, patch: tuple[int, int, int]) -> np.ndarray:
    """Of clips, one a row, as cells."""
    rows = lay_out(jnp.zeros((*shape, 1)), patch)
    made = np.asarray(draw_made(key, rows, 1, mix)).reshape([n // p for n, p in zip(shape, (1, *patch), strict=True)])
    for axis, side in enumerate(patch, start=1):
        made = made.repeat(side, axis=axis)
    return made


@pytest.mark.parametrize("task", ALONE)
@pytest.mark.parametrize("shape", [SHAPE, (64, 1, 4, 6), (64, 2, 4, 6)])
def test_something_is_always_made(task: str, shape: tuple[int, int, int, int]) -> None:
    made = drawn(task, shape)
    assert made.shape == shape and made.any((1, 2, 3)).all()


def test_frames_are_given_where_the_task_says() -> None:
    """Every number of them comes up, none in other places, and they are given as a whole."""
    for task in ("first", "last", "both"):
        given_BT = ~drawn(task).any((2, 3))
        np.testing.assert_array_equal(given_BT, ~drawn(task).all((2, 3)))
        found = {tuple(np.flatnonzero(row)) for row in given_BT}
        if task == "both":
            assert found == {(*range(head), *range(5 - tail, 5)) for head in range(1, 4) for tail in range(1, 5 - head)}
        else:
            assert found == {tuple(range(n) if task == "first" else range(5 - n, 5)) for n in range(1, 5)}
    assert drawn("free").all()
    assert all(drawn(task, (64, 1, 4, 6)).all() for task in ("first", "last", "both"))  # a picture


def test_boxes_are_boxes_or_all_but_boxes() -> None:
    inside, outside = 0, 0
    for clip in drawn("box"):
        np.testing.assert_array_equal(clip, np.broadcast_to(clip[:1], clip.shape))
        is_box = [np.array_equal(part, np.outer(part.any(1), part.any(0))) for part in (clip[0], ~clip[0])]
        assert any(is_box)
        inside += is_box[0]
        outside += is_box[1] and not is_box[0]
    assert inside > 80 and outside > 40


def test_tokens_are_given_as_a_whole() -> None:
    made = drawn("box", (64, 4, 4, 6), (2, 2, 3)).reshape(64, 2, 2, 2, 2, 2, 3)
    assert (made.any((2, 4, 6)) == made.all((2, 4, 6))).all()


def test_a_mix_has_its_shares() -> None:
    made = made_of(jax.random.key(1), (2000, 3, 2, 2), TaskMix(free=1.0, first=3.0), (1, 1, 1))
    assert made.all((1, 2, 3)).mean() == pytest.approx(0.25, abs=0.04)


@pytest.mark.parametrize("weights", [{"first": -1.0}, {"free": 0.0}])
def test_weights_that_make_no_sense(weights: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="one must be above"):
        TaskMix(**weights)


STAGES = (Stage(8, 16, 4, 16, 1),)
NETWORKS = Networks(
    VAEConfig(channels=4, encoder=STAGES, decoder=STAGES),
    TextConfig(width=8, heads=2, hidden=8, layers=1),
    DiTConfig(channels=4, patch=(1, 1, 1), width=24, layers=1, heads=2, hidden=16, text_width=8, time_width=8),
)


def untrained() -> dict:
    return jax.jit(functools.partial(init_params, NETWORKS, ""))(jax.random.key(0))


def test_what_is_given_is_seen_clean_and_does_not_count() -> None:
    """With silent output the loss is that of the linear estimate at the parts that are made, whatever is given."""
    rng = np.random.default_rng(0)
    params = untrained()
    objective = Objective(TimeConfig(mean=0.0, std=0.0), tasks=ALONE["first"])
    latent = rng.normal(size=(64, 3, 2, 2, 4)).astype(np.float32)
    made = made_of(_tasks_key(), latent.shape[:4], ALONE["first"], (1, 1, 1))
    batch = {"latent_BTHWC": latent, "text_BS": rng.integers(2, 99, (64, 5)).astype(np.int32)}

    @jax.jit
    def loss_of(params, latent):
        return dit_loss(NETWORKS, objective, params, {**batch, "latent_BTHWC": latent}, jax.random.key(7))[0]

    loss = functools.partial(loss_of, params)
    assert loss(latent) == pytest.approx(2.0, rel=0.1)
    louder = np.where(made[..., None], latent, 30 * latent)
    assert loss(louder) == pytest.approx(float(loss(latent)), rel=1e-5)
    changed = np.where(made[..., None], 3 * latent, latent)
    assert loss(changed) > 1.5 * loss(latent)
    # And what is given is heard of: another given frame changes what is said of those that are made.
    params["dit"]["out"]["kernel"] = jnp.asarray(rng.normal(size=params["dit"]["out"]["kernel"].shape), jnp.float32)
    params["dit"]["blocks"] = jax.tree.map(
        lambda x: jnp.asarray(0.3 * rng.normal(size=x.shape), jnp.float32), params["dit"]["blocks"]
    )
    given, same = loss_of(params, louder), loss_of(params, latent)
    assert abs(given - same) > 1e-3 * same


def _tasks_key() -> jax.Array:
    from vidgen import trees

    return trees.fold_in_str(jax.random.key(7), "tasks")


def test_nothing_given_is_the_plain_loss() -> None:
    rng = np.random.default_rng(1)
    params = untrained()
    batch = {
        "latent_BTHWC": rng.normal(size=(4, 2, 2, 2, 4)).astype(np.float32),
        "text_BS": rng.integers(2, 99, (4, 5)).astype(np.int32),
    }
    masked = dataclasses.replace(Objective(), tasks=TaskMix(free=1.0, first=1e-30))
    loss = jax.jit(lambda one: dit_loss(NETWORKS, one, params, batch, jax.random.key(7))[0], static_argnums=0)
    plain, free = loss(Objective()), loss(masked)
    assert plain == pytest.approx(float(free), rel=1e-5)
