"""Figures and settings as trackers take them: flat, finite, every name once."""

import re

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from experiments.tracking.tracked_figures import Figure, figures_of, settings_of

NUMBERS = st.none() | st.floats() | st.integers(-9, 9) | st.text(max_size=4)
NAMES = st.text(max_size=4)
VALUES = NUMBERS | st.lists(NUMBERS, max_size=3) | st.dictionaries(NAMES, NUMBERS, max_size=3)


def test_numbers_stand_under_the_path_that_leads_to_them_and_entries_under_their_name():
    results = {
        "provenance": {"seconds": 3},
        "policies": [{"name": "ease", "simulated": {"mean": 3.5}, "error": None}, {"n": 2}],
        "curve": [1.0, None, 3],
        "known": True,
        "answer": "text",
    }
    assert figures_of(results) == [
        Figure("policies/ease/simulated/mean", 3.5, 0),
        Figure("policies/1/n", 2.0, 0),
        Figure("curve", 1.0, 0),
        Figure("curve", 3.0, 2),
        Figure("known", 1.0, 0),
    ]


def test_names_that_a_tracker_refuses_are_written_otherwise_and_stay_apart():
    found = figures_of({"a:b": 1, "a?b": 2, "★": 3, "a_b": 4, "../x": 5})
    names = [one.name for one in found]
    assert len(set(names)) == 5
    assert names[:2] == ["a_b", "a_b_2"]
    assert all(re.fullmatch(r"[\w./ -]+", name, re.ASCII) for name in names)
    assert not any(".." in name.split("/") for name in names)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(NAMES, VALUES, max_size=3))
def test_whatever_a_result_holds_every_figure_has_a_name_and_a_step_of_its_own(results):
    found = figures_of(results)
    assert len({(one.name, one.step) for one in found}) == len(found)
    assert all(one.value - one.value == 0 for one in found)


def test_settings_are_dotted_texts():
    config = {"seed": 0, "data": {"name": "x", "none": None}, "empty": {}, "of": [1, 2]}
    assert settings_of(config) == {
        "seed": "0", "data.name": "x", "data.none": "None", "empty": "{}", "of": "[1, 2]",
    }  # fmt: skip
