"""Held-out figures of people made of each half of the rows are one."""

from types import SimpleNamespace

import numpy as np

from experiments.people.people import People
from experiments.tournament.cautions import cautions, measured_fidelity

USERS = np.arange(9)


def found(model, dataset, users):
    """What is measured, and of whom: the model says it all."""
    assert len(users) == model["asked"]
    assert dataset == model["rows"]
    return {**model["counts"], "utopian_bias": {"ks": model["ks"]}}


def made(half, ks, asked=9, **counts):
    model = {"asked": asked, "rows": half, "ks": ks, "counts": counts}
    return People(model, {"kind": "persona", "evidence": "independent"}, found)


def settings(*halves):
    views = [SimpleNamespace(known_to_people=half, users=USERS) for half in halves]
    views[0].views = views
    return views[0]


def test_both_halves_are_asked_about_the_same_users_and_failures_are_added_up():
    both = made("B", 0.1, asked=4, num_ratings=8)._replace(
        swapped=made("A", 0.3, asked=4, num_failed=2, num_ratings=6)
    )
    assert measured_fidelity(both, settings("B", "A"), 4) == {
        "num_failed": 2, "num_ratings": 7, "utopian_bias": {"ks": 0.2},
    }  # fmt: skip


def test_people_of_all_rows_are_measured_as_they_are():
    one = made("all", 0.1, num_ratings=8)
    assert measured_fidelity(one, settings("all")) == {
        "num_ratings": 8, "utopian_bias": {"ks": 0.1},
    }  # fmt: skip
    failed = made("all", 0.1, num_failed=3, num_ratings=8)
    assert measured_fidelity(failed, settings("all"))["num_failed"] == 3
    assert measured_fidelity(one._replace(fidelity=None), settings("all")) is None


def test_only_people_who_were_asked_twice_are_said_to_be():
    one = made("B", 0.1)
    for people, said in ((one, False), (one._replace(swapped=one), True)):
        assert any("asked again" in text for text in cautions(people, None, [])) is said
