"""What reports are made of: self-contained pages, Markdown tables, strict JSON.

It knows no experiment: each brings its own template, which extends ``templates/page.html``.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from experiments.reporting.before_you_quote import TITLE, fidelity_said, student_sentence
from experiments.reporting.failed_answers import sentence
from experiments.reporting.markdown import markdown_table as markdown_table
from experiments.reporting.markdown import markdown_text as markdown_text
from experiments.reporting.markdown import plain as plain
from experiments.reporting.result import Record
from simenv.look.palette import style_sheet

_EXPERIMENTS = Path(__file__).parents[1]
_PAGE_CSS = Path(__file__).parent / "templates" / "page.css"


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
    style = markup(style_sheet() + _PAGE_CSS.read_text(encoding="utf-8"))
    page: str = environment.get_template(template).render(
        **values,
        style=style,
        provenance=record.results["provenance"],
        config_yaml=record.config_yaml,
        reading=_reading(record),
        failed_answers=sentence(record.results),
        student_answers=student_sentence(record.results),
        fidelity_said=fidelity_said(record.results),
        quote_title=TITLE,
        before_you_quote=record.results.get("before_you_quote") or [],
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


def json_text(value: Mapping[str, Any]) -> str:
    """Strict JSON (no NaN), readable by people."""
    return json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
