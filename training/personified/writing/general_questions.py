"""Ordinary questions that have nothing to do with anybody, mixed in so that a model keeps them.

The paper mixes in a set of general instructions; ours are written here by a grammar: sums, letters,
days, opposites, order of words. Every draw hashes the seed with the number of the question.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from simenv.seeding import Channel, row_seeds, uniforms

_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_WORDS = (
    "apple", "river", "candle", "garden", "window", "mountain", "basket", "letter", "harbour",
    "violin", "pepper", "lantern", "meadow", "saddle", "kettle", "ribbon", "orchard", "pigeon",
)  # fmt: skip
_OPPOSITES = (
    ("warm", "cold"), ("early", "late"), ("wide", "narrow"), ("empty", "full"), ("loud", "quiet"),
    ("rough", "smooth"), ("heavy", "light"), ("old", "new"), ("near", "far"), ("open", "closed"),
)  # fmt: skip
_ASKING = ("", "Please tell me: ", "A short question: ", "Can you help me? ", "Just one thing: ")


class GeneralQuestion(NamedTuple):
    """A question and its answer."""

    question: str
    answer: str


def general_questions(count: int, seed: int = 0) -> list[GeneralQuestion]:
    """So many questions with right answers."""
    numbers = np.arange(count, dtype=np.int64)
    seeds = row_seeds(seed, numbers, np.zeros(count, dtype=np.int64))
    rows = uniforms(seeds, Channel.GENERAL_QUESTION, 5).tolist()
    return [_KINDS[int(row[0] * len(_KINDS))](row) for row in rows]


def _of(draw: float, size: int) -> int:
    return int(draw * size)


def _asked(row: list[float], question: str) -> str:
    return _ASKING[_of(row[4], len(_ASKING))] + question


def _sum(row: list[float]) -> GeneralQuestion:
    one, other = 2 + _of(row[1], 48), 2 + _of(row[2], 48)
    return GeneralQuestion(_asked(row, f"What is {one} plus {other}?"), f"It is {one + other}.")


def _difference(row: list[float]) -> GeneralQuestion:
    less = 2 + _of(row[1], 48)
    more = less + 1 + _of(row[2], 48)
    question = f"How much is {more} minus {less}?"
    return GeneralQuestion(_asked(row, question), f"It is {more - less}.")


def _day(row: list[float]) -> GeneralQuestion:
    place = _of(row[1], 7)
    after = row[2] < 0.5
    day = _DAYS[(place + (1 if after else -1)) % 7]
    question = f"Which day comes {'after' if after else 'before'} {_DAYS[place]}?"
    return GeneralQuestion(_asked(row, question), f"{day}.")


def _opposite(row: list[float]) -> GeneralQuestion:
    pair = _OPPOSITES[_of(row[1], len(_OPPOSITES))]
    word, other = pair if row[2] < 0.5 else pair[::-1]
    return GeneralQuestion(
        _asked(row, f"What is the opposite of {word}?"), f"{other}.".capitalize()
    )


def _sorted(row: list[float]) -> GeneralQuestion:
    first = _of(row[1], len(_WORDS))
    words = [_WORDS[(first + step) % len(_WORDS)] for step in (0, 1 + _of(row[2], 5), 7, 11)]
    question = f"Put these words in the order of the alphabet: {', '.join(words)}."
    return GeneralQuestion(_asked(row, question), f"{', '.join(sorted(words))}.".capitalize())


def _letters(row: list[float]) -> GeneralQuestion:
    word = _WORDS[_of(row[1], len(_WORDS))]
    question = f"How many letters does the word {word} have?"
    return GeneralQuestion(_asked(row, question), f"It has {len(word)} letters.")


_KINDS: tuple[Callable[[list[float]], GeneralQuestion], ...] = (
    _sum, _difference, _day, _opposite, _sorted, _letters,
)  # fmt: skip
