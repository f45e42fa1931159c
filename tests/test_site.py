"""The documentation builds without a warning, and its pages fetch nothing from elsewhere."""

import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LOADED = re.compile(
    r"<(?:script|img|iframe|link)\b[^>]*?(?:src|href)=[\"']?((?:https?:)?//[^\"' >]+)", re.DOTALL
)
LINKED = re.compile(r"<link\b[^>]*rel=[\"']?(?:canonical|prev|next)\b[^>]*>")
IMPORTED = re.compile(r"(?:url\(|@import)\s*[\"']?((?:https?:)?//[^\"')]+)")

pytestmark = [
    pytest.mark.slow,  # five seconds of one core
    pytest.mark.skipif(find_spec("mkdocs") is None, reason="wants the extra docs"),
]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)],
        cwd=ROOT, capture_output=True, text=True, check=False,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return folder


def test_every_page_is_built_and_the_search_knows_them(site):
    pages = [p.relative_to(ROOT / "docs") for p in (ROOT / "docs").rglob("*.md")]
    assert [page for page in pages if not (site / page.with_suffix(".html")).is_file()] == []
    assert "policy_ranking" in (site / "search" / "search_index.json").read_text(encoding="utf-8")


def test_every_fence_became_a_block_of_code(site):
    for page in site.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        assert "```" not in text, page.relative_to(site)
        assert "run=no" not in text, page.relative_to(site)


def test_the_reference_is_made_of_docstrings(site):
    page = (site / "reference" / "environments.html").read_text(encoding="utf-8")
    assert 'id="simenv.env.vector_env.RecVectorEnv"' in page


def test_no_page_and_no_style_fetches_anything_from_elsewhere(site):
    for page in site.rglob("*.html"):
        text = LINKED.sub("", page.read_text(encoding="utf-8"))
        assert LOADED.findall(text) == [], page.relative_to(site)
        assert IMPORTED.findall(text) == [], page.relative_to(site)
    for style in site.rglob("*.css"):
        assert IMPORTED.findall(style.read_text(encoding="utf-8")) == [], style.relative_to(site)
