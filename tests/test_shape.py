"""The house stays one that a newcomer can walk through: small rooms, files and functions."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FLOORS = ("simenv", "agents", "recommenders", "training", "experiments")
MODULES = [path for floor in FLOORS for path in sorted((ROOT / floor).rglob("*.py"))]
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def lengths(source: str) -> list[int]:
    """Lines of every function without its docstring, which we ask for and do not punish."""
    return [_lines(n) for n in ast.walk(ast.parse(source)) if isinstance(n, FUNCTIONS)]


def _lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    told = function.body[0] if ast.get_docstring(function) else None
    docstring = 0 if told is None else (told.end_lineno or 0) - told.lineno + 1
    return (function.end_lineno or 0) - function.lineno + 1 - docstring


def test_a_docstring_does_not_make_a_function_long():
    assert lengths('def f():\n    """One.\n\n    Two.\n    """\n    return 1\n') == [2]
    assert lengths("def f():\n    return 1\n") == [2]


@pytest.mark.parametrize("floor", FLOORS)
def test_no_folder_holds_more_than_15_modules(floor):
    for folder in {path.parent for path in MODULES if path.is_relative_to(ROOT / floor)}:
        modules = [path.name for path in folder.glob("*.py") if path.name != "__init__.py"]
        assert len(modules) <= 15, folder.relative_to(ROOT)


def test_no_module_is_longer_than_300_lines():
    long = {p.relative_to(ROOT): p.read_text(encoding="utf-8").count("\n") for p in MODULES}
    assert {path: lines for path, lines in long.items() if lines > 300} == {}


def test_nine_functions_of_ten_have_at_most_20_lines():
    found = sorted(n for path in MODULES for n in lengths(path.read_text(encoding="utf-8")))
    assert found[int(0.9 * len(found))] <= 20


def test_every_module_opens_with_what_it_holds():
    for path in MODULES:
        assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))), path
