"""Every error text that the page of errors quotes is one that the code still says."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FLOORS = ("simenv", "agents", "recommenders", "training", "experiments")
PAGE = ROOT / "docs" / "how-to" / "troubleshooting.md"
QUOTED = [
    text
    for line in PAGE.read_text(encoding="utf-8").splitlines()
    if line.startswith("**`")
    for text in re.findall(r"`((?:[^`]|`make slm`)+)`(?:\*\*|, )", line)
    if "…" in text or len(text) > 40
]


@cache
def said() -> str:
    """All texts of the code, what is put in left out."""
    files = [path for floor in FLOORS for path in (ROOT / floor).rglob("*.py")]
    return "\n".join(text for path in files for text in _texts(path))


def _texts(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.JoinedStr):
            parts = node.values
            yield "".join(str(p.value) if isinstance(p, ast.Constant) else "…" for p in parts)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def test_the_page_quotes_texts():
    assert len(QUOTED) > 20


@pytest.mark.slow  # reads every module
@pytest.mark.parametrize("text", QUOTED, ids=lambda text: text[:50])
def test_a_quoted_error_is_one_that_the_code_says(text):
    parts = [part.strip(" ;") for part in text.split("…")]
    missing = [part for part in parts if len(part) > 3 and part not in said()]
    assert missing == []
