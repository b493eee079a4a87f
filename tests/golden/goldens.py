# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""How the scripts of this folder keep what public libraries computed."""

from collections.abc import Mapping
from pathlib import Path
from types import ModuleType

import numpy as np
from safetensors.numpy import save_file


def keep(name: str, arrays: Mapping[str, np.ndarray], *made_by: ModuleType) -> None:
    """Writes NAME.safetensors beside this file, for all to read, with the versions of the libraries that made it."""
    file = Path(__file__).with_name(f"{name}.safetensors")
    versions = {library.__name__: library.__version__ for library in made_by}
    save_file({key: np.ascontiguousarray(value) for key, value in arrays.items()}, file, metadata=versions)
    file.chmod(0o644)
