# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""3-D scenes set in motion by MuJoCo: where every solid is in each frame, what touched what, who moved because of whom.

MuJoCo is the optional extra `worlds3d`. Moving needs the package alone; pictures (`render`) need OpenGL as well.
"""

import dataclasses
import functools
import importlib
import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from vidgen.worlds.solids.scene import COLORS, FLOORS, FPS, MATERIALS, Push, Solid, SolidScene
from vidgen.worlds.solids.viewpoint import first_quaternion, rotation_matrices

SUBSTEPS = 32
"""Steps of the simulation a frame: 1/256 s each, short enough for piles of boxes to stand still."""
GRAVITY = 9.81
FLOOR = -1
"""Stands for the floor where a solid's row is expected."""
APART_SECONDS = 0.12
"""Two things that touch again within this time have not parted: rocking is no new touch."""
STARTS = 0.02
"""Metres from its first place at which a solid is under way. Piles settle by less than 0.003."""
CAUSE_SECONDS = 0.15
"""A solid that gets under way was set off by what touched it within this time before."""

_TEXTURES = {
    "checker": 'builtin="checker" rgb1="1 1 1" rgb2=".8 .8 .8"',
    "edge": 'builtin="flat" mark="edge" rgb1="1 1 1" markrgb=".72 .72 .72"',
    "random": 'builtin="flat" mark="random" random=".12" rgb1="1 1 1" markrgb=".84 .84 .84"',
}
_GLOSS = {"matte": (0.0, 0.0), "shiny": (1.0, 0.75), "metal": (0.9, 0.25)}
"""Specular strength and shininess. Metal has a wide dull highlight, gloss a small sharp one."""
_GEOMS = {"ball": "sphere", "box": "box", "cylinder": "cylinder"}
_DENSITY = {"ball": 1300, "box": 500, "cylinder": 500}
"""kg/m3. Balls are heavy, so that what they hit is seen to move."""
_LAMP_SLOPE, _LAMP_AWAY = 0.62, 6.0
"""Of the lamp: horizontal share of its direction; metres from the middle of the floor."""


@dataclass(frozen=True)
class Touch:
    """Two things come together. time: seconds after the first frame. row, other: solids, the faster one first; other is
    FLOOR for the floor. speed: m/s at which they came together.
    """

    time: float
    row: int
    other: int
    speed: float


@dataclass(frozen=True, eq=False)
class Run:
    """A simulated scene; the arrays are float64, in metres, seconds and world axes.

    positions_FN3: middles. quaternions_FN4: w, x, y, z. velocities_FN3: m/s. spins_FN3: rad/s. touches: in order of
    time; what touches as the clip begins is not among them. moved_by: for each solid the row of the one that set it in
    motion, or -1 where nothing did.
    """

    positions_FN3: np.ndarray
    quaternions_FN4: np.ndarray
    velocities_FN3: np.ndarray
    spins_FN3: np.ndarray
    touches: tuple[Touch, ...]
    moved_by: tuple[int, ...]


def load_mujoco() -> Any:
    """The package `mujoco`. Raises ModuleNotFoundError, saying how to install it, where it is missing."""
    try:
        return importlib.import_module("mujoco")
    except ModuleNotFoundError as error:
        if error.name != "mujoco":
            raise
        raise ModuleNotFoundError(
            "3-D worlds need the package mujoco, which is not installed: pip install 'vidgen[worlds3d]'", name="mujoco"
        ) from error


def build_model(scene: SolidScene) -> Any:
    """The scene as an `mujoco.MjModel`: body 1 is solid 0 and so on; geom 0 is the floor, geom 1 solid 0."""
    return load_mujoco().MjModel.from_xml_string(model_xml(scene))


def model_xml(scene: SolidScene) -> str:
    """The scene in MuJoCo's XML (https://mujoco.readthedocs.io/en/stable/XMLreference.html).

    All scenes have the same textures and materials, in the same order, so that one renderer serves them all.
    """
    x, y = math.sin(scene.light) * _LAMP_SLOPE, -math.cos(scene.light) * _LAMP_SLOPE
    scale = _LAMP_AWAY / math.hypot(_LAMP_SLOPE, 1)
    bodies = "".join(_body(solid) for solid in scene.solids)
    return f"""<mujoco>
<option timestep="{1 / (FPS * SUBSTEPS)}" gravity="0 0 {-GRAVITY}" cone="elliptic"/>
<statistic extent="3" center="0 0 .4"/>
<visual>
  <quality shadowsize="256" offsamples="0" numslices="24" numstacks="14"/>
  <global offwidth="{2 * scene.width}" offheight="{2 * scene.height}"/>
  <headlight ambient=".44 .44 .46" diffuse=".2 .2 .2" specular="0 0 0"/>
  <map shadowclip="1.5" haze=".35" znear=".02" zfar="10"/><rgba haze=".93 .95 .97 1"/>
</visual>
<asset>{_assets()}</asset>
<default><geom friction=".35 .01 .0005" condim="4" solref=".01 .6"/></default>
<worldbody>
  <light directional="true" castshadow="true" pos="{x * scale} {y * scale} {scale}" dir="{-x} {-y} -1"
    diffuse=".64 .62 .58" specular=".6 .6 .6" ambient="0 0 0"/>
  <camera name="view" fovy="{math.degrees(scene.view.fov)}"/>
  <geom type="plane" size="0 0 1" material="{scene.floor}"/>
  {bodies}
</worldbody>
</mujoco>"""


def _assets() -> str:
    textures = "".join(
        f'<texture name="{name}" type="2d" width="128" height="128" {look}/>' for name, look in _TEXTURES.items()
    )
    sky = '<texture name="sky" type="skybox" width="32" height="32" builtin="gradient" '
    sky += 'rgb1=".66 .75 .87" rgb2=".93 .95 .97"/>'
    floors = "".join(
        f'<material name="{name}" rgba="{_rgba(floor.color)}" specular=".1" shininess=".1" '
        + (f'texture="{floor.pattern}" texuniform="true" ' if floor.pattern else "")
        + f'texrepeat="{floor.repeats[0]} {floor.repeats[1]}"/>'
        for name, floor in FLOORS.items()
    )
    materials = "".join(
        f'<material name="{name}" specular="{_GLOSS[name][0]}" shininess="{_GLOSS[name][1]}"/>' for name in MATERIALS
    )
    return textures + sky + floors + materials


def _body(solid: Solid) -> str:
    w, x, y, z = first_quaternion(solid)
    size = {"ball": solid.size[:1], "box": solid.size, "cylinder": solid.size[1:]}[solid.shape]
    return (
        f'<body pos="{solid.x} {solid.y} {solid.z}" quat="{w} {x} {y} {z}"><freejoint/>'
        f'<geom type="{_GEOMS[solid.shape]}" size="{" ".join(map(str, size))}" material="{solid.material}" '
        f'rgba="{_rgba(COLORS[solid.color])}" density="{_DENSITY[solid.shape]}"/></body>'
    )


def _rgba(color: tuple[int, int, int]) -> str:
    return " ".join(f"{value / 255:.4f}" for value in color) + " 1"


@functools.lru_cache(maxsize=16)
def simulate(scene: SolidScene) -> Run:
    """What happens in a scene. The same scene gives the same run; the last few runs are remembered.

    Raises ModuleNotFoundError where MuJoCo is missing.
    """
    mujoco, model = load_mujoco(), build_model(scene)
    data = mujoco.MjData(model)
    mujoco.mj_forward(model, data)
    count, steps = len(scene.solids), (scene.frames - 1) * SUBSTEPS
    pushes = sorted(scene.pushes, key=lambda push: push.time)
    qpos_SN7, qvel_SN6 = np.empty((steps + 1, count, 7)), np.empty((steps + 1, count, 6))
    pairs: list[tuple[tuple[int, int, float, float, float], ...]] = []
    for step in range(steps + 1):
        while pushes and pushes[0].time <= data.time + 1e-9:
            _push(scene.solids[pushes[0].row], pushes.pop(0), data)
        qpos_SN7[step], qvel_SN6[step] = data.qpos.reshape(count, 7), data.qvel.reshape(count, 6)
        pairs.append(_contacts(data))
        if step < steps:
            mujoco.mj_step(model, data)
    turns_SN33 = rotation_matrices(qpos_SN7[..., 3:])
    spins_SN3 = np.einsum("SNij,SNj->SNi", turns_SN33, qvel_SN6[..., 3:])
    touches = _touches(pairs, qvel_SN6[..., :3])
    whole = slice(None, None, SUBSTEPS)
    return Run(
        positions_FN3=qpos_SN7[whole, :, :3],
        quaternions_FN4=qpos_SN7[whole, :, 3:],
        velocities_FN3=qvel_SN6[whole, :, :3],
        spins_FN3=spins_SN3[whole],
        touches=touches,
        moved_by=_causes(scene, pairs, qpos_SN7[..., :3], np.linalg.norm(qvel_SN6[..., :3], axis=-1)),
    )


def counterfactual(scene: SolidScene) -> SolidScene:
    """The same scene without its pushes: what is different then happened because of them."""
    return dataclasses.replace(scene, pushes=())


def _push(solid: Solid, push: Push, data: Any) -> None:
    at = 6 * push.row
    data.qvel[at : at + 3] += push.velocity
    if solid.rolls:
        x, y, _ = push.velocity
        spin = np.array([-y, x, 0.0]) / solid.size[0]
        turn_33 = rotation_matrices(data.qpos[7 * push.row + 3 : 7 * push.row + 7])
        data.qvel[at + 3 : at + 6] += turn_33.T @ spin  # MuJoCo keeps a body's spin in its own axes


def _contacts(data: Any) -> tuple[tuple[int, int, float, float, float], ...]:
    """Pairs of rows that touch (the floor is -1, the lower first) and the direction from the first to the second."""
    if not data.ncon:
        return ()
    geoms, frames = data.contact.geom, data.contact.frame
    found = {}
    for (one, other), frame in zip(geoms.tolist(), frames[:, :3].tolist(), strict=True):
        sign = 1 if one < other else -1
        found[min(one, other) - 1, max(one, other) - 1] = tuple(sign * value for value in frame)
    return tuple((*pair, *normal) for pair, normal in found.items())


def _touches(pairs: list, velocities_SN3: np.ndarray) -> tuple[Touch, ...]:
    last = {(one, other): 0 for one, other, *_ in pairs[0]}
    found = []
    for step, now in enumerate(pairs):
        for one, other, *normal in now:
            before = last.get((one, other), -math.inf)
            last[one, other] = step
            if (step - before) / (FPS * SUBSTEPS) <= APART_SECONDS:
                continue
            # A step earlier, since in this one the contact has already slowed them.
            speed_N3 = velocities_SN3[max(step - 1, 0)]
            first = np.zeros(3) if one == FLOOR else speed_N3[one]
            closing = float((first - speed_N3[other]) @ np.array(normal))
            faster = one != FLOOR and np.linalg.norm(first) >= np.linalg.norm(speed_N3[other])
            row, target = (one, other) if faster else (other, one)
            found.append(Touch(step / (FPS * SUBSTEPS), row, target, max(closing, 0.0)))
    return tuple(found)


def _causes(scene: SolidScene, pairs: list, positions_SN3: np.ndarray, speeds_SN: np.ndarray) -> tuple[int, ...]:
    """See Run.moved_by."""
    under_way_SN = np.linalg.norm(positions_SN3 - positions_SN3[0], axis=-1) > STARTS
    start_N = np.where(under_way_SN.any(0), under_way_SN.argmax(0), len(speeds_SN))
    pushed = {push.row for push in scene.pushes if push.time * FPS * SUBSTEPS <= start_N[push.row]}
    causes = []
    for row in range(len(scene.solids)):
        start = int(start_N[row])
        if start == len(speeds_SN) or row in pushed:
            causes.append(-1)
            continue
        first = max(0, start - round(CAUSE_SECONDS * FPS * SUBSTEPS))
        near = {
            one if other == row else other
            for now in pairs[first : start + 1]
            for one, other, *_ in now
            if row in (one, other)
        }
        movers = [other for other in near - {FLOOR} if start_N[other] < start]
        causes.append(max(movers, key=lambda other: speeds_SN[first : start + 1, other].max(), default=-1))
    return tuple(causes)
