"""The main job, end to end on scripted users, and its parts on data one can hold in the head."""

import json
import re
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import yaml
from hydra import compose, initialize_config_module

from experiments.__main__ import main
from experiments.policy_ranking.run import run
from experiments.policy_ranking.sentences import (
    agreement_sentences,
    answer,
    check,
    fidelity_sentence,
)
from experiments.tournament.playing import Session, evaluation_users
from experiments.tournament.summary import summarise
from recommenders.evaluation.session_measures import (
    ItemFacts,
    coverage,
    return_chance,
    score_sessions,
)
from recommenders.evaluation.survival import survival
from simenv.env.rollout import Rollout
from simenv.events import InteractionLog
from simenv.users.lives import Life

TINY = ["experiment=policy_ranking", "debug=tiny", "users=scripted"]


@pytest.fixture(scope="module")
def output_dir(tmp_path_factory):
    """The files of one run through the real command."""
    folder = tmp_path_factory.mktemp("runs") / "here"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", ["personarec", *TINY, f"output_dir={folder}"])
        main()
    return folder


@pytest.fixture(scope="module")
def results(output_dir):
    return json.loads((output_dir / "results.json").read_text(encoding="utf-8"))


def tiny(*overrides):
    with initialize_config_module("conf", version_base="1.3"):
        return compose("config", [*TINY, "output_dir=runs/test", *overrides])


def played(expected, alive, ratings=None, items=None, quits=None):
    expected = np.asarray(expected, dtype=float)
    ratings = np.zeros_like(expected) if ratings is None else np.asarray(ratings, dtype=float)
    alive = np.asarray(alive, dtype=bool)
    return Rollout(
        users=np.arange(len(expected)),
        items=np.zeros(expected.shape, dtype=int) if items is None else np.asarray(items),
        scores=np.zeros(expected.shape),
        propensities=None,
        expected=expected,
        ratings=ratings,
        taken=ratings > 0,
        rewards=np.zeros(alive.shape),
        alive=alive,
        quits=np.zeros(len(expected), dtype=bool) if quits is None else np.asarray(quits),
    )


def facts(num_items=10, num_users=2):
    """Two genres; items 0 to 4 are of the first; item i has i training rows."""
    genres = np.repeat(np.eye(2), num_items // 2, axis=0)
    rows = np.arange(num_items, dtype=float)
    return ItemFacts(genres, rows, rows, np.full(num_users, 2.0))


def test_all_files_go_to_the_output_folder(output_dir):
    names = {path.name for path in output_dir.iterdir()}
    assert names == {
        "results.json", "report.html", "report.md", "interactions.parquet", "config.yaml",
    }  # fmt: skip


def test_results_hold_what_was_promised(results):
    assert {p["name"] for p in results["policies"]} == {
        "random", "popularity", "item_knn", "als", "ease",
    }  # fmt: skip
    for policy in results["policies"]:
        assert {"ndcg@10", "recall@10"} <= policy["offline"].keys()
        simulated = policy["simulated"]
        assert {
            "mean_rating", "ci95", "mean_taken_rating", "clicks", "session_length", "coverage",
        } <= simulated.keys()  # fmt: skip
        low, high = simulated["ci95"]
        assert low <= simulated["mean_rating"] <= high
        assert policy["error"] is None
        assert policy["fit_seconds"] >= 0
    for pair in ("offline_vs_simulated", "offline_vs_true", "simulated_vs_true"):
        assert {"tau", "ci95"} <= results["agreement"][pair].keys()
    assert {"packages", "git", "seed", "config", "command", "started"} <= results[
        "provenance"
    ].keys()


def test_fitting_refitting_and_asking_are_accounted_for_apart(tmp_path):
    found = run(tiny("recommender=[ease,lin_ucb]"), tmp_path)
    seconds = {p["name"]: p for p in found["policies"]}
    assert seconds["lin_ucb"]["refit_seconds"] > 10 * seconds["ease"]["refit_seconds"]
    assert all(p["fit_seconds"] > 0 and p["play_seconds"] > 0 for p in found["policies"])


def test_policies_stand_best_first(results):
    means = [p["simulated"]["mean_rating"] for p in results["policies"]]
    assert means == sorted(means, reverse=True)


def test_scripted_users_agree_with_the_truth_that_they_are(results):
    for policy in results["policies"]:
        assert policy["true_mean_rating"] == policy["simulated"]["mean_rating"]
    assert results["agreement"]["simulated_vs_true"]["tau"] == 1.0


def test_scripted_users_are_called_so_loudly(results, output_dir):
    assert "SCRIPTED USERS" in results["users"]["warning"]
    assert "SCRIPTED USERS" in (output_dir / "report.html").read_text(encoding="utf-8")


def test_a_tiny_run_is_called_meaningless(output_dir):
    assert "too small to mean anything" in (output_dir / "report.html").read_text(encoding="utf-8")


def test_the_report_fetches_nothing(output_dir):
    page = (output_dir / "report.html").read_text(encoding="utf-8")
    assert not re.search(r"""(?:src|href)\s*=\s*["'](?!#)""", page)
    assert not re.search(r"@import|url\((?!#)|<script|<link", page)
    assert page.count("<svg") == 4


def test_the_report_follows_the_theme(output_dir):
    page = (output_dir / "report.html").read_text(encoding="utf-8")
    assert "prefers-color-scheme: dark" in page
    assert not re.search(r"#0[1-7]0[1-7]0[1-7]", page)  # every sentinel became a variable
    assert "var(--simulated)" in page


def test_no_file_names_a_folder_of_this_machine(output_dir):
    for name in ("results.json", "report.html", "config.yaml"):
        text = (output_dir / name).read_text(encoding="utf-8")
        assert str(output_dir.parent) not in text


def test_the_config_on_disk_is_resolved(output_dir):
    config = yaml.safe_load((output_dir / "config.yaml").read_text(encoding="utf-8"))
    assert config["data"]["seed"] == config["seed"] == 0
    assert "${" not in json.dumps(config)


def test_the_interactions_name_policy_and_world(output_dir, results):
    frame = pd.read_parquet(output_dir / "interactions.parquet")
    assert set(frame["policy"]) == {p["name"] for p in results["policies"]}
    assert set(frame["world"]) == {"simulated", "true"}
    one = frame[(frame["policy"] == "ease") & (frame["world"] == "simulated")]
    wanted = next(p for p in results["policies"] if p["name"] == "ease")
    per_user = one.groupby("user")["expected"].mean()
    assert per_user.mean() == pytest.approx(wanted["simulated"]["mean_rating"], abs=1e-6)


def test_the_same_seed_gives_the_same_figures(results, tmp_path):
    again = run(tiny(), tmp_path)
    assert [p["simulated"] for p in again["policies"]] == [
        p["simulated"] for p in results["policies"]
    ]
    assert again["agreement"] == results["agreement"]


def test_one_failing_policy_does_not_stop_the_others(tmp_path):
    results = run(tiny("recommender=[ease,popularity]", "recommender.ease.l2=-1"), tmp_path)
    good, bad = results["policies"]
    assert good["name"] == "popularity"
    assert good["error"] is None
    assert bad["error"]["phase"] == "fit"
    assert bad["simulated"] is None
    assert "failed at fit" in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_when_every_policy_fails_the_files_are_written_and_the_run_fails(tmp_path):
    with pytest.raises(RuntimeError, match="every policy failed"):
        run(tiny("recommender=ease", "recommender.ease.l2=-1"), tmp_path)
    assert (tmp_path / "report.html").exists()


def test_scores_leave_out_what_was_shown_after_the_user_left():
    scores = score_sessions(
        played(
            expected=[[[2.0, 4.0], [9.0, 9.0]], [[1.0, 1.0], [3.0, 5.0]]],
            alive=[[True, False], [True, True]],
            ratings=[[[0.0, 5.0], [1.0, 1.0]], [[0.0, 0.0], [0.0, 0.0]]],
        ),
        facts(),
    )
    assert scores.mean_rating.tolist() == [(2 + 4) / 2, (1 + 1 + 3 + 5) / 4]
    assert scores.mean_taken_rating[0] == 5.0
    assert np.isnan(scores.mean_taken_rating[1])
    assert scores.clicks.tolist() == [1, 0]
    assert scores.session_length.tolist() == [1, 2]


def test_coverage_counts_items_that_somebody_saw():
    shown = played(np.ones((1, 2, 2)), [[True, False]], items=[[[3, 4], [7, 8]]])
    assert coverage(shown, num_items=10) == 2 / 10


def test_slates_of_two_genres_are_more_diverse_than_of_one():
    shown = played(
        np.full((2, 2, 2), 3.0), [[True, True], [True, True]], items=[[[0, 1], [0, 9]]] * 2
    )
    scores = score_sessions(shown, facts())
    assert scores.diversity.tolist() == [(0 + 1) / 2] * 2
    assert scores.drift.tolist() == [1 - 0] * 2


def test_popularity_lift_compares_with_the_users_own_past():
    shown = played(np.full((1, 1, 2), 3.0), [[True]], items=[[[4, 8]]])
    assert score_sessions(shown, facts(num_users=1)).popularity_lift.tolist() == [6 / 2 - 1]


def test_satisfaction_stops_where_the_user_left():
    shown = played([[[1.0], [5.0]], [[1.0], [5.0]]], [[True, False], [True, True]])
    left, stayed = score_sessions(shown, facts()).satisfaction
    assert left == pytest.approx(0.7 * 3.6 + 0.3 * 1.0)
    assert stayed == pytest.approx(0.7 * left + 0.3 * 5.0)


def test_people_who_were_pleased_are_likelier_to_come_back():
    chances = return_chance(np.array([2.0, 3.6, 5.0]), Life())
    assert (np.diff(chances) > 0).all()
    assert chances[1] == pytest.approx(0.852, abs=0.001)  # Phi(ln(7 / 2) / 1.2)


def test_a_user_cut_by_the_budget_has_not_left():
    alive = [[True, True], [True, True], [True, False], [True, True]]
    curve = survival(played(np.ones((4, 2, 1)), alive, quits=[False, False, True, False]))
    assert curve.share.tolist() == [1.0, 0.75, 0.75]
    assert curve.low[1] < 0.75 < curve.high[1]
    nobody = survival(played(np.ones((4, 2, 1)), alive))
    assert nobody.share.tolist() == [1.0, 1.0, 1.0]


def test_a_measure_that_only_one_policy_has_is_not_compared():
    session = Session("a", 0.1, offline={"ndcg@10": np.ones(2)})
    assert summarise([session], facts(), 10, 0, 10)["agreement"]["offline_vs_simulated"] is None


def test_evaluation_users_have_a_past_and_something_to_find():
    train = InteractionLog.from_columns([0, 1, 2], [0, 0, 0], [4, 4, 4], num_users=4, num_items=3)
    test = InteractionLog.from_columns([0, 1, 3], [1, 1, 1], [5, 2, 5], num_users=4, num_items=3)
    dataset = SimpleNamespace(name="toy", train=train, test=test)
    assert evaluation_users(dataset, 10, 4.0, seed=0).tolist() == [0]
    with pytest.raises(ValueError, match="no user with training rows and a held-out rating"):
        evaluation_users(dataset, 10, 5.5, seed=0)


def verdicts(p_holm):
    policies = [
        {"name": name, "simulated": {"mean_rating": mean}, "offline": {"ndcg@10": ndcg},
         "true_mean_rating": true}
        for name, mean, ndcg, true in [("a", 4.0, 0.1, 3.5), ("b", 3.9, 0.2, 3.8)]
    ]  # fmt: skip
    contrast = {"better": "a", "worse": "b", "difference": 0.1, "ci95": [0.02, 0.18]}
    return {
        "policies": policies,
        "contrasts": [contrast | {"p_holm": p_holm}],
        "setting": {"top": 10},
        "agreement": {
            "offline_vs_simulated": None,
            "offline_vs_true": {"tau": 0.4, "ci95": [-0.1, 0.9], "num_policies": 2},
            "simulated_vs_true": {"tau": -1.0, "ci95": [-1.0, -0.5], "num_policies": 2},
        },
    }


def test_every_pair_of_policies_is_compared_with_its_gain_of_pairing(results):
    assert len(results["contrasts"]) == 5 * 4 / 2
    assert all(c["variance_gain"] > 1 for c in results["contrasts"])
    best = results["policies"][0]["name"]
    assert [c["better"] for c in results["contrasts"][:4]] == [best] * 4


def test_off_policy_estimates_stand_beside_what_users_said(results):
    found = results["off_policy"]
    assert found["logged_by"] == "random"
    assert set(found["estimators"]) == {"IPS", "SNIPS", "DM", "DR", "SWITCH-DR"}
    assert len(found["policies"]) == 4
    for judge in ("snips", "dr"):
        for world in ("simulated", "true"):
            agreement = results["agreement"][f"{judge}_vs_{world}"]
            assert agreement["num_policies"] == 4
            assert agreement["ci95"][0] <= agreement["tau"] <= agreement["ci95"][1]


def test_every_measure_is_told_for_every_kind_of_people_and_policy(results):
    overall = {p["name"]: p["simulated"] for p in results["policies"]}
    visitors = [g for g in results["groups"] if g["group"].endswith("visitors")]
    for name, figures in overall.items():
        for measure in ("satisfaction", "return_chance", "left_share", "diversity", "novelty"):
            parts = [(g["measures"][name][measure], g["num_users"]) for g in visitors]
            mean = np.average([v for v, _ in parts], weights=[n for _, n in parts])
            assert mean == pytest.approx(figures[measure], abs=1e-5)
        for group in visitors:
            own = group["measures"][name]
            assert own["mean_rating"] == group["means"][name]
            assert 0 < own["coverage"] <= figures["coverage"]
            assert 0 <= own["survival"] <= 1


def test_kinds_of_people_cover_every_user_once_a_trait(results):
    sizes = {g["group"]: g["num_users"] for g in results["groups"]}
    activity = [sizes.get(f"{often} visitors", 0) for often in ("rare", "regular", "heavy")]
    assert sum(activity) == results["setting"]["num_users"]


def test_a_run_stops_when_every_difference_is_known_well_enough(tmp_path):
    found = run(tiny("precision=0.5", "budget.wave=4"), tmp_path)
    assert found["stop"]["reason"] == "every difference is known to ± 0.5 stars"
    assert found["stop"]["half_width"] <= 0.5
    assert found["stop"]["users"] < found["stop"]["planned"]
    assert found["policies"][0]["simulated"]["survival"]["share"][0] == 1.0


def test_a_budget_is_never_overspent_and_all_policies_meet_the_same_users(tmp_path):
    found = run(tiny("budget.exposures=400", "num_users=24"), tmp_path)
    assert found["stop"]["exposures"] <= 400
    assert found["stop"]["reason"] == "the budget of 400 exposures is spent"
    frame = pd.read_parquet(tmp_path / "interactions.parquet")
    users = frame.groupby("policy", observed=True)["user"].unique()
    assert all(set(own) == set(users.iloc[0]) for own in users)


def test_waves_change_no_answer(results, tmp_path):
    found = run(tiny("precision=1e-9", "budget.wave=5"), tmp_path)
    assert found["stop"]["reason"] == "every user was asked"
    for one, other in zip(found["policies"], results["policies"], strict=True):
        if one["name"] != "random":  # its draws depend on the order of asking
            assert one["simulated"]["mean_rating"] == other["simulated"]["mean_rating"]


def test_a_budget_below_one_user_is_an_error_with_its_size(tmp_path):
    with pytest.raises(ValueError, match=r"a budget of 10 exposures is below the 75"):
        run(tiny("budget.exposures=10"), tmp_path)


def test_the_markdown_report_holds_the_answer(output_dir, results):
    text = (output_dir / "report.md").read_text(encoding="utf-8")
    assert text.startswith(f"# {answer(results)}")


def test_traces_show_the_distribution_and_the_choice(results):
    user = results["traces"]["users"][0]
    item = user["items"][0]
    assert sum(item["probabilities"]) == pytest.approx(1.0, abs=1e-3)
    assert item["stars"] in range(6)


def test_a_clear_lead_is_told_with_its_size():
    assert answer(verdicts(0.01)) == (
        "a pleases the simulated users most: 4.00 stars on average, 0.100 more than b, the next"
        " best (95 % CI 0.020 to 0.180)."
    )


def test_a_lead_within_chance_is_called_so():
    assert "cannot tell them apart" in answer(verdicts(0.3))


def test_the_check_says_what_each_choice_would_have_cost():
    assert check(verdicts(0.01)) == (
        "With the true users b is best. The simulation picks a, which is 0.30 true stars worse."
        " NDCG picks it."
    )


def test_weak_evidence_is_called_weak():
    missing, weak, opposite = (text for _, text in agreement_sentences(verdicts(0.01)))
    assert missing.startswith("not compared")
    assert weak.startswith("weak evidence")
    assert opposite.startswith("they order the policies against each other")


def test_the_fidelity_sentence_hides_no_better_predictor():
    predictors = {"these users": {"rmse": 0.95}, "user mean": {"rmse": 1.0}, "bias": {"rmse": 0.9}}
    assert fidelity_sentence({"num_ratings": 7, "predictors": predictors}) == (
        "On 7 held-out ratings, these users err by 0.950 RMSE, less than user mean,"
        " no less than bias."
    )
