"""Asks n people the m items of an instrument through an engine, one item a request, in one batch.

A person's context is the prefix that all of their items share, so that an engine computes it once.
The options stand in the question, each behind a digit, and the engine says how probable each digit
is: one pass gives the exact distribution at every temperature, and repetitions are draws from it.

Models prefer options by their place and digit. ``order="permuted"`` shows each item's options in an
order drawn for (seed, item, round), the same for everybody; several ``rounds`` are averaged, and
how far they disagree is the sensitivity to order.

Letters: ``n`` people, ``m`` items, ``r`` rounds, ``k`` options (the most that an item has).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from agents.inference.engine import Engine, Request
from agents.interviews.frames import PLAIN, Frame
from agents.interviews.instruments import Instrument, Item
from simenv.events import FloatArray, IntArray
from simenv.ranges import check_number
from simenv.seeding import Channel, row_seeds, uniforms
from simenv.values.plain_text import one_line

Order = Literal["written", "reversed", "permuted"]
ORDERS: tuple[Order, ...] = ("written", "reversed", "permuted")


class Wording(NamedTuple):
    """One way to say the same task; controls ask with another one."""

    task: str
    statement: str  # before the item
    options: str  # before the options


WORDINGS = (
    Wording(
        "You take a personality assessment. Choose the one option that fits you best. Answer"
        " without thinking about it for long, and add no remark.",
        "STATEMENT",
        "OPTIONS",
    ),
    Wording(
        "This is a questionnaire about who you are. Read the sentence and pick the answer that"
        " describes you best. Do not explain it.",
        "SENTENCE",
        "ANSWERS",
    ),
    Wording(
        "Someone wants to know you better. Say which of the choices is most true of you. Give only"
        " its number.",
        "ABOUT YOU",
        "CHOICES",
    ),
)


class Interviewee(NamedTuple):
    """Who is asked."""

    name: str
    context: str = ""  # what is told to the model about who it is; empty = unconditioned
    adapter: str | None = None  # name of an adapter that the engine has loaded


@dataclass(frozen=True)
class Interview:
    """How it is asked.

    Attributes:
        order: of the options: as written, reversed, or drawn for each item and round.
        rounds: how often each item is asked, each time with another drawn order.
        wording: place in ``WORDINGS``.
        seed: of the drawn orders.

    Raises:
        ValueError: there is no such order or wording, or a count is below 1.
    """

    order: Order = "written"
    rounds: int = 1
    wording: int = 0
    seed: int = 0

    def __post_init__(self) -> None:
        if self.order not in ORDERS:
            raise ValueError(f"order wanted one of {', '.join(ORDERS)}, got {self.order!r}")
        check_number("Interview", "rounds", self.rounds, "whole [1, 1e6]", "try 1")
        last = len(WORDINGS) - 1
        check_number("Interview", "wording", self.wording, f"whole [0, {last}]", "0 is the first")
        if self.rounds > 1 and self.order != "permuted":
            raise ValueError(
                f"rounds={self.rounds} wanted order='permuted', got {self.order!r}: every round"
                " would ask the same"
            )


@dataclass(frozen=True)
class Answers:
    """What was answered; nothing here depends on the order in which options were shown.

    Attributes:
        instrument: whose items were asked.
        interviewees: n people.
        logs: (n, m, r, k) log-probabilities of the options as the instrument lists them, given that
            one is said; -inf where an item has fewer options, NaN where the engine failed.
    """

    instrument: Instrument
    interviewees: tuple[Interviewee, ...]
    logs: FloatArray

    def chances(self, temperature: float = 1.0) -> FloatArray:
        """(n, m, k) probability of every option at a temperature, averaged over the rounds.

        A row is NaN where a round failed.

        Raises:
            ValueError: the temperature is not above 0.
        """
        check_number("Answers.chances", "temperature", temperature, "(0, inf)", "try 0.01")
        scaled = self.logs / temperature
        with np.errstate(invalid="ignore"):
            shares = np.exp(scaled - scaled.max(axis=3, keepdims=True))
            shares /= shares.sum(axis=3, keepdims=True)
        return np.asarray(shares.mean(axis=2))

    def expected(self, temperature: float = 1.0) -> FloatArray:
        """(n, m) mean points, keys applied; NaN where the engine failed."""
        chances = self.chances(temperature)
        return np.asarray((chances * np.nan_to_num(self.instrument.points)).sum(axis=2))

    def draws(self, temperature: float, repetitions: int, seed: int = 0) -> IntArray:
        """(repetitions, n, m) options drawn from ``chances``; -1 where the engine failed.

        A draw depends on (seed, person's place, item's place, repetition) alone.
        """
        chances = self.chances(temperature)
        n, m, _ = chances.shape
        people, items = (axis.ravel() for axis in np.indices((n, m)))
        seeds = row_seeds(seed, people, items)
        places = uniforms(seeds, Channel.INTERVIEW_ANSWER, repetitions).reshape(n, m, repetitions)
        edges = chances.cumsum(axis=2)
        edges = edges / edges[..., -1:]
        drawn = (places[:, :, None, :] >= edges[:, :, :-1, None]).sum(axis=2)
        drawn[np.isnan(chances[:, :, 0])] = -1
        return np.asarray(np.moveaxis(drawn, 2, 0), dtype=np.int64)


def ask(
    engine: Engine,
    interviewees: Sequence[Interviewee],
    instrument: Instrument,
    how: Interview | None = None,
    frame: Frame = PLAIN,
) -> Answers:
    """Ask everybody everything, in one call for every number of options.

    Args:
        engine: answers; unchanged apart from its caches.
        interviewees: n people; each names an adapter or the base.
        instrument: m items.
        how: order, rounds, wording and seed; None = as written, once.
        frame: what stands around a context and a question; see ``frame_of``.

    Raises:
        KeyError: an adapter is not loaded.
        ValueError: nobody is asked, or a prompt is longer than the engine's context.
    """
    if not interviewees:
        raise ValueError("ask wanted at least one interviewee, got none")
    how = how or Interview()
    shown = shown_options(instrument, how)
    n, m, r, k = len(interviewees), len(instrument.items), how.rounds, instrument.num_options
    logs = np.full((n, m, r, k), -np.inf)
    sizes = np.array([len(instrument.options_of(item)) for item in instrument.items])
    for size in np.unique(sizes):
        items = np.flatnonzero(sizes == size)
        asked = [
            Request(
                prefix_of(person, how, frame),
                question_of(instrument, instrument.items[i], shown[i, row, :size], how, frame),
                person.adapter,
            )
            for person in interviewees
            for i in items
            for row in range(r)
        ]
        found = engine.score(asked, labels(int(size))).reshape(n, len(items), r, size)
        order = np.broadcast_to(shown[items][None, :, :, :size], found.shape)
        own = np.empty_like(found)
        np.put_along_axis(own, order, found, axis=3)
        logs[:, items, :, :size] = own
    return Answers(instrument, tuple(interviewees), logs)


def shown_options(instrument: Instrument, how: Interview) -> IntArray:
    """(m, r, k) which option stands in each place; places beyond an item's options are -1."""
    sizes = [len(instrument.options_of(item)) for item in instrument.items]
    shown = np.full((len(sizes), how.rounds, instrument.num_options), -1, dtype=np.int64)
    for item, size in enumerate(sizes):
        seeds = row_seeds(how.seed, np.full(how.rounds, item), np.arange(how.rounds))
        drawn = uniforms(seeds, Channel.OPTION_ORDER, size).argsort(axis=1)
        written = np.broadcast_to(np.arange(size), drawn.shape)
        orders = {"written": written, "reversed": written[:, ::-1], "permuted": drawn}
        shown[item, :, :size] = orders[how.order]
    return shown


def labels(size: int) -> tuple[str, ...]:
    """What a model says for the first, second, … option."""
    return tuple(f" {i + 1}" for i in range(size))


def prefix_of(person: Interviewee, how: Interview, frame: Frame) -> str:
    """Who the person is and what they are asked: the part that all items share."""
    told = "\n".join(map(one_line, person.context.splitlines()))
    return frame.before(f"{told}\n{WORDINGS[how.wording].task}".strip())


def question_of(
    instrument: Instrument, item: Item, shown: IntArray, how: Interview, frame: Frame
) -> str:
    """One item with its options in the order shown, and the cue."""
    wording = WORDINGS[how.wording]
    options = instrument.options_of(item)
    listed = "\n".join(f"{i + 1} = {one_line(options[o])}" for i, o in enumerate(shown))
    statement = one_line(f"{instrument.stem} {item.text}".strip())
    return frame.question(f"{wording.statement}: {statement}\n{wording.options}:\n{listed}")
