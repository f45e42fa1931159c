import json

import numpy as np
import pytest

from agents.interviews.instrument_files import from_record, save_instrument
from agents.interviews.instruments import (
    SHIPPED,
    Instrument,
    InstrumentError,
    Item,
    Norm,
    Trait,
)
from tests.agents.interviews.small_instruments import ITEMS, E, N, small


def test_points_turn_around_where_an_item_is_keyed_minus_one():
    assert small().points.tolist() == [[1, 2, 3], [3, 2, 1], [1, 2, 3]]
    assert small().raw_points.tolist() == [[1, 2, 3]] * 3


def test_an_item_may_have_options_and_points_of_its_own():
    scene = Item("s", "A party.", "N", -1, ("go", "stay", "hide", "call"), (0.0, 0.0, 1.0, 1.0))
    points = small(items=(*ITEMS, scene)).points
    assert points[3].tolist() == [1, 1, 0, 0]
    assert np.isnan(points[0, 3])


def test_the_same_situation_may_be_asked_with_other_options():
    scenes = [
        Item(name, "A party.", "N", 1, options)
        for name, options in (("s", ("go", "hide")), ("t", ("sing", "sleep")))
    ]
    assert len(small(items=(*ITEMS, *scenes)).items) == 5


def test_the_scale_of_a_trait_is_the_mean_of_its_items_ends():
    scene = Item("s", "A party.", "N", 1, ("go", "hide"), (0.0, 1.0))
    assert small(items=(*ITEMS, scene)).scale.tolist() == [[1, 3], [0.5, 2]]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"items": (*ITEMS, Item("x", "I sing.", "E", 0))},
            r"instrument 'small', item 'x', wanted a key of \+1 \(agreeing means much of E\)",
        ),
        (
            {"items": (*ITEMS, Item("x", "I sing.", "Z"))},
            "item 'x', wanted a trait among E, N, got 'Z'",
        ),
        ({"options": ()}, "item 'e1', wanted 2 to 9 options, got 0; give the item or the"),
        ({"items": (*ITEMS, Item("x", "I.", "E", 1, ("a",)))}, "2 to 9 options, got 1"),
        ({"options": ("no", "no")}, "wanted options that differ"),
        ({"options": ("no", " ")}, r"wanted options in words, got \['no', ' '\]"),
        ({"options": (1, 2)}, r"wanted options in words, got \[1, 2\]"),
        ({"values": (1.0, 2.0)}, "wanted points for each of 3 options, got 2"),
        ({"values": (2.0, 2.0, 2.0)}, "wanted points that are numbers and differ"),
        ({"values": (1.0, 2.0, float("nan"))}, "wanted points that are numbers and differ"),
        ({"items": (*ITEMS, Item("x", " ", "E"))}, "wanted a text, got an empty one"),
        ({"items": (*ITEMS, ITEMS[0])}, "a name for each item, got 'e1' twice"),
        (
            {"items": (*ITEMS, Item("x", "i  TALK. ", "N"))},
            "wanted every question once, got 'i  TALK. ' as 'e1' and 'x': one answer would count"
            " twice; leave one of them out",
        ),
        ({"items": ()}, "wanted items, got none"),
        ({"items": ITEMS[:2]}, "an item for every trait, got none for 'N'"),
        ({"norms": {"O": Norm(3.0, 1.0, 9)}}, "norms of its traits, got 'O'"),
        ({"norms": {"E": Norm(3.0, 0.0, 9)}}, "a spread above 0, got 0 for 'E'"),
        ({"scoring": "types"}, "a letter for both ends of every trait"),
    ],
)
def test_an_instrument_that_cannot_be_scored_says_why(changes, message):
    with pytest.raises(InstrumentError, match=message):
        small(**changes)


def test_what_is_saved_is_read_again(tmp_path):
    scene = Item("s", "Ein Fest, später.", "N", -1, ("go", "hide"), (0.0, 1.0))
    told = small(items=(*ITEMS, scene), norms={"E": Norm(2.0, 0.5, 100)}, licence="CC0")
    save_instrument(told, tmp_path / "small.json")
    record = json.loads((tmp_path / "small.json").read_text("utf-8"))
    assert from_record(record, "small.json") == told


@pytest.mark.parametrize(
    "record",
    [{}, {"name": "x", "traits": [], "items": [{"name": "a"}]}, {"name": "x", "traits": 3}],
)
def test_a_record_of_another_form_is_refused(record):
    with pytest.raises(InstrumentError, match=r"wanted an instrument with name, traits and items"):
        from_record(record, "x.json")


def test_a_part_of_an_instrument_keeps_all_but_its_norms():
    part = small(norms={"E": Norm(2.0, 0.5, 100)}).subset("half", ["n1", "e2"])
    assert [item.name for item in part.items] == ["n1", "e2"]
    assert (part.options, part.norms, part.name) == (("no", "maybe", "yes"), {}, "half")
    with pytest.raises(InstrumentError, match="wanted its items, got 'zz'"):
        small().subset("x", ["zz"])


def test_our_own_inventory_is_balanced_and_says_that_nobody_validated_it():
    record = json.loads((SHIPPED / "types_32.json").read_text("utf-8"))
    own = from_record(record, "types_32")
    assert not own.validated
    assert [trait.high + trait.low for trait in own.traits] == ["EI", "SN", "TF", "JP"]
    for trait in own.traits:
        keys = [item.key for item in own.items if item.trait == trait.name]
        assert (len(keys), sum(keys)) == (8, 0)
    assert isinstance(own, Instrument)
    assert own.traits[0] == Trait("EI", "extraversion or introversion", "E", "I")
    assert {E, N}.isdisjoint(own.traits)
