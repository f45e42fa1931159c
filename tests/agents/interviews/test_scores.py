import numpy as np
import pytest

from agents.interviews.instruments import Instrument, Item, Norm, Trait
from agents.interviews.scores import (
    confusion,
    drawn_points,
    normalised_gain,
    off_target,
    percent_increase,
    trait_scores,
    type_accuracy,
    types_of,
    z_score,
)
from tests.agents.interviews.small_instruments import small

TYPES = Instrument(
    "two_letters",
    (Trait("EI", "e or i", "E", "I"), Trait("TF", "t or f", "T", "F")),
    (Item("a", "I talk.", "EI"), Item("b", "I hide.", "EI", -1), Item("c", "I argue.", "TF")),
    ("no", "maybe", "yes"),
    scoring="types",
)


def test_points_are_those_of_the_chosen_option_turned_around_by_the_key():
    chosen = np.array([[2, 2, 0], [1, 0, -1]])
    np.testing.assert_array_equal(drawn_points(small(), chosen), [[3, 1, 1], [2, 3, np.nan]])
    np.testing.assert_array_equal(
        drawn_points(small(), chosen, raw=True), [[3, 3, 1], [2, 1, np.nan]]
    )


def test_a_trait_is_the_mean_of_its_answered_items():
    points = np.array([[3.0, 1.0, 1.0], [2.0, np.nan, 2.0], [np.nan, np.nan, 1.0]])
    expected = [[(3 + 1) / 2, 1], [2, 2], [np.nan, 1]]
    np.testing.assert_array_equal(trait_scores(small(), points), expected)


def test_a_letter_is_high_above_the_middle_and_low_on_it():
    scores = np.array([[2.1, 2.0], [1.9, 3.0], [np.nan, 1.0]])
    assert types_of(TYPES, scores).tolist() == ["EF", "IT", "?F"]
    assert types_of(TYPES, np.array([2.5, 2.5])) == "ET"


def test_accuracy_is_the_share_of_runs_that_give_back_the_imposed_type():
    imposed = ["ET", "IT", "EF", "IF"]
    found = np.array([["ET", "IT", "ET", "ET"], ["ET", "ET", "ET", "?F"]])
    result = type_accuracy(imposed, found)
    assert result.mean == 3 / 8
    assert result.sd == pytest.approx((3 / 8 * 5 / 8) ** 0.5)
    assert result.by_type.tolist() == [1, 1 / 2, 0, 0]
    # first letters: 4 + 2 ... ET ET, IT ET, ET ET, ET ?F: right 2, 1, 2, 0; second: 2, 2, 0, 1
    assert result.by_letter.tolist() == [5 / 8, 5 / 8]
    assert result.runs == 8


def test_a_model_that_always_gives_one_type_of_sixteen_has_the_papers_0_062_and_0_242():
    names = [f"{e}{s}{t}{j}" for e in "EI" for s in "SN" for t in "TF" for j in "JP"]
    found = np.full((30, 16), "ENFJ")
    result = type_accuracy(names, found)
    assert (round(result.mean, 4), round(result.sd, 3)) == (0.0625, 0.242)
    assert result.by_letter.tolist() == [0.5] * 4


def test_confusion_counts_what_came_for_what_was_imposed():
    found = np.array([["ET", "ET"], ["IT", "?T"]])
    counts = confusion(["ET", "IT"], found, ["ET", "IT"])
    assert counts.tolist() == [[1, 1, 0], [1, 0, 1]]


def test_percent_increase_is_the_papers():
    # Neuroticism of Llama3-8 in the paper: a base of 1.5 makes 233.3 % of a score of 5
    assert percent_increase(np.array(5.0), np.array(1.5)) == pytest.approx(233.333, abs=1e-3)
    assert percent_increase(np.array(3.0), np.array(4.0)) == -25


def test_normalised_gain_is_the_share_of_the_way_to_the_wanted_end():
    low, high = np.array(1.0), np.array(5.0)
    assert normalised_gain(np.array(4.0), np.array(3.0), low, high) == (4 - 3) / (5 - 3)
    assert normalised_gain(np.array(2.0), np.array(4.0), low, high, -1) == (4 - 2) / (4 - 1)
    assert normalised_gain(np.array(2.0), np.array(3.0), low, high) == -1 / 2
    assert np.isnan(normalised_gain(np.array(5.0), np.array(5.0), low, high))
    assert np.isnan(normalised_gain(np.array(1.0), np.array(1.0), low, high, -1))
    assert np.isnan(normalised_gain(np.array(4.0), np.array(3.0), low, high, 0)), "no end is wanted"


def test_z_is_in_peoples_standard_deviations_and_nan_without_norms():
    assert z_score(np.array(4.15), Norm(3.25, 0.9, 6076)) == pytest.approx(1.0)
    assert np.isnan(z_score(np.array([4.0]), None)).all()


def test_off_target_is_what_moved_under_every_imposed_trait():
    scores, base = np.array([[4.0, 3.5], [2.0, 5.0]]), np.array([3.0, 2.0])
    assert off_target(scores, base).tolist() == [[1, 1.5], [-1, 3]]
