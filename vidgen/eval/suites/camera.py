# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Prompts that say what the camera does."""

import dataclasses
from dataclasses import dataclass

import numpy as np

from vidgen.eval.alignment import scene_config
from vidgen.eval.suite import Bound, Case, NotApplicableError, Outcome, Score, Setting, Source, Suite
from vidgen.eval.suites.drawing import draw_until, shortest_prompt
from vidgen.eval.suites.seeing import RIGHT, VAE_RIGHT, WRONG, backwards, hold, mirror
from vidgen.worlds.camera_detect import camera_kind
from vidgen.worlds.motion import CAMERAS, DIRECTIONS
from vidgen.worlds.places import GROUNDS, SKIES
from vidgen.worlds.render import render
from vidgen.worlds.scene import draw_scene

FRAMES = 17


@dataclass(frozen=True)
class Told:
    """What a prompt says of the camera, one of CAMERAS, and whether things move by themselves, too."""

    camera: str
    amid: bool


SHOWN = (*GROUNDS, *SKIES)
"""Places in front of which things may move by themselves, since they show how the camera moves. In front of a plain
colour, or of a gradient that is moved sideways, a camera that follows a thing looks exactly like one that stands still.
"""


def draw(setting: Setting, n: int, seed: int) -> tuple[Case, ...]:
    """Each way of the camera as often, with prompts that say which: in turn scenes in which nothing but it moves, and
    scenes at a place of SHOWN in which things move, too.
    """
    if setting.frames < 5 or len(setting.concepts) < 2:
        raise NotApplicableError("its cases need 5 frames and two concepts")
    config = scene_config(setting.concepts, min(FRAMES, setting.frames), min(setting.width, setting.height))
    config = dataclasses.replace(config, objects=(1, 2), split="all")
    still = dataclasses.replace(config, motions=("still",))
    moving = dataclasses.replace(config, motions=tuple(DIRECTIONS), places=SHOWN)

    def case(row: int, scene_seed: int) -> Case | None:
        kind = CAMERAS[row % len(CAMERAS)]
        amid = row // len(CAMERAS) % 2 == 1
        scene = draw_scene(dataclasses.replace(moving if amid else still, cameras=(kind,)), scene_seed)
        prompt = shortest_prompt(scene, lambda said: any(claim.kind == "camera" for claim in said))
        names = tuple(sorted(thing.concept for thing in scene.objects))
        return Case(prompt[0], scene, render, Told(kind, amid), names) if prompt else None

    return draw_until(n, seed, case, "what the camera does")


def measure(clip_FHWC: np.ndarray, case: Case) -> Outcome:
    """camera: whether it does what the prompt says; amid, pan_x, moving: where things move by themselves, too; where it
    goes left or right; where it goes at all.
    """
    told: Told = case.expects
    right = camera_kind(clip_FHWC, case.names) == told.camera
    return {
        "camera": right,
        "amid": right if told.amid else (),
        "pan_x": right if told.camera in ("pan left", "pan right") else (),
        "moving": right if told.camera != "still" else (),
    }


CAMERA = Suite(
    name="camera",
    title="Camera",
    definition=(
        "A prompt says that the camera stands still, pans left, right, up or down, or zooms in or out, each as often; "
        "in half of them things move by themselves, too, in front of a place that shows what the camera does. Frames "
        "are registered to the first one by shift and scale (Lucas and Kanade, IJCAI 1981), once as they are and once "
        "without the things named, which are found as in the other suites; the first reading stands where the place "
        "does not contradict it. The largest motion, if it is large enough, is what the camera does. After the camera "
        "motion of VBench-2.0 (Zheng et al., arXiv:2503.21755), which tracks points by a network."
    ),
    source=Source("camera", draw),
    measure=measure,
    scores=(
        Score("camera", "camera as told", chance=1 / len(CAMERAS)),
        Score("amid", "where things move by themselves, too", chance=1 / len(CAMERAS)),
        Score("moving", "where it should move"),
        Score("pan_x", "where it should pan left or right"),
    ),
    controls=(
        mirror(Bound("pan_x", high=WRONG)),
        backwards(Bound("moving", high=WRONG)),
        hold(Bound("moving", high=WRONG)),
    ),
    floors=(Bound("camera", low=RIGHT),),
    vae_floors=(Bound("camera", low=VAE_RIGHT),),
)
SUITES = (CAMERA,)
