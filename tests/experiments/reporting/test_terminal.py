"""Tables for a terminal: every one fits into 80 columns, and no figure is broken or lost."""

import ast
from io import StringIO
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from experiments.reporting.terminal import text_table
from experiments.simulate.society_page import HEADS

ROOT = Path(__file__).parents[3]


def printed(table, width=80):
    console = Console(width=width, record=True, file=StringIO())
    console.print(table)
    return console.export_text()


def test_texts_stand_on_the_left_and_figures_on_the_right():
    rows = [["als", "x", "3.5"], ["popularity", "all", "13.25"]]
    shown = printed(text_table(["policy", "of", "stars"], rows, "Stars", num_texts=2))
    title, heads, _, *lines = [line.rstrip() for line in shown.splitlines() if line.strip()]
    assert title == "Stars"
    assert heads.split() == ["policy", "of", "stars"]
    assert [line.index("x") for line in lines[:1]] == [heads.index("of")]
    assert {len(line) for line in lines} == {len(heads)}


def test_cells_are_broken_in_a_narrow_terminal_and_never_cut():
    name = "a_name_of_a_policy_that_goes_on_and_on"
    shown = printed(text_table(["policy", "stars", "n"], [[name, "3.512", "1,000"]]), width=30)
    assert {"3.512", "1,000"} <= set(shown.split())
    assert "".join(word for word in shown.split() if "_" in word) == 2 * name


def test_eighty_columns_hold_the_table_of_a_society_with_whole_names_and_heads():
    cells = ["popularity", *["0.133"] * 6, "13", "0.0%"]
    shown = printed(text_table(HEADS, [cells]))
    assert {"popularity", "bubble", "polarisation", "chamber", "failed"} <= set(shown.split())
    assert max(map(len, shown.splitlines())) <= 80


def test_figures_without_room_go_on_behind_the_same_names():
    heads = ["who", *(f"figure {i}" for i in range(12))]
    shown = printed(text_table(heads, [["ann", *(f"1.{i:05}" for i in range(12))]], "Title"))
    assert shown.count("Title") == 1
    assert shown.count("who") == shown.count("ann") == 2
    assert [word for word in shown.split() if word[:2] == "1."] == [f"1.{i:05}" for i in range(12)]
    wide = printed(text_table(heads, [["ann", *["1"] * 12]]), width=200)
    assert wide.count("ann") == 1


WORD = st.integers(1, 40).map(lambda length: ("abcd_efghij" * 4)[:length])
FIGURE = st.integers(1, 9_999_999).map(lambda number: f"{number / 1000:.3f}")


@settings(max_examples=60, deadline=None)
@given(
    st.lists(WORD, min_size=1, max_size=3),
    st.lists(FIGURE, min_size=1, max_size=14),
    st.integers(80, 140),
)
def test_whatever_a_table_holds_it_fits_and_its_figures_are_whole(texts, figures, width):
    heads = [*("text" for _ in texts), *(f"h{i}" for i in range(len(figures)))]
    shown = printed(text_table(heads, [[*texts, *figures]], num_texts=len(texts)), width)
    assert max(map(len, shown.splitlines())) <= width
    assert [word for word in shown.split() if word[0].isdigit()] == figures


# Pairs without figures, help, and the ranking whose failures stand in red.
OTHERS = {"command_line/help_page.py", "reporting/terminal.py", "tournament/tables.py"}


def test_every_table_of_every_experiment_is_laid_out_here():
    """What is made otherwise must show by a test of its own that it fits."""
    made = set()
    for path in (ROOT / "experiments").rglob("*.py"):
        names = {
            f"{node.module}.{alias.name}"
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.ImportFrom)
            for alias in node.names
        }
        if "rich.table.Table" in names:
            made.add(str(path.relative_to(ROOT / "experiments")))
    assert made - OTHERS == set(), "use reporting.terminal.text_table"


def samples():
    """Tables that were once wider than a terminal, with cells of their real lengths."""
    from experiments.personality_levels.levels_page import EFFECT_HEADS, LEVEL_HEADS
    from experiments.rating_fidelity import table
    from experiments.throughput.throughput_tables import race_table

    ends = "+0.123 to +0.123"
    row = {"rmse": 1.0321, "rmse_ci95": [1.01, 1.05], "mae": 0.812, "mode_rmse": 1.1,
           "mode_mae": 0.9, "uauc": 0.71, "ece": 0.034, "said_rmse": 1.2,
           "said_urr": 0.0123}  # fmt: skip
    names = ["none | Ms+Ml of another", "facets_shuffled | Ms+Ml", "matrix factorisation"]
    contrasts = {asked: {"difference": -0.0123, "ci95": [-0.02, 0.001]}
                 for asked, _, _ in (*table.CONTRASTS, *table.FACET_CONTRASTS)}  # fmt: skip
    regime = {"draws": 3, "rows_asked": 12345, "rows": dict.fromkeys(names, row),
              "contrasts": contrasts}  # fmt: skip
    ways = ("loop", "generate", "padded", "hugging_face", "merged", "merge_in_out", "mixed",
            "llama_cpp")  # fmt: skip
    ratio = {"median": 1519.0, "min": 1492.0, "max": 1547.0}
    cell = {"workload": "identical", "users": 1000, "slate": 20, "adapters": 64,
            "rates": {"ours": {"median": 54901.0}},
            "ratios": dict.fromkeys(ways, ratio)}  # fmt: skip
    pairs = ["questionnaire & situations", "questionnaire & behaviour", "situations & behaviour"]
    return {
        "rating_fidelity": table.lines({"population": regime}),
        "throughput": [race_table([cell])],
        "personality_levels": [
            text_table(LEVEL_HEADS, [["O", "questionnaire", *["0.123"] * 3, "+0.123", ends]], "",
                       2),
            text_table(EFFECT_HEADS, [["O", "share of genres met", "more", *["0.123"] * 3, ends,
                                       "within noise"]], "", 2),
            text_table(["factor", *pairs], [["pooled", *["+0.12 (+0.34 to 0.21)"] * 3]]),
        ],
    }  # fmt: skip


@pytest.mark.parametrize("name", ["rating_fidelity", "throughput", "personality_levels"])
def test_tables_that_were_too_wide_fit_and_break_no_figure(name):
    for line in samples()[name]:
        narrow, wide = printed(line), printed(line, 1000)
        assert max(map(len, narrow.splitlines())) <= 80
        figures = {word for word in wide.split() if any(sign.isdigit() for sign in word)}
        assert figures <= set(narrow.split()), figures - set(narrow.split())
