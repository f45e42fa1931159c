"""Any text as Markdown that shows it and reads nothing in it as markup; tables of such texts."""

import re
from collections.abc import Sequence

_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")
_ESCAPED = re.compile(r"\\(.)|&(lt|amp);")
# Where Markdown or the HTML in it begins; an underscore inside a word is none.
_MARKDOWN = re.compile(r"[\\`*\[\]|~<]|&(?=#?\w+;)|(?<![^\W_])_|_(?![^\W_])")


def plain(text: str) -> str:
    """Text on one line, without control characters and without what turns its direction."""
    return _CONTROLS.sub(" ", text)


def markdown_text(text: str) -> str:
    r"""Text that Markdown shows as it is: on one line, with nothing in it read as markup.

    >>> print(markdown_text("item_knn <script> a|b"))
    item_knn &lt;script> a\|b
    """
    names = {"<": "&lt;", "&": "&amp;"}
    return _MARKDOWN.sub(lambda m: names.get(m.group(), "\\" + m.group()), plain(text))


def markdown_read(text: str) -> str:
    r"""What ``markdown_text`` was given, on one line.

    >>> markdown_read(markdown_text("a|b <c>"))
    'a|b <c>'
    """
    names = {"lt": "<", "amp": "&"}
    return _ESCAPED.sub(lambda m: m[1] or names[m[2]], text)


def markdown_table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table; cells are text, see ``markdown_text``.

    >>> markdown_table(["a", "b"], [["1", "2"]]).splitlines()
    ['| a | b |', '| --- | --- |', '| 1 | 2 |']
    """
    lines = [list(heads), ["---"] * len(heads), *rows]
    return "".join(
        "| " + " | ".join(markdown_text(cell) for cell in line) + " |\n" for line in lines
    )
