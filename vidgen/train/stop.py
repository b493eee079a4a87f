# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Stopping on a signal: how it is noticed, and how several processes stop after the same step."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import jax
from jax.sharding import Mesh, NamedSharding
from jax.sharding import PartitionSpec as P

from vidgen.parallel import hosts
from vidgen.train import state as train_state
from vidgen.train.state import TrainState

Question = Callable[[], str]
"""Gives the name of the signal that came, or ""."""


def agreeing_step(
    step: Callable, kept: TrainState, mesh: Mesh
) -> Callable[[TrainState, Any, Question], tuple[TrainState, dict[str, jax.Array], Question]]:
    """run(state, batch, interrupted) -> (state, metrics, stop), compiled, with the state donated.

    `interrupted` asks this process alone; `stop` has the answer for all, which holds after this step. Several processes
    agree inside the step's program, on what had come before it began: nothing is sent for it apart from the step, and
    none can be a step ahead of another.

    Args:
        step: of `state.make_step`.
        kept: shardings of the state; mesh: its devices.
    """
    if jax.process_count() == 1:
        alone = train_state.jit_step(step, kept, mesh)
        return lambda state, batch, interrupted: (*alone(state, batch), interrupted)

    def agree(state: TrainState, batch: Any, signals: jax.Array) -> tuple[TrainState, dict[str, jax.Array]]:
        state, metrics = step(state, batch)
        return state, {**metrics, "signal": signals.max()}

    together = jax.jit(agree, donate_argnums=0, out_shardings=(kept, NamedSharding(mesh, P())))

    def run(state: TrainState, batch: Any, interrupted: Question) -> tuple[TrainState, dict[str, jax.Array], Question]:
        name = interrupted()
        number = signal.Signals[name].value if name else 0
        state, metrics = together(state, batch, hosts.on_all_devices(number, mesh))
        agreed = metrics.pop("signal")
        return state, metrics, lambda: signal.Signals(int(agreed)).name if int(agreed) else ""

    return run


@contextmanager
def interruptions() -> Iterator[Callable[[], str]]:
    """Turns SIGTERM and SIGINT into a question: the name of the signal that came, or "". A second Ctrl-C is real."""
    came: list[str] = []

    def remember(number: int, _: Any) -> None:
        if came and number == signal.SIGINT:
            raise KeyboardInterrupt
        came.append(signal.Signals(number).name)

    try:
        old = {number: signal.signal(number, remember) for number in (signal.SIGTERM, signal.SIGINT)}
    except ValueError:  # not in the main thread, as in a notebook's worker: signals are someone else's
        yield lambda: ""
        return
    try:
        yield lambda: came[0] if came else ""
    finally:
        for number, handler in old.items():
            # None is a handler that was not set from Python, and that Python cannot set again.
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
