"""What reports are made of: self-contained pages, Markdown tables, strict JSON.

It knows no experiment: each brings its own template, which extends ``templates/page.html``.
"""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from experiments.reporting.failed_answers import sentence
from experiments.reporting.result import Record

_EXPERIMENTS = Path(__file__).parents[1]


def filled(template: str, record: Record, values: Mapping[str, Any]) -> str:
    """A page with everything inline and nothing fetched.

    Args:
        template: path below ``experiments/``, as ``policy_ranking/report.html``.
        record: of the run; says how the page was made.
        values: what the template uses; text is escaped, so names and errors may hold anything.
            Wrap what is already markup in ``markup``.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(_EXPERIMENTS),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    style = markup(
        (_EXPERIMENTS / "reporting" / "templates" / "page.css").read_text(encoding="utf-8")
    )
    page: str = environment.get_template(template).render(
        **values,
        style=style,
        provenance=record.results["provenance"],
        config_yaml=record.config_yaml,
        reading=_reading(record),
        failed_answers=sentence(record.results),
    )
    return page


def _reading(record: Record) -> Any:
    """What was read, where a file was; every page shows it."""
    dataset = record.results.get("dataset")
    return dataset.get("reading") if isinstance(dataset, Mapping) else None


def markup(text: str) -> Any:
    """``text`` as markup that is not escaped again."""
    from markupsafe import Markup

    return Markup(text)


_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")
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


def markdown_table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table; cells are text, see ``markdown_text``.

    >>> markdown_table(["a", "b"], [["1", "2"]]).splitlines()
    ['| a | b |', '| --- | --- |', '| 1 | 2 |']
    """
    lines = [list(heads), ["---"] * len(heads), *rows]
    return "".join(
        "| " + " | ".join(markdown_text(cell) for cell in line) + " |\n" for line in lines
    )


def json_text(value: Mapping[str, Any]) -> str:
    """Strict JSON (no NaN), readable by people."""
    return json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
