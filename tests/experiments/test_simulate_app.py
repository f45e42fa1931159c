"""The page in a real browser that can reach nothing but this machine."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request

import pytest

from simenv.look.palette import TONES
from tests.experiments.browser import NEEDS_BROWSER, chromium, picture, too_wide, watched


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


@pytest.fixture
def address(tmp_path):
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "experiments", "experiment=simulate", "app=true",
         f"experiment.port={port}", f"output_dir={tmp_path}"],
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(600):
            try:
                urllib.request.urlopen(url, timeout=60).close()
                break
            except OSError:
                assert process.poll() is None, "the page did not start"
                time.sleep(0.5)
        yield url
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()


@pytest.mark.slow
@pytest.mark.timeout(600)
@NEEDS_BROWSER
def test_it_loads_runs_twenty_ticks_and_shows_a_person_offline(address):
    with chromium() as browser:
        page, wrong = watched(browser, 1240, 1250)
        page.set_default_timeout(120_000)
        page.goto(address, wait_until="commit")
        page.get_by_role("button", name="Run").click()
        page.wait_for_function(
            "parseInt(document.querySelector('.tick').innerText.split(' ')[1]) >= 20"
        )
        page.get_by_role("button", name="Pause").click()
        drawn = page.locator("svg.curve polyline")
        assert drawn.count() == 6
        assert all(len(line.get_attribute("points").split()) >= 20 for line in drawn.all())
        assert page.locator("circle").count() == 60
        page.locator("circle[data-user='7']").dispatch_event("click")
        page.get_by_text("User 7 ·").first.wait_for()
        page.get_by_text("Ms 1").first.wait_for()
        picture(page, "simulate", full_page=True)
        assert too_wide(page) == []
        page.emulate_media(color_scheme="dark")
        dark = "getComputedStyle(document.documentElement).getPropertyValue('--card').trim()"
        assert page.evaluate(dark) == TONES["card"].dark
        picture(page, "simulate_dark", full_page=True)
        page.emulate_media(color_scheme="light")
        page.set_viewport_size({"width": 390, "height": 900})
        assert too_wide(page) == []
        picture(page, "simulate_phone")
        page.set_viewport_size({"width": 1240, "height": 1250})
        question = page.locator("details.question")
        question.locator("summary").click()
        assert "PROFILE:" in question.locator("pre").inner_text()
        page.get_by_role("button", name="Interview", exact=True).click()
        page.get_by_text("Says of themselves in mini_ipip").wait_for()
        page.get_by_label("A question or a statement").fill("Do you like westerns?")
        page.get_by_role("button", name="Ask", exact=True).click()
        page.locator(".interview", has_text="Do you like westerns?").wait_for()
        page.get_by_label("A question or a statement").fill("")
        page.get_by_role("button", name="Ask", exact=True).click()
        page.locator(".error-text", has_text="type one").wait_for()
        page.get_by_role("button", name="Reset").click()
        page.wait_for_function("document.querySelector('.tick').innerText === 'tick 0'")
        page.get_by_role("button", name="Step").click()
        page.wait_for_function("document.querySelector('.tick').innerText === 'tick 1'")
        assert wrong == []
