"""Answers in generated text: read, asked again where nothing can be read, and counted.

A text is read as an option's number, or as an option's words. What is neither after all tries is
invalid: -1, never an option. A refusal in words is invalid too and counted apart.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from agents.inference.engine import Engine, Request, Sampling
from agents.interviews.asking import (
    Interview,
    Interviewee,
    prefix_of,
    question_of,
    shown_options,
)
from agents.interviews.frames import CUE, PLAIN, Frame
from agents.interviews.instruments import Instrument
from agents.interviews.reliability import Rates, rates
from simenv.events import BoolArray, IntArray
from simenv.ranges import check_number
from simenv.seeding import Channel, mix, row_seeds

INVALID, REFUSED = -1, -2
_NUMBER = re.compile(r"(?<![\d.,])([1-9])(?![\d]|[.,]\d)")
_REFUSAL = re.compile(
    r"\b(?:as an? (?:ai|artificial|language model)|i(?:'m| am) (?:just |only )?an? (?:ai|language)"
    r"|i (?:can(?:no|')t|do not|don't) have (?:personal|feelings|opinions|a personality)"
    r"|(?:can(?:no|')t|unable to|won't) (?:answer|provide|participate|express))",
    re.IGNORECASE,
)
_CUE_AGAIN = "ANSWER (one number only):"
_WORD = re.compile(r"[^\W_]+")


class Said(NamedTuple):
    """Generated answers; axes are repetitions, people, items."""

    options: IntArray  # (r, n, m) as the instrument lists them; -1 = invalid
    refused: BoolArray  # (r, n, m) whether the last try was a refusal
    tries: IntArray  # (r, n, m) how often it was asked
    tokens: int  # generated in all

    @property
    def rates(self) -> Rates:
        """Shares of invalid, refused and repeated answers."""
        return rates(self.options, self.refused, self.tries)


def read_option(text: str, shown: Sequence[str]) -> int:
    """Place of the option that a text names, among those shown.

    Args:
        text: what was said behind the cue.
        shown: options in the order in which they were shown.

    Returns:
        The place by the first number; ``REFUSED`` for a refusal; ``INVALID`` for anything else.

    >>> read_option(" 2. maybe", ["no", "maybe"]), read_option("Maybe!", ["no", "maybe"])
    (1, 1)
    """
    if _REFUSAL.search(text):
        return REFUSED
    number = _NUMBER.search(text)
    if number:
        place = int(number[1]) - 1
        return place if place < len(shown) else INVALID
    return _by_words(text, shown)


def _by_words(text: str, shown: Sequence[str]) -> int:
    """The option whose words stand in the text, outside those of a longer option."""
    rest, found = _words(text), []
    for place in sorted(range(len(shown)), key=lambda i: -len(shown[i])):
        words = _words(shown[place])
        if words.strip() and words in rest:
            found.append(place)
            rest = rest.replace(words, " | ")
    return found[0] if len(found) == 1 else INVALID


def _words(text: str) -> str:
    return f" {' '.join(_WORD.findall(text.lower()))} "


@dataclass
class _Round:
    """Everything that is asked, and what has been read so far; axes (r, n, m)."""

    interviewees: Sequence[Interviewee]
    instrument: Instrument
    how: Interview
    frame: Frame
    read: IntArray
    tries: IntArray
    tokens: int = 0

    def run(self, engine: Engine, sampling: Sampling, attempt: int) -> None:
        """Ask for what has no option yet."""
        rows = np.argwhere(self.read < 0)
        orders = shown_options(self.instrument, self.how)
        shown = [self._order(orders, rep, item) for rep, _, item in rows]
        seeds = _seeds(self.how.seed, rows, attempt)
        asked = [
            self._request(person, item, order, seed, again=attempt > 0)
            for (_, person, item), order, seed in zip(rows, shown, seeds, strict=True)
        ]
        for where, one, order in zip(rows, engine.generate(asked, sampling), shown, strict=True):
            options = self.instrument.options_of(self.instrument.items[where[2]])
            place = read_option(one.text, [options[o] for o in order])
            self.read[tuple(where)] = order[place] if place >= 0 else place
            self.tries[tuple(where)] += 1
            self.tokens += one.num_tokens

    def _order(self, orders: IntArray, repetition: int, item: int) -> IntArray:
        size = len(self.instrument.options_of(self.instrument.items[item]))
        return np.asarray(orders[item, repetition % self.how.rounds, :size])

    def _request(self, person: int, item: int, order: IntArray, seed: int, again: bool) -> Request:
        who = self.interviewees[person]
        own = self.instrument.items[item]
        question = question_of(self.instrument, own, order, self.how, self.frame)
        if again:
            question = question.removesuffix(CUE) + _CUE_AGAIN
        return Request(prefix_of(who, self.how, self.frame), question, who.adapter, seed)


def ask_in_words(
    engine: Engine,
    interviewees: Sequence[Interviewee],
    instrument: Instrument,
    sampling: Sampling,
    repetitions: int = 1,
    retries: int = 2,
    how: Interview | None = None,
    frame: Frame = PLAIN,
) -> Said:
    """Ask everybody everything in free text; those without an option again, in one batch a try.

    Args:
        engine: generates; a draw depends on (``how.seed``, person, item, repetition, try) alone.
        interviewees: n people.
        instrument: m items.
        sampling: temperature, tokens and top-k.
        repetitions: r of every question; repetition i shows the options as round i does.
        retries: tries after the first, whose cue says that one number is wanted.
        how: order, rounds, wording and seed; None = as written.
        frame: what stands around a context and a question.

    Raises:
        ValueError: a count is out of range.
    """
    check_number("ask_in_words", "repetitions", repetitions, "whole [1, 1e6]", "try 1")
    check_number("ask_in_words", "retries", retries, "whole [0, 100]", "0 asks once")
    shape = (repetitions, len(interviewees), len(instrument.items))
    read, tries = np.full(shape, INVALID, dtype=np.int64), np.zeros(shape, dtype=np.int64)
    asked = _Round(interviewees, instrument, how or Interview(), frame, read, tries)
    for attempt in range(retries + 1):
        if (asked.read < 0).any():
            asked.run(engine, sampling, attempt)
    return Said(np.maximum(read, INVALID), read == REFUSED, tries, asked.tokens)


def _seeds(root: int, rows: IntArray, attempt: int) -> list[int]:
    """One seed for each (repetition, person, item) of a try."""
    seeds = mix(row_seeds(root, rows[:, 1], rows[:, 2]), Channel.SPOKEN_ANSWER)
    return [int(seed) for seed in mix(mix(seeds, rows[:, 0]), attempt) >> np.uint64(1)]
