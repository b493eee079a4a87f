# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The variational bound of a step is what the published equations give by hand, and teaches the variance alone."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from vidgen.diffusion.bound import step_bound
from vidgen.models.estimate import step_times

TIMES = step_times(1000)
BETAS = np.linspace(1e-4, 0.02, 1000)
KEPT = np.cumprod(1 - BETAS)
STEPS = (0, 1, 2, 500, 999)
RNG = np.random.default_rng(0)
X0, HAT, W = (RNG.normal(size=(len(STEPS), 3, 4)) * scale for scale in (0.7, 0.7, 0.9))
X0[0, 0] = [-1.0, 1.0, -0.9995, 0.5]  # the outermost levels have no end
HAT[0] = X0[0] + 0.01 * HAT[0]


def by_hand(step: int, x0: float, hat: float, x: float, w: float) -> float:
    """Bits of one value, by betas: arXiv 2006.11239, eq. 7 and 13; 2102.09672, eq. 15."""
    beta, kept, before = BETAS[step], KEPT[step], KEPT[step - 1] if step else 1.0
    means = [
        beta * math.sqrt(before) / (1 - kept) * data + (1 - before) * math.sqrt(1 - beta) / (1 - kept) * x
        for data in (x0, hat)
    ]
    late = max(step, 1)
    least = BETAS[late] * (1 - KEPT[late - 1]) / (1 - KEPT[late])
    variance = beta ** ((w + 1) / 2) * least ** ((1 - w) / 2)
    if step:
        gap = (means[0] - means[1]) ** 2
        return (math.log(variance / least) + (least + gap) / variance - 1) / 2 / math.log(2)

    def below(value: float) -> float:
        return (1 + math.erf((value - means[1]) / math.sqrt(2 * variance))) / 2

    mass = (1 if x0 > 0.999 else below(x0 + 1 / 255)) - (0 if x0 < -0.999 else below(x0 - 1 / 255))
    return -math.log2(max(mass, 1e-12))


def test_it_is_the_published_one() -> None:
    said = jax.jit(lambda *given: step_bound(TIMES, *given))(jnp.array(STEPS)[:, None], X0, HAT, W)
    assert said.shape == X0.shape[:2]
    for row, step in enumerate(STEPS):
        x = math.sqrt(KEPT[step]) * X0[row] + math.sqrt(1 - KEPT[step]) * 0.3
        hand = np.vectorize(lambda *one, step=step: by_hand(step, *one))(X0[row], HAT[row], x, W[row]).mean(-1)
        np.testing.assert_allclose(said[row], hand, rtol=2e-3, err_msg=f"step {step}")


def test_nothing_is_lost_where_the_data_is_known() -> None:
    """With the posterior's own mean and variance, of all steps but the first."""
    steps = jnp.arange(1, 1000)[:, None]
    x0 = jnp.ones((999, 1, 2))
    at = [np.asarray(step_bound(TIMES, steps, x0, x0, jnp.full_like(x0, w))) for w in (-1.0, 0.0, 1.0)]
    assert np.abs(at[0]).max() < 1e-6
    assert (at[0] <= at[1]).all() and (at[1] <= at[2]).all() and at[2][0] > 0.05


def test_the_variance_alone_is_taught() -> None:
    def bits(hat, w):
        return step_bound(TIMES, jnp.array(STEPS)[:, None], jnp.asarray(X0), hat, w).sum()

    mean, variance = jax.jit(jax.grad(bits, (0, 1)))(jnp.asarray(HAT), jnp.asarray(W))
    assert (np.asarray(mean) == 0).all() and (np.abs(variance).reshape(len(STEPS), -1).max(1) > 0).all()
    with pytest.raises(TypeError):
        step_bound(TIMES, jnp.array([0.5]), jnp.asarray(X0[:1]), jnp.asarray(HAT[:1]), jnp.asarray(W[:1]))
