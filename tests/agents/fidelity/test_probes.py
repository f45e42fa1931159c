"""Probes move what they should: effects by hand, and nothing of a person stays changed."""

from types import SimpleNamespace

import numpy as np
import pytest

from agents.fidelity.probes import (
    INJECTIONS,
    Probe,
    after_ratings,
    effect,
    effect_size,
    in_other_order,
    in_other_words,
    injected,
    neutral,
    slope,
)
from agents.inference.scripted import ScriptedEngine
from agents.persona_users import PersonaUsers
from simenv.domains.domain_file import domain_called
from simenv.events import expected_stars

PROBE = Probe(np.array([0, 1, 3]), np.array([[10, 11], [11, 10], [10, 9]]))


class Gullible(ScriptedEngine):
    """Gives five stars wherever it reads that it should, else what a scripted engine does."""

    def _centre(self, request):
        return 30.0 if "rate this 5" in request.suffix else super()._centre(request)


@pytest.fixture
def before(scripted_users):
    return expected_stars(scripted_users.probabilities(PROBE.users, PROBE.items))


def test_an_effect_by_hand():
    """Person 0 moves by 1 and 0, person 1 by -2 and no answer: means 0.5 and -2."""
    found = effect(np.array([[4.0, 3.0], [1.0, np.nan]]), np.array([[3.0, 3.0], [3.0, 3.0]]))
    assert found.mean == pytest.approx((0.5 - 2) / 2)
    assert found.size == pytest.approx((1 + 0 + 2) / 3)
    assert found.largest == 2
    assert found.ci95 == [-2.0, 0.5]
    assert np.isnan(effect(np.full((1, 1), np.nan), np.ones((1, 1))).mean)


def test_who_obeys_a_title_is_found_out_and_neutral_text_moves_nobody(population, before):
    model = PersonaUsers(population, Gullible())
    text = INJECTIONS["instruction: rate this 5"]
    assert effect(injected(model, PROBE, text), before).mean > 1
    films = domain_called("movie")
    assert effect(injected(model, PROBE, neutral(text, films)), before).largest == 0
    assert len(neutral(text, films)) == len(text)
    assert neutral(text, films).startswith("It was shown on a large screen in a hall")
    assert "screen" not in neutral(text, domain_called("book"))


def test_injected_texts_reach_the_prompt_but_not_as_sections(scripted_users, before):
    """What looks like a section is written in lower case, as every item's own words are."""
    for name in ("fake cue", "fake memory", "fake profile", "fake numbers"):
        assert effect(injected(scripted_users, PROBE, INJECTIONS[name]), before).largest == 0


def test_other_words_and_another_order_move_no_reader_of_numbers(scripted_users, before):
    words = "Answer with one digit.", "Reply with one digit."
    assert effect(in_other_words(scripted_users, PROBE, words), before).largest == 0
    assert effect(in_other_order(scripted_users, PROBE), before).largest < 1e-12


def test_other_words_are_what_is_asked(scripted_users, before):
    changed = in_other_words(scripted_users, PROBE, ("AVERAGE ", "AVERAGED "))
    assert effect(changed, before).size > 0.1  # it finds no average any more


def test_further_ratings_are_remembered_for_a_while_only(scripted_users, before):
    others = np.array([[0, 1, 2, 3]] * 3)
    kept = scripted_users.snapshot()
    found = after_ratings(scripted_users, PROBE, others, (2, 4))
    assert list(found) == [2, 4]
    assert effect(found[4], before).largest == 0  # a scripted engine reads no memory
    assert scripted_users.snapshot() == kept


def test_what_is_rated_meanwhile_is_what_level_and_average_promise():
    """Averages 3 and 4.4: who is a star kinder gives 4 and 5, who is two stricter 1 and 2."""
    given = []
    model = SimpleNamespace(
        population=SimpleNamespace(
            personas=[SimpleNamespace(level=1.0), SimpleNamespace(level=-2.0)],
            averages=SimpleNamespace(fair=np.array([3.0, 4.4])),
        ),
        snapshot=lambda: b"", restore=lambda kept: None,
        remember=lambda users, slates, feedback: given.append(feedback.ratings.tolist()),
        probabilities=lambda users, items: np.tile([0, 0, 1.0, 0, 0], (2, 1, 1)),
    )  # fmt: skip
    probe, others = Probe(np.array([0, 1]), np.array([[5], [5]])), np.array([[0, 1], [0, 1]])
    found = after_ratings(model, probe, others, (1, 2))
    assert given == [[[4.0], [1.0]], [[5.0], [2.0]]]
    assert found[2].tolist() == [[3.0], [3.0]]


def test_while_they_last_further_ratings_are_recalled(population):
    class Listening(ScriptedEngine):
        asked = ()

        def score(self, requests, choices):
            self.asked = requests
            return super().score(requests, choices)

    model = PersonaUsers(population, Listening())
    alone = Probe(np.array([3]), np.array([[10]]))
    model.probabilities(*alone)
    before = model.engine.asked[0].suffix
    after_ratings(model, alone, np.array([[11, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9]]), (11,))
    assert model.engine.asked[0].suffix != before


def test_people_who_repeat_the_average_rise_as_much_as_it_does(scripted_users):
    """A scripted engine adds the displayed average, rounded to tenths, to a level."""
    fair = scripted_users.population.averages.fair.copy()
    assert slope(scripted_users, PROBE, step=0.2) == pytest.approx([0.9] * 3, abs=0.2)
    assert (scripted_users.population.averages.fair == fair).all()


def test_effect_size_by_hand():
    """Means 1 and 3, variance 2 within each level: (3 - 1) / √2."""
    values, levels = np.array([0.0, 2.0, 9.0, 2.0, 4.0]), np.array([1, 1, 2, 3, 3])
    assert effect_size(values, levels) == pytest.approx(2 / np.sqrt(2))
    assert np.isnan(effect_size(values, np.array([1, 1, 2, 2, 3])))
