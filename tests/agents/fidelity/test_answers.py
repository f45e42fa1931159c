"""What a model said, as stars."""

import numpy as np
import pytest

from agents.fidelity.answers import stars_said
from agents.prompts import RATING_CHOICES


def test_every_answer_that_a_prompt_asks_for_can_be_read():
    np.testing.assert_array_equal(stars_said(RATING_CHOICES), [1, 2, 3, 4, 5])
    np.testing.assert_array_equal(stars_said([c.strip() for c in RATING_CHOICES]), [1, 2, 3, 4, 5])


@pytest.mark.parametrize(
    ("text", "stars"),
    [("I say 2 of 5", 2), ("9, 3", 3), ("RATING: 5\n", 5), ("4.5/5", 4), ("10", 1), ("05", 5)],
)
def test_the_first_digit_of_the_scale_counts(text, stars):
    assert stars_said([text]).tolist() == [stars]


@pytest.mark.parametrize("text", ["", "none", "0", "6789", "five"])
def test_a_text_without_a_digit_of_the_scale_is_no_rating(text):
    assert np.isnan(stars_said([text])).all()


def test_no_texts_are_no_stars():
    assert stars_said([]).shape == (0,)
