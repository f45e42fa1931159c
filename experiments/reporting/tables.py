"""The tables of a Markdown page once more: as CSV for machines and as LaTeX for papers.

It reads what ``markdown.markdown_table`` writes and nothing else, so every table that a page shows
comes in all three forms without a word in the experiment. It knows no experiment and no file.
"""

import csv
import io
import re
from collections.abc import Sequence
from typing import NamedTuple

from experiments.reporting.formatting import NONE
from experiments.reporting.markdown import markdown_read, plain

_CELL = re.compile(r"((?:\\.|[^|\\])*)\|")
_NUMBER = re.compile(r"[+\N{MINUS SIGN}-]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?")
_FORMULA = re.compile(r"[=+\-@\t\r]")  # where spreadsheets begin to compute
_LATEX = str.maketrans(
    {
        **{sign: f"\\{sign}" for sign in "&%$#_{}"},
        **{sign: f"{{{sign}}}" for sign in "[]*"},  # behind the end of a row they are arguments
        "\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
        "<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}", '"': r"\textquotedbl{}",
        "\N{MINUS SIGN}": "$-$", "±": r"$\pm$", "\N{MULTIPLICATION SIGN}": r"$\times$",
        "≥": r"$\ge$", "≤": r"$\le$",
        "τ": r"$\tau$", "★": r"$\star$", "→": r"$\to$", "\N{EN DASH}": "--",
        "\N{NO-BREAK SPACE}": "~", "…": r"\dots{}",
    }
)  # fmt: skip


class Table(NamedTuple):
    """One table of a page."""

    caption: str  # the heading above it; empty where that is the title of the page
    heads: list[str]
    rows: list[list[str]]


def table_files(pages: Sequence[str], command: str) -> dict[str, str]:
    """File name → text: every table of all pages as ``.csv`` and as ``.tex``.

    Args:
        pages: as ``markdown`` writes them.
        command: which made them; the LaTeX says it.
    """
    files = {}
    found = [table for page in pages for table in tables_of(page)]
    for place, table in enumerate(found, start=1):
        name = f"{place:02}_{_slug(table.caption or table.heads[0])}"
        files[f"{name}.csv"] = csv_text(table)
        files[f"{name}.tex"] = latex_text(table, command)
    return files


def tables_of(page: str) -> list[Table]:
    r"""The tables of a page, in order, with the text that their cells were made of.

    >>> tables_of("## Stars\n\n| who | n |\n| --- | --- |\n| a\\|b | 2 |\n")
    [Table(caption='Stars', heads=['who', 'n'], rows=[['a|b', '2']])]
    """
    found: list[Table] = []
    caption, inside = "", False
    for line in page.split("\n"):
        if line.startswith("#"):
            marks, _, text = line.partition(" ")
            caption = markdown_read(text.strip()) if len(marks) > 1 else ""
        elif line.startswith("| "):
            cells = [markdown_read(cell[1:-1]) for cell in _CELL.findall(line[1:])]
            if not inside:
                found.append(Table(caption, cells, []))
            elif not all(cell == "---" for cell in cells):
                found[-1].rows.append(cells)
        inside = line.startswith("| ")
    return found


def csv_text(table: Table) -> str:
    """One line a row; numbers as programs read them, and no cell that a spreadsheet would run."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows([_csv_cell(cell) for cell in row] for row in (table.heads, *table.rows))
    return text.getvalue()


def latex_text(table: Table, command: str) -> str:
    """A ``table`` for a paper that uses the package ``booktabs``."""
    columns = "".join("r" if _numeric(table, i) else "l" for i in range(len(table.heads)))
    rows = ["  " + " & ".join(map(_latex_cell, row)) + r" \\" for row in table.rows]
    return "\n".join(
        [
            f"% {plain(command)}",
            r"% \usepackage{booktabs}",
            r"\begin{table}",
            *([rf"\caption{{{_latex_cell(table.caption)}}}"] if table.caption else []),
            rf"\begin{{tabular}}{{{columns}}}",
            r"  \toprule",
            "  " + " & ".join(map(_latex_cell, table.heads)) + r" \\",
            r"  \midrule",
            *rows,
            r"  \bottomrule",
            r"\end{tabular}",
            r"\end{table}",
            "",
        ]
    )


def _csv_cell(cell: str) -> str:
    if cell == NONE:
        return ""
    if _NUMBER.fullmatch(cell):
        return cell.replace(",", "").replace("\N{MINUS SIGN}", "-").removeprefix("+")
    return f"'{cell}" if _FORMULA.match(cell) else cell


def _latex_cell(cell: str) -> str:
    return cell.translate(_LATEX)


def _numeric(table: Table, column: int) -> bool:
    """Whether the cells of a column begin as numbers do."""
    cells = [row[column] for row in table.rows if column < len(row)]
    shown = [cell for cell in cells if cell not in ("", NONE)]
    return bool(shown) and all(re.match(r"[+\N{MINUS SIGN}-]?\d", cell) for cell in shown)


def _slug(text: str) -> str:
    """A file's name out of a caption: five words of letters and digits.

    >>> _slug("Do the levels agree? Within & between people")
    'do_the_levels_agree_within'
    """
    words = re.findall(r"[a-z0-9]+", text.lower())[:5]
    return "_".join(words)[:60] or "table"
