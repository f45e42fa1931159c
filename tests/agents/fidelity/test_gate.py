"""What figures are worth, each at its border: pass, warn, fail."""

import pytest

from agents.fidelity.gate import LEAST_ROWS, Measured, judge, overall_word, word_of

GOOD = Measured(
    num_rows=10_000,
    num_users=50,
    against_plain=[-0.2, -0.1],
    log_loss_ratio=0.95,
    ece=0.01,
    ks=0.02,
    variance_ratio=1.0,
    swap=[0.05, 0.1],
)


def word(**figures):
    return word_of(judge(GOOD._replace(**figures)))


def test_good_people_pass_every_check():
    checks = judge(GOOD)
    assert {check.word for check in checks} == {"pass"}
    assert len(checks) == 6


@pytest.mark.parametrize(
    ("measure", "passes", "warns", "fails"),
    [
        ("against_plain", [-0.2, -0.01], [-0.1, 0.1], [0.01, 0.2]),
        ("log_loss_ratio", 1.0, 1.05, 1.11),
        ("ece", 0.029, 0.05, 0.12),
        ("ks", 0.059, 0.1, 0.22),
        ("variance_ratio", 0.8, 0.5, 0.39),
        ("variance_ratio", 1.2, 2.5, 2.6),
    ],
)
def test_each_measure_has_its_limits(measure, passes, warns, fails):
    assert [word(**{measure: value}) for value in (passes, warns, fails)] == [
        "pass",
        "warn",
        "fail",
    ]


def test_people_who_are_no_better_than_somebody_else_in_their_place_fail():
    assert word(swap=[-0.01, 0.1]) == "fail"
    assert word(swap=[0.0, 0.0]) == "fail"
    assert word(swap=[0.001, 0.1]) == "pass"


def test_what_was_not_measured_decides_nothing_and_says_nothing():
    found = judge(GOOD._replace(swap=None, ks=float("nan"), against_plain=[None, 0.1]))
    assert [check.measure for check in found] == [
        "log loss", "calibration", "differences between people"
    ]  # fmt: skip


def test_too_few_rows_or_people_are_not_judged():
    assert word(num_rows=LEAST_ROWS - 1) == word(num_users=2) == "unknown"


def test_few_rows_may_be_further_apart_by_chance():
    assert word(ks=0.14, num_rows=100) == "pass"
    assert word(ks=0.14) == "warn"


def test_a_check_says_its_figure_and_its_limits():
    said = {check.measure: check.said for check in judge(GOOD)}
    assert said["log loss"] == ("0.950 of the bias model's (passes up to 1.000, fails above 1.100)")
    assert "-0.200 to -0.100 (passes below zero)" in said["error against a plain mean"]


def test_one_failing_persona_warns_and_most_of_them_fail():
    checks = judge(GOOD)
    assert overall_word(checks, {"0": "pass", "1": "warn"}, [10, 10]) == "pass"
    assert overall_word(checks, {"0": "fail", "1": "pass"}, [10, 10]) == "warn"
    assert overall_word(checks, {"0": "fail", "1": "pass"}, [11, 10]) == "fail"
    assert overall_word((), {"0": "unknown"}, [5]) == "unknown"
