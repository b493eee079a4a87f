# SPDX-FileCopyrightText: 2026 The vidgen authors
# SPDX-License-Identifier: Apache-2.0
"""One process alone, and what is refused; several processes are in tests/train/test_hosts.py."""

import jax
import pytest

from vidgen.parallel import hosts
from vidgen.parallel.mesh import MeshConfig, make_mesh


@pytest.fixture
def joined(monkeypatch) -> list:
    """What JAX is asked to join, with nothing in the environment."""
    asked = []
    for name in ("JAX_COORDINATOR_ADDRESS", "JAX_NUM_PROCESSES", "JAX_PROCESS_ID"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(jax.distributed, "initialize", lambda *given, **_: asked.append(given))
    return asked


def test_one_process_on_no_tpu_joins_nothing(joined, monkeypatch) -> None:
    monkeypatch.setattr(hosts, "_on_tpu", lambda: False)
    hosts.join()
    assert joined == []


def test_a_tpu_finds_its_pod_and_one_without_a_pod_stays_alone(joined, monkeypatch) -> None:
    monkeypatch.setattr(hosts, "_on_tpu", lambda: True)
    hosts.join()
    assert joined == [()]

    def no_pod() -> None:
        raise ValueError("coordinator_address should be defined.")

    monkeypatch.setattr(jax.distributed, "initialize", no_pod)
    hosts.join()


def test_options_and_environment_say_the_same(joined, monkeypatch) -> None:
    hosts.join("host:1", 2, 1)
    monkeypatch.setenv("JAX_COORDINATOR_ADDRESS", "host:1")
    monkeypatch.setenv("JAX_NUM_PROCESSES", "2")
    monkeypatch.setenv("JAX_PROCESS_ID", "1")
    hosts.join()
    assert joined == [("host:1", 2, 1)] * 2


@pytest.mark.parametrize("given", [("host:1",), ("", 2), ("", 0, 0), ("host:1", 2, 2), ("host", 2, 0)])
def test_half_of_what_is_needed_is_refused(joined, given) -> None:
    with pytest.raises(ValueError, match="several processes need all three"):
        hosts.join(*given)
    assert joined == []


def test_one_process_is_the_first_and_keeps_its_arrays() -> None:
    mesh = make_mesh(MeshConfig(fsdp=8))
    params = {"w": jax.numpy.ones(3)}
    found = hosts.on_first(params, mesh)
    assert found is not None and found[0] is params and found[1] is mesh
    assert hosts.is_first() and hosts.gather_texts("a") == ["a"]
    with hosts.first_then_rest():
        pass


def test_a_mesh_of_one_device_is_not_for_several_processes(monkeypatch) -> None:
    monkeypatch.setattr(jax, "process_count", lambda: 2)
    with pytest.raises(ValueError, match=r"one device and 2 processes with 8 devices take part; .*mesh.fsdp = -1"):
        make_mesh(MeshConfig())
    assert make_mesh(MeshConfig(fsdp=-1)).size == 8
