"""Several real servers as one: each person at a home, nobody lost when a server is."""

import copy
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from agents.inference.affinity import homes
from agents.inference.engine import Request
from agents.inference.failures import DeadServerError, FailedRequestsError
from agents.inference.scripted import ScriptedEngine
from agents.inference.server import endpoints
from agents.inference.server.server_engine import ServerEngine
from agents.testing.engine import CHOICES, SAMPLING, EngineContract
from experiments.reporting.provenance import public
from tests.agents.inference.server.openai_server import Fault, OpenAIServer

ASKED = [
    Request(f"PROFILE of person {i % 4}. ", f"MOVIE {i}, AVERAGE 3.{i % 10}.\nRATING:", seed=i)
    for i in range(16)
]
EXPECTED = ScriptedEngine().score(ASKED, CHOICES)


@pytest.fixture
def two():
    with OpenAIServer(ScriptedEngine()) as one, OpenAIServer(ScriptedEngine()) as other:
        yield [one, other]


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(endpoints, "_FIRST_PAUSE", 0.05)


def engine_on(servers, **settings):
    quick = {"tries": 2, "first_wait": 0.01, "longest_wait": 0.02, "concurrency": 4}
    urls = [server if isinstance(server, str) else server.url for server in servers]
    return ServerEngine("base", base_url=urls, **{**quick, **settings})


def nobody():
    """The address of a server that is not there."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}/v1"


def assert_all_answered(engine, asked=ASKED, expected=EXPECTED):
    np.testing.assert_allclose(engine.score(asked, CHOICES), expected, rtol=0, atol=1e-9)


@pytest.mark.slow
class TestTwoServers(EngineContract):
    @pytest.fixture
    def engine(self, two):
        return engine_on(two)


def test_every_person_has_one_server_and_both_have_work(two):
    engine = engine_on(two)
    assert_all_answered(engine)
    assert_all_answered(engine, ASKED[::-1], EXPECTED[::-1])
    home = homes([(None, request.prefix) for request in ASKED], 2)
    for number, server in enumerate(two):
        wanted = [r.prefix + r.suffix for r, own in zip(ASKED, home, strict=True) if own == number]
        assert sorted(server.prompts) == sorted(2 * wanted)
        assert wanted


def test_a_server_that_is_not_there_is_said_once_and_the_other_answers(two, caplog, monkeypatch):
    monkeypatch.setattr(endpoints, "_FIRST_PAUSE", 60.0)
    gone = nobody()
    engine = engine_on([gone, two[1]])
    with caplog.at_level(logging.WARNING):
        assert_all_answered(engine)
    assert len(two[1].sent) == len(ASKED)
    said = [r.getMessage() for r in caplog.records if "is left out for" in r.getMessage()]
    assert len(said) == 1
    assert gone.split("/")[2] in said[0]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["status", "cut", "truncated", "html", "schema"])
def test_a_server_that_fails_is_asked_no_more_for_a_while_and_nobody_is_lost(two, kind):
    two[0].faults["MOVIE"] = [Fault(kind)] * 1000
    assert_all_answered(engine_on(two))
    texts = engine_on(two).generate(ASKED, SAMPLING)
    assert texts == ScriptedEngine().generate(ASKED, SAMPLING)


def test_a_server_that_hangs_costs_one_time_limit_and_no_answer(two, monkeypatch):
    monkeypatch.setattr(endpoints, "_FIRST_PAUSE", 60.0)
    two[0].faults["MOVIE"] = [Fault("hang", seconds=20)] * 1000
    engine = engine_on(two, timeout=0.4)
    started = time.monotonic()
    assert_all_answered(engine)
    assert time.monotonic() - started < 2  # 8 of its questions one after the other take more
    assert len(two[0].sent) <= engine.concurrency


def test_a_server_that_comes_back_has_its_people_back(two):
    engine = engine_on(two)
    two[0].is_sick = True
    assert_all_answered(engine)
    assert two[0].looks == 0
    two[0].is_sick = False
    time.sleep(0.3)
    assert_all_answered(engine)
    assert two[0].looks == 1  # one thread looked, and no question was at stake
    two[0].sent.clear()
    assert_all_answered(engine)
    home = homes([(None, request.prefix) for request in ASKED], 2)
    assert len(two[0].sent) == (home == 0).sum()


def test_a_pause_grows_until_a_question_is_answered(two, monkeypatch):
    now = [100.0]
    monkeypatch.setattr(endpoints, "monotonic", lambda: now[0])
    monkeypatch.setattr(endpoints, "_FIRST_PAUSE", 1.0)
    place = engine_on(two)._client._places[0]
    lost = endpoints.Lost("no", again=True)
    for pause in (1, 2, 4, 8, 16, 32, 60, 60):
        place.leave_out(lost)
        now[0] += pause - 0.01
        assert not place.is_there()
        now[0] += 0.02
        assert place.is_there()
    place.take_back()
    place.leave_out(endpoints.Lost("busy", again=True, wait=7.0))
    now[0] += 6.9
    assert not place.is_there()


def test_without_any_server_the_run_ends_soon_and_says_so():
    with pytest.raises(DeadServerError, match="none of 2 servers answers; the last: no server"):
        engine_on([nobody(), nobody()]).score(ASKED, CHOICES)


def test_a_fault_of_the_question_is_no_fault_of_the_server(two):
    engine = engine_on(two, served_model="unknown")
    with pytest.raises(FailedRequestsError, match="must hold a model named 'unknown'"):
        engine.score(ASKED[:2], CHOICES)
    assert len(two[0].sent) + len(two[1].sent) == 2


@pytest.mark.parametrize("urls", [[], [""], ["http://h:1/v1", None], [3]])
def test_a_list_that_names_no_server_is_refused(urls, monkeypatch):
    monkeypatch.setenv("OPENAI_BASE_URL", "http://elsewhere:1/v1")
    with pytest.raises(
        ValueError, match=r"engine=server wanted base_url .*base_url=\[http://HOST1"
    ):
        ServerEngine("base", base_url=urls)


def test_one_server_twice_is_refused():
    with pytest.raises(ValueError, match=r"got one address twice; name each once"):
        engine_on(["http://h:1/v1", "http://h:1/v1"])


def test_keys_of_no_server_are_shown(two):
    hidden = [f"http://me:{key}@127.0.0.1:1/v1" for key in ("first-secret", "second-secret")]
    engine = engine_on(hidden)
    with pytest.raises(DeadServerError) as caught:
        engine.score(ASKED, CHOICES)
    shown = f"{caught.value} {engine.facts} {public({'base_url': hidden})}"
    assert "secret" not in shown
    assert engine._client.without_keys("first-secret, second-secret") == "***, ***"


def test_one_server_alone_is_what_it_was(two):
    engine = ServerEngine("base", base_url=two[0].url)
    assert_all_answered(engine)
    assert engine.facts.identity.startswith(f"127.0.0.1:{two[0].port} base ")
    turned = engine_on(two[::-1]).facts.identity
    assert engine_on(two).facts.identity == turned  # the same servers have the same answers


def test_a_copy_has_connections_of_its_own(two):
    engine = engine_on(two)
    twin = copy.deepcopy(engine)
    engine.close()
    assert_all_answered(twin)
    twin.close()


# -- servers in processes of their own, killed ------------------------------------------------

SERVE = """
from agents.inference.scripted import ScriptedEngine
from tests.agents.inference.server.openai_server import OpenAIServer
with OpenAIServer(ScriptedEngine(), delay=0.004) as server:
    print(server.url, flush=True)
    input()
"""


def kill_one_of_two(moment):
    """Answers to a run in which one of two server processes dies after ``moment`` seconds."""
    command = [sys.executable, "-c", SERVE]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    servers = [subprocess.Popen(command, **pipes) for _ in range(2)]
    try:
        engine = engine_on([server.stdout.readline().strip() for server in servers], tries=5)
        killer = threading.Timer(moment, os.kill, (servers[0].pid, signal.SIGKILL))
        killer.start()
        found = [engine.score(ASKED, CHOICES) for _ in range(8)]
        killer.join()
        engine.close()
        return found, servers[0].wait()
    finally:
        for server in servers:
            server.kill()
            server.wait()


@pytest.mark.slow
def test_a_server_killed_in_the_middle_of_a_run_loses_no_answer():
    found, status = kill_one_of_two(moment=0.2)
    assert status == -signal.SIGKILL
    for answers in found:
        np.testing.assert_allclose(answers, EXPECTED, rtol=0, atol=1e-9)


@pytest.mark.reliability
def test_a_server_killed_at_20_random_moments_loses_no_answer():
    rng, same = np.random.default_rng(0), 0
    for _ in range(20):
        found, status = kill_one_of_two(moment=rng.uniform(0, 1.0))
        assert status == -signal.SIGKILL
        same += all(np.abs(answers - EXPECTED).max() < 1e-9 for answers in found)
    print(f"{same} of 20 runs complete and the same")
    assert same == 20
