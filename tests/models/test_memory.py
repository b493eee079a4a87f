# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""What is remembered of captions: the network says the same, and a sampler's steps no longer make it."""

import dataclasses
import functools
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from vidgen.diffusion.guidance import Guidance
from vidgen.models import memory
from vidgen.models.dit import DiT, DiTConfig
from vidgen.models.memory import remember, worth_remembering
from vidgen.models.rows import apply_to_grid, apply_to_rows, lay_out
from vidgen.models.text import TextConfig
from vidgen.models.vae import VAEConfig
from vidgen.parallel import attention
from vidgen.parallel.program import product_flops
from vidgen.sample.program import Networks, text_to_latent

CONFIG = DiTConfig(
    channels=3, width=24, layers=2, heads=2, hidden=32, text_width=8, time_width=16, pooled_text=True, dtype="float32"
)
X = jax.random.normal(jax.random.key(0), (2, 3, 4, 4, 3))
T = jnp.array([0.2, 0.9])
TEXT = jax.random.normal(jax.random.key(7), (2, 2, 5, 8))
REAL = jnp.array([[[True] * 5, [True] * 2 + [False] * 3], [[True] * 4 + [False], [True] * 5]])
FRAMES = jnp.array([0, 1, 1])


def random_params(config: DiTConfig) -> dict:
    rng, dit = np.random.default_rng(3), DiT(config, attention.dense)
    shapes = jax.eval_shape(
        dit.init, jax.random.key(0), jnp.zeros((1, 4, 12)), *[jnp.ones((1, 4, 3), jnp.int32)] * 2, jnp.zeros((1, 1)),
        jnp.zeros((1, 4), jnp.int32), TEXT[:1, 0], REAL[:1, 0],
    )["params"]  # fmt: skip
    return jax.tree.map(lambda leaf: jnp.asarray(0.3 * rng.normal(size=leaf.shape), jnp.float32), shapes)


@pytest.mark.parametrize("config", [CONFIG, dataclasses.replace(CONFIG, qk_norm=False, pooled_text=False)])
@pytest.mark.parametrize("captions", [1, 2])
def test_a_network_that_remembers_says_the_same(config: DiTConfig, captions: int) -> None:
    dit = DiT(config, functools.partial(attention.dense, dtype="float32"))
    params, text, real = random_params(config), TEXT[:, :captions], REAL[:, :captions]
    frames = FRAMES if captions == 2 else None

    @jax.jit
    def says(params: dict, text: jax.Array) -> tuple[jax.Array, jax.Array]:
        remembered = remember(config, params, text)
        a, b = (apply_to_grid(dit, params, X, T, told, real, captions_T=frames) for told in (text, remembered))
        return a, b

    plain, remembered = says(params, text)
    np.testing.assert_allclose(remembered, plain, atol=1e-5)
    assert jnp.abs(says(params, 2 * text)[1] - remembered).max() > 1e-2


def test_what_is_remembered_is_of_each_block() -> None:
    remembered = jax.jit(functools.partial(remember, CONFIG))(random_params(CONFIG), TEXT)
    assert remembered.keys.shape == remembered.values.shape == (2, 2, 2, 5, 2, 12)
    assert jnp.abs(remembered.keys[:, 0] - remembered.keys[:, 1]).max() > 0.1
    dit = DiT(CONFIG, functools.partial(attention.dense, dtype="float32"))
    rows = lay_out(X, CONFIG.patch)
    wrong = remembered._replace(keys=remembered.keys[:, ::-1], values=remembered.values[:, ::-1])
    captions, params = FRAMES[rows.positions_BL3[..., 0]], random_params(CONFIG)
    right, other = (
        apply_to_rows(dit, params, rows, jnp.stack([T, T], 1), one, REAL, captions_BL=captions)
        for one in (remembered, wrong)
    )
    assert jnp.abs(right.velocity_BLP - other.velocity_BLP).max() > 1e-2


def test_steps_of_a_sampler_do_not_make_it_again(monkeypatch: pytest.MonkeyPatch) -> None:
    networks = Networks(VAEConfig(channels=3), TextConfig(width=8), CONFIG)
    captions, real = TEXT[:, 0], REAL[:, 0]

    def sampler() -> Callable[[dict, jax.Array], jax.Array]:
        """A new one, since what was traced once is not traced again."""
        nothing, guidance = (captions[:1], real[:1]), Guidance(2.0)
        return lambda params, ts: text_to_latent(
            networks, (3, 4, 4, 3), ts, "euler", params, (captions, real), nothing, guidance, jax.random.key(1)
        )

    params = {"dit": random_params(CONFIG)}
    found, a_step = {}, {}
    for worth in (0, 8):
        monkeypatch.setattr(memory, "WORTH", worth)
        flops = [product_flops(sampler(), params, jnp.linspace(1, 0, steps + 1)) for steps in (3, 4)]
        a_step[worth] = flops[1] - flops[0]
        found[worth] = jax.jit(sampler())(params, jnp.linspace(1, 0, 4))
    np.testing.assert_allclose(found[8], found[0], atol=1e-4)
    B, S, D, layers = 2 * len(captions), captions.shape[1], CONFIG.width, CONFIG.layers
    assert a_step[0] - a_step[8] == 2 * B * S * (8 * D + D * D + layers * 2 * D * D)


def test_short_clips_of_long_captions_are_worth_it() -> None:
    assert worth_remembering(CONFIG, 320, 64) and worth_remembering(CONFIG, 320, 512)
    assert not worth_remembering(CONFIG, 32_760, 512)
    assert not worth_remembering(dataclasses.replace(CONFIG, cross=False, text_width=24), 320, 512)
