# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""How a model is sampled: the sampler's settings, which a model's card may change, and the times that it visits."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import jax

from vidgen.diffusion import times
from vidgen.diffusion.guidance import Guidance
from vidgen.diffusion.times import Spacing
from vidgen.models.dit import DiTConfig
from vidgen.models.estimate import step_times
from vidgen.sample.program import DRAWING, SOLVERS, SolverName


@dataclasses.dataclass(frozen=True)
class SampleConfig:
    """How to sample.

    Attributes:
        steps: solver steps from noise to data.
        guidance: w of v_u + w (v_c - v_u); 1 is none.
        interval: the times at which it acts; rescale: how far it must leave the spread as it is; see `guide`.
        solver: "euler", "dpm" (DPM-Solver++(2M)), "unipc" (one evaluation a step each) or "heun" (two); "dopri5", of
            networks that were trained on the way to the data, which takes as many steps as its tolerance needs; drawing
            noise on the way, "ddpm", of networks that say the noise, for which "euler" is DDIM, and "sde"
            (Euler-Maruyama).
        shift: a of the time shift of the schedule.
        train_steps: see `vidgen.diffusion.times.schedule`.
        spacing: see `vidgen.diffusion.times.respaced`; of networks that say the noise.
    """

    steps: int = 12
    guidance: float = 3.0
    interval: tuple[float, float] = (0.0, 1.0)
    rescale: float = 0.0
    solver: SolverName = "unipc"
    shift: float = 8.0
    train_steps: int = 0
    spacing: Spacing = "even"


DEFAULTS = SampleConfig()


def of_card(said: Mapping[str, Any], defaults: SampleConfig = DEFAULTS) -> SampleConfig:
    """The settings that a card says under "sampler"; what it does not say is as in `defaults`.

    Raises:
        ValueError: the card names a setting that there is not.
    """
    given = {name: tuple(value) if isinstance(value, list) else value for name, value in said.items()}
    fields = [field.name for field in dataclasses.fields(SampleConfig)]
    if unknown := sorted(set(given) - set(fields)):
        raise ValueError(f"the card's sampler has {', '.join(unknown)}; a sampler has {', '.join(fields)}")
    return changed(defaults, given)


def for_card(how: SampleConfig) -> dict[str, Any]:
    """What a card says of these settings: those that are not as they are for every model."""
    every = dataclasses.asdict(DEFAULTS)
    return {name: value for name, value in dataclasses.asdict(how).items() if value != every[name]}


def changed(how: SampleConfig, asked: Mapping[str, Any]) -> SampleConfig:
    """These settings but for those asked; None asks for nothing."""
    return dataclasses.replace(how, **{name: value for name, value in asked.items() if value is not None})


def settle(dit: DiTConfig, defaults: SampleConfig, asked: dict[str, Any]) -> tuple[SampleConfig, Guidance]:
    """How to sample where None stands for the default. Raises ValueError for what makes no sense."""
    how = changed(defaults, asked)
    known = (*SOLVERS, *DRAWING)
    if how.solver not in known:
        raise ValueError(f"solver {how.solver!r} was given; it must be one of {', '.join(known)}")
    if how.solver == "ddpm" and dit.says != "noise":
        raise ValueError("the solver 'ddpm' is for networks that were trained to say the noise: take 'sde'")
    if how.solver == "dopri5" and dit.says != "to data":
        raise ValueError(
            "the solver 'dopri5' asks at any time, 0 too, and is for networks that were trained at them all, as SiT: "
            "take 'unipc' or 'heun'"
        )
    guided = Guidance(how.guidance, *how.interval, how.rescale)
    guided.check()
    return how, guided


def sampling_times(dit: DiTConfig, how: SampleConfig, start: float = 1.0) -> jax.Array:
    """The times that a sampler visits, by what the network was trained on and by the solver; see
    `vidgen.diffusion.times`.
    """
    if dit.says == "noise":
        return times.respaced(step_times(dit.steps), how.steps, start, how.spacing)
    if how.solver == "sde":
        return times.sde_schedule(how.steps, start)
    if how.solver == "dopri5":  # one way, whose steps it chooses
        return times.schedule(1, start=start)
    return times.schedule(how.steps, how.shift, start, how.train_steps)
