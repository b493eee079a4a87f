# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""A run's files, other than checkpoints, in a bucket (one in memory): the same as in a folder."""

import dataclasses
from pathlib import Path

import fsspec
import numpy as np
import pytest
from etils import epath
from fsspec.implementations.memory import MemoryFileSystem

from vidgen import train as training
from vidgen.config import load_experiment
from vidgen.train import storage
from vidgen.train.goodput import Goodput
from vidgen.train.log import Log


class Bucket(MemoryFileSystem):
    """What gcsfs would be."""

    protocol = "gs"
    store: dict = {}  # noqa: RUF012 - fsspec keeps what is in memory here
    pseudo_dirs = [""]  # noqa: RUF012

    @classmethod
    def _strip_protocol(cls, path: str) -> str:
        return "/" + str(path).removeprefix("gs://").strip("/")


@pytest.fixture
def bucket(monkeypatch) -> epath.Path:
    Bucket.store.clear()
    Bucket.pseudo_dirs[:] = [""]
    backend = epath.backend.fsspec_backend
    monkeypatch.setattr(fsspec, "filesystem", lambda *_, **__: Bucket())
    monkeypatch.setattr(backend, "_get_filesystem", lambda name: Bucket())
    return epath.Path("gs://bucket/run")


def names(folder: epath.Path) -> set[str]:
    return {file.name for file in folder.iterdir()}


def test_logs_and_pictures(bucket) -> None:
    with Log(bucket, 0, 2, 1) as log:
        log.step(1, {"loss": 1.0, "finite": True}, 1, 1.0)
        log.picture(1, "eval/sheet", np.zeros((2, 2, 3), np.uint8))
    assert names(bucket / "samples") == {"eval-sheet-0000001.png"}
    assert (bucket / "samples" / "eval-sheet-0000001.png").read_bytes().startswith(b"\x89PNG")
    (events,) = (bucket / "tensorboard").iterdir()
    assert b"clips_per_second" in events.read_bytes()


def test_models_and_goodput(bucket) -> None:
    with storage.written_locally(bucket / "model") as folder:
        (folder / "dit.safetensors").write_bytes(b"weights")
    assert (bucket / "model" / "dit.safetensors").read_bytes() == b"weights"
    Goodput(bucket / "goodput.json", 0, 0.0)
    assert Goodput(bucket / "goodput.json", 0, 0.0).starts == 2


def test_another_experiment_in_the_bucket_is_refused(bucket) -> None:
    config = load_experiment(Path(__file__).with_name("tiny.py"))
    assert training._claim(config, bucket, training.vidgen_config.to_json(config)) == ""
    assert names(bucket) == {"config.json"}
    other = config.__class__(batch_size=3)
    assert "gs://bucket/run holds a run with" in training._claim(other, bucket, "")


def test_how_a_step_is_computed_may_change(tmp_path) -> None:
    config = load_experiment(Path(__file__).parents[2] / "experiments" / "first_light" / "cells_pairs.py")
    text = training.vidgen_config.to_json(config)
    assert training._claim(config, tmp_path, text) == ""
    for change in ({"unroll": 6}, {"remat": "full"}):
        other = dataclasses.replace(config, model=dataclasses.replace(config.model, **change))
        assert training._claim(other, tmp_path, text) == ""
    other = dataclasses.replace(config, model=dataclasses.replace(config.model, width=640))
    assert "model.width = 320" in training._claim(other, tmp_path, text)


def test_local_folders(tmp_path) -> None:
    assert storage.local_folder(tmp_path) == tmp_path
    one, two = (storage.local_folder(f"gs://bucket/{name}") for name in ("one", "two"))
    assert one != two and one.is_absolute() and "://" not in str(one)
    with storage.written_locally(epath.Path(tmp_path)) as folder:
        assert folder == tmp_path
