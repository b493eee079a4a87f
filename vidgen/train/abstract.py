# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The training step of a run, with shapes in place of arrays: what `vidgen compile` gives to the compiler.

The step is put together from the same parts as in `vidgen.train.loop`: the model's loss, `state.make_step` with the
optimiser and the moving average, `state.jit_step` with the state donated, and the shardings of `vidgen.parallel.rules`.
"""

from collections.abc import Callable, Mapping
from typing import Any, Literal, Protocol

import jax
import optax
from jax.sharding import Mesh

from vidgen.parallel import shard
from vidgen.parallel.mesh import MeshConfig
from vidgen.parallel.program import Program
from vidgen.train import state as train_state
from vidgen.train.state import LossFn

Mode = Literal["train", "sample"]


class Compilable(Protocol):
    """An experiment whose programs can be compiled without data, weights or devices."""

    @property
    def mesh(self) -> MeshConfig:
        """How the work is divided over devices."""
        ...

    def program(self, mode: Mode, mesh: Mesh) -> Program:
        """The training step, or the sampler, on the devices of a mesh.

        Raises:
            ValueError: the experiment has no such program, or its batch cannot be divided over the mesh.
        """
        ...


def training_step(
    mesh: Mesh,
    init: Callable[[jax.Array], Any],
    loss_fn: LossFn,
    optimizer: Callable[[Any], optax.GradientTransformation],
    ema: float,
    seed: int,
    batch: Mapping[str, jax.ShapeDtypeStruct],
    frozen: tuple[str, ...] = (),
) -> tuple[Any, tuple, Any]:
    """The jitted step of a run on a mesh, its arguments as shapes with shardings, and the shapes of the parameters.

    Args:
        mesh: devices, which need not exist.
        init: key -> parameters, of which only the shapes are asked.
        loss_fn: see `vidgen.train.state.LossFn`.
        optimizer: shapes of the parameters that are trained -> optimiser.
        ema: decay of the moving average; seed: of the run.
        batch: shapes of a whole batch.
        frozen: see `vidgen.train.loop.Task`.

    Raises:
        ValueError: a parameter or the batch cannot be divided over the mesh.
    """
    params = jax.eval_shape(init, jax.eval_shape(lambda: jax.random.key(seed)))
    shardings = shard.parameter_shardings(params, mesh)
    made = optimizer(train_state.trained(params, frozen))
    state, kept = train_state.abstract_on(mesh, params, shardings, made, frozen)
    step = train_state.jit_step(train_state.make_step(loss_fn, made, ema, seed, frozen), kept, mesh)
    return step, (state, shard.abstract_batch(batch, mesh)), params
