# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The other end of `worker`: starts the process that compiles, asks it, and starts it again if it dies."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from typing import Any

REMOVED = ("JAX_", "XLA_", "TPU_", "LIBTPU_", "MEGASCALE_", "CLOUD_TPU_")
"""Variables that begin so decide what is compiled; the answer must not depend on the user's shell."""


def clean_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment without what tells JAX and libtpu how to run, and with what compiling without a TPU needs."""
    kept = {name: value for name, value in environment.items() if not name.startswith(REMOVED)}
    # No TPU is looked for, no metadata server is asked, and another process that uses libtpu does not stop this one.
    return {**kept, "JAX_PLATFORMS": "cpu", "TPU_SKIP_MDS_QUERY": "1", "ALLOW_MULTIPLE_LIBTPU_LOAD": "1"}


class Compiler:
    """A process that compiles; a context manager that ends it."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None
        self._log = tempfile.TemporaryFile(mode="w+", encoding="utf-8", errors="replace")  # noqa: SIM115

    def __enter__(self) -> "Compiler":
        return self

    def __exit__(self, *_: object) -> None:
        self._end()
        self._log.close()

    def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """The answer to a request of `worker.handle`; {"error", "kind"} if it could not be done.

        The kind is the name of the exception, or "died" if the process ended without an answer.
        """
        if self._process is None or self._process.poll() is not None:
            self._end()
            self._process = self._start()
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(json.dumps(request) + "\n")
            process.stdin.flush()
            line = process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if line:
            return json.loads(line)
        status = process.wait()
        self._log.seek(0)
        said = " ".join(self._log.read().split())[-600:]
        return {"error": f"the process that compiles ended with status {status}: {said}", "kind": "died"}

    def _start(self) -> subprocess.Popen[str]:
        self._log.seek(0)
        self._log.truncate()
        return subprocess.Popen(
            [sys.executable, "-m", "vidgen.cli.compile.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            env=clean_environment(os.environ),
            start_new_session=True,  # Ctrl-C is for the command, which ends this process itself
        )

    def _end(self) -> None:
        if self._process is None:
            return
        if self._process.poll() is None:
            self._process.kill()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None and not stream.closed:
                # What could not be sent to a process that is gone is of no use to anyone.
                try:
                    stream.close()
                except BrokenPipeError:
                    continue
        self._process.wait()
        self._process = None
