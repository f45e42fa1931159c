"""Which rows are asked about, what the people say of them, and what predictors say of the same.

Rows of a person are held out in time: the first of them are for calibration alone, the next are
measured. Answers are the model's own here; what a calibration makes of them is figured out later.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from agents.fidelity.discretised import fitted_sd, gaussian_chances
from agents.fidelity.held_out import rate
from agents.persona_users import PersonaUsers
from experiments.predictors.plain_predictors import plain_answers
from simenv.data.dataset import Dataset
from simenv.events import NUM_STARS, BoolArray, FloatArray, IntArray, InteractionLog
from simenv.seeding import Stream, generator

_PRIOR_ROWS = 5.0  # ratings that the prior of no generosity is worth
NON_PERSONAL = ("user mean", "item mean")  # what people must beat to be worth asking
BIAS = "bias model"


class Rows(NamedTuple):
    """Rows of a log, and what was said of them."""

    log: InteractionLog
    chances: FloatArray  # (r, 5) of the simulated people, no NaN
    rivals: dict[str, FloatArray]  # predictor → chances (r, 5)
    stars: dict[str, FloatArray]  # predictor → stars (r,)

    def take(self, rows: BoolArray | IntArray) -> "Rows":
        """Some of them."""
        return Rows(
            self.log.take(rows),
            self.chances[rows],
            {name: chances[rows] for name, chances in self.rivals.items()},
            {name: stars[rows] for name, stars in self.stars.items()},
        )


@dataclass(frozen=True)
class Asked:
    """Everything that was said of held-out rows."""

    dataset: Dataset
    model: PersonaUsers  # whose answers are not calibrated
    users: IntArray  # (n,) who were asked
    fitted: Rows  # for calibration alone
    measured: Rows
    num_failed: int  # rows without an answer; they are left out for everybody
    seed: int


def chosen_users(dataset: Dataset, num_users: int, seed: int) -> IntArray:
    """At most ``num_users`` people (n,) with held-out rows, ascending.

    Raises:
        ValueError: nobody has any.
    """
    able = np.flatnonzero(np.diff(dataset.test.offsets()))
    if not len(able):
        raise ValueError(
            f"experiment=alignment wanted held-out ratings, {dataset.name!r} has none; lower"
            " data.fraction"
        )
    drawn = generator(seed, Stream.ALIGNED_USERS).permutation(able)[:num_users]
    return np.sort(drawn).astype(np.int64)


def parted_rows(
    log: InteractionLog, users: IntArray, validation: float, most: int | None
) -> tuple[IntArray, IntArray]:
    """Rows of ``log`` for calibration, and rows that are measured.

    Args:
        log: held-out rows.
        users: (n,) whose.
        validation: of everybody's rows, rounded down, the earliest.
        most: measured rows of a person, the earliest behind those; None = all.
    """
    offsets = log.offsets()
    first, rest = [np.zeros(0, dtype=np.int64)], [np.zeros(0, dtype=np.int64)]
    for user in users.tolist():
        own = np.arange(offsets[user], offsets[user + 1])
        cut = int(validation * len(own))
        first.append(own[:cut])
        rest.append(own[cut:][:most])
    return np.concatenate(first), np.concatenate(rest)


def ask(
    dataset: Dataset,
    model: PersonaUsers,
    users: IntArray,
    validation: float,
    most: int | None,
    baselines: Sequence[str],
    seed: int,
) -> Asked:
    """Ask the people and fit the predictors, which learn from training rows and the background.

    Raises:
        ValueError: not one of the measured rows was answered, or no row is left for calibration.
    """
    plain, said = replace(model, calibrated=False), plain_answers(dataset, baselines)
    parted = parted_rows(dataset.test, users, validation, most)
    fitted, measured = (_answered(dataset.test, plain, said, rows) for rows in parted)
    failed = sum(map(len, parted)) - len(fitted[0]) - len(measured[0])
    if not len(measured[0]):
        raise ValueError(
            f"experiment=alignment wanted answers about held-out ratings, got none and {failed}"
            " failures; the log says why the engine failed"
        )
    if not len(fitted[0]):
        raise ValueError(
            "experiment.validation wanted a share that leaves somebody a row to calibrate on, got"
            f" {validation:g}; raise it, or ask people with more held-out rows"
        )
    sds = {name: fitted_sd(stars, fitted[0].ratings) for name, stars in fitted[2].items()}
    rows = [_rows(*part, sds) for part in (fitted, measured)]
    return Asked(dataset, plain, users, rows[0], rows[1], failed, seed)


_Said = tuple[InteractionLog, FloatArray, dict[str, FloatArray]]


def _answered(
    test: InteractionLog, model: PersonaUsers, said: Mapping[str, FloatArray], rows: IntArray
) -> _Said:
    """The rows that were answered, the people's chances and the predictors' stars."""
    chances = rate(model, test.take(rows))
    answered = ~np.isnan(chances).any(axis=1)
    kept = rows[answered]
    return test.take(kept), chances[answered], {name: own[kept] for name, own in said.items()}


def _rows(
    log: InteractionLog,
    chances: FloatArray,
    stars: dict[str, FloatArray],
    sds: Mapping[str, float],
) -> Rows:
    return Rows(log, chances, {n: gaussian_chances(s, sds[n]) for n, s in stars.items()}, stars)


def average_and_offset(fair: FloatArray, known: InteractionLog, log: InteractionLog) -> FloatArray:
    """(r,) fair average of each row's item plus how far its person's known ratings lie from theirs.

    Args:
        fair: (num_items,).
        known: ratings that the offset is learnt from, shrunken as if five more had none.
        log: rows (r,) of the same people.
    """
    apart = np.bincount(known.users, known.ratings - fair[known.items], known.num_users)
    counts = np.bincount(known.users, minlength=known.num_users)
    stars = fair[log.items] + (apart / (counts + _PRIOR_ROWS))[log.users]
    return np.asarray(np.clip(stars, 1.0, NUM_STARS))
