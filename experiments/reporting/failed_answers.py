"""The share of questions to simulated users that got no answer: in values, pages and lines.

Pages of HTML show it by their common template. It knows no experiment and no engine.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from rich.text import Text

from agents.inference.stats import FailureCount
from experiments.reporting.result import Result
from experiments.reporting.what_was_read import below_title


def failed_answers(questions: int, failed: int) -> dict[str, Any]:
    """What ``results["failed_answers"]`` holds."""
    return {"questions": questions, "failed": failed, "share": failed / max(questions, 1)}


def with_failed_answers(result: Result, counted: FailureCount) -> Result:
    """The result with ``failed_answers``, and where some failed with a headline everywhere.

    A run that goes on with what an earlier process was answered states the figures itself; else
    they are what was counted. A run whose engine goes on without no answer states nothing. Nothing
    is changed in place.
    """
    values = dict(result.values)
    if counted.requests and "failed_answers" not in values:
        values["failed_answers"] = failed_answers(counted.requests, counted.failed)
    said = sentence(values)
    if not said:
        return replace(result, values=values)
    pages = {
        name: below_title(page, f"> **Warning:** {said}\n\n") if name.endswith(".md") else page
        for name, page in result.pages.items()
    }
    lines = [Text(f"Warning: {said}", style="bold red"), *result.lines]
    return replace(result, values=values, pages=pages, lines=lines)


def sentence(results: Mapping[str, Any]) -> str:
    """The share of questions that got no answer; empty if every one did."""
    found = results.get("failed_answers")
    if not found or not found["failed"]:
        return ""
    failed = found["failed"]
    questions = "1 question" if failed == 1 else f"{failed:,} questions"
    return (
        f"{questions} to the simulated users ({100 * found['share']:.2g} %) got no answer; these"
        " places are left out of all means, and no rating stands in for them."
    )
