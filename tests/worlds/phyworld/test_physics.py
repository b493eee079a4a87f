# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""What mechanics conserves is conserved to float precision, and motion is what its equations say."""

import dataclasses
import json
import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from vidgen.worlds.phyworld.physics import (
    EXTENT,
    Body,
    PhyScene,
    bounce,
    energy,
    ground_truth,
    impact_time,
    momentum,
    motion,
    scene_from_dict,
)

place = st.floats(0, EXTENT)
speed = st.floats(-6, 6)
radius = st.floats(0.3, 2)
fall = st.sampled_from([0.0, -2.5])
pairs = st.builds(
    lambda a, b, r: (Body(*a, r[0], "red"), Body(*b, r[1], "blue")),
    st.tuples(place, place, speed, speed),
    st.tuples(place, place, speed, speed),
    st.tuples(radius, radius),
)


def meeting(first, radii, angle, closing, sliding, after, gravity):
    """Two discs that touch after a known time, their centres then at an angle: (scene, that time)."""
    normal = np.array([math.cos(angle), math.sin(angle)])
    velocity = np.array([first[2:], first[2:] - closing * normal + sliding * np.array([-normal[1], normal[0]])])
    touching = np.array([first[:2], first[:2] + sum(radii) * normal])
    start = touching - velocity * after
    bodies = (
        Body(*map(float, (*at, *speed)), size, color)
        for at, speed, size, color in zip(start, velocity, radii, ("red", "blue"), strict=True)
    )
    return PhyScene("collision", tuple(bodies), gravity), after


meetings = st.builds(
    meeting,
    st.tuples(place, place, speed, speed).map(np.array),
    st.tuples(radius, radius),
    st.floats(0, 2 * math.pi),
    st.floats(0.05, 12),
    st.floats(-6, 6),
    st.floats(0.01, 4),
    fall,
)


def scene_of(bodies, gravity=0.0):
    first, second = bodies
    assume(math.hypot(second.x - first.x, second.y - first.y) > first.radius + second.radius)
    return PhyScene("collision", bodies, gravity)


@settings(max_examples=150, deadline=None)
@given(meetings)
def test_an_impact_comes_in_time_and_conserves_momentum_and_energy(met):
    scene, after = met
    impact = impact_time(scene)
    assert impact == pytest.approx(after, rel=1e-6)
    times = np.linspace(0, 2 * after + 0.1, 41)
    position, velocity = motion(scene, times)
    mass = np.array([body.mass for body in scene.bodies])
    total = energy(position, velocity, mass, scene.gravity)
    scale = np.abs(energy(position, velocity, mass, 0.0)).max() + np.abs(scene.gravity * position[..., 1] @ mass).max()
    np.testing.assert_allclose(total, total[0], rtol=0, atol=1e-10 * scale)
    # Gravity adds to the momentum, at a known rate; nothing else does.
    added = np.stack([np.zeros(41), scene.gravity * times * mass.sum()], 1)
    carried = momentum(velocity, mass) - added
    np.testing.assert_allclose(carried, np.broadcast_to(carried[0], carried.shape), rtol=0, atol=1e-11 * mass.sum())


@settings(max_examples=150, deadline=None)
@given(pairs, fall)
def test_discs_touch_at_the_impact_and_never_overlap(bodies, gravity):
    scene = scene_of(bodies, gravity)
    reach = sum(body.radius for body in scene.bodies)
    impact = impact_time(scene)
    times = np.linspace(0, 6, 301)
    position, _ = motion(scene, times)
    apart = np.linalg.norm(position[:, 1] - position[:, 0], axis=-1)
    assert (apart > reach - 1e-7).all()
    if impact is None:
        return
    assume(impact < 1e3)
    touching, _ = motion(scene, np.array([impact]))
    assert np.linalg.norm(touching[0, 1] - touching[0, 0]) == pytest.approx(reach, rel=1e-9)


@settings(max_examples=60, deadline=None)
@given(meetings)
def test_an_impact_only_changes_velocities_along_the_line_of_the_centres(met):
    scene, after = met
    scene = dataclasses.replace(scene, gravity=0.0)
    _, left = motion(scene, np.array([after + 1e-6]))
    before = np.array([(body.vx, body.vy) for body in scene.bodies])
    touching, _ = motion(scene, np.array([impact_time(scene)]))
    normal = (touching[0, 1] - touching[0, 0]) / np.linalg.norm(touching[0, 1] - touching[0, 0])
    change = left[0] - before
    assert np.abs(change).max() > 0
    np.testing.assert_allclose(change - np.outer(change @ normal, normal), 0, atol=1e-11)
    # Elastic: they part as fast as they met.
    assert (left[0, 1] - left[0, 0]) @ normal == pytest.approx((before[0] - before[1]) @ normal, abs=1e-11)


def test_equal_balls_exchange_their_velocities():
    scene = PhyScene("collision", (Body(2, 5, 3, 0, 1, "red"), Body(7, 5, -1, 0, 1, "blue")))
    assert impact_time(scene) == pytest.approx(3 / 4)
    position, velocity = motion(scene, np.array([0.0, 0.75, 1.0]))
    np.testing.assert_allclose(velocity[:, :, 0], [[3, -1], [-1, 3], [-1, 3]])
    np.testing.assert_allclose(position[:, :, 0], [[2, 7], [4.25, 6.25], [4, 7]])


def test_a_heavy_ball_goes_on_by_hand():
    # m1 = 4 m2, meeting at 5 units a second: v1 = (3 v1 + 2 v2) / 5, v2 = (8 v1 - 3 v2) / 5.
    after = bounce(np.array([[0.0, 0.0], [3.0, 0.0]]), np.array([[4.0, 1.0], [-1.0, 0.0]]), np.array([4.0, 1.0]))
    np.testing.assert_allclose(after, [[2, 1], [7, 0]])


def test_a_miss_and_a_parting_are_no_impacts():
    apart = (Body(2, 2, 1, 0, 0.5, "red"), Body(6, 8, -1, 0, 0.5, "blue"))
    parting = (Body(2, 5, -1, 0, 0.5, "red"), Body(6, 5, 1, 0, 0.5, "blue"))
    following = (Body(2, 5, 1, 0, 0.5, "red"), Body(6, 5, 2, 0, 0.5, "blue"))
    for bodies in (apart, parting, following, apart[:1]):
        scene = PhyScene("collision", bodies)
        assert impact_time(scene) is None
        assert ground_truth(scene).impact is None
        velocity = ground_truth(scene).velocity_FN2
        assert (velocity == velocity[0]).all()


def test_a_thrown_ball_follows_its_parabola():
    truth = ground_truth(PhyScene("parabola", (Body(1, 9, 2, 0, 0.8),), -2.5))
    time = np.arange(32) * 0.1
    np.testing.assert_allclose(truth.position_FN2[:, 0], np.stack([1 + 2 * time, 9 - 1.25 * time**2], 1))
    np.testing.assert_allclose(truth.velocity_FN2[:, 0, 1], -2.5 * time)
    seen = (9 - 1.25 * time**2 >= 0.8) & (1 + 2 * time <= 9.2)
    assert (truth.visible_FN[:, 0] == seen).all() and 0 < seen.sum() < 32


def test_a_body_is_visible_only_while_all_of_it_is_inside():
    time = np.arange(32) * 0.1
    for vx, vy in ((2, 0), (-2, 0), (0, 2), (0, -2)):
        truth = ground_truth(PhyScene("uniform", (Body(5, 5, vx, vy, 1),)))
        assert (truth.visible_FN[:, 0] == (2 * time <= 4)).all()


def test_scenes_survive_json():
    scene = PhyScene("collision", (Body(2, 5, 3, 0, 1, "red"), Body(7, 5, -1, 0, 1, "blue")), frames=17, size=32)
    assert scene_from_dict(json.loads(json.dumps(scene.to_dict()))) == scene


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Body(1, 1, 0, 0, 1, "green"), "red or blue"),
        (lambda: Body(1, 1, 0, 0, 0), "radius above 0"),
        (lambda: Body(1, math.nan, 0, 0, 1), "finite"),
        (lambda: PhyScene("uniform", ()), "one body or two"),
        (lambda: PhyScene("uniform", (Body(1, 1, 0, 0, 1),), step=0), "step above 0"),
        (lambda: PhyScene("collision", (Body(1, 1, 0, 0, 1), Body(5, 1, 0, 0, 1))), "different colours"),
        (lambda: PhyScene("collision", (Body(1, 1, 0, 0, 1), Body(2, 1, 0, 0, 1, "blue"))), "apart at time 0"),
        (lambda: PhyScene("collision", (Body(1, 1, 0, 0, 1), Body(5, 1, 0, 0, 1, "blue", "square"))), "must be discs"),
    ],
)
def test_mistakes_get_a_clear_line(make, message):
    with pytest.raises(ValueError, match=message):
        make()
