"""That a student answered in the place of a language model, and how often the model was asked.

In values, pages and lines; pages of HTML show it by their common template. It knows no student.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from rich.text import Text

from agents.student.counting import StudentCount
from experiments.reporting.result import Result
from experiments.reporting.what_was_read import below_title

KEY = "answered_by_student"  # None = the experiment states it in its own figures


def with_student_answers(result: Result, counted: StudentCount) -> Result:
    """The result with ``answered_by_student`` and a headline everywhere, where one was asked.

    Nothing is changed in place.
    """
    if KEY in result.values or not counted.questions:
        return result
    found = {"questions": counted.questions, "asked": counted.asked}
    values = {**result.values, KEY: {**found, "share_asked": counted.share_asked}}
    said = student_sentence(values)
    pages = {
        name: below_title(page, f"> {said}\n\n") if name.endswith(".md") else page
        for name, page in result.pages.items()
    }
    return replace(result, values=values, pages=pages, lines=[Text(said), *result.lines])


def student_sentence(results: Mapping[str, Any]) -> str:
    """Who answered; empty where no student did."""
    found = results.get(KEY)
    if not found:
        return ""
    return (
        f"A student answered in the place of the language model, which was asked"
        f" {found['asked']:,} of {found['questions']:,} questions"
        f" ({100 * found['share_asked']:.2g} %): where the student was unsure."
    )
