"""From a server's log-probabilities to a distribution over the choices, with numbers by hand."""

import math

import numpy as np
import pytest

from agents.inference.server.server_answers import (
    SMALLEST,
    MalformedAnswerError,
    UnusableAnswerError,
    chat_text,
    choice_scores,
    completion_text,
    next_token,
)

AB = (" 1", " 2")
STARS = (" 1", " 2", " 3", " 4", " 5")


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


def test_the_masses_of_all_spellings_of_a_digit_add_up():
    np.testing.assert_allclose(scores_of({" 1": 0.3, "1": 0.4, " 2": 0.3}), [0.7, 0.3])
    spellings = {"4": 0.5, "▁4": 0.05, "3": 0.3, "5": 0.1, "2": 0.03, " 5": 0.001}
    np.testing.assert_allclose(
        scores_of(spellings, STARS),
        np.array([0.001, 0.03, 0.3, 0.55, 0.101]) / 0.982,  # the 1 has the smallest number
    )


@pytest.mark.parametrize(
    ("chances", "share"),
    [
        ({"the": 0.99, " 4": 0.0005}, "0.05 %"),
        ({"I": 0.6, "This": 0.3, **dict.fromkeys(STARS, 1.2e-6)}, "0.0006 %"),
        ({" 5": math.exp(-30)}, "9.4e-12 %"),
        ({"the": 0.5, " 4": 0.0499}, "5 %"),
    ],
)
def test_too_little_mass_on_the_digits_is_no_answer(chances, share):
    with pytest.raises(UnusableAnswerError, match=f"{share} of the mass, wanted 5 % and more"):
        scores_of(chances, STARS)


def test_how_little_mass_is_an_answer_can_be_set():
    top = {"the": math.log(0.9), " 4": math.log(0.04), " 3": math.log(0.04), "a": math.log(1e-3)}
    np.testing.assert_allclose(
        np.exp(choice_scores(top, STARS, least_mass=0.05)),
        np.array([1, 1, 40, 40, 1]) / 83,
    )
    with pytest.raises(UnusableAnswerError, match="8 % of the mass, wanted 10 %"):
        choice_scores(top, STARS, least_mass=0.1)


def test_a_digit_that_is_not_reported_gets_no_more_than_what_is_left_of_the_mass():
    np.testing.assert_allclose(scores_of({" 5": 0.9}, STARS), [0.025] * 4 + [0.9])


def test_too_few_reported_tokens_to_tell_the_digits_apart_are_no_answer():
    with pytest.raises(UnusableAnswerError, match=r"too few tokens are reported.*engine\.top=20"):
        scores_of({" 5": 0.4}, STARS)


@pytest.mark.parametrize(
    ("top", "got"),
    [
        ({" 1": math.inf, " 2": -1.0}, "got inf"),
        ({" 1": 14.5, " 2": 11.0}, "got 14.5"),
        ({" 1": -0.1, " 2": -0.2}, "got 2 that add up to 1.724"),
    ],
)
def test_numbers_that_are_no_log_probabilities_are_refused(top, got):
    with pytest.raises(UnusableAnswerError, match=f"chances add up to 1 at most, {got}"):
        choice_scores(top, AB)


def test_the_choice_is_read_by_its_index_and_not_by_its_place():
    def payload(*indices):
        texts = [{"text": str(index), "index": index} for index in indices]
        return {"choices": texts}

    assert completion_text(payload(1, 0)).text == "0"
    for indices in ((1,), (0, 0), (1, 2), (True, False), ("0",)):
        with pytest.raises(MalformedAnswerError, match="wanted one choice of index 0, got"):
            completion_text(payload(*indices))


def test_an_alternative_that_is_sent_twice_counts_once_and_two_tokens_of_one_text_add_up():
    def entry(token, chance, *data):
        return {"token": token, "logprob": math.log(chance), "bytes": list(data)}

    entries = [entry(" 1", 0.2, 32, 49), entry(" 1", 0.2, 32, 49), entry("�", 0.1, 195),
               entry("�", 0.2, 196)]  # fmt: skip
    top = next_token({"choices": [{"logprobs": {"content": [{"top_logprobs": entries}]}}]})
    assert {token: round(math.exp(value), 6) for token, value in top.items()} == {
        " 1": 0.2,
        "�": 0.3,
    }


def test_a_count_of_tokens_that_is_none_is_not_believed():
    for count in (-1, True, 2.5, "3", 10**400, None):
        payload = {"choices": [{"text": "a"}], "usage": {"completion_tokens": count}}
        assert completion_text(payload) == ("a", 0)


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
    assert next_token({"choices": [{"logprobs": {"top_logprobs": [top]}}]}) == top
    assert next_token({"choices": [{"logprobs": {"content": [{"top_logprobs": entries}]}}]}) == top
    assert completion_text({"choices": [{"text": "a"}], "usage": {"completion_tokens": 2}}) == (
        "a",
        2,
    )
    assert chat_text({"choices": [{"message": {"content": "a"}}]}) == ("a", 0)


@pytest.mark.parametrize(
    ("read", "payload", "words"),
    [
        (next_token, [], "wanted a JSON object, got list"),
        (next_token, {"choices": []}, r"no choices\[0\]"),
        (next_token, {"choices": [{"logprobs": {"top_logprobs": []}}]}, "names no token"),
        (
            next_token,
            {"choices": [{"logprobs": {"top_logprobs": [{" 1": "x"}]}}]},
            "log-probability wanted a number, got 'x'",
        ),
        (next_token, {"choices": [{"logprobs": {"content": []}}]}, "content names no token"),
        (
            next_token,
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
