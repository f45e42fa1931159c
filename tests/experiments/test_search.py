"""A search is judged by users who did not search, goes on after a stop, and survives bad trials."""

import numpy as np
import pytest
from hydra import compose, initialize_config_module

from experiments.reporting.running import perform
from experiments.search.run import _answer, _difference, _values
from tests.experiments.tournament.sessions import facts, session, twice

TINY = ["experiment=search", "debug=tiny", "users=scripted", "num_users=16"]


def search(folder, *overrides):
    with initialize_config_module("conf", version_base="1.3"):
        return perform(compose("config", [*TINY, f"output_dir={folder}", *overrides]))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("search")


@pytest.fixture(scope="module")
def results(folder):
    return search(folder, "experiment.num_trials=3")


def test_the_first_trial_is_the_policy_as_configured(results):
    assert results["trials"][0]["params"] == {"l2": 200.0}
    assert len(results["trials"]) == 3
    assert results["best_value"] == max(t["value"] for t in results["trials"])


def test_the_winner_is_confirmed_on_other_users(results):
    check = results["confirmation"]
    assert check["num_users"] == 8
    assert np.isclose(check["difference"], check["found"] - check["configured"], atol=1e-5)


def test_the_difference_is_paired_by_user_with_its_95_percent_interval():
    found = _difference(np.array([2.0, 3.0, 4.0, np.nan]), np.array([1.5, 2.0, 2.5, np.nan]))
    half = 4.302652729696142 * 0.5 / np.sqrt(3)  # Student's t, 97.5 %, 2 degrees; of 0.5, 1, 1.5
    assert (found["found"], found["configured"], found["difference"]) == (3.0, 2.0, 1.0)
    assert found["ci95"] == [round(1 - half, 6), round(1 + half, 6)]
    t = 1.0 / (0.5 / np.sqrt(3))
    assert found["p_value"] == pytest.approx(1 - t / np.sqrt(2 + t**2), abs=1e-6)


@pytest.mark.parametrize(("low", "verdict"), [
    (0.01, "better than"), (-0.01, "within noise of"),
    (None, "with no interval of the difference to"),
])  # fmt: skip
def test_a_winner_is_better_only_where_its_interval_says_so(low, verdict):
    check = {"num_users": 9, "found": 3.5, "configured": 3.0, "difference": 0.5, "ci95": [low, 0.9]}
    results = {"policy": "ease", "objective": "mean_rating", "best": {"l2": 20.0, "k": 3}}
    assert _answer({**results, "confirmation": check}).startswith(
        f"ease with l2=20, k=3 is {verdict} the settings as configured: on 9 users who"
        " did not search, mean_rating 3.500 against 3.000, a difference of 0.5000 (95 % CI "
    )


def test_a_stopped_search_goes_on(results, folder):
    again = search(folder, "experiment.num_trials=4")
    assert again["trials"][:3] == results["trials"]
    assert len(again["trials"]) == 4


@pytest.mark.slow
def test_a_failing_trial_is_recorded_and_the_others_go_on(tmp_path):
    space = "experiment.space=[{name: l2, choices: [200.0, -1.0]}]"
    found = search(tmp_path, "experiment.num_trials=6", space)
    errors = [t["error"] for t in found["trials"] if t["error"]]
    assert errors
    assert all("l2" in error for error in errors)
    assert found["best"] == {"l2": 200.0}


@pytest.mark.slow
def test_an_offline_metric_can_be_the_objective(tmp_path):
    found = search(tmp_path, "experiment.num_trials=1", "experiment.objective=ndcg@10")
    assert 0 <= found["best_value"] <= 1


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("experiment.policy=als", r"policy=als is not among the policies \['ease'\]"),
        ("experiment.space=[{name: k, choices: [1]}]", "space names k, but ease is configured by"),
        ("experiment.objective=joy", "objective wanted one of mean_rating, .*got 'joy'"),
        ("num_users=2", "wanted at least four users"),
    ],
)
def test_bad_settings_are_errors_with_a_cure(override, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        search(tmp_path, "experiment.num_trials=1", override)


class Facts:
    """A setting, as far as measures of sessions go."""

    def item_facts(self):
        return facts(num_users=2)


def test_a_candidate_is_worth_the_mean_over_both_views():
    both = twice(session("a", [1, 4], offline=[0.0, 1.0]), session("a", [3, 5], offline=[1.0, 1.0]))
    assert _values(both, "mean_rating", Facts()).tolist() == [2.0, 4.5]
    assert _values(both, "ndcg@10", Facts()).tolist() == [0.5, 1.0]
