"""The check of off-policy intervals, small and through the real command; its sums by hand."""

import json

import numpy as np
import pytest

from experiments.__main__ import main
from experiments.off_policy.coverage import summarise, worth
from experiments.off_policy.coverage_table import _heading, answer
from experiments.off_policy.logged_world import LoggedWorld, play, true_value
from experiments.people.people import true_users
from recommenders.off_policy.intervals import Estimate
from recommenders.policies.heuristics import Random
from simenv.data.synthetic import synthetic
from simenv.env.vector_env import RecVectorEnv

SMALL = ["experiment=off_policy", "data.num_users=80", "experiment.num_users=30",
         "experiment.repetitions=3", "experiment.truth_plays=2"]  # fmt: skip


def call(monkeypatch, *words):
    monkeypatch.setattr("sys.argv", ["personarec", *words])
    main()


def test_every_estimator_is_checked_for_every_pair_of_policies(monkeypatch, tmp_path):
    call(monkeypatch, *SMALL, f"output_dir={tmp_path}")
    results = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))
    found = {(c["logged_by"], c["target"], c["estimator"]) for c in results["cells"]}
    everywhere = {"IPS", "SNIPS", "DM", "DR", "SWITCH-DR", "MRDR"}
    everywhere |= {"cascade-IPS", "cascade-SNIPS", "cascade-DR"}
    for target in ("fifth_greedy", "best_mean", "ease"):
        assert {e for c, t, e in found if (c, t) == ("uniform", target)} == everywhere | {"PI"}
        assert {e for c, t, e in found if (c, t) == ("half_greedy", target)} == everywhere
    assert all(cell["repetitions"] == 3 for cell in results["cells"])
    assert "| SNIPS |" in (tmp_path / "report.md").read_text(encoding="utf-8")


def test_too_few_people_are_an_error_with_the_cure(monkeypatch, tmp_path):
    monkeypatch.setenv("HYDRA_FULL_ERROR", "1")
    with pytest.raises(ValueError, match=r"wanted at least 200 people .* raise data.num_users"):
        call(monkeypatch, *SMALL, "experiment.num_users=100", f"output_dir={tmp_path}")


def test_data_without_a_known_truth_are_refused(monkeypatch, tmp_path):
    monkeypatch.setenv("HYDRA_FULL_ERROR", "1")
    words = ["data=population", "data.path=agents/populations/pocket"]
    wanted = "true taste is known, got data=population; give data=synthetic or data=tiny"
    with pytest.raises(ValueError, match=wanted):
        call(monkeypatch, "experiment=off_policy", *words, f"output_dir={tmp_path}")


def test_coverage_bias_and_warnings_of_four_logs():
    def estimate(value, notes=()):
        return Estimate(value, value - 1, value + 1, 10.0, 2.0, notes)

    found = summarise([estimate(1.0), estimate(1.5), estimate(4.0), estimate(3.5, ("x",))], 2.0)
    assert found["coverage"] == 0.5  # 0 to 2 and 0.5 to 2.5 hold 2, the others do not
    assert found["coverage_ci95"] == [0.15, 0.85]  # Wilson's 95 % interval of 2 of 4
    assert found["bias"] == pytest.approx((1.0 + 1.5 + 4.0 + 3.5) / 4 - 2)
    assert found["rmse"] == pytest.approx(np.sqrt((1 + 0.25 + 4 + 2.25) / 4), abs=1e-5)
    assert found["half_width"] == 1.0
    assert found["warned"] == 0.25


def test_an_interval_on_either_side_of_the_truth_does_not_cover_it():
    sides = [
        Estimate(v, v - 1, v + 1, size, 1.0) for v, size in ((0.5, 3.0), (3.5, 9.0), (2.0, 4.0))
    ]
    found = summarise(sides, 2.0)
    assert found["coverage"] == round(1 / 3, 4)
    assert found["effective_size"] == 4.0  # the median


def test_an_interval_that_is_no_number_holds_nothing():
    found = summarise([Estimate(np.nan, np.nan, np.nan, 0.0, 0.0, ("none",))], 2.0)
    assert found["coverage"] == 0.0
    assert found["bias"] is None


def test_a_target_is_worth_the_mean_of_its_plays_known_to_a_standard_error():
    found = worth(np.array([1.0, 2.0, 3.0, 2.0]))
    assert found == {"value": 2.0, "standard_error": round(np.sqrt(2 / 3) / 2, 5)}
    results = {"truth": {"ease": found}}
    assert _heading(results, "uniform", "ease") == (
        "ease, from logs of uniform (truth 2.000 ± 0.800)"  # 1.96 standard errors
    )


def test_every_play_of_the_truth_has_draws_of_its_own_and_counts_every_place():
    dataset = synthetic(1, num_users=8, num_items=80)
    world = LoggedWorld(dataset, true_users(dataset), RecVectorEnv, 3, 0)
    policy = Random().meet_catalog(dataset.catalog).fit(dataset.train)
    users = np.arange(8)
    first, second = true_value(policy, world, users, 2)
    assert first != second
    assert first == play(policy, world, users, 10**9).ratings.mean()


def test_the_answer_counts_those_that_cover():
    def cell(estimator, high, warned):
        return {"estimator": estimator, "coverage_ci95": [0.5, high], "warned": warned}

    cells = [
        cell("IPS", 0.96, 0.0),
        cell("DR", 0.949, 0.49),
        cell("PI", 0.9, 0.5),
        cell("DM", 0, 0),
    ]
    said = answer({"cells": cells, "setting": {"repetitions": 7}})
    assert "Of 2 weighted estimates that mostly do not warn, 1 cover" in said
    assert "of 1 that mostly warn, 1 fall short" in said
