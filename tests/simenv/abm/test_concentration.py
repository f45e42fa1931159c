"""Bubbles, camps and echo chambers of people one can count."""

import numpy as np
import pytest

from simenv.abm.concentration import bubble, echo_chamber, polarisation

pytestmark = pytest.mark.filterwarnings("error::RuntimeWarning")


def test_polarisation_is_the_share_of_the_variance_that_lies_between_groups():
    """Shares of three genres, whatever the amounts; a fourth person has watched nothing."""
    watched = np.array([[2.0, 0, 0], [3, 3, 0], [0, 0, 0], [0, 4, 4]])
    first, second, third = np.array([1, 0, 0]), np.array([0.5, 0.5, 0]), np.array([0, 0.5, 0.5])
    mean = (first + second + third) / 3
    total = sum(((own - mean) ** 2).sum() for own in (first, second, third))
    between = 2 * (((first + second) / 2 - mean) ** 2).sum() + ((third - mean) ** 2).sum()
    assert polarisation(watched, np.array([4, 4, 4, 7])) == pytest.approx(between / total)


def test_people_alike_and_people_alone_are_not_polarised():
    assert polarisation(np.array([[2.0, 2.0], [1.0, 1.0]]), np.array([0, 1])) == 0.0
    assert polarisation(np.array([[2.0, 1.0], [0.0, 0.0]]), np.array([0, 1])) == 0.0


def test_an_echo_chamber_of_people_who_watched_nothing_is_not_alike():
    watched = np.array([[0.0, 0.0], [0.0, 0.0], [1.0, 0.0], [5.0, 0.0], [1.0, 1.0]])
    silent, alike, half = np.array([[0, 1]]), np.array([[2, 3]]), np.array([[2, 4]])
    assert echo_chamber(watched, silent, alike) == 0.0 - 1.0
    assert echo_chamber(watched, alike, silent) == 1.0 - 0.0
    assert echo_chamber(watched, np.array([[0, 2], [2, 3]]), half) == pytest.approx(1 - 2**-0.5)


def test_a_bubble_is_one_minus_the_entropy_relative_to_all_genres():
    """Three quarters of one genre and a quarter of another, of three; and half and half."""
    some = np.array([[3.0, 1.0, 0.0], [0.0, 2.0, 2.0], [0.0, 0.0, 0.0]])
    entropies = [-(0.75 * np.log(0.75) + 0.25 * np.log(0.25)) / np.log(3), np.log(2) / np.log(3)]
    assert bubble(some) == pytest.approx(1 - np.mean(entropies))
    assert bubble(np.ones((2, 1))) == 0.0
