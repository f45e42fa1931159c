"""Races have the right shape; how fast anything is, is no test."""

import json

import numpy as np
import pytest
from hydra import compose, initialize_config_module

from agents.inference.scripted import ScriptedEngine
from agents.memory import TableMemory
from agents.persona_users import PersonaUsers
from agents.population import Population
from experiments.throughput.baseline import compare, ratios, regressions
from experiments.throughput.crowds import crowd
from experiments.throughput.memories import MemorySizes, OneIndex, race_memories
from experiments.throughput.run import run
from experiments.throughput.timing import race, spread
from experiments.throughput.workloads import WORKLOADS, requests


@pytest.fixture(scope="module")
def people():
    return PersonaUsers(Population.shipped(), ScriptedEngine())


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


@pytest.mark.slow
@pytest.mark.filterwarnings("error:Adapter cannot be set when the model is merged")
@pytest.mark.filterwarnings("error:Already unmerged")
def test_the_experiment_runs_and_its_ways_agree(tmp_path):
    small = [
        "adapters=[1,2]",
        "users=[3]",
        "slates=[2]",
        "env_users=[4]",
        "env_steps=1",
        "rounds=1",
        "memory={users: 6, kept: 4, slate: 2, recalled: 3, items: 20, width: 8}",
    ]
    with initialize_config_module("conf", version_base="1.3"):
        cfg = compose(
            "config", ["experiment=throughput", *(f"experiment.{s}" for s in small), "output_dir=x"]
        )
    results = run(cfg, tmp_path)
    assert json.loads((tmp_path / "results.json").read_text())["cells"]
    stored = json.loads((tmp_path / "baseline.json").read_text())
    assert stored["ratios"] == ratios(results)
    assert [c.relative for c in compare(ratios(results), tmp_path / "baseline.json")] == [
        1.0
    ] * len(stored["ratios"])
    assert results["env"][0]["step_seconds"]["p95"] > 0
    assert results["peak_memory_bytes"] > 2**20
    for cell in results["cells"]:
        assert max(cell["largest_difference"].values()) < 1e-3
        assert set(cell["ratios"]) == {
            "generate",
            "loop",
            "padded",
            "hugging_face",
            "mixed",
            "merge_in_out",
        }


def test_a_crowd_is_the_same_people_with_prefixes_of_their_own():
    shipped = Population.shipped()
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


def test_a_baseline_tells_which_ratios_fell(tmp_path):
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
