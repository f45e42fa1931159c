"""Every table of a page as CSV and LaTeX, whatever its cells hold."""

import csv
import io
import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from experiments.reporting.markdown import markdown_table, markdown_text, plain
from experiments.reporting.tables import Table, csv_text, latex_text, table_files, tables_of

TEXT = st.text(max_size=12)
ROWS = st.lists(st.lists(TEXT, min_size=2, max_size=2), max_size=3)
HOSTILE = '\\end{tabular} & 5% $x$ #1 a_b {c} ~ ^ <b> [2] * | "'


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(TEXT.filter(lambda t: t != "---"), min_size=2, max_size=2), ROWS)
def test_what_a_page_shows_comes_back_cell_by_cell(heads, rows):
    rows = [row for row in rows if row != ["---", "---"]]
    (found,) = tables_of(markdown_table(heads, rows))
    assert found.heads == [plain(head) for head in heads]
    assert found.rows == [[plain(cell) for cell in row] for row in rows]


def test_tables_have_the_caption_above_them_and_the_title_of_the_page_is_none():
    one = markdown_table(["policy"], [["ease"]])
    page = f"# ease pleases most\n\n{one}\ntext\n\n## Of *them*\n\n{one}\n{one}"
    assert [table.caption for table in tables_of(page)] == ["", "Of *them*", "Of *them*"]
    names = list(table_files([page], "personarec"))
    assert names[::2] == ["01_policy.csv", "02_of_them.csv", "03_of_them.csv"]
    assert names[1::2] == [name.replace(".csv", ".tex") for name in names[::2]]


def test_numbers_are_for_programs_and_a_missing_one_is_empty():
    cells = ["\N{MINUS SIGN}0.50", "+0.25", "1,204", "\N{EN DASH}", "3.00 ± 0.50", "2026-11-26"]
    table = Table("", ["a"], [[cell] for cell in cells])
    read = [row[0] if row else "" for row in csv.reader(io.StringIO(csv_text(table)))]
    assert read[1:] == ["-0.50", "0.25", "1204", "", "3.00 ± 0.50", "2026-11-26"]


@pytest.mark.parametrize("cell", ["=1+1", "@SUM(A1)", "+cmd|' /C calc'!A0", "-2+3", "\tx"])
def test_no_spreadsheet_runs_a_name_out_of_data(cell):
    rows = list(csv.reader(io.StringIO(csv_text(Table("", ["title"], [[cell]])))))
    assert rows[1] == [f"'{cell}"]


def test_latex_shows_names_and_runs_none_of_them():
    text = latex_text(Table(HOSTILE, [HOSTILE], [[HOSTILE], ["[2] x"]]), "personarec a\n\\input{x}")
    assert text.count(r"\end{tabular}") == 1
    assert text.startswith("% personarec a \\input{x}\n")
    body = text.split(r"\begin{table}")[1]
    assert not re.search(r"(?<!\\)[#$%_]|\n *\[", body.replace("&", ""))
    assert body.replace(r"\{", "").count("{") == body.replace(r"\}", "").count("}")
    assert body.count("&") == body.count(r"\&")


def test_numbers_stand_right_and_words_left():
    rows = [["ease", "\N{MINUS SIGN}0.5", "3 %"], ["als", "\N{EN DASH}", "4 %"]]
    text = latex_text(Table("", ["policy", "gain", "share"], rows), "personarec")
    assert r"\begin{tabular}{lrr}" in text
    assert r"  als & -- & 4 \% \\" in text
    assert r"  ease & $-$0.5 & 3 \% \\" in text


def test_a_heading_is_read_as_it_was_written():
    page = f"## {markdown_text('R&B <3 | a_b')}\n\n{markdown_table(['x'], [['1']])}"
    assert tables_of(page)[0].caption == "R&B <3 | a_b"
