"""A person's questions always go to the same place, and few move when a place comes or goes."""

import subprocess
import sys

import numpy as np

from agents.inference.affinity import homes, places_for

PEOPLE = [(f"adapter{i % 3}" if i % 4 else None, f"PROFILE of person {i}") for i in range(2000)]


def test_a_home_depends_on_adapter_and_prefix_and_on_nothing_else():
    assert homes(PEOPLE[:8], 4).tolist() == [2, 0, 3, 2, 2, 3, 2, 1]
    assert homes(PEOPLE[7::-1], 4).tolist() == [1, 2, 3, 2, 2, 3, 0, 2]
    assert homes([PEOPLE[3]], 4).tolist() == [2]
    assert len({tuple(places_for((name, "same prefix"), 8)) for name in (None, "", "a")}) == 3
    assert places_for(("a", "b"), 8) != places_for((None, "ab"), 8)


def test_another_process_finds_the_same_homes():
    code = "from agents.inference.affinity import homes; print(homes([('a', 'b'), (None, 'c')], 9))"
    told = dict(capture_output=True, text=True, check=True)
    said = {
        subprocess.run(
            [sys.executable, "-c", code], env={"PYTHONHASHSEED": seed, "PYTHONPATH": "."}, **told
        ).stdout
        for seed in ("1", "2")
    }
    assert said == {f"{homes([('a', 'b'), (None, 'c')], 9)}\n"}


def test_homes_are_spread_evenly():
    counts = np.bincount(homes(PEOPLE, 8))
    assert counts.min() > 250 - 4 * np.sqrt(250)
    assert counts.max() < 250 + 4 * np.sqrt(250)


def test_the_first_place_is_the_home_and_all_places_are_named():
    for asked in PEOPLE[:50]:
        assert places_for(asked, 5)[0] == homes([asked], 5)[0]
        assert sorted(places_for(asked, 5)) == [0, 1, 2, 3, 4]


def test_one_place_more_moves_nobody_but_to_it():
    before, after = homes(PEOPLE, 4), homes(PEOPLE, 5)
    moved = before != after
    assert (after[moved] == 4).all()
    assert 0.15 < moved.mean() < 0.25


def test_one_place_less_moves_those_alone_who_lived_there():
    for asked in PEOPLE[:200]:
        order = places_for(asked, 4)
        assert homes([asked], 3)[0] == next(place for place in order if place != 3)


def test_halves_of_characters_have_a_home_and_nobody_asked_has_none():
    assert homes([(None, "\ud800")], 3).shape == (1,)
    assert homes([], 3).shape == (0,)
