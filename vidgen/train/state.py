# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""What a run carries from step to step, and the one jitted step that every model is trained by."""

import dataclasses
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import optax
from jax.sharding import Mesh, NamedSharding
from jax.sharding import PartitionSpec as P

from vidgen import trees
from vidgen.parallel import shard

LossFn = Callable[[Any, Any, jax.Array], tuple[jax.Array, dict[str, jax.Array]]]
"""loss_fn(params, batch, key) -> (loss, metrics): all that a model brings to training."""


@jax.tree_util.register_dataclass
@dataclasses.dataclass
class TrainState:
    """Parameters, their moving average, the optimiser's state and the number of steps taken, all float32 / int32.

    Parameters that stay as they are (`frozen`, names at the top of their tree) have no average and no moments.
    """

    params: Any
    ema: Any
    opt_state: Any
    step: jax.Array

    @property
    def averages(self) -> Any:
        """The whole tree of parameters, of which those that are trained are averaged."""
        return {**self.params, **self.ema} if isinstance(self.params, dict) else self.ema


def trained(params: Any, frozen: tuple[str, ...]) -> Any:
    """The part of a tree of parameters that is trained; all of it if nothing is frozen.

    Raises:
        ValueError: the tree has no such part.
    """
    if not frozen:
        return params
    if missing := [name for name in frozen if name not in params]:
        raise ValueError(f"{missing[0]} is to stay as it is, and the parameters have {', '.join(params)}")
    return {name: tree for name, tree in params.items() if name not in frozen}


def create(params: Any, optimizer: optax.GradientTransformation, frozen: tuple[str, ...] = ()) -> TrainState:
    """The state before the first step; the optimiser is for what is `trained`."""
    moving = trained(params, frozen)
    # The copy keeps the two trees apart: the step donates both.
    return TrainState(params, jax.tree.map(jnp.copy, moving), optimizer.init(moving), jnp.zeros((), jnp.int32))


def create_on(
    mesh: Mesh, params: Any, shardings: Any, optimizer: optax.GradientTransformation, frozen: tuple[str, ...] = ()
) -> tuple[TrainState, TrainState]:
    """The state before the first step, divided as its parameters are, and the tree of its shardings."""
    _, kept = _shapes_on(mesh, params, shardings, optimizer, frozen)
    return jax.jit(lambda params: create(params, optimizer, frozen), out_shardings=kept)(params), kept


def abstract_on(
    mesh: Mesh, params: Any, shardings: Any, optimizer: optax.GradientTransformation, frozen: tuple[str, ...] = ()
) -> tuple[TrainState, TrainState]:
    """As `create_on`, for the shapes of parameters: the state's shapes with their shardings; nothing is allocated."""
    shapes, kept = _shapes_on(mesh, params, shardings, optimizer, frozen)
    return shard.abstract(shapes, kept), kept


def _shapes_on(
    mesh: Mesh, params: Any, shardings: Any, optimizer: optax.GradientTransformation, frozen: tuple[str, ...]
) -> tuple[TrainState, TrainState]:
    shapes = jax.eval_shape(lambda params: create(params, optimizer, frozen), params)
    return shapes, shard.state_shardings(shapes, params, shardings, mesh)


def make_step(
    loss_fn: LossFn,
    optimizer: optax.GradientTransformation,
    ema_decay: float,
    seed: int,
    frozen: tuple[str, ...] = (),
) -> Callable[[TrainState, Any], tuple[TrainState, dict[str, jax.Array]]]:
    """step(state, batch) -> (state, metrics), to be jitted with the state donated.

    The gradient is taken of what is `trained` alone. The key of a step depends on the seed and on the step's number
    alone. If the loss or a gradient is not finite, the state comes back unchanged, and metrics["finite"] is False, so
    that a bad batch never reaches the parameters.
    """

    def step(state: TrainState, batch: Any) -> tuple[TrainState, dict[str, jax.Array]]:
        key = jax.random.fold_in(trees.fold_in_str(jax.random.key(seed), "step"), state.step)
        moving = trained(state.params, frozen)

        def whole(moving: Any) -> Any:
            return {**state.params, **moving} if frozen else moving

        (loss, metrics), grads = jax.value_and_grad(lambda some: loss_fn(whole(some), batch, key), has_aux=True)(moving)
        norm = optax.tree.norm(grads)
        finite = jnp.isfinite(loss) & jnp.isfinite(norm)

        def take() -> TrainState:
            updates, opt_state = optimizer.update(grads, state.opt_state, moving)
            params = optax.apply_updates(moving, updates)
            # The average starts as a plain mean: a long memory of random weights would be of no use.
            decay = jnp.minimum(ema_decay, (1.0 + state.step) / (10.0 + state.step))
            return TrainState(whole(params), trees.ema_update(state.ema, params, decay), opt_state, state.step + 1)

        new_state = jax.lax.cond(finite, take, lambda: state)
        return new_state, {"loss": loss, "grad_norm": norm, "finite": finite, **metrics}

    return step


def jit_step(step: Callable, kept: TrainState, mesh: Mesh) -> Any:
    """A step of `make_step` as a run calls it: the state donated and divided as before, metrics whole everywhere.

    Args:
        step: what `make_step` gives.
        kept: the tree of the state's shardings; mesh: its devices.
    """
    return jax.jit(step, donate_argnums=0, out_shardings=(kept, NamedSharding(mesh, P())))
