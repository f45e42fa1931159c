"""From a server's log-probabilities to a distribution over the choices, with numbers by hand."""

import math

import numpy as np
import pytest

from agents.inference.server.server_answers import (
    SMALLEST,
    MalformedAnswerError,
    UnusableAnswerError,
    chat_text,
    chat_top,
    choice_scores,
    completion_text,
    completion_top,
)

AB = (" 1", " 2")


def scores_of(chances, choices=AB):
    scores = choice_scores({t: math.log(p) for t, p in chances.items()}, choices)
    return np.exp(scores)


def test_choices_are_renormalised_over_what_is_said_of_them():
    np.testing.assert_allclose(
        scores_of({" 1": 0.6, " 2": 0.2, "the": 0.2}), [0.6 / 0.8, 0.2 / 0.8]
    )


def test_a_choice_that_is_not_reported_gets_the_smallest_reported_number():
    np.testing.assert_allclose(scores_of({" 1": 0.6, "the": 0.1}), [0.6 / 0.7, 0.1 / 0.7])


def test_blanks_do_not_matter_where_no_token_is_the_choice_exactly():
    np.testing.assert_allclose(scores_of({"1": 0.6, "2": 0.2}), [0.75, 0.25])
    np.testing.assert_allclose(scores_of({"▁1": 0.6, "Ġ2": 0.2}), [0.75, 0.25])


def test_the_choice_exactly_wins_over_the_same_without_its_blank():
    np.testing.assert_allclose(scores_of({" 1": 0.3, "1": 0.4, " 2": 0.3}), [0.5, 0.5])


def test_minus_infinity_stays_finite():
    scores = choice_scores({" 1": 0.0, " 2": -math.inf}, AB)
    assert np.isfinite(scores).all()
    assert scores[1] == SMALLEST


@pytest.mark.parametrize("chances", [{"the": 0.9}, {" ": 0.9, "1": 0.05, "2": 0.01}, {}])
def test_noise_is_not_read_as_an_answer(chances):
    with pytest.raises(UnusableAnswerError, match="is what the model says next"):
        scores_of(chances)


def test_a_number_that_is_none_is_an_error():
    with pytest.raises(FloatingPointError, match="not a number"):
        choice_scores({" 1": math.nan, " 2": -1.0}, AB)


def test_both_endpoints_are_read():
    top = {" 1": -0.1, " 2": -2.0}
    entries = [{"token": t, "logprob": p} for t, p in top.items()]
    assert completion_top({"choices": [{"logprobs": {"top_logprobs": [top]}}]}) == top
    assert chat_top({"choices": [{"logprobs": {"content": [{"top_logprobs": entries}]}}]}) == top
    assert completion_text({"choices": [{"text": "a"}], "usage": {"completion_tokens": 2}}) == (
        "a",
        2,
    )
    assert chat_text({"choices": [{"message": {"content": "a"}}]}) == ("a", 0)


@pytest.mark.parametrize(
    ("read", "payload", "words"),
    [
        (completion_top, [], "wanted a JSON object, got list"),
        (completion_top, {"choices": []}, r"no choices\[0\]"),
        (completion_top, {"choices": [{"logprobs": {"top_logprobs": []}}]}, "names no token"),
        (
            completion_top,
            {"choices": [{"logprobs": {"top_logprobs": [{" 1": "x"}]}}]},
            "log-probability wanted a number, got 'x'",
        ),
        (chat_top, {"choices": [{"logprobs": {"content": []}}]}, "content names no token"),
        (
            chat_top,
            {"choices": [{"logprobs": {"content": [{"top_logprobs": [{}]}]}}]},
            "has no token",
        ),
        (completion_text, {"choices": [{}]}, "wanted a text, got NoneType"),
        (chat_text, {"choices": [{"message": "hi"}]}, "message wanted a dict, got str"),
    ],
)
def test_an_answer_of_another_form_is_an_error_that_says_which(read, payload, words):
    with pytest.raises(MalformedAnswerError, match=words):
        read(payload)
