"""From answers to scores: traits, types, accuracy, increases and what moved beside the target.

Plain formulas over arrays; they know no model. An answer that is missing is NaN: a trait's score is
the mean of the items that were answered, NaN where none was, and no type stands on a NaN.

Letters: ``m`` items, ``t`` traits, ``n`` people, ``...`` any leading axes.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from agents.interviews.instruments import Instrument, Norm
from simenv.events import FloatArray, IntArray

NO_LETTER = "?"  # of a trait without a score; a type that holds one equals no other
Types = NDArray[np.str_]


def drawn_points(instrument: Instrument, options: IntArray, raw: bool = False) -> FloatArray:
    """(..., m) points of chosen options; NaN where an option is -1.

    Args:
        instrument: m items.
        options: (..., m) places of the options.
        raw: True leaves the keys out.
    """
    table = instrument.raw_points if raw else instrument.points
    found = table[np.arange(len(table)), options]
    return np.asarray(np.where(options < 0, np.nan, found))


def trait_scores(instrument: Instrument, points: FloatArray) -> FloatArray:
    """(..., t) mean keyed points of each trait's answered items."""
    owner = instrument.trait_of_item
    parts = [_mean_known(points[..., owner == t]) for t in range(len(instrument.traits))]
    return np.stack(parts, axis=-1)


def _mean_known(points: FloatArray) -> FloatArray:
    """Mean over the last axis of what is not NaN; NaN where all are."""
    known = np.isfinite(points)
    count = known.sum(axis=-1)
    total = np.where(known, points, 0.0).sum(axis=-1)
    mean = np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)
    return np.asarray(mean)


def types_of(instrument: Instrument, scores: FloatArray) -> Types:
    """(...,) a letter a trait: the high one above the middle of its scale, else the low one."""
    middle = instrument.scale.mean(axis=1)
    high = np.array([trait.high for trait in instrument.traits])
    low = np.array([trait.low for trait in instrument.traits])
    letters = np.where(scores > middle, high, low)
    letters = np.where(np.isnan(scores), NO_LETTER, letters)
    flat = ["".join(row) for row in letters.reshape(-1, letters.shape[-1])]
    return np.array(flat, dtype=np.str_).reshape(letters.shape[:-1])


class Accuracy(NamedTuple):
    """How often the returned type equals the imposed one."""

    mean: float
    sd: float  # over all runs, as in arXiv 2401.07115: of zeros and ones
    by_type: FloatArray  # (n,) share of each imposed type's runs
    by_letter: FloatArray  # (letters,) share of runs in which that letter is right
    runs: int


def type_accuracy(imposed: Sequence[str], found: Types) -> Accuracy:
    """Accuracy of types.

    Args:
        imposed: (n,) types.
        found: (r, n) types that r repetitions returned.
    """
    wanted = np.array(imposed)
    hits = (found == wanted).astype(np.float64)
    letters = (_letters(found) == _letters(wanted)).reshape(hits.size, -1)
    return Accuracy(
        float(hits.mean()), float(hits.std()), hits.mean(axis=0), letters.mean(axis=0), hits.size
    )


def _letters(types: Types) -> Types:
    """(..., letters) of types of one length."""
    found = np.array([list(name) for name in types.ravel()], dtype=np.str_)
    return found.reshape(*types.shape, -1)


def confusion(imposed: Sequence[str], found: Types, names: Sequence[str]) -> IntArray:
    """(types, types + 1) how often an imposed type came back as each; the last column: no type."""
    place = {name: i for i, name in enumerate(names)}
    counts = np.zeros((len(names), len(names) + 1), dtype=np.int64)
    for row in found:
        for wanted, came in zip(imposed, row, strict=True):
            counts[place[wanted], place.get(str(came), len(names))] += 1
    return counts


def percent_increase(score: FloatArray, base: FloatArray) -> FloatArray:
    """100 (score - base) / base: the paper's measure, unbounded and dependent on the base."""
    return np.asarray(100.0 * (score - base) / base)


def normalised_gain(
    score: FloatArray, base: FloatArray, least: FloatArray, most: FloatArray, pole: int = 1
) -> FloatArray:
    """Share of the way from the base to the wanted end of the scale; NaN if the base is there.

    1 = all of it, 0 = nothing, below 0 = the other way; NaN too where no end is wanted.

    Args:
        score: with the personality.
        base: without it.
        least: of the scale.
        most: of the scale.
        pole: 1 wants the upper end, -1 the lower one, 0 neither.
    """
    moved = pole * (np.asarray(score) - base) + 0.0  # no minus before a zero
    end = (least, base, most)[pole + 1]
    room = np.asarray(pole * (end - base), dtype=np.float64)
    return np.asarray(np.divide(moved, room, out=np.full(moved.shape, np.nan), where=room > 0))


def z_score(score: FloatArray, norm: Norm | None) -> FloatArray:
    """Standard deviations of people above their mean; NaN where no norm is known."""
    if norm is None:
        return np.full(np.shape(score), np.nan)
    return np.asarray((score - norm.mean) / norm.sd)


def off_target(scores: FloatArray, base: FloatArray) -> FloatArray:
    """(n, t) by how much every trait moved under every imposed one; the diagonal is the target.

    Args:
        scores: (n, t) with the personality of row n.
        base: (t,) without any.
    """
    return np.asarray(scores - base)
