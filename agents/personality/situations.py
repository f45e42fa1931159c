"""Choices in situations of daily life: an instrument of our own, how it is asked, and its score.

A situation has four options: two that show much of a trait and two that show little of it. The form
is that of TRAIT (Lee et al., NAACL 2025); every text was written for this project and nobody has
validated it.

``scoring="text"`` looks at how much likelier the situation makes the words of each option, see
``option_texts.py``: no option is listed, so their order cannot matter. ``scoring="letters"`` lists
the options behind digits, and the engine says how probable each digit is. Models prefer places and
digits, so each situation is then asked once for every rotation of its options: each option stands
once in each place, and its log-probabilities are averaged. What a model gives to a place, whichever
option stands there, cancels out; what is left of a model that looks at nothing else is noise.

Letters: ``n`` people, ``m`` situations, ``r`` rotations (4; 1 by text), ``k`` options (4), ``t``
traits.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import numpy as np

from agents.inference.engine import Engine, Request
from agents.interviews.asking import Interviewee, labels
from agents.interviews.frames import Frame, frame_of
from agents.interviews.instruments import Instrument, InstrumentError, Item
from agents.interviews.readers import read_instrument
from agents.interviews.scores import trait_scores
from agents.personality.option_texts import option_scores, reader_in
from simenv.events import BoolArray, FloatArray, IntArray, mean_answered
from simenv.seeding import Stream, generator
from simenv.values.plain_text import one_line

SHIPPED = Path(__file__).with_name("situations.json")
NUM_OPTIONS = 4
Scoring = Literal["text", "letters"]
TASK = (
    "You are told a situation. Choose the one option that comes closest to what you would do."
    " Answer with its number alone."
)


@dataclass(frozen=True)
class Choices:
    """What people would do.

    Attributes:
        situations: that were asked.
        logs: (n, m, r, k) log-probabilities of the options as the instrument lists them, given that
            one is said; NaN where the engine failed.
        scoring: by the options' words or by their digits.
    """

    situations: Instrument
    logs: FloatArray
    scoring: Scoring = "letters"

    def chances(self) -> FloatArray:
        """(n, m, k) probability of every option, places cancelled; NaN where a rotation failed."""
        mean = self.logs.mean(axis=2)
        shares = np.exp(mean - mean.max(axis=2, keepdims=True))
        return np.asarray(shares / shares.sum(axis=2, keepdims=True))

    def high(self) -> FloatArray:
        """(n, m) probability of an option that shows much of the situation's trait."""
        return np.asarray((self.chances() * high_options(self.situations)).sum(axis=2))

    def scores(self) -> FloatArray:
        """(n, t) in [0, 1]: the mean of a trait's situations; 0.5 is no lean.

        Situations whose answer failed are left out; NaN where all of a trait did.
        """
        return trait_scores(self.situations, self.high())

    def intervals(self, resamples: int = 1000, seed: int = 0) -> FloatArray:
        """(n, t, 2) ends of each score's 95 % interval: situations drawn again (bootstrap)."""
        high, owner = self.high(), self.situations.trait_of_item
        ends = np.full((len(high), len(self.situations.traits), 2), np.nan)
        for trait in range(ends.shape[1]):
            own = high[:, owner == trait]
            rng = generator(seed, Stream.SITUATION_RESAMPLES, trait + 1)
            drawn = rng.integers(own.shape[1], size=(resamples, own.shape[1]))
            means = _means(own[:, drawn])  # (n, resamples)
            known = ~np.isnan(means).any(axis=1)
            ends[known, trait] = np.percentile(means[known], [2.5, 97.5], axis=1).T
        return ends

    def places(self) -> FloatArray:
        """(n, k) mean probability of each place, whatever stands there: 1/4 = no preference.

        NaN by text, where options have no place.
        """
        if self.scoring == "text":
            return np.full((len(self.logs), NUM_OPTIONS), np.nan)
        chances = np.exp(self.logs)
        n, m, r, k = chances.shape
        shown = rotations()
        by_place = np.take_along_axis(chances, np.broadcast_to(shown, (n, m, r, k)), axis=3)
        return _means(np.moveaxis(by_place.reshape(n, m * r, k), 1, 2))

    def steadiness(self) -> FloatArray:
        """(n,) share of situations in which all rotations lean to the same side of the trait.

        NaN by text, where nothing is turned.
        """
        if self.scoring == "text":
            return np.full(len(self.logs), np.nan)
        chances = np.exp(self.logs)
        high = (chances * high_options(self.situations)[:, None, :]).sum(axis=3) > 0.5
        same = (high.all(axis=2) | ~high.any(axis=2)).astype(np.float64)
        return _means(np.where(np.isnan(self.logs).any(axis=(2, 3)), np.nan, same))


def shipped_situations() -> Instrument:
    """The situations that come with the package: ten a factor of the Big Five."""
    return read_situations(SHIPPED)


def read_situations(path: str | Path) -> Instrument:
    """Situations from a file of the instruments' own format.

    Raises:
        FileNotFoundError: there is no such file.
        InstrumentError: it is no instrument, or a situation has other options than two of much and
            two of little.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(
            f"situations {str(path)!r} are not there; give the path of a file, or null for those in"
            " the package"
        )
    found = read_instrument(path)
    check_situations(found)
    return found


def check_situations(situations: Instrument) -> None:
    """Refuse an instrument whose choices do not come in pairs.

    Raises:
        InstrumentError: naming the situation.
    """
    for item in situations.items:
        values = situations.values_of(item)
        if sorted(values) != [0.0, 0.0, 1.0, 1.0]:
            raise InstrumentError(
                f"situation {item.name!r} of {situations.name!r} wanted four options, two that"
                f" score 1 and two that score 0, got {list(values)}; write a pair for each end of"
                " the trait"
            )


def high_options(situations: Instrument) -> BoolArray:
    """(m, k) whether an option shows much of its situation's trait; keys are applied."""
    return np.asarray(situations.points == 1.0)


def rotations() -> IntArray:
    """(r, k) which option stands in each place: in rotation r, place p shows option p + r."""
    places = np.arange(NUM_OPTIONS)
    return np.asarray((places[None, :] + places[:, None]) % NUM_OPTIONS)


def ask_situations(
    engine: Engine,
    interviewees: Sequence[Interviewee],
    situations: Instrument,
    frame: Frame | None = None,
    scoring: Scoring = "text",
) -> Choices:
    """Ask everybody every situation, in one call.

    Args:
        engine: answers; unchanged apart from its caches.
        interviewees: n people; each names an adapter or the base.
        situations: m situations, see ``check_situations``.
        frame: what stands around a context and a question; None = the model's own.
        scoring: ``text`` by the words of the options, ``letters`` by their digits in every
            rotation.

    Raises:
        InstrumentError: a situation's options are no two pairs.
        KeyError: an adapter is not loaded.
        ValueError: nobody is asked, a prompt is longer than the engine's context, there is no such
            scoring, or the engine does not say how likely words are.
    """
    if scoring not in get_args(Scoring):
        raise ValueError(f"scoring wanted one of {', '.join(get_args(Scoring))}, got {scoring!r}")
    if not interviewees:
        raise ValueError("ask_situations wanted at least one interviewee, got none")
    check_situations(situations)
    around = frame_of(engine) if frame is None else frame
    if scoring == "text":
        reader = reader_in(engine)
        if reader is None:
            raise ValueError(
                "scoring='text' wanted an engine that says how likely given words are, got"
                f" {engine.description}; take a LocalEngine, or scoring='letters'"
            )
        people = [(_told(person), person.adapter) for person in interviewees]
        scores = option_scores(reader, people, situations, around)
        return Choices(situations, _log_shares(scores)[:, :, None, :], scoring)
    return Choices(situations, _by_digits(engine, interviewees, situations, around))


def _by_digits(
    engine: Engine, interviewees: Sequence[Interviewee], situations: Instrument, around: Frame
) -> FloatArray:
    """(n, m, r, k) log-probabilities of the options, each behind every digit once."""
    shown = rotations()
    asked = [
        Request(prefix_of(person, around), _question(situations, item, row, around), person.adapter)
        for person in interviewees
        for item in situations.items
        for row in shown
    ]
    sizes = len(interviewees), len(situations.items), NUM_OPTIONS, NUM_OPTIONS
    found = np.asarray(engine.score(asked, labels(NUM_OPTIONS))).reshape(sizes)
    logs = np.empty_like(found)
    np.put_along_axis(logs, np.broadcast_to(shown, sizes), found, axis=3)
    return logs


def prefix_of(person: Interviewee, frame: Frame) -> str:
    """Who the person is and what they are asked: the part that all situations share."""
    return frame.before(f"{_told(person)}\n{TASK}".strip())


def _told(person: Interviewee) -> str:
    return "\n".join(map(one_line, person.context.splitlines()))


def _log_shares(scores: FloatArray) -> FloatArray:
    """Scores (…, k) as log-probabilities: the log of their softmax."""
    apart = scores - scores.max(axis=-1, keepdims=True)
    return np.asarray(apart - np.log(np.exp(apart).sum(axis=-1, keepdims=True)))


def _question(situations: Instrument, item: Item, shown: IntArray, frame: Frame) -> str:
    options = situations.options_of(item)
    listed = "\n".join(f"{i + 1} = {one_line(options[o])}" for i, o in enumerate(shown))
    return frame.question(f"SITUATION: {one_line(item.text)}\nOPTIONS:\n{listed}")


def _means(values: FloatArray) -> FloatArray:
    """Means over the last axis of what was answered; NaN where nothing was."""
    return mean_answered(values.reshape(-1, values.shape[-1])).reshape(values.shape[:-1])
