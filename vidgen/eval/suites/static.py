# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Prompts in which nothing moves: does the clip flicker, and does it drift away from how it began?"""

import dataclasses

import numpy as np

from vidgen.eval.alignment import scene_config
from vidgen.eval.suite import Bound, Case, Control, NotApplicableError, Outcome, Score, Setting, Source, Suite
from vidgen.eval.suites.drawing import Said, draw_until, shortest_prompt
from vidgen.eval.suites.seeing import RIGHT, VAE_RIGHT, mirror, other_prompts
from vidgen.worlds.motion import FPS
from vidgen.worlds.place_detect import read_place
from vidgen.worlds.render import render
from vidgen.worlds.scene import draw_scene

LONGEST = 60 * FPS + 1
"""Frames of a case at most: 60 s."""
ENDS = 0.15
"""Share of the clip that is its start and its end, as in FramePack, arXiv:2504.12626."""
BRIGHTER, FADING = 12, 0.1
"""Of the controls: grey levels that every second frame is brighter by; share of contrast that is lost in a second."""


def draw(setting: Setting, n: int, seed: int) -> tuple[Case, ...]:
    """Prompts that say of each thing that it stays where it is, and name the place, which is what a case expects; as
    long as the system's longest clip, at most 60 s.
    """
    if setting.frames < 5 or len(setting.concepts) < 2:
        raise NotApplicableError("its cases need 5 frames and two concepts")
    size = min(setting.width, setting.height)
    config = scene_config(setting.concepts, min(LONGEST, setting.frames), size)
    config = dataclasses.replace(config, objects=(1, 2), motions=("still",), split="all")

    def case(_: int, scene_seed: int) -> Case | None:
        scene = draw_scene(config, scene_seed)
        names = tuple(thing.concept for thing in scene.objects)
        prompt = shortest_prompt(scene, lambda said: _is_still(said, names))
        if prompt is None:
            return None
        text, said = prompt
        (place,) = (claim.value for claim in said if claim.kind == "place")
        return Case(text, scene, render, place, names)

    return draw_until(n, seed, case, "that nothing moves, and where it is")


def _is_still(said: Said, names: tuple[str, ...]) -> bool:
    """Whether each thing is said to be at rest, and the place is named."""
    still = {claim.subject for claim in said if claim.kind == "motion" and claim.value == "still"}
    return still == set(names) and any(claim.kind == "place" for claim in said)


STATIC = Source("static", draw)


def measure_flicker(clip_FHWC: np.ndarray, _: Case) -> Outcome:
    """VBench: (255 - mean absolute difference of neighbouring frames) / 255."""
    change = np.abs(np.diff(clip_FHWC.astype(np.int16), axis=0)).mean()
    return {"flicker": float((255 - change) / 255)}


def measure_drift(clip_FHWC: np.ndarray, _: Case) -> Outcome:
    """error: of each frame against the first, [F], shares of the range; its slope a second, and its rise to the end."""
    first, frames = clip_FHWC[0].astype(np.int16), len(clip_FHWC)
    error_F = np.array([np.abs(frame - first).mean() / 255 for frame in clip_FHWC.astype(np.int16)])
    seconds_F = np.arange(frames) / FPS
    centred_F = seconds_F - seconds_F.mean()
    ends = max(1, round(ENDS * frames))
    return {
        "error": tuple(float(value) for value in error_F),
        "slope": float(centred_F @ error_F / (centred_F @ centred_F)),
        "rise": float(error_F[-ends:].mean() - error_F[:ends].mean()),
    }


def measure_place(clip_FHWC: np.ndarray, case: Case) -> Outcome:
    """place: whether the background's colours are those of the place that the prompt names."""
    return {"place": read_place(clip_FHWC) == case.expects}


def brightness_alternates(clips_FHWC: np.ndarray) -> np.ndarray:
    """Every second frame is brighter; any leading axes."""
    lighter = np.minimum(clips_FHWC, 255 - BRIGHTER) + BRIGHTER
    odd = (np.arange(clips_FHWC.shape[-4]) % 2 == 1)[:, None, None, None]
    return np.where(odd, lighter, clips_FHWC).astype(np.uint8)


def fades(clips_FHWC: np.ndarray) -> np.ndarray:
    """Turns grey by FADING a second; any leading axes."""
    left_F = np.maximum(0.0, 1 - FADING * np.arange(clips_FHWC.shape[-4]) / FPS)[:, None, None, None]
    return np.round(127.5 + (clips_FHWC - 127.5) * left_F).astype(np.uint8)


FLICKER = Suite(
    name="flicker",
    title="Flicker",
    definition=(
        "VBench's temporal flickering (Huang et al., CVPR 2024, arXiv:2311.17982, section 3.1): on prompts in which "
        "nothing moves, (255 - the mean absolute difference of neighbouring frames) / 255. VBench picks still clips by "
        "their optical flow; here the prompts say that all is still, so what moves counts as flicker, too."
    ),
    source=STATIC,
    measure=measure_flicker,
    scores=(Score("flicker", "smoothness, 100 % where no pixel changes"),),
    controls=(
        Control(
            "blinking",
            f"every second frame brighter by {BRIGHTER} of 255",
            (Bound("flicker", high=0.98),),
            brightness_alternates,
        ),
    ),
    floors=(Bound("flicker", low=0.9999),),
)
DRIFT = Suite(
    name="drift",
    title="Drift with time",
    definition=(
        "On prompts in which nothing moves, over the longest clip that the system makes (60 s at most): the error of a "
        "frame is its mean absolute difference to the first one, as a share of the range. Told are the error's slope "
        "by least squares, a second, and its rise from the first to the last 15 % of the clip (after the start-end "
        "contrast of FramePack, Zhang and Agrawala, arXiv:2504.12626, with this error as its measure)."
    ),
    source=STATIC,
    measure=measure_drift,
    scores=(
        Score("slope", "error's slope, a second", unit="", better="lower"),
        Score("rise", "error's rise from start to end", unit="", better="lower"),
    ),
    controls=(Control("fading", "contrast falls by 10 % a second", (Bound("rise", low=0.005),), fades),),
    floors=(Bound("slope", high=1e-6),),
    curves=("error",),
)
PLACE = Suite(
    name="place",
    title="Place",
    definition=(
        "Of prompts that name a place (the moon, a meadow, a blue background, a fade from one colour to another), the "
        "share whose clip shows it: the colours of its background from top to bottom are nearer to those of this place "
        "than of any other, and near. Read in the first frame. After the scene dimension of VBench (Huang et al., CVPR "
        "2024, arXiv:2311.17982), without a captioner."
    ),
    source=STATIC,
    measure=measure_place,
    scores=(Score("place", "place shown"),),
    controls=(mirror(Bound("place", same=0.01)), other_prompts(Bound("place", high=0.2))),
    floors=(Bound("place", low=RIGHT),),
    vae_floors=(Bound("place", low=VAE_RIGHT),),
)
SUITES = (PLACE, FLICKER, DRIFT)
