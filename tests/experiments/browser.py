"""Chromium that can reach nothing but this machine, and what a page in it must not do."""

import os
import shutil
from contextlib import contextmanager
from pathlib import Path

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM = next((path for path in map(shutil.which, NAMES) if path), None)
WANTED = "wants playwright: pip install 'personarec[dev]'"
NEEDS_BROWSER = pytest.mark.skipif(
    CHROMIUM is None, reason=f"wants a browser on PATH: {', '.join(NAMES)}"
)
_ALONE = "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1"
# Tables that are seen and wider than what they stand in, by their first words.
_TOO_WIDE = """() => [...document.querySelectorAll('table')]
    .filter(t => t.offsetParent && t.scrollWidth > t.parentElement.clientWidth + 1)
    .map(t => `table ${t.innerText.slice(0, 60)}: ${t.scrollWidth} in`
        + ` ${t.parentElement.clientWidth} pixels`)"""
_SIDEWAYS = """() => document.documentElement.scrollWidth > window.innerWidth
    ? [`page: ${document.documentElement.scrollWidth} in ${window.innerWidth} pixels`] : []"""


@contextmanager
def chromium():
    """The browser."""
    playwright = pytest.importorskip("playwright.sync_api", reason=WANTED)
    with playwright.sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", _ALONE])
        yield browser
        browser.close()


def watched(browser, width, height=900, scheme="light"):
    """A page, and what goes wrong on it from now on: errors, and what it would fetch."""
    page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
    wrong = []
    page.on("console", lambda said: said.type == "error" and wrong.append(said.text))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("requestfailed", lambda request: wrong.append(request.url))
    return page, wrong


def too_wide(page):
    """Tables that are wider than their frame, and a page that is wider than the screen."""
    return [*page.evaluate(_TOO_WIDE), *page.evaluate(_SIDEWAYS)]


def picture(page, name, **how):
    """A picture for the docs, where the environment names a folder for them."""
    if folder := os.environ.get("PERSONAREC_SCREENSHOTS"):
        page.screenshot(path=Path(folder) / f"{name}.png", **how)
