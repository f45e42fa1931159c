"""Options by their own words: scores by hand, what cannot matter, and what is asked."""

import numpy as np
import pytest

from agents.inference.engine import Engine, EngineFacts
from agents.inference.scripted import ScriptedEngine
from agents.inference.wrapped.engine_wrapper import EngineWrapper
from agents.inference.wrapped.tolerant import TolerantEngine
from agents.interviews.asking import Interviewee
from agents.interviews.frames import Frame
from agents.interviews.instruments import Instrument, Item, Trait
from agents.personality.option_texts import TASK, gain_a_token, reader_in
from agents.personality.situations import ask_situations

OPTIONS = ("dance now", "sing", "read", "rest a bit")
PARTY = Item("party", "It is late.", "E", 1, OPTIONS, (1.0, 1.0, 0.0, 0.0))
ANN, BOB = Interviewee("Ann", "You are Ann."), Interviewee("Bob", "You are Bob.", "shy")


def small(item=PARTY):
    return Instrument("small", (Trait("E", "extraversion"),), (item,))


class Words(ScriptedEngine):
    """Knows how likely a word is by itself, and by how much a text before it raises that."""

    def __init__(self, own=None, raised=None):
        super().__init__()
        self.own, self.raised, self.asked = own or {}, raised or {}, []

    def token_logs(self, requests, answers):
        self.asked += list(zip(requests, answers, strict=True))
        return [
            np.array([self.log(request, word) for word in answer.split()])
            for request, answer in zip(requests, answers, strict=True)
        ]

    def log(self, request, word):
        before = request.prefix + request.suffix
        gains = [g for (text, own), g in self.raised.items() if text in before and own == word]
        return np.log(self.own.get(word, 0.001)) + sum(gains)


class Plain(Engine):
    """Scores choices and knows no words."""

    @property
    def facts(self):
        return EngineFacts("plain")

    def score(self, requests, choices):
        return np.zeros((len(requests), len(choices)))

    def generate(self, requests, sampling):
        return []


def test_a_gain_is_the_mean_over_tokens_of_the_difference_of_logs():
    behind, alone = np.log([0.5, 0.2, 0.1]), np.log([0.25, 0.1, 0.2])
    wanted = (np.log(0.5 / 0.25) + np.log(0.2 / 0.1) + np.log(0.1 / 0.2)) / 3
    assert gain_a_token(behind, alone) == pytest.approx(wanted)


def test_chances_are_the_softmax_of_gains_a_token():
    engine = Words(raised={("It is late.", "dance"): np.log(9), ("It is late.", "read"): np.log(2)})
    choices = ask_situations(engine, [ANN], small())
    # "dance now" gains ln 9 over two tokens: ln 3 a token.
    assert choices.chances()[0, 0] == pytest.approx(np.array([3, 1, 2, 1]) / 7)
    assert choices.scores()[0, 0] == pytest.approx(4 / 7)
    assert (choices.logs.shape, choices.scoring) == ((1, 1, 1, 4), "text")
    assert np.exp(choices.logs[0, 0, 0]) == pytest.approx(np.array([3, 1, 2, 1]) / 7)


def test_words_that_are_common_anyway_and_short_options_win_nothing():
    engine = Words(own={"sing": 0.4, "rest": 0.5, "bit": 0.00001})
    assert ask_situations(engine, [ANN], small()).scores()[0, 0] == pytest.approx(0.5)


def test_what_a_person_is_told_counts_and_the_base_alone_says_what_is_common():
    engine = Words(raised={("You are Bob.", "sing"): np.log(3)})
    ann, bob = ask_situations(engine, [ANN, BOB], small()).scores()[:, 0]
    assert (ann, bob) == pytest.approx((2 / 4, 4 / 6))
    alone = [(request, answer) for request, answer in engine.asked if "late" not in request.suffix]
    assert len(alone) == 4, "once for all people"
    assert {(request.adapter, request.suffix) for request, _ in alone} == {(None, "\nANSWER:")}
    assert {request.prefix for request, _ in alone} == {f"{TASK}\n"}
    assert {request.adapter for request, _ in engine.asked[4:]} == {None, "shy"}
    assert [answer for _, answer in engine.asked[:4]] == [f" {option}" for option in OPTIONS]


def test_each_persons_option_is_set_against_its_own_words_alone():
    engine = Words(own={"sing": 0.4, "read": 0.01, "rest": 0.2})
    several = ask_situations(engine, [ANN, BOB, ANN], small())
    np.testing.assert_allclose(several.chances(), np.full((3, 1, 4), 0.25))


def test_the_order_of_the_options_does_not_matter():
    engine = Words(raised={("It is late.", "dance"): np.log(9), ("It is late.", "read"): np.log(2)})
    order = [2, 0, 3, 1]
    turned = Item(
        "party", "It is late.", "E", 1,
        tuple(OPTIONS[i] for i in order), tuple(PARTY.values[i] for i in order),
    )  # fmt: skip
    own = ask_situations(engine, [ANN], small())
    other = ask_situations(engine, [ANN], small(turned))
    assert other.chances()[0, 0] == pytest.approx(own.chances()[0, 0][order])
    assert other.scores() == pytest.approx(own.scores())


def test_places_and_rotations_are_not_known_by_text():
    choices = ask_situations(Words(), [ANN, BOB], small())
    assert np.isnan(choices.places()).all()
    assert choices.places().shape == (2, 4)
    assert np.isnan(choices.steadiness()).all()
    assert choices.intervals(20).shape == (2, 1, 2)


def test_a_frame_stands_around_situations_and_around_none():
    engine = Words()
    ask_situations(engine, [ANN], small(), Frame("<s>", "<u>", "<a>"))
    assert engine.asked[0][0].prefix == f"<s>{TASK}<u>"
    assert engine.asked[0][0].suffix == "<a>ANSWER:"
    assert engine.asked[4][0].suffix == "SITUATION: It is late.<a>ANSWER:"
    assert engine.asked[4][0].prefix.startswith("<s>You are Ann.\nYou are told")


def test_an_engine_without_words_is_refused_and_one_inside_a_wrapper_is_found():
    wrapped = TolerantEngine(EngineWrapper(Words()))
    assert isinstance(reader_in(wrapped), Words)
    assert reader_in(TolerantEngine(Plain())) is None
    with pytest.raises(ValueError, match=r"scoring='text' wanted an engine that says how likely"):
        ask_situations(Plain(), [ANN], small())
    with pytest.raises(ValueError, match="scoring wanted one of text, letters, got 'digits'"):
        ask_situations(Words(), [ANN], small(), scoring="digits")
