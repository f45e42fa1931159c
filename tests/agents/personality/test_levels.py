"""How levels agree: within people and between them, on scores one can hold in the head."""

import numpy as np
import pytest

from agents.personality.behaviours import Behaviours
from agents.personality.levels import LEVELS, agreement, behaviour_scores

PEOPLE = np.array([0.0, 1.0, 2.0, 4.0])
POLES = np.array([-1.0, 0.0, 1.0])


def scores(person_sign=1.0, pole_sign=1.0):
    """(4, 1, 3) a person's own level and what a pole adds."""
    return (person_sign * PEOPLE[:, None] + pole_sign * POLES[None, :])[:, None, :]


def test_within_and_between_are_told_apart():
    levels = {
        "questionnaire": scores(),
        "situations": scores(person_sign=2.0, pole_sign=0.5),
        "behaviour": scores(person_sign=-1.0),
    }
    found = agreement(levels, ["E"], resamples=50)
    assert found["within"]["E"]["questionnaire and behaviour"].value == pytest.approx(1.0)
    assert found["between"]["E"]["questionnaire and behaviour"].value == pytest.approx(-1.0)
    assert found["between"]["E"]["questionnaire and situations"].value == pytest.approx(1.0)
    assert found["within"]["pooled"] == found["within"]["E"]
    assert list(found["within"]["E"]) == [
        "questionnaire and situations", "questionnaire and behaviour", "situations and behaviour",
    ]  # fmt: skip


def test_words_that_move_people_whichever_pole_they_speak_of_are_no_agreement():
    said = np.repeat(PEOPLE[:, None], 3, axis=1)[:, None, :] + np.array([1.0, 0.0, 1.0])
    done = said + np.array([1.0, 0.0, 1.0])  # both levels rise under low as under high
    found = agreement({"questionnaire": said, "behaviour": done}, ["E"], resamples=20)
    assert np.isnan(found["within"]["E"]["questionnaire and behaviour"].value)


def test_within_people_r_is_that_of_the_differences_between_the_poles():
    said, done = np.array([1.0, 2.0, 3.0, -1.0]), np.array([2.0, 1.0, -1.0, 0.0])
    by_pole = [np.stack([-d / 2, 9 * d, d / 2], axis=1)[:, None, :] for d in (said, done)]
    levels = dict(zip(("questionnaire", "behaviour"), by_pole, strict=True))
    found = agreement(levels, ["E"], resamples=20)["within"]["E"]["questionnaire and behaviour"]
    expected = (said * done).sum() / np.sqrt((said**2).sum() * (done**2).sum())
    assert found.value == pytest.approx(expected)


def test_between_people_those_are_compared_on_whom_nothing_is_imposed():
    none, turned = PEOPLE, PEOPLE[::-1]
    said = np.stack([turned, none, none], axis=1)[:, None, :]
    done = np.stack([none, none, turned], axis=1)[:, None, :]
    found = agreement({"questionnaire": said, "behaviour": done}, ["E"], resamples=20)
    assert found["between"]["E"]["questionnaire and behaviour"].value == pytest.approx(1.0)


def test_a_level_that_never_moves_has_no_correlation():
    still = np.repeat(scores()[:, :, :1], 3, axis=2)
    found = agreement({"questionnaire": scores(), "behaviour": still}, ["E"], resamples=20)
    assert np.isnan(found["within"]["E"]["questionnaire and behaviour"].value)
    assert found["between"]["E"]["questionnaire and behaviour"].value == pytest.approx(1.0)


def test_pooled_puts_traits_on_one_scale():
    one, other = scores(), scores(pole_sign=-1.0)
    said = np.concatenate([one, 100 * one], axis=1)
    done = np.concatenate([one, other], axis=1)  # the second trait goes the other way
    found = agreement({"questionnaire": said, "behaviour": done}, ["E", "N"], resamples=20)
    assert found["within"]["E"]["questionnaire and behaviour"].value == pytest.approx(1.0)
    assert found["within"]["N"]["questionnaire and behaviour"].value == pytest.approx(-1.0)
    assert found["within"]["pooled"]["questionnaire and behaviour"].value == pytest.approx(0.0)


def acts(length, left, **more):
    zeros = {name: np.zeros(2) for name in Behaviours._fields}
    return Behaviours(**{**zeros, "session_length": length, "abandonment": left, **more})


def test_behaviour_is_the_mean_of_standardised_behaviours_in_the_expected_direction():
    low, high = (
        acts(np.array([1.0, 1.0]), np.array([1.0, 1.0])),
        acts(np.array([3.0, 3.0]), np.array([0.0, 0.0])),
    )
    found = behaviour_scores([low, high], "C")
    assert found == pytest.approx(np.array([[-1.0, 1.0], [-1.0, 1.0]]))


def test_a_behaviour_that_somebody_lacks_is_left_out():
    low = acts(np.array([1.0, np.nan]), np.array([1.0, 1.0]))
    high = acts(np.array([3.0, np.nan]), np.array([0.0, 0.0]))
    assert behaviour_scores([low, high], "C") == pytest.approx(np.array([[-1.0, 1.0]] * 2))
    nothing = acts(np.full(2, np.nan), np.full(2, np.nan))
    assert np.isnan(behaviour_scores([nothing, nothing], "C")).all()


def test_a_behaviour_counts_by_how_far_it_lies_from_everybodys_mean():
    """Mean 3, standard deviation √4.5 of four values; abandonment never varies and adds 0."""
    low = acts(np.array([0.0, 3.0]), np.array([0.5, 0.5]))
    high = acts(np.array([3.0, 6.0]), np.array([0.5, 0.5]))
    spread = np.sqrt(4.5)
    expected = np.array([[-3.0, 0.0], [0.0, 3.0]]) / spread / 2
    assert behaviour_scores([low, high], "C") == pytest.approx(expected)


def test_levels_are_three():
    assert LEVELS == ("questionnaire", "situations", "behaviour")
