"""Races have the right shape; how fast anything is, is no test."""

import json
import re

import numpy as np
import pytest
from hydra import compose, initialize_config_module

from agents.inference.local.local_engine import LocalEngine
from agents.inference.scripted import ScriptedEngine
from agents.memory.base import TableMemory
from agents.persona_users import PersonaUsers
from agents.population.population import Population
from agents.prompts import RATING_CHOICES
from experiments.people.sized_populations import crowd
from experiments.reporting.running import perform
from experiments.throughput import llama_cpp
from experiments.throughput.baseline import STORED, compare, ratios, regressions, store
from experiments.throughput.crowds import CrowdSizes, race_crowd
from experiments.throughput.memories import MemorySizes, OneIndex, race_memories
from experiments.throughput.run import WorkloadCell, cells_of
from experiments.throughput.sharded import ShardSizes, race_workers
from experiments.throughput.soak import _Look, figures
from experiments.throughput.throughput_tables import _crowd_line, _ray_lines, _soak_line
from experiments.throughput.timing import race, spread
from experiments.throughput.workloads import WORKLOADS, requests


@pytest.fixture(scope="module")
def people():
    return PersonaUsers(Population.load("pocket"), ScriptedEngine())


def asked(people, workload, adapters=()):
    return requests(people, workload, num_users=12, slate=4, adapters=list(adapters), seed=0)


@pytest.mark.parametrize("workload", WORKLOADS)
def test_every_workload_asks_as_often(people, workload):
    assert len(asked(people, workload)) == 48


def test_workloads_differ_in_who_asks(people):
    num_prefixes = {w: len({r.prefix for r in asked(people, w)}) for w in WORKLOADS}
    assert num_prefixes["distinct"] == 48
    assert num_prefixes["identical"] == 1
    assert len(set(asked(people, "identical"))) == 1
    first = asked(people, "skewed")[0].prefix
    assert sum(r.prefix == first for r in asked(people, "skewed")) >= 24


def test_adapters_go_round(people):
    assert {r.adapter for r in asked(people, "uniform", ["a", "b"])} == {"a", "b"}
    with pytest.raises(ValueError, match="workload wanted one of distinct"):
        asked(people, "weird")


def test_a_race_gives_rates_and_ratios_of_the_same_requests():
    seen = []

    def way(part):
        seen.append(len(part))
        return np.zeros((len(part), 5))

    figures = race({"ours": way, "padded": way}, lambda n: [n] * 10, 2, {"padded": 3})
    assert seen == [10, 3] * 3
    assert set(figures["ratios"]) == {"padded"}
    assert figures["largest_difference"] == {"ours": 0.0, "padded": 0.0}
    assert spread([1.0, 3.0, 2.0]) == {"median": 2.0, "min": 1.0, "max": 3.0}


SMALL = (
    "adapters=[2]",
    "users=[3]",
    "slates=[2]",
    "workloads=[uniform,skewed]",
    "env_users=[2,4]",
    "env_steps=1",
    "rounds=1",
    "memory={users: 6, kept: 4, slate: 2, recalled: 3, items: 20, width: 8}",
)
LLAMA_CPP = {"llama_cpp"} if llama_cpp.installed() else set()


def composed(folder, *overrides):
    with initialize_config_module("conf", version_base="1.3"):
        return compose(
            "config",
            [
                "experiment=throughput",
                *(f"experiment.{s}" for s in overrides),
                f"output_dir={folder}",
            ],
        )


@pytest.mark.slow
@pytest.mark.filterwarnings("error:Adapter cannot be set when the model is merged")
@pytest.mark.filterwarnings("error:Already unmerged")
def test_the_experiment_runs_and_its_ways_agree(tmp_path):
    results = perform(composed(tmp_path, *SMALL))
    assert [cell["workload"] for cell in results["cells"]] == ["uniform", "skewed"]
    stored = json.loads((tmp_path / "baseline.json").read_text())
    assert stored["ratios"] == ratios(results)
    assert [c.relative for c in compare(ratios(results), tmp_path / "baseline.json")] == [
        1.0
    ] * len(stored["ratios"])
    assert [row["num_users"] for row in results["env"]] == [2, 4]
    assert results["env"][0]["step_seconds"]["p95"] > 0
    assert results["cost_ratio"]["many"] == 4
    assert results["cost_ratio"]["median"] > 0
    assert results["peak_memory_bytes"] > 2**20
    assert set(results["not_raced"]) == {"llama_cpp"} - LLAMA_CPP
    whole = {"loop", "padded", "merged", "merge_in_out", "mixed"}
    for cell in results["cells"]:
        assert max(cell["largest_difference"].values()) < 1e-3
        assert set(cell["ratios"]) == whole | {"generate", "hugging_face"} | LLAMA_CPP
        assert whole | {"ours", "hugging_face"} == set(cell["largest_difference"])


@pytest.mark.slow
def test_people_who_are_read_in_blocks_race_against_one_forward_under_a_mask(tmp_path):
    small = (*SMALL, "workloads=[uniform]", "part=race", "population=readers", "warm=1")
    (cell,) = perform(composed(tmp_path, *small))["cells"]
    assert set(cell["ratios"]) == {"masked_loop", "layers"}
    assert set(cell["largest_difference"]) == {"ours", "masked_loop", "layers"}
    assert 0 < max(cell["largest_difference"].values()) < 1e-4


@pytest.mark.slow
@pytest.mark.skipif(not LLAMA_CPP, reason="needs pip install 'personarec[llama]'")
def test_llama_cpp_reads_the_same_from_the_same_weights(people, tmp_path):
    model = people.population.model
    reader = LocalEngine(model, reuse_prefixes=False)
    rival = llama_cpp.LlamaCpp(model, tmp_path, reader)
    questions = [r._replace(adapter=None) for r in asked(people, "uniform")[:6]]
    got = rival(questions)
    np.testing.assert_allclose(np.exp(got), np.exp(reader.score(questions, RATING_CHOICES)),
                               rtol=0, atol=1e-3)  # fmt: skip
    assert np.isnan(rival([questions[0]._replace(adapter="a")])).all()
    rival.close()


def test_one_part_runs_alone(tmp_path):
    results = perform(composed(tmp_path, *SMALL, "part=memory"))
    assert "memory" in results
    assert "cells" not in results
    assert all(what.startswith("memory") for what in ratios(results))
    with pytest.raises(
        ValueError,
        match=r"experiment\.part wanted one of all, race, env, memory, ray, crowd, soak, got",
    ):
        perform(composed(tmp_path, "part=races"))


def test_cells_are_a_cross_or_the_whole_product():
    settings = {
        "adapters": [1, 4],
        "users": [64, 256, 9999],
        "slates": [5, 20],
        "workloads": ["distinct", "uniform"],
        "middle": [4, 64, 5, "uniform"],
        "full": False,
    }
    middle = WorkloadCell(4, 64, 5, "uniform")
    assert set(cells_of(settings, 400)) == {
        middle,
        middle._replace(adapters=1),
        middle._replace(users=256),
        middle._replace(users=400),
        middle._replace(slate=20),
        middle._replace(workload="distinct"),
    }
    full = cells_of({**settings, "full": True}, 400)
    assert len(full) == len(set(full)) == 2 * 3 * 2 + 1
    one = {"adapters": [64], "users": [256], "slates": [5], "workloads": ["zipf"]}
    assert cells_of({**settings, **one}, 400) == [WorkloadCell(64, 256, 5, "zipf")]


def test_a_crowd_is_the_same_people_with_prefixes_of_their_own():
    shipped = Population.load("pocket")
    size = len(shipped.personas)
    many = crowd(shipped, size + 2)
    people = PersonaUsers(many, ScriptedEngine())
    again = PersonaUsers(shipped, ScriptedEngine())
    for user in (0, 1):
        assert people.memory.decisions(size + user) == again.memory.decisions(user)
    everybody = np.arange(size + 2)
    asked = people.requests(everybody, np.zeros((size + 2, 1), dtype=np.int64))
    assert len({request.prefix for request in asked}) == size + 2
    assert len(crowd(shipped, 3).personas) == 3
    later = crowd(shipped, 2, first=size)
    assert later.personas == many.personas[size:]
    assert len(later.history) == len(many.history) - len(shipped.history)


def test_memories_are_raced_over_the_same_questions():
    found = race_memories(MemorySizes(5, 6, 2, 3, 30, 8), rounds=2)
    assert set(found["recall"]) == {"table", "products", "many_indexes", "one_index"}
    assert set(found["ratios"]) == {"products", "many_indexes", "one_index"}
    assert all(own["min"] > 0 for own in found["recall"].values())


def test_the_one_index_finds_what_the_table_finds():
    rng = np.random.default_rng(0)
    vectors = rng.standard_normal((30, 8)).astype(np.float32)
    past, asked = rng.permuted(np.tile(np.arange(20), (4, 1)), axis=1)[:, :9], np.full((4, 1), 25)
    memory = TableMemory(vectors, 4)
    memory.add(np.repeat(np.arange(4), 9), past.ravel(), np.ones(36), [""] * 36)
    scores, places = OneIndex(vectors, past).recall(asked, 3)
    recalled = memory.recall(np.arange(4), asked, 3)
    np.testing.assert_allclose(scores, recalled.similarities, atol=1e-5)
    np.testing.assert_array_equal(places - 9 * np.arange(4)[:, None, None], recalled.rows)


def test_a_baseline_names_the_ratios_that_fell(tmp_path):
    (tmp_path / "baseline.json").write_text('{"ratios": {"a": 10.0, "b": 4.0, "gone": 1.0}}')
    changes = compare({"a": 7.0, "b": 5.0, "new": 1.0}, tmp_path / "baseline.json")
    assert [(c.what, c.relative) for c in changes] == [("a", 0.7), ("b", 1.25)]
    assert [c.what for c in regressions(changes, 0.2)] == ["a"]
    assert regressions(changes, 0.5) == []


def test_a_baseline_that_is_missing_or_of_other_settings_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"wanted the baseline\.json of an earlier run"):
        compare({"a": 1.0}, tmp_path / "nothing.json")
    (tmp_path / "other.json").write_text('{"ratios": {"b": 1.0}}')
    with pytest.raises(ValueError, match=r"'other\.json' has none of the 1 ratios of this run"):
        compare({"a": 1.0}, tmp_path / "other.json")


def test_the_stored_baseline_is_compared_where_it_has_the_same(tmp_path, monkeypatch):
    path = tmp_path / "baseline.json"
    monkeypatch.setattr("experiments.throughput.baseline.STORED", path)
    assert compare({"a": 1.0}, "stored") == [], "none is stored yet"
    store({"a": 2.0, "b": 1.0}, path)
    store({"b": 3.0}, path)
    assert [(c.what, c.relative) for c in compare({"a": 1.0, "b": 3.0}, "stored")] == [
        ("a", 0.5),
        ("b", 1.0),
    ]
    assert compare({"c": 1.0}, "stored") == []
    assert compare({"c": 1.0}, None) == []


def test_every_stored_ratio_is_a_number_above_0_by_a_name_that_runs_give():
    kept = json.loads(STORED.read_text())["ratios"]
    assert all(0 < value < float("inf") for value in kept.values())
    name = (
        r"\w+ \d+x\d+, \d+ adapters: ours / \w+|memory, \d+x\d+: table / \w+"
        r"|env\.step, \d+x\d+: (share of the model|utilisation)"
        r"|cost of an exposure, \d+ users / \d+"
    )
    assert {what for what in kept if not re.fullmatch(name, what)} == set()
    parts = {re.split(r"[ ,.]", what)[0] for what in kept}
    assert {*WORKLOADS, "env"} <= parts


def test_people_on_disk_are_woken_by_the_hundred(capsys):
    sizes = CrowdSizes(users=500, kept=3, awake=5, slate=2, ticks=2)
    found = race_crowd(Population.load("pocket"), sizes, lambda *_, **__: None)
    assert found["bytes_on_disk"] > 500 * 200
    assert found["tick_seconds"]["max"] < 10
    assert found["exposures"] == 2 * 5 * 2
    assert 2**20 < found["resident_opened"] <= found["resident_most"]
    said = _crowd_line(found)
    assert said.startswith("People on disk, 500 with 3 decisions each")


def test_what_workers_gave_is_told_and_compared():
    even = {"median": 1.5, "min": 1.0, "max": 2.0}
    found = {
        "sizes": ShardSizes(users=6, slate=2, workers=3, kills=4, rounds=1)._asdict(),
        "rates": {name: {**even, "median": 100.0} for name in ("bare", "one", "several")},
        "ratios": {"one / bare": even, "several / one": {**even, "median": 1.25}},
        "sender_share": even,
        "largest_difference": {"one": 1e-7, "several": 0.0},
        "kills": {"calls": 4, "same": 3, "deaths": 4, "largest_difference": 0.5},
    }
    said, killed = _ray_lines(found)
    assert said.startswith("Ray, 6 users x 2: 100 exposures/s in this process, 100 on one worker")
    assert "on 3 (1.250 (1.000-2.000) of one)" in said
    assert "within 1.0e-07 nats" in said
    assert "each of 4 calls: 3 complete and the same, 4 workers replaced" in killed
    setting = "ray, 6x2, 3 workers"
    assert ratios({"ray": found}) == {
        f"{setting}: one / bare": 1.5, f"{setting}: several / one": 1.25,
    }  # fmt: skip


@pytest.mark.reliability
def test_workers_that_ray_runs_answer_as_this_process_does_also_when_one_is_killed():
    ray = pytest.importorskip("ray")
    sizes = ShardSizes(users=6, slate=2, workers=1, kills=1, rounds=1)
    found = race_workers(Population.load("pocket"), sizes, lambda *_, **__: None)
    assert max(found["largest_difference"].values()) <= 1e-5
    assert found["kills"]["same"] == found["kills"]["deaths"] == 1
    ray.shutdown()


def test_a_soak_tells_tenths_how_far_memory_strays_and_what_an_exposure_costs():
    looks = [
        _Look(10 * (step + 1), 100 if step < 2 else 200 + step, 5, 7, 2.0, 1.0 + (step >= 18))
        for step in range(20)
    ]
    found = figures(looks, 200)
    assert [tenth["resident"] for tenth in found["tenths"]] == [100, *range(203, 220, 2)]
    mean = sum(range(202, 220)) / 18
    assert found["drift"] == pytest.approx(219 / mean - 1)
    assert found["tenths"][0]["seconds"] == pytest.approx(0.2)
    assert found["slowing"]["processor"]["of the first"] == pytest.approx(2.0)
    assert found["slowing"]["seconds"]["of the second"] == pytest.approx(1.0)
    sizes = {"exposures": 200, "users": 2, "slate": 5, "kept": 3}
    said = _soak_line({**found, "sizes": sizes, "resident_opened": 2**30, "cache_bytes": 2**29})
    assert "10 tenths" in said
    assert "2.000 of the processor time of one of the first, 2.000 of the second" in said
