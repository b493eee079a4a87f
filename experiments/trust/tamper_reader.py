# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""What another C2PA reader says of files, in an environment of its own; run by `tamper.py`.

python tamper_reader.py FOLDER AUTHORITY.pem

The reader is PyPI's `encypher-c2pa`, an implementation of its own: it shares no code with c2pa-rs, on which c2pa-python
and c2patool stand. Prints a JSON object: by file, "Trusted", "Valid", "Invalid" or "absent".
"""

import json
import sys
from pathlib import Path

import encypher_c2pa


def judge(path: Path, anchors: str) -> str:
    """The state that the reader finds; what it fails on counts as invalid."""
    try:
        told = encypher_c2pa.verify(path, trust_pem=anchors, no_default_trust=True, telemetry=False, online=False)
    except (ValueError, RuntimeError, OSError):
        return "Invalid"
    return told["validation_state"] if told["present"] else "absent"


def main() -> None:
    folder, anchors = Path(sys.argv[1]), Path(sys.argv[2]).read_text()
    print(json.dumps({path.name: judge(path, anchors) for path in sorted(folder.iterdir())}))


if __name__ == "__main__":
    main()
