# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Captions of 3-D scenes: never false, read back to what they say, in many phrasings; claims checked from scratch."""

import dataclasses
import importlib.util
import itertools
import re

import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest

from vidgen.worlds.claims import Claim
from vidgen.worlds.solids import words
from vidgen.worlds.solids.captions import read_solid_caption, solid_caption, solid_claims
from vidgen.worlds.solids.claims import MOTIONS, OPPOSITE, WAYS
from vidgen.worlds.solids.draw import PLAYS, SolidConfig, draw_solids
from vidgen.worlds.solids.scene import FLOORS, MATERIALS, SHAPES, VIEWS, Push, Solid, SolidScene, View
from vidgen.worlds.solids.simulate import simulate
from vidgen.worlds.solids.viewpoint import camera_rig

pytestmark = pytest.mark.skipif(not importlib.util.find_spec("mujoco"), reason="needs the extra worlds3d")
BALL = Solid("ball", "red", "matte", (0.3, 0.3, 0.3), -0.9, 0.0, 0.3)
BOX = Solid("box", "blue", "shiny", (0.3, 0.3, 0.3), 0.3, 0.0, 0.3)

plays = st.sampled_from(PLAYS)


@hypothesis.settings(max_examples=40)
@hypothesis.given(
    plays,
    st.integers(0, 2**32),
    st.integers(0, 2**16),
    st.sampled_from(["short", "descriptive"]),
    st.sampled_from([1, 17]),
)
def test_a_caption_reads_back_to_what_is_true(play, seed, phrasing, style, frames):
    scene = draw_solids(SolidConfig(plays=(play,), frames=frames), seed)
    text = solid_caption(scene, phrasing, style)
    said, true = read_solid_caption(text), solid_claims(scene)
    assert said and said <= true, (text, said - true)
    if style == "descriptive":
        assert {claim for claim in said if claim.kind == "object"} == {c for c in true if c.kind == "object"}
    low, high = {"short": (2, 16), "descriptive": (8, 60)}[style]
    assert low <= len(text.split()) <= high, text
    assert text == solid_caption(scene, phrasing, style)
    assert read_solid_caption(f" {text.upper()} ") == said


@hypothesis.settings(max_examples=40)
@hypothesis.given(plays, st.integers(0, 2**32))
def test_claims_agree_with_the_state(play, seed):
    """Relations, ways and motions against positions, worked out here from scratch."""
    scene = draw_solids(SolidConfig(plays=(play,)), seed)
    run, rig = simulate(scene), camera_rig(scene)
    name_rows = {f"{solid.color} {solid.shape}": row for row, solid in enumerate(scene.solids)}
    at_FN2, depth_FN = rig.project(run.positions_FN3)
    for claim in solid_claims(scene):
        row, other = name_rows.get(claim.subject, -1), name_rows.get(claim.other, -1)
        path_F3 = run.positions_FN3[:, row]
        if claim.kind == "relation":
            half = slice(0, 9)
            values_F = {
                "left": at_FN2[half, other, 0] - at_FN2[half, row, 0],
                "in front": depth_FN[half, other] - depth_FN[half, row],
                "on": run.positions_FN3[:1, row, 2] - run.positions_FN3[:1, other, 2],
            }
            sign = 1 if claim.value in values_F else -1
            key = claim.value if sign == 1 else OPPOSITE[claim.value]
            assert (sign * values_F[key] > 0).all()
            assert Claim("relation", claim.other, OPPOSITE[claim.value], claim.subject) in solid_claims(scene)
        if claim.kind == "way":
            right, nearer = at_FN2[-1, row, 0] - at_FN2[0, row, 0], depth_FN[0, row] - depth_FN[-1, row]
            assert {"right": right, "left": -right, "nearer": nearer, "farther": -nearer}[claim.value] > 0.1
        if (claim.kind, claim.value) == ("motion", "still"):
            assert np.abs(path_F3 - path_F3[0]).max() < 0.03
        if claim.value == "falls":
            assert path_F3[0, 2] - path_F3[-1, 2] > 0.4
        if claim.value == "rolls":
            assert scene.solids[row].rolls and np.linalg.norm(path_F3[-1] - path_F3[0]) > 0.4
        if claim.kind == "pushes":
            assert Claim("motion", claim.other, "still") not in solid_claims(scene)
            assert not any(push.row == other for push in scene.pushes)


def test_claims_of_a_scene_written_by_hand():
    scene = SolidScene(0, 64, 64, 9, "sandy", 0.8, View(), (BALL, BOX), (Push(0, 0.0, (2.0, 0.0, 0.0)),))
    true = solid_claims(scene)
    assert true >= {
        Claim("object", "red ball"), Claim("material", "blue box", "shiny"), Claim("floor", value="sandy"),
        Claim("camera", value="still"), Claim("count", value="2"), Claim("relation", "red ball", "left", "blue box"),
        Claim("relation", "blue box", "right", "red ball"), Claim("motion", "red ball", "rolls"),
        Claim("way", "red ball", "right"), Claim("hits", "red ball", "", "blue box"),
        Claim("pushes", "red ball", "", "blue box"),
    }  # fmt: skip
    said = "a red ball rolls to the right and hits a shiny blue box on sand; the camera is still"
    assert read_solid_caption(said) <= true
    for lie in (
        "a red ball rolls to the left", "a blue ball", "a metal blue box", "a red ball right of a blue box",
        "a blue box hits a red ball", "a red ball on a dark floor", "a red ball; three objects in all",
        "a red ball and a blue box; the camera pans left", "a blue box rests", "a red ball knocks over a blue box",
    ):  # fmt: skip
        assert not read_solid_caption(lie) <= true, lie


def test_seen_from_the_other_side_left_is_right_and_front_is_behind():
    far = dataclasses.replace(BOX, color="green", x=-0.8, y=1.2)
    scene = SolidScene(0, 64, 64, 1, "sandy", 0.8, View(), (BALL, BOX, far))
    behind = dataclasses.replace(scene, view=View(azimuth=np.pi))
    for one, value, other in (("red ball", "left", "blue box"), ("red ball", "in front", "green box")):
        assert Claim("relation", one, value, other) in solid_claims(scene)
        assert Claim("relation", one, OPPOSITE[value], other) in solid_claims(behind)
        assert Claim("relation", one, value, other) not in solid_claims(behind)


def test_what_is_not_clear_is_not_claimed():
    near = dataclasses.replace(BOX, x=-0.4)
    scene = SolidScene(0, 64, 64, 1, "sandy", 0.8, View(), (BALL, near))
    assert not any(claim.kind == "relation" for claim in solid_claims(scene))


def test_all_words_are_used_and_each_has_one_meaning():
    assert set(words.SHAPE_WORDS) == set(SHAPES) and set(words.MATERIAL_WORDS) == set(MATERIALS)
    assert set(words.FLOOR_WORDS) == set(FLOORS) and set(words.CAMERA_WORDS) == set(VIEWS)
    assert set(words.WAY_WORDS) == set(WAYS) and set(words.RELATION_WORDS) == set(OPPOSITE)
    assert {value for kind, value in words.VERBS if kind == "motion"} == set(MOTIONS)
    forms = [form for pairs in words.VERBS.values() for form in itertools.chain(*pairs)]
    assert len(forms) == len(set(forms))
    texts = {solid_caption(draw_solids(SolidConfig(plays=("hit",)), 5), phrasing) for phrasing in range(60)}
    assert len(texts) > 45


@pytest.mark.parametrize(
    "text",
    ["", "a red dog", "a red ball flies", "the camera explodes", "a red ball rolls to the moon", "a red ball and"],
)
def test_what_cannot_be_read_is_quoted(text):
    with pytest.raises(ValueError, match=re.escape(repr(text))):
        read_solid_caption(text)


def test_styles_are_checked():
    with pytest.raises(ValueError, match="short, descriptive, any"):
        solid_caption(SolidScene(0, 64, 64, 1, "sandy", 0.8, View(), (BALL,)), 0, "long")
