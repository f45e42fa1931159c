"""The page without a browser: its buttons, and what they leave on it."""

import logging
import re
import time

import numpy as np
import pytest
import solara

from simenv.abm.live_page.interviewing import Answer, Interviewed, Spoken, TraitScore
from simenv.abm.live_page.page import Watch
from simenv.abm.live_page.running_society import Choice, Show


class Stage:
    """Builds the small society of these tests; the latest is ``society``."""

    populations, recommenders, shocks = ["world"], ["popularity"], ["none"]
    most_users = 60

    def __init__(self, make, talks=None):
        self.make, self.talks = make, talks

    def build(self, choice):
        self.society = self.make()
        return self.society

    def labels(self, society):
        return ["quiet", "usual", "busy"]

    def interviewer(self, society):
        return self.talks


class Talker:
    """Everybody has a trait, says yes in a questionnaire, and no to what was typed."""

    instruments = ("short", "long")

    def measured(self, user):
        return [TraitScore("short", "extraversion", 2.0 + user / 100, 1.0, 5.0)] if user else []

    def fill_in(self, user, instrument):
        if instrument == "long":
            raise ValueError("it is <too> long")
        said = Answer(f"Are you {user}?", ("no", "yes"), np.array([0.1, 0.9]))
        return Interviewed([said], [TraitScore(instrument, "openness", 4.0, 1.0, 5.0)])

    def answer(self, user, question, options):
        return Answer(question, tuple(options), np.array([0.7] + [0.3] * (len(options) - 1)))

    def say(self, user, earlier, text):
        if not text:
            raise ValueError("say <something>")
        return Spoken(text, ["a film of 1999"], f"Turn {len(earlier) + 1} of {user}")


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

    def type_in(self, label, text):
        [field] = [w for w in self.widgets() if getattr(w, "label", None) == label]
        field.v_model = text
        if field._event_handlers_map:  # a text is taken when the field is left
            field.fire_event("focusout", text)

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


def test_ticks_wait_for_a_browser_that_draws_slowly(page, monkeypatch):
    quick = Show.nodes

    def slow(show):
        time.sleep(0.1)  # longer than a tick and its pause
        return quick(show)

    monkeypatch.setattr(Show, "nodes", slow)
    page.press("Run")
    until(lambda: page.tick() >= 4)
    page.press("Pause")
    until(lambda: page.tick() == page.stage.society.steps)


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


@pytest.fixture
def talking(make_society):
    page = Page(Stage(make_society, Talker()))
    yield page
    page.rendered.close()


def test_measured_traits_stand_on_a_persons_card_and_others_are_said_to_have_none(talking):
    talking.network().vue_select(25)
    assert "Measured by short" in talking.words()
    assert "2.25 (1 to 5)" in talking.words()
    talking.network().vue_select(0)
    assert "No traits of this person were measured" in talking.words()


def test_a_questionnaire_comes_back_with_traits_and_distributions(talking):
    talking.network().vue_select(7)
    talking.press("Interview")
    assert "Says of themselves in short" in talking.words()
    assert "Are you 7?" in talking.words()
    assert "90%" in talking.words()
    talking.network().vue_select(8)
    assert "Are you 7?" not in talking.words(), "what one said is not another's"


def test_a_typed_question_is_answered_with_its_options(talking):
    talking.network().vue_select(7)
    talking.type_in("A question or a statement", "Tea or coffee?")
    talking.type_in("Answers, with a slash between", "tea / coffee")
    talking.press("Ask")
    for part in ("Tea or coffee?", "70%", "tea", "coffee"):
        assert part in talking.words()


def test_what_goes_wrong_in_an_interview_is_shown_and_goes_with_the_next(talking):
    talking.network().vue_select(7)
    talking.type_in("Questionnaire", "long")
    talking.press("Interview")
    assert "it is &lt;too&gt; long" in talking.words()
    talking.press("Ask")
    assert "too&gt;" not in talking.words()


def test_a_talk_goes_on_in_turns_shows_what_came_to_mind_and_begins_anew(talking):
    talking.network().vue_select(7)
    for text in ("Hello.", "And now?"):
        talking.type_in("Talk to this person", text)
        talking.press("Say")
    for part in ("Hello.", "Turn 1 of 7", "And now?", "Turn 2 of 7", "a film of 1999"):
        assert part in talking.words()
    talking.press("Talk anew")
    assert "Turn 1" not in talking.words()
    talking.type_in("Talk to this person", "Once more.")
    talking.press("Say")
    assert "Turn 1 of 7" in talking.words()
    talking.network().vue_select(8)
    assert "Once more." not in talking.words(), "what one was told is not another's"


def test_what_cannot_be_said_is_shown_and_the_talk_stays(talking):
    talking.network().vue_select(7)
    talking.type_in("Talk to this person", "Hello.")
    talking.press("Say")
    talking.press("Say")
    assert "say &lt;something&gt;" in talking.words()
    assert "Turn 1 of 7" in talking.words()


def test_users_without_words_have_no_interview(page):
    page.network().vue_select(7)
    assert "Interview" not in page.words()
    assert "Say" not in page.words().split()
    with pytest.raises(TypeError, match="take personas"):
        Show(page.stage, Choice("world", "popularity", 60, 0, "none")).interview(len)


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
