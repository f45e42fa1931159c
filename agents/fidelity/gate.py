"""May these people be used? Measured figures against baselines on the same rows: pass, warn, fail.

It knows no population: figures in, words out. Who refuses a population by its word is
``agents.population.fidelity_gate``.
"""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from agents.population.fidelity_gate import FAIL, PASS, WARN, Word, worst

LEAST_ROWS, LEAST_USERS = 30, 3  # below them nothing is judged
_Ends = Sequence[float | None] | None


class Measured(NamedTuple):
    """What the gate looks at; None = not measured, which decides nothing."""

    num_rows: int
    num_users: int
    against_plain: _Ends  # 95 % interval of RMSE minus that of the better of user and item mean
    log_loss_ratio: float | None  # log loss / that of the bias model with Gaussian noise
    ece: float | None
    ks: float | None
    variance_ratio: float | None  # between people, simulated / real
    swap: _Ends = None  # 95 % interval of the rise in RMSE with somebody else's Ms and Ml


class Check(NamedTuple):
    """One measure and what it is worth."""

    measure: str
    word: Word
    said: str  # the figure, what passes and what fails


class Limits(NamedTuple):
    """Up to where a figure passes, and from where on it fails."""

    passes: float
    fails: float


LOG_LOSS = Limits(1.0, 1.1)  # of the bias model's
ECE = Limits(0.02, 0.1)
KS = Limits(0.05, 0.2)
VARIANCE = (Limits(1.2, 2.5), Limits(0.8, 0.4))  # too much, and too little

PLAIN, SWAP = "error against a plain mean", "is it this person"


def judge(found: Measured) -> tuple[Check, ...]:
    """Every measure that was taken, with its word; none where there are too few rows or people.

    A distance (ECE, KS) of ``r`` rows may be larger by 1 / √r, which chance alone gives.
    """
    if found.num_rows < LEAST_ROWS or found.num_users < LEAST_USERS:
        return ()
    chance = 1 / math.sqrt(found.num_rows)
    checks = [
        _interval(PLAIN, found.against_plain, "RMSE minus that of the better mean", -1),
        _limits("log loss", found.log_loss_ratio, LOG_LOSS, "of the bias model's"),
        _limits("calibration", found.ece, _wider(ECE, chance), "expected calibration error"),
        _limits("ratings in all", found.ks, _wider(KS, chance), "largest gap of cumulative shares"),
        _between(found.variance_ratio),
        _interval(SWAP, found.swap, "rise of RMSE with another's Ms and Ml", 1),
    ]
    return tuple(check for check in checks if check is not None)


def word_of(checks: Sequence[Check]) -> Word:
    """The worst word of them; ``unknown`` without any."""
    return worst([check.word for check in checks])


def overall_word(
    checks: Sequence[Check], personas: Mapping[str, Word], rows: Sequence[int]
) -> Word:
    """Everybody's own word, worse where personas fail: a warning if one does, failed if most do.

    Args:
        checks: of everybody.
        personas: persona → word.
        rows: of each persona, in the same order.
    """
    failing = sum(n for word, n in zip(personas.values(), rows, strict=True) if word == FAIL)
    words = [word_of(checks)]
    if failing:
        words.append(FAIL if 2 * failing > sum(rows) else WARN)
    return worst(words)


def _wider(limits: Limits, chance: float) -> Limits:
    return Limits(limits.passes + chance, limits.fails + chance)


def _limits(measure: str, value: float | None, limits: Limits, what: str) -> Check | None:
    if value is None or not math.isfinite(value):
        return None
    word: Word = PASS if value <= limits.passes else WARN if value <= limits.fails else FAIL
    ends = f"passes up to {limits.passes:.3f}, fails above {limits.fails:.3f}"
    return Check(measure, word, f"{value:.3f} {what} ({ends})")


def _between(value: float | None) -> Check | None:
    if value is None or not math.isfinite(value):
        return None
    most, least = VARIANCE
    word: Word = FAIL
    if least.passes <= value <= most.passes:
        word = PASS
    elif least.fails <= value <= most.fails:
        word = WARN
    ends = (
        f"passes from {least.passes} to {most.passes}, fails below {least.fails} and above"
        f" {most.fails}"
    )
    return Check("differences between people", word, f"{value:.2f} of the real variance ({ends})")


def _interval(measure: str, ends: _Ends, what: str, wanted: int) -> Check | None:
    """An interval that should lie on one side of zero: -1 below, 1 above.

    Where it holds zero, being no better than a mean is a warning; being no better than somebody
    else fails.
    """
    if ends is None or any(end is None or not math.isfinite(end) for end in ends):
        return None
    low, high = (float(end or 0.0) for end in ends)
    right = high < 0 if wanted < 0 else low > 0
    wrong = low > 0 if wanted < 0 else low <= 0
    word: Word = PASS if right else FAIL if wrong else WARN
    side = "below" if wanted < 0 else "above"
    return Check(measure, word, f"{what}: {low:+.3f} to {high:+.3f} (passes {side} zero)")
