"""What was read, in every result: its values, its Markdown pages and its lines.

Pages of HTML show ``results["dataset"]["reading"]`` by their common template. It reads nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from rich.text import Text

from experiments.reporting.markdown import markdown_text, plain
from experiments.reporting.result import Page, Record, Result
from simenv.data.reading_report import Reading


def with_readings(result: Result, found: Sequence[Reading]) -> Result:
    """The result with ``dataset.reading``, a section in its Markdown pages and lines in front.

    ``dataset`` becomes a mapping in any case. Where several data sets were read, the first stands
    in ``dataset.reading`` and the others in ``dataset.other_readings``. Nothing is changed in
    place.
    """
    values = dict(result.values)
    if "dataset" in values or found:
        values["dataset"] = _described(values.get("dataset"), found)
    if not found:
        return replace(result, values=values)
    pages = {
        name: _page_with(page, found[0]) if name.endswith(".md") else page
        for name, page in result.pages.items()
    }
    return replace(result, values=values, pages=pages, lines=[*_lines(found[0]), *result.lines])


def _described(dataset: Any, found: Sequence[Reading]) -> dict[str, Any]:
    described = dict(dataset) if isinstance(dataset, Mapping) else {}
    if isinstance(dataset, str):
        described["name"] = dataset
    if found:
        described["reading"] = found[0].to_dict()
    if found[1:]:
        described["other_readings"] = [reading.to_dict() for reading in found[1:]]
    return described


def _lines(reading: Reading) -> list[Text]:
    warnings = [Text(f"Warning: {plain(text)}.", style="bold red") for text in reading.warnings]
    return [*warnings, *(Text(plain(sentence), style="dim") for sentence in reading.sentences())]


def _page_with(page: str | Page, reading: Reading) -> Page:
    """The page with the warnings below its title and what was read at its end."""
    said = map(markdown_text, reading.warnings)
    warnings = "".join(f"> **Warning:** {warning}.\n\n" for warning in said)
    sentences = "".join(f"- {markdown_text(one)}\n" for one in reading.sentences())
    warned = below_title(page, warnings)
    return lambda record: f"{warned(record).rstrip()}\n\n## What was read\n\n{sentences}"


def below_title(page: str | Page, more: str) -> Page:
    """The Markdown page with more text below its title."""

    def made(record: Record) -> str:
        title, body = _parted(page if isinstance(page, str) else page(record))
        return f"{title}{more}{body}"

    return made


def _parted(text: str) -> tuple[str, str]:
    """The title, with the empty line below it, and the rest; a page may have no title."""
    if not text.startswith("# "):
        return "", text
    title, _, body = text.partition("\n")
    return f"{title}\n\n", body.lstrip("\n")
