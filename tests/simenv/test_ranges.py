"""The one check of numbers in settings: what passes, what does not, and the words of each error."""

import numpy as np
import pytest

from simenv.ranges import Range, check_fields, check_number
from simenv.users.lives import Life


@pytest.mark.parametrize(
    ("value", "allowed"),
    [(0, "[0, 1]"), (1, "(0, 1]"), (0.5, "(0, 1)"), (np.float32(3), "(0, inf)"),
     (-7, "(-inf, inf)"),
     (np.int64(2), "whole [1, inf)"), (10**30, "whole [1, inf)"), (np.uint8(1), "[1, 2)")],
)  # fmt: skip
def test_a_number_inside_its_range_passes(value: float, allowed: str) -> None:
    check_number("Life", "days", value, allowed)


@pytest.mark.parametrize(
    ("value", "allowed", "words"),
    [
        (0, "(0, inf)", "Life wanted days above 0, got 0; choose such a number"),
        (-1, "[0, inf)", "Life wanted days of at least 0, got -1; "),
        (1, "[0, 1)", r"Life wanted days in \[0, 1\), got 1; "),
        (np.nan, "(0, 1]", r"Life wanted days in \(0, 1\] and finite, got nan; "),
        (np.inf, "(0, inf)", "Life wanted days above 0 and finite, got inf; "),
        (-np.inf, "(-inf, inf)", "Life wanted days as a number and finite, got -inf; "),
        (2.5, "whole [1, inf)", "Life wanted days of at least 1 and whole, got 2.5; "),
        (10**400, "whole [1, 1e9]", r"Life wanted days in \[1, 1,000,000,000\], got 1000"),
    ],
)  # fmt: skip
def test_a_number_outside_its_range_is_refused(value: float, allowed: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        check_number("Life", "days", value, allowed)


@pytest.mark.parametrize(
    "value", ["5", True, np.True_, None, [1], np.array([1.0]), 1j, b"1", np.timedelta64(1, "s")]
)
def test_what_is_no_number_is_refused(value: object) -> None:
    with pytest.raises(
        TypeError, match=r"days wanted a number above 0, got .*which is no number; ch"
    ):
        check_number("", "days", value, "(0, inf)")


def test_fields_are_named_by_their_class() -> None:
    with pytest.raises(ValueError, match=r"Life wanted spread above 2, got 1.2; take more"):
        check_fields(Life(), {"days": "(0, inf)", "spread": "(2, inf)"}, "take more")


def test_a_range_that_cannot_be_read_is_refused() -> None:
    with pytest.raises(ValueError, match=r"a range wanted a notation as 'whole .* got '0..1'"):
        Range.parse("0..1")


def test_an_integer_that_no_float_holds_is_not_finite_where_floats_are_wanted():
    with pytest.raises(ValueError, match=r"wanted days above 0 and finite, got 1000"):
        check_number("Life", "days", 10**400, "(0, inf)")
    check_number("reset", "a seed", 10**400, "whole [0, inf)")
