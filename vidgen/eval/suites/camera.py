# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Prompts that say what the camera does."""

import dataclasses

import numpy as np

from vidgen.eval.alignment import scene_config
from vidgen.eval.suite import Bound, Case, NotApplicableError, Outcome, Score, Setting, Source, Suite
from vidgen.eval.suites.drawing import draw_until, shortest_prompt
from vidgen.eval.suites.seeing import RIGHT, VAE_RIGHT, WRONG, backwards, hold, mirror
from vidgen.worlds.camera_detect import camera_kind
from vidgen.worlds.motion import CAMERAS
from vidgen.worlds.render import render
from vidgen.worlds.scene import draw_scene

FRAMES = 17


def draw(setting: Setting, n: int, seed: int) -> tuple[Case, ...]:
    """Scenes in which nothing but the camera moves, each way of it as often, and prompts that say how."""
    if setting.frames < 5 or len(setting.concepts) < 2:
        raise NotApplicableError("its cases need 5 frames and two concepts")
    config = scene_config(setting.concepts, min(FRAMES, setting.frames), min(setting.width, setting.height))
    config = dataclasses.replace(config, objects=(1, 2), motions=("still",), split="all")

    def case(row: int, scene_seed: int) -> Case | None:
        kind = CAMERAS[row % len(CAMERAS)]
        scene = draw_scene(dataclasses.replace(config, cameras=(kind,)), scene_seed)
        prompt = shortest_prompt(scene, lambda said: any(claim.kind == "camera" for claim in said))
        names = tuple(sorted(thing.concept for thing in scene.objects))
        return Case(prompt[0], scene, render, kind, names) if prompt else None

    return draw_until(n, seed, case, "what the camera does")


def measure(clip_FHWC: np.ndarray, case: Case) -> Outcome:
    """camera: whether it does what the prompt says; pan_x, moving: of the prompts where it goes left or right, or goes
    at all.
    """
    right = camera_kind(clip_FHWC) == case.expects
    return {
        "camera": right,
        "pan_x": right if case.expects in ("pan left", "pan right") else (),
        "moving": right if case.expects != "still" else (),
    }


CAMERA = Suite(
    name="camera",
    title="Camera",
    definition=(
        "A prompt says that the camera stands still, pans left, right, up or down, or zooms in or out, each as often. "
        "Frames are registered to their neighbours by shift and scale (Lucas and Kanade, IJCAI 1981), with weights "
        "that leave out what moves by itself; the largest of the summed motions, if it is large enough, is what the "
        "camera does. After the camera motion of VBench-2.0 (Zheng et al., arXiv:2503.21755), which tracks points by a "
        "network."
    ),
    source=Source("camera", draw),
    measure=measure,
    scores=(
        Score("camera", "camera as told", chance=1 / len(CAMERAS)),
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
