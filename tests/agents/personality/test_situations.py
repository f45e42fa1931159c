"""Choices in situations: the texts, what is asked, and scores by hand."""

import re
from collections import Counter

import numpy as np
import pytest

from agents.inference.scripted import ScriptedEngine
from agents.interviews.asking import Interviewee
from agents.interviews.instrument_files import save_instrument
from agents.interviews.instruments import FACTORS, Instrument, InstrumentError, Item, Trait
from agents.personality.situations import (
    Choices,
    ask_situations,
    check_situations,
    read_situations,
    rotations,
    shipped_situations,
)

E, N = Trait("E", "extraversion"), Trait("N", "neuroticism")
OPTIONS = ("dance", "sing", "read", "rest")
LINE = re.compile(r"^\d = (.+)$", re.MULTILINE)


def small(*items: Item) -> Instrument:
    own = items or (
        Item("party", "It is late.", "E", 1, OPTIONS, (1.0, 1.0, 0.0, 0.0)),
        Item("train", "It stands still.", "E", 1, OPTIONS, (1.0, 0.0, 1.0, 0.0)),
        Item("night", "A noise.", "N", 1, ("lie", "go", "sleep", "turn"), (1.0, 1.0, 0.0, 0.0)),
    )
    traits = tuple(t for t in (E, N) if t.name in {item.trait for item in own})
    return Instrument("small", traits, own)


class Chooser(ScriptedEngine):
    """Has a preference for options and one for places, in nats."""

    def __init__(self, options=None, places=(0.0, 0.0, 0.0, 0.0), fails=()):
        super().__init__()
        self.options, self.places, self.fails = options or {}, np.array(places), fails
        self.asked = []

    def score(self, requests, choices):
        self.asked += requests
        shown = [LINE.findall(request.suffix) for request in requests]
        logits = np.array([[self.options.get(o, 0.0) for o in own] for own in shown]) + self.places
        logs = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
        failed = [any(word in request.suffix for word in self.fails) for request in requests]
        return np.where(np.array(failed)[:, None], np.nan, logs)


ANN, BOB = Interviewee("Ann", "You are Ann."), Interviewee("Bob", "You are Bob.", "shy")


# -- the texts -------------------------------------------------------------------------------


def test_there_are_ten_situations_or_more_for_each_of_the_big_five():
    found = shipped_situations()
    counts = Counter(item.trait for item in found.items)
    assert set(counts) == set(FACTORS)
    assert min(counts.values()) >= 10
    assert not found.validated


def test_settings_are_varied_and_hardly_any_is_about_films():
    found = shipped_situations()
    for factor in FACTORS:
        settings = {item.name.split("-")[1] for item in found.items if item.trait == factor}
        assert len(settings) >= 9, factor
    films = [i for i in found.items if re.search(r"film|movie|cinema", i.text, re.IGNORECASE)]
    assert len(films) <= 5


def test_no_text_stands_twice_and_options_are_alike_in_length():
    found = shipped_situations()
    texts = [text for item in found.items for text in (item.text, *item.options)]
    assert len(set(texts)) == len(texts)
    for item in found.items:
        lengths = [len(option) for option in item.options]
        assert max(lengths) <= 1.45 * min(lengths), item.name


@pytest.mark.parametrize("factor", list(FACTORS))
def test_options_of_much_and_little_are_equally_long_on_average(factor):
    items = [item for item in shipped_situations().items if item.trait == factor]
    by_end = {
        end: [len(o) for item in items for o, v in zip(item.options, item.values, strict=True)
              if v == end]
        for end in (0.0, 1.0)
    }  # fmt: skip
    assert np.mean(by_end[1.0]) == pytest.approx(np.mean(by_end[0.0]), rel=0.06)


# -- what is asked ---------------------------------------------------------------------------


def test_each_option_stands_once_in_each_place_and_a_prefix_is_shared():
    engine = Chooser()
    ask_situations(engine, [ANN, BOB], small(), scoring="letters")
    assert len(engine.asked) == 2 * 3 * 4
    party = [r for r in engine.asked if "It is late." in r.suffix and "Ann" in r.prefix]
    columns = zip(*(LINE.findall(request.suffix) for request in party), strict=True)
    assert all(set(column) == set(OPTIONS) for column in columns)
    assert {(r.prefix.splitlines()[0], r.adapter) for r in engine.asked} == {
        ("You are Ann.", None), ("You are Bob.", "shy"),
    }  # fmt: skip
    assert len({request.prefix for request in engine.asked}) == 2
    assert engine.asked[0].suffix.endswith("ANSWER:")


def test_rotations_move_every_option_through_every_place():
    assert rotations().tolist() == [[0, 1, 2, 3], [1, 2, 3, 0], [2, 3, 0, 1], [3, 0, 1, 2]]


# -- scores ----------------------------------------------------------------------------------


def test_a_preference_for_places_cancels_out_and_is_told():
    engine = Chooser(places=np.log([0.7, 0.1, 0.1, 0.1]))
    choices = ask_situations(engine, [ANN], small(), scoring="letters")
    assert choices.chances() == pytest.approx(np.full((1, 3, 4), 0.25))
    assert choices.scores() == pytest.approx(np.full((1, 2), 0.5))
    assert choices.places() == pytest.approx(np.array([[0.7, 0.1, 0.1, 0.1]]))
    assert choices.steadiness().tolist() == [0.0]


def test_what_is_chosen_is_scored_by_the_key_whatever_the_places():
    engine = Chooser({"dance": np.log(5), "sleep": np.log(3)}, places=(2.0, 0.0, -1.0, 0.5))
    choices = ask_situations(engine, [ANN], small(), scoring="letters")
    party, train, night = (5 + 1) / 8, (5 + 1) / 8, 2 / 6  # dance is high in both of the first
    assert choices.high() == pytest.approx(np.array([[party, train, night]]))
    assert choices.scores() == pytest.approx(np.array([[(party + train) / 2, night]]))


def test_a_lean_that_all_rotations_share_is_steady():
    for answers in ({"dance": 5.0, "lie": 5.0}, {"rest": 5.0, "lie": 5.0}, {"rest": 5, "turn": 5}):
        engine = Chooser(answers, places=(0.1, 0.0, 0.0, 0.0))
        asked = ask_situations(engine, [ANN], small(), scoring="letters")
        assert asked.steadiness().tolist() == [1.0], "to either side of the trait"


def test_a_key_of_minus_one_turns_the_options_around():
    item = Item("party", "It is late.", "E", -1, OPTIONS, (1.0, 1.0, 0.0, 0.0))
    engine = Chooser({"dance": np.log(5)})
    assert ask_situations(engine, [ANN], small(item), scoring="letters").scores()[
        0, 0
    ] == pytest.approx(2 / 8)


def test_situations_that_got_no_answer_are_left_out_and_nothing_is_invented():
    engine = Chooser({"dance": np.log(5)}, fails=["stands still", "noise"])
    choices = ask_situations(engine, [ANN], small(), scoring="letters")
    assert choices.scores()[0] == pytest.approx([6 / 8, np.nan], nan_ok=True)
    assert np.isnan(choices.intervals(20)[0, 1]).all()
    assert choices.steadiness().tolist() == [1.0]


def test_an_interval_draws_situations_again():
    items = [Item(f"e{i}", f"Case {i}.", "E", 1, OPTIONS, (1.0, 1.0, 0.0, 0.0)) for i in range(4)]
    logs = np.log(np.full((1, 4, 4, 4), 0.25))
    for item, high in enumerate((0.9, 0.9, 0.1, 0.1)):
        logs[0, item] = np.log([high / 2, high / 2, (1 - high) / 2, (1 - high) / 2])
    choices = Choices(small(*items), logs)
    assert choices.scores()[0, 0] == pytest.approx(0.5)
    low, high = choices.intervals(2000)[0, 0]
    # Two of two values, drawn four times: all four low has a chance of 1/16.
    assert (low, high) == pytest.approx((0.1, 0.9))
    assert np.array_equal(choices.intervals(50), choices.intervals(50))


# -- what is refused -------------------------------------------------------------------------


def test_a_situation_without_two_pairs_is_refused():
    item = Item("odd", "What now?", "E", 1, OPTIONS, (1.0, 1.0, 1.0, 0.0))
    with pytest.raises(InstrumentError, match=r"'odd' of 'small' wanted four options, two that"):
        check_situations(small(item))
    with pytest.raises(InstrumentError, match="two that score 1 and two that score 0"):
        ask_situations(Chooser(), [ANN], small(item), scoring="letters")


def test_nobody_to_ask_is_an_error():
    with pytest.raises(ValueError, match="at least one interviewee, got none"):
        ask_situations(Chooser(), [], small(), scoring="letters")


def test_files_that_are_missing_or_no_json_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="are not there; give the path of a file"):
        read_situations(tmp_path / "no.json")
    (tmp_path / "bad.json").write_text("{", encoding="utf-8")
    with pytest.raises(InstrumentError, match=r"bad\.json wanted JSON"):
        read_situations(tmp_path / "bad.json")


def test_own_situations_are_read_from_a_file(tmp_path):
    save_instrument(small(), tmp_path / "own.json")
    assert read_situations(tmp_path / "own.json") == small()
