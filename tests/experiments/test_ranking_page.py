"""What the ranking's page and picture are filled with."""

from experiments.policy_ranking.ranking_figures import _ranks, labels
from experiments.policy_ranking.ranking_page import _heat
from experiments.tournament.tables import columns, contrast_rows, rows

MINUS, DASH = "\N{MINUS SIGN}", "\N{EN DASH}"


def policy(name, simulated, offline, true):
    measured = {"mean_rating": simulated, "ci95": [simulated - 0.5, simulated + 0.5], "clicks": 2.0}
    return {"name": name, "simulated": measured, "offline": {"ndcg@10": offline}, "error": None,
            "true_mean_rating": true, "true_ci95": None, "fit_seconds": 0.5,
            "refit_seconds": None}  # fmt: skip


def test_ranks_begin_at_1_with_the_best_and_equal_scores_share_the_mean_rank():
    policies = [policy("a", 4.0, 0.1, None), policy("b", 3.0, 0.3, 3.0), policy("c", 3.0, 0.2, 2.0)]
    found = _ranks({"policies": policies, "setting": {"top": 10}})
    assert found["simulated"] == {"a": 1.0, "b": 2.5, "c": 2.5}
    assert found["offline"] == {"a": 3.0, "b": 1.0, "c": 2.0}
    assert "true" not in found  # of one policy it is missing


def test_names_that_share_a_rank_stand_below_each_other():
    assert labels({"als": 2.5, "ease": 1.0, "slim": 2.5}) == {2.5: "als\nslim", 1.0: "ease"}


def test_shades_are_distances_from_the_rows_middle_between_minus_1_and_1():
    policies = [policy(name, 3.0, 0.1, None) for name in "abc"]
    measures = {n: {"mean_rating": v} for n, v in zip("abc", (4.0, 1.0, None), strict=True)}
    group = {"group": "all", "num_users": 7, "measures": measures}
    (row,) = _heat({"policies": policies, "groups": [group]}, "mean_rating", "stars", 1)["rows"]
    assert [cell["text"] for cell in row["cells"]] == ["4.0", "1.0", DASH]
    assert [cell["shade"] for cell in row["cells"]] == [1.0, -1.0, 0.0]
    assert (row["group"], row["num_users"]) == ("all", 7)


def test_the_table_shows_margins_and_the_error_of_a_policy_that_failed():
    failed = {**policy("bad", 1.0, 0.1, None), "simulated": None, "error": {"phase": "fit",
              "message": "no"}}  # fmt: skip
    results = {"policies": [policy("a", 4.0, 0.1234, 3.0), failed], "setting": {"top": 10}}
    assert "true ★" in columns(results)
    (good, none), (bad, error) = rows(results)
    assert good["simulated ★"] == "4.00\N{NO-BREAK SPACE}±\N{NO-BREAK SPACE}0.50"
    assert (good["NDCG@10"], good["true ★"], good["fit s"]) == ("0.123", "3.00", "0.50")
    assert (none, error) == (None, "failed at fit: no")
    assert bad["simulated ★"] == DASH


def test_differences_are_the_better_minus_the_worse():
    contrast = {"better": "a", "worse": "b", "difference": 0.1, "ci95": [-0.1, 0.3],
                "p_holm": 0.25, "variance_gain": 2.0}  # fmt: skip
    (row,) = contrast_rows({"contrasts": [contrast] * 2}, most=1)
    assert row == [f"a {MINUS} b", "0.100", f"{MINUS}0.100 to 0.300", "0.250", "2.0"]
