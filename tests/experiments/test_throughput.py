"""Races have the right shape; how fast anything is, is no test."""

import json

import numpy as np
import pytest
from hydra import compose, initialize_config_module

from agents.inference.scripted import ScriptedEngine
from agents.persona_users import PersonaUsers
from agents.population import Population
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
def test_the_experiment_runs_and_its_ways_agree(tmp_path):
    small = [
        "adapters=[1,2]",
        "users=[3]",
        "slates=[2]",
        "env_users=[4]",
        "env_steps=1",
        "rounds=1",
    ]
    with initialize_config_module("conf", version_base="1.3"):
        cfg = compose(
            "config", ["experiment=throughput", *(f"experiment.{s}" for s in small), "output_dir=x"]
        )
    results = run(cfg, tmp_path)
    assert json.loads((tmp_path / "results.json").read_text())["cells"]
    for cell in results["cells"]:
        assert max(cell["largest_difference"].values()) < 1e-3
        assert set(cell["ratios"]) == {"generate", "loop", "padded", "hugging_face", "mixed"}
