"""Tables for a terminal."""

from io import StringIO

from rich.console import Console

from experiments.reporting.terminal import text_table
from experiments.simulate.society_page import HEADS


def test_texts_stand_on_the_left_and_figures_on_the_right():
    table = text_table(["policy", "of", "stars"], [["als", "x", "3.5"]], "Stars", num_texts=2)
    assert [column.header for column in table.columns] == ["policy", "of", "stars"]
    assert [column.justify for column in table.columns] == ["left", "left", "right"]
    assert [list(column.cells) for column in table.columns] == [["als"], ["x"], ["3.5"]]
    assert table.title == "Stars"


def test_cells_are_broken_in_a_narrow_terminal_and_never_cut():
    assert all(column.overflow == "fold" for column in text_table(["a", "b"], []).columns)
    assert not any(column.no_wrap for column in text_table(["a", "b"], []).columns)


def test_eighty_columns_hold_the_table_of_a_society_with_whole_names_and_heads():
    cells = ["popularity", *["0.133"] * 6, "13", "0.0%"]
    console = Console(width=80, record=True, file=StringIO())
    console.print(text_table(HEADS, [cells]))
    printed = console.export_text()
    assert {"popularity", "bubble", "polarisation", "chamber", "failed"} <= set(printed.split())
    assert max(map(len, printed.splitlines())) <= 80
