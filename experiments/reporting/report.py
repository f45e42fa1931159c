"""One self-contained page: templates filled in, everything inline, nothing fetched.

It knows no experiment: each brings its own template, which extends ``templates/page.html``.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

_EXPERIMENTS = Path(__file__).parents[1]


def write_report(path: Path, template: str, values: Mapping[str, Any]) -> None:
    """Fill ``template`` and write the page.

    Args:
        path: of the HTML file.
        template: path below ``experiments/``, as ``policy_ranking/report.html``.
        values: what it uses; text is escaped, so names and errors may hold anything. Wrap what is
            already markup in ``markup``.
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
    page = environment.get_template(template).render(style=style, **values)
    path.write_text(page, encoding="utf-8")


def markup(text: str) -> Any:
    """``text`` as markup that is not escaped again."""
    from markupsafe import Markup

    return Markup(text)


def markdown_table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table; bars in a cell are escaped.

    >>> markdown_table(["a", "b"], [["1", "2"]]).splitlines()
    ['| a | b |', '| --- | --- |', '| 1 | 2 |']
    """
    lines = [list(heads), ["---"] * len(heads), *rows]
    return "".join(
        "| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |\n" for line in lines
    )


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Write strict JSON (no NaN), readable by people."""
    text = json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8")
