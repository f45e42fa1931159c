"""The page without a browser: its buttons, and what they leave on it."""

import logging
import re
import time

import numpy as np
import pytest
import solara

from simenv.abm.live_page.page import Watch


class Stage:
    """Builds the small society of these tests; the latest is ``society``."""

    populations, recommenders, shocks = ["world"], ["popularity"], ["none"]
    most_users = 60

    def __init__(self, make):
        self.make = make

    def build(self, choice):
        self.society = self.make()
        return self.society

    def labels(self, society):
        return ["quiet", "usual", "busy"]


class Page:
    """The rendered page with what a reader does and sees."""

    def __init__(self, stage):
        self.stage = stage
        self.box, self.rendered = solara.render(Watch(stage), handle_error=False)

    def widgets(self):
        waiting = [self.box]
        while waiting:
            widget = waiting.pop(0)
            yield widget
            waiting += [c for c in getattr(widget, "children", None) or () if hasattr(c, "keys")]

    def press(self, label):
        button = [w for w in self.widgets() if getattr(w, "children", None) == [label]]
        assert len(button) == 1
        button[0].click()

    def network(self):
        return next(w for w in self.widgets() if hasattr(w, "nodes"))

    def words(self):
        found = []
        for widget in self.widgets():
            found += [c for c in getattr(widget, "children", None) or () if isinstance(c, str)]
            found.append(getattr(widget, "unsafe_innerHTML", None) or "")
        return " ".join(found)

    def tick(self):
        return int(re.search(r"\btick (\d+)\b", self.words())[1])


@pytest.fixture
def page(make_society):
    logging.getLogger("MESA").setLevel(logging.WARNING)
    page = Page(Stage(make_society))
    yield page
    page.rendered.close()


def until(claim):
    for _ in range(400):
        if claim():
            return
        time.sleep(0.02)
    raise AssertionError("it did not happen within 8 seconds")


def test_a_step_is_one_tick_and_a_reset_begins_anew(page):
    first = page.stage.society
    assert page.tick() == 0
    page.press("Step")
    page.press("Step")
    assert page.tick() == first.steps == 2
    page.press("Reset")
    assert page.tick() == 0
    assert page.stage.society is not first


def test_it_runs_until_it_is_paused(page):
    page.press("Run")
    until(lambda: page.tick() >= 3)
    page.press("Pause")
    time.sleep(0.3)
    stopped = page.tick()
    time.sleep(0.3)
    assert page.tick() == stopped


def test_the_curves_and_the_network_are_drawn(page):
    page.press("Step")
    page.press("Step")
    assert page.words().count("<polyline") == 6
    nodes, society = page.network().nodes, page.stage.society
    assert [node["user"] for node in nodes] == list(range(60))
    assert [n["user"] for n in nodes if n["awake"]] == society.last.users.tolist()
    assert {n["label"] for n in nodes} == {"quiet", "usual", "busy"}
    assert len(page.network().edges) == len(society.social.edges())


def test_a_click_on_somebody_shows_who_they_are_and_their_last_slate(page):
    page.press("Step")
    assert "Nobody chosen yet." in page.words()
    last = page.stage.society.last
    page.network().vue_select(int(last.users[0]))
    assert f"User {last.users[0]} ·" in page.words()
    assert "there is no profile to read" in page.words()
    titles = page.stage.society.catalog.titles
    assert all(titles[item] in page.words() for item in last.slates.items[0])
    absent = np.setdiff1d(np.arange(60), last.users)[0]
    page.network().vue_select(int(absent))
    assert "Has not been awake yet." in page.words()


def test_a_society_that_stops_says_why(page):
    class Broken:
        num_users = 60

        def start_session(self, users):
            raise RuntimeError("the server <closed> the connection")

    page.stage.society.user_model = Broken()
    for _ in range(3):  # until somebody is awake
        page.press("Step")
    assert "the server &lt;closed&gt; the connection" in page.words()
    page.press("Reset")
    assert "closed" not in page.words()
    page.press("Step")
    assert page.tick() == 1


def test_the_prompt_tells_which_tokens_came_from_the_cache():
    from simenv.abm.live_page.portrait import prompt_markup, question_markup
    from simenv.user_model import Piece, Question

    pieces = [Piece("<b>", True), Piece("new", False)]
    asked = Question("<b>new", None, [], np.full(5, 0.2), pieces, 1)
    markup = prompt_markup(asked)
    assert "&lt;b&gt;" in markup
    assert "1 tokens computed, 1 (pale) from the prefix cache" in markup
    unknown = prompt_markup(asked._replace(pieces=[], cached_tokens=None))
    assert "not known" in unknown
    folded = question_markup("A <i> title", asked)
    assert "What is asked about A &lt;i&gt; title</summary>" in folded
    assert markup in folded
