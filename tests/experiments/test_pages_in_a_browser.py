"""Reports in a real browser: wide and narrow, light, dark and on paper.

``PERSONAREC_SCREENSHOTS=docs/images PERSONAREC_RUNS=runs python -m pytest -m slow`` with this file
takes the pictures of the docs, of runs in a folder as ``personarec runs FOLDER`` lists them.
"""

import os
from pathlib import Path

import pytest

from tests.experiments.browser import NEEDS_BROWSER, chromium, picture, too_wide, watched
from tests.experiments.command import run_command

pytestmark = [pytest.mark.slow, NEEDS_BROWSER, pytest.mark.timeout(600)]
SMALL = {
    "policy_ranking": ["engine=scripted"],
    "cluster": [],
    "simulate": ["users=scripted", "experiment.ticks=6"],
}


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """The pages of some runs, and the index over them."""
    folder = os.environ.get("PERSONAREC_RUNS")
    if folder is None:
        folder = tmp_path_factory.mktemp("runs")
        for name, words in SMALL.items():
            run_command(folder / name, f"experiment={name}", "debug=tiny", *words)
    index = Path(folder) / "index"
    run_command(index, "experiment=index", f"experiment.folder={folder}")
    return [index / "index.html", *sorted(Path(folder).glob("*/report.html"))]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_no_page_has_an_error_or_anything_wider_than_its_frame(pages, width, scheme):
    with chromium() as browser:
        for path in pages:
            page, wrong = watched(browser, width, scheme=scheme)
            page.on("request", lambda r: r.url.startswith("file:") or wrong.append(r.url))  # noqa: B023
            page.goto(path.resolve().as_uri())
            name = f"page_{'index' if path.stem == 'index' else path.parent.name}"
            if width == 390 and scheme == "light":
                picture(page, f"{name}_phone")
            elif width == 1280:
                picture(page, name if scheme == "light" else f"{name}_dark")
            page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
            assert too_wide(page) == [], path
            assert wrong == [], path
            page.close()


def test_on_paper_a_page_is_light_and_nothing_is_cut(pages):
    with chromium() as browser:
        for path in pages:
            page, wrong = watched(browser, 690, scheme="dark")
            page.emulate_media(media="print")
            page.goto(path.resolve().as_uri())
            colour = "getComputedStyle(document.body).backgroundColor"
            assert page.evaluate(colour) == "rgb(255, 255, 255)"
            assert too_wide(page) == [], path
            assert wrong == [], path
            page.close()


def test_a_page_with_these_faults_is_found(tmp_path):
    cells = "".join(f"<td>number{i}</td>" for i in range(60))
    (tmp_path / "bad.html").write_text(
        f"<div style='width: 300px; overflow: auto'><table><tr>{cells}</tr></table></div>"
        "<img src='http://example.org/x.png'><script>console.error('broken')</script>",
        encoding="utf-8",
    )
    with chromium() as browser:
        page, wrong = watched(browser, 1280)
        page.goto((tmp_path / "bad.html").as_uri(), wait_until="load")
        assert "table number0" in too_wide(page)[0]
        assert "broken" in wrong
        assert "http://example.org/x.png" in wrong
