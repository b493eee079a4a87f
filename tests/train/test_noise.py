# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Networks that say the noise are trained as DiT was: on its error at whole steps, and on the bound of the variance."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np

from vidgen import trees
from vidgen.diffusion.bound import step_bound
from vidgen.models.dit import DiT, DiTConfig
from vidgen.models.estimate import step_times
from vidgen.models.layers import apply
from vidgen.models.picture_vae import PictureVAEConfig
from vidgen.models.presets import DIT_XL_2
from vidgen.models.rows import apply_to_grid
from vidgen.models.text import LabelConfig, LabelTable
from vidgen.parallel import attention
from vidgen.sample.program import Networks
from vidgen.train.dit import init_params
from vidgen.train.flow import Objective, dit_loss

CONFIG: DiTConfig = dataclasses.replace(
    DIT_XL_2, width=16, layers=1, heads=2, hidden=32, text_width=16, time_width=8, grid=4, dtype="float32"
)
NETWORKS = Networks(PictureVAEConfig(), LabelConfig(4, 16, "float32"), CONFIG)
KEY = jax.random.key(3)
RNG = np.random.default_rng(0)
BATCH = {
    "latent_BTHWC": RNG.normal(size=(6, 1, 4, 4, 4)).astype(np.float32),
    "text_BS": np.array([[1], [2], [3], [4], [0], [1]], np.int32),
}
KEPT = np.cumprod(1 - np.linspace(1e-4, 0.02, 1000))


def random_params(networks: Networks) -> dict:
    """No layer silent, as fresh ones are; what it says is small, so that variances lie between their bounds."""
    params = jax.jit(lambda key: init_params(networks, "", key))(jax.random.key(0))
    params = jax.tree.map(lambda x: RNG.normal(size=x.shape).astype(np.float32) * 0.2, params)
    params["dit"]["out"]["kernel"] *= 0.2
    return params


def grads_of(networks: Networks, params: dict) -> tuple[float, dict, dict]:
    """(loss, metrics, gradients)"""
    loss = lambda params: dit_loss(networks, Objective(), params, BATCH, KEY)  # noqa: E731
    (value, metrics), grads = jax.jit(jax.value_and_grad(loss, has_aux=True))(params)
    return float(value), metrics, grads


def test_the_loss_is_that_of_the_noise_and_of_the_bound() -> None:
    """By hand, in the coordinates of DDPM, from what the network says of the same noise at the same steps."""
    params = random_params(NETWORKS)
    value, metrics, grads = grads_of(NETWORKS, params)
    noise = np.asarray(jax.random.normal(trees.fold_in_str(KEY, "noise"), (6, 4, 16)))
    noise = noise.reshape(6, 2, 2, 1, 2, 2, 4).transpose(0, 3, 1, 4, 2, 5, 6).reshape(6, 1, 4, 4, 4)
    steps = np.asarray(jax.random.randint(trees.fold_in_str(KEY, "time"), (6, 1), 0, 1000))[:, 0]
    signal, spread = (np.sqrt(x)[steps].reshape(6, 1, 1, 1, 1) for x in (KEPT, 1 - KEPT))
    x0 = BATCH["latent_BTHWC"]
    flow = (signal * x0 + spread * noise) / (signal + spread)
    text, real = apply(LabelTable(NETWORKS.text), params["text"], BATCH["text_BS"])
    t = np.float32(step_times(1000)[steps])
    dit = DiT(CONFIG, lambda *given: attention.dense(*given, dtype="float32"))
    ask = jax.jit(lambda x, t: apply_to_grid(dit, params["dit"], x, t, text[:, None], real[:, None], spare=True))
    said = np.asarray(ask(jnp.float32(flow), t), np.float64)
    eps = flow + (1 - t.reshape(6, 1, 1, 1, 1)) * said[..., :4]
    missed = np.mean((eps - noise) ** 2)
    x0_hat = (signal * x0 + spread * noise - spread * eps) / signal
    bits = float(np.mean(step_bound(step_times(1000), jnp.asarray(steps)[:, None], x0, x0_hat, said[..., 4:])))
    assert np.isclose(metrics["loss_1"], missed, rtol=1e-3) and np.isclose(metrics["bound_1"], bits, rtol=1e-2)
    assert np.isclose(value, missed + bits, rtol=1e-3) and bits > 5e-3 * missed
    # What says the noise learns as it would without the variance, and what says the variance learns too.
    out = {name: x.reshape(*x.shape[:-1], 4, 2, 4)[..., 0, :].reshape(*x.shape[:-1], 16)
           for name, x in params["dit"]["out"].items()}  # fmt: skip
    plain = dataclasses.replace(NETWORKS, dit=dataclasses.replace(CONFIG, doubled=False))
    alone, only, silent = grads_of(plain, {**params, "dit": {**params["dit"], "out": out}})
    assert set(only) == {"loss_1"} and np.isclose(alone, missed, rtol=1e-3)
    parted = grads["dit"]["out"]["kernel"].reshape(16, 4, 2, 4)
    np.testing.assert_allclose(parted[:, :, 0].reshape(16, 16), silent["dit"]["out"]["kernel"], rtol=1e-3, atol=1e-5)
    assert np.abs(parted[:, :, 1]).max() > 1e-7  # late steps leave the variance little choice
