# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Pictures of 3-D scenes, and which pixel shows which solid, by MuJoCo's renderer in software or on a GPU.

OpenGL comes from EGL or, where that is missing, from OSMesa; the environment variable MUJOCO_GL (egl, osmesa, glfw)
chooses one. Both draw without a display.
"""

import atexit
import ctypes
import ctypes.util
import importlib
import os
import threading
from dataclasses import dataclass
from typing import Any

import numpy as np

from vidgen.typing import Frames
from vidgen.worlds.solids.scene import SolidScene
from vidgen.worlds.solids.simulate import Run, build_model, load_mujoco, simulate
from vidgen.worlds.solids.viewpoint import Rig, camera_rig

OVERSAMPLING = 2
"""Pictures are drawn this many times larger, and averaged: edges are smooth, and cheaper so than by multisampling."""
PACKAGES = "libegl1 libegl-mesa0 libgl1 libgl1-mesa-dri libosmesa6"
"""Debian's packages with the libraries that are needed."""

_LIBRARIES = {"egl": "EGL", "osmesa": "OSMesa", "glfw": "GL"}


@dataclass(frozen=True, eq=False)
class Shot:
    """A rendered scene. frames_FHWC: uint8 RGB. segments_FHWN: float32, the share of each pixel that shows a solid."""

    frames_FHWC: Frames
    segments_FHWN: np.ndarray


def choose_gl() -> str:
    """Names what draws, egl, osmesa or glfw: as MUJOCO_GL asks, else the first of EGL and OSMesa that is there.

    Raises RuntimeError, naming Debian's packages, when neither is there, and ValueError for another MUJOCO_GL.
    """
    asked = os.environ.get("MUJOCO_GL", "").strip().lower()
    if asked and asked not in _LIBRARIES:
        raise ValueError(f"MUJOCO_GL must be one of {', '.join(_LIBRARIES)}, or unset; it is {asked!r}")
    for name in (asked,) if asked else ("egl", "osmesa"):
        if _has_library(_LIBRARIES[name]):
            return name
    missing = f"lib{_LIBRARIES[asked]} (MUJOCO_GL={asked})" if asked else "libEGL and libOSMesa"
    raise RuntimeError(f"3-D worlds cannot draw: there is no {missing}. {_advice()}")


def _has_library(name: str) -> bool:
    return ctypes.util.find_library(name) is not None


def _advice() -> str:
    return f"On Debian or Ubuntu: apt-get install -y {PACKAGES}"


def missing() -> str:
    """Why 3-D worlds cannot be drawn here, and what to install; "" where they can."""
    try:
        load_mujoco()
        choose_gl()
    except (ModuleNotFoundError, RuntimeError) as error:
        return str(error)
    return ""


def render_solids(scene: SolidScene) -> Frames:
    """The frames of a scene, uint8 [F, H, W, 3].

    Raises ModuleNotFoundError where MuJoCo is missing and RuntimeError where OpenGL is, both saying what to install.
    """
    run = simulate(scene)
    return _studio(scene).frames(scene, run, camera_rig(scene))


def shoot(scene: SolidScene) -> Shot:
    """The frames of a scene, and which solid every pixel shows. Takes half as long again as `render_solids`."""
    run, rig, studio = simulate(scene), camera_rig(scene), _studio(scene)
    return Shot(studio.frames(scene, run, rig), studio.segments(scene, run, rig))


class _Studio:
    """A renderer for pictures of one size. It serves every scene, since scenes share textures and materials."""

    def __init__(self, scene: SolidScene) -> None:
        mujoco = load_mujoco()
        backend = choose_gl()
        # Mesa's software renderer spends more on handing pictures this small to threads than on drawing them.
        os.environ.setdefault("LP_NUM_THREADS", "0")
        try:
            context = importlib.import_module(f"mujoco.{backend}").GLContext
            self.gl = context(scene.width * OVERSAMPLING, scene.height * OVERSAMPLING)
            self.gl.make_current()
        except (ImportError, RuntimeError, AttributeError, OSError) as error:
            raise RuntimeError(f"3-D worlds cannot draw by {backend}: {error}. {_advice()}") from error
        self.renderer = mujoco.MjrContext(build_model(scene), mujoco.mjtFontScale.mjFONTSCALE_50.value)
        mujoco.mjr_setBuffer(mujoco.mjtFramebuffer.mjFB_OFFSCREEN.value, self.renderer)
        self.size = (scene.width, scene.height)

    def close(self) -> None:
        self.gl.make_current()
        self.renderer.free()
        self.gl.free()

    def frames(self, scene: SolidScene, run: Run, rig: Rig) -> Frames:
        frames_FHWC = np.empty((scene.frames, scene.height, scene.width, 3), np.uint8)
        for frame, large_HWC in enumerate(self._draw(scene, run, rig, ids=False)):
            mean_HWC = _blocks(large_HWC).mean(axis=(1, 3), dtype=np.float32)
            frames_FHWC[frame] = np.round(mean_HWC)
        return frames_FHWC

    def segments(self, scene: SolidScene, run: Run, rig: Rig) -> np.ndarray:
        segments_FHWN = np.empty((scene.frames, scene.height, scene.width, len(scene.solids)), np.float32)
        rows_N = np.arange(len(scene.solids))
        for frame, large_HWC in enumerate(self._draw(scene, run, rig, ids=True)):
            # With one light and no other decoration, a geom's number in the scene is its id, and black stands for 0.
            row_HW = large_HWC[..., 0].astype(np.int64) - 2
            segments_FHWN[frame] = _blocks(row_HW[..., None] == rows_N).mean(axis=(1, 3))
        return segments_FHWN

    def _draw(self, scene: SolidScene, run: Run, rig: Rig, ids: bool):
        """Yields every frame at the larger size, uint8 [2 H, 2 W, 3]; ids: colours are numbers of geoms, from 1 on."""
        mujoco, model = load_mujoco(), build_model(scene)
        data, view = mujoco.MjData(model), mujoco.MjvScene(model, maxgeom=len(scene.solids) + 8)
        options, camera = mujoco.MjvOption(), mujoco.MjvCamera()
        camera.type, camera.fixedcamid = mujoco.mjtCamera.mjCAMERA_FIXED.value, 0
        width, height = (side * OVERSAMPLING for side in self.size)
        viewport = mujoco.MjrRect(0, 0, width, height)
        mujoco.mj_forward(model, data)
        self.gl.make_current()
        for frame in range(scene.frames):
            data.qpos[:] = np.concatenate([run.positions_FN3[frame], run.quaternions_FN4[frame]], axis=1).ravel()
            mujoco.mj_kinematics(model, data)
            # MuJoCo's cameras look along their -z, with y up.
            right, down, forward = rig.axes_F33[frame]
            data.cam_xpos[0], data.cam_xmat[0] = rig.position_F3[frame], np.stack([right, -down, -forward], 1).ravel()
            mujoco.mjv_updateScene(model, data, options, None, camera, mujoco.mjtCatBit.mjCAT_ALL.value, view)
            view.flags[mujoco.mjtRndFlag.mjRND_HAZE.value] = 1
            for flag in (mujoco.mjtRndFlag.mjRND_SEGMENT, mujoco.mjtRndFlag.mjRND_IDCOLOR):
                view.flags[flag.value] = int(ids)
            pixels_HWC = np.empty((height, width, 3), np.uint8)
            mujoco.mjr_render(viewport, view, self.renderer)
            mujoco.mjr_readPixels(pixels_HWC, None, viewport, self.renderer)
            yield pixels_HWC[::-1]


def _blocks(large_HWC: np.ndarray) -> np.ndarray:
    """[H, oversampling, W, oversampling, C]: the samples of every pixel on axes 1 and 3."""
    height, width, channels = large_HWC.shape
    return large_HWC.reshape(height // OVERSAMPLING, OVERSAMPLING, width // OVERSAMPLING, OVERSAMPLING, channels)


_studios = threading.local()
"""A context of OpenGL belongs to the thread that made it."""


def _studio(scene: SolidScene) -> _Studio:
    kept: dict[tuple[int, int], Any] | None = getattr(_studios, "kept", None)
    if kept is None:
        kept = _studios.kept = {}
    size = (scene.width, scene.height)
    if size not in kept:
        kept[size] = _Studio(scene)
        # At exit what is registered last comes first: this must be later than what `mujoco.egl` registers.
        atexit.register(_close, kept)
    return kept[size]


def _close(kept: dict[tuple[int, int], _Studio]) -> None:
    for studio in kept.values():
        studio.close()
    kept.clear()
