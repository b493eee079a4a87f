# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The audit log: one JSON object a line for each file that was written or refused; hashes, and no content.

It is the file that VIDGEN_AUDIT names, or audit.jsonl in the platform's folder for states.
"""

import datetime as dt
import hashlib
import json
import os
import sys
from pathlib import Path
from typing import Any


def audit_file() -> Path:
    """Where the log is; it need not exist."""
    if chosen := os.environ.get("VIDGEN_AUDIT"):
        return Path(chosen).expanduser()
    if sys.platform == "darwin":
        root = Path.home() / "Library" / "Application Support"
    elif sys.platform == "win32":
        root = Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local"))
    else:
        root = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state")
    return root / "vidgen" / "audit.jsonl"


def record(event: str, **facts: Any) -> None:
    """Appends an event with its time. The line is written by one call, so that several processes can share the log.

    Raises:
        OSError: it cannot be written; then nothing that it should tell may happen.
    """
    when = dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds")
    line = (json.dumps({"time": when, "event": event, **facts}, sort_keys=True) + "\n").encode()
    file = audit_file()
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            if os.write(handle, line) != len(line):
                raise OSError("the disk is full")
        finally:
            os.close(handle)
    except OSError as error:
        raise OSError(
            f"The audit log {str(file)!r} cannot be written ({error.strerror or error}): without it no file is made. "
            f"Name another by VIDGEN_AUDIT."
        ) from error


def digest(content: bytes | str) -> str:
    """SHA-256 in hexadecimal digits; a text is taken as UTF-8."""
    return hashlib.sha256(content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content).hexdigest()
