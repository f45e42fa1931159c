"""How much of what could be known of a world its simulated users know: errors beside a ceiling.

The ceiling is a perfect reader of the log, who is told how the world was made; a second one reads
genres and years alone, so that one sees how much must be read. The baseline is the bias model.
"""

from typing import Any, NamedTuple

import numpy as np

from agents.fidelity.error_measures import knowable_share
from experiments.people.people import People
from experiments.people.predictor_users import predicted_people
from experiments.reporting.formatting import rounded
from experiments.worlds.easy_mode import ask, chosen_stars, first_rows
from simenv.data.dataset import Dataset
from simenv.data.rating_baselines import BiasModel
from simenv.data.worlds.perfect_reader import PerfectReader
from simenv.data.worlds.synthetic_truth import SyntheticTruth
from simenv.events import FloatArray, IntArray
from simenv.user_model import UserModel

USERS = "simulated users"
PERFECT = "perfect reader"
PARTIAL = "reader of genres and years"
BASELINE = "bias model"
_SEEN = ("genres", "era")
_ROWS = 8  # held-out rows asked of every user


class Readers(NamedTuple):
    """Stars (num_users, num_items) that readers of a log expect of everything."""

    perfect: FloatArray
    partial: FloatArray


def read(dataset: Dataset) -> Readers | None:
    """What both readers make of the training rows; None where it is not known how the world is."""
    truth = dataset.truth
    if not isinstance(truth, SyntheticTruth) or truth.structure is None:
        return None
    users, items = np.arange(dataset.num_users)[:, None], np.arange(dataset.num_items)[None, :]
    structures = truth.structure, truth.structure.reading_only(_SEEN)
    return Readers(*(PerfectReader(s).fit(dataset.train).predict(users, items) for s in structures))


def reader_users(dataset: Dataset, readers: Readers) -> dict[str, People]:
    """The readers as users: what each would be worth as a judge of policies."""
    return {
        PERFECT: predicted_people(
            dataset, readers.perfect, "a perfect reader of the log", "perfect reader"
        ),
        PARTIAL: predicted_people(
            dataset, readers.partial, "a perfect reader of genres and years", "partial reader"
        ),
    }


def knowable(
    model: UserModel, dataset: Dataset, readers: Readers, users: IntArray, seed: int
) -> dict[str, Any]:
    """Errors of users, baseline and readers on the same rows, and the share of the knowable.

    Args:
        model: the users in question.
        dataset: a made world.
        readers: of its training rows.
        users: (n,) whom to ask.
        seed: of the answers.

    Returns:
        ``held out`` (picked by the people) and, where the world has cold items, ``cold items`` (put
        before them by lot): each ``rows``, ``squares`` (name → sum of squared errors of the
        simulated users, the baseline and both readers), and the ``share`` of the knowable with its
        ``ci95`` over users.
    """
    truth: Any = dataset.truth
    bias = BiasModel().fit(dataset.train)
    parts = {"held out": (dataset.test, chosen_stars), "cold items": (truth.later, _suggested)}
    found = {}
    for name, (log, answers) in parts.items():
        asked, rows = first_rows(log, users, _ROWS) if log is not None else (users[:0], None)
        if not len(asked):
            continue
        items, ratings = log.items[rows], log.ratings[rows]
        said = {
            USERS: answers(model, asked, items, seed),
            BASELINE: bias.predict(asked[:, None], items),
            PERFECT: readers.perfect[asked[:, None], items],
            PARTIAL: readers.partial[asked[:, None], items],
        }
        found[name] = _figures(said, ratings)
    return found


def _suggested(model: UserModel, users: IntArray, items: IntArray, seed: int) -> FloatArray:
    return ask(model, users, items, seed).expected


def _figures(said: dict[str, FloatArray], ratings: FloatArray) -> dict[str, Any]:
    """Errors of stars (n, k); rows without an answer of the simulated users count for nobody."""
    answered = ~np.isnan(said[USERS])
    errors = {who: np.where(answered, stars - ratings, 0.0) ** 2 for who, stars in said.items()}
    sums = {who: of_rows.sum(axis=1) for who, of_rows in errors.items()}
    share = knowable_share(sums[USERS], sums[BASELINE], sums[PERFECT])
    return {
        "rows": int(answered.sum()),
        "squares": {who: round(float(of_users.sum()), 4) for who, of_users in sums.items()},
        "share": rounded(share.share),
        "ci95": [rounded(end) for end in share.ci95],
    }
