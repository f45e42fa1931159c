"""Figures as text and as JSON; a figure that does not exist is a dash or None."""

import math

import pytest

from experiments.reporting.formatting import (
    estimate,
    interval,
    listed,
    number,
    percent,
    rounded,
    rounded_ends,
    signed,
    with_interval,
    with_margin,
)

DASH, MINUS, SPACE = "\N{EN DASH}", "\N{MINUS SIGN}", "\N{NO-BREAK SPACE}"


def test_numbers_have_their_decimals_and_a_real_minus():
    assert number(2.345, 2) == "2.35"
    assert number(-0.5, 1) == f"{MINUS}0.5"
    assert signed(0.25, 2) == "+0.25"
    assert signed(-0.25, 2) == f"{MINUS}0.25"
    assert percent(0.256) == "26 %"


def test_intervals_stand_with_both_ends():
    assert interval([0.1, 0.25], 2) == "0.10 to 0.25"
    assert with_interval(0.2, [0.1, 0.3]) == "0.20 (0.10 to 0.30)"
    assert with_margin(3.0, [2.5, 3.5]) == f"3.00{SPACE}±{SPACE}0.50"


def test_what_does_not_exist_is_a_dash():
    assert [number(None, 2), signed(None, 2), percent(None)] == [DASH] * 3
    assert [interval(None, 2), interval([None, 1.0], 2), with_margin(None, [1.0, 2.0])] == [
        DASH
    ] * 3
    assert with_interval(0.2, [None, 0.3]) == with_margin(0.2, [None, None]) == "0.20"


def test_names_are_listed_as_in_a_sentence():
    assert [listed(["a"]), listed(["a", "b"]), listed(["a", "b", "c"])] == [
        "a",
        "a and b",
        "a, b and c",
    ]


def test_figures_for_json_are_rounded_and_never_nan():
    assert rounded(1 / 3) == 0.333333
    assert rounded(1 / 3, 2) == 0.33
    assert rounded(math.nan) is rounded(math.inf) is None
    assert rounded_ends(1 / 3, math.nan, 1) == [0.3, None]
    assert estimate([0.5, 0.25, math.inf]) == {"mean": 0.5, "ci95": [0.25, None]}
    assert estimate([1 / 3, 0, 1], 3)["mean"] == pytest.approx(0.333, abs=1e-12)
