# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""A run in a bucket of Google's cloud (an emulator of its storage on this machine) is killed, damaged and resumed."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

PROGRAM = [sys.executable, str(Path(__file__).with_name("tiny.py"))]
EMULATOR = """
import sys
from gcp_storage_emulator.handlers import objects
from gcp_storage_emulator.server import create_server

def download(request, response, storage, plain=objects.download):
    # As Google's storage does and the emulator does not: TensorStore writes only over the generation that it read.
    plain(request, response, storage)
    if response.status.value < 300:
        at = request.params["bucket_name"], request.params["object_id"]
        response["x-goog-generation"] = storage.get_file_obj(*at)["generation"]

objects.download = download
create_server("localhost", int(sys.argv[1]), in_memory=True, default_bucket="bucket").run()
"""


@pytest.fixture(scope="module")
def storage() -> Iterator[str]:
    """Its address."""
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-c", EMULATOR, str(port)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(300):
            try:
                fetch(f"http://localhost:{port}", "")
                break
            except urllib.error.URLError:
                assert server.poll() is None, "the emulator ended"
                time.sleep(0.1)
        yield f"http://localhost:{port}"
    finally:
        server.kill()
        server.wait()


def fetch(address: str, name: str) -> bytes:
    """A file of the bucket; without a name, the list of all."""
    suffix = f"/{urllib.parse.quote(name, safe='')}?alt=media" if name else ""
    with urllib.request.urlopen(f"{address}/storage/v1/b/bucket/o{suffix}") as answer:
        return answer.read()


def put(address: str, name: str, data: bytes) -> None:
    """Writes a file of the bucket."""
    url = f"{address}/upload/storage/v1/b/bucket/o?uploadType=media&name={urllib.parse.quote(name, safe='')}"
    urllib.request.urlopen(urllib.request.Request(url, data, method="POST")).close()


def names(address: str) -> set[str]:
    return {item["name"] for item in json.loads(fetch(address, ""))["items"]}


def run(address: str, workdir: str, *kill_at: str) -> tuple[int, str]:
    """The tiny experiment's status, and what it told."""
    reached = {
        "STORAGE_EMULATOR_HOST": address,
        "TENSORSTORE_GCS_HTTP_URL": address,
        "GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT": "false",
    }
    done = subprocess.run(
        [*PROGRAM, workdir, *kill_at], env={**os.environ, **reached}, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stderr


@pytest.mark.slow
def test_a_run_in_a_bucket_is_that_in_a_folder_through_a_kill_and_a_damaged_file(storage: str, tmp_path: Path) -> None:
    status, told = run(storage, str(tmp_path / "whole"))
    assert status == 0, told
    status, told = run(storage, "gs://bucket/run", "9")
    assert status == -signal.SIGKILL, told
    saved = {name.split("/")[2] for name in names(storage) if name.endswith("digests.json")}
    assert saved and saved <= {"4", "6", "8"}
    newest = max(saved, key=int)
    (damaged, *_) = sorted(name for name in names(storage) if name.startswith(f"run/checkpoints/{newest}/state/d/"))
    put(storage, damaged, fetch(storage, damaged)[:-1])
    status, told = run(storage, "gs://bucket/run")
    assert status == 0, told
    before = max({*saved} - {newest}, key=int)
    assert f"resuming at step {before} in gs://bucket/run" in told and f"step {newest} " in told
    for name in ("model/vae.safetensors", "checkpoints/12/data/data.json"):
        assert fetch(storage, f"run/{name}") == (tmp_path / "whole" / name).read_bytes()
    assert "run/goodput.json" in names(storage)
