# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""The persistent compilation cache: what XLA compiled once is read from disk the next time.

It lies in the folder `$VIDGEN_CACHE`, or else in the platform's folder for caches (`$XDG_CACHE_HOME/vidgen`).
"""

import hashlib
import os
import platform
import sys
from pathlib import Path


def cache_dir() -> Path:
    """Returns the folder for what vidgen may keep between runs and make again; it need not exist."""
    chosen = os.environ.get("VIDGEN_CACHE")
    if chosen:
        return Path(chosen).expanduser()
    if sys.platform == "darwin":
        root = Path.home() / "Library" / "Caches"
    elif sys.platform == "win32":
        root = Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local"))
    else:
        root = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return root / "vidgen"


def enable_compilation_cache() -> Path | None:
    """Makes JAX keep every compiled program on disk, and returns the folder.

    A folder that the user has already given to JAX (`JAX_COMPILATION_CACHE_DIR`) stays. If the folder cannot be
    written, as in a read-only container, nothing is cached and None is returned: the cache must not cost a run.
    """
    import jax

    given = jax.config.jax_compilation_cache_dir  # pyright: ignore[reportAttributeAccessIssue]
    if given:
        return Path(given)
    folder = cache_dir() / "xla" / _machine()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    if not os.access(folder, os.W_OK):
        return None
    jax.config.update("jax_compilation_cache_dir", str(folder))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", 0)
    return folder


def _machine() -> str:
    """Names the kind of machine: JAX's cache key leaves out the CPU's features, so a shared home would mix programs."""
    features = ""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        lines = cpuinfo.read_text(errors="replace").splitlines()
        features = next((line for line in lines if line.startswith(("flags", "Features"))), "")
    return f"{platform.machine()}-{hashlib.sha256(features.encode()).hexdigest()[:8]}"
