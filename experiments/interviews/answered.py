"""Asks people one instrument, by scored options or in words: options at every temperature."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from agents.inference.engine import Engine, Sampling
from agents.interviews.asking import Interviewee, ask
from agents.interviews.frames import PLAIN, Frame, frame_of
from agents.interviews.instruments import Instrument
from agents.interviews.reliability import Rates, order_sensitivity, rates
from agents.interviews.spoken import ask_in_words
from experiments.interviews.settings import Settings
from simenv.events import IntArray


class Answered(NamedTuple):
    """Options (r, n, m) and rates at every temperature; -1 = no answer."""

    options: dict[float, IntArray]
    rates: dict[float, Rates]
    order_sensitivity: float  # NaN where it is not known


def answered(
    engine: Engine,
    people: Sequence[Interviewee],
    instrument: Instrument,
    settings: Settings,
    wording: int | None = None,
) -> Answered:
    """Everybody's answers.

    Args:
        engine: scores, or generates for ``answers=spoken``.
        people: n.
        instrument: m items.
        settings: how, how often, at which temperatures.
        wording: None = the first.
    """
    frame = frame_of(engine) if settings.chat else PLAIN
    way = _spoken if settings.answers == "spoken" else _scored
    return way(engine, people, instrument, settings, wording, frame)


def _scored(
    engine: Engine,
    people: Sequence[Interviewee],
    instrument: Instrument,
    settings: Settings,
    wording: int | None,
    frame: Frame,
) -> Answered:
    found = ask(engine, people, instrument, settings.how(wording), frame)
    counts = (settings.repetitions, settings.seed)
    options = {t: found.draws(t, *counts) for t in settings.temperatures}
    once = {
        t: rates(drawn, np.zeros(drawn.shape, dtype=np.bool_), np.ones_like(drawn))
        for t, drawn in options.items()
    }
    return Answered(options, once, order_sensitivity(found.logs))


def _spoken(
    engine: Engine,
    people: Sequence[Interviewee],
    instrument: Instrument,
    settings: Settings,
    wording: int | None,
    frame: Frame,
) -> Answered:
    said = {}
    for temperature in settings.temperatures:
        sampling = Sampling(settings.max_new_tokens, temperature)
        counts = (settings.repetitions, settings.retries)
        how = settings.how(wording)
        said[temperature] = ask_in_words(engine, people, instrument, sampling, *counts, how, frame)
    options = {t: one.options for t, one in said.items()}
    return Answered(options, {t: one.rates for t, one in said.items()}, float("nan"))
