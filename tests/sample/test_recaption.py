# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""A recaptioning job ends with each example once, whoever dies on the way; bad texts are tried again and then told."""

import dataclasses
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from vidgen.data.builders.folder import FolderOptions
from vidgen.data.builders.recaptioned import DataSetExamples, FolderExamples
from vidgen.data.catalog import build, open_dataset
from vidgen.data.pipeline import pick_caption
from vidgen.data.recaptions import TABLE, RecaptionedItems, read_table
from vidgen.data.tokenizer import load_tokenizer
from vidgen.data.video import write_mp4
from vidgen.models.decoding import Decoding
from vidgen.sample.captioner import CaptionerCard, TrainedCaptioner
from vidgen.sample.recaption import RecaptionConfig, problem_of, problems, recaption

COUNT = 10


@pytest.fixture(scope="module")
def examples(tmp_path_factory: pytest.TempPathFactory) -> DataSetExamples:
    path = tmp_path_factory.mktemp("data") / "worlds"
    build("worlds", path, width=16, height=16, frames=5, train=COUNT, heldout=0)
    return DataSetExamples(path)


class Fake:
    """Names a clip by its brightness; the bad ones get a bad text until they are drawn often enough."""

    card = CaptionerCard("fake", "nothing", (8, 8), 3, 4, 24, 16, ())

    def __init__(self, dies_after: int = -1, bad: tuple[str, ...] = ()) -> None:
        self.calls, self.dies_after, self.bad = [], dies_after, bad

    def hash(self) -> str:
        return "abc"

    def placed(self) -> "Fake":
        return self

    def decoding(self, **changes) -> Decoding:
        return Decoding(**{"length": 24, **changes})

    def captions(self, clips, style, how, seed, batch) -> list[str]:
        if len(self.calls) == self.dies_after:
            raise RuntimeError("killed")
        assert all(clip.shape == (3, 8, 8, 3) for clip in clips)
        self.calls.append((len(clips), how.temperature, seed))
        return [self.bad[min(seed, len(self.bad) - 1)] if self.bad else f"a clip {int(clip.sum())}" for clip in clips]


CONFIG = RecaptionConfig(shard=3, batch=2, lease=0.2, wait=0.01)


def test_a_job_that_died_goes_on_and_each_example_is_there_once(examples: DataSetExamples, tmp_path: Path) -> None:
    out = tmp_path / "new"
    with pytest.raises(RuntimeError, match="killed"):
        recaption(examples, Fake(dies_after=3), out, CONFIG)
    assert not out.exists()
    second = Fake()
    report = recaption(examples, second, out, CONFIG)
    assert report.count == COUNT and sum(calls[0] for calls in second.calls) == COUNT - 3  # one shard was finished
    rows = read_table(out / TABLE)
    assert list(rows) == [f"train-{i}" for i in range(COUNT)]
    assert [path.name for path in tmp_path.iterdir()] == ["new"]
    source, old = open_dataset(out), open_dataset(examples.path)
    found = {}
    for i in range(COUNT):
        origin = source.origin(i)
        found[origin["id"]] = source[i]
        assert origin["recaption"]["hash"] == "abc" and origin["recaption"]["style"] == "descriptive"
        assert "scene" in origin
    for i in range(COUNT):
        item = found[f"train-{i}"]
        assert item["captions"] == old[i]["captions"]
        assert item["synthetic"] == (rows[f"train-{i}"]["caption"],)
        np.testing.assert_array_equal(item["video"], old[i]["video"])
    # The same command again has nothing to do; another one is told so.
    third = Fake()
    assert recaption(examples, third, out, CONFIG).count == COUNT and third.calls == []
    with pytest.raises(FileExistsError, match="not what this job would write"):
        recaption(examples, third, out, dataclasses.replace(CONFIG, style="short"))


def test_bad_texts_are_tried_again_and_then_told(examples: DataSetExamples, tmp_path: Path) -> None:
    slow = Fake(bad=("", "dog dog dog dog dog", "a dog runs to the left"))
    recaption(examples, slow, tmp_path / "late", dataclasses.replace(CONFIG, shard=COUNT, batch=COUNT))
    assert slow.calls == [(COUNT, 0.0, 0), (COUNT, 0.7, 1), (COUNT, 0.7, 2)]
    assert {row["tries"] for row in read_table(tmp_path / "late" / TABLE).values()} == {3}
    assert problems(tmp_path / "late") == {}
    recaption(examples, Fake(bad=("",)), tmp_path / "never", CONFIG)
    assert {what: len(ids) for what, ids in problems(tmp_path / "never").items()} == {"empty": COUNT}
    assert open_dataset(tmp_path / "never")[0]["synthetic"] == ()


@pytest.mark.parametrize(
    ("text", "full", "problem"),
    [
        ("a dog runs", False, ""),
        (" . ", False, "empty"),
        ("dog", False, "one word"),
        ("a dog a dog a dog a dog a dog", False, "repeats itself"),
        ("the the the dog", False, "repeats itself"),
        ("a dog runs", True, "cut"),
    ],
)
def test_what_is_degenerate(text: str, full: bool, problem: str) -> None:
    assert problem_of(text, full) == problem


def test_another_job_in_the_same_place_is_refused(examples: DataSetExamples, tmp_path: Path) -> None:
    with pytest.raises(RuntimeError):
        recaption(examples, Fake(dies_after=1), tmp_path / "new", CONFIG)
    with pytest.raises(ValueError, match="holds a job with style = 'descriptive', and this one has 'short'"):
        recaption(examples, Fake(), tmp_path / "new", dataclasses.replace(CONFIG, style="short"))


def test_a_folder_of_videos_needs_no_captions_and_names_what_is_broken(tmp_path: Path) -> None:
    folder = tmp_path / "videos"
    folder.mkdir()
    write_mp4(folder / "a.mp4", np.full((9, 16, 16, 3), 60, np.uint8), fps=8)
    write_mp4(folder / "b.mp4", np.full((9, 16, 16, 3), 200, np.uint8), fps=8)
    (folder / "b.txt").write_text("a light\n")
    (folder / "c.mp4").write_bytes(b"nothing")
    examples = FolderExamples(FolderOptions(folder=folder, width=16, height=16, frames=5))
    recaption(examples, Fake(), tmp_path / "new", CONFIG)
    rows = read_table(tmp_path / "new" / TABLE)
    assert [row["original"] for row in rows.values()] == [[], ["a light"], []]
    assert rows["a.mp4"]["caption"] != rows["b.mp4"]["caption"] != ""
    assert problems(tmp_path / "new") == {"unreadable": ["c.mp4"]}
    assert len(open_dataset(tmp_path / "new")) == 2


def test_training_draws_what_was_written_at_its_rate(tmp_path: Path) -> None:
    table = tmp_path / TABLE
    table.write_text(json.dumps({"id": "train-1", "original": ["old"], "caption": "new"}) + "\n")
    latents = [{"latent": 0, "captions": ("the scene's",)}] * 2
    items, fewer = (RecaptionedItems(latents, str(table), share) for share in (0.95, 0.3))
    assert "synthetic" not in items[0] and items[1]["captions"] == ("old",) and items[1]["synthetic"] == ("new",)
    tokenizer, rng = load_tokenizer(), np.random.default_rng(0)

    def share(item) -> float:
        new = tokenizer.batch(["new"], 4)[0]
        return float(np.mean([(pick_caption(item, rng, tokenizer, 4) == new).all() for _ in range(600)]))

    assert share(items[1]) == pytest.approx(0.95, abs=0.03)
    assert share(fewer[1]) == pytest.approx(0.3, abs=0.06)
    assert share(items[0]) == 0.0
    table.write_text(table.read_text() * 2)
    with pytest.raises(ValueError, match="line 2: the example 'train-1' is there twice"):
        read_table(table)


@pytest.mark.slow
def test_two_processes_share_a_job_and_one_is_killed(
    examples: DataSetExamples, captioner: TrainedCaptioner, tmp_path: Path
) -> None:
    captioner.save(tmp_path / "model")
    out, job = tmp_path / "new", tmp_path / ".new.job"
    argv = f"recaption {examples.path} --model {tmp_path / 'model'} --out {out} --shard 1 --batch 1 --lease 5".split()
    command = [sys.executable, "-m", "vidgen.cli.main", *argv]
    env = {**os.environ, "JAX_PLATFORMS": "cpu", "XLA_FLAGS": ""}
    workers = [subprocess.Popen(command, env=env, stderr=subprocess.DEVNULL) for _ in range(2)]
    try:
        while not list(job.glob("*.jsonl")) and all(worker.poll() is None for worker in workers):
            time.sleep(0.01)
        workers[0].send_signal(signal.SIGKILL)
        assert workers[1].wait(timeout=300) == 0
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()
    assert list(read_table(out / TABLE)) == list(examples.ids())
    assert len(open_dataset(out)) == COUNT and not job.exists()
