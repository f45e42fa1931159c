"""Names out of data and configs may hold anything; no page reads them as markup."""

import re

import pytest

from experiments.reporting.report import markdown_table, markdown_text
from experiments.reporting.result import Record

HOSTILE = [
    "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "a | b",
    "[x](javascript:alert(1))",
    "![x](http://a/b)", "two\nlines", "three\r\n\r\n# heading", "`code`", "**bold**", "_em_",
    "&lt;script&gt;", "\\<b>", "~~gone~~", "\u2028line", "\u202eturned", "<!-- comment", "\x00",
]  # fmt: skip
UNESCAPED = re.compile(r"(?<!\\)(?:\\\\)*[<\[\]`*~]")


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_in_a_cell_stays_one_cell_of_text(name):
    table = markdown_table(["policy", name], [[name, "1"]])
    lines = table.splitlines()
    assert len(lines) == 3
    for line in lines:
        assert len(re.findall(r"(?<!\\)(?:\\\\)*\|", line)) == 3
        assert not UNESCAPED.search(line)
        assert "&lt;script&gt;" not in line


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_in_a_sentence_stays_text(name):
    found = markdown_text(f"{name} pleases most")
    assert len(found.splitlines()) == 1
    assert not UNESCAPED.search(found)


def test_ordinary_names_and_figures_are_not_touched():
    for text in ("item_knn", "τ = 0.50 (0.1 to 0.2)", "a \u2212 b", "3.00 ± 0.50", "R&B", "x > y"):
        assert markdown_text(text) == text


@pytest.mark.parametrize("command", ["a `b` ``c``", "a\n# b", "x"])
def test_a_command_is_one_code_span(command):
    found = Record({"provenance": {"command": command}}, "").command.rstrip("\n")
    fence = re.match("`+", found).group()
    assert "\n" not in found
    assert found.endswith(fence)
    assert fence not in found[len(fence) : -len(fence)]
