"""One table of a sweep: what varied, what repeats, what failed."""

import json

import pytest

from experiments.__main__ import main
from experiments.collect.run import answer, read_runs
from experiments.collect.table import collect


def call(monkeypatch, *words):
    monkeypatch.setattr("sys.argv", ["personarec", *words])
    main()


def a_run(seed, means, factors=8, failed=()):
    return {
        "experiment": "policy_ranking",
        "setting": {"top": 10},
        "stop": {"users": 20, "cost": 0.5},
        "policies": [
            {
                "name": name,
                "error": None,
                "simulated": {"mean_rating": mean, "ci95": [mean - 1, mean + 1]},
                "true_mean_rating": None,
                "offline": {"ndcg@10": 0.5},
                "fit_seconds": 1.0,
                "play_seconds": 2.0,
            }
            for name, mean in means.items()
        ]
        + [{"name": n, "error": {"phase": "fit", "message": "no"}} for n in failed],
        "provenance": {
            "config": {
                "seed": seed,
                "output_dir": f"runs/{seed}",
                "recommender": {"als": {"factors": factors}, "ease": {"l2": 1}},
            },
            "git": {"commit": "abcdef0123456", "dirty": False},
        },
    }


def test_runs_that_differ_in_seeds_only_are_repeats():
    found = collect([a_run(0, {"als": 3.0, "ease": 4.0}), a_run(1, {"als": 3.2, "ease": 4.0})])
    assert found["varied"] == []
    assert [row["policy"] for row in found["rows"]] == ["ease", "als"]
    als = found["rows"][1]
    assert als["simulated"]["mean"] == pytest.approx(3.1)
    half = 12.706204736432095 * 0.1  # Student's t, 97.5 %, 1 degree of freedom
    assert als["simulated"]["ci95"] == pytest.approx([3.1 - half, 3.1 + half], abs=1e-6)
    assert (als["interval_over"], als["seeds"], als["commits"]) == (
        "seeds",
        ["0", "1"],
        ["abcdef012"],
    )
    assert (als["users"], als["seconds"], als["cost"]) == (40, 6.0, 1.0)


def test_a_parameter_concerns_its_own_policy_only():
    found = collect([a_run(0, {"als": 3.0, "ease": 4.0}), a_run(0, {"als": 4.5, "ease": 4.0}, 16)])
    assert found["varied"] == ["recommender.als.factors"]
    settings = {(row["policy"], row["setting"]) for row in found["rows"]}
    assert settings == {
        ("als", "recommender.als.factors=8"),
        ("als", "recommender.als.factors=16"),
        ("ease", ""),
    }


def test_a_single_run_keeps_its_interval_over_users():
    (row,) = collect([a_run(0, {"als": 3.0})])["rows"]
    assert (row["interval_over"], row["simulated"]["ci95"]) == ("users", [2.0, 4.0])


def test_what_a_setting_changes_in_the_ranking_is_reported():
    runs = [a_run(0, {"als": 3.0, "ease": 4.0}), a_run(0, {"als": 4.5, "ease": 4.0})]
    runs[1]["provenance"]["config"]["users"] = {"ablation": "no_ml"}
    runs[0]["provenance"]["config"]["users"] = {"ablation": "none"}
    found = collect(runs)
    rankings = found["rankings"]
    assert answer(found) == (
        "ease has the highest mean with users.ablation=none, and in 1 of 2 settings; τ of the order"
        " with the first is \N{MINUS SIGN}1.00; orders of means say nothing about noise."
    )
    assert [r["order"] for r in rankings] == [["ease", "als"], ["als", "ease"]]
    assert [r["tau_with_first"] for r in rankings] == [1.0, -1.0]


def test_the_best_row_is_the_answer_with_its_interval():
    found = collect([a_run(0, {"als": 3.0, "ease": 4.0}), a_run(1, {"als": 3.0, "ease": 4.0})])
    assert answer(found) == (
        "ease pleases most: 4.000 simulated stars (95 % CI over seeds 4.000 to 4.000), in 2 runs."
        " Two seeds say little: an interval over seeds wants five or more."
    )
    assert answer(collect([a_run(0, {}, failed=["als"])])) == "Every policy of every run failed."


def test_failures_are_listed():
    found = collect([a_run(0, {"ease": 4.0}, failed=["als"])])
    assert found["failures"] == [{"setting": "", "policy": "als", "phase": "fit", "message": "no"}]


def test_a_folder_without_runs_is_an_error(tmp_path):
    with pytest.raises(ValueError, match="wanted runs of experiment=policy_ranking, found 0"):
        read_runs(tmp_path)


@pytest.mark.slow
def test_a_real_sweep_is_collected(monkeypatch, tmp_path):
    sweep = tmp_path / "sweep"
    common = ["debug=tiny", "users=scripted", f"output_dir={sweep}"]
    choices = ["recommender=random,popularity", "data.seed=0,1"]
    call(monkeypatch, "-m", "experiment=policy_ranking", *choices, *common)
    call(monkeypatch, "experiment=collect", f"sweep_dir={sweep}", f"output_dir={sweep / 'all'}")
    found = json.loads((sweep / "all" / "results.json").read_text(encoding="utf-8"))
    assert found["num_runs"] == 4
    assert {row["policy"] for row in found["rows"]} == {"random", "popularity"}
    assert all(len(row["seeds"]) == 2 for row in found["rows"])
    names = {path.name for path in (sweep / "all").iterdir()}
    pages = {"report.md", "report.html", "tables"}
    assert names == {"results.json", "table.csv", *pages, "config.yaml"}


def test_an_interval_over_two_seeds_stays_within_the_scale_and_says_that_two_are_few():
    found = collect([a_run(0, {"als": 2.0}), a_run(1, {"als": 3.5})])
    assert found["rows"][0]["simulated"]["ci95"] == [1.0, 5.0]
    assert "Two seeds say little" in answer(found)
    three = collect([a_run(seed, {"als": 3.0}) for seed in range(3)])
    assert "Two seeds" not in answer(three)


def test_a_folder_that_is_not_there_is_an_error_that_names_it(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"sweep_dir=.*nowhere wanted .* no such folder"):
        read_runs(tmp_path / "nowhere")
