import numpy as np
import pytest

from agents.inference.engine import Completion, Sampling
from agents.interviews.asking import Interview, Interviewee
from agents.interviews.instruments import AGREEMENT_7
from agents.interviews.spoken import INVALID, REFUSED, ask_in_words, read_option
from tests.agents.interviews.known_people import KnownPeople, likes
from tests.agents.interviews.small_instruments import small

SHORT = Sampling(max_new_tokens=8, temperature=0.7)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        (" 3", 2),
        ("3. partially disagree", 2),
        ("Option 7!", 6),
        ("I partially disagree.", 2),
        ("disagree", 0),
        ("AGREE", 6),
        ("Generally agree, yes", 5),
        ("neither agree nor disagree", 3),
        ("8", INVALID),
        ("12", INVALID),
        ("3.5", INVALID),
        ("agree or disagree", INVALID),
        ("", INVALID),
        ("As an AI, I would say 3", REFUSED),
        ("I don't have personal opinions", REFUSED),
        ("I cannot answer that", REFUSED),
    ],
)
def test_a_text_is_read_as_an_option_or_as_none(text, place):
    assert read_option(text, AGREEMENT_7) == place


class Mumbling(KnownPeople):
    """Says nothing readable until it is asked for a number, and about worry nothing at all."""

    def generate(self, requests, sampling):
        found = super().generate(requests, sampling)
        return [self._said(r, one) for r, one in zip(requests, found, strict=True)]

    def _said(self, request, one):
        if "worry" in request.suffix:
            return Completion("As an AI I have no worries", 7)
        return one if request.suffix.endswith("(one number only):") else Completion("hm", 1)


def test_what_cannot_be_read_is_asked_again_and_counted():
    engine = Mumbling(likes(yes=1.0))
    said = ask_in_words(engine, [Interviewee("ann")], small(), SHORT, repetitions=2, retries=2)
    assert said.options.tolist() == [[[2, 2, -1]]] * 2
    assert said.tries.tolist() == [[[2, 2, 3]]] * 2
    assert said.refused.tolist() == [[[False, False, True]]] * 2
    assert said.rates == (2 / 6, 2 / 6, 6 / 6)
    assert [len(call) for call in engine.calls] == [6, 6, 2]
    assert said.tokens == 4 * 1 + 4 * 1 + 3 * 2 * 7


def test_options_are_read_in_the_order_in_which_they_were_shown():
    engine = KnownPeople(likes(yes=1.0))
    how = Interview("permuted", rounds=4, seed=2)
    said = ask_in_words(engine, [Interviewee("ann")], small(), SHORT, 4, how=how)
    assert (said.options == 2).all()
    assert len({request.suffix for request in engine.calls[0]}) > 3


def test_every_repetition_and_try_has_a_seed_of_its_own():
    engine = Mumbling(likes())
    ask_in_words(engine, [Interviewee("a"), Interviewee("b")], small(), SHORT, 3, retries=1)
    seeds = [request.seed for call in engine.calls for request in call]
    assert len(set(seeds)) == len(seeds)
    again = Mumbling(likes())
    ask_in_words(again, [Interviewee("a"), Interviewee("b")], small(), SHORT, 3, retries=1)
    assert [r.seed for call in again.calls for r in call] == seeds


def test_counts_out_of_range_are_refused():
    engine = KnownPeople(likes())
    for wrong, name in (({"repetitions": 0}, "repetitions"), ({"retries": -1}, "retries")):
        with pytest.raises(ValueError, match=name):
            ask_in_words(engine, [Interviewee("a")], small(), SHORT, **wrong)
    assert np.asarray(engine.calls).size == 0
