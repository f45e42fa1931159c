"""The main job, end to end on scripted users, and its parts on data one can hold in the head."""

import json
import re

import numpy as np
import pandas as pd
import pytest
import yaml
from hydra import compose, initialize_config_module

from experiments.policy_ranking.sentences import (
    answer,
)
from experiments.reporting.report import markdown_text
from experiments.reporting.running import perform
from tests.experiments.command import run_command

TINY = ["experiment=policy_ranking", "debug=tiny", "users=scripted"]


@pytest.fixture(scope="module")
def output_dir(tmp_path_factory):
    """The files of one run through the real command."""
    folder = tmp_path_factory.mktemp("runs") / "here"
    run_command(folder, *TINY)
    return folder


@pytest.fixture(scope="module")
def results(output_dir):
    return json.loads((output_dir / "results.json").read_text(encoding="utf-8"))


def ranked(folder, *overrides):
    with initialize_config_module("conf", version_base="1.3"):
        return perform(compose("config", [*TINY, f"output_dir={folder}", *overrides]))


def test_all_files_go_to_the_output_folder(output_dir):
    names = {path.name for path in output_dir.iterdir()}
    assert names == {
        "results.json", "report.html", "report.md", "tables", "interactions.parquet", "config.yaml",
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
    found = ranked(tmp_path, "recommender=[ease,lin_ucb]")
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


def test_the_report_begins_with_its_answer_and_not_with_cautions(output_dir):
    page = (output_dir / "report.html").read_text(encoding="utf-8")
    assert page.index("<h1>") < page.index("Before you quote this number") < page.index("<h2>")


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
    again = ranked(tmp_path)
    assert [p["simulated"] for p in again["policies"]] == [
        p["simulated"] for p in results["policies"]
    ]
    assert again["agreement"] == results["agreement"]


def test_one_failing_policy_does_not_stop_the_others(tmp_path):
    results = ranked(tmp_path, "recommender=[ease,popularity]", "recommender.ease.max_items=1")
    good, bad = results["policies"]
    assert good["name"] == "popularity"
    assert good["error"] is None
    assert bad["error"]["phase"] == "fit"
    assert bad["simulated"] is None
    assert "failed at fit" in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_when_every_policy_fails_the_files_are_written_and_the_run_fails(tmp_path):
    with pytest.raises(RuntimeError, match=r"every policy failed, ease with \w+: .*max_items"):
        ranked(tmp_path, "recommender=ease", "recommender.ease.max_items=1")
    assert (tmp_path / "report.html").exists()


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


def test_every_measure_is_given_for_every_kind_of_people_and_policy(results):
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
    found = ranked(tmp_path, "precision=0.5", "budget.wave=4")
    assert found["stop"]["reason"] == "every difference is known to ± 0.5 stars"
    assert found["stop"]["half_width"] <= 0.5
    assert found["stop"]["users"] < found["stop"]["planned"]
    assert found["policies"][0]["simulated"]["survival"]["share"][0] == 1.0


def test_a_budget_is_never_overspent_and_all_policies_meet_the_same_users(tmp_path):
    found = ranked(tmp_path, "budget.exposures=400", "num_users=24")
    assert found["stop"]["exposures"] <= 400
    assert found["stop"]["reason"] == "the budget of 400 exposures is spent"
    frame = pd.read_parquet(tmp_path / "interactions.parquet")
    users = frame.groupby("policy", observed=True)["user"].unique()
    assert all(set(own) == set(users.iloc[0]) for own in users)


def test_waves_change_no_answer(results, tmp_path):
    found = ranked(tmp_path, "precision=1e-9", "budget.wave=5")
    assert found["stop"]["reason"] == "every user was asked"
    for one, other in zip(found["policies"], results["policies"], strict=True):
        if one["name"] != "random":  # its draws depend on the order of asking
            assert one["simulated"]["mean_rating"] == other["simulated"]["mean_rating"]


def test_a_budget_below_one_user_is_an_error_with_its_size(tmp_path):
    with pytest.raises(ValueError, match=r"a budget of 10 exposures is below the 75"):
        ranked(tmp_path, "budget.exposures=10")


def test_the_markdown_report_holds_the_answer(output_dir, results):
    text = (output_dir / "report.md").read_text(encoding="utf-8")
    assert text.startswith(f"# {markdown_text(answer(results))}")


def test_traces_show_the_distribution_and_the_choice(results):
    user = results["traces"]["users"][0]
    assert user["id"] == str(user["user"])  # as the source calls it
    item = user["items"][0]
    assert sum(item["probabilities"]) == pytest.approx(1.0, abs=1e-3)
    assert item["stars"] in range(6)


@pytest.mark.slow
def test_people_may_be_made_of_other_rows_than_the_policies_learnt_from(tmp_path):
    shared = ranked(tmp_path / "shared", "users=ridge")
    apart = ranked(tmp_path / "apart", "users=ridge", "users.evidence=independent")
    assert (shared["users"]["evidence"], apart["users"]["evidence"]) == ("shared", "independent")
    rows = [found["dataset"]["train_ratings"] for found in (shared, apart)]
    assert abs(2 * rows[1] - rows[0]) <= shared["dataset"]["num_users"]  # policies know one half
    for found in (shared, apart):
        assert set(found["collusion"]["policies"]) == {p["name"] for p in found["policies"]}
        assert any(text.startswith("Collusion: ") for text in found["before_you_quote"])
    assert shared["collusion"] == apart["collusion"]  # its halves are its own
    frames = [pd.read_parquet(tmp_path / name / "interactions.parquet") for name in
              ("shared", "apart")]  # fmt: skip
    assert "view" not in frames[0]
    assert (shared["setting"].get("views"), apart["setting"]["views"]) == (None, 2)
    assert frames[1].groupby("view")["user"].nunique().tolist() == [apart["stop"]["users"]] * 2
    best = apart["policies"][0]
    own = frames[1].query("world == 'simulated' and policy == @best['name']")
    of_users = own.groupby(["user", "view"])["expected"].mean().groupby("user").mean()
    assert of_users.mean() == pytest.approx(best["simulated"]["mean_rating"], abs=1e-6)
    assert any("asked again" in text for text in apart["before_you_quote"])
    none = ranked(tmp_path / "none", "users=ridge", "experiment.collusion_users=0")
    assert none["collusion"] is None


@pytest.mark.slow
def test_searches_forks_and_training_take_other_evidence_and_say_how_far_people_collude(tmp_path):
    for words in (
        ["experiment=search", "experiment.num_trials=1"],
        ["experiment=counterfactual", "experiment.switch_at=1"],
    ):
        with initialize_config_module("conf", version_base="1.3"):
            folder = tmp_path / words[0].partition("=")[2]
            tiny = [*words, "debug=tiny", "users=ridge", "users.evidence=mixed"]
            found = perform(compose("config", [*tiny, f"output_dir={folder}"]))
        assert found["users"]["evidence"] == "mixed"
        assert len(found["collusion"]["policies"]) >= 2
