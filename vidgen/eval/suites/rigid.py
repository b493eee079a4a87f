# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""3-D consistency: five or six solids at rest, round which the camera goes; can what it shows be one rigid scene?"""

import dataclasses
import math

import numpy as np

from vidgen.eval.rigid import LEAST_FRAMES, fit_rigid
from vidgen.eval.suite import Bound, Case, Control, NotApplicableError, Outcome, Score, Setting, Source, Suite
from vidgen.eval.suites.seeing import RIGHT, VAE_RIGHT, WRONG, backwards, hold, mirror
from vidgen.worlds.solids.captions import read_solid_caption, solid_caption
from vidgen.worlds.solids.detect import solid_tracks, track_points
from vidgen.worlds.solids.draw import ORBITS, draw_solids
from vidgen.worlds.solids.render import missing, render_solids
from vidgen.worlds.solids.scene import SolidScene

FIRST_SEED = 500_000
"""Scenes of cases begin here; the detector of shapes was fitted to scenes from 1,000,000 on."""
LONGEST = 33
"""Frames of a case at most: a longer clip says no more of one orbit."""
PHRASINGS = 24
WITHIN = 0.5
"""Pixels of a frame 64 pixels high: largest reprojection error of what counts as one rigid scene."""
GOES_ROUND = 0.15
"""Least angle in radians by which the camera must have gone round. Orbits of cases cover 0.6 to 1."""
SWAYS = 0.08
"""Of the control: share of the height by which the left half of the picture sways up and down."""


def draw(setting: Setting, n: int, seed: int) -> tuple[Case, ...]:
    """Prompts that name all solids and that the camera orbits; a case expects its View and the shape of each colour."""
    if setting.frames < LEAST_FRAMES:
        raise NotApplicableError(f"its cases need {LEAST_FRAMES} frames")
    if reason := missing():
        raise NotApplicableError(reason)
    size, frames = min(setting.width, setting.height), min(LONGEST, setting.frames)
    config = dataclasses.replace(ORBITS, width=size, height=size, frames=frames)
    cases = []
    for at in range(n):
        scene = draw_solids(config, FIRST_SEED + seed * 2**16 + at)
        shapes = {solid.color: solid.shape for solid in scene.solids}
        cases.append(Case(_prompt(scene), scene, render_solids, (scene.view, shapes)))
    return tuple(cases)


def _prompt(scene: SolidScene) -> str:
    """Of some captions that name everything the shortest that speaks of the camera."""
    texts = [solid_caption(scene, seed, "descriptive") for seed in range(PHRASINGS)]
    about = [text for text in texts if any(claim.kind == "camera" for claim in read_solid_caption(text))]
    return min(about or texts, key=lambda text: (len(text.split()), text))


def measure(clip_FHWC: np.ndarray, case: Case) -> Outcome:
    """error: of the fit, pixels of a frame 64 high. rigid: whether it is small, and the camera went round. round:
    whether that was to the side that was asked for. found: of each solid, whether its colour is there with its shape.
    """
    view, shapes = case.expects
    tracks = solid_tracks(clip_FHWC)
    found = tuple(color in tracks and tracks[color].shape == shape for color, shape in shapes.items())
    _, points_FN2 = track_points(tracks, len(clip_FHWC))
    height, width = clip_FHWC.shape[1:3]
    fit = fit_rigid(points_FN2, width, height, view.fov)
    if fit is None:
        return {"rigid": None, "error": None, "round": None, "found": found}
    error = fit.error * 64 / height
    turned = abs(fit.turn) > GOES_ROUND
    return {
        "rigid": error <= WITHIN and turned,
        "error": error,
        "round": turned and (fit.turn > 0) == (view.kind == "orbit right"),
        "found": found,
    }


def half_mirrored(clips_FHWC: np.ndarray) -> np.ndarray:
    """Left and right are exchanged from the middle of the clip on; any leading axes."""
    first, last = np.split(clips_FHWC, [clips_FHWC.shape[-4] // 2], axis=-4)
    return np.concatenate([first, last[..., ::-1, :]], axis=-4)


def swaying(clips_FHWC: np.ndarray) -> np.ndarray:
    """The left half of the picture sways up and down twice, the right half does not; any leading axes."""
    swayed = clips_FHWC.copy()
    frames, height, width = clips_FHWC.shape[-4:-1]
    for frame in range(frames):
        shift = round(SWAYS * height * math.sin(4 * math.pi * frame / max(frames - 1, 1)))
        half = clips_FHWC[..., frame, :, : width // 2, :]
        swayed[..., frame, :, : width // 2, :] = np.roll(half, shift, axis=-3)
    return swayed


RIGID = Suite(
    name="rigid",
    title="3-D consistency",
    definition=(
        "Five or six solids at rest, round which the camera goes. Their middles are tracked, and fitted by bundle "
        "adjustment (Triggs et al. 2000) to one rigid scene that a camera sees from a smooth path round it. A clip is "
        f"consistent if the reprojection error is at most {WITHIN} px at 64 pixels of height and the camera went round "
        "at all. A thing that drifts steadily cannot be told from one that rests elsewhere."
    ),
    source=Source("orbits", draw),
    measure=measure,
    scores=(
        Score("rigid", "one rigid scene, a miss is wrong", miss=False),
        Score("error", "reprojection error, where enough is seen", unit="px", better="lower"),
        Score("round", "camera goes round to the side asked for, a miss is wrong", miss=False),
        Score("found", "colour and shape named in the prompt are there", miss=False),
    ),
    controls=(
        mirror(Bound("round", high=WRONG)),
        backwards(Bound("round", high=WRONG)),
        hold(Bound("rigid", high=WRONG), Bound("round", high=WRONG)),
        Control("half mirrored", "left and right exchanged half-way", (Bound("rigid", high=WRONG),), half_mirrored),
        Control("swaying", "the left half of the picture sways", (Bound("rigid", high=WRONG),), swaying),
    ),
    floors=(Bound("rigid", low=RIGHT), Bound("error", high=0.5), Bound("round", low=RIGHT), Bound("found", low=RIGHT)),
    vae_floors=(Bound("rigid", low=VAE_RIGHT),),
)

SUITES = (RIGID,)
