"""Where no cluster answers, that is said at once; Ray itself would wait for minutes."""

import socket
import time
from types import SimpleNamespace

import pytest

from agents.inference.ray.cluster import WorkerSettings, connect

ray = pytest.importorskip("ray")


@pytest.fixture
def closed_port():
    """A port of this machine where nobody listens."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


@pytest.fixture
def no_ray():
    """Stands where Ray would be asked to join: nothing may come so far."""

    def init(**_):
        raise AssertionError("Ray was asked to join")

    return SimpleNamespace(is_initialized=lambda: False, init=init)


def refused(no_ray, address, said):
    started = time.monotonic()
    with pytest.raises(ConnectionError, match=said) as error:
        connect(no_ray, WorkerSettings(workers=1, address=address))
    assert time.monotonic() - started < 60  # Ray's own wait is longer; a busy machine is slow
    assert "start one with `ray start --head` (`ray stop` first" in str(error.value)


@pytest.mark.parametrize("kind", ["ray://127.0.0.1:{}", "127.0.0.1:{}"])
def test_nobody_at_an_address(no_ray, closed_port, kind):
    said = f"wanted a Ray cluster at .*nobody answers at .*:{closed_port}"
    refused(no_ray, kind.format(closed_port), said)


def test_a_cluster_that_is_gone_but_still_noted(no_ray, closed_port, monkeypatch):
    from ray._private import services

    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    monkeypatch.setattr(services, "find_gcs_addresses", set)
    monkeypatch.setattr(services, "find_bootstrap_address", lambda _: f"127.0.0.1:{closed_port}")
    refused(no_ray, "auto", f"address='auto', got none .nobody answers at .*{closed_port}")


def test_no_cluster_was_ever_noted(no_ray, monkeypatch):
    from ray._private import services

    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    monkeypatch.setattr(services, "find_gcs_addresses", set)
    monkeypatch.setattr(services, "find_bootstrap_address", lambda _: None)
    refused(no_ray, "auto", "address='auto', got none")


def test_what_is_no_address(no_ray):
    refused(no_ray, "ray://somewhere", "at address='ray://somewhere', got none")
