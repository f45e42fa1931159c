"""Real workers that Ray runs: the answers of one process, however many there are and whoever dies.

Engines of these tests are made inside functions, so that they travel to the workers whole.
"""

import os
import signal
import threading

import numpy as np
import pytest

from agents.inference.failures import DeadServerError, FailedRequestsError
from agents.inference.local.local_engine import LocalEngine
from agents.inference.ray.cluster import WorkerSettings
from agents.inference.ray.ray_engine import RayEngine, ray_engine
from agents.inference.ray.tasks import LostTaskError, RayTasks
from agents.inference.scripted import ScriptedEngine
from agents.inference.wrapped.answer_cache import CachedEngine
from agents.inference.wrapped.tolerant import TolerantEngine
from agents.persona_users import PersonaUsers
from agents.testing.engine import CHOICES, SAMPLING, EngineContract
from simenv.env.vector_env import RecVectorEnv

pytestmark = pytest.mark.slow
NAMES = ("ann", "bob")


@pytest.fixture(scope="module", autouse=True)
def cluster():
    """One Ray for this file, with room for five workers and no GPU."""
    ray = pytest.importorskip("ray")
    RayEngine(ScriptedEngine, WorkerSettings(workers=5)).close()  # starts it as a user would
    yield
    ray.shutdown()


@pytest.fixture(scope="module")
def local_workers(pocket_folder, adapter_folders):
    """The pocket model on two workers: what takes seconds to start."""
    return ray_engine(str(pocket_folder), adapter_folders, engine=LocalEngine, workers=2)


def workers(make, num=2, **settings):
    return RayEngine(make, WorkerSettings(workers=num, **settings))


class TestScripted(EngineContract):
    refuses_unknown_adapters = False

    @pytest.fixture(scope="class")
    def engine(self):
        return workers(ScriptedEngine)


@pytest.mark.parametrize("num", [1, 2, 3])
def test_answers_are_those_of_one_process_for_any_number_of_workers(num, questions):
    engine, alone = workers(ScriptedEngine, num), ScriptedEngine()
    for asked in (questions, questions[::-1], questions[:1], questions * 3):
        found = engine.score(asked, CHOICES)
        np.testing.assert_array_equal(found, alone.score(asked, CHOICES))
        assert engine.generate(asked, SAMPLING) == alone.generate(asked, SAMPLING)
    assert engine.description == f"{alone.description} on {num} Ray worker{'s' * (num > 1)}"
    engine.close()


def test_a_run_leaves_the_same_log_on_two_workers_as_in_one_process(
    population, engine, local_workers
):
    def log(asked):
        users = PersonaUsers(population, asked)
        env = RecVectorEnv(users, population.catalog, num_envs=5, slate_size=3)
        env.reset(seed=5)
        slates = (np.arange(3) + 3 * np.arange(4)[:, None]) % 12
        rewards = [env.step(np.tile(slate, (5, 1)))[1] for slate in slates]
        return np.array(rewards), users.memory.snapshot()

    before = local_workers.stats.requests, local_workers.stats.calls
    rewards, memories = log(local_workers)
    expected, wanted = log(engine)
    np.testing.assert_allclose(rewards, expected, rtol=0, atol=1e-5)
    assert memories == wanted  # what was taken, in which order, and with how many stars
    assert local_workers.stats.requests == before[0] + 4 * 5 * 3
    assert local_workers.stats.calls == before[1] + 4


def test_a_person_is_always_asked_of_the_same_worker(questions):
    class Naming(ScriptedEngine):
        def score(self, requests, choices):
            found = super().score(requests, choices)
            found[:] = os.getpid()
            return found

    def make():
        return Naming()

    engine = workers(make)
    first = engine.score(questions, CHOICES)[:, 0]
    assert set(first) == set(engine.pids)
    people = [request.prefix for request in questions]
    assert len({(who, pid) for who, pid in zip(people, first, strict=True)}) == len(set(people))
    np.testing.assert_array_equal(engine.score(questions[::-1], CHOICES)[::-1, 0], first)
    engine.close()


def dying(folder, times):
    """Makes engines that end their process over one question, ``times`` times in all."""

    def make():
        class Dying(ScriptedEngine):
            def score(self, requests, choices):
                died = len(list(folder.iterdir()))
                if died < times and any("Film 4" in request.suffix for request in requests):
                    (folder / str(died)).touch()
                    os.kill(os.getpid(), signal.SIGKILL)
                return super().score(requests, choices)

        return Dying()

    return make


def test_a_worker_that_dies_is_replaced_and_its_part_asked_again(tmp_path, questions):
    engine = workers(dying(tmp_path, times=2))
    before = engine.pids
    found = engine.score(questions, CHOICES)
    np.testing.assert_array_equal(found, ScriptedEngine().score(questions, CHOICES))
    assert engine.num_deaths == 2
    assert sum(a != b for a, b in zip(before, engine.pids, strict=True)) == 1
    engine.close()


def test_a_question_that_kills_every_worker_fails_and_loses_nobody_elses_answer(
    tmp_path, questions
):
    engine = workers(dying(tmp_path, times=99), restarts=1)
    with pytest.raises(FailedRequestsError, match=r"Ray worker \d of 2 died 2 times") as caught:
        engine.score(questions, CHOICES)
    assert not isinstance(caught.value, DeadServerError)
    failed = sorted(caught.value.failures)
    assert {questions[row].prefix for row in failed}.isdisjoint(
        {questions[row].prefix for row in range(12) if row not in failed}
    )
    assert 4 in failed
    kept = [row for row in range(12) if row not in failed]
    expected = ScriptedEngine().score(questions, CHOICES)
    np.testing.assert_array_equal(caught.value.answers[kept], expected[kept])
    tolerant = TolerantEngine(engine)
    assert np.isnan(tolerant.score(questions, CHOICES)[failed]).all()
    assert sorted(tolerant.last_failures) == failed
    engine.close()


def test_a_worker_killed_from_outside_costs_time_and_no_answer(local_workers, questions):
    asked = [r._replace(suffix=f"{i} {r.suffix}") for i in range(60) for r in questions]
    expected = local_workers.score(asked, CHOICES)
    asked_before, deaths = local_workers.stats.requests, local_workers.num_deaths
    killer = threading.Timer(0.02, os.kill, (local_workers.pids[0], signal.SIGKILL))
    killer.start()
    for _ in range(3):
        found = local_workers.score(asked, CHOICES)
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)
    killer.join()
    assert local_workers.num_deaths == deaths + 1
    assert local_workers.stats.requests == asked_before + 3 * len(asked)


def test_errors_are_those_of_the_engine_inside(pocket_folder, questions):
    def failing():
        class Failing(ScriptedEngine):
            def score(self, requests, choices):
                bad = {i: "no" for i, r in enumerate(requests) if "Film 4" in r.suffix}
                if bad:
                    raise FailedRequestsError(bad, super().score(requests, choices), "there")
                return super().score(requests, choices)

        return Failing()

    engine = workers(failing)
    with pytest.raises(FailedRequestsError, match="request 4: no") as caught:
        engine.score(questions, CHOICES)
    assert caught.value.failures == {4: "no"}
    expected = ScriptedEngine().score(questions, CHOICES)
    np.testing.assert_array_equal(caught.value.answers, expected)
    engine.close()
    with pytest.raises(ZeroDivisionError):
        workers(lambda: 1 / 0)
    with pytest.raises(ValueError, match=r"failures are errors.*engine@engine\.engine=ray"):
        workers(lambda: TolerantEngine(ScriptedEngine()))


def test_a_machine_without_room_says_so_soon(local_workers):
    with pytest.raises(RuntimeError, match=r"room for 1 workers .* 0 GPUs free; .* has 5 and 0;"):
        workers(ScriptedEngine, 1, gpus_per_worker=1, start_timeout=1)
    with pytest.raises(RuntimeError, match=r"room for 4 workers .* got 3 CPUs .*close the engines"):
        workers(ScriptedEngine, 4, start_timeout=1)
    with pytest.raises(RuntimeError, match=r"room for one worker at least, got none"):
        workers(ScriptedEngine, "auto", gpus_per_worker=1)


def test_a_cluster_that_does_not_grow_in_time_is_said():
    with pytest.raises(RuntimeError, match=r"worker 1 of 1 .*within 2 s.* has 5 and 0; ask for"):
        workers(ScriptedEngine, 1, address="auto", gpus_per_worker=1, start_timeout=2)


def test_tasks_come_back_as_they_end_and_one_that_fails_or_kills_is_named(tmp_path):
    def make(name):
        def task():
            if name == "fails":
                raise ValueError("no rows")
            if name == "kills" or (name == "dies once" and not (tmp_path / name).exists()):
                (tmp_path / name).touch()
                os.kill(os.getpid(), signal.SIGKILL)
            return name, os.getpid(), os.environ["OMP_NUM_THREADS"], os.getcwd()

        return task

    names = ["plain", "fails", "kills", "dies once"]
    begun = []
    with RayTasks(WorkerSettings(workers=2, restarts=1)) as workers:
        found = {o.name: o for o in workers({n: make(n) for n in names}, begun.append)}
    assert sorted(found) == sorted(names)
    assert (begun.count("kills"), begun.count("dies once"), begun.count("plain")) == (2, 2, 1)
    assert found["plain"].value[0] == "plain"
    assert found["plain"].value[1] != os.getpid()
    assert found["dies once"].value[2:] == (os.environ.get("OMP_NUM_THREADS", "1"), os.getcwd())
    assert str(found["fails"].error) == "no rows"
    assert isinstance(found["kills"].error, LostTaskError)
    assert str(found["kills"].error).startswith("its Ray worker died 2 times (")


def test_answer_caches_of_all_workers_are_summed(questions):
    engine = workers(lambda: CachedEngine(ScriptedEngine(), "m"))
    for _ in range(2):
        engine.score(questions, CHOICES)
    stats = engine.answer_stats
    assert (stats.hits, stats.misses) == (12, 12)
    assert stats.num_bytes > 0
    engine.close()


def test_a_closed_engine_says_so(questions):
    engine = workers(ScriptedEngine)
    engine.close()
    with pytest.raises(RuntimeError, match="closed; make another"):
        engine.score(questions, CHOICES)


class TestLocal(EngineContract):
    """The last of this file: its last test closes the workers."""

    adapters = NAMES
    atol = 1e-5

    @pytest.fixture(scope="class")
    def engine(self, local_workers):
        return local_workers
