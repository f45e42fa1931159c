"""Reads what an OpenAI-compatible server sent back. Pure: it knows no connection and no client.

Letters: ``c`` choices. Nothing in an answer is trusted: a field that is missing or of another kind
is an error that says which.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from agents.inference.engine import Completion
from simenv.events import FloatArray

SMALLEST = -9999.0  # a log-probability of minus infinity, as vLLM writes it
LEAST_MASS = 0.05  # of all that the model may say next; less on the choices is no answer
READING = "spellings added up"  # part of cache keys: changes with how an answer is read
_ROUNDING = 0.01  # servers compute in half precision: sums of chances are 1 to about this
_SMALLEST_REST = 1e-6  # what float32 leaves of 1 where everything was reported
_MOST_TOKENS = 10**9  # of an answer; a larger count is no count
_MARKS = str.maketrans({"▁": " ", "Ġ": " ", "Ċ": "\n", "ĉ": "\t"})  # blanks inside tokenizers


class MalformedAnswerError(ValueError):
    """The server's answer does not have the protocol's form; asking again may help."""


class UnusableAnswerError(ValueError):
    """The server's answer cannot be used, and asking again would not help."""


def next_token(payload: Any) -> dict[str, float]:
    """Log-probabilities of the first generated token, by its text.

    Both forms are read from either endpoint: ``top_logprobs`` of ``/completions`` and ``content``
    of ``/chat/completions``. Tokens of one text (bytes that are no character alone) add up.

    Raises:
        MalformedAnswerError: not the protocol's form.
        UnusableAnswerError: the server left the log-probabilities out.
    """
    logprobs = _field(_first_choice(payload), "logprobs", dict)
    if logprobs.get("top_logprobs") is None and isinstance(logprobs.get("content"), list):
        entries = _chat_entries(logprobs["content"])
    else:
        tops = _field(logprobs, "top_logprobs", list)
        if not tops or not isinstance(tops[0], dict) or not tops[0]:
            raise MalformedAnswerError("choices[0].logprobs.top_logprobs names no token")
        entries = list(tops[0].items())
    return _added((token, _logprob(value)) for token, value in entries)


def completion_text(payload: Any) -> Completion:
    """The text of ``/completions`` and its number of tokens (0 = the server did not say)."""
    text = _first_choice(payload).get("text")
    return Completion(_text(text), _num_tokens(payload))


def chat_text(payload: Any) -> Completion:
    """The same from ``/chat/completions``."""
    message = _field(_first_choice(payload), "message", dict)
    return Completion(_text(message.get("content")), _num_tokens(payload))


def choice_scores(
    top: Mapping[str, float], choices: Sequence[str], least_mass: float = LEAST_MASS
) -> FloatArray:
    """Log-probabilities (c,) of the choices, given that one of them is said.

    The masses of all spellings of a choice add up: texts that are equal without blanks around them
    (`` 4``, ``4``, ``▁4``). A choice that is not among the reported tokens gets the most that it
    can have: the smallest reported number, and no more than its share of what was not reported.

    Args:
        top: token text → log-probability, the most probable tokens.
        choices: (c,) texts that differ in more than blanks.
        least_mass: share of all that the model may say next that must lie on the choices.

    Raises:
        FloatingPointError: a reported number is NaN.
        UnusableAnswerError: the numbers are no distribution, too little lies on the choices, or
            too few tokens are reported to tell the choices apart.
    """
    total = _total(top)
    plain = _added((t.translate(_MARKS).strip(), max(p, SMALLEST)) for t, p in top.items())
    found = {c: plain[c.strip()] for c in choices if c.strip() in plain}
    mass = math.fsum(math.exp(value) for value in found.values())
    _refuse_noise(top, choices, mass, math.exp(plain.get("", SMALLEST)), least_mass)
    missing = len(choices) - len(found)
    if missing:
        rest = max(1 - total, _SMALLEST_REST) / missing
        floor = max(min(min(top.values()), math.log(rest)), SMALLEST)
        if missing * math.exp(floor) > mass:
            raise UnusableAnswerError(
                f"too few tokens are reported to tell {list(choices)} apart: {_most(top)}; ask for"
                " more (engine.top=20) of a server that sends more"
            )
        found |= {choice: floor for choice in choices if choice not in found}
    scores = np.array([found[choice] for choice in choices])
    return np.asarray(scores - np.logaddexp.reduce(scores))


def _total(top: Mapping[str, float]) -> float:
    """The mass of all reported tokens, in [0, 1] but for rounding.

    Raises:
        FloatingPointError: a number is NaN.
        UnusableAnswerError: the numbers are no log-probabilities.
    """
    values = list(top.values())
    if any(math.isnan(value) for value in values):
        raise FloatingPointError("the server gave a log-probability that is not a number")
    largest = max(values, default=SMALLEST)
    total = math.fsum(map(math.exp, values)) if largest <= _ROUNDING else math.inf
    if total > 1 + _ROUNDING:
        got = f"{largest:g}" if total == math.inf else f"{len(values)} that add up to {total:.4g}"
        raise UnusableAnswerError(
            "log-probabilities wanted numbers up to 0 whose chances add up to 1 at most, got"
            f" {got}; let the server send log-probabilities, not logits (vLLM: --logprobs-mode"
            " raw_logprobs)"
        )
    return total


def _refuse_noise(
    top: Mapping[str, float], choices: Sequence[str], mass: float, blank: float, least: float
) -> None:
    if mass >= least and mass >= blank and mass > 0:
        return
    raise UnusableAnswerError(
        f"none of the choices {list(choices)} is what the model says next: {100 * mass:.2g} % of"
        f" the mass, wanted {100 * least:g} % and more than a blank alone; it says {_most(top)}. If"
        " it writes the blank before a digit as a token of its own, set lead=' ' or tokenizer=…;"
        " if it does answer with digits, but rarely, lower least_mass"
    )


def _most(top: Mapping[str, float]) -> list[str]:
    return sorted(top, key=top.__getitem__, reverse=True)[:5]


def _added(entries: Iterable[tuple[str, float]]) -> dict[str, float]:
    """Log-probabilities by text, those of one text added up."""
    sums: dict[str, float] = {}
    for text, value in entries:
        sums[text] = float(np.logaddexp(sums[text], value)) if text in sums else value
    return sums


def _chat_entries(content: list[Any]) -> list[tuple[str, Any]]:
    """(token, log-probability) of the first token's alternatives; an entry sent twice counts once.

    Raises:
        MalformedAnswerError: not the protocol's form.
    """
    if not content or not isinstance(content[0], dict):
        raise MalformedAnswerError("choices[0].logprobs.content names no token")
    entries: list[tuple[str, Any]] = []
    seen: list[Any] = []
    for entry in _field(content[0], "top_logprobs", list):
        if not isinstance(entry, dict) or not isinstance(entry.get("token"), str):
            raise MalformedAnswerError("an entry of top_logprobs has no token")
        if entry not in seen:
            seen.append(entry)
            entries.append((entry["token"], entry.get("logprob")))
    if not entries:
        raise MalformedAnswerError("choices[0].logprobs.content[0].top_logprobs names no token")
    return entries


def _first_choice(payload: Any) -> dict[str, Any]:
    """The choice of index 0; where no choice has an index, the first.

    Raises:
        MalformedAnswerError: there is none, or more than one.
    """
    if not isinstance(payload, dict):
        raise MalformedAnswerError(f"wanted a JSON object, got {type(payload).__name__}")
    choices = payload.get("choices")
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
        raise MalformedAnswerError("the answer has no choices[0]")
    indices = [c.get("index") if isinstance(c, dict) else None for c in choices]
    if all(index is None for index in indices):
        return choices[0]
    wanted = [i for i, index in enumerate(indices) if index == 0 and type(index) is int]
    if len(wanted) != 1:
        raise MalformedAnswerError(
            f"the answer wanted one choice of index 0, got indices {indices[:9]!r:.80}"
        )
    chosen: dict[str, Any] = choices[wanted[0]]
    return chosen


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
    try:
        number = float(value)
    except OverflowError:  # an integer of hundreds of digits
        number = math.inf if value > 0 else SMALLEST
    return number if number > SMALLEST or math.isnan(number) else SMALLEST


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise MalformedAnswerError(f"the answer wanted a text, got {type(value).__name__}")
    if any("\ud800" <= letter <= "\udfff" for letter in value):
        raise MalformedAnswerError("the answer wanted a text, got one with halves of characters")
    return value


def _num_tokens(payload: Mapping[str, Any]) -> int:
    usage = payload.get("usage")
    counted = usage.get("completion_tokens") if isinstance(usage, dict) else 0
    return counted if type(counted) is int and 0 <= counted <= _MOST_TOKENS else 0
