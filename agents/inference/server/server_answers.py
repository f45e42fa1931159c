"""Reads what an OpenAI-compatible server sent back. Pure: it knows no connection and no client.

Letters: ``c`` choices. Nothing in an answer is trusted: a field that is missing or of another kind
is an error that says which.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from agents.inference.engine import Completion
from simenv.events import FloatArray

SMALLEST = -9999.0  # a log-probability of minus infinity, as vLLM writes it
_BLANK_MARKS = str.maketrans({"▁": " ", "Ġ": " "})  # how tokenizers write a blank inside


class MalformedAnswerError(ValueError):
    """The server's answer does not have the protocol's form; asking again may help."""


class UnusableAnswerError(ValueError):
    """The server's answer cannot be used, and asking again would not help."""


def completion_top(payload: Any) -> dict[str, float]:
    """Log-probabilities of the first generated token, by its text; from ``/completions``.

    Raises:
        MalformedAnswerError: not the protocol's form.
        UnusableAnswerError: the server left the log-probabilities out.
    """
    logprobs = _field(_first_choice(payload), "logprobs", dict)
    tops = _field(logprobs, "top_logprobs", list)
    if not tops or not isinstance(tops[0], dict):
        raise MalformedAnswerError("choices[0].logprobs.top_logprobs names no token")
    return {str(token): _logprob(value) for token, value in tops[0].items()}


def chat_top(payload: Any) -> dict[str, float]:
    """The same from ``/chat/completions``."""
    logprobs = _field(_first_choice(payload), "logprobs", dict)
    content = _field(logprobs, "content", list)
    if not content or not isinstance(content[0], dict):
        raise MalformedAnswerError("choices[0].logprobs.content names no token")
    tops = _field(content[0], "top_logprobs", list)
    top: dict[str, float] = {}
    for entry in tops:
        if not isinstance(entry, dict) or not isinstance(entry.get("token"), str):
            raise MalformedAnswerError("an entry of top_logprobs has no token")
        top[entry["token"]] = _logprob(entry.get("logprob"))
    return top


def completion_text(payload: Any) -> Completion:
    """The text of ``/completions`` and its number of tokens (0 = the server did not say)."""
    text = _first_choice(payload).get("text")
    return Completion(_text(text), _num_tokens(payload))


def chat_text(payload: Any) -> Completion:
    """The same from ``/chat/completions``."""
    message = _field(_first_choice(payload), "message", dict)
    return Completion(_text(message.get("content")), _num_tokens(payload))


def choice_scores(top: Mapping[str, float], choices: Sequence[str]) -> FloatArray:
    """Log-probabilities (c,) of the choices, given that one of them is said.

    A reported token is a choice if its text is the choice exactly; where none is, if the two are
    equal without blanks around them (`` 4`` is one token for some models, ``4`` for others). A
    choice that is not among the reported tokens gets the smallest reported log-probability: the
    most that it can have, for the server reports the largest ones.

    Args:
        top: token text → log-probability, the most probable tokens.
        choices: (c,) distinct texts.

    Raises:
        FloatingPointError: a reported number is NaN.
        UnusableAnswerError: no choice is reported, or a blank alone is more probable than all.
    """
    if any(math.isnan(value) for value in top.values()):
        raise FloatingPointError("the server gave a log-probability that is not a number")
    plain: dict[str, float] = {}
    for token, value in top.items():
        text = token.translate(_BLANK_MARKS)
        plain[text] = max(value, plain.get(text, SMALLEST))
    found = _matched(plain, choices)
    blank = max((value for text, value in plain.items() if not text.strip()), default=SMALLEST)
    if not found or blank > float(np.logaddexp.reduce(list(found.values()))):
        raise UnusableAnswerError(
            f"none of the choices {list(choices)} is what the model says next"
            f" ({sorted(top, key=top.__getitem__, reverse=True)[:5]}); if it writes the blank"
            " before a digit as a token of its own, set lead=' ' or tokenizer=…"
        )
    floor = max(min(plain.values()), SMALLEST)
    scores = np.array([found.get(choice, floor) for choice in choices])
    return np.asarray(scores - np.logaddexp.reduce(scores))


def _matched(top: Mapping[str, float], choices: Sequence[str]) -> dict[str, float]:
    exact = {choice: top[choice] for choice in choices if choice in top}
    if exact:
        return exact
    stripped: dict[str, float] = {}
    for text, value in top.items():
        stripped[text.strip()] = max(value, stripped.get(text.strip(), SMALLEST))
    return {c: stripped[c.strip()] for c in choices if c.strip() in stripped}


def _first_choice(payload: Any) -> dict[str, Any]:
    if not isinstance(payload, dict):
        raise MalformedAnswerError(f"wanted a JSON object, got {type(payload).__name__}")
    choices = payload.get("choices")
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
        raise MalformedAnswerError("the answer has no choices[0]")
    return choices[0]


def _field(node: Mapping[str, Any], name: str, kind: type) -> Any:
    value = node.get(name)
    if value is None:
        raise UnusableAnswerError(
            f"the server sent no {name}; `transformers serve` leaves log-probabilities out, vLLM"
            " and llama-cpp-python send them (docs/how-to/run_on_a_server.md)"
        )
    if not isinstance(value, kind):
        raise MalformedAnswerError(f"{name} wanted a {kind.__name__}, got {type(value).__name__}")
    return value


def _logprob(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise MalformedAnswerError(f"a log-probability wanted a number, got {value!r:.40}")
    return max(float(value), SMALLEST) if not math.isnan(value) else math.nan


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise MalformedAnswerError(f"the answer wanted a text, got {type(value).__name__}")
    return value


def _num_tokens(payload: Mapping[str, Any]) -> int:
    usage = payload.get("usage")
    counted = usage.get("completion_tokens") if isinstance(usage, dict) else 0
    return counted if isinstance(counted, int) else 0
