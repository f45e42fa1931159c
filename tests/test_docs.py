"""Every Python block of the README and the docs runs: alone, or where the page says so in order.

A block marked ``python needs=NAME`` is left out where the package NAME is not installed.
"""

import ast
import builtins
import re
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
BLOCK = re.compile(r"^```python(?: needs=(\w+))?\n(.*?)^```", re.DOTALL | re.MULTILINE)
IN_ORDER = "The blocks of this page run one after the other."
PAGES = [
    page
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    if BLOCK.search(page.read_text(encoding="utf-8"))
]


@pytest.mark.slow  # the README loads the shipped language model
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_python_block_runs(page, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    text = page.read_text(encoding="utf-8")
    names: dict[str, object] = {"__name__": "__main__"}
    for package, block in BLOCK.findall(text):
        if package and find_spec(package) is None:
            continue
        if IN_ORDER not in text:
            names = {"__name__": "__main__"}
        exec(compile(block, page.name, "exec"), names)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_whose_blocks_need_earlier_ones_says_so_and_the_readme_has_none(page):
    text = page.read_text(encoding="utf-8")
    missing = {i: names_from_elsewhere(block) for i, (_, block) in enumerate(BLOCK.findall(text))}
    needy = {i: names for i, names in missing.items() if names}
    assert bool(needy) == (IN_ORDER in text), needy
    assert not (needy and page.name == "README.md")


def names_from_elsewhere(block: str) -> set[str]:
    """Names that a block reads and neither makes nor imports."""
    nodes = list(ast.walk(ast.parse(block)))
    made = {node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    made |= {node.arg for node in nodes if isinstance(node, ast.arg)}
    made |= {(n.asname or n.name).split(".")[0] for n in nodes if isinstance(n, ast.alias)}
    made |= {n.name for n in nodes if isinstance(n, ast.ExceptHandler) and n.name}
    named = [node for node in nodes if isinstance(node, ast.Name)]
    made |= {node.id for node in named if isinstance(node.ctx, ast.Store)}
    return {node.id for node in named} - made - set(dir(builtins))


@pytest.mark.parametrize("page", [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))],
                         ids=lambda page: page.name)  # fmt: skip
def test_every_picture_and_relative_link_exists(page):
    for link in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
        if "://" not in link:
            assert (page.parent / link).exists(), link


MOVED = re.findall(
    r"^\| `([\w.]+)` \| `([\w.]+)` \|$",
    (ROOT / "docs" / "moved.md").read_text(encoding="utf-8"),
    re.MULTILINE,
)


@pytest.mark.parametrize(("before", "now"), MOVED, ids=lambda name: name)
def test_what_moved_is_where_the_page_says(before, now):
    assert before != now
    assert _resolves(now), f"docs/moved.md names {now}, which does not exist"


def _resolves(name: str) -> bool:
    """Whether a dotted name is a module, or a name in one."""
    module, _, attribute = name.rpartition(".")
    try:
        return hasattr(import_module(module), attribute) or find_spec(name) is not None
    except ModuleNotFoundError:
        return False


PATHS = re.compile(
    r"`((?:simenv|agents|recommenders|training|experiments|conf|docs|tests)/[\w./-]*)`"
)


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "docs/architecture.md"])
def test_every_file_that_a_page_names_exists(page):
    named = [n for n in PATHS.findall((ROOT / page).read_text(encoding="utf-8")) if "NAME" not in n]
    assert [name for name in named if not (ROOT / name).exists()] == []
