# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""PhyWorld on disk: what is built is what was drawn, with its state, and the test splits are what they say."""

import numpy as np
import pytest

from vidgen.cli import main as cli
from vidgen.data.builders.phyworld import PhyWorldOptions
from vidgen.data.catalog import build, open_dataset, read_report
from vidgen.worlds.phyworld.discs import render
from vidgen.worlds.phyworld.physics import ground_truth, scene_from_dict
from vidgen.worlds.phyworld.scene import RADIUS, SPLITS, VELOCITY, caption, description

SMALL = {"size": 16, "frames": 8}


def test_a_task_is_stored_without_loss_and_with_its_truth(tmp_path):
    calls = []
    sizes = {"train": 3, "in_distribution": 2, "out_of_distribution": 2}
    progress = lambda *call: calls.append(call)  # noqa: E731
    report = build("phyworld", tmp_path / "out", task="collision", seed=5, **SMALL, **sizes, progress=progress)
    assert report.splits == sizes
    assert calls == [(done, 7) for done in range(1, 8)]
    assert read_report(tmp_path / "out").options["task"] == "collision"
    options = PhyWorldOptions(task="collision", seed=5, **SMALL, **sizes)
    for split, size in sizes.items():
        built = open_dataset(tmp_path / "out", split)
        drawn = {options.scene(split, index) for index in range(size)}
        assert len(drawn) == size
        for index in range(size):
            origin, item = built.origin(index), built[index]
            scene = scene_from_dict(origin["scene"])
            drawn.remove(scene)
            assert np.array_equal(render(scene), item["video"])
            assert item["captions"] == (caption(scene), description(scene))
            truth = ground_truth(scene)
            assert np.array_equal(origin["truth"]["position_FN2"], truth.position_FN2)
            assert origin["truth"]["impact"] == truth.impact
            inside = [
                VELOCITY[0] <= abs(body.vx) <= VELOCITY[1] and RADIUS[0] <= body.radius <= RADIUS[1]
                for body in scene.bodies
            ]
            assert all(inside) == (split != "out_of_distribution")
        assert not drawn


def test_another_seed_gives_other_scenes_and_splits_are_apart():
    first, second = PhyWorldOptions(seed=0), PhyWorldOptions(seed=1)
    scenes = [options.scene(split, index) for options in (first, second) for split in SPLITS for index in range(10)]
    assert len(set(scenes)) == len(scenes)


def test_the_command_line_builds_it(tmp_path, capsys):
    argv = ["data", "build", "phyworld", "--out", str(tmp_path / "out"), "--task", "color-shape", "--size", "16"]
    argv += ["--frames", "8", "--train", "2", "--in-distribution", "0", "--out-of-distribution", "1"]
    assert cli.main(argv) == 0
    assert capsys.readouterr().out == f"{tmp_path / 'out'}: 2 train, 1 out_of_distribution\n"
    assert cli.main(["data", "build", "phyworld", "--out", str(tmp_path / "more"), "--task", "billiards"]) == 2
    assert "billiards" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"task": "billiards"}, "there are uniform"),
        ({"frames": 4}, "at least 8 frames"),
        ({"gap": (3.0, 2.0)}, "gap lies within"),
        ({"train": 0, "in_distribution": 0, "out_of_distribution": 0}, "one clip at least"),
        ({"seed": -1}, "seed=-1"),
    ],
)
def test_mistakes_get_a_clear_line(options, message):
    with pytest.raises(ValueError, match=message):
        PhyWorldOptions(**options)
