# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""Every test runs on the CPU, with eight devices for tests of sharding, and keeps compiled programs between runs."""

import os
import subprocess
import sys

# Before JAX starts, and for the programs that tests start too: LLVM's optimisations cost most of the time of compiling
# these tiny networks, which run for milliseconds. What XLA does before (sharding, fusion, collectives) stays as it is.
os.environ.setdefault("JAX_DISABLE_MOST_OPTIMIZATIONS", "1")

# Tests that ask onnxruntime itself, and not through `vidgen.safety.nsfw`, report to nobody either.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

import hypothesis
import jax
import pytest

# Fused loops of the older kind compile in half the time. XLA ends a process that gives it a flag it does not know, as
# flags come and go with its versions, so they are tried first; workers of pytest-xdist inherit them.
_FLAGS = "--xla_cpu_use_fusion_emitters=false --xla_cpu_parallel_codegen_split_count=1"
if "PYTEST_XDIST_WORKER" not in os.environ:
    _TRIAL = [sys.executable, "-c", "from jaxlib import xla_client; xla_client.make_cpu_client()"]
    _known = subprocess.run(_TRIAL, env={**os.environ, "XLA_FLAGS": _FLAGS}, capture_output=True, check=False)
    os.environ["XLA_FLAGS"] = "" if _known.returncode else _FLAGS

hypothesis.settings.register_profile("vidgen", deadline=None, derandomize=True, max_examples=30)
hypothesis.settings.load_profile("vidgen")


def pytest_configure(config: pytest.Config) -> None:
    jax.config.update("jax_platforms", "cpu")
    jax.config.update("jax_num_cpu_devices", 8)
    cache = getattr(config, "cache", None)  # absent under "-p no:cacheprovider"
    if cache is not None:
        # One folder a worker of pytest-xdist: JAX writes an entry in place, so another process could read half of it.
        folder = cache.mkdir("xla") / os.environ.get("PYTEST_XDIST_WORKER", "main")
        jax.config.update("jax_compilation_cache_dir", str(folder))
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.1)


@pytest.fixture(autouse=True)
def _private_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keeps tests, and the commands that they start, out of the user's folders."""
    base = tmp_path_factory.getbasetemp()
    monkeypatch.setenv("VIDGEN_CACHE", str(base / "vidgen-cache"))
    monkeypatch.setenv("VIDGEN_CONFIG", str(base / "vidgen-config"))
    monkeypatch.setenv("VIDGEN_AUDIT", str(base / "audit.jsonl"))
    for name in ("VIDGEN_POLICY", "VIDGEN_CERTIFICATE", "VIDGEN_PRIVATE_KEY", "VIDGEN_TRUST"):
        monkeypatch.delenv(name, raising=False)
