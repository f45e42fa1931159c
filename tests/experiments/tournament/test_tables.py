"""Tables in a narrow terminal keep names and figures whole; a warning stands once."""

import io

import pytest
from rich.console import Console

from experiments.reporting.terminal import text_table
from experiments.tournament.tables import off_policy_notes, off_policy_rows, ranking_lines


def policy(name):
    return {
        "name": name, "error": None, "fit_seconds": 0.1, "refit_seconds": 0.0,
        "simulated": {"mean_rating": 3.512, "ci95": [3.4, 3.6], "mean_taken_rating": 3.9,
                      "clicks": 12.3, "session_length": 7.1, "coverage": 0.31},
        "true_mean_rating": 3.4, "true_ci95": [3.3, 3.5],
        "offline": {"ndcg@10": 0.123, "recall@10": 0.234},
    }  # fmt: skip


RESULTS = {
    "dataset": {"name": "toy"},
    "setting": {"num_users": 200, "top": 10},
    "users": {"engine": "scripted", "warning": None},
    "policies": [policy(n) for n in ("popularity", "recent_popularity", "my_policy_by_genre")],
}


def shown(renderables, width):
    out = io.StringIO()
    console = Console(file=out, width=width)
    for one in renderables:
        console.print(one)
    return out.getvalue()


@pytest.mark.parametrize("width", [80, 100])
def test_names_and_figures_are_whole_in_eighty_columns(width):
    text = shown(ranking_lines(RESULTS), width)
    for policy in RESULTS["policies"]:
        assert policy["name"] in text
    assert "\N{HORIZONTAL ELLIPSIS}" not in text
    assert max(map(len, text.splitlines())) <= width


def test_users_without_a_language_model_have_no_engine():
    people = {"engine": "none", "warning": None}
    assert "users, no engine" in shown(ranking_lines({**RESULTS, "users": people}), 80)


def test_a_narrow_table_breaks_its_cells_and_cuts_none():
    table = text_table(["name", "figure"], [["a_rather_long_name", "12345.678"]])
    text = shown([table], 16)
    assert "\N{HORIZONTAL ELLIPSIS}" not in text
    letters = "".join(text.split())
    assert set("a_rather_long_name12345.678") <= set(letters)


def test_a_warning_of_several_estimators_stands_once_with_their_names():
    found = {"tau": 0.5, "effective_size": 3.0, "notes": ["weights are large"]}
    other = {**found, "notes": ["weights are large", "few users"]}
    off_policy = {"estimators": {"IPS": found, "SNIPS": other, "DR": found}}
    assert off_policy_notes(off_policy) == [
        "IPS, SNIPS and DR: weights are large",
        "SNIPS: few users",
    ]
    assert not any("weights" in cell for row in off_policy_rows(off_policy) for cell in row)
    assert off_policy_notes(None) == []
